/* Members on their way to an array: opened, locked, looked at, judged. Files of src/run only. */
#ifndef UMD_RUN_OPENING_H
#define UMD_RUN_OPENING_H

#include "run/running.h"

struct run_opening {
	uint32_t count;			/* the bitmap's file is the last one */
	struct member *hands[ARR_MEMBERS_MAX + 1];
	char *paths[ARR_MEMBERS_MAX + 1];
	struct asm_member *looks;
	struct asm_plan *plan;
	uint8_t *image;
	uint64_t image_bytes;
};

struct run_opening *run_opening_free(struct run_opening *o);	/* members that nobody took are closed */

/* What was looked at is judged, and the bitmap is read. 0 or a code with a sentence. */
int run_opening_judge(struct run_opening *o, const struct asm_options *options, struct err *err);

/* Without the lock: all are looked at once more, judged, and the bitmap is read. 0 or a code with a sentence. */
int run_opening_judge_again(struct run_opening *o, const struct asm_options *options, struct err *err);

/* Under the lock, or before others know @u: members that take part change hands. */
int run_opening_start(struct umd_array *u, struct run_opening *o, const struct asm_options *options, struct err *err);

#endif
