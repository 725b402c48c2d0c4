/* JSON answers of the library, gathered from its sink and read by json-c. */
#ifndef TESTS_FUZZ_ANSWER_H
#define TESTS_FUZZ_ANSWER_H

#include "fuzz.h"

#include "run/json.h"

struct answer {
	char *text;
	size_t len_bytes;
};

int answer_take(void *opaque, const char *data, size_t len_bytes);	/* a umd_sink */
struct json_object *answer_parse(struct answer *a);			/* one harmless object, or the process ends */
void answer_drop(struct answer *a);

/* NULL where it is missing or null. */
struct json_object *answer_get(struct json_object *o, const char *key);
uint64_t answer_u64(struct json_object *o, const char *key);		/* 0 where it is missing or null */
const char *answer_text(struct json_object *o, const char *key);	/* it is there, and a string */

#endif
