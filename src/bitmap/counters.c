/* The counters: 16 bits per chunk, in leaves of 2048 that exist only where something is counted.
 *
 * A missing leaf means that all its counters are 0. It is made by bm_counters_reserve() before the first
 * count and freed when its last counter returns to 0, so memory follows the chunks being written, not the
 * size of the array. When there is no memory the caller is told before anything has changed; the kernel's
 * way out (two counters standing for 1024 chunks each) is not taken, because it loses disk bits (md bitmap P7).
 *
 * Two sets of leaves keep the walkers short: *pending* has every leaf with a counter at exactly 1 or 2
 * (it may hold more, bm_age() thins it), *flagged* exactly those with a NEEDED or RESYNC counter.
 * All changes pass through bm_counter_act(): one place keeps the sums, and what has changed is not ripe any more: a
 * chunk that was found in doubt and copied since the members were flushed may be at 1 again (I4). */
#include "bitmap/private.h"

bool bm_counters_init(struct bm *b)
{
	b->leaf_range = div_up(b->chunks, LEAF_COUNTERS);
	b->leaves = mem_new(b->leaf_range, sizeof *b->leaves);
	return bm_pageset_init(&b->pending, b->leaf_range) && bm_pageset_init(&b->flagged, b->leaf_range) && b->leaves;
}

void bm_counters_free(struct bm *b)
{
	if (b->leaves && b->leaf_count)
		for (uint64_t i = 0; i < b->leaf_range; i++)
			mem_free(b->leaves[i]);
	b->leaves = mem_free(b->leaves);
	bm_pageset_free(&b->pending);
	bm_pageset_free(&b->flagged);
}

static void leaf_drop(struct bm *b, uint64_t index)
{
	b->leaves[index] = mem_free(b->leaves[index]);
	b->leaf_count--;
	bm_pageset_remove(&b->pending, index);
	bm_pageset_remove(&b->flagged, index);
}

static void drop_unused(struct bm *b, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		if (b->leaves[i] && !b->leaves[i]->counted)
			leaf_drop(b, i);
}

void bm_counters_drop_unused(struct bm *b)
{
	drop_unused(b, 0, b->leaf_range);
}

bool bm_counters_reserve(struct bm *b, struct chunk_range r)
{
	uint64_t first = r.first / LEAF_COUNTERS, last = r.last / LEAF_COUNTERS;

	for (uint64_t i = first; i <= last; i++) {
		if (b->leaves[i])
			continue;
		b->leaves[i] = mem_new(1, sizeof *b->leaves[i]);
		if (!b->leaves[i]) {
			drop_unused(b, first, i);
			return false;
		}
		b->leaf_count++;
	}
	return true;
}

static void put(struct bm *b, uint64_t chunk, struct leaf *leaf, uint16_t value)
{
	uint64_t index = chunk / LEAF_COUNTERS;
	uint16_t old = leaf->value[chunk % LEAF_COUNTERS];
	int flagged = !!(value & BM_FLAGS) - !!(old & BM_FLAGS);

	leaf->value[chunk % LEAF_COUNTERS] = value;
	leaf->ripe[chunk % LEAF_COUNTERS / 64] &= ~(1ull << chunk % 64);
	leaf->counted += !!value - !!old;
	leaf->flagged += flagged;
	b->needed_chunks += flagged;

	if (value == 1 || value == 2)
		bm_pageset_add(&b->pending, index);
	if (flagged > 0)
		bm_pageset_add(&b->flagged, index);
	else if (flagged < 0 && !leaf->flagged)
		bm_pageset_remove(&b->flagged, index);
	if (!leaf->counted)
		leaf_drop(b, index);
}

void bm_counter_act(struct bm *b, uint64_t chunk, enum bm_action action)
{
	struct leaf *leaf = leaf_of(b, chunk);
	uint16_t old = counter_of(b, chunk);
	uint16_t value = bm_state_next(action, old);

	if (value != old)
		put(b, chunk, leaf, value);
}

uint16_t bm_counter(const struct bm *b, chunk_no c)
{
	MUST(c.index < b->chunks);
	return counter_of(b, c.index);
}

uint64_t bm_needed_chunks(const struct bm *b)
{
	return b->needed_chunks;
}

uint64_t bm_page_allocations(const struct bm *b)
{
	return b->leaf_count;
}
