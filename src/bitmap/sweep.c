/* The sweep: how a bit is cleared, lazily and in two passes (I4).
 *
 *   write ends    counter 2
 *   bm_age()      2 -> 1
 *   bm_age()      finds it at 1: *ripe*. The array now flushes all members and makes events_cleared durable.
 *   bm_clear()    ripe and still exactly 1: 0; the bit leaves the image and the durable plane
 *   a commit      writes the page
 *
 * A chunk that only came to 1 in the pass before the flush is not ripe: it may be written again soon, and a
 * bit that is cleared is a bit that costs a commit when it comes back. A new write in between takes the
 * counter to 3, and since only exact values age, it is simply not cleared. A flag stops ageing as well. */
#include "bitmap/private.h"

#include <string.h>

/* Ages one leaf; true when something in it was at 1 before. */
static bool age_leaf(struct bm *b, uint64_t index)
{
	struct leaf *leaf = b->leaves[index];
	bool is_pending = false, has_ripe = false;

	memset(leaf->ripe, 0, sizeof leaf->ripe);
	for (uint64_t i = 0; i < LEAF_COUNTERS; i++) {
		if (leaf->value[i] != 1 && leaf->value[i] != 2)
			continue;
		is_pending = true;
		if (leaf->value[i] == 1) {
			leaf->ripe[i / 64] |= 1ull << i % 64;
			has_ripe = true;
		}
		bm_counter_act(b, index * LEAF_COUNTERS + i, BM_ACT_AGE);
	}
	if (!is_pending)
		bm_pageset_remove(&b->pending, index);
	return has_ripe;
}

bool bm_age(struct bm *b)
{
	bool has_ripe = false;

	for (uint64_t i = 0; bm_pageset_next(&b->pending, i, &i); i++)
		has_ripe |= age_leaf(b, i);
	return has_ripe;
}

bool bm_wants_sweep(const struct bm *b)
{
	return !bm_pageset_is_empty(&b->pending);
}

static bool is_clearable(const struct bm *b, uint64_t chunk)
{
	const struct leaf *leaf = leaf_of(b, chunk);
	uint64_t i = chunk % LEAF_COUNTERS;

	return leaf->value[i] == 1 && leaf->ripe[i / 64] >> i % 64 & 1;
}

bool bm_is_ripe(const struct bm *b, chunk_no c)
{
	return leaf_of(b, c.index) && is_clearable(b, c.index);
}

static uint64_t clear_leaf(struct bm *b, uint64_t index)
{
	uint64_t cleared = 0;

	for (uint64_t i = 0; i < LEAF_COUNTERS && b->leaves[index]; i++) {
		uint64_t chunk = index * LEAF_COUNTERS + i;

		if (!is_clearable(b, chunk))
			continue;
		bm_store_clear(b, chunk);
		bm_counter_act(b, chunk, BM_ACT_CLEAR);
		cleared++;
	}
	return cleared;
}

uint64_t bm_clear(struct bm *b, bool is_degraded, bool may_clear)
{
	uint64_t cleared = 0;

	if (!may_clear)
		return 0;
	MUST(!bm_commit_is_running(b));
	LAW(I4, !is_degraded && b->is_events_cleared_durable);

	for (uint64_t i = 0; bm_pageset_next(&b->pending, i, &i); i++)
		cleared += clear_leaf(b, i);
	return cleared;
}
