/* Goal: places, sizes and chunks of new members are those mdadm chooses.
 * Method: lay_plan_create and lay_choose_chunk against measured arrays of 4 MiB to 2 TiB and against computed larger
 * ones. Law: I7 (what mdadm or Linux later add finds its room). Source: mdadm 4.2 on Linux 6.1, RAID1, read by mdadm -E
 * and -X. */
#include "vectors.h"

static const struct {
	uint64_t sectors, size_1_0, super_1_0, data_offset;
	int32_t log_without_bitmap;
} table[] = {
	{ 8192, 8064, 8176, 2048, 16 },
	{ 32768, 32640, 32752, 2048, 16 },
	{ 131072, 130944, 131056, 2048, 16 },
	{ 2097152, 2097024, 2097136, 4096, 16 },
	{ 18874368, 18874112, 18874352, 18432, 136 },
	{ 314572800, 314572544, 314572784, 264192, 136 },
	{ 629145600, 629145216, 629145584, 264192, 264 },
	{ 4294967296, 4294966912, 4294967280, 264192, 264 },
};

static void measured_sizes(void)
{
	struct lay_plan p;
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint64_t bytes = table[i].sectors * 512;

		is_u64(lay_plan_create(SB1_0, bytes, 0, 0, 0, &p, &err), 0, "row %zu: 1.0 (%s)", i, err.text);
		is_u64(round_down(p.usable_sectors, LAY_SIZE_UNIT_SECTORS), table[i].size_1_0, "row %zu: 1.0 size", i);
		is_u64(p.super_offset_sectors, table[i].super_1_0, "row %zu: 1.0 superblock", i);
		ok(p.bblog_offset_sectors == -8, "row %zu: 1.0 bad-block log in front of the superblock", i);

		for (enum sb1_minor minor = SB1_1; minor <= SB1_2; minor++) {
			is_u64(lay_plan_create(minor, bytes, 0, 0, 0, &p, &err), 0, "row %zu: 1.%d (%s)", i, minor,
			       err.text);
			is_u64(p.data_offset_sectors, table[i].data_offset, "row %zu: 1.%d data offset", i, minor);
			is_u64(p.usable_sectors, table[i].sectors - table[i].data_offset, "row %zu: 1.%d size", i,
			       minor);
			is_u64(p.bblog_offset_sectors, table[i].log_without_bitmap, "row %zu: 1.%d log without bitmap",
			       i, minor);
			ok(!p.bitmap_offset_sectors, "row %zu: 1.%d no bitmap was asked for", i, minor);
		}
	}
}

static void bitmap_places(void)
{
	static const struct {
		uint64_t sectors, sync;
		uint32_t chunk;
		enum sb1_minor minor;
		int32_t bitmap, log;
		const char *what;
	} places[] = {
		{ 262144, 262016, 64 << 20, SB1_0, -16, -8, "128 MiB, 1.0" },
		{ 262144, 260096, 64 << 20, SB1_2, 8, 16, "128 MiB, 1.2" },
		{ 20971520, 20971264, 65536, SB1_0, -56, -8, "10 GiB, 64 KiB chunks, 1.0" },
		{ 20971520, 20953088, 65536, SB1_2, 8, 56, "10 GiB, 64 KiB chunks, 1.2" },
		{ 4294967296, 4294966912, 64 << 20, SB1_0, -24, -8, "2 TiB, 1.0" },
		{ 4294967296, 4294703104, 64 << 20, SB1_1, 8, 24, "2 TiB, 1.1" },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct lay_plan p = { 0 };

		lay_plan_create(places[i].minor, places[i].sectors * 512, 0, places[i].chunk, places[i].sync, &p, NULL);
		ok(p.bitmap_offset_sectors == places[i].bitmap, "%s: bitmap at %d", places[i].what,
		   p.bitmap_offset_sectors);
		ok(p.bblog_offset_sectors == places[i].log, "%s: bad-block log at %d", places[i].what,
		   p.bblog_offset_sectors);
	}
}

static void data_sizes_of_1_0(void)
{
	struct lay_plan p = { 0 };

	lay_plan_create(SB1_0, 32768 * 512, 0, 4096, 32640, &p, NULL);
	is_u64(p.data_size_sectors, 32736, "16 MiB with a bitmap: data may reach up to it");
	lay_plan_create(SB1_0, 32768 * 512, 0, 0, 0, &p, NULL);
	is_u64(p.data_size_sectors, 32736, "16 MiB without one: its room stays free");
}

static void data_offset_of_the_first_member_counts(void)
{
	struct lay_plan p = { 0 };

	is_u64(lay_plan_create(SB1_2, UINT64_C(18874368) * 512, 2048, 0, 0, &p, NULL), 0, "a larger second member");
	is_u64(p.data_offset_sectors, 2048, "takes the first one's data offset");
	is_u64(p.data_size_sectors, 18874368 - 2048, "and offers the rest");
}

static void choose(uint64_t sync, uint32_t room, uint64_t wanted, uint64_t expected, const char *what)
{
	struct err err = { 0 };
	uint32_t chunk = 1;
	int rc = lay_choose_chunk(sync, room, wanted, &chunk, &err);

	if (expected)
		is_u64(rc < 0 ? 0 : chunk, expected, "%s (%s)", what, err.text);
	else
		ok(rc == UMD_E_BAD_OPTION && chunk == 1 && err.text[0], "%s: refused: %s", what, err.text);
}

static void chunks(void)
{
	choose(262016, 8, 0, 64 << 20, "128 MiB: 64 MiB chunks");
	choose(628881408, 256, 0, 64 << 20, "300 GiB: 64 MiB chunks");
	choose(UINT64_C(100) << 31, 256, 0, 128 << 20, "100 TiB: 128 MiB chunks");
	choose(UINT64_C(20) << 31, 256, 32 << 20, 32 << 20, "20 TiB: 32 MiB is the smallest");
	choose(UINT64_C(20) << 31, 256, 16 << 20, 0, "20 TiB: 16 MiB");
	choose(UINT64_C(1) << 31, 256, 2 << 20, 2 << 20, "1 TiB: 2 MiB is the smallest");
	choose(UINT64_C(1) << 31, 256, 1 << 20, 0, "1 TiB: 1 MiB");
	choose(20953088, 128, 32768, 32768, "10 GiB: 32 KiB is the smallest");
	choose(20953088, 128, 4096, 0, "10 GiB: 4 KiB");
	choose(628881408, 256, 524288, 524288, "300 GiB: 512 KiB is the smallest");
	choose(628881408, 256, 65536, 0, "300 GiB: 64 KiB");
	choose(260096, 8, 4096, 0, "128 MiB: 4 KiB");
	choose(260096, 120, 4096, 4096, "128 MiB with 60 KiB of room: 4 KiB");
	choose(260096, 8, 65536, 65536, "128 MiB: 64 KiB");
	choose(260096, 8, 2048, 0, "2 KiB");
	choose(260096, 8, 12288, 0, "12 KiB");
	choose(260096, 8, UINT64_C(1) << 32, 0, "4 GiB");
	choose(260096, 0, 0, 0, "no room");
	choose(UINT64_C(1) << 60, 8, 0, 0, "half a zettabyte in 4 KiB");
}

static void smallest_is_named(void)
{
	struct err err = { 0 };
	uint32_t chunk;

	lay_choose_chunk(628881408, 256, 65536, &chunk, &err);
	ok(strstr(err.text, "524288 is the smallest"), "the chunk that fits is named: %s", err.text);
}

static void too_small(void)
{
	struct lay_plan p = { .data_size_sectors = 77 };
	struct err err = { 0 };

	is_u64(lay_plan_create(SB1_2, 2048 * 512, 0, 0, 0, &p, &err), UMD_E_MEMBER_TOO_SMALL,
	       "1 MiB has no room for 1.2: %s", err.text);
	is_u64(lay_plan_create(SB1_0, 23 * 512, 0, 0, 0, &p, &err), UMD_E_MEMBER_TOO_SMALL, "23 sectors: %s", err.text);
	is_u64(lay_plan_create(SB1_0, 24 * 512, 0, 0, 0, &p, &err), UMD_E_MEMBER_TOO_SMALL, "24 sectors: %s", err.text);
	is_u64(lay_plan_create(SB1_1, 0, 0, 0, 0, &p, &err), UMD_E_MEMBER_TOO_SMALL, "an empty file: %s", err.text);
	is_u64(p.data_size_sectors, 77, "a refused plan is not touched");
}

int main(void)
{
	measured_sizes();
	bitmap_places();
	data_sizes_of_1_0();
	data_offset_of_the_first_member_counts();
	chunks();
	smallest_is_named();
	too_small();
	is_u64(lay_bitmap_room_sectors(127), 0, "127 sectors: no room for a bitmap");
	is_u64(lay_bitmap_room_sectors(16777224), 8, "8 GiB and 4 KiB: one page");
	is_u64(lay_bitmap_room_sectors(16777225), 128, "one sector more: 64 KiB");
	is_u64(lay_bitmap_room_sectors(419430527), 128, "just below 200 GiB: 64 KiB");
	is_u64(lay_bitmap_room_sectors(419430528), 256, "200 GiB and 64 KiB: 128 KiB");
	return tap_end();
}
