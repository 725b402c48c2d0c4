/* Answers of the library: their length is bounded, whatever an image claims, and they are what they should be. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 8 << 20 };

int answer_take(void *opaque, const char *data, size_t len_bytes)
{
	struct answer *a = opaque;

	FUZZ_MUST(len_bytes <= ANSWER_MAX_BYTES - a->len_bytes);
	a->text = realloc(a->text, a->len_bytes + len_bytes + 1);
	FUZZ_MUST(a->text);
	memcpy(a->text + a->len_bytes, data, len_bytes);
	a->len_bytes += len_bytes;
	a->text[a->len_bytes] = '\0';
	return 0;
}

struct json_object *answer_parse(struct answer *a)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o;

	FUZZ_MUST(tokener && a->len_bytes && fuzz_is_harmless(a->text, a->len_bytes, true));
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tokener, a->text, (int)a->len_bytes);
	FUZZ_MUST(json_object_is_type(o, json_type_object));
	json_tokener_free(tokener);
	return o;
}

void answer_drop(struct answer *a)
{
	free(a->text);
	*a = (struct answer){ 0 };
}

struct json_object *answer_get(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? value : NULL;
}

uint64_t answer_u64(struct json_object *o, const char *key)
{
	return json_object_get_uint64(answer_get(o, key));
}

const char *answer_text(struct json_object *o, const char *key)
{
	struct json_object *value = answer_get(o, key);

	FUZZ_MUST(json_object_is_type(value, json_type_string));
	return json_object_get_string(value);
}
