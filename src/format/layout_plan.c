/* Where things go on a new member: the places and sizes mdadm would choose, so that both tools make arrays that look
 * alike and that the other one can grow.
 *
 *   1.1, 1.2  superblock, 4 KiB for it, bitmap at +8 sectors, bad-block log behind the bitmap, headroom, data
 *   1.0       data from 0, bitmap, bad-block log at -8, superblock
 *
 * Room for a bitmap is set aside also where there is none, so that one can be added later. Headroom in front of the
 * data lets a reshape move it. The figures are measured ones (spec: array 1.7 and 12.2, bitmap 2.6).
 *
 * Left out: clustered bitmaps and RAID10 with its chunk. */
#include "format/layout.h"

#include "base/law.h"

#include <inttypes.h>

enum {
	BLOCK_BYTES = 4096,
	BLOCK_SECTORS = BLOCK_BYTES / SECTOR_BYTES,
	BBLOG_SECTORS = 8,
	SUPER_AREA_SECTORS = 24,			/* superblock with what precedes and follows it */
	DATA_ALIGN_SECTORS = 2048,
	HEADROOM_MAX_SECTORS = 262144,
	CHUNK_DEFAULT_BYTES = 64 << 20,
};
#define SECTORS_PER_GIB (UINT64_C(1) << 21)
#define CHUNK_MAX_BYTES (UINT64_C(1) << 31)		/* of the 32-bit field */

uint32_t lay_bitmap_room_sectors(uint64_t member_sectors)
{
	if (member_sectors < 128)
		return 0;
	if (member_sectors - 128 >= 200 * SECTORS_PER_GIB)
		return 256;
	return member_sectors - 8 > 8 * SECTORS_PER_GIB ? 128 : 8;
}

/* Whole blocks, since the bitmap is written in pages. */
static uint32_t bitmap_sectors(uint32_t chunk_bytes, uint64_t sync_sectors)
{
	return chunk_bytes ? lay_slot_bytes(sync_sectors, chunk_bytes) / SECTOR_BYTES : 0;
}

static uint64_t choose_data_offset(uint64_t member_sectors, uint32_t room_sectors)
{
	uint64_t headroom = HEADROOM_MAX_SECTORS;

	while (headroom * 1024 > member_sectors)
		headroom /= 2;
	return round_up(SUPER_AREA_SECTORS + room_sectors + headroom, DATA_ALIGN_SECTORS);
}

static int too_small(uint64_t member_sectors, uint64_t needed_sectors, struct err *err)
{
	return err_set(err, UMD_E_MEMBER_TOO_SMALL,
		       "a member of %" PRIu64 " sectors is too small: %" PRIu64
		       " sectors are needed before the first 64 KiB of data fit; nothing has been written",
		       member_sectors, needed_sectors);
}

/* Data in front; superblock, log and room for the bitmap behind it. */
static void plan_behind_data(uint64_t member_sectors, uint32_t bitmap, struct lay_plan *p)
{
	uint64_t behind = 2 * BLOCK_SECTORS + BBLOG_SECTORS + p->bitmap_room_sectors;

	p->data_offset_sectors = 0;
	p->usable_sectors = round_down(member_sectors, BLOCK_SECTORS) -
			    min_u64(behind, round_down(member_sectors, BLOCK_SECTORS));
	/* Without a bitmap its room stays free, so that one can be added. */
	p->data_size_sectors = p->super_offset_sectors -
			       min_u64((bitmap ?: p->bitmap_room_sectors) + BBLOG_SECTORS, p->super_offset_sectors);
	p->bblog_offset_sectors = -BBLOG_SECTORS;
	p->bitmap_offset_sectors = bitmap ? -(int32_t)(bitmap + BBLOG_SECTORS) : 0;
}

static void plan_before_data(uint64_t member_sectors, uint32_t bitmap, struct lay_plan *p)
{
	p->usable_sectors = member_sectors - min_u64(p->data_offset_sectors, member_sectors);
	p->data_size_sectors = p->usable_sectors;
	p->bitmap_offset_sectors = bitmap ? BLOCK_SECTORS : 0;
	p->bblog_offset_sectors = BLOCK_SECTORS + (bitmap ? bitmap : p->bitmap_room_sectors);
}

int lay_plan_create(enum sb1_minor minor, uint64_t member_bytes, uint64_t data_offset_sectors, uint32_t chunk_bytes,
		    uint64_t sync_sectors, struct lay_plan *ret_plan, struct err *err)
{
	uint64_t member_sectors = member_bytes / SECTOR_BYTES;
	uint32_t bitmap = bitmap_sectors(chunk_bytes, sync_sectors);
	struct lay_plan p = { .bitmap_room_sectors = lay_bitmap_room_sectors(member_sectors) };
	member_off super;

	if (!lay_super(minor, member_bytes, &super))
		return too_small(member_sectors, SUPER_AREA_SECTORS, err);
	p.super_offset_sectors = super.bytes / SECTOR_BYTES;
	if (minor == SB1_0) {
		plan_behind_data(member_sectors, bitmap, &p);
	} else {
		p.data_offset_sectors = data_offset_sectors
						?: choose_data_offset(member_sectors, p.bitmap_room_sectors);
		plan_before_data(member_sectors, bitmap, &p);
	}
	if (p.usable_sectors < LAY_SIZE_UNIT_SECTORS)
		return too_small(member_sectors, member_sectors - p.usable_sectors + LAY_SIZE_UNIT_SECTORS, err);
	*ret_plan = p;
	return 0;
}

/* The smallest chunk whose bits fit the room; above CHUNK_MAX_BYTES: none does. */
static uint64_t smallest_chunk(uint64_t sync_sectors, uint32_t room_sectors)
{
	uint64_t max_bits = ((uint64_t)room_sectors * SECTOR_BYTES - FMT_BITMAP_SB_BYTES) * 8;
	uint64_t chunk = LAY_CHUNK_MIN_BYTES, bits = sync_sectors / (LAY_CHUNK_MIN_BYTES / SECTOR_BYTES) + 1;

	for (; bits > max_bits && chunk <= CHUNK_MAX_BYTES; chunk *= 2)
		bits = (bits + 1) / 2;
	return chunk;
}

static int check_wanted(uint64_t wanted, uint64_t smallest, uint64_t sync_sectors, uint32_t room_sectors,
			struct err *err)
{
	if (!is_power_of_two(wanted) || wanted < LAY_CHUNK_MIN_BYTES || wanted > CHUNK_MAX_BYTES)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a bitmap chunk of %" PRIu64 " bytes is no power of two between %d and %" PRIu64
			       "; nothing has been written",
			       wanted, LAY_CHUNK_MIN_BYTES, CHUNK_MAX_BYTES);
	if (wanted < smallest)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a bitmap chunk of %" PRIu64 " bytes needs %" PRIu64 " bits, more than %" PRIu32
			       " sectors hold; %" PRIu64 " is the smallest that fits",
			       wanted, div_up(sync_sectors, wanted / SECTOR_BYTES), room_sectors, smallest);
	return 0;
}

int lay_choose_chunk(uint64_t sync_sectors, uint32_t room_sectors, uint64_t wanted_bytes, uint32_t *ret_chunk_bytes,
		     struct err *err)
{
	uint64_t smallest;
	int rc;

	if (!room_sectors)
		return err_set(err, UMD_E_BAD_OPTION,
			       "the members have no room for a bitmap; without one (--bitmap=none) they can be used");
	smallest = smallest_chunk(sync_sectors, room_sectors);
	if (smallest > CHUNK_MAX_BYTES)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a bitmap for %" PRIu64 " sectors does not fit %" PRIu32
			       " sectors with any chunk; without one (--bitmap=none) the array can be made",
			       sync_sectors, room_sectors);
	if (wanted_bytes) {
		rc = check_wanted(wanted_bytes, smallest, sync_sectors, room_sectors, err);
		if (rc < 0)
			return rc;
	}
	*ret_chunk_bytes = wanted_bytes ?: max_u64(smallest, CHUNK_DEFAULT_BYTES);
	return 0;
}
