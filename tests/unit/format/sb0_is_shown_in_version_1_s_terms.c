/* Goal: what a 0.90 superblock says reaches the judgement in version 1's terms, with nothing made up.
 * Method: recorded superblocks in both byte orders; states and descriptors changed one at a time; the bitmap that
 * Linux wrote beside one of them.
 * Law: I9, I7.
 * Source: Linux 6.1, mdadm 4.2; no image of a big-endian host or of a reshape was at hand. */
#include "sb0_vectors.h"

static uint8_t raw[FMT_SB0_BYTES], bitmap_uuid[16];
static struct sb0 old;
static struct sb1 sb;
static bool big;

static void show(const struct word_value *words, unsigned word, uint32_t value)
{
	sb0_load(words, big, raw);
	if (word)
		sb0_patch(raw, big, word, value);
	fmt_sb0_decode(raw, &old);
	fmt_sb0_as_sb1(&old, (member_off){ SB0_AT }, &sb);
}

static void crashed(void)
{
	struct span data, log;
	member_off bitmap = { 0 };
	char text[36];

	show(sb0_crashed, 0, 0);
	fmt_uuid_text(sb.set_uuid, text);
	ok(!strcmp(text, "712be926:dcf17909:af426dc0:1185f5b5"), "the uuid as mdadm prints it: %s", text);
	ok(sb.minor == SB_090 && sb.magic == FMT_SB1_MAGIC && !sb.major_version, "a superblock of version 0.90");
	ok(sb.level == 1 && sb.size_sectors == 32640 && sb.raid_disks == 2 && !sb.chunk_sectors, "geometry");
	ok(sb.events == 20 && sb.ctime == 1795219860 && sb.utime == 1795219865, "events and times");
	is_u64(sb.resync_offset_sectors, 0, "not clean: nothing is known to be in sync");
	is_u64(sb.feature_map, FMT_SB1_BITMAP, "the one feature is the bitmap");
	ok(lay_bitmap(&sb, &bitmap) && bitmap.bytes == 16715776, "the bitmap lies where Linux wrote it");
	ok(sb.dev_number == 1 && sb.max_dev == 27 && sb.dev_roles[0] == 0 && sb.dev_roles[1] == 1 &&
	   sb.dev_roles[2] == FMT_ROLE_SPARE && sb.dev_roles[FMT_SB1_MAX_DEV - 1] == FMT_ROLE_SPARE, "roles");
	data = lay_data(&sb);
	ok(!data.at.bytes && data.len_bytes == 32640 * 512 && lay_data_room_sectors(&sb) == SB0_AT / 512,
	   "data from the start, room up to the superblock");
	ok(!lay_bad_blocks(&sb, &log) && !sb.devflags && !sb.set_name[0], "no log, no flags, no name");
	fmt_sb0_bitmap_uuid(&old, bitmap_uuid);
	is_u64(le_get(bitmap_uuid, 4), big ? 0x26e92b71 : 0x712be926, "the bitmap's uuid has the host's byte order");
}

static void states(void)
{
	show(sb0_degraded, 0, 0);
	is_u64(sb.resync_offset_sectors, FMT_SB1_RESYNC_NONE, "clean: everything is in sync");
	ok(sb.dev_roles[0] == 0 && sb.dev_roles[1] == FMT_ROLE_FAULTY, "the lost member's descriptor says faulty");
	show(sb0_degraded, 33, 0);
	is_u64(sb.resync_offset_sectors, 0xffffffff, "not clean, a checkpoint of the same events counts, in sectors");
	is_u64(sb.feature_map, 0, "no bitmap bit, no bitmap");
	ok(!sb.bitmap_offset_sectors, "nor a place for one");
	show(sb0_crashed, 43, 4096);
	is_u64(sb.resync_offset_sectors, 0, "a checkpoint of other events does not count");
	show(sb0_crashed, 2, 91);
	ok((sb.feature_map & FMT_SB1_RESHAPE) != 0, "minor 91 is a reshape");
	show(sb0_crashed, 46, 5);
	ok(!sb.new_level, "minor 90 has no reshape fields");
}

static void geometry(void)
{
	sb0_load(sb0_crashed, big, raw);
	sb0_patch(raw, big, 2, 91);
	sb0_patch(raw, big, 8, 1024);
	sb0_patch(raw, big, big ? 45 : 44, 0x11223344);
	for (unsigned word = 46; word < 49; word++)
		sb0_patch(raw, big, word, word - 44);
	sb0_patch(raw, big, 49, 524288);
	sb0_patch(raw, big, 64, 0x102);
	sb0_patch(raw, big, 65, 65536);
	fmt_sb0_decode(raw, &old);
	fmt_sb0_as_sb1(&old, (member_off){ SB0_AT }, &sb);
	ok(sb.reshape_position_sectors == 0x11223344 && sb.new_level == 2 && sb.delta_disks == 3 && sb.new_layout == 4,
	   "minor 91: where the reshape is, and where it goes");
	is_u64(sb.new_chunk_sectors, 1024, "minor 91: a new chunk of 512 KiB in sectors");
	ok(sb.layout == 0x102 && sb.chunk_sectors == 128, "layout, and a chunk of 64 KiB in sectors");
	is_u64(sb.size_sectors, 2048, "KiB become sectors");
	is_u64(sb.data_size_sectors, SB0_AT / 512, "what is in front of the superblock can hold data");
}

static void descriptors(void)
{
	show(sb0_crashed, 164, FMT_SB0_DISK_ACTIVE);
	is_u64(sb.dev_roles[1], FMT_ROLE_SPARE, "active and not in sync: no slot");
	show(sb0_crashed, 164, FMT_SB0_DISK_SYNC | FMT_SB0_DISK_FAULTY);
	is_u64(sb.dev_roles[1], FMT_ROLE_FAULTY, "faulty wins over in sync");
	show(sb0_crashed, 164, FMT_SB0_DISK_REMOVED);
	is_u64(sb.dev_roles[1], FMT_ROLE_FAULTY, "removed");
	show(sb0_crashed, 163, 2);
	is_u64(sb.dev_roles[1], FMT_ROLE_SPARE, "a slot the array does not have");
	show(sb0_crashed, 164, FMT_SB0_DISK_ACTIVE | FMT_SB0_DISK_SYNC | FMT_SB0_DISK_WRITE_MOSTLY);
	ok(sb.devflags == FMT_SB1_WRITE_MOSTLY && sb.dev_roles[1] == 1, "write-mostly");
	show(sb0_crashed, 992, UINT32_MAX);
	ok(sb.dev_number == UINT32_MAX && !sb.devflags, "a number out of range is kept, and reads no descriptor");
}

static void bitmap_room(void)
{
	struct bitmap_sb bm = { .version = 4, .chunk_bytes = 4096, .sync_size_sectors = 32640 };
	struct err err = { 0 };
	member_off at = { 0 };

	ok(lay_super(SB_090, 16 << 20, &at) && at.bytes == SB0_AT, "the superblock's place");
	show(sb0_crashed, 0, 0);
	is_u64(lay_bitmap_fits(&sb, &bm, 1, 16 << 20, &err), 0, "the bitmap fits behind the superblock");
	is_u64(lay_bitmap_fits(&sb, &bm, 1, SB0_AT + 4096 + 512, NULL), UMD_E_BAD_BITMAP,
	       "not when the member ends inside of it");
	sb.bitmap_offset_sectors = 7;
	ok(lay_bitmap_fits(&sb, &bm, 1, 16 << 20, &err) == UMD_E_BAD_BITMAP && strstr(err.text, "superblock"),
	   "not over the superblock's eight sectors");
	sb.bitmap_offset_sectors = 8;
	sb.size_sectors = 491520 - 8 * 256;
	sb.super_offset_sectors = sb.data_size_sectors = 1 << 20;
	bm.chunk_bytes = 512;
	is_u64(lay_bitmap_fits(&sb, &bm, 1, UINT64_C(1) << 30, &err), 0, "60 KiB of bits and superblock fit");
	sb.size_sectors += 8 * 512;
	ok(lay_bitmap_fits(&sb, &bm, 1, UINT64_C(1) << 30, &err) == UMD_E_BAD_BITMAP && strstr(err.text, "61440"),
	   "one sector more does not: %s", err.text);
}

int main(void)
{
	for (unsigned i = 0; i < 2; i++) {
		big = i;
		printf("# %s\n", big ? "big-endian" : "little-endian");
		crashed();
		states();
		geometry();
		descriptors();
		bitmap_room();
	}
	return tap_end();
}
