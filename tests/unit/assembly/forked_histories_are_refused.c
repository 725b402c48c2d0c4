/* Goal: members that ran apart are never combined by themselves; a preference decides, and the loser is copied over
 * in full.
 * Method: halves that each call the other gone, at different and equal events; with and without a preference.
 * Law: I5.
 * Source: design 4, I5; docs/differences.md, fork. */
#include "mirror.h"

static void each_ran_alone(void)
{
	create(2);
	told_by("a", 1, FMT_ROLE_SPARE);
	told_by("b", 0, FMT_ROLE_SPARE);
	at_event("a", 30);
	at_event("b", 24);
	judge("ab");
	REFUSED(UMD_E_FORKED, "each calls the other gone", "disk-a", "event 30", "disk-b", "event 24", "--prefer");
	is_verdict(1, ASM_FORKED, "the verdict says so");
	at_event("b", 30);
	judge("ba");
	REFUSED(UMD_E_FORKED, "at equal events as well", "disk-a", "disk-b");
}

static void only_one_ran(void)
{
	create(2);
	told_by("b", 0, FMT_ROLE_SPARE);
	at_event("b", 30);
	is_u64(judge("ab"), 0, "one that still counts the other as active did not run apart");
	is_u64(plan.freshest, 1, "the one that ran is believed, though its slot is higher");
	is_verdict(0, ASM_STALE_BITMAP, "the other is stale");
}

static void at_equal_events(void)
{
	create(2);
	told_by("a", 1, FMT_ROLE_FAULTY);
	judge("ab");
	REFUSED(UMD_E_FORKED, "called faulty at equal events (Linux takes both as active)", "event 17");
	create(2);
	told_by("b", 0, FMT_ROLE_FAULTY);
	judge("ab");
	REFUSED(UMD_E_FORKED, "calling the current one faulty at equal events", "event 17");
	create(2);
	told_by("b", 0, FMT_ROLE_FAULTY);
	at_event("a", 30);
	judge("ab");
	REFUSED(UMD_E_FORKED, "calling the current one faulty at an older event", "event 17", "event 30");
}

/* d took the first slot when b was out, or c was taken in by d, who forgot what b and c wrote: nobody can tell. */
static void the_reference_joined_later(void)
{
	create(4);
	for (const char *name = "abcd"; *name; name++)
		EDIT(*name, s->raid_disks = 3);
	told_by("ab", 3, FMT_ROLE_SPARE);
	told_by("cd", 0, FMT_ROLE_FAULTY);
	told_by("cd", 1, FMT_ROLE_FAULTY);
	told_by("cd", 3, 0);
	at_event("cd", 30);
	judge("bcd");
	REFUSED(UMD_E_FORKED, "one that counts another of those who went on, and not the reference", "disk-d",
		"disk-b");
}

static void with_a_preference(void)
{
	create(2);
	told_by("a", 1, FMT_ROLE_SPARE);
	told_by("b", 0, FMT_ROLE_SPARE);
	at_event("a", 30);
	at_event("b", 24);
	options.prefer = "disk-b";
	is_u64(judge("ab"), 0, "a preference decides");
	is_u64(plan.freshest, 1, "for the older one");
	is_verdict(0, ASM_STALE_FULL, "the newer one is copied over in full");
	ok(strstr(plan.reasons[0], "disk-b is preferred"), "%s", plan.reasons[0]);
	start("ab");
	settle(0);
	ok(status()->events > 30, "events go on behind both stories: %llu", (unsigned long long)status()->events);
	is_u64(status()->last.bytes_copied, 63 * MIB, "all of it was copied");
	is_u64(super_of('a').dev_roles[1], 1, "both superblocks tell one story now");
	stop();
	options.prefer = NULL;
	is_u64(judge("ab"), 0, "which needs no preference any more");

	create(2);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	options.prefer = "disk-b";
	is_u64(judge("ab"), 0, "preferring a stale member takes its story back");
	is_verdict(0, ASM_STALE_FULL, "and copies it over the newer one");

	create(3);
	told_by("a", 1, FMT_ROLE_SPARE);
	told_by("b", 0, FMT_ROLE_SPARE);
	EDIT('c', s->feature_map |= FMT_SB1_RECOVERY_OFFSET);
	options.prefer = "disk-c";
	judge("abc");
	REFUSED(UMD_E_NO_MEMBER, "one that is not in sync has no story to prefer: nobody is copied over", "disk-c",
		"preferred");
}

int main(void)
{
	each_ran_alone();
	only_one_ran();
	at_equal_events();
	the_reference_joined_later();
	with_a_preference();
	return tap_end();
}
