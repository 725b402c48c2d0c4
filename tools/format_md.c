/* Prints docs/format.md: a template's text (page.h), with tables and numbers made from what the format room is made from.
 *
 *   format-md tools/format.md.in > docs/format.md
 *
 * It runs at build time only and is not installed.
 *
 * A field's unit is cut off its name here and nowhere else: the program's names say it, so the page cannot say
 * another. */
#include "format/layout.h"
#include "format/lockless.h"
#include "format/sb0.h"

#include "../tools/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables from the .def files ---- */

static const char *unit_of(const char *field, int *ret_name_len)
{
	static const struct { const char *suffix, *unit; } units[] = {
		{ "_sectors", "sectors" }, { "_bytes", "bytes" }, { "_kib", "KiB" }, { "_s", "seconds" },
		{ "time", "seconds" },
	};
	int len = strlen(field);

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int cut = strlen(units[i].suffix);

		if (len <= cut || strcmp(field + len - cut, units[i].suffix) != 0)
			continue;
		*ret_name_len = units[i].suffix[0] == '_' ? len - cut : len;
		return units[i].unit;
	}
	*ret_name_len = len;
	return "";
}

static const char *kind_text(char kind)
{
	switch (kind) {
	case 's': return "signed";
	case 'b': return "bytes";
	case 't': return "text";
	case 'd': return "descriptors";
	case 'p': return "-";
	default: return "number";
	}
}

static void field_head(const char *at, const char *len)
{
	printf("| %s | %s | field | kind | unit | meaning |\n|---:|---:|---|---|---|---|\n", at, len);
}

static void field_row(unsigned at, unsigned len, const char *field, char kind, const char *meaning)
{
	int name_len;
	const char *unit = unit_of(field, &name_len);

	printf("| %u | %u | %.*s | %s | %s | %s |\n", at, len, name_len, field, kind_text(kind), unit, meaning);
}

#define F(kind, field, offset, bytes, meaning) field_row(offset, bytes, #field, *#kind, meaning);
static void table_sb1(void)
{
	field_head("byte", "bytes");
#include "format/sb1.def"
}

static void table_bitmap_sb(void)
{
	field_head("byte", "bytes");
#include "format/bitmap_sb.def"
}
#undef F

#define F(kind, word, words, field, meaning) field_row(word, words, #field, *#kind, meaning);
static void table_sb0(void)
{
	field_head("word", "words");
#include "format/sb0.def"
}

static void table_sb0_disk(void)
{
	field_head("word", "words");
#include "format/sb0_disk.def"
}
#undef F

static void bit_row(unsigned bit, const char *word, const char *meaning)
{
	printf("| %u | 0x%x | %s | %s |\n", bit, 1u << bit, word, meaning);
}

#define BIT_HEAD "| bit | value | name | meaning |\n|---:|---:|---|---|\n"
#define F(bit, NAME, word, meaning) bit_row(bit, word, meaning);
static void table_features(void)
{
	printf(BIT_HEAD);
#include "format/features.def"
}

static void table_devflags(void)
{
	printf(BIT_HEAD);
#include "format/devflags.def"
}
#undef F

#define B(bit, NAME, word, meaning) bit_row(bit, word, meaning);
static void table_bitmap_state(void)
{
	printf(BIT_HEAD);
#include "format/bitmap_state.def"
}

static void table_sb0_disk_state(void)
{
	printf(BIT_HEAD);
#include "format/sb0_disk_state.def"
}
#undef B

#define S(byte, NAME, word, is_due, meaning) \
	printf("| %d | %s | %s | %s |\n", byte, word, (is_due) ? "yes" : "", meaning);
static void table_lockless(void)
{
	printf("| byte | state | due | meaning |\n|---:|---|---|---|\n");
#include "format/lockless.def"
	printf("| other | %s | yes | taken for %s |\n", fmt_lockless_name(LOCKLESS_INVALID),
	       fmt_lockless_name(LOCKLESS_NEED_SYNC));
}
#undef S

#define P(number, level, word, meaning) \
	printf("| %d | %s | %s | %s |\n", number, word, (level) == 5 ? "RAID5, RAID6" : "RAID6", meaning);
static void table_parity(void)
{
	printf("| layout | name | levels | meaning |\n|---:|---|---|---|\n");
#include "format/parity_layouts.def"
}
#undef P

static void table_roles(void)
{
	printf("| value | role |\n|---:|---|\n| 0 to 0x%x | the slot of that number |\n", FMT_ROLE_SLOT_MAX);
	printf("| 0x%x | journal |\n| 0x%x | faulty |\n| 0x%x | spare, or no device at all |\n", FMT_ROLE_JOURNAL,
	       FMT_ROLE_FAULTY, FMT_ROLE_SPARE);
}

/* ---- tables from the address book ---- */

static void table_places(void)
{
	printf("| version | superblock begins at sector | data | internal bitmap | bad-block log |\n"
	       "|---|---|---|---|---|\n"
	       "| 1.0 | N - 16, rounded down to a multiple of 8 | in front, mostly from sector 0 on "
	       "| in front of the log | in front of the superblock, at -8 |\n"
	       "| 1.1 | 0 | behind, from data_offset on | mostly at +8 | behind the bitmap or its room |\n"
	       "| 1.2 | 8 | behind, from data_offset on | mostly at +8 | behind the bitmap or its room |\n"
	       "| 0.90 | N rounded down to a multiple of 128, minus 128 | in front, from sector 0 on | at +%d "
	       "| none |\n",
	       FMT_SB0_BITMAP_SECTORS);
}

static void table_place_examples(void)
{
	static const uint64_t sizes[] = { 16777216, 16777728, 1073741824, UINT64_C(1099511627776) };
	static const enum sb1_minor minors[] = { SB1_0, SB1_1, SB1_2, SB_090 };

	printf("| member | 1.0 | 1.1 | 1.2 | 0.90 |\n|---:|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		printf("| %llu |", (unsigned long long)sizes[i]);
		for (size_t k = 0; k < sizeof minors / sizeof *minors; k++) {
			member_off at = { 0 };

			lay_super(minors[k], sizes[i], &at);
			printf(" %llu |", (unsigned long long)at.bytes);
		}
		printf("\n");
	}
}

static void table_room(void)
{
	static const struct { const char *text; uint64_t sectors; } members[] = {
		{ "less than 64 KiB", 127 }, { "64 KiB to about 8 GiB", 128 }, { "more", (UINT64_C(1) << 24) + 9 },
		{ "200 GiB and more", UINT64_C(200) * 2097152 + 128 },
	};

	printf("| member | room in sectors |\n|---|---:|\n");
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		printf("| %s | %u |\n", members[i].text, lay_bitmap_room_sectors(members[i].sectors));
}

static void table_raid10(void)
{
	static const uint32_t layouts[] = { 0x102, 0x103, 0x201, 0x10201, 0x20201, 0x40201 };
	char text[FMT_LAYOUT_TEXT_BYTES];

	printf("| layout | name |\n|---:|---|\n");
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		if (fmt_layout_text(10, layouts[i], text))
			printf("| 0x%x | %s |\n", layouts[i], text);
}

static void table_bits(void)
{
	static const uint64_t chunks[] = { 0, 7, 8, 30719, 30720, 63488 };

	printf("| chunk | internal, file | external |\n|---:|---:|---:|\n");
	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
		struct bitmap_bit in = fmt_bitmap_bit((chunk_no){ chunks[i] }, true);
		struct bitmap_bit out = fmt_bitmap_bit((chunk_no){ chunks[i] }, false);

		printf("| %llu | %llu.%u | %llu.%u |\n", (unsigned long long)chunks[i], (unsigned long long)in.byte,
		       in.bit, (unsigned long long)out.byte, out.bit);
	}
}

static void table_slots(void)
{
	static const struct { uint64_t sync_sectors; uint32_t chunk_bytes; } bitmaps[] = {
		{ 3932160, 65536 }, { 3932161, 65536 }, { 20953088, 65536 }, { 2147483648, 4 << 20 },
	};
	member_off first = { 8192 };

	printf("| covered sectors | chunk in bytes | slot 0 | slot 1 | slot 2 | slot 3 |\n"
	       "|---:|---:|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < sizeof bitmaps / sizeof *bitmaps; i++) {
		printf("| %llu | %u |", (unsigned long long)bitmaps[i].sync_sectors, bitmaps[i].chunk_bytes);
		for (uint32_t slot = 0; slot < 4; slot++)
			printf(" %llu |", (unsigned long long)lay_slot(first, bitmaps[i].sync_sectors,
								       bitmaps[i].chunk_bytes, slot).bytes);
		printf("\n");
	}
}

/* ---- the template ---- */

static struct page_name names[] = {
#define T(name) { #name, table_##name, 0, false }
	T(sb1), T(bitmap_sb), T(sb0), T(sb0_disk), T(features), T(devflags), T(bitmap_state), T(sb0_disk_state),
	T(lockless), T(parity), T(roles), T(places), T(place_examples), T(room), T(raid10), T(bits), T(slots),
#undef T
	{ "sb0_bitmap_sectors", NULL, FMT_SB0_BITMAP_SECTORS, false },
	{ "sb0_bitmap_room", NULL, FMT_SB0_BITMAP_ROOM_BYTES, false },
	{ "lockless_at", NULL, FMT_LOCKLESS_STATES_AT, false },
};

int main(int argc, char **argv)
{
	return page_main(argc, argv, "format-md", names, sizeof names / sizeof *names);
}
