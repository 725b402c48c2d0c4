/* Goal: what is odd about a member, but no reason to refuse it, is told in one sentence with its numbers; a good member
 * gets none.
 * Method: one edit each of a good mirror; a second superblock beside the first; more oddities than there is room for.
 * Law: I9.
 * Source: spec newest 1, 4, N4; bitmap 1.5; array 1.5. */
#include "mirror.h"

#include "base/le.h"
#include "unit/format/sb0_vectors.h"

static bool has_note(char name, const char *one, const char *other)
{
	struct asm_member look;
	bool found = false;

	look_at(name, &look);
	for (uint32_t i = 0; i < look.note_count; i++) {
		found |= strstr(look.notes[i], one) && strstr(look.notes[i], other);
		printf("# %s\n", look.notes[i]);
	}
	return ok(found && !look.error.code && !look.bitmap_error.code, "a note of %s, %s", one, other);
}

static uint32_t count_notes(char name)
{
	struct asm_member look;

	look_at(name, &look);
	return look.note_count;
}

static void superblocks(void)
{
	create(2);
	is_u64(count_notes('a'), 0, "a good member has none");
	EDIT('a', s->logical_block_bytes = 512);
	has_note('a', "512 bytes", "6.18");
	is_u64(count_notes('a'), 1, "and nothing else");
	create(2);
	told_by("a", 0, FMT_ROLE_FAULTY);
	has_note('a', "calls it faulty", "");
	create(2);
	EDIT('a', s->dev_number = 500);
	has_note('a', "500", "128");
}

static void bitmaps(void)
{
	create(2);
	EDIT_BITMAP('a', b->events = 16);
	has_note('a', "event 16", "event 17");
	EDIT_BITMAP('a', b->events = 18);
	is_u64(count_notes('a'), 0, "one event ahead is a cut between two writes");
	EDIT_BITMAP('a', b->events = 65535);
	has_note('a', "65535", "ahead");
	create(2);
	EDIT_BITMAP('a', b->state = FMT_BITMAP_STALE);
	has_note('a', "stale", "every chunk");
	create(2);
	le_put(disks[0].bitmap + 48, 4, FMT_BITMAP_WRITE_ERROR);
	has_note('a', "write-error", "does not start");
	create(2);
	le_put(disks[0].bitmap + 56, 4, 0);
	has_note('a', "daemon_sleep is 0", "5 seconds");
	create(2);
	EDIT_BITMAP('a', b->version = 5);
	has_note('a', "no nodes", "plain");
	create(2);
	EDIT_BITMAP('a', b->sync_size_sectors = 1000);
	has_note('a', "1000", "129024");
	create(2);
	EDIT('a', s->feature_map |= FMT_SB1_CLUSTERED);
	has_note('a', "says clustered", "version 4");
}

static void lockless_bitmaps(void)
{
	create(2);
	EDIT_BITMAP('a', b->version = 6; b->chunk_bytes = 128; b->sectors_reserved = 256);
	EDIT('a', s->bblog_offset_sectors = 16; s->bblog_size_sectors = 8);
	has_note('a', "bad-block log at byte 12288", "bitmap at byte 8192");
	EDIT('a', s->bblog_offset_sectors = 264);
	is_u64(count_notes('a'), 0, "a log behind the bitmap is in order");
	EDIT_BITMAP('a', b->state = FMT_BITMAP_FIRST_USE; b->events = 0; b->chunk_bytes = 77);
	has_note('a', "never initialised", "mean nothing");
	is_u64(count_notes('a'), 1, "its events neither");
}

/* Version 3 keeps its bits in the words of the host that wrote it; only a 0.90 superblock tells which kind it was. */
static void bits_of_another_host(bool is_big_endian, uint32_t version, bool is_odd)
{
	struct asm_member look = { .path = "m", .size_bytes = 16 << 20 };
	struct bitmap_sb b = { .magic = FMT_BITMAP_MAGIC, .version = version, .events = 20, .chunk_bytes = 65536,
			       .sync_size_sectors = 2 * 0x3fc0, .daemon_sleep_s = 5 };
	uint8_t raw[FMT_SB0_BYTES], bitmap[FMT_BITMAP_SB_BYTES] = { 0 };

	sb0_load(sb0_crashed, is_big_endian, raw);
	sb0_patch(raw, is_big_endian, 33, FMT_SB0_BITMAP);
	asm_take_superblock_090(&look, (member_off){ SB0_AT }, raw);
	asm_bitmap_uuid(&look, b.uuid);
	fmt_bitmap_sb_encode(&b, bitmap);
	asm_take_bitmap(&look, bitmap);
	ok(!look.bitmap_error.code && look.note_count == is_odd &&
		   (!is_odd || strstr(look.notes[0], "big-endian host")),
	   "version %u of a %s-endian host: %s", version, is_big_endian ? "big" : "little", look.notes[0]);
}

/* A 1.0 superblock stays behind where the member was used before. */
static void leftovers(void)
{
	struct asm_member look = { .path = "m", .size_bytes = MEMBER_BYTES };
	member_off at = disks[0].super_at;

	create_as(SB1_0, 2, false, 0x50);
	memcpy(disks[3].super, disks[0].super, FMT_SB1_BYTES);
	disks[3].super_at = disks[0].super_at;
	create(2);
	asm_take_superblock(&look, SB1_2, at, disks[0].super);
	asm_take_superblock(&look, SB1_0, disks[3].super_at, disks[3].super);
	ok(look.sb.minor == SB1_2 && look.note_count == 1 && strstr(look.notes[0], "version 1.0 of array 50505050:"),
	   "%s", look.notes[0]);
	disks[3].super[200] ^= 1;
	look = (struct asm_member){ .path = "m", .size_bytes = MEMBER_BYTES };
	asm_take_superblock(&look, SB1_2, at, disks[0].super);
	asm_take_superblock(&look, SB1_0, disks[3].super_at, disks[3].super);
	ok(look.note_count == 1 && strstr(look.notes[0], "cannot be believed"), "%s", look.notes[0]);
	for (int i = 0; i < 2 * ASM_NOTES_MAX; i++)
		asm_take_superblock(&look, SB1_0, disks[3].super_at, disks[3].super);
	is_u64(look.note_count, ASM_NOTES_MAX, "there is room for %d", ASM_NOTES_MAX);
}

int main(void)
{
	superblocks();
	bitmaps();
	lockless_bitmaps();
	bits_of_another_host(true, 3, true);
	bits_of_another_host(true, 4, false);
	bits_of_another_host(false, 3, false);
	leftovers();
	return tap_end();
}
