/* What the tests of why share: a mirror of 1000 chunks, the question, and parts of the answer. */
#ifndef TESTS_UNIT_LOOK_WHY_HELP_H
#define TESTS_UNIT_LOOK_WHY_HELP_H

#include "images.h"

enum { CHUNK = 65536, CHUNKS = 1000 };

static const struct shape plain = { .size_bytes = CHUNKS * (uint64_t)CHUNK - 4096, .version = 4, .chunk_bytes = CHUNK,
				    .events = 7, .bitmap_events = 7 };
UNUSED static struct umd_error error;
UNUSED static size_t errors;

UNUSED static struct json_object *why(size_t count, uint64_t chunk)
{
	struct json_object *answer;
	char *json;

	if (umd_why(image_list, count, chunk, NULL, &json, &errors, &error) < 0)
		return NULL;
	answer = json_tokener_parse(json);
	free(json);
	return answer;
}

UNUSED static bool is_copied(struct json_object *j)
{
	return json_object_get_boolean(image_get(j, "next_start.copied"));
}

UNUSED static bool has(struct json_object *j, const char *path, const char *part)
{
	return strstr(image_text(j, path), part);
}

UNUSED static struct shape dirty(void)
{
	struct shape s = plain;

	s.is_dirty = true;
	return s;
}

#endif
