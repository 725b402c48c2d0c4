/* Whole images through the public API: examine, map and why, as `umd VERB --json` does.
 *
 * Input: 1 byte flags (1 checksums are made right, 2 two maps are compared), 1 unused, 2 a chunk; then the images
 * (image.h). Properties: it always answers; the answer is one JSON object, harmless, and of bounded length; as many
 * members as were given, with as many errors as are counted; runs of chunks are in order, inside their bitmap, and add
 * up; what cannot start says why, what can says what it copies; maps agree with it (mapped.c), and so does what is
 * said of one chunk (asked.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "fuzz.h"
#include "image.h"
#include "mapped.h"

static void bitmap_is_sound(struct json_object *b)
{
	uint64_t chunks = answer_u64(b, "chunks"), set = answer_u64(b, "set_chunks"), seen = 0, next = 0;
	struct json_object *runs = answer_get(b, "set");

	if (!runs)
		return;
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);
		uint64_t first = json_object_get_uint64(json_object_array_get_idx(run, 0));
		uint64_t last = json_object_get_uint64(json_object_array_get_idx(run, 1));

		FUZZ_MUST(first >= next && last >= first && last < chunks);
		seen += last - first + 1;
		next = last + 2;
	}
	FUZZ_MUST(seen <= set && set <= chunks);
	FUZZ_MUST(seen == set || json_object_get_boolean(answer_get(b, "set_truncated")));
}

static void array_is_sound(struct json_object *a)
{
	struct json_object *next = answer_get(a, "next_start");
	const char *action = answer_text(next, "action");
	bool can_start = json_object_get_boolean(answer_get(a, "can_start"));

	FUZZ_MUST(!strcmp(action, "none") || !strcmp(action, "resync") || !strcmp(action, "recover"));
	FUZZ_MUST(answer_text(next, "reason")[0]);
	FUZZ_MUST(strcmp(action, "none") || !answer_u64(next, "bytes"));
	FUZZ_MUST(can_start || !strcmp(action, "none") || answer_get(a, "not_supported"));
}

static void examined_is_sound(struct json_object *o, size_t count, size_t errors)
{
	struct json_object *members = answer_get(o, "members"), *arrays = answer_get(o, "arrays"), *list;
	size_t seen = 0;

	FUZZ_MUST(members && arrays && json_object_array_length(members) == count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *m = json_object_array_get_idx(members, i);

		seen += answer_get(m, "error") != NULL;
		list = answer_get(m, "bitmaps");
		for (size_t k = 0; list && k < json_object_array_length(list); k++)
			bitmap_is_sound(json_object_array_get_idx(list, k));
	}
	FUZZ_MUST(seen == errors);
	for (size_t i = 0; i < json_object_array_length(arrays); i++)
		array_is_sound(json_object_array_get_idx(arrays, i));
}

static void examine(const struct image *i, const struct umd_look_options *options, uint64_t wish)
{
	struct umd_error error = { 0 };
	struct answer a = { 0 };
	struct json_object *o;
	size_t errors = 0;

	FUZZ_MUST(umd_examine(i->paths, i->count, options, answer_take, &a, &errors, &error) == 0);
	o = answer_parse(&a);
	examined_is_sound(o, i->count, errors);
	mapped(i, *options, o);
	asked(i, o, wish);
	json_object_put(o);
	answer_drop(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	unsigned flags = fuzz_take(&in, 1);
	struct umd_look_options options = { .runs_max = 100, .cells_max = 50 };
	struct image image;
	uint64_t wish;

	fuzz_take(&in, 1);
	wish = fuzz_take(&in, 2);
	image_make(&in, flags & 1, &image);
	options.external = image.has_external ? &image.external : NULL;
	options.is_comparison = flags & 2;
	examine(&image, &options, wish);
	return 0;
}
