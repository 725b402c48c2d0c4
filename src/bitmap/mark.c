/* The life of a write in the bitmap: marked, stable, done (I3, I11).
 *
 * A write is counted in every chunk it touches before anything else happens to it, so that from then on no
 * bit under it can be cleared; it may go to the members when all its bits are durable; and it is uncounted
 * when every member has answered. A write that some copy missed leaves its chunks NEEDED.
 *
 * A mark is all or nothing: room in every counter and memory for every leaf are looked for first.
 * Left out: who waits, and for what commit. That is the array's part; it asks bm_is_stable(). */
#include "bitmap/private.h"

#include <errno.h>

static bool has_room(const struct bm *b, struct chunk_range r)
{
	for (uint64_t i = r.first; i <= r.last; i++)
		if ((counter_of(b, i) & BM_COUNT_MAX) == BM_COUNT_MAX)
			return false;
	return true;
}

enum bm_mark bm_mark(struct bm *b, array_off at, uint64_t len_bytes)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	if (!has_room(b, r))
		return BM_MARK_WAIT;
	if (!bm_counters_reserve(b, r))
		return BM_MARK_NO_MEMORY;

	for (uint64_t i = r.first; i <= r.last; i++) {
		bm_counter_act(b, i, BM_ACT_START);
		bm_store_set(b, i);
	}
	return BM_MARKED;
}

bool bm_is_stable(const struct bm *b, array_off at, uint64_t len_bytes)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	for (uint64_t i = r.first; i <= r.last; i++)
		if (!bm_store_is_durable(b, i))
			return false;
	return true;
}

void bm_done(struct bm *b, array_off at, uint64_t len_bytes, bool leave_needed)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	for (uint64_t i = r.first; i <= r.last; i++) {
		MUST((counter_of(b, i) & BM_COUNT_MAX) >= 3);
		LAW(I4, bm_store_bit(b, i));
		bm_counter_act(b, i, leave_needed ? BM_ACT_END_OWED : BM_ACT_END_OK);
	}
}

/* ---- what is owed ---- */

static void act_on_leaf(struct bm *b, uint64_t index, enum bm_action action)
{
	for (uint64_t i = index * LEAF_COUNTERS; i < (index + 1) * LEAF_COUNTERS && b->leaves[index]; i++)
		if (b->leaves[index]->value[i % LEAF_COUNTERS])
			bm_counter_act(b, i, action);
}

void bm_need_all_counted(struct bm *b)
{
	for (uint64_t i = 0; i < b->leaf_range; i++)
		if (b->leaves[i])
			act_on_leaf(b, i, BM_ACT_MEMBER_LEFT);
	LAW(I11, b->needed_chunks == b->set_chunks);
}

void bm_forget_needed(struct bm *b)
{
	for (uint64_t i = 0; bm_pageset_next(&b->flagged, i, &i); i++)
		act_on_leaf(b, i, BM_ACT_FORGET);
	MUST(!b->needed_chunks);
}

int bm_set_needed(struct bm *b, array_off at, uint64_t len_bytes)
{
	struct chunk_range r = chunks_of(b, at, len_bytes);

	if (!bm_counters_reserve(b, r))
		return -ENOMEM;
	for (uint64_t i = r.first; i <= r.last; i++) {
		bm_counter_act(b, i, BM_ACT_LOAD_NEEDED);
		bm_store_set(b, i);
	}
	return 0;
}
