/* Goal: strangers and second claims to one place are refused with both stories; who is missing is asked for, unless
 * the others know that it left or the user insists; spares and members in mid-recovery are what they say.
 * Method: mixed arrays, copies of members, edited device numbers and roles, members left out.
 * Law: I5, I7, I9.
 * Source: spec array 2.2; design 3, "a member that the others believe active". */
#include "mirror.h"

static void strangers(void)
{
	struct disk old;

	create(2);
	old = disks[1];
	create_as(SB1_2, 2, true, 0x50);
	disks[1] = old;
	judge("ab");
	REFUSED(UMD_E_SEVERAL_ARRAYS, "members of two arrays", "disk-a", "50505050:50505050", "disk-b",
		"40404040:40404040");
	is_verdict(1, ASM_FOREIGN, "the second is called foreign");
	options.may_run_degraded = true;
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_SEVERAL_ARRAYS, "no insisting helps");

	create(2);
	blank('c', MEMBER_BYTES);
	judge("abc");
	REFUSED(UMD_E_NO_SUPERBLOCK, "one without a superblock", "disk-c");
	options.may_run_degraded = true;
	is_u64((uint64_t)judge("abc"), (uint64_t)UMD_E_NO_SUPERBLOCK, "may be the wrong file: also with --run");
	judge("c");
	REFUSED(UMD_E_NO_SUPERBLOCK, "one alone", "disk-c");
	is_u64((uint64_t)judge(""), (uint64_t)UMD_E_NO_MEMBER, "none at all");
}

static void duplicates(void)
{
	create(2);
	disks[2] = disks[1];
	judge("abc");
	REFUSED(UMD_E_DUPLICATE_MEMBER, "a copy of a member", "disk-b", "disk-c", "slot 1", "copy");
	create(2);
	EDIT('b', s->dev_number = 0);
	judge("ab");
	REFUSED(UMD_E_DUPLICATE_MEMBER, "another's device number", "disk-a", "disk-b");

	create(2);
	disks[2] = disks[1];			/* left at 17; b is another device that took its place */
	at_event("ab", 30);
	EDIT('b', s->dev_number = 2; memset(s->device_uuid, 7, 16));
	told_by("ab", 1, FMT_ROLE_SPARE);
	told_by("ab", 2, 1);
	is_u64(judge("abc"), 0, "a member whose place was given away since");
	is_verdict(2, ASM_DUPLICATE, "is not used");
	ok(strstr(plan.reasons[2], "disk-b"), "%s", plan.reasons[2]);
}

/* Superblocks of one event that disagree on the number of slots: the reference's counts (found by fuzzing). */
static void beyond_the_slots(void)
{
	create(2);
	EDIT('a', s->raid_disks = 1);
	options.may_run_degraded = true;
	is_u64(judge("ab"), 0, "a member whose slot the array does not have");
	is_verdict(1, ASM_SPARE, "is a spare, as it is for Linux");
	ok(strstr(plan.reasons[1], "slot 1") && strstr(plan.reasons[1], "1 slots"), "%s", plan.reasons[1]);
	is_u64(plan.degraded, 0, "and nobody is missing");
	at_event("b", 18);
	options.prefer = "disk-a";
	is_u64(judge("ab"), 0, "also when its story is given up for another");
	is_verdict(1, ASM_SPARE, "it gets no slot that is not there");
}

static void missing(void)
{
	create(2);
	judge("a");
	REFUSED(UMD_E_MEMBER_MISSING, "a member that is believed active", "1 of 2", "disk-a", "--run");
	options.may_run_degraded = true;
	is_u64(judge("a"), 0, "with --run it starts");
	ok(plan.degraded == 1 && plan.missing_slots == 1, "degraded");
	options = (struct asm_options){ .is_readonly = true };
	is_u64(judge("a"), 0, "a read-only look as well");
	options = (struct asm_options){ 0 };
	told_by("a", 1, FMT_ROLE_FAULTY);
	is_u64(judge("a"), 0, "one that is recorded as failed is not waited for");
	told_by("a", 1, FMT_ROLE_SPARE);
	is_u64(judge("a"), 0, "nor one that was removed");

	create(3);
	told_by("ab", 2, FMT_ROLE_FAULTY);
	at_event("ab", 20);
	is_u64((uint64_t)judge("ac"), (uint64_t)UMD_E_MEMBER_MISSING,
	       "a stale member does not stand in for a missing one");
	is_u64(judge("ab"), 0, "the two current ones start without it");
}

/* Whoever has given everybody is not told to give more. */
static void left_out(void)
{
	create(2);
	at_event("a", 20);
	judge("ab");
	is_verdict(1, ASM_DUPLICATE, "took part until event 20");
	REFUSED(UMD_E_MEMBER_MISSING, "one that lacks events of its own number is named", "disk-b (event",
		"is not used", "1 of 2", "--run", "--add");
	ok(!strstr(plan.refusal.text, "give them too"), "since it was given");
	options.may_run_degraded = true;
	is_u64(judge("ab"), 0, "with --run the array starts");
	is_verdict(1, ASM_DUPLICATE, "is not used");
}

static void spares(void)
{
	create(2);
	disks[2] = disks[1];
	EDIT('c', s->dev_number = 2; memset(s->device_uuid, 9, 16); s->events = 3);
	is_u64(judge("abc"), 0, "a spare with whatever events");
	is_verdict(2, ASM_SPARE, "is a spare");
	is_u64((uint64_t)judge("c"), (uint64_t)UMD_E_NO_MEMBER, "which alone starts nothing");
	EDIT('c', s->dev_number = 127);
	judge("abc");
	is_verdict(2, ASM_SPARE, "a number without a role is one");
	told_by("c", 5, 2);
	EDIT('c', s->dev_number = 5);
	judge("abc");
	is_verdict(2, ASM_SPARE, "so is a role behind the slots");
}

static void recovering(void)
{
	create(2);
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_OFFSET; s->recovery_offset_sectors = 4096);
	is_u64(judge("ab"), 0, "a member in mid-recovery");
	is_verdict(1, ASM_RECOVERING, "goes on");
	ok(strstr(plan.reasons[1], "in full") && strstr(plan.reasons[1], "2097152"), "in full from its offset: %s",
	   plan.reasons[1]);
	is_u64(plan.degraded, 1, "and is not in sync");
	is_u64(asm_bytes_in_full(m, &plan), 61 * MIB, "what is left of it");
	start("ab");
	ok(status()->members[1].wants_full && status()->members[1].recovery_offset == 4096 * 512,
	   "the array begins there");
	cut();
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_BITMAP);
	judge("ab");
	ok(strstr(plan.reasons[1], "by the bitmap"), "or by the bitmap: %s", plan.reasons[1]);
	start("ab");
	ok(!status()->members[1].wants_full && status()->members[1].state == ARR_M_RECOVERING,
	   "as its superblock says");
	cut();
	is_u64((uint64_t)judge("b"), (uint64_t)UMD_E_NO_MEMBER, "alone it starts nothing");
	options.may_run_degraded = true;
	REFUSED(UMD_E_NO_MEMBER, "also with --run", "in sync");
}

/* Every superblock gets the array's whole role table. */
static void without_room_in_the_table(void)
{
	create(2);
	disks[2] = disks[1];
	EDIT('c', s->dev_number = 128; memset(s->device_uuid, 9, 16));
	is_u64(judge("abc"), 0, "a spare with a number behind the table of 128");
	is_verdict(2, ASM_UNUSABLE, "could never be told that it is in sync: it is not used");
	ok(strstr(plan.reasons[2], "disk-c") && strstr(plan.reasons[2], "128"), "%s", plan.reasons[2]);

	create(2);
	EDIT('a', memset(s->dev_roles + 128, 0xff, 512); s->max_dev = 384);
	EDIT('b', s->bitmap_offset_sectors = 1);
	disks[1].bitmap_at.bytes = disks[1].super_at.bytes + SECTOR_BYTES;
	options.may_run_degraded = true;
	is_u64(judge("ab"), 0, "a bitmap right behind a superblock that is shorter than the array's");
	is_verdict(1, ASM_UNUSABLE, "would be overwritten by the next one: its member is not used");

	create_as(SB1_2, 2, false, 0x40);
	EDIT('a', memset(s->dev_roles + 128, 0xff, 512); s->max_dev = 384);
	EDIT('b', s->data_offset_sectors = 9; s->bblog_offset_sectors = 0);
	is_u64(judge("ab"), 0, "and so is one");
	is_verdict(1, ASM_UNUSABLE, "whose data begin there");
	options = (struct asm_options){ 0 };
}

int main(void)
{
	strangers();
	duplicates();
	beyond_the_slots();
	missing();
	left_out();
	spares();
	recovering();
	without_room_in_the_table();
	return tap_end();
}
