/* Goal: a member comes back by the bitmap only when the bitmap knows all that it missed; otherwise re-add refuses and
 * compares the two values, and add makes a new device of it; strangers are not overwritten.
 * Method: a running array with one slot empty is offered members of different pasts, and blank disks of different
 * sizes.
 * Law: I4, I5, I7.
 * Source: spec array 6.1, 6.2; bitmap 1.6 and vector V3 of section 9 (P1). */
#include "mirror.h"

/* Disk a runs alone at @events; b left at 17; bits were last cleared at @cleared. */
static void alone(uint64_t events, uint64_t cleared)
{
	create(2);
	at_event("a", events);
	told_by("a", 1, FMT_ROLE_SPARE);
	EDIT_BITMAP('a', b->events_cleared = cleared);
	set_bit('a', 4);
	judge("a");
	start("a");
	settle(0);
}

static void refuse(char name, const char *what, const char *one, const char *other)
{
	int rc = admit(name, ASM_ADMIT_READD);

	ok(rc == UMD_E_READD_REFUSED && strstr(said.text, one) && strstr(said.text, other), "%s: %s", what, said.text);
	is_u64(status()->degraded, 1, "%s: nothing has changed", what);
}

static void accepted(void)
{
	alone(24, 17);
	is_u64((uint64_t)admit('b', ASM_ADMIT_READD), 0, "events 17, cleared at 17: re-added");
	ok(strstr(sentence, "17") && strstr(sentence, "24") && strstr(sentence, "disk-b"), "%s", sentence);
	settle(0);
	ok(!status()->degraded && status()->last.bytes_copied == MIB, "with its one chunk");
	ok(!strcmp(status()->last.reason, sentence), "the report has the reason");
	ok(!memcmp(super_of('b').device_uuid, disks[1].made.sb.device_uuid, 16) && super_of('b').dev_number == 1,
	   "it is the same device");
	stop();

	alone(24, 17);
	is_u64((uint64_t)admit('b', ASM_ADMIT_ADD), 0, "--add takes it back by the bitmap as well");
	settle(0);
	is_u64(status()->last.bytes_copied, MIB, "where that is possible");
	stop();
}

static void refused(void)
{
	alone(24, 18);
	refuse('b', "too old", "event 17", "event 18");
	is_u64((uint64_t)admit('b', ASM_ADMIT_ADD), 0, "--add takes it as a new device: %s", sentence);
	settle(0);
	is_u64(status()->last.bytes_copied, 63 * MIB, "and copies everything");
	stop();

	alone(24, 17);
	at_event("b", 30);
	refuse('b', "ahead", "event 30", "against 24");
	at_event("b", 24);
	refuse('b', "at the same event", "ran apart", "event 24");
	at_event("b", 20);
	told_by("b", 0, FMT_ROLE_FAULTY);
	refuse('b', "calls the running one faulty", "ran apart", "event 20");
	told_by("b", 0, 0);
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_OFFSET);
	refuse('b', "left in a full recovery", "full recovery", "--add");
	EDIT('b', s->feature_map |= FMT_SB1_RECOVERY_BITMAP; s->events = 24);
	is_u64((uint64_t)admit('b', ASM_ADMIT_READD), 0, "left while being let in by the bitmap: it never ran apart");
	stop();

	alone(24, 17);
	EDIT('b', s->bitmap_offset_sectors = 2040);
	refuse('b', "its bitmap would lie in its data", "disk-b", "data area");
	told_by("b", 1, FMT_ROLE_SPARE);
	refuse('b', "a spare has no place to return to", "role 65535", "--add");
	told_by("b", 1, 0);
	refuse('b', "a slot that is taken", "role 0", "--add");
	disks[1].super[216] ^= 1;
	refuse('b', "a broken superblock", "disk-b", "checksum");
	stop();

	create_as(SB1_2, 2, false, 0x40);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_SPARE);
	judge("a");
	start("a");
	refuse('b', "no bitmap", "no bitmap", "--add");
	stop();
}

static void strangers(void)
{
	struct disk stranger;

	create_as(SB1_2, 2, true, 0x50);
	stranger = disks[1];
	alone(24, 17);
	disks[1] = stranger;
	refuse('b', "another array's member", "disk-b", "another array");
	is_u64((uint64_t)admit('b', ASM_ADMIT_ADD), (uint64_t)UMD_E_FOREIGN_MEMBER, "is not overwritten by --add: %s",
	       said.text);
	ok(!memcmp(disks[1].super, stranger.super, FMT_SB1_BYTES), "not a byte");
	stop();
}

static void new_devices(void)
{
	struct asm_member look;
	struct sb1 sb;

	alone(24, 17);
	EDIT('a', s->logical_block_bytes = 0);
	blank('c', MEMBER_BYTES + 8 * MIB);
	refuse('c', "a blank disk", "disk-c", "no md superblock");
	is_u64((uint64_t)admit('c', ASM_ADMIT_ADD), 0, "is added: %s", sentence);
	settle(0);
	is_u64(status()->degraded, 0, "and takes the empty slot");
	is_u64(status()->last.bytes_copied, 63 * MIB, "with everything");
	sb = super_of('c');
	look_at('c', &look);
	ok(look.has_superblock && !look.error.code && !look.bitmap_error.code,
	   "its superblock and bitmap are believed %s%s", look.error.text,
	   look.bitmap_error.text);
	ok(sb.device_uuid[0] == 9 && sb.dev_number == 2 && sb.dev_roles[2] == 1, "with a uuid and a number of its own");
	ok(sb.data_offset_sectors == 2048 && sb.data_size_sectors == (MEMBER_BYTES + 8 * MIB) / 512 - 2048,
	   "and the geometry of its size");
	ok(sb.bblog_offset_sectors == 0, "without a bad-block log");
	is_u64(super_of('a').dev_roles[1], FMT_ROLE_SPARE, "the number of the one that is away is not given out");

	blank('d', MEMBER_BYTES);
	is_u64((uint64_t)admit('d', ASM_ADMIT_ADD), 0, "another one while the array is whole");
	ok(strstr(sentence, "waits as a spare"), "%s", sentence);
	settle(0);
	is_u64(status()->members[2].state, ARR_M_SPARE, "waits");
	is_u64(super_of('d').dev_roles[3], FMT_ROLE_SPARE, "as its superblock says");
	stop();

	alone(24, 17);
	blank('c', 32 << 20);
	is_u64((uint64_t)admit('c', ASM_ADMIT_ADD), (uint64_t)UMD_E_MEMBER_TOO_SMALL, "too small: %s", said.text);
	ok(strstr(said.text, "129024") != NULL, "with the size that is needed");
	stop();
}

/* P1: b leaves, data is written, c is recovered in its place, the bits go. Then c leaves and b wants back. */
static void after_another_recovery(bool with_a_write)
{
	create(2);
	EDIT_BITMAP('a', b->events_cleared = 1);
	EDIT_BITMAP('b', b->events_cleared = 1);
	judge("ab");
	start("ab");
	control(ARR_EV_FAIL, 'b');
	control(ARR_EV_REMOVE, 'b');
	write_at(5 * MIB);
	write_at(9 * MIB);
	blank('c', MEMBER_BYTES);
	is_u64((uint64_t)admit('c', ASM_ADMIT_ADD), 0, "c takes the slot");
	settle(0);
	if (with_a_write)
		write_at(20 * MIB);
	settle(20000);
	ok(!bit_of('a', 5) && !bit_of('a', 9), "the bits are gone");
	control(ARR_EV_FAIL, 'c');
	control(ARR_EV_REMOVE, 'c');
	settle(1000);
	refuse('b', with_a_write ? "a write in between" : "nothing in between (Linux copies nothing here)", "event 17",
	       "bits were cleared at event");
	stop();
	judge("ab");
	is_verdict(1, ASM_STALE_FULL, "given at start it is copied in full");
}

int main(void)
{
	accepted();
	refused();
	strangers();
	new_devices();
	after_another_recovery(false);
	after_another_recovery(true);
	return tap_end();
}
