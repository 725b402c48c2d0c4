/* Goal: what umd does not start is refused by its name; a broken superblock keeps an array from starting unless the
 * user insists; nothing is half believed.
 * Method: one edit each of a good mirror.
 * Law: I9.
 * Source: design 8; spec array 1.4, 1.5, 1.8. */
#include "mirror.h"

static void refuse_feature(uint32_t bit, const char *word)
{
	create(2);
	EDIT('a', s->feature_map |= bit; s->bblog_offset_sectors = 16; s->bblog_size_sectors = 8);
	judge("ab");
	REFUSED(UMD_E_NOT_SUPPORTED, word, "disk-a", word);
	options.may_run_degraded = true;
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_NOT_SUPPORTED, "%s: no insisting helps", word);
}

static void features(void)
{
	refuse_feature(FMT_SB1_RESHAPE, "reshape");
	refuse_feature(FMT_SB1_RESHAPE_BACKWARDS, "reshape");
	refuse_feature(FMT_SB1_NEW_OFFSET, "reshape");
	refuse_feature(FMT_SB1_BAD_BLOCKS, "bad blocks");
	refuse_feature(FMT_SB1_REPLACEMENT, "replacement");
	refuse_feature(FMT_SB1_CLUSTERED, "clustered");
	refuse_feature(FMT_SB1_JOURNAL, "journal");
}

static void levels(void)
{
	static const int32_t levels[] = { 0, 4, 5, 6, 10, -1, -4 };

	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		create(2);
		EDIT('a', s->level = levels[i]);
		EDIT('b', s->level = levels[i]);
		judge("ab");
		REFUSED(UMD_E_NOT_SUPPORTED, "a level", "disk-a", "level");
	}
	create(2);
	EDIT('a', s->raid_disks = 65);
	judge("ab");
	REFUSED(UMD_E_NOT_SUPPORTED, "too many slots", "65 slots");
	EDIT('a', s->raid_disks = 0);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_NOT_SUPPORTED, "no slot at all");
}

static void broken(void)
{
	create(2);
	disks[1].super[220 - 4] ^= 1;
	judge("ab");
	REFUSED(UMD_E_BAD_CHECKSUM, "a wrong checksum", "disk-b", "--run");
	is_verdict(1, ASM_UNUSABLE, "is not used");
	options.may_run_degraded = true;
	is_u64(judge("ab"), 0, "with --run it is left out");
	ok(plan.missing_slots == 1 && plan.degraded == 1, "and is missing");
	disks[0].super[220 - 4] ^= 1;
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_NO_MEMBER, "both broken: nothing starts");
	options = (struct asm_options){ .is_readonly = true };
	disks[0].super[220 - 4] ^= 1;
	is_u64(judge("ab"), 0, "a read-only look leaves it out by itself");
}

static void differing(void)
{
	create(2);
	EDIT('b', s->chunk_sectors = 128);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_MEMBER_MISSING,
	       "another chunk size: not this array's member, which then is missing");
	is_verdict(1, ASM_UNUSABLE, "told as such");
	ok(strstr(plan.reasons[1], "chunk 128") && strstr(plan.reasons[1], "chunk 0"), "%s", plan.reasons[1]);

	create(2);
	EDIT('b', s->data_size_sectors -= 128; s->size_sectors -= 128);
	judge("ab");
	is_verdict(1, ASM_UNUSABLE, "too small for the array: %s", plan.reasons[1]);
}

int main(void)
{
	features();
	levels();
	broken();
	differing();
	return tap_end();
}
