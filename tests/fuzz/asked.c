/* Properties of `why`: a chunk that examine counts as set is set there as well, on the same member and slot; the byte
 * it names lies on the member; what is copied goes from one member to others; a refusal is a sentence. */
#include "mapped.h"

#include <stdlib.h>
#include <string.h>

static bool is_in_runs(struct json_object *runs, uint64_t chunk)
{
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (chunk >= json_object_get_uint64(json_object_array_get_idx(run, 0)) &&
		    chunk <= json_object_get_uint64(json_object_array_get_idx(run, 1)))
			return true;
	}
	return false;
}

/* Only where the chunk is one of that bitmap's, and its runs are all there. */
static void agrees_with_examine(struct json_object *told, struct json_object *examined, uint64_t chunk)
{
	struct json_object *b = examined_bitmap(examined, answer_text(told, "path"), answer_u64(told, "slot"));
	struct json_object *runs = answer_get(b, "set");

	if (!b || !runs || json_object_get_boolean(answer_get(b, "set_truncated")) || chunk >= answer_u64(b, "chunks"))
		return;
	FUZZ_MUST(json_object_get_boolean(answer_get(told, "set")) == is_in_runs(runs, chunk));
}

static void told_is_sound(struct json_object *o, struct json_object *examined, uint64_t chunk)
{
	struct json_object *members = answer_get(o, "members"), *next = answer_get(o, "next_start");
	bool is_copied = json_object_get_boolean(answer_get(next, "copied"));

	FUZZ_MUST(answer_u64(o, "chunk") == chunk && answer_text(o, "sentence")[0] && answer_text(next, "reason")[0]);
	FUZZ_MUST(answer_u64(answer_get(o, "covers"), "length_bytes") > 0);
	for (size_t i = 0; i < json_object_array_length(members); i++)
		agrees_with_examine(json_object_array_get_idx(members, i), examined, chunk);
	FUZZ_MUST(!is_copied || json_object_array_length(answer_get(next, "to")) > 0);
}

/* Of the first bitmap that has chunks; else any, and none is there. */
static uint64_t choose(struct json_object *examined, uint64_t wish)
{
	struct json_object *members = answer_get(examined, "members");

	for (size_t i = 0; i < json_object_array_length(members); i++) {
		struct json_object *list = answer_get(json_object_array_get_idx(members, i), "bitmaps");

		for (size_t k = 0; list && k < json_object_array_length(list); k++) {
			uint64_t chunks = answer_u64(json_object_array_get_idx(list, k), "chunks");

			/* The last chunks are reached from the other end. */
			if (chunks)
				return wish & 0x8000 ? chunks - 1 - (wish & 0x7fff) % chunks : wish % chunks;
		}
	}
	return wish;
}

void asked(const struct image *image, struct json_object *examined, uint64_t wish)
{
	const struct umd_external_bitmap *external = image->has_external ? &image->external : NULL;
	uint64_t chunk = choose(examined, wish);
	struct umd_error error = { 0 };
	struct answer a = { 0 };
	struct json_object *o;
	size_t errors = 0;
	int rc = umd_why(image->paths, image->count, chunk, external, &a.text, &errors, &error);

	if (rc < 0) {
		FUZZ_MUST(error.text[0] && fuzz_is_harmless(error.text, strlen(error.text), false));
		return;
	}
	a.len_bytes = strlen(a.text);
	o = answer_parse(&a);
	FUZZ_MUST(errors <= image->count);
	told_is_sound(o, examined, chunk);
	json_object_put(o);
	answer_drop(&a);
}
