/* Goal: the in-sync member with the highest event is believed; one event behind is current; more is stale, and comes
 * back by the set chunks while its events reach events_cleared, else in full.
 * Method: two and three members with edited event numbers and role tables, in both orders.
 * Law: I5, I9.
 * Source: spec array 2.1, 2.2; design 4 (a stale member given at start is recovered). */
#include "mirror.h"

static void equal(void)
{
	create(2);
	is_u64(judge("ab"), 0, "two equal members start");
	is_verdict(0, ASM_IN_SYNC, "the first is in sync");
	is_verdict(1, ASM_IN_SYNC, "the second too");
	is_u64(plan.freshest, 0, "the lowest slot is believed");
	judge("ba");
	is_u64(plan.freshest, 1, "in any order");
	ok(plan.action == ASM_NOTHING && !plan.is_dirty && !plan.is_active && plan.resync_offset == OFF_NONE,
	   "nothing is to be done");
	ok(strstr(plan.reason, "stopped cleanly"), "for a reason: %s", plan.reason);
	ok(!plan.degraded && !plan.missing_slots, "nobody is missing");
}

static void one_behind(void)
{
	create(2);
	at_event("a", 18);
	is_u64(judge("ba"), 0, "one event behind");
	is_verdict(0, ASM_IN_SYNC, "is current: a cut between two superblocks");
	is_u64(plan.freshest, 1, "the other one is believed");
	EDIT('a', s->resync_offset_sectors = 0);
	judge("ba");
	ok(plan.is_dirty && !plan.is_active, "dirty by the believed one; not yet active on the one behind");
	EDIT('b', s->resync_offset_sectors = 0);
	at_event("b", 18);
	judge("ba");
	ok(plan.is_dirty && plan.is_active && plan.action == ASM_RESYNC,
	   "active on both: a resync, and writes need no claim");
	EDIT('a', s->resync_offset_sectors = FMT_SB1_RESYNC_NONE);
	EDIT('a', s->events = 19);
	judge("ba");
	ok(!plan.is_dirty, "clean said by the freshest counts, all was flushed before");
}

static void stale(void)
{
	create(2);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	EDIT_BITMAP('a', b->events_cleared = 17);
	is_u64(judge("ab"), 0, "a member that was failed at event 17 of 24");
	is_verdict(1, ASM_STALE_BITMAP, "returns by the bitmap: bits were last cleared at 17");
	ok(strstr(plan.reasons[1], "17") && strstr(plan.reasons[1], "24") && strstr(plan.reasons[1], "disk-b"), "%s",
	   plan.reasons[1]);
	ok(plan.action == ASM_RECOVER && !strcmp(plan.reason, plan.reasons[1]), "that is what the next start does");
	is_u64(plan.degraded, 1, "degraded until then");
	is_u64(plan.missing_slots, 0, "though its slot is given");

	EDIT_BITMAP('a', b->events_cleared = 18);
	judge("ab");
	is_verdict(1, ASM_STALE_FULL, "bits cleared at 18: in full");
	ok(strstr(plan.reasons[1], "event 17") && strstr(plan.reasons[1], "event 18"), "both values: %s",
	   plan.reasons[1]);

	EDIT_BITMAP('a', b->events_cleared = 17; b->events = 23);
	judge("ab");
	ok(plan.bitmap_is_stale, "a bitmap older than its superblock is out of date");
	is_verdict(1, ASM_STALE_FULL, "and tells nothing about who missed what");
	EDIT_BITMAP('a', b->events = 24; b->state = FMT_BITMAP_STALE);
	judge("ab");
	is_verdict(1, ASM_STALE_FULL, "so does one that calls itself stale");

	create_as(SB1_2, 2, false, 0x40);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	judge("ab");
	is_verdict(1, ASM_STALE_FULL, "without a bitmap: in full");
}

static void listed_but_behind(void)
{
	create(2);
	at_event("a", 19);
	options.may_run_degraded = true;
	is_u64(judge("ab"), 0, "two behind, though the other lists it");
	is_verdict(1, ASM_DUPLICATE, "is not the device of that number: that one took part in every event");
	options.may_run_degraded = false;
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_MEMBER_MISSING, "which is missing");
}

static void left_in_mid_recovery(void)
{
	create(2);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	EDIT('b',
		s->feature_map |= FMT_SB1_RECOVERY_OFFSET | FMT_SB1_RECOVERY_BITMAP; s->recovery_offset_sectors = 2048);
	judge("ab");
	is_verdict(1, ASM_STALE_BITMAP, "failed in the middle of a recovery by the bitmap: by the bitmap");
	EDIT('b', s->feature_map &= ~(uint32_t)FMT_SB1_RECOVERY_BITMAP);
	judge("ab");
	is_verdict(1, ASM_STALE_FULL, "of a full one: in full, its progress is lost");
}

/* A claim that takes a member back reached that member, and the power went. */
static void left_while_being_let_in(void)
{
	create(2);
	at_event("ab", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_OFFSET | FMT_SB1_RECOVERY_BITMAP; s->events = 25);
	is_u64(judge("ab"), 0, "a member that was just being let back in has not run apart");
	is_verdict(1, ASM_STALE_BITMAP, "it returns by the bitmap");
	EDIT('b', s->feature_map &= ~(uint32_t)FMT_SB1_RECOVERY_BITMAP);
	is_u64(judge("ab"), 0, "one that was let in as new");
	is_verdict(1, ASM_STALE_FULL, "in full");
	at_event("a", 25);
	is_u64(judge("ab"), 0, "also when the array has run alone for one event since");
	at_event("a", 30);
	is_u64(judge("ab"), 0, "or for many");
	at_event("a", 23);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_FORKED, "but not when it is further ahead than one claim can be");
}

static void what_a_start_copies(void)
{
	create(2);
	set_bit('a', 3);
	set_bit('a', 62);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	judge("ab");
	is_u64(asm_bytes_in_full(m, &plan), 0, "by the bitmap: nothing but what its bits say");
	start("ab");
	settle(0);
	is_u64(status()->last.bytes_copied, 2 * MIB, "two set chunks");
	stop();

	create(2);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	EDIT_BITMAP('a', b->events_cleared = 24);
	judge("ab");
	is_u64(asm_bytes_in_full(m, &plan), 63 * MIB, "in full is everything");
	start("ab");
	settle(0);
	is_u64(status()->last.bytes_copied, 63 * MIB, "as it is");
	stop();

	create(2);
	set_bit('a', 3);
	judge("ab");
	start("ab");
	settle(20000);
	ok(!status()->last.bytes_copied && !bit_of('a', 3), "leftovers of a clean array are swept, not copied");
	stop();

	create_as(SB1_2, 2, false, 0x40);
	EDIT('a', s->resync_offset_sectors = 20 * MIB / 512);
	EDIT('b', s->resync_offset_sectors = 20 * MIB / 512);
	judge("ab");
	is_u64(asm_bytes_in_full(m, &plan), 43 * MIB, "without a bitmap: from the checkpoint on");
	start("ab");
	settle(0);
	is_u64(status()->last.bytes_copied, 43 * MIB, "as it is");
	stop();
}

int main(void)
{
	equal();
	one_behind();
	stale();
	listed_but_behind();
	left_in_mid_recovery();
	left_while_being_let_in();
	what_a_start_copies();
	return tap_end();
}
