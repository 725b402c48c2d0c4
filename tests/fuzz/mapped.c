/* Properties of maps: cells add up to the set chunks, states of a lockless bitmap to its chunks; examine and map count
 * the same; raw bytes hold as many set chunks as the map of them; a comparison is refused in a sentence or adds up as
 * well. The sink that wants no more ends a map of petabytes with its own code. */
#include "mapped.h"

#include <errno.h>
#include <string.h>

enum { RAW_MAX_BYTES = 1 << 20 };

struct raw {
	uint64_t bytes, ones;
};

static int count_raw(void *opaque, const char *data, size_t len_bytes)
{
	struct raw *raw = opaque;

	for (size_t i = 0; i < len_bytes; i++)
		raw->ones += (uint64_t)__builtin_popcount((uint8_t)data[i]);
	raw->bytes += len_bytes;
	return raw->bytes > RAW_MAX_BYTES ? -ECANCELED : 0;
}

static uint64_t sum(struct json_object *list)
{
	uint64_t v = 0;

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		v += json_object_get_uint64(json_object_array_get_idx(list, i));
	return v;
}

static void cells_add_up(struct json_object *map)
{
	uint64_t chunks = answer_u64(map, "chunks"), cell_chunks = answer_u64(map, "cell_chunks"), states = 0;
	struct json_object *cells = answer_get(map, "cells"), *by_state = answer_get(map, "states");

	if (!cells || !cell_chunks)
		return;
	FUZZ_MUST(json_object_array_length(cells) == chunks / cell_chunks + (chunks % cell_chunks != 0));
	FUZZ_MUST(sum(cells) == answer_u64(map, "set_chunks"));
	if (!by_state)
		return;
	json_object_object_foreach(by_state, name, value) {
		struct json_object *state_cells = answer_get(answer_get(map, "state_cells"), name);

		states += json_object_get_uint64(value);
		FUZZ_MUST(sum(state_cells) == json_object_get_uint64(value));
	}
	FUZZ_MUST(states == chunks);
}

struct json_object *examined_bitmap(struct json_object *examined, const char *path, uint64_t slot)
{
	struct json_object *members = answer_get(examined, "members");

	for (size_t i = 0; i < json_object_array_length(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i), *list = answer_get(m, "bitmaps");

		if (strcmp(answer_text(m, "path"), path))
			continue;
		for (size_t k = 0; list && k < json_object_array_length(list); k++)
			if (answer_u64(json_object_array_get_idx(list, k), "slot") == slot)
				return json_object_array_get_idx(list, k);
	}
	return NULL;
}

static void same_as_examined(struct json_object *map, struct json_object *examined)
{
	struct json_object *b = examined_bitmap(examined, answer_text(map, "path"), answer_u64(map, "slot"));

	FUZZ_MUST(b && answer_u64(b, "set_chunks") == answer_u64(map, "set_chunks"));
	FUZZ_MUST(answer_u64(b, "chunks") == answer_u64(map, "chunks"));
}

static void raw_is_the_same(const struct image *image, struct json_object *map)
{
	const struct umd_external_bitmap *external = image->has_external ? &image->external : NULL;
	uint64_t chunks = answer_u64(map, "chunks"), slot = answer_u64(map, "slot");
	struct umd_error error = { 0 };
	struct raw raw = { 0 };
	bool is_lockless = answer_get(map, "states");
	int rc = umd_map_raw(answer_text(map, "path"), (uint32_t)slot, external, count_raw, &raw, &error);

	if (rc == -ECANCELED && raw.bytes > RAW_MAX_BYTES)
		return;
	if (rc < 0) {
		FUZZ_MUST(error.text[0] && fuzz_is_harmless(error.text, strlen(error.text), false));
		return;
	}
	FUZZ_MUST(raw.bytes == (is_lockless ? chunks : chunks / 8 + (chunks % 8 != 0)));
	FUZZ_MUST(is_lockless || raw.ones >= answer_u64(map, "set_chunks"));
	FUZZ_MUST(is_lockless || raw.ones < answer_u64(map, "set_chunks") + 8);
}

static void maps_are_sound(const struct image *image, struct json_object *o, struct json_object *examined)
{
	struct json_object *maps = answer_get(o, "maps"), *difference = answer_get(o, "difference");

	FUZZ_MUST(maps && answer_get(o, "members"));
	for (size_t i = 0; i < json_object_array_length(maps); i++) {
		struct json_object *map = json_object_array_get_idx(maps, i);

		cells_add_up(map);
		same_as_examined(map, examined);
		if (i < 4)
			raw_is_the_same(image, map);
	}
	if (!difference)
		return;
	FUZZ_MUST(sum(answer_get(difference, "only_a_cells")) == answer_u64(difference, "only_a_chunks"));
	FUZZ_MUST(sum(answer_get(difference, "only_b_cells")) == answer_u64(difference, "only_b_chunks"));
}

void mapped(const struct image *image, struct umd_look_options options, struct json_object *examined)
{
	struct umd_error error = { 0 };
	struct answer a = { 0 };
	struct json_object *o;
	size_t errors = 0;
	int rc = umd_map(image->paths, image->count, &options, answer_take, &a, &errors, &error);

	if (rc < 0) {
		FUZZ_MUST(options.is_comparison && error.text[0] &&
			  fuzz_is_harmless(error.text, strlen(error.text), false));
	} else {
		o = answer_parse(&a);
		FUZZ_MUST(errors <= image->count);
		maps_are_sound(image, o, examined);
		json_object_put(o);
	}
	answer_drop(&a);
}
