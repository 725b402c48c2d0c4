/* Goal: the maps of images count in each cell the chunks that are set there, of every kind of bitmap; two maps are
 *       compared chunk by chunk.
 * Method: members made by hand with random bits and states, counted naively, for cells of many sizes; then refusals,
 *         runs beyond what is kept, raw bytes.
 * Law: I7 (nothing is written).
 * Source: umd.h; JSON of map. */
#include "base/prng.h"
#include "images.h"

enum { CHUNK = 4096, CHUNKS = 5003, CLUSTER_NODES = 3 };

static const struct shape plain = { .size_bytes = CHUNKS * (uint64_t)CHUNK - 512, .version = 4, .chunk_bytes = CHUNK,
				    .events = 5, .bitmap_events = 5 };
static uint8_t truth[2][CLUSTER_NODES][CHUNKS];		/* member, slot: set; or the state */
static struct prng rng = { 11 };

static struct json_object *map(size_t count, uint64_t cells, uint64_t runs_max, bool is_comparison, size_t *ret_errors,
			       struct umd_error *error)
{
	struct umd_look_options o = { .cells_max = cells, .runs_max = runs_max, .is_comparison = is_comparison };
	struct json_object *answer;
	struct text t = { 0 };
	char *taken;

	if (umd_map(image_list, count, &o, image_sink, &t, ret_errors, error) < 0) {
		text_drop(&t);
		return NULL;
	}
	taken = text_take(&t);
	answer = json_tokener_parse(taken);
	free(taken);
	return answer;
}

static void scatter(const struct shape *s, uint32_t member, uint32_t slot, uint32_t below)
{
	static uint8_t bits[CHUNKS / 8 + 1];

	memset(bits, 0, sizeof bits);
	for (uint32_t i = 0; i < CHUNKS; i++) {
		truth[member][slot][i] = prng_below(&rng, below) == 0;
		bits[i / 8] |= truth[member][slot][i] << i % 8;
	}
	bits[CHUNKS / 8] |= (uint8_t)(0xff << CHUNKS % 8);	/* what lies behind the last chunk means nothing */
	image_put(member, image_bits_at(s, slot), bits, sizeof bits);
}

/* Cells that do not have the number of entries of @row that equal @wanted. */
static uint32_t wrong_cells(struct json_object *cells, const uint8_t *row, uint8_t wanted, uint64_t cell_chunks)
{
	uint32_t wrong = 0;

	for (size_t k = 0; k < json_object_array_length(cells); k++) {
		uint64_t count = 0;

		for (uint64_t i = k * cell_chunks; i < min_u64(CHUNKS, (k + 1) * cell_chunks); i++)
			count += row[i] == wanted;
		wrong += json_object_get_uint64(json_object_array_get_idx(cells, k)) != count;
	}
	return wrong;
}

static void cells_of(const struct shape *s, uint64_t cells_max)
{
	size_t errors = 9;
	struct json_object *j = map(2, cells_max, 10000, false, &errors, NULL);
	uint64_t cell_chunks = div_up(CHUNKS, cells_max ? cells_max : 1024);
	uint32_t slots = s->nodes ? s->nodes : 1, wrong = 0;

	ok(j && errors == 0, "version %u, %llu cells: a map", s->version, (unsigned long long)cells_max);
	is_u64(json_object_array_length(image_get(j, "maps")), 2 * slots, "of each slot of each member");
	for (uint32_t i = 0; i < 2 * slots; i++) {
		struct json_object *m = json_object_array_get_idx(image_get(j, "maps"), i);
		struct json_object *cells = image_get(m, "cells");

		wrong += json_object_array_length(cells) != div_up(CHUNKS, cell_chunks);
		wrong += image_u64(m, "cell_chunks") != cell_chunks || image_u64(m, "chunks") != CHUNKS;
		wrong += image_u64(m, "slot") != i % slots || image_u64(m, "chunk_bytes") != CHUNK;
		wrong += wrong_cells(cells, truth[i / slots][i % slots], 1, cell_chunks);
	}
	is_u64(wrong, 0, "with the chunks set in each cell");
	json_object_put(j);
}

static void bits(void)
{
	struct shape clustered = plain;

	images_make(&plain);
	for (uint32_t i = 0; i < 2; i++)
		scatter(&plain, i, 0, 20 + 60 * i);
	cells_of(&plain, 1);
	cells_of(&plain, 0);
	cells_of(&plain, 77);
	cells_of(&plain, 65536);
	clustered.version = 5;
	clustered.nodes = CLUSTER_NODES;
	images_make(&clustered);
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t slot = 0; slot < CLUSTER_NODES; slot++)
			scatter(&clustered, i, slot, 10 + 30 * slot);
	cells_of(&clustered, 100);
}

static void unused_slot(void)
{
	struct shape clustered = plain;
	uint8_t zeroes[FMT_BITMAP_SB_BYTES] = { 0 };
	size_t errors;
	struct json_object *j;

	clustered.version = 5;
	clustered.nodes = 2;
	images_make(&clustered);
	scatter(&clustered, 0, 1, 2);
	image_put(0, image_bits_at(&clustered, 1) - FMT_BITMAP_SB_BYTES, zeroes, sizeof zeroes);
	j = map(1, 10, 0, false, &errors, NULL);
	ok(json_object_get_boolean(image_get(j, "maps.0.used")) &&
	   !json_object_get_boolean(image_get(j, "maps.1.used")),
	   "a slot of zeroes was never used");
	is_u64(image_u64(j, "maps.1.set_chunks"), 0, "whatever lies there is not counted");
	is_u64(json_object_array_length(image_get(j, "maps.1.cells")), 10, "it has its cells");
	json_object_put(j);
}

/* Slot 1 holds something that is no superblock of this bitmap; slots 0 and 2 are told. */
static void damaged_slot(uint32_t offset, uint8_t byte, const char *what)
{
	struct shape clustered = plain;
	const char *message;
	size_t errors;
	struct json_object *j;

	clustered.version = 5;
	clustered.nodes = 3;
	images_make(&clustered);
	image_put(0, image_bits_at(&clustered, 1) - FMT_BITMAP_SB_BYTES + offset, &byte, 1);
	j = map(1, 10, 0, false, &errors, NULL);
	is_u64(json_object_array_length(image_get(j, "maps")), 2, "%s: two slots are told", what);
	is_u64(image_u64(j, "maps.1.slot"), 2, "and the last one is number 2");
	message = json_object_get_string(image_get(j, "members.0.error.message"));
	ok(errors == 1 && message && strstr(message, "slot 1"), "%s", message);
	json_object_put(j);
}

static void states(void)
{
	struct shape lockless = plain;
	uint64_t count[LOCKLESS_STATES] = { 0 }, due = 0;
	struct json_object *j;
	uint32_t wrong = 0;
	size_t errors;

	lockless.version = 6;
	images_make(&lockless);
	for (uint32_t i = 0; i < CHUNKS; i++) {
		uint8_t state = i / 100 % 2 ? LOCKLESS_CLEAN : (uint8_t)prng_below(&rng, 5);

		truth[0][0][i] = state;
		count[state]++;
		due += fmt_lockless_is_due(state);
		image_state(0, &lockless, i, state);
	}
	j = map(1, 50, 0, false, &errors, NULL);
	is_u64(image_u64(j, "maps.0.set_chunks"), due, "lockless: the chunks that are due are the set ones");
	for (int state = 0; state < 5; state++) {
		char path[64];

		snprintf(path, sizeof path, "maps.0.states.%s", fmt_lockless_name(state));
		wrong += image_u64(j, path) != count[state];
		snprintf(path, sizeof path, "maps.0.state_cells.%s", fmt_lockless_name(state));
		wrong += !image_get(j, path) ||
			 wrong_cells(image_get(j, path), truth[0][0], (uint8_t)state,
				     image_u64(j, "maps.0.cell_chunks"));
	}
	is_u64(wrong, 0, "and each state has its count and its cells");
	ok(!image_get(j, "maps.0.state_cells.clean_unwritten"), "a state that does not occur has no cells");
	json_object_put(j);
}

static void comparison(void)
{
	size_t errors;
	struct json_object *j;
	struct umd_error e;
	uint32_t wrong = 0;

	images_make(&plain);
	scatter(&plain, 0, 0, 9);
	scatter(&plain, 1, 0, 30);
	j = map(2, 64, 0, true, &errors, &e);
	for (uint32_t k = 0; k < 64; k++) {
		uint64_t only[2] = { 0 }, from = k * div_up(CHUNKS, 64);

		for (uint64_t i = from; i < min_u64(CHUNKS, from + div_up(CHUNKS, 64)); i++) {
			only[0] += truth[0][0][i] && !truth[1][0][i];
			only[1] += truth[1][0][i] && !truth[0][0][i];
		}
		for (uint32_t side = 0; side < 2; side++) {
			char path[64];

			snprintf(path, sizeof path, "difference.only_%c_cells.%u", "ab"[side], k);
			wrong += image_u64(j, path) != (from < CHUNKS ? only[side] : UINT64_MAX);
		}
	}
	is_u64(wrong, 0, "what only one of two maps has, cell by cell");
	ok(image_u64(j, "difference.a") == 0 && image_u64(j, "difference.b") == 1, "and which two they are");
	json_object_put(j);
	ok(!map(1, 64, 0, true, &errors, &e) && e.code < 0 && strstr(e.text, "has 1"),
	   "one map is none to compare: %s", e.text);
}

static void chunks_that_differ(void)
{
	struct shape coarse = plain;
	struct umd_error e;
	size_t errors;
	char keep[64];

	images_make(&plain);
	coarse.chunk_bytes = 2 * CHUNK;
	image_put_bitmap_superblock(1, &coarse, 0);
	snprintf(keep, sizeof keep, "%d chunks of %d", CHUNKS, CHUNK);
	ok(!map(2, 64, 0, true, &errors, &e), "maps of other chunks are not compared");
	ok(strstr(e.text, keep) && strstr(e.text, "2502 of 8192"), "both are named: %s", e.text);
	ok(!map(2, 65537, 0, false, &errors, &e) && strstr(e.text, "65537") && strstr(e.text, "65536"),
	   "more cells than there may be: %s", e.text);
}

static void runs(void)
{
	struct shape many = plain;
	uint8_t bits_[CHUNKS * 8 / 2 / 8];
	struct json_object *j;
	size_t errors;

	many.size_bytes = CHUNKS * 8 * (uint64_t)CHUNK;
	images_make(&many);
	memset(bits_, 0x55, sizeof bits_);
	image_put(0, image_bits_at(&many, 0), bits_, sizeof bits_);
	j = map(1, 4, UINT64_MAX, false, &errors, NULL);
	is_u64(json_object_array_length(image_get(j, "maps.0.set")), sizeof bits_ * 4, "all runs, more than are kept");
	ok(!json_object_get_boolean(image_get(j, "maps.0.set_truncated")), "none is left out");
	json_object_put(j);
	j = map(1, 4, sizeof bits_ * 4, false, &errors, NULL);
	ok(!json_object_get_boolean(image_get(j, "maps.0.set_truncated")),
	   "exactly as many as were asked for: none is left out");
	json_object_put(j);
	j = map(1, 4, 3, false, &errors, NULL);
	is_u64(json_object_array_length(image_get(j, "maps.0.set")), 3, "three of them");
	ok(json_object_get_boolean(image_get(j, "maps.0.set_truncated")), "there are more");
	is_u64(image_u64(j, "maps.0.runs"), sizeof bits_ * 4, "their number is known");
	json_object_put(j);
}

static void raw(void)
{
	struct umd_error e;
	struct text t = { 0 };
	uint32_t wrong = 0;

	images_make(&plain);
	scatter(&plain, 0, 0, 1);	/* all ones: text keeps no zeroes */
	is_u64(umd_map_raw(image_list[0], 0, NULL, image_sink, &t, &e), 0, "raw bits");
	is_u64(t.len_bytes, CHUNKS / 8 + 1, "as many bytes as hold the chunks");
	for (uint32_t i = 0; i < CHUNKS / 8; i++)
		wrong += (uint8_t)t.data[i] != 0xff;
	is_u64(wrong, 0, "as they lie on the member");
	text_drop(&t);
	ok(umd_map_raw(image_list[0], 1, NULL, image_sink, &t, &e) < 0 && strstr(e.text, "no slot 1"),
	   "no slot 1: %s", e.text);
}

static void members_with_errors(void)
{
	struct shape none = plain;
	struct json_object *j;
	size_t errors = 0;

	none.version = 0;
	images_make(&none);
	j = map(2, 4, 0, false, &errors, NULL);
	is_u64(errors, 2, "members without a bitmap have nothing to show");
	ok(strstr(image_text(j, "members.1.error.message"), "no bitmap"), "each is told: %s",
	   image_text(j, "members.1.error.message"));
	is_u64(json_object_array_length(image_get(j, "maps")), 0, "there is no map");
	json_object_put(j);
}

int main(void)
{
	bits();
	unused_slot();
	damaged_slot(0, 'x', "another magic");
	damaged_slot(8, 0xee, "another array's");
	damaged_slot(4, 4, "another version");
	damaged_slot(54, 0x10, "other chunks");
	states();
	comparison();
	chunks_that_differ();
	runs();
	raw();
	members_with_errors();
	images_remove();
	return tap_end();
}
