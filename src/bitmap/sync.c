/* The bitmap's part in a resync or a recovery: where to go, what has been done (I8).
 *
 * A window begins: NEEDED becomes RESYNC in the chunks it touches. A window ends: chunks it completed
 * lose RESYNC; a chunk longer than a window keeps it until the window that reaches its end. A write that
 * fails meanwhile adds NEEDED beside RESYNC, and that survives the window's end.
 * While a member is missing nothing is taken off, since the same chunks are owed to it as well; the pass
 * then ends at the array's end, not when no flag is left. */
#include "bitmap/private.h"

bool bm_is_needed(const struct bm *b, array_off at, uint64_t len_bytes)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	for (uint64_t i = r.first; i <= r.last; i++)
		if (counter_of(b, i) & BM_FLAGS)
			return true;
	return false;
}

/* The first flagged chunk at or after @from inside its leaf. */
static bool next_in_leaf(const struct bm *b, uint64_t from, uint64_t *ret_chunk)
{
	uint64_t end = min_u64(round_down(from, LEAF_COUNTERS) + LEAF_COUNTERS, b->chunks);

	for (uint64_t i = from; i < end; i++)
		if (counter_of(b, i) & BM_FLAGS) {
			*ret_chunk = i;
			return true;
		}
	return false;
}

static bool next_flagged(const struct bm *b, uint64_t from, uint64_t *ret_chunk)
{
	for (uint64_t leaf = from / LEAF_COUNTERS; bm_pageset_next(&b->flagged, leaf, &leaf); leaf++)
		if (next_in_leaf(b, max_u64(from, leaf * LEAF_COUNTERS), ret_chunk))
			return true;
	return false;
}

bool bm_next_needed(const struct bm *b, array_off from, array_off *ret_at, uint64_t *ret_len_bytes)
{
	uint64_t first, end, end_of_leaf;

	if (from.bytes >= b->sync_bytes || !next_flagged(b, from.bytes >> b->chunk_shift, &first))
		return false;

	/* A run is cut at its leaf: callers work in windows, and asking must not cost more than one leaf. */
	end_of_leaf = min_u64(round_down(first, LEAF_COUNTERS) + LEAF_COUNTERS, b->chunks);
	for (end = first + 1; end < end_of_leaf && counter_of(b, end) & BM_FLAGS;)
		end++;

	ret_at->bytes = max_u64(first << b->chunk_shift, from.bytes);
	*ret_len_bytes = chunk_end(b, end - 1) - ret_at->bytes;
	return true;
}

void bm_sync_start(struct bm *b, array_off at, uint64_t len_bytes, bool is_degraded)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	for (uint64_t i = r.first; i <= r.last; i++)
		bm_counter_act(b, i, is_degraded ? BM_ACT_SYNC_START_DEGRADED : BM_ACT_SYNC_START);
}

void bm_sync_end(struct bm *b, array_off at, uint64_t len_bytes, array_off done_below, bool is_ok)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	for (uint64_t i = r.first; i <= r.last; i++) {
		if (!is_ok)
			bm_counter_act(b, i, BM_ACT_SYNC_FAILED);
		else if (chunk_end(b, i) <= done_below.bytes)
			bm_counter_act(b, i, BM_ACT_SYNC_DONE);
	}
}

void bm_sync_abort(struct bm *b)
{
	for (uint64_t leaf = 0; bm_pageset_next(&b->flagged, leaf, &leaf); leaf++) {
		uint64_t end = min_u64((leaf + 1) * LEAF_COUNTERS, b->chunks);

		for (uint64_t i = leaf * LEAF_COUNTERS; i < end; i++)
			bm_counter_act(b, i, BM_ACT_SYNC_FAILED);
	}
}
