/* Goal: the edits that were tried on real Linux end as there, or as docs/differences.md says.
 * Method: the table of the specification row by row: two members, the second edited; Linux's result beside umd's.
 * Law: I5, I9.
 * Source: spec array 12.5 (seen on Linux 6.1). */
#include "mirror.h"

static void rows(void)
{
	create(2);
	EDIT('b', s->events--);
	judge("ab");
	is_verdict(1, ASM_IN_SYNC, "events -1: active, both; so here");

	create(2);
	EDIT('b', s->events -= 2);
	options.may_run_degraded = true;
	judge("ab");
	is_verdict(1, ASM_DUPLICATE, "events -2: kicked; not used here either");
	is_u64(plan.degraded, 1, "degraded 1");

	create(2);
	EDIT('b', s->events--);
	told_by("a", 1, FMT_ROLE_FAULTY);
	EDIT_BITMAP('a', b->events_cleared = 15);
	judge("ab");
	is_verdict(1, ASM_STALE_BITMAP, "events -1 and called faulty: faulty; here recovered (stale-member)");

	create(2);
	told_by("a", 1, FMT_ROLE_FAULTY);
	judge("ab");
	REFUSED(UMD_E_FORKED, "same events and called faulty: both active (!); here a fork", "disk-a", "disk-b");

	create(2);
	told_by("b", 1, FMT_ROLE_SPARE);
	options.may_run_degraded = true;
	judge("ab");
	is_verdict(1, ASM_DUPLICATE, "role 0xffff: spare; here left out, its number is active (number-is-taken)");
	options.may_run_degraded = false;
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_MEMBER_MISSING,
	       "but the other one waits for a member in that slot (missing-member)");

	create(2);
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_OFFSET; s->recovery_offset_sectors = 4096);
	judge("ab");
	is_verdict(1, ASM_RECOVERING, "feature bit 1: spare in slot 1, recovery from 4096; so here");
	is_u64(plan.degraded, 1, "degraded 1");
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_BITMAP);
	judge("ab");
	is_verdict(1, ASM_RECOVERING, "with bit 7 the same");

	create(2);
	EDIT('b', s->dev_number = 0);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_DUPLICATE_MEMBER, "the same device number: EBUSY; refused here");

	create(2);
	EDIT('b', s->level = 0);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_MEMBER_MISSING, "another level: EINVAL; refused here");
	is_verdict(1, ASM_UNUSABLE, "that one is not the member the other waits for");
	options.may_run_degraded = true;
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_NOT_SUPPORTED, "nor does insisting help");
	options.may_run_degraded = false;

	create(2);
	EDIT('b', s->raid_disks = 3);
	is_u64(judge("ba"), 0, "raid_disks 3, looked at first: the array takes that");
	is_u64(m[plan.freshest].sb.raid_disks, 2, "here the lowest slot decides, in any order");
	create(2);
	EDIT('b', s->size_sectors = 1000);
	judge("ba");
	is_u64(m[plan.freshest].sb.size_sectors, 63 * MIB / 512, "the same for a size of 1000");

	create(2);
	EDIT('a', s->resync_offset_sectors = 0);
	EDIT('b', s->resync_offset_sectors = 0);
	ok(judge("ab") == 0 && plan.is_dirty && plan.action == ASM_RESYNC,
	   "resync_offset 0 on both: resync pending; so here");

	create(2);
	EDIT('a', s->feature_map |= FMT_SB1_RESHAPE);
	EDIT('b', s->feature_map |= FMT_SB1_RESHAPE);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_NOT_SUPPORTED, "reshape on both: EINVAL; refused here");
}

int main(void)
{
	rows();
	return tap_end();
}
