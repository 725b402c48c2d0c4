/* Goal: what another node wrote is read as it meant it, also when it died in the middle; a device that another node
 * adds is known by its own superblock, and nobody comes back by bits that any node has cleared. Method: a clustered
 * mirror on disks in memory is started and its superblocks edited behind its back; a candidate is rendered by one
 * lineage and admitted by another. Law: I4, I5, I7, C4. Source: spec cluster 6, 7, 8.9, 8.21. */
#include "mirror.h"

#include "assembly/inside.h"

static struct arr_job job;
static struct arr_part parts[DISKS];
static struct arr_reload seen;

static void lay_clustered(const char *names, uint32_t in_slots)
{
	create((uint32_t)strlen(names));
	for (const char *n = names; *n; n++) {
		EDIT(*n, s->feature_map |= FMT_SB1_CLUSTERED; s->resync_offset_sectors = 0; s->bblog_offset_sectors = 0;
		     s->bblog_size_sectors = 0; s->raid_disks = in_slots);
		EDIT_BITMAP(*n, b->version = 5; b->nodes = 4);
	}
	for (uint32_t i = in_slots; i < strlen(names); i++)
		told_by(names, i, FMT_ROLE_SPARE);
	options = (struct asm_options){ .is_node = true };
}

static void start_node(const char *names)
{
	is_u64((uint64_t)judge(names), 0, "%s: judged: %s", names, plan.refusal.text);
	start(names);
}

static void clustered(const char *names, uint32_t in_slots)
{
	lay_clustered(names, in_slots);
	start_node(names);
}

/* Superblocks are read; @failed: of which disk not. */
static void look_again(const char *names, char failed)
{
	uint32_t count = (uint32_t)strlen(names);

	memset(parts, 0, sizeof parts);
	job = (struct arr_job){ .kind = ARR_JOB_LOOK, .parts = parts, .part_count = count };
	for (uint32_t i = 0; i < count; i++)
		parts[i] = (struct arr_part){ .member = i, .op = ARR_P_READ };
	asm_look_render(lineage, &job);
	for (uint32_t i = 0; i < count; i++) {
		struct disk *d = &disks[entries[i] - 'a'];

		parts[i].rc = entries[i] == failed ? -5 : 0;
		if (parts[i].at.bytes == d->super_at.bytes && parts[i].len_bytes == sizeof d->super)
			memcpy(parts[i].data, d->super, sizeof d->super);
	}
	asm_look_taken(lineage, array, &job, &seen);
}

static void roles(uint32_t a, uint32_t b, uint32_t c, const char *what)
{
	ok(seen.is_found && seen.member_count == 3 && seen.members[0].role == a && seen.members[1].role == b &&
		   seen.members[2].role == c,
	   "%s: roles %u %u %u", what, seen.members[0].role, seen.members[1].role, seen.members[2].role);
}

static void torn_rounds(void)
{
	clustered("abc", 3);
	look_again("abc", '-');
	roles(0, 1, 2, "nothing new");
	ok(seen.is_active && seen.events == 17 && !seen.strangers, "active at event 17");
	told_by("b", 2, FMT_ROLE_FAULTY);
	EDIT('b', s->events = 18; s->resync_offset_sectors = FMT_SB1_RESYNC_NONE);
	look_again("abc", '-');
	roles(0, 1, ARR_ROLE_FAULTY, "one superblock was written before its writer died");
	ok(!seen.is_active && seen.events == 18, "its word counts");
	look_again("abc", 'b');
	roles(0, 1, 2, "nobody can read that one");
	EDIT('b', memset(s->device_uuid, 9, 16));
	look_again("abc", '-');
	roles(0, 1, 2, "another device's superblock");
	ok(seen.members[1].is_overwritten && !seen.members[0].is_overwritten && !seen.members[2].is_overwritten,
	   "which tells that its disk is another device now");
	for (char name = 'a'; name <= 'c'; name++)
		disks[name - 'a'].super[300] ^= 1;
	look_again("abc", '-');
	ok(!seen.is_found && !seen.member_count, "nothing is believed");
	EDIT('a', s->events++);
	look_again("abc", '-');
	ok(seen.is_found && !seen.members[2].is_overwritten, "and what is torn is no other device's");
	cut();
}

static void recovery(void)
{
	clustered("abc", 2);
	told_by("abc", 2, 1);
	told_by("abc", 1, FMT_ROLE_FAULTY);
	at_event("abc", 19);
	EDIT('c', s->feature_map |= FMT_SB1_RECOVERY_OFFSET | FMT_SB1_RECOVERY_BITMAP;
	     s->recovery_offset_sectors = 2048);
	look_again("abc", '-');
	roles(0, ARR_ROLE_FAULTY, 1, "a spare has the slot");
	ok(seen.members[2].is_recovering && seen.members[2].is_by_bitmap && seen.members[2].recovery_offset == MIB,
	   "and is recovered by the bitmap, up to 1 MiB");
	ok(!seen.members[0].is_recovering, "the other is not");
	look_again("abc", 'c');
	ok(seen.members[2].is_recovering && !seen.members[2].recovery_offset,
	   "what cannot be read is still recovering");
	EDIT('c', s->feature_map &= ~(uint32_t)(FMT_SB1_RECOVERY_OFFSET | FMT_SB1_RECOVERY_BITMAP));
	look_again("abc", '-');
	ok(!seen.members[2].is_recovering, "its recovery ended");
	cut();
}

/* Who wrote that a spare has the slot died before the spare's own superblock, which comes last. */
static void torn_join(void)
{
	clustered("abc", 2);
	told_by("ab", 2, 1);
	told_by("ab", 1, FMT_ROLE_FAULTY);
	at_event("ab", 19);
	look_again("abc", '-');
	roles(0, ARR_ROLE_FAULTY, 1, "a spare has the slot, and does not know it");
	ok(seen.members[2].is_recovering && !seen.members[2].is_by_bitmap && !seen.members[2].recovery_offset,
	   "it is to be recovered in full");
	ok(!seen.members[2].is_claimed, "its own superblock is the one with which it came");
	at_event("c", 18);
	look_again("abc", '-');
	ok(seen.members[2].is_claimed, "then it is of a round");
	look_again("abc", 'c');
	ok(seen.members[2].is_claimed, "and one that cannot be read is counted on");
	cut();
}

/* A number that a dead node had given in mid-round was given again by those who could not read it. */
static void number_given_twice(void)
{
	clustered("abc", 3);
	told_by("bc", 0, FMT_ROLE_FAULTY);
	at_event("abc", 18);
	look_again("abc", '-');
	roles(ARR_ROLE_FAULTY, 1, 2, "of two at the same event the one that nobody counts on is not believed");
	cut();
}

static void others(void)
{
	clustered("abc", 3);
	told_by("abc", 2, FMT_ROLE_SPARE);
	told_by("abc", 7, 2);
	at_event("abc", 20);
	EDIT('a', memcpy(s->set_name, "lab:new", 8));
	look_again("abc", '-');
	is_u64(seen.strangers, 1 << 2, "slot 2 was given to a device that is not here");
	ok(lineage && seen.members[2].role == ARR_ROLE_SPARE, "whose number is in no table");
	cut();
}

/* The candidate that one node writes is the member that another one takes. */
static void candidate(void)
{
	static const uint8_t uuid[16] = { 9, 8, 7 };
	struct arr_member here, there;
	struct asm_member look;
	uint8_t raw[FMT_SB1_BYTES], other_uuid[16] = { 1 };
	member_off at;
	struct sb1 sb;

	clustered("ab", 2);
	blank('c', MEMBER_BYTES);
	look_at('c', &look);
	is_u64((uint64_t)asm_admit(lineage, array, &look, ASM_ADMIT_ADD, uuid, &here, sentence, &said), 0,
	       "admitted: %s", said.text);
	asm_render_candidate(lineage, array, raw, &at);
	fmt_sb1_decode(raw, SB1_2, &sb);
	is_u64((uint64_t)fmt_sb1_check(&sb, raw, at, MEMBER_BYTES, &said), 0, "its superblock is believed: %s",
	       said.text);
	ok(sb.feature_map == (FMT_SB1_BITMAP | FMT_SB1_CLUSTERED) && sb.events == 17 &&
		   sb.dev_roles[sb.dev_number] == 0xffff && sb.dev_roles[0] == 0 && sb.dev_roles[1] == 1 &&
		   !sb.resync_offset_sectors && !sb.bblog_offset_sectors,
	   "a spare's, of this array as it is");
	memcpy(disks[2].super, raw, sizeof raw);
	look_at('c', &look);
	is_u64((uint64_t)asm_admit_peers(lineage, array, &look, uuid, here.dev_number, &there, &said), 0, "seen: %s",
	       said.text);
	ok(there.state == ARR_M_SPARE && there.dev_number == here.dev_number &&
		   there.data_at.bytes == here.data_at.bytes && there.bitmap_at.bytes == here.bitmap_at.bytes,
	   "as the same spare");
	ok(asm_admit_peers(lineage, array, &look, other_uuid, here.dev_number, &there, &said) == UMD_E_FOREIGN_MEMBER &&
		   strstr(said.text, "does not join"), "%s", said.text);
	ok(asm_admit_peers(lineage, array, &look, uuid, 6, &there, &said) == UMD_E_FOREIGN_MEMBER &&
		   strstr(said.text, "number 6"), "%s", said.text);
	look_at('b', &look);
	ok(asm_admit_peers(lineage, array, &look, look.sb.device_uuid, 1, &there, &said) == UMD_E_DUPLICATE_MEMBER &&
		   strstr(said.text, "device number 1"), "%s", said.text);
	memset(look.sb.set_uuid, 3, 16);
	ok(asm_admit_peers(lineage, array, &look, look.sb.device_uuid, 1, &there, &said) == UMD_E_FOREIGN_MEMBER &&
		   strstr(said.text, "another array"), "%s", said.text);
	cut();
	blank('d', MEMBER_BYTES);
	look_at('d', &look);
	clustered("ab", 2);
	ok(asm_admit_peers(lineage, array, &look, uuid, 2, &there, &said) == UMD_E_NO_SUPERBLOCK, "%s", said.text);
	cut();
}

static int readd_c(void)
{
	struct arr_member entry;
	struct asm_member look;

	look_at('c', &look);
	said = (struct err){ 0 };
	return asm_admit(lineage, array, &look, ASM_ADMIT_READD, (const uint8_t[16]){ 0 }, &entry, sentence, &said);
}

static void cleared_elsewhere(void)
{
	create(3);
	for (char n = 'a'; n <= 'c'; n++) {
		EDIT(n, s->feature_map |= FMT_SB1_CLUSTERED; s->resync_offset_sectors = 0; s->bblog_offset_sectors = 0;
		     s->bblog_size_sectors = 0);
		EDIT_BITMAP(n, b->version = 5; b->nodes = 4; b->events_cleared = 10);
	}
	told_by("ab", 2, FMT_ROLE_SPARE);
	at_event("ab", 25);
	options = (struct asm_options){ .is_node = true };
	judge("abc");
	is_verdict(2, ASM_AWAY, "%s", plan.reasons[2]);
	is_u64((uint64_t)judge("ab"), 0, "two are here: %s", plan.refusal.text);
	start("ab");
	is_u64((uint64_t)readd_c(), 0, "back by the bitmaps: %s%s", said.text, sentence);
	asm_know_cleared(lineage, 17);
	is_u64((uint64_t)readd_c(), 0, "another node cleared at its own event: %s", said.text);
	asm_know_cleared(lineage, 18);
	asm_know_cleared(lineage, 3);
	ok(readd_c() == UMD_E_READD_REFUSED && strstr(said.text, "cleared at event 18"), "%s", said.text);
	cut();
}

/* Entries 0 and 1 are in slots, and nobody else. */
static void claim_at(uint64_t events)
{
	static struct arr_claim claim;

	claim = (struct arr_claim){
		.events = events, .is_active = true, .resync_offset = OFF_NONE, .member_count = 2
	};
	memset(parts, 0, sizeof parts);
	job = (struct arr_job){ .kind = ARR_JOB_CLAIM, .parts = parts, .part_count = 2 };
	for (uint32_t i = 0; i < 2; i++) {
		parts[i] = (struct arr_part){ .member = i, .op = ARR_P_WRITE };
		claim.members[i] = (struct arr_claim_member){
			.member = i, .dev_number = i, .role = i, .is_written = true, .bitmap_at = { 8192 }
		};
	}
	asm_claim_render(lineage, &claim, &job, 1);
}

/* A start went without a member, and superblocks still give it a slot; then another node gives it that slot again. */
static void missing_at_the_start(void)
{
	lay_clustered("abc", 3);
	options.may_run_degraded = true;
	start_node("ab");
	look_again("ab", '-');
	ok(seen.is_found && !seen.strangers, "who was missing at the start is no stranger");
	claim_at(18);
	look_again("ab", '-');
	ok(seen.is_found && !seen.strangers, "nor when our claim says so, by superblocks from before it");
	at_event("ab", 20);
	look_again("ab", '-');
	is_u64(seen.strangers, 1 << 2, "but who has its slot by later ones was given it by another node");
	cut();
}

/* Whatever is claimed stays a cluster's, and no log lies in a slot. */
static void claims(void)
{
	struct sb1 sb;

	clustered("ab", 2);
	lineage->lines[1].sb.bblog_offset_sectors = 16;
	lineage->lines[1].sb.bblog_size_sectors = 8;
	claim_at(18);
	for (uint32_t i = 0; i < 2; i++) {
		fmt_sb1_decode(lineage->lines[i].raw, SB1_2, &sb);
		ok(sb.feature_map == (FMT_SB1_BITMAP | FMT_SB1_CLUSTERED) && !sb.bblog_offset_sectors &&
			   !sb.bblog_size_sectors,
		   "member %u: feature map 0x%x, log at %d", i, sb.feature_map, sb.bblog_offset_sectors);
	}
	cut();
}

int main(void)
{
	torn_rounds();
	recovery();
	torn_join();
	number_given_twice();
	others();
	candidate();
	cleared_elsewhere();
	missing_at_the_start();
	claims();
	return tap_end();
}
