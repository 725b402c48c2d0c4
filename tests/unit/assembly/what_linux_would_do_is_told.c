/* Goal: what umd does not start is judged all the same: action, reason and figures are those of a start by Linux; a
 * harder refusal wins; levels start with enough members only.
 * Method: a mirror's superblocks turned into other levels, then stopped, cut, degraded and forked.
 * Law: I5, I9.
 * Source: spec array 2, 7.5, 7.6, 8; images r10-*, r5-*, r6-*. */
#include "mirror.h"

enum { N2 = 0x102, F2 = 0x201, LEFT_SYMMETRIC = 2, CHUNK_SECTORS = 128, SIZE = 63 * MIB };

/* Members of @names become a clean array of another level; bits as they were. */
static void array_of(const char *names, int32_t level, uint32_t layout)
{
	create((uint32_t)strlen(names));
	for (; *names; names++)
		EDIT(*names, s->level = level; s->layout = layout; s->chunk_sectors = CHUNK_SECTORS);
}

static void chunks_of(const char *names, uint32_t chunk_sectors)
{
	for (; *names; names++)
		EDIT(*names, s->chunk_sectors = chunk_sectors);
}

static void dirty(const char *names, uint64_t resync_offset_sectors)
{
	for (; *names; names++)
		EDIT(*names, s->resync_offset_sectors = resync_offset_sectors);
}

/* @gone left at event 17, @rest went on to 24, with everything since then in the bitmap. */
static void left_behind(const char *gone, const char *rest)
{
	at_event(rest, 24);
	for (; *gone; gone++)
		told_by(rest, (uint32_t)(*gone - 'a'), FMT_ROLE_SPARE);
}

static bool told(const char *names, enum asm_action action, const char *word)
{
	judge(names);
	return ok(plan.refusal.code == UMD_E_NOT_SUPPORTED && plan.is_unsupported && plan.action == action &&
			  strstr(plan.reason, word),
		  "%s: %s; %s", plan.state, plan.refusal.text, plan.reason);
}

static void refused(const char *names, int code, const char *word)
{
	judge(names);
	ok(plan.refusal.code == code && !plan.is_unsupported && strstr(plan.refusal.text, word) &&
		   !asm_bytes_in_full(m, &plan),
	   "%s: refused: %s", plan.state, plan.refusal.text);
}

static void reaches(bool has_reach, uint64_t from, uint64_t until, uint64_t in_full)
{
	struct asm_reach r = { 0 };
	bool found = asm_bitmap_reach(m, &plan, &r);

	ok(found == has_reach && r.from_bytes == from && r.until_bytes == until,
	   "set chunks count from %llu on and below %llu", (unsigned long long)r.from_bytes,
	   (unsigned long long)r.until_bytes);
	is_u64(asm_bytes_in_full(m, &plan), in_full, "whatever they say, %llu bytes are copied",
	       (unsigned long long)in_full);
}

static void without_bitmap(const char *names)
{
	for (; *names; names++)
		EDIT(*names, s->feature_map &= ~(uint32_t)FMT_SB1_BITMAP);
}

static void raid10(void)
{
	array_of("abcd", 10, N2);
	told("abcd", ASM_NOTHING, "stopped cleanly");
	ok(strstr(plan.refusal.text, "level 10 is not supported"), "%s", plan.refusal.text);
	reaches(false, 0, 0, 0);
	dirty("abcd", 0);
	told("abcd", ASM_RESYNC, "only the set chunks");
	ok(!plan.is_upper_bound, "the array's chunks are the bitmap's");
	reaches(true, 0, OFF_NONE, 0);
	without_bitmap("abcd");
	told("abcd", ASM_RESYNC, "no bitmap");
	reaches(false, 0, 0, 2 * SIZE);
	dirty("abcd", 100 * MIB / 512);
	told("abcd", ASM_RESYNC, "from the checkpoint on");
	reaches(false, 0, 0, 26 * MIB);

	array_of("abcd", 10, N2);
	left_behind("b", "acd");
	told("abcd", ASM_RECOVER, "only the set chunks");
	is_verdict(1, ASM_STALE_BITMAP, "a member comes back by the bitmap");
	ok(plan.is_upper_bound, "which counts the array's chunks, not the member's copies");
	reaches(true, 0, OFF_NONE, 0);
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_OFFSET | FMT_SB1_RECOVERY_BITMAP;
	     s->recovery_offset_sectors = 32 * MIB / 512; s->events = 24);
	told_by("acd", 1, 1);
	told("abcd", ASM_RECOVER, "by the bitmap and goes on at byte 33554432");
	reaches(true, 0, OFF_NONE, 0);
	EDIT('b', s->feature_map &= ~(uint32_t)FMT_SB1_RECOVERY_BITMAP);
	told("abcd", ASM_RECOVER, "in full");
	reaches(false, 0, 0, SIZE - 32 * MIB);

	array_of("abcd", 10, N2);
	left_behind("b", "acd");
	EDIT_BITMAP('a', b->events_cleared = 24);
	told("abcd", ASM_RECOVER, "everything is copied");
	ok(!plan.is_upper_bound, "a member that missed too much is copied from end to end");
	reaches(false, 0, 0, SIZE);
	EDIT_BITMAP('a', b->events = 23);
	told("abcd", ASM_RECOVER, "out of date");
	reaches(false, 0, 0, SIZE);
	array_of("abcd", 10, F2);
	chunks_of("abcd", MIB / 512);
	left_behind("b", "acd");
	EDIT_BITMAP('a', b->events_cleared = 24);
	told("abcd", ASM_RECOVER, "everything is copied");
	reaches(false, 0, 0, SIZE - MIB);
}

static void raid10_groups(void)
{
	array_of("abcd", 10, N2);
	left_behind("bd", "ac");
	told("abcd", ASM_RECOVER, "set chunks");
	array_of("abcd", 10, N2);
	left_behind("ab", "cd");
	refused("abcd", UMD_E_MEMBER_MISSING, "slot 0 or the 1 behind it");
	array_of("abcd", 10, F2);
	left_behind("bd", "ac");
	told("abcd", ASM_RECOVER, "set chunks");
	array_of("abcd", 10, F2);
	left_behind("bc", "ad");
	refused("abcd", UMD_E_MEMBER_MISSING, "slot 1 or the 1 behind it");
	array_of("abc", 10, N2);
	left_behind("b", "ac");
	told("abc", ASM_RECOVER, "set chunks");
	array_of("abc", 10, N2);
	left_behind("bc", "a");
	refused("abc", UMD_E_MEMBER_MISSING, "slot 1 or");
	array_of("ab", 10, 0);
	told("ab", ASM_NOTHING, "no geometry");
	array_of("ab", 10, 0x303);
	told("ab", ASM_NOTHING, "no geometry");
	array_of("abcd", 10, 0x80102);
	dirty("abcd", 0);
	told("abcd", ASM_NOTHING, "no geometry");
	array_of("ab", 10, N2);
	dirty("ab", 0);
	chunks_of("ab", 100);
	told("ab", ASM_NOTHING, "no geometry");
}

static void harder_refusals_win(void)
{
	array_of("abcd", 10, N2);
	told_by("a", 1, FMT_ROLE_SPARE);
	told_by("b", 0, FMT_ROLE_SPARE);
	refused("abcd", UMD_E_FORKED, "ran apart");
	array_of("abcd", 10, N2);
	refused("abc", UMD_E_MEMBER_MISSING, "give them too");
	ok(!strstr(plan.refusal.text, "--run"), "and insisting is not offered");
	options.may_run_degraded = true;
	told("abc", ASM_NOTHING, "stopped cleanly");
	ok(strstr(plan.state, "3 of 4 members in sync, 1 missing"), "%s", plan.state);
	array_of("ab", 10, N2);
	EDIT('a', s->raid_disks = 65);
	refused("ab", UMD_E_NOT_SUPPORTED, "65 slots");
	array_of("ab", 10, N2);
	disks[0].bitmap[0] ^= 1;
	disks[1].bitmap[0] ^= 1;
	refused("ab", UMD_E_BAD_BITMAP, "disk-a");
}

static void parity(void)
{
	array_of("abc", 5, LEFT_SYMMETRIC);
	dirty("abc", 0);
	told("abc", ASM_RESYNC, "set chunks are copied (parity is computed anew there)");
	reaches(true, 0, OFF_NONE, 0);
	left_behind("b", "ac");
	refused("abc", UMD_E_MEMBER_MISSING, "not stopped cleanly and 2 of 3");
	EDIT('a', s->feature_map |= FMT_SB1_JOURNAL);
	told("abc", ASM_NOTHING, "write journal");
	array_of("abc", 5, LEFT_SYMMETRIC);
	left_behind("b", "ac");
	told("abc", ASM_RECOVER, "set chunks");
	ok(!plan.is_upper_bound, "parity counts its chunks on the members");
	array_of("abc", 5, LEFT_SYMMETRIC);
	left_behind("bc", "a");
	refused("abc", UMD_E_MEMBER_MISSING, "1 of 3 members are in sync, level 5 needs 2");

	array_of("abcd", 6, LEFT_SYMMETRIC);
	left_behind("bc", "ad");
	told("abcd", ASM_RECOVER, "set chunks");
	dirty("ad", 0);
	refused("abcd", UMD_E_MEMBER_MISSING, "2 of 4");
	array_of("abcd", 6, LEFT_SYMMETRIC);
	left_behind("bcd", "a");
	refused("abcd", UMD_E_MEMBER_MISSING, "level 6 needs 2");
	array_of("abc", 5, LEFT_SYMMETRIC);
	chunks_of("abc", 0);
	told("abc", ASM_NOTHING, "no geometry");
	dirty("abc", 0);
	chunks_of("abc", 100);
	told("abc", ASM_NOTHING, "no geometry");
	chunks_of("abc", 4);
	told("abc", ASM_NOTHING, "no geometry");
	array_of("abc", 6, LEFT_SYMMETRIC);
	told("abc", ASM_NOTHING, "no geometry");
}

static void nothing_kept(void)
{
	array_of("ab", 0, 0);
	without_bitmap("ab");
	dirty("ab", 0);
	told("ab", ASM_NOTHING, "keeps no copies");
	options.may_run_degraded = true;
	refused("a", UMD_E_MEMBER_MISSING, "1 of 2 members are here: level 0");
	array_of("ab", -4, 0);
	told("ab", ASM_NOTHING, "keeps no copies");
}

static void half_done(void)
{
	create(2);
	dirty("ab", 0);
	EDIT('a', s->feature_map |= FMT_SB1_RESHAPE);
	told("ab", ASM_NOTHING, "Linux does not start such a mirror either");
	array_of("abc", 5, LEFT_SYMMETRIC);
	EDIT('a', s->feature_map |= FMT_SB1_RESHAPE);
	told("abc", ASM_NOTHING, "goes on with the reshape");
	create(2);
	EDIT('b', s->feature_map |= FMT_SB1_BAD_BLOCKS; s->bblog_offset_sectors = 16; s->bblog_size_sectors = 8);
	dirty("ab", 0);
	told("ab", ASM_RESYNC, "set chunks");
}

static void journal_member(void)
{
	array_of("abcd", 5, LEFT_SYMMETRIC);
	for (char name = 'a'; name <= 'd'; name++)
		EDIT(name, s->feature_map |= FMT_SB1_JOURNAL; s->raid_disks = 3;
		     s->dev_roles[3] = FMT_ROLE_JOURNAL);
	told("abcd", ASM_NOTHING, "stopped cleanly");
	is_verdict(3, ASM_JOURNAL, "the journal is told from members: %s", plan.state);
	ok(strstr(plan.state, "3 of 3 members in sync, 1 journal"), "%s", plan.state);
}

/* More bytes than a number holds: it stays at the most there is. */
static void beyond_all_numbers(void)
{
	array_of("abcde", 10, 0x101);
	without_bitmap("abcde");
	dirty("abcde", 0);
	for (char name = 'a'; name <= 'e'; name++) {
		disks[name - 'a'].bytes = UINT64_MAX / 2;
		EDIT(name, s->size_sectors = s->data_size_sectors = 1ull << 53);
	}
	told("abcde", ASM_RESYNC, "no bitmap");
	is_u64(asm_bytes_in_full(m, &plan), UINT64_MAX / 512 * 512, "an array of 20 EiB does not wrap");
	dirty("abcde", 1ull << 55);
	told("abcde", ASM_RESYNC, "no bitmap");
	ok(strstr(plan.state, "resync at byte 18446744073709551104"), "%s", plan.state);
}

/* Linux ignores such a device, whatever array it is given with. */
static void journals_without_the_feature(void)
{
	create(2);
	create_as(SB1_2, 3, true, 0x40);
	told_by("abc", 2, FMT_ROLE_JOURNAL);
	for (char name = 'a'; name <= 'c'; name++)
		EDIT(name, s->raid_disks = 2);
	is_u64(judge("abc"), 0, "a mirror starts beside it: %s", plan.refusal.text);
	is_verdict(2, ASM_UNUSABLE, "and it is not used");
	ok(strstr(plan.reasons[2], "feature map 0x1 has none"), "%s", plan.reasons[2]);
}

int main(void)
{
	raid10();
	raid10_groups();
	harder_refusals_win();
	parity();
	nothing_kept();
	half_done();
	journal_member();
	beyond_all_numbers();
	journals_without_the_feature();
	return tap_end();
}
