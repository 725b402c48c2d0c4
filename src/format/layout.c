/* THE address book: where everything lies on a member that has a superblock.
 *
 *   1.1   | super | bitmap | log | ... | data area ..................|       super at 0
 *   1.2   |  4K | super | bitmap | log | ... | data area ............|       super at 4096
 *   1.0   | data area ............................ | bitmap | log | super | tail |
 *
 * Bitmap and bad-block log are found by signed distances from the superblock, so they may lie nearly anywhere: an array
 * that Linux itself gave a bitmap has it 1 KiB behind a superblock of 512 valid bytes. lay_bitmap_fits() proves that
 * the areas do not touch (law I7) before anybody writes.
 *
 *   0.90  | data area .................... | super 4K | bitmap, at most 60K | tail < 64K |   super 64 KiB aligned
 *
 * A lockless bitmap (version 6) is believed although the bad-block log lies in its room, because mdadm 4.6 makes such
 * arrays; so is a clustered one, because mdadm gives a member that is added later a log where slot 1 lies. Nobody
 * writes a log here, and lay_log_is_inside_bitmap() says so to whoever would read it.
 *
 * Words: *slot* is the bitmap of one cluster node; slots follow each other in blocks of 4096 bytes, whatever the page
 * size of the host. Left out: choosing places for a new member (layout_plan.c). */
#include "format/layout.h"

#include "base/law.h"
#include "format/raid10.h"
#include "format/sb0.h"

#include <inttypes.h>

enum {
	BLOCK_BYTES = 4096,
	BLOCK_SECTORS = 8,
	SB1_2_SECTOR = 8,
	SB1_0_TAIL_SECTORS = 16,
	SB0_UNIT_SECTORS = 128,
	MEMBER_MIN_SECTORS = 24
};

bool lay_super(enum sb1_minor minor, uint64_t member_bytes, member_off *ret_at)
{
	uint64_t sectors = member_bytes / SECTOR_BYTES, at_sectors = 0;

	if (minor == SB_090)
		return lay_super_090(member_bytes, ret_at);
	if (sectors < MEMBER_MIN_SECTORS)
		return false;
	if (minor == SB1_0)
		at_sectors = round_down(sectors - SB1_0_TAIL_SECTORS, BLOCK_SECTORS);
	else if (minor == SB1_2)
		at_sectors = SB1_2_SECTOR;
	ret_at->bytes = at_sectors * SECTOR_BYTES;
	return true;
}

bool lay_super_090(uint64_t member_bytes, member_off *ret_at)
{
	uint64_t sectors = member_bytes / SECTOR_BYTES;

	if (sectors < SB0_UNIT_SECTORS)
		return false;
	ret_at->bytes = (round_down(sectors, SB0_UNIT_SECTORS) - SB0_UNIT_SECTORS) * SECTOR_BYTES;
	return true;
}

struct span lay_data(const struct sb1 *sb)
{
	return (struct span){ { sb->data_offset_sectors * SECTOR_BYTES }, sb->size_sectors * SECTOR_BYTES };
}

uint64_t lay_data_room_sectors(const struct sb1 *sb)
{
	if (sb->minor != SB1_0)
		return sb->data_size_sectors;
	if (sb->data_offset_sectors > sb->super_offset_sectors)
		return 0;
	return min_u64(sb->data_size_sectors, sb->super_offset_sectors - sb->data_offset_sectors);
}

/* @offset_sectors from the superblock; false: before the start of the member. */
static bool beside_super(const struct sb1 *sb, int32_t offset_sectors, member_off *ret_at)
{
	if (offset_sectors < 0 && sb->super_offset_sectors < (uint64_t)-(int64_t)offset_sectors)
		return false;
	ret_at->bytes = (sb->super_offset_sectors + (uint64_t)(int64_t)offset_sectors) * SECTOR_BYTES;
	return true;
}

bool lay_bitmap(const struct sb1 *sb, member_off *ret_at)
{
	return (sb->feature_map & FMT_SB1_BITMAP) && sb->bitmap_offset_sectors &&
	       beside_super(sb, sb->bitmap_offset_sectors, ret_at);
}

bool lay_bad_blocks(const struct sb1 *sb, struct span *ret_span)
{
	if (!sb->bblog_offset_sectors || !sb->bblog_size_sectors ||
	    !beside_super(sb, sb->bblog_offset_sectors, &ret_span->at))
		return false;
	ret_span->len_bytes = (uint64_t)sb->bblog_size_sectors * SECTOR_BYTES;
	return true;
}

/* What does not fill a row of chunks is lost. */
static uint64_t raid10_sectors(const struct sb1 *sb)
{
	struct raid10 g;
	uint64_t sectors;

	return lay_raid10(sb, &g) && mul_fits(g.array_chunks, g.chunk_sectors, &sectors) ? sectors : UINT64_MAX;
}

uint64_t lay_array_sectors(const struct sb1 *sb)
{
	uint32_t parity = sb->level == 6 ? 2 : 1;
	uint64_t sectors;

	switch (sb->level) {
	case 1:
		return sb->size_sectors;
	case 10:
		return raid10_sectors(sb);
	case 4: case 5: case 6:
		if (sb->raid_disks <= parity || !mul_fits(sb->size_sectors, sb->raid_disks - parity, &sectors))
			return UINT64_MAX;
		return sectors;
	default:
		return UINT64_MAX;
	}
}

uint64_t lay_sync_sectors(const struct sb1 *sb)
{
	if (sb->level == 10)
		return raid10_sectors(sb);
	return sb->level == 1 || (sb->level >= 4 && sb->level <= 6) ? sb->size_sectors : UINT64_MAX;
}

/* Without rounding to blocks: what is written at most, up to the last sector. */
static uint64_t bitmap_span_bytes(uint64_t sync_size_sectors, uint32_t chunk_bytes)
{
	uint64_t chunks = div_up(sync_size_sectors, chunk_bytes / SECTOR_BYTES);

	return round_up(FMT_BITMAP_SB_BYTES + div_up(chunks, 8), SECTOR_BYTES);
}

uint64_t lay_slot_bytes(uint64_t sync_size_sectors, uint32_t chunk_bytes)
{
	MUST(chunk_bytes >= SECTOR_BYTES);
	return round_up(bitmap_span_bytes(sync_size_sectors, chunk_bytes), BLOCK_BYTES);
}

member_off lay_slot(member_off bitmap_at, uint64_t sync_size_sectors, uint32_t chunk_bytes, uint32_t slot)
{
	uint64_t front, at;

	if (!slot)
		return bitmap_at;
	if (!mul_fits(slot, lay_slot_bytes(sync_size_sectors, chunk_bytes), &front) ||
	    !add_fits(bitmap_at.bytes, front, &at))
		return (member_off){ OFF_NONE };
	return (member_off){ at };
}

static int refuse_overlap(struct span bitmap, struct span other, const char *what, struct err *err)
{
	if (!ranges_overlap(bitmap.at.bytes, bitmap.len_bytes, other.at.bytes, other.len_bytes))
		return 0;
	return err_set(err, UMD_E_BAD_BITMAP,
		       "the bitmap is refused: its bytes %" PRIu64 " to %" PRIu64 " touch the %s at %" PRIu64
		       " to %" PRIu64 "; the array does not start with it",
		       bitmap.at.bytes, bitmap.at.bytes + bitmap.len_bytes, what, other.at.bytes,
		       other.at.bytes + other.len_bytes);
}

/* Where the level does not tell, the bitmap's own figure is all there is. */
static uint64_t covered_sectors(const struct sb1 *sb, const struct bitmap_sb *bm)
{
	uint64_t sync = lay_sync_sectors(sb);

	return sync == UINT64_MAX ? bm->sync_size_sectors : sync;
}

/* UINT64_MAX: longer than any member. */
static uint64_t lockless_bytes(const struct sb1 *sb, const struct bitmap_sb *bm)
{
	struct bitmap_sb in_use = *bm;
	uint64_t bytes;

	in_use.sync_size_sectors = covered_sectors(sb, bm);
	bytes = fmt_bitmap_bytes(&in_use);
	return bytes > UINT64_MAX - SECTOR_BYTES ? UINT64_MAX : round_up(bytes, SECTOR_BYTES);
}

/* All @slots of the bitmap; false: longer than any member. */
static bool whole_bitmap(const struct sb1 *sb, const struct bitmap_sb *bm, uint32_t slots, struct span *ret_span)
{
	uint64_t sync = covered_sectors(sb, bm), front;

	if (!lay_bitmap(sb, &ret_span->at))
		return false;
	if (fmt_bitmap_is_lockless(bm)) {
		ret_span->len_bytes = lockless_bytes(sb, bm);
		return true;
	}
	if (!mul_fits(slots ? slots - 1 : 0, lay_slot_bytes(sync, bm->chunk_bytes), &front))
		return false;
	return add_fits(front, bitmap_span_bytes(sync, bm->chunk_bytes), &ret_span->len_bytes);
}

static uint64_t super_bytes(const struct sb1 *sb)
{
	return sb->minor == SB_090 ? FMT_SB0_BYTES : round_up(fmt_sb1_valid_bytes(sb), SECTOR_BYTES);
}

int lay_bitmap_fits(const struct sb1 *sb, const struct bitmap_sb *bm, uint32_t slots, uint64_t member_bytes,
		    struct err *err)
{
	struct span super = { { sb->super_offset_sectors * SECTOR_BYTES }, super_bytes(sb) };
	struct span bitmap, log;
	uint64_t end;
	int rc;

	if (!whole_bitmap(sb, bm, slots, &bitmap) || !add_fits(bitmap.at.bytes, bitmap.len_bytes, &end) ||
	    end > member_bytes)
		return err_set(err, UMD_E_BAD_BITMAP,
			       "the bitmap is refused: at %+" PRId32
			       " sectors from the superblock, with chunks of %" PRIu64 " bytes and %" PRIu32
			       " slots, it does not lie on the member of %" PRIu64
			       " bytes; the array does not start with it",
			       sb->bitmap_offset_sectors, fmt_bitmap_chunk_bytes(bm), slots, member_bytes);
	if (sb->minor == SB_090 && bitmap.len_bytes > FMT_SB0_BITMAP_ROOM_BYTES)
		return err_set(err, UMD_E_BAD_BITMAP,
			       "the bitmap is refused: it takes %" PRIu64
			       " bytes, behind a 0.90 superblock there are %d; the array does not start with it",
			       bitmap.len_bytes, FMT_SB0_BITMAP_ROOM_BYTES);
	rc = refuse_overlap(bitmap, super, "superblock", err);
	if (rc == 0)
		rc = refuse_overlap(bitmap, lay_data(sb), "data area", err);
	if (rc == 0 && !fmt_bitmap_is_lockless(bm) && !fmt_bitmap_is_clustered(bm) && lay_bad_blocks(sb, &log))
		rc = refuse_overlap(bitmap, log, "bad-block log", err);
	return rc;
}

bool lay_log_is_inside_bitmap(const struct sb1 *sb, const struct bitmap_sb *bm, struct span *ret_log)
{
	struct span bitmap, log;

	if (!(fmt_bitmap_is_lockless(bm) || fmt_bitmap_is_clustered(bm)) || fmt_bitmap_sb_check(bm, NULL, NULL) < 0 ||
	    !whole_bitmap(sb, bm, bm->nodes, &bitmap) || !lay_bad_blocks(sb, &log))
		return false;
	if (fmt_bitmap_is_lockless(bm))
		bitmap.len_bytes = max_u64(bitmap.len_bytes, (uint64_t)bm->sectors_reserved * SECTOR_BYTES);
	bitmap.len_bytes = min_u64(bitmap.len_bytes, UINT64_MAX - bitmap.at.bytes);
	if (!ranges_overlap(bitmap.at.bytes, bitmap.len_bytes, log.at.bytes, log.len_bytes))
		return false;
	*ret_log = log;
	return true;
}
