/* Goal: a member without a version-1 superblock is told as what it is: a 0.90 member, a bitmap file, or nothing; a
 * believed superblock wins over a broken one of the other kind, and what loses is a note.
 * Method: 0.90 superblocks of Linux in both byte orders, bitmap files of several lengths, zeroes, broken superblocks;
 * each looked at alone and beside others.
 * Law: I9.
 * Source: spec array 1.10, bitmap 2.5; tests/unit/format/sb0_vectors.h. */
#include "assembly/assembly.h"
#include "base/le.h"
#include "unit/format/sb0_vectors.h"
#include "tap.h"

static uint8_t place[FMT_SB0_BYTES], first[4096];
static struct asm_member m;

static void look(uint64_t size_bytes)
{
	m = (struct asm_member){ .path = "m", .size_bytes = size_bytes };
	asm_take_superblock_090(&m, (member_off){ SB0_AT }, place);
	asm_name_the_stranger(&m, first);
}

static void refused(int code, const char *wanted)
{
	if (!ok(m.error.code == code && strstr(m.error.text, wanted) && !strncmp(m.error.text, "m: ", 3), "%s",
		m.error.text))
		printf("# wanted \"%s\" with %s, got %s\n", wanted, err_name(code), err_name(m.error.code));
}

static void nothing(void)
{
	look(16 << 20);
	refused(UMD_E_NO_SUPERBLOCK, "no md superblock was found");
	ok(m.kind == ASM_UNKNOWN && !m.has_superblock && !m.has_bitmap, "nothing is nothing");
	m = (struct asm_member){ .path = "m", .size_bytes = 100 };
	asm_name_the_stranger(&m, NULL);
	refused(UMD_E_NO_SUPERBLOCK, "in 100 bytes");
}

/* 64 KiB chunks of 100 MiB: 1600 bits in 200 bytes. */
static void bitmap_files(void)
{
	struct bitmap_sb sb = { .magic = FMT_BITMAP_MAGIC, .version = 4, .chunk_bytes = 65536,
				.sync_size_sectors = 204800, .daemon_sleep_s = 5 };
	struct err why;

	fmt_bitmap_sb_encode(&sb, first);
	look(256 + 200);
	ok(m.kind == ASM_BITMAP_FILE && !m.error.code && !m.has_superblock, "a bitmap file is no broken member");
	ok(m.has_bitmap && !m.bitmap_error.code && m.bitmap_at.bytes == 0 && fmt_bitmap_chunks(&m.bitmap) == 1600,
	   "its bitmap begins at byte 0");
	ok(asm_why_no_member(&m, &why) == UMD_E_NO_SUPERBLOCK && strstr(why.text, "a bitmap file of version 4"), "%s",
	   why.text);
	look(256 + 199);
	ok(!m.error.code && m.bitmap_error.code == UMD_E_BAD_BITMAP && strstr(m.bitmap_error.text, "455") &&
		   strstr(m.bitmap_error.text, "456"),
	   "shorter than its bits: %s", m.bitmap_error.text);
	sb.chunk_bytes = 1u << 31;
	sb.sync_size_sectors = UINT64_C(1) << 56;
	fmt_bitmap_sb_encode(&sb, first);
	look(UINT64_C(1) << 40);
	ok(m.bitmap_error.code == UMD_E_BAD_BITMAP && strstr(m.bitmap_error.text, "72057594037927936"),
	   "more than any array has: %s", m.bitmap_error.text);
	le_put(first + 4, 4, 99);
	look(4096);
	ok(m.kind == ASM_BITMAP_FILE && m.bitmap_error.code == UMD_E_BAD_BITMAP, "%s", m.bitmap_error.text);
	le_put(first, 4, 0);
}

static void version_090(bool is_big_endian)
{
	member_off at;

	sb0_load(sb0_crashed, is_big_endian, place);
	sb0_patch(place, is_big_endian, 33, FMT_SB0_BITMAP);
	look(16 << 20);
	ok(!m.error.code && m.kind == ASM_MEMBER && m.sb.minor == SB_090 && m.sb.events == 20 && m.sb.level == 1,
	   "a 0.90 superblock is read (%s-endian) %s", is_big_endian ? "big" : "little", m.error.text);
	ok(m.sb0.is_big_endian == is_big_endian && m.sb0.this_disk.number == 1, "and kept as it is");
	ok(asm_wants_bitmap(&m, &at) && at.bytes == SB0_AT + 4096, "its bitmap lies behind it");
	place[200] ^= 1;
	look(16 << 20);
	refused(UMD_E_BAD_CHECKSUM, "0.90");
	ok(m.has_superblock, "and can be looked at");
	place[200] ^= 1;
}

static void bitmap_of_090(bool is_big_endian)
{
	struct bitmap_sb sb = { .magic = FMT_BITMAP_MAGIC, .version = 4, .chunk_bytes = 65536, .daemon_sleep_s = 5,
				.events = 20, .sync_size_sectors = 32640 };
	uint8_t raw[FMT_BITMAP_SB_BYTES];

	sb0_load(sb0_crashed, is_big_endian, place);
	sb0_patch(place, is_big_endian, 33, FMT_SB0_BITMAP);
	look(16 << 20);
	fmt_sb0_bitmap_uuid(&m.sb0, sb.uuid);
	fmt_bitmap_sb_encode(&sb, raw);
	asm_take_bitmap(&m, raw);
	ok(m.has_bitmap && !m.bitmap_error.code, "its bitmap carries the words in the host's order %s",
	   m.bitmap_error.text);
	ok(is_big_endian || memcmp(sb.uuid, m.sb.set_uuid, 16), "which is not how the array's uuid is told");
	sb.uuid[3] ^= 1;
	fmt_bitmap_sb_encode(&sb, raw);
	asm_take_bitmap(&m, raw);
	ok(m.bitmap_error.code == UMD_E_BAD_BITMAP, "another array's bitmap is not: %s", m.bitmap_error.text);
}

static void broken_beside_090(void)
{
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	le_put(raw, 4, FMT_SB1_MAGIC);
	le_put(raw + 4, 4, 2);
	m = (struct asm_member){ .path = "m", .size_bytes = 16 << 20 };
	asm_take_superblock(&m, SB1_1, (member_off){ 0 }, raw);
	refused(UMD_E_BAD_SUPERBLOCK, "major version 2");
	asm_take_superblock_090(&m, (member_off){ SB0_AT }, place);
	ok(!m.error.code && m.sb.minor == SB_090, "a believed 0.90 superblock wins over a broken one");
	ok(m.note_count == 1 && strstr(m.notes[0], "version 1.1 at byte 0 cannot be believed"), "%s", m.notes[0]);

	place[200] ^= 1;
	m = (struct asm_member){ .path = "m", .size_bytes = 16 << 20 };
	asm_take_superblock(&m, SB1_1, (member_off){ 0 }, raw);
	asm_take_superblock_090(&m, (member_off){ SB0_AT }, place);
	asm_name_the_stranger(&m, first);
	refused(UMD_E_BAD_SUPERBLOCK, "major version 2");
	place[200] ^= 1;
}

int main(void)
{
	nothing();
	bitmap_files();
	version_090(false);
	version_090(true);
	bitmap_of_090(false);
	bitmap_of_090(true);
	broken_beside_090();
	return tap_end();
}
