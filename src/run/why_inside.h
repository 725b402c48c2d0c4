/* Between the files of why: a bit's story, and the words for it. */
#ifndef UMD_RUN_WHY_INSIDE_H
#define UMD_RUN_WHY_INSIDE_H

#include "array/why.h"
#include "run/running.h"

struct run_tale {
	const struct umd_array *u;
	const struct arr_why *w;
	const struct arr_status *s;
	uint64_t now_ms;
};

/* why_words.c: "set_by" and "kept_by". */
void run_why_put_setter(const struct run_tale *tale, struct text *t);
void run_why_put_reasons(const struct run_tale *tale, struct text *t);
/* A sentence that was made piece by piece becomes a string of the object. */
void run_why_put_text(struct text *t, const char *key, struct text *sentence);

#endif
