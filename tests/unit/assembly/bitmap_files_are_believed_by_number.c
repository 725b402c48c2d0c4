/* Goal: a bitmap file among the members is the array's bitmap when uuid, range and events say so, and is refused or out
 * of date otherwise; what has no bitmap at all writes no data under a number that a file may have.
 * Method: one file beside two members, its superblock changed in turn; the array that is started.
 * Law: I2, I9.
 * Source: assembly/file.c; docs/differences.md, file-ahead and file-number. */
#include "mirror.h"

static struct bitmap_sb file_sb;

/* Members without an internal bitmap, at event 17, and a file beside them. */
static void create_without(void)
{
	struct sb1 sb;
	struct err err = { 0 };

	create(2);
	for (char name = 'a'; name <= 'b'; name++)
		EDIT(name, s->feature_map &= ~(uint32_t)FMT_SB1_BITMAP; s->bitmap_offset_sectors = 0);
	at_event("ab", 17);
	sb = super_of('a');
	asm_new_file(sb.size_sectors, sb.set_uuid, 65536, &file_sb, &err);
	file_sb.events = 17;
}

static int judge_with(uint64_t file_bytes)
{
	uint8_t first[4096] = { 0 };

	judge("ab");
	m[2] = (struct asm_member){ .path = "file", .size_bytes = file_bytes };
	fmt_bitmap_sb_encode(&file_sb, first);
	asm_name_the_stranger(&m[2], first);
	asm_judge(m, 3, &options, &plan);
	return plan.refusal.code;
}

static void numbers(void)
{
	static const struct {
		uint64_t events;
		bool is_refused, is_stale;
	} cases[] = { { 16, false, true }, { 17, false, false }, { 18, false, false }, { 19, false, false },
		      { 20, true, false }, { 1000, true, false } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		create_without();
		file_sb.events = cases[i].events;
		is_u64((uint64_t)judge_with(1 << 20), (uint64_t)(cases[i].is_refused ? UMD_E_BAD_BITMAP : 0),
		       "a file at event %llu beside members at 17", (unsigned long long)cases[i].events);
		if (cases[i].is_refused)
			ok(strstr(plan.refusal.text, "17") && strstr(plan.refusal.text, "file"), "%s",
			   plan.refusal.text);
		else
			ok(plan.bitmap_is_file && plan.bitmap_member == 2 && plan.bitmap_is_stale == cases[i].is_stale,
			   "is the array's%s", cases[i].is_stale ? ", and out of date" : "");
	}
}

static void odd_files(void)
{
	create_without();
	file_sb.uuid[0] ^= 1;
	is_u64((uint64_t)judge_with(1 << 20), (uint64_t)UMD_E_BAD_BITMAP, "another array's: %s", plan.refusal.text);
	create_without();
	file_sb.sync_size_sectors -= 128;
	is_u64((uint64_t)judge_with(1 << 20), (uint64_t)UMD_E_BAD_BITMAP, "another range: %s", plan.refusal.text);
	create_without();
	is_u64((uint64_t)judge_with(fmt_bitmap_bytes(&file_sb) - 1), (uint64_t)UMD_E_BAD_BITMAP, "a byte too short: %s",
	       plan.refusal.text);
	is_u64((uint64_t)judge_with(fmt_bitmap_bytes(&file_sb)), 0, "long enough to the byte");
	file_sb.version = 6;
	ok(judge_with(1 << 20) != 0, "a lockless one: %s", plan.refusal.text);
	create(2);
	file_sb.version = 4;
	is_u64((uint64_t)judge_with(1 << 20), (uint64_t)UMD_E_BAD_BITMAP, "beside an internal bitmap: %s",
	       plan.refusal.text);
}

static void copies_by_the_file(void)
{
	struct asm_reach reach;
	uint32_t member;
	member_off at;
	uint64_t len;

	create_without();
	EDIT('a', s->resync_offset_sectors = 0);
	EDIT('b', s->resync_offset_sectors = 0);
	is_u64((uint64_t)judge_with(1 << 20), 0, "not stopped cleanly");
	ok(plan.action == ASM_RESYNC && asm_bitmap_reach(m, &plan, &reach) && !asm_bytes_in_full(m, &plan),
	   "the set chunks are copied, and nothing else");
	ok(asm_bitmap_to_read(m, &plan, &member, &at, &len) && member == 2 && !at.bytes &&
		   len == fmt_bitmap_bytes(&file_sb),
	   "the file is read from its first byte");
	judge("ab");
	is_u64(asm_bytes_in_full(m, &plan), super_of('a').size_sectors * SECTOR_BYTES, "without it everything is");
}

int main(void)
{
	numbers();
	odd_files();
	copies_by_the_file();
	return tap_end();
}
