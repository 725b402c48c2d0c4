/* Goal: one node of a cluster starts with what its own slot says is in doubt, from a member where that slot is
 * believed, and refuses by name what no node can start; superblocks are read again as torn rounds leave them.
 * Method: a clustered mirror of three slots on disks in memory, edited, judged for one node, started.
 * Law: I2, I7, I9, C1.
 * Source: spec cluster 2, 6, 8.20, 8.21; images cm-c01, cm-c16 to c18. */
#include "mirror.h"

enum { NODES = 3, SLOT_BYTES = 4096 };

static uint8_t slots[DISKS][NODES][SLOT_BYTES];		/* slot 0 is the disk's own */

static struct bitmap_sb *head(char name, uint32_t slot, struct bitmap_sb *ret)
{
	fmt_bitmap_sb_decode(slot ? slots[name - 'a'][slot] : disks[name - 'a'].bitmap, ret);
	return ret;
}

static void put_head(char name, uint32_t slot, const struct bitmap_sb *b)
{
	fmt_bitmap_sb_encode(b, slot ? slots[name - 'a'][slot] : disks[name - 'a'].bitmap);
}

#define EDIT_SLOT(name, slot, ...)                      \
	do {                                            \
		struct bitmap_sb edited_;               \
		struct bitmap_sb *b = head(name, slot, &edited_); \
		__VA_ARGS__;                            \
		put_head(name, slot, b);                \
	} while (0)

/* Active at event 17, every slot used. */
static void clustered(const char *names)
{
	create((uint32_t)strlen(names));
	memset(slots, 0, sizeof slots);
	for (; *names; names++) {
		EDIT(*names, s->feature_map |= FMT_SB1_CLUSTERED; s->resync_offset_sectors = 0;
		     s->bblog_offset_sectors = 0; s->bblog_size_sectors = 0);
		EDIT_BITMAP(*names, b->version = 5; b->nodes = NODES; memcpy(b->cluster_name, "lab", 4));
		for (uint32_t slot = 1; slot < NODES; slot++) {
			memcpy(slots[*names - 'a'][slot], disks[*names - 'a'].bitmap, SLOT_BYTES);
			EDIT_SLOT(*names, slot, b->events = 9; b->events_cleared = 9);
		}
	}
	options = (struct asm_options){ .is_node = true };
}

static void clean(const char *names)
{
	for (; *names; names++)
		EDIT(*names, s->resync_offset_sectors = FMT_SB1_RESYNC_NONE);
}

static void set_in(char name, uint32_t slot, uint64_t chunk)
{
	uint8_t *bits = slot ? slots[name - 'a'][slot] : disks[name - 'a'].bitmap;

	bits[FMT_BITMAP_SB_BYTES + chunk / 8] |= (uint8_t)(1 << chunk % 8);
}

static int judge_slot(const char *names, uint32_t slot)
{
	uint32_t count = (uint32_t)strlen(names);
	member_off at;

	options.node_slot = slot;
	for (uint32_t i = 0; i < count; i++) {
		look_at(names[i], &m[i]);
		if (asm_wants_slot(&m[i], slot, &at))
			asm_take_slot(&m[i], slots[names[i] - 'a'][slot]);
	}
	asm_judge(m, count, &options, &plan);
	return plan.refusal.code;
}

/* What the array would be given, without a running one: the array's own tests run it. */
static bool start_slot(const char *names)
{
	uint32_t member_of[ARR_MEMBERS_MAX], member;
	uint8_t *image = NULL;
	uint64_t len = 0;
	struct err err = { 0 };
	member_off at;

	if (asm_bitmap_to_read(m, &plan, &member, &at, &len)) {
		uint64_t slot = (at.bytes - m[member].bitmap_at.bytes) / SLOT_BYTES;

		image = slot ? slots[names[member] - 'a'][slot] : disks[names[member] - 'a'].bitmap;
	}
	return ok(asm_start(m, &plan, &options, image, len, &array, &lineage, member_of, &err) == 0, "started %s",
		  err.text);
}

static void in_doubt(const char *names, uint32_t slot, uint64_t needed, bool is_due, const char *what)
{
	is_u64((uint64_t)judge_slot(names, slot), 0, "%s: slot %u is judged: %s", what, slot, plan.refusal.text);
	start_slot(names);
	is_u64(bm_needed_chunks(arr_bitmap(array)), needed, "%s: %llu chunks are in doubt", what,
	       (unsigned long long)needed);
	is_u64(status()->resync_offset, is_due ? 0 : OFF_NONE, "%s: a resync is %s", what, is_due ? "due" : "not due");
	ok(status()->is_clustered && status()->node_slot == slot && status()->nodes == NODES, "as node %u of %u",
	   status()->node_slot, status()->nodes);
	cut();
}

static void own_bits(void)
{
	clustered("ab");
	in_doubt("ab", 0, 0, false, "dirty without bits");
	set_in('a', 1, 5);
	set_in('a', 2, 6);
	set_in('a', 2, 0);
	in_doubt("ab", 1, 1, true, "dirty");
	in_doubt("ab", 2, 2, true, "dirty, chunk 0");
	in_doubt("ab", 0, 0, false, "other slots' bits");
	clean("ab");
	in_doubt("ab", 2, 2, true, "clean, and somebody wrote through the slot");
	EDIT_SLOT('a', 2, b->events_cleared = 0);
	in_doubt("ab", 2, 0, false, "clean, and only a creation filled the slot");
	EDIT_SLOT('a', 2, b->state = FMT_BITMAP_STALE);
	in_doubt("ab", 2, 63, true, "clean and stale");
	clustered("ab");
	EDIT_SLOT('a', 2, b->state = FMT_BITMAP_STALE);
	in_doubt("ab", 2, 63, true, "stale");
	in_doubt("ab", 1, 0, false, "another slot is stale");
	clustered("ab");
	EDIT_SLOT('a', 1, b->events = 0; b->events_cleared = 0);
	in_doubt("ab", 1, 0, false, "a slot far behind the array");
}

static void chosen(uint32_t member, enum asm_slot_state state, const char *what)
{
	is_u64((uint64_t)judge_slot("ab", 2), 0, "%s: %s", what, plan.refusal.text);
	ok(plan.bitmap_member == member && plan.slot_state == state, "%s: read on member %u, state %d", what,
	   plan.bitmap_member, (int)plan.slot_state);
}

static void where_it_is_good(void)
{
	clustered("ab");
	chosen(0, ASM_SLOT_GOOD, "good on both");
	memset(slots[0][2], 0, SLOT_BYTES);
	set_in('b', 2, 7);
	chosen(1, ASM_SLOT_GOOD, "empty on the reference");
	in_doubt("ab", 2, 1, true, "empty on the reference");
	judge_slot("ab", 2);
	start_slot("ab");
	ok(bm_wants_commit(arr_bitmap(array)), "the head is written where it is missing");
	cut();
	slots[0][2][0] = 1;
	chosen(1, ASM_SLOT_GOOD, "damaged on the reference");
	memset(slots[1][2], 0, SLOT_BYTES);
	chosen(0, ASM_SLOT_BAD, "damaged, and empty on the other");
	in_doubt("ab", 2, 63, true, "nobody knows what it said");
	memset(slots[0][2], 0, SLOT_BYTES);
	chosen(0, ASM_SLOT_EMPTY, "empty on both");
	in_doubt("ab", 2, 0, false, "never used");
	judge_slot("ab", 2);
	start_slot("ab");
	ok(bm_wants_commit(arr_bitmap(array)) && !bm_events_cleared(arr_bitmap(array)), "a new one is written");
	cut();
	clustered("ab");
	EDIT_SLOT('a', 2, b->chunk_bytes *= 2);
	chosen(1, ASM_SLOT_GOOD, "other chunks on the reference");
}

/* A slot of nine pages: what lies in the later ones of a member that had no head is not left to mean something. */
static uint32_t pages_written(bool has_both)
{
	static uint8_t image[64 << 10];
	const struct bm_page_write *writes;
	uint32_t member_of[ARR_MEMBERS_MAX];
	struct err err = { 0 };
	int count;

	clustered("ab");
	for (char n = 'a'; n <= 'b'; n++) {
		disks[n - 'a'].bytes = UINT64_C(2) << 30;
		EDIT(n, s->data_offset_sectors = 32 * MIB / 512;
		     s->size_sectors = s->data_size_sectors = 1024 * MIB / 512);
		EDIT_BITMAP(n, b->chunk_bytes = 4096);
		EDIT_SLOT(n, 2, b->chunk_bytes = 4096);
	}
	if (!has_both)
		memset(slots[1][2], 0, SLOT_BYTES);
	memcpy(image, slots[0][2], FMT_BITMAP_SB_BYTES);
	is_u64((uint64_t)judge_slot("ab", 2), 0, "judged: %s", plan.refusal.text);
	if (asm_start(m, &plan, &options, image, sizeof image, &array, &lineage, member_of, &err))
		ok(false, "started: %s", err.text);
	count = bm_commit_begin((struct bm *)arr_bitmap(array), &writes);
	bm_commit_end((struct bm *)arr_bitmap(array), true);
	cut();
	return (uint32_t)count;
}

static void later_pages(void)
{
	is_u64(pages_written(true), 1, "a slot that both members have: its head is written");
	is_u64(pages_written(false), 9, "one that a member lacks: all of it");
}

static void refused(void)
{
	clustered("ab");
	options.is_node = false;
	judge_slot("ab", 0);
	REFUSED(UMD_E_NOT_SUPPORTED, "without --cluster", "0x101", "serve --cluster=local");
	clustered("ab");
	judge_slot("ab", NODES);
	REFUSED(UMD_E_BAD_OPTION, "a slot that there is not", "slot 3", "3 nodes");
	options.node_slot = 0;
	create(2);
	options.is_node = true;
	judge_slot("ab", 0);
	REFUSED(UMD_E_BAD_OPTION, "no cluster", "no clustered bitmap", "without --cluster");
	EDIT('a', s->feature_map |= FMT_SB1_CLUSTERED);
	judge_slot("ab", 0);
	REFUSED(UMD_E_BAD_BITMAP, "a flag alone", "0x101", "version 4");
	clustered("ab");
	EDIT_BITMAP('a', b->nodes = 65);
	EDIT_BITMAP('b', b->nodes = 65);
	judge_slot("ab", 0);
	REFUSED(UMD_E_NOT_SUPPORTED, "too many", "65 nodes", "2 to 64");
	EDIT_BITMAP('a', b->nodes = 1);
	EDIT_BITMAP('b', b->nodes = 1);
	judge_slot("ab", 0);
	REFUSED(UMD_E_NOT_SUPPORTED, "too few", "1 nodes", "2 to 64");
	clustered("ab");
	EDIT_BITMAP('a', b->write_behind = 7);
	judge_slot("ab", 0);
	REFUSED(UMD_E_NOT_SUPPORTED, "write-behind", "7 writes");
	clustered("ab");
	EDIT('b', s->devflags |= FMT_SB1_WRITE_MOSTLY);
	judge_slot("ab", 0);
	REFUSED(UMD_E_NOT_SUPPORTED, "write-mostly", "disk-b", "write-mostly");
	clustered("ab");
	options.prefer = "disk-a";
	judge_slot("ab", 0);
	REFUSED(UMD_E_BAD_OPTION, "a preference", "disk-a", "histories");
	clustered("ab");
	EDIT('a', s->level = 10);
	EDIT('b', s->level = 10);
	judge_slot("ab", 0);
	REFUSED(UMD_E_NOT_SUPPORTED, "another level", "level 10");
	clustered("ab");
	for (uint32_t i = 0; i < 2; i++)
		look_at((char)('a' + i), &m[i]);
	options.node_slot = 1;
	asm_judge(m, 2, &options, &plan);
	REFUSED(UMD_E_BAD_BITMAP, "a slot that nobody could read", "slot 1", "could not be read");
}

/* Whoever missed writes is not brought back by a start: the node does not know who else is up. */
static void left_out(void)
{
	clustered("abc");
	told_by("ab", 2, FMT_ROLE_FAULTY);
	at_event("ab", 20);
	is_u64((uint64_t)judge_slot("abc", 0), 0, "two of three: %s", plan.refusal.text);
	is_verdict(2, ASM_AWAY, "%s", plan.reasons[2]);
	set_in('a', 0, 3);
	in_doubt("abc", 0, 1, true, "two of three");
}

/* A node died in mid-round and the others gave its number again: examine tells the same story as the next start. */
/* What its own superblock still says another node has taken back; the disk may have a new number there. */
static void a_spare_that_was_taken_out(void)
{
	clustered("abc");
	told_by("abc", 2, FMT_ROLE_SPARE);
	is_u64((uint64_t)judge_slot("abc", 1), 0, "a spare that all know: judged: %s", plan.refusal.text);
	is_verdict(2, ASM_SPARE, "%s", plan.reasons[2]);
	told_by("ab", 2, FMT_ROLE_FAULTY);
	is_u64((uint64_t)judge_slot("abc", 1), 0, "one that was taken out: judged: %s", plan.refusal.text);
	is_verdict(2, ASM_AWAY, "%s", plan.reasons[2]);
}

static void a_number_given_twice(void)
{
	clustered("ab");
	told_by("b", 0, FMT_ROLE_FAULTY);
	is_u64((uint64_t)judge_slot("ab", 0), 0, "a node starts: %s", plan.refusal.text);
	ok(plan.freshest == 1 && plan.verdicts[0] == ASM_AWAY, "with the one that nobody counts on left out");
	options = (struct asm_options){ .is_look = true };
	is_u64((uint64_t)judge_slot("ab", 0), 0, "examine says so: %s", plan.refusal.text);
	ok(plan.freshest == 1 && plan.verdicts[0] == ASM_AWAY, "with the same reference");
	create(2);
	told_by("b", 0, FMT_ROLE_FAULTY);
	options = (struct asm_options){ .is_look = true };
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_FORKED, "an array of one host ran apart");
}

/* Off line: a wish for another kind of array is one sentence, whatever its numbers. */
static void other_kinds(void)
{
	struct asm_recluster make = { .kind = ASM_CLUSTER_MAKE, .nodes = 4 }, keep = { .nodes = 4 };
	struct asm_recluster end = { .kind = ASM_CLUSTER_END };
	struct asm_reclustered r;
	struct bitmap_sb b;
	struct err err = { 0 };

	clustered("ab");
	at_event("ab", 40);
	judge_slot("ab", 0);
	is_u64((uint64_t)asm_plan_recluster(m, &plan, &end, &r, &err), 0, "the cluster ends %s", err.text);
	asm_recluster_head(&r, &m[0].sb, 21, slots[0][1]);
	head('a', 1, &b);
	ok(b.version == 4 && !b.nodes && b.events == 40 && b.events_cleared == 21,
	   "its bitmap is as old as the array, and lets nobody back whom a node would not");
	ok(asm_plan_recluster(m, &plan, &make, &r, &err) == UMD_E_BAD_OPTION && strstr(err.text, "already"), "%s",
	   err.text);
	create_as(SB1_2, 2, false, 0x40);
	options = (struct asm_options){ 0 };
	judge("ab");
	ok(asm_plan_recluster(m, &plan, &keep, &r, &err) == UMD_E_BAD_OPTION && strstr(err.text, "not clustered"), "%s",
	   err.text);
	keep.kind = ASM_CLUSTER_END;
	ok(asm_plan_recluster(m, &plan, &keep, &r, &err) == UMD_E_BAD_OPTION && strstr(err.text, "not clustered"), "%s",
	   err.text);
}

/* b was let in by a node that died when the others' superblocks said so, and its own did not. */
static void who_was_let_in_did_not_run_apart(void)
{
	clustered("abc");
	told_by("b", 0, FMT_ROLE_FAULTY);
	at_event("ac", 30);
	options.may_run_degraded = true;
	is_u64((uint64_t)judge_slot("ab", 0), 0, "what others say of it is younger than what it says: %s",
	       plan.refusal.text);
	ok(plan.verdicts[1] != ASM_IN_SYNC && plan.verdicts[1] != ASM_FORKED, "it is left out: %s", plan.reasons[1]);
	told_by("a", 1, FMT_ROLE_FAULTY);
	judge_slot("ab", 0);
	REFUSED(UMD_E_FORKED, "each says that the other is out: they ran apart", "disk-a", "disk-b");
	told_by("a", 1, 1);
	at_event("a", 18);
	judge_slot("ab", 0);
	REFUSED(UMD_E_FORKED, "one event is a torn round, and lets nobody in", "disk-a", "disk-b");
}

/* d took the first slot when b was out: b knows c of those who went on, and d decides. */
static void the_reference_joined_later(void)
{
	clustered("abcd");
	for (const char *name = "abcd"; *name; name++)
		EDIT(*name, s->raid_disks = 3);
	told_by("ab", 3, FMT_ROLE_SPARE);
	told_by("cd", 0, FMT_ROLE_FAULTY);
	told_by("cd", 1, FMT_ROLE_FAULTY);
	told_by("cd", 3, 0);
	at_event("cd", 30);
	options.may_run_degraded = true;
	is_u64((uint64_t)judge_slot("bcd", 0), 0, "one that counts another of those who went on did not run apart: %s",
	       plan.refusal.text);
	is_u64(plan.verdicts[0], ASM_AWAY, "it is left out: %s", plan.reasons[0]);
	told_by("b", 2, FMT_ROLE_FAULTY);
	judge_slot("bcd", 0);
	REFUSED(UMD_E_FORKED, "one that counts nobody of them ran apart", "disk-d", "disk-b");
	told_by("b", 2, 2);
	judge_slot("bd", 0);
	REFUSED(UMD_E_FORKED, "whoever is not here says nothing for it", "disk-d", "disk-b");
}

/* a went on alone and took d in anew, under the number that d has in the story of b and d: d forgot what they wrote. */
static void a_number_is_given_twice(void)
{
	clustered("abcd");
	for (const char *name = "abcd"; *name; name++)
		EDIT(*name, s->raid_disks = 3);
	told_by("b", 0, FMT_ROLE_FAULTY);
	told_by("b", 3, 2);
	told_by("ad", 1, FMT_ROLE_FAULTY);
	told_by("ad", 2, FMT_ROLE_FAULTY);
	told_by("ad", 3, 2);
	at_event("ad", 30);
	options.may_run_degraded = true;
	judge_slot("abd", 0);
	REFUSED(UMD_E_FORKED, "a number that may have been given twice proves no common story", "disk-a", "disk-b");
}

int main(void)
{
	own_bits();
	where_it_is_good();
	later_pages();
	refused();
	left_out();
	a_spare_that_was_taken_out();
	a_number_given_twice();
	other_kinds();
	who_was_let_in_did_not_run_apart();
	the_reference_joined_later();
	a_number_is_given_twice();
	return tap_end();
}
