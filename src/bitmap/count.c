/* How many chunks of a range are set, and how many are needed.
 *
 * For pictures: a map asks for ranges, piece by piece, while writers wait for the array's lock. So a range costs its
 * own bytes of the image, words at a time, and its own leaves of counters, of which whole ones know their sum. Left
 * out: sums over everything, which are kept (bm_set_chunks, bm_needed_chunks). */
#include "bitmap/private.h"

#include <string.h>

/* Bits @first to @end - 1 of @bytes, where they lie in less than a whole byte each. */
static uint64_t count_singly(const uint8_t *bytes, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	for (uint64_t i = first; i < end; i++)
		count += bytes[i / 8] >> i % 8 & 1;
	return count;
}

uint64_t bm_count_set(const struct bm *b, chunk_no first, chunk_no below)
{
	const uint64_t head = b->head_bytes * 8ull;
	uint64_t end = min_u64(b->chunks, below.index) + head, at = first.index + head, start, stop, count = 0, word;

	if (at >= end)
		return 0;
	start = min_u64(round_up(at, 64), end);
	stop = max_u64(round_down(end, 64), start);
	for (uint64_t i = start; i < stop; i += 64) {
		memcpy(&word, b->image + i / 8, sizeof word);
		count += (uint64_t)__builtin_popcountll(word);
	}
	return count + count_singly(b->image, at, start) + count_singly(b->image, stop, end);
}

static uint64_t count_in_leaf(const struct leaf *leaf, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	if (end - first == LEAF_COUNTERS)
		return leaf->flagged;
	for (uint64_t i = first; i < end; i++)
		count += !!(leaf->value[i] & BM_FLAGS);
	return count;
}

uint64_t bm_count_needed(const struct bm *b, chunk_no first, chunk_no below)
{
	uint64_t end = min_u64(b->chunks, below.index), count = 0, leaf = first.index / LEAF_COUNTERS;

	for (; bm_pageset_next(&b->flagged, leaf, &leaf) && leaf * LEAF_COUNTERS < end; leaf++) {
		uint64_t from = leaf * LEAF_COUNTERS;
		uint64_t in = max_u64(first.index, from) - from, out = min_u64(end - from, LEAF_COUNTERS);

		if (in < out)
			count += count_in_leaf(b->leaves[leaf], in, out);
	}
	return count;
}
