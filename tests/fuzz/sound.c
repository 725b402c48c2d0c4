/* What a believed superblock promises, asked again in numbers that cannot wrap. Nothing here calls the functions it
 * judges for more than the answer that is judged. Law I7: no byte is touched that belongs to something else. */
#include "sound.h"

#include "fuzz.h"

static bool touch(u128 a, u128 a_len, u128 b, u128 b_len)
{
	return a_len && b_len && a < b + b_len && b < a + a_len;
}

void sound_superblock(const struct sb1 *sb, uint64_t member_bytes)
{
	struct span data = lay_data(sb), log = { 0 };
	u128 at = (u128)sb->data_offset_sectors * SECTOR_BYTES, len = (u128)sb->size_sectors * SECTOR_BYTES;

	FUZZ_MUST(data.at.bytes == at && data.len_bytes == len);
	/* RAID0 and linear of 0.90 take what each member has: there the size means nothing. */
	if (sb->minor == SB_090 && sb->level < 1)
		return;
	FUZZ_MUST(at + len <= member_bytes && (sb->minor == SB_090 || sb->size_sectors <= sb->data_size_sectors));
	if (sb->minor == SB1_0)
		FUZZ_MUST(at + len <= (u128)sb->super_offset_sectors * SECTOR_BYTES);
	else if (sb->minor != SB_090)
		FUZZ_MUST(at >= (u128)sb->super_offset_sectors * SECTOR_BYTES + fmt_sb1_valid_bytes(sb));
	FUZZ_MUST((u128)lay_data_room_sectors(sb) * SECTOR_BYTES + at <= member_bytes || !sb->size_sectors);
	if (sb->feature_map & FMT_SB1_BAD_BLOCKS) {
		FUZZ_MUST(lay_bad_blocks(sb, &log) || !sb->bblog_size_sectors);
		FUZZ_MUST((u128)log.at.bytes + log.len_bytes <= member_bytes);
		FUZZ_MUST(!touch(log.at.bytes, log.len_bytes, at, len));
	}
	if (sb->level == 1)
		FUZZ_MUST(lay_array_sectors(sb) == sb->size_sectors && lay_sync_sectors(sb) == sb->size_sectors);
	if (sb->level == 10 && lay_array_sectors(sb) != UINT64_MAX)
		FUZZ_MUST(lay_array_sectors(sb) <= (u128)sb->size_sectors * sb->raid_disks);
}

void sound_bitmap(const struct sb1 *sb, const struct bitmap_sb *bm, uint32_t slots, uint64_t member_bytes)
{
	uint64_t sync = lay_sync_sectors(sb), chunk_sectors = fmt_bitmap_chunk_bytes(bm) / SECTOR_BYTES;
	bool is_lockless = fmt_bitmap_is_lockless(bm);
	u128 chunks = 0, len, at, super = (u128)sb->super_offset_sectors * SECTOR_BYTES;
	struct span log;
	member_off place;

	if (sync == UINT64_MAX)
		sync = bm->sync_size_sectors;
	/* Not initialised: nothing but the room in front of the states is there yet. */
	if (!fmt_bitmap_is_uninitialised(bm))
		chunks = sync / chunk_sectors + (sync % chunk_sectors != 0);
	len = is_lockless ? 1024 + chunks : FMT_BITMAP_SB_BYTES + chunks / 8 + (chunks % 8 != 0);
	if (slots > 1 && !is_lockless)
		len += (slots - 1) * ((len + 4095) / 4096 * 4096);
	FUZZ_MUST(lay_bitmap(sb, &place));
	at = place.bytes;
	FUZZ_MUST((__int128_t)at == (__int128_t)super + (__int128_t)sb->bitmap_offset_sectors * SECTOR_BYTES);
	FUZZ_MUST(at + len <= member_bytes);
	FUZZ_MUST(!touch(at, len, super, sb->minor == SB_090 ? 4096 : fmt_sb1_valid_bytes(sb)));
	FUZZ_MUST(!touch(at, len, (u128)sb->data_offset_sectors * SECTOR_BYTES, (u128)sb->size_sectors * SECTOR_BYTES));
	/* mdadm makes both kinds with a log inside; neither is started. */
	if (!is_lockless && !fmt_bitmap_is_clustered(bm) && lay_bad_blocks(sb, &log))
		FUZZ_MUST(!touch(at, len, log.at.bytes, log.len_bytes));
	if (slots > 1 && !is_lockless)
		FUZZ_MUST(lay_slot(place, sync, bm->chunk_bytes, slots - 1).bytes + (u128)FMT_BITMAP_SB_BYTES <=
			  at + len);
}

void sound_bitmap_numbers(const struct bitmap_sb *bm)
{
	uint64_t chunk_bytes = fmt_bitmap_chunk_bytes(bm), chunks = fmt_bitmap_chunks(bm);
	u128 covered = (u128)bm->sync_size_sectors * SECTOR_BYTES;

	if (fmt_bitmap_is_uninitialised(bm)) {
		FUZZ_MUST(!chunks);
		return;
	}
	FUZZ_MUST(chunk_bytes >= SECTOR_BYTES && is_power_of_two(chunk_bytes));
	FUZZ_MUST((u128)chunks * chunk_bytes >= covered);
	FUZZ_MUST(!chunks || (u128)(chunks - 1) * chunk_bytes < covered);
	if (fmt_bitmap_is_lockless(bm))
		FUZZ_MUST(fmt_bitmap_bytes(bm) == (chunks > UINT64_MAX - 1024 ? UINT64_MAX : chunks + 1024));
	else
		FUZZ_MUST(fmt_bitmap_bytes(bm) == (u128)FMT_BITMAP_SB_BYTES + chunks / 8 + (chunks % 8 != 0));
}
