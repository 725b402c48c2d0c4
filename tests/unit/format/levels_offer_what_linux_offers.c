/* Goal: the size of an array, and the range its bitmap covers, are Linux's for every level; nonsense has no size.
 * Method: the arrays Linux made of members with 14336 usable sectors, then geometries that cannot be.
 * Law: I3 (a bitmap that covers less would leave writes without a bit), I7.
 * Source: Linux 6.1: RAID10 near, far and offset on 2 to 5 disks with 64 KiB chunks; RAID4/5/6 by their definition. */
#include "vectors.h"

static const struct {
	uint32_t layout, disks;
	uint64_t array_sectors;
} raid10[] = {
	{ 0x102, 4, 28672 }, { 0x102, 3, 21504 }, { 0x102, 5, 35840 }, { 0x103, 4, 19072 },
	{ 0x201, 2, 14336 }, { 0x201, 3, 21504 }, { 0x201, 4, 28672 }, { 0x301, 5, 23680 },
	{ 0x10201, 2, 14336 }, { 0x10201, 3, 21504 }, { 0x10201, 4, 28672 }, { 0x10301, 5, 23680 },
};

static struct sb1 array(int32_t level, uint32_t layout, uint32_t disks, uint64_t size_sectors, uint32_t chunk_sectors)
{
	return (struct sb1){ .minor = SB1_2, .level = level, .layout = layout, .raid_disks = disks,
			     .size_sectors = size_sectors, .chunk_sectors = chunk_sectors };
}

static void sizes(struct sb1 sb, uint64_t array_sectors, uint64_t sync_sectors, const char *what)
{
	is_u64(lay_array_sectors(&sb), array_sectors, "%s: array", what);
	is_u64(lay_sync_sectors(&sb), sync_sectors, "%s: range of the bitmap", what);
}

int main(void)
{
	char what[64];

	for (size_t i = 0; i < sizeof raid10 / sizeof *raid10; i++) {
		snprintf(what, sizeof what, "RAID10 0x%x on %u disks", raid10[i].layout, raid10[i].disks);
		sizes(array(10, raid10[i].layout, raid10[i].disks, 14336, 128), raid10[i].array_sectors,
		      raid10[i].array_sectors, what);
	}
	sizes(array(1, 0, 3, 14336, 0), 14336, 14336, "RAID1");
	sizes(array(4, 0, 3, 14336, 128), 28672, 14336, "RAID4");
	sizes(array(5, 2, 4, 14336, 128), 43008, 14336, "RAID5");
	sizes(array(6, 2, 4, 14336, 128), 28672, 14336, "RAID6");
	sizes(array(6, 2, 2, 14336, 128), UINT64_MAX, 14336, "RAID6 without data disks");
	sizes(array(5, 2, UINT32_MAX, UINT64_MAX / 2, 128), UINT64_MAX, UINT64_MAX / 2, "RAID5 larger than any number");
	sizes(array(0, 0, 2, 14336, 128), UINT64_MAX, UINT64_MAX, "RAID0 has no bitmap");
	sizes(array(10, 0x100, 2, 14336, 128), UINT64_MAX, UINT64_MAX, "RAID10 without near copies");
	sizes(array(10, 0x102, 2, 14336, 0), UINT64_MAX, UINT64_MAX, "RAID10 without chunk");
	sizes(array(10, 0x102, 0, 14336, 128), UINT64_MAX, UINT64_MAX, "RAID10 without disks");
	sizes(array(10, 0x102, UINT32_MAX, UINT64_MAX, 1), UINT64_MAX, UINT64_MAX, "RAID10 larger than any number");
	return tap_end();
}
