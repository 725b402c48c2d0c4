/* Goal: umd finds the copies of a RAID10 chunk where Linux keeps them.
 * Method: the first six chunks of 14 geometries against what Linux does; then properties of all chunks of each: copies
 *         in different slots, no place used twice, none behind the used size; geometries that make no sense.
 * Law: none; why tells people where to look.
 * Source: Linux 6.1, chunks of 64 KiB on members of 14336 sectors, written and found again on the members. */
#include "format/raid10.h"
#include "tap.h"

enum { SIZE_SECTORS = 14336, CHUNK_SECTORS = 128, SHOWN = 6, COPIES_MAX = 3, SLOTS_MAX = 8, ROWS_MAX = 128 };

static const struct {
	const char *name;
	uint32_t layout, slots;
	uint64_t array_sectors, used_sectors, stride_sectors;	/* stride 0: there are no far copies */
	struct raid10_copy copies[SHOWN][COPIES_MAX];
} table[] = {
	{ "n2", 0x102, 4, 28672, 14336, 0, {{ { 0, 0 }, { 1, 0 } }, { { 2, 0 }, { 3, 0 } }, { { 0, 1 },
	  { 1, 1 } }, { { 2, 1 }, { 3, 1 } }, { { 0, 2 }, { 1, 2 } }, { { 2, 2 }, { 3, 2 } } } },
	{ "n2", 0x102, 3, 21504, 14336, 0, {{ { 0, 0 }, { 1, 0 } }, { { 2, 0 }, { 0, 1 } }, { { 1, 1 },
	  { 2, 1 } }, { { 0, 2 }, { 1, 2 } }, { { 2, 2 }, { 0, 3 } }, { { 1, 3 }, { 2, 3 } } } },
	{ "n2", 0x102, 5, 35840, 14336, 0, {{ { 0, 0 }, { 1, 0 } }, { { 2, 0 }, { 3, 0 } }, { { 4, 0 },
	  { 0, 1 } }, { { 1, 1 }, { 2, 1 } }, { { 3, 1 }, { 4, 1 } }, { { 0, 2 }, { 1, 2 } } } },
	{ "n3", 0x103, 4, 19072, 14336, 0, {{ { 0, 0 }, { 1, 0 }, { 2, 0 } }, { { 3, 0 }, { 0, 1 }, { 1, 1 } },
	  { { 2, 1 }, { 3, 1 }, { 0, 2 } }, { { 1, 2 }, { 2, 2 }, { 3, 2 } }, { { 0, 3 }, { 1, 3 }, { 2, 3 } },
	  { { 3, 3 }, { 0, 4 }, { 1, 4 } } } },
	{ "f2", 0x201, 2, 14336, 14336, 7168, {{ { 0, 0 }, { 1, 56 } }, { { 1, 0 }, { 0, 56 } }, { { 0, 1 },
	  { 1, 57 } }, { { 1, 1 }, { 0, 57 } }, { { 0, 2 }, { 1, 58 } }, { { 1, 2 }, { 0, 58 } } } },
	{ "f2", 0x201, 3, 21504, 14336, 7168, {{ { 0, 0 }, { 1, 56 } }, { { 1, 0 }, { 2, 56 } }, { { 2, 0 },
	  { 0, 56 } }, { { 0, 1 }, { 1, 57 } }, { { 1, 1 }, { 2, 57 } }, { { 2, 1 }, { 0, 57 } } } },
	{ "f2", 0x201, 4, 28672, 14336, 7168, {{ { 0, 0 }, { 1, 56 } }, { { 1, 0 }, { 2, 56 } }, { { 2, 0 },
	  { 3, 56 } }, { { 3, 0 }, { 0, 56 } }, { { 0, 1 }, { 1, 57 } }, { { 1, 1 }, { 2, 57 } } } },
	{ "f3", 0x301, 5, 23680, 14208, 4736, {{ { 0, 0 }, { 1, 37 }, { 2, 74 } }, { { 1, 0 }, { 2, 37 },
	  { 3, 74 } }, { { 2, 0 }, { 3, 37 }, { 4, 74 } }, { { 3, 0 }, { 4, 37 }, { 0, 74 } }, { { 4, 0 },
	  { 0, 37 }, { 1, 74 } }, { { 0, 1 }, { 1, 38 }, { 2, 75 } } } },
	{ "o2", 0x10201, 2, 14336, 14336, 128, {{ { 0, 0 }, { 1, 1 } }, { { 1, 0 }, { 0, 1 } }, { { 0, 2 },
	  { 1, 3 } }, { { 1, 2 }, { 0, 3 } }, { { 0, 4 }, { 1, 5 } }, { { 1, 4 }, { 0, 5 } } } },
	{ "o2", 0x10201, 3, 21504, 14336, 128, {{ { 0, 0 }, { 1, 1 } }, { { 1, 0 }, { 2, 1 } }, { { 2, 0 },
	  { 0, 1 } }, { { 0, 2 }, { 1, 3 } }, { { 1, 2 }, { 2, 3 } }, { { 2, 2 }, { 0, 3 } } } },
	{ "o2", 0x10201, 4, 28672, 14336, 128, {{ { 0, 0 }, { 1, 1 } }, { { 1, 0 }, { 2, 1 } }, { { 2, 0 },
	  { 3, 1 } }, { { 3, 0 }, { 0, 1 } }, { { 0, 2 }, { 1, 3 } }, { { 1, 2 }, { 2, 3 } } } },
	{ "o3", 0x10301, 5, 23680, 14208, 128, {{ { 0, 0 }, { 1, 1 }, { 2, 2 } }, { { 1, 0 }, { 2, 1 },
	  { 3, 2 } }, { { 2, 0 }, { 3, 1 }, { 4, 2 } }, { { 3, 0 }, { 4, 1 }, { 0, 2 } }, { { 4, 0 }, { 0, 1 },
	  { 1, 2 } }, { { 0, 3 }, { 1, 4 }, { 2, 5 } } } },
	{ "f2 sets", 0x40201, 5, 35840, 14336, 7168, {{ { 0, 0 }, { 1, 56 } }, { { 1, 0 }, { 0, 56 } },
	  { { 2, 0 }, { 3, 56 } }, { { 3, 0 }, { 4, 56 } }, { { 4, 0 }, { 2, 56 } }, { { 0, 1 }, { 1, 57 } } } },
	{ "o2 sets", 0x50201, 5, 35840, 14336, 128, {{ { 0, 0 }, { 1, 1 } }, { { 1, 0 }, { 0, 1 } }, { { 2, 0 },
	  { 3, 1 } }, { { 3, 0 }, { 4, 1 } }, { { 4, 0 }, { 2, 1 } }, { { 0, 2 }, { 1, 3 } } } },
};

static struct sb1 superblock(uint32_t layout, uint32_t slots)
{
	return (struct sb1){ .level = 10, .layout = layout, .raid_disks = slots, .size_sectors = SIZE_SECTORS,
			     .chunk_sectors = CHUNK_SECTORS };
}

static void vector(size_t i)
{
	struct sb1 sb = superblock(table[i].layout, table[i].slots);
	struct raid10 g;

	if (!ok(lay_raid10(&sb, &g), "%s on %u slots is a geometry", table[i].name, table[i].slots))
		return;
	is_u64(g.array_chunks * CHUNK_SECTORS, table[i].array_sectors, "its array");
	is_u64(g.member_chunks * CHUNK_SECTORS, table[i].used_sectors, "what it uses of each member");
	if (table[i].stride_sectors)
		is_u64(g.stride_chunks * CHUNK_SECTORS, table[i].stride_sectors, "its stride");
	for (uint32_t chunk = 0; chunk < SHOWN; chunk++)
		for (uint32_t n = 0; n < lay_raid10_copies(&g); n++) {
			struct raid10_copy copy = lay_raid10_copy(&g, chunk, n);

			is_u64(copy.slot, table[i].copies[chunk][n].slot, "chunk %u, copy %u: slot", chunk, n);
			is_u64(copy.chunk, table[i].copies[chunk][n].chunk, "chunk %u, copy %u: place", chunk, n);
		}
}

static void properties(size_t i)
{
	static bool is_taken[SLOTS_MAX][ROWS_MAX];
	struct sb1 sb = superblock(table[i].layout, table[i].slots);
	uint64_t outside = 0, twice = 0;
	struct raid10 g = { 0 };

	memset(is_taken, 0, sizeof is_taken);
	lay_raid10(&sb, &g);
	for (uint64_t chunk = 0; chunk < g.array_chunks; chunk++) {
		uint32_t seen = 0;

		for (uint32_t n = 0; n < lay_raid10_copies(&g); n++) {
			struct raid10_copy c = lay_raid10_copy(&g, chunk, n);

			if (c.slot >= g.slots || c.chunk >= g.member_chunks) {
				outside++;
				continue;
			}
			twice += is_taken[c.slot][c.chunk] || seen >> c.slot & 1;
			is_taken[c.slot][c.chunk] = true;
			seen |= 1u << c.slot;
		}
	}
	ok(outside == 0 && g.array_chunks, "%s on %u: no copy lies outside", table[i].name, table[i].slots);
	is_u64(twice, 0, "and no place has two");
}

static void nonsense(void)
{
	static const struct { const char *what; uint32_t layout, slots, chunk; uint64_t size; } bad[] = {
		{ "no near copies", 0x100, 4, 128, SIZE_SECTORS }, { "no far copies", 0x002, 4, 128, SIZE_SECTORS },
		{ "more copies than slots", 0x203, 5, 128, SIZE_SECTORS }, { "no slots", 0x102, 0, 128, SIZE_SECTORS },
		{ "an unknown variant", 0x60201, 5, 128, SIZE_SECTORS },
		{ "an unknown bit", 0x80102, 4, 128, SIZE_SECTORS },
		{ "no chunk", 0x102, 4, 0, SIZE_SECTORS }, { "an odd chunk", 0x102, 4, 100, SIZE_SECTORS },
		{ "a chunk larger than a member", 0x102, 4, 1 << 20, SIZE_SECTORS },
		{ "more chunks than numbers hold", 0x102, 4096, 8, UINT64_MAX },
	};
	struct raid10 g;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sb1 sb = superblock(bad[i].layout, bad[i].slots);

		sb.chunk_sectors = bad[i].chunk;
		sb.size_sectors = bad[i].size;
		ok(!lay_raid10(&sb, &g), "%s: no geometry", bad[i].what);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		vector(i);
		properties(i);
	}
	nonsense();
	return tap_end();
}
