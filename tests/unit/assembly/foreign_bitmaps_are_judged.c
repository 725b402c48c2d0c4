/* Goal: lockless and clustered bitmaps, replacements and 0.90 members are judged as Linux would start them, and not
 * started.
 * Method: a mirror whose bitmap, features or metadata are another kind's; images of 0.90 made word by word.
 * Law: I9.
 * Source: spec newest 4, cluster 2, array 1.10, 6.3; images new-r1-ll-*, cl-*, r1-12-64k-replacing-*, r1-090-*. */
#include "mirror.h"
#include "unit/format/sb0_vectors.h"

enum { SIZE = 63 * MIB };

static bool told(const char *names, enum asm_action action, const char *what, const char *word)
{
	judge(names);
	return ok(plan.refusal.code == UMD_E_NOT_SUPPORTED && plan.is_unsupported && plan.action == action &&
			  strstr(plan.refusal.text, what) && strstr(plan.reason, word),
		  "%s: %s; %s", plan.state, plan.refusal.text, plan.reason);
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

/* ---- version 6 ---- */

static void lockless(const char *names, uint32_t state)
{
	create((uint32_t)strlen(names));
	for (; *names; names++)
		EDIT_BITMAP(*names, b->version = 6; b->chunk_bytes = 128; b->events_cleared = 0; b->state = state;
			    b->sectors_reserved = 256);
}

static void decides_by_state(void)
{
	uint64_t offsets[] = { 0, 2048, FMT_SB1_RESYNC_NONE };

	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		lockless("ab", 0);
		EDIT('a', s->resync_offset_sectors = offsets[i]);
		EDIT('b', s->resync_offset_sectors = offsets[i]);
		told("ab", ASM_RESYNC, "version 6 is lockless", "state is due");
		ok(plan.is_by_state && !plan.is_upper_bound, "whatever the checkpoint says");
		reaches(true, 0, OFF_NONE, 0);
		asm_settle(&plan, 3);
		ok(plan.action == ASM_RESYNC, "three chunks due: they are copied");
		asm_settle(&plan, 0);
		ok(plan.action == ASM_NOTHING && strstr(plan.reason, "no chunk"), "none due: %s", plan.reason);
		reaches(false, 0, 0, 0);
	}
	lockless("ab", FMT_BITMAP_STALE);
	told("ab", ASM_RESYNC, "lockless", "out of date");
	ok(plan.is_upper_bound, "unwritten chunks are left out");
	reaches(false, 0, 0, SIZE);
	asm_settle(&plan, 0);
	ok(plan.action == ASM_RESYNC, "an old state says nothing");
}

static void never_initialised(void)
{
	lockless("ab", FMT_BITMAP_FIRST_USE);
	EDIT('a', s->resync_offset_sectors = 0);
	EDIT('b', s->resync_offset_sectors = 0);
	told("ab", ASM_NOTHING, "lockless", "never initialised");
	ok(!plan.is_by_state && !plan.bitmap_is_stale, "its events and states mean nothing");
	reaches(false, 0, 0, 0);
	EDIT_BITMAP('a', b->events = 0);
	told("ab", ASM_NOTHING, "lockless", "never initialised");
	ok(!plan.bitmap_is_stale, "however old they are");
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_SPARE);
	told("ab", ASM_RECOVER, "lockless", "everything is copied");
	ok(plan.is_upper_bound, "at most");
}

static void comes_back_by_state(void)
{
	lockless("ab", 0);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_SPARE);
	told("ab", ASM_RECOVER, "lockless", "state is due");
	is_verdict(1, ASM_STALE_BITMAP, "events_cleared stays 0 in such a bitmap");
	reaches(true, 0, OFF_NONE, 0);
	asm_settle(&plan, 0);
	ok(plan.action == ASM_RECOVER, "a member that is brought back is, with nothing to copy");
}

/* ---- version 5 ---- */

static void clustered(const char *names, uint32_t feature)
{
	create((uint32_t)strlen(names));
	for (; *names; names++) {
		EDIT(*names, s->feature_map |= feature; s->resync_offset_sectors = 0; s->bblog_offset_sectors = 0;
		     s->bblog_size_sectors = 0);
		EDIT_BITMAP(*names, b->version = 5; b->nodes = 4; b->events = 9);
	}
}

static void all_slots_count(void)
{
	clustered("ab", FMT_SB1_CLUSTERED);
	told("ab", ASM_RESYNC, "the array is clustered", "any node's slot");
	ok(!plan.bitmap_is_stale && asm_bitmap_is_clustered(&m[plan.bitmap_member].bitmap),
	   "slots of nodes that are away are behind");
	reaches(true, 0, OFF_NONE, 0);
	EDIT('a', s->resync_offset_sectors = FMT_SB1_RESYNC_NONE);
	EDIT('b', s->resync_offset_sectors = FMT_SB1_RESYNC_NONE);
	told("ab", ASM_RESYNC, "--cluster=local", "of nodes that wrote");
	ok(plan.is_by_slots && !asm_first_due_slot(&plan), "somebody wrote through slot 0: clean is another's word");
	asm_settle(&plan, 0);
	ok(plan.action == ASM_NOTHING && strstr(plan.reason, "no slot holds"), "%s", plan.reason);
	EDIT_BITMAP('a', b->events_cleared = 0);
	told("ab", ASM_RESYNC, "--cluster=local", "slots of other nodes");
	ok(plan.is_by_slots && asm_first_due_slot(&plan) == 1, "after a clean stop slot 0 has nothing to say");
	reaches(true, 0, OFF_NONE, 0);
	asm_settle(&plan, 1);
	is_u64(plan.action, ASM_RESYNC, "what another slot holds is brought together");
	asm_settle(&plan, 0);
	ok(plan.action == ASM_NOTHING && strstr(plan.reason, "no slot of another node"), "%s", plan.reason);
	reaches(false, 0, 0, 0);
	EDIT('b', s->bblog_offset_sectors = 16; s->bblog_size_sectors = 8);
	told("ab", ASM_RESYNC, "clustered", "slots of other nodes");
	is_verdict(1, ASM_IN_SYNC, "Linux takes a member whose log lies in a slot: %s", m[1].bitmap_error.text);
	clustered("ab", 0);
	told("ab", ASM_RESYNC, "a clustered bitmap of 4 nodes", "any node's slot");
	EDIT_BITMAP('a', b->nodes = 2000);
	EDIT_BITMAP('b', b->nodes = UINT32_MAX);
	judge("ab");
	REFUSED(UMD_E_BAD_BITMAP, "slots that reach into the data", "disk-a", "data area");
	ok(!plan.is_unsupported && m[1].bitmap_error.code == UMD_E_BAD_BITMAP, "%s", m[1].bitmap_error.text);
	clustered("ab", FMT_SB1_CLUSTERED);
	EDIT('a', s->bitmap_offset_sectors = (int32_t)s->data_offset_sectors - 16);
	judge("ab");
	REFUSED(UMD_E_BAD_BITMAP, "another one's slots would reach into the data here", "data area");
	clustered("ab", 0);
	EDIT_BITMAP('a', b->nodes = 0);
	EDIT_BITMAP('a', b->events = 17);
	is_u64(judge("ab"), 0, "version 5 without nodes is a plain one, as for Linux");
}

/* ---- a replacement ---- */

/* b has a second device in its slot. */
static void replaced(uint32_t features)
{
	create(3);
	told_by("abc", 2, 1);
	for (char name = 'a'; name <= 'c'; name++)
		EDIT(name, s->raid_disks = 2);
	EDIT('c', s->feature_map |= FMT_SB1_REPLACEMENT | features; s->recovery_offset_sectors = 32 * MIB / 512);
}

static void a_pair_in_one_slot(void)
{
	replaced(FMT_SB1_RECOVERY_OFFSET);
	told("abc", ASM_RECOVER, "a replacement in progress", "from byte 33554432 on");
	is_verdict(2, ASM_REPLACEMENT, "it stands beside its member");
	ok(!plan.degraded && strstr(plan.state, "2 of 2 members in sync, 1 replacing"), "%s", plan.state);
	reaches(false, 0, 0, SIZE - 32 * MIB);
	EDIT('a', s->resync_offset_sectors = 0);
	told("abc", ASM_RECOVER, "a replacement", "replacement");
	reaches(true, 0, 32 * MIB, SIZE - 32 * MIB);

	EDIT('c', s->recovery_offset_sectors = 0);
	told("abc", ASM_RECOVER, "a replacement", "from byte 0 on");
	reaches(false, 0, 0, SIZE);
	options.may_run_degraded = true;
	told("ac", ASM_RECOVER, "a replacement", "replacement");
	ok(!plan.is_dirty && plan.degraded == 1, "one alone in sync has nobody to be compared with");

	replaced(0);
	told("abc", ASM_NOTHING, "a replacement", "stopped cleanly");
	is_verdict(2, ASM_REPLACEMENT, "a finished one waits: %s", plan.reasons[2]);
	told("acb", ASM_NOTHING, "a replacement", "stopped cleanly");
	is_verdict(1, ASM_REPLACEMENT, "in any order");
	told("ac", ASM_NOTHING, "a replacement", "stopped cleanly");
	is_verdict(1, ASM_IN_SYNC, "and takes the place when the member is not there");
	options.may_run_degraded = true;
	told("cb", ASM_NOTHING, "a replacement", "stopped cleanly");
	ok(plan.freshest == 1, "the member itself is believed first");
	options.may_run_degraded = false;
	EDIT('b', s->feature_map |= FMT_SB1_REPLACEMENT);
	is_u64((uint64_t)judge("abc"), (uint64_t)UMD_E_DUPLICATE_MEMBER, "two replacements do not fit");
}

/* ---- 0.90 ---- */

static void look_090(uint32_t i, const char *path, bool is_big_endian, uint32_t number, uint32_t state)
{
	static uint8_t raw[FMT_SB0_BYTES];

	sb0_load(sb0_crashed, is_big_endian, raw);
	word_put(raw, 992, number, is_big_endian);
	word_put(raw, 995, number, is_big_endian);
	sb0_patch(raw, is_big_endian, 33, state);
	m[i] = (struct asm_member){ .path = path, .size_bytes = 16 << 20 };
	asm_take_superblock_090(&m[i], (member_off){ SB0_AT }, raw);
}

static void judge_090(void)
{
	options = (struct asm_options){ 0 };
	asm_judge(m, 2, &options, &plan);
}

static void old_metadata(bool is_big_endian)
{
	look_090(0, "old-a", is_big_endian, 0, 0);
	look_090(1, "old-b", is_big_endian, 1, 0);
	judge_090();
	ok(plan.is_unsupported && plan.action == ASM_RESYNC && strstr(plan.refusal.text, "version 0.90") &&
		   strstr(plan.state, "2 of 2 members in sync"),
	   "%s: %s; %s", plan.state, plan.refusal.text, plan.reason);
	is_u64(asm_bytes_in_full(m, &plan), 32640 * 512, "without a bitmap all is copied");
	look_090(0, "old-a", is_big_endian, 0, FMT_SB0_CLEAN);
	look_090(1, "old-b", is_big_endian, 1, FMT_SB0_CLEAN);
	judge_090();
	ok(plan.is_unsupported && plan.action == ASM_NOTHING, "%s: %s", plan.state, plan.reason);
	look_090(1, "old-b", is_big_endian, 0, FMT_SB0_CLEAN);
	judge_090();
	ok(plan.refusal.code == UMD_E_DUPLICATE_MEMBER, "the number is the device: %s", plan.refusal.text);
}

/* Device 2 took slot 1 when device 1 was gone. */
static void look_090_later(uint32_t i, const char *path, uint32_t number)
{
	static const struct word_value later[] = { { 39, 30 }, { 9, 3 }, { 164, 9 }, { 192, 2 }, { 193, 0x62 },
						   { 195, 1 }, { 196, 6 }, { 0 } };
	static uint8_t raw[FMT_SB0_BYTES];

	sb0_load(sb0_crashed, false, raw);
	for (const struct word_value *w = later; w->value; w++)
		word_put(raw, w->word, w->value, false);
	word_put(raw, 992, number, false);
	sb0_patch(raw, false, 33, FMT_SB0_CLEAN);
	m[i] = (struct asm_member){ .path = path, .size_bytes = 16 << 20 };
	asm_take_superblock_090(&m[i], (member_off){ SB0_AT }, raw);
}

static void place_given_away(void)
{
	look_090_later(0, "old-a", 0);
	look_090_later(1, "old-c", 2);
	look_090(2, "old-b", false, 1, FMT_SB0_CLEAN);
	asm_judge(m, 3, &options, &plan);
	ok(plan.is_unsupported, "%s: %s", plan.state, plan.refusal.text);
	is_verdict(2, ASM_DUPLICATE, "no device uuid makes two devices one: %s", plan.reasons[2]);
}

static void both_metadata(void)
{
	create(2);
	at_event("a", 24);
	look_at('a', &m[0]);
	look_090(1, "old-b", false, 1, FMT_SB0_CLEAN);
	memcpy(m[1].sb.set_uuid, m[0].sb.set_uuid, 16);
	options.may_run_degraded = true;
	asm_judge(m, 2, &options, &plan);
	is_verdict(1, ASM_UNUSABLE, "an old member does not mix with new ones");
	ok(strstr(plan.reasons[1], "major version 0"), "%s", plan.reasons[1]);
	ok(plan.is_unsupported, "and nothing is started: %s", plan.refusal.text);
}

/* What is no member of this kind of array is not written over, however it is offered. */
static void not_admitted(void)
{
	static const uint8_t uuid[16] = { 1 };
	struct asm_member file = { .path = "bits", .size_bytes = 1 << 30 };
	uint8_t first[4096] = { 0 };
	struct bitmap_sb sb = { .magic = FMT_BITMAP_MAGIC, .version = 4, .chunk_bytes = 65536,
				.sync_size_sectors = 800 };
	struct arr_member entry;

	create(2);
	judge("ab");
	start("ab");
	fmt_bitmap_sb_encode(&sb, first);
	asm_name_the_stranger(&file, first);
	ok(asm_admit(lineage, array, &file, ASM_ADMIT_ADD, uuid, &entry, sentence, &said) == UMD_E_NO_SUPERBLOCK &&
		   strstr(said.text, "bitmap file"),
	   "%s", said.text);
	ok(asm_admit(lineage, array, &file, ASM_ADMIT_READD, uuid, &entry, sentence, &said) == UMD_E_READD_REFUSED &&
		   strstr(said.text, "bitmap file"),
	   "%s", said.text);
	look_090(1, "old-b", false, 1, FMT_SB0_CLEAN);
	m[1].size_bytes = 1 << 30;
	memcpy(m[1].sb.set_uuid, super_of('a').set_uuid, 16);
	ok(asm_admit(lineage, array, &m[1], ASM_ADMIT_ADD, uuid, &entry, sentence, &said) == UMD_E_FOREIGN_MEMBER, "%s",
	   said.text);
	stop();
}

/* Chunks of one sector: as many as the array has sectors. */
static int judge_bitmap_of(uint64_t chunks)
{
	create(2);
	for (char name = 'a'; name <= 'b'; name++) {
		disks[name - 'a'].bytes = UINT64_C(64) << 30;
		EDIT(name, s->bblog_offset_sectors = 0; s->data_offset_sectors = 32 * MIB / 512;
		     s->size_sectors = s->data_size_sectors = chunks);
		EDIT_BITMAP(name, b->chunk_bytes = 512);
	}
	return judge("ab");
}

static void large_ones_do_not_start(void)
{
	const uint64_t most = 8 * (4 * MIB - FMT_BITMAP_SB_BYTES);

	is_u64(judge_bitmap_of(most), 0, "a bitmap of 4 MiB starts: %s", plan.refusal.text);
	judge_bitmap_of(most + 1);
	ok(plan.is_unsupported, "one chunk more does not, but is judged: %s", plan.reason);
	REFUSED(UMD_E_NOT_SUPPORTED, "one chunk more", "4194305 bytes", "33552385 chunks", "up to 4194304");
}

int main(void)
{
	decides_by_state();
	never_initialised();
	comes_back_by_state();
	all_slots_count();
	a_pair_in_one_slot();
	old_metadata(false);
	old_metadata(true);
	place_given_away();
	both_metadata();
	not_admitted();
	large_ones_do_not_start();
	return tap_end();
}
