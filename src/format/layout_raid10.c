/* RAID10's map: from a chunk of the array to its copies on the members.
 *
 *   near 2, 4 slots       far 2, 3 slots        offset 2, 3 slots
 *   0  0  1  1            0  1  2               0  1  2
 *   2  2  3  3            3  4  5               2  0  1     each row again, moved on
 *   4  4  5  5            ...                   3  4  5
 *                         2  0  1     the second half of the members: all again, moved on
 *                         5  3  4
 *
 * Near copies fill slot after slot, row after row. Each further far copy lies a *stride* lower on the member and as
 * many slots further as there are near copies, round and round inside a *set* of slots: all of them, or (variants)
 * few, so that fewer pairs of failures lose data. Where the slots do not divide into sets, the last set takes the
 * rest; which slots count to it when copies move on is Linux's rule, a comparison that one would write differently.
 *
 * Left out: the way back from a member's byte to the array's, sectors inside a chunk (they keep their place), which
 * copy is read. */
#include "format/raid10.h"

#include "base/law.h"

enum {
	OFFSET_BIT = 1 << 16, VARIANT_SHIFT = 17, VARIANT_MASK = 3, KNOWN_BITS = (1 << 19) - 1,
	CHUNK_MIN_SECTORS = 8,
	SETS_OF_FAR = 1, SETS_OF_COPIES = 2,		/* variants */
};

static uint32_t set_slots(const struct raid10 *g, uint32_t variant)
{
	if (variant == SETS_OF_FAR)
		return g->slots / g->far;
	return variant == SETS_OF_COPIES ? g->far * g->near : g->slots;
}

/* Sizes in chunks; false where there are none or they are more than numbers hold. */
static bool measure(struct raid10 *g, uint64_t size_sectors)
{
	uint64_t places, used;

	if (!mul_fits(size_sectors / g->chunk_sectors / g->far, g->slots, &places))
		return false;
	g->array_chunks = places / g->near;
	if (!g->array_chunks || !mul_fits(g->array_chunks, g->near * g->far, &used))
		return false;
	g->member_chunks = div_up(used, g->slots);
	g->stride_chunks = g->is_offset ? 1 : g->member_chunks / g->far;
	return true;
}

bool lay_raid10(const struct sb1 *sb, struct raid10 *ret_geometry)
{
	uint32_t variant = sb->layout >> VARIANT_SHIFT & VARIANT_MASK;
	struct raid10 g = { .slots = sb->raid_disks, .near = sb->layout & 255, .far = sb->layout >> 8 & 255,
			    .is_offset = sb->layout & OFFSET_BIT, .chunk_sectors = sb->chunk_sectors };

	if (sb->level != 10 || sb->layout & ~(uint32_t)KNOWN_BITS || variant > SETS_OF_COPIES || !g.near || !g.far ||
	    g.near * g.far > g.slots || !is_power_of_two(g.chunk_sectors) || g.chunk_sectors < CHUNK_MIN_SECTORS)
		return false;
	g.set_slots = set_slots(&g, variant);
	if (g.set_slots > g.slots || !measure(&g, sb->size_sectors))
		return false;
	*ret_geometry = g;
	return true;
}

/* The slot of the next far copy. */
static uint32_t move_on(const struct raid10 *g, uint32_t slot)
{
	uint32_t rest = g->slots % g->set_slots, last_set = (g->slots / g->set_slots - 1) * g->set_slots;
	uint32_t set = slot / g->set_slots, next = slot + g->near;

	if (rest && next > last_set)
		return last_set + (next - last_set) % (g->set_slots + rest);
	return set * g->set_slots + next % g->set_slots;
}

struct raid10_copy lay_raid10_copy(const struct raid10 *g, uint64_t chunk, uint32_t number)
{
	uint32_t near = number / g->far, far = number % g->far, slots = g->slots;
	uint64_t place = chunk * g->near + near, first = chunk * g->near;
	struct raid10_copy copy;

	MUST(chunk < g->array_chunks && number < lay_raid10_copies(g));
	copy.slot = (uint32_t)(place % slots);
	copy.chunk = first / slots * (g->is_offset ? g->far : 1) + (place / slots - first / slots);
	for (; far; far--) {
		copy.slot = move_on(g, copy.slot);
		copy.chunk += g->stride_chunks;
	}
	return copy;
}
