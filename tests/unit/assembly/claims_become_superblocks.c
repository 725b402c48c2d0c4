/* Goal: what the array claims is what superblocks say, in a form that every loader believes; what umd does not know
 * is written back as it was found.
 * Method: claims made by hand, rendered, decoded and checked as on the way in.
 * Law: I7, I10.
 * Source: spec array 1.2 to 1.5, 3; newest 1 (logical block size). */
#include "mirror.h"
#include "base/le.h"

static struct arr_claim claim;
static struct arr_job job;

static void claim_of(uint32_t count)
{
	claim = (struct arr_claim){ .generation = 1, .events = 42, .resync_offset = OFF_NONE, .member_count = count };
	memset(&job, 0, sizeof job);
	job.kind = ARR_JOB_CLAIM;
	job.parts = job.inline_parts;
	job.part_count = count;
	for (uint32_t i = 0; i < count; i++) {
		claim.members[i] = (struct arr_claim_member){ .member = i, .dev_number = i, .role = i,
			.is_written = true, .recovery_offset = OFF_NONE,
			.bitmap_at = status()->members[i].bitmap_at };
		job.parts[i].member = i;
	}
}

static struct sb1 rendered(uint32_t part, enum sb1_minor minor, const char *what)
{
	const struct arr_part *p = &job.parts[part];
	uint8_t raw[FMT_SB1_BYTES];
	struct err err = { 0 };
	struct sb1 sb;

	asm_claim_render(lineage, &claim, &job, 1234567);
	memcpy(raw, disks[part].super, sizeof raw);
	memcpy(raw, p->data, p->len_bytes);
	fmt_sb1_decode(raw, minor, &sb);
	ok(fmt_sb1_check(&sb, raw, p->at, MEMBER_BYTES, &err) == 0, "%s: believed %s", what, err.text);
	return sb;
}

static void in_every_minor(enum sb1_minor minor)
{
	struct sb1 sb;

	create_as(minor, 2, true, 0x40);
	judge("ab");
	start("ab");
	claim_of(2);
	sb = rendered(1, minor, "clean");
	is_u64(job.parts[1].at.bytes, disks[1].super_at.bytes, "1.%d: at its place", minor);
	is_u64(job.parts[1].len_bytes, 512, "1.%d: the valid part only", minor);
	ok(sb.events == 42 && sb.utime == 1234567 && sb.resync_offset_sectors == FMT_SB1_RESYNC_NONE,
	   "events, time, clean");
	ok(sb.dev_number == 1 && sb.dev_roles[0] == 0 && sb.dev_roles[1] == 1 && sb.dev_roles[2] == FMT_ROLE_SPARE,
	   "roles");
	ok(!memcmp(sb.device_uuid, disks[1].made.sb.device_uuid, 16) && !memcmp(sb.set_uuid, disks[0].made.sb.set_uuid,
	   16), "uuids are kept");
	ok(sb.feature_map == FMT_SB1_BITMAP && sb.bitmap_offset_sectors == disks[1].made.sb.bitmap_offset_sectors,
	   "and the bitmap's place");
	ok(!strcmp(sb.set_name, "lab:m") && sb.size_sectors == disks[0].made.sb.size_sectors,
	   "and the name, and the size");
	cut();
}

static void states(void)
{
	struct sb1 sb;

	create(2);
	judge("ab");
	start("ab");
	claim_of(2);
	claim.is_active = true;
	sb = rendered(0, SB1_2, "active");
	is_u64(sb.resync_offset_sectors, 0, "active is a resync from 0");
	claim.is_active = false;
	claim.resync_offset = 3 * MIB;
	sb = rendered(0, SB1_2, "checkpoint");
	is_u64(sb.resync_offset_sectors, 3 * MIB / 512, "a checkpoint in sectors");

	claim.members[1].is_recovering = claim.members[1].is_by_bitmap = true;
	claim.members[1].recovery_offset = 2 * MIB;
	sb = rendered(1, SB1_2, "recovering by the bitmap");
	ok(sb.feature_map == 0x83 && sb.recovery_offset_sectors == 2 * MIB / 512, "0x83 and how far");
	sb = rendered(0, SB1_2, "the one beside it");
	ok(sb.feature_map == 0x01 && sb.recovery_offset_sectors == 0 && sb.dev_roles[1] == 1,
	   "is not recovering, and gives it its slot");
	claim.members[1].is_by_bitmap = false;
	sb = rendered(1, SB1_2, "recovering in full");
	is_u64(sb.feature_map, 0x03, "0x03");
	claim.members[1].is_recovering = false;
	sb = rendered(1, SB1_2, "recovered");
	ok(sb.feature_map == 0x01 && sb.recovery_offset_sectors == 0, "the offset is gone when it is in sync");

	claim.members[1].role = ARR_ROLE_FAULTY;
	sb = rendered(0, SB1_2, "failed");
	is_u64(sb.dev_roles[1], FMT_ROLE_FAULTY, "a failed one is 0xfffe");
	claim.members[1].role = ARR_ROLE_SPARE;
	is_u64(rendered(0, SB1_2, "spare").dev_roles[1], FMT_ROLE_SPARE, "a spare 0xffff");
	claim.member_count = job.part_count = 1;
	is_u64(rendered(0, SB1_2, "removed").dev_roles[1], FMT_ROLE_SPARE, "one that is gone too");
	cut();
}

static void what_is_not_ours(void)
{
	struct sb1 sb;

	create(2);
	EDIT('a', s->logical_block_bytes = 4096; s->corrected_reads = 7);
	EDIT('a', s->devflags = FMT_SB1_FAILFAST | FMT_SB1_WRITE_MOSTLY);
	memset(disks[0].super + 512, 0x5a, FMT_SB1_BYTES - 512);
	EDIT('b', s->logical_block_bytes = 512; s->ctime = 99);
	judge("ab");
	start("ab");
	claim_of(2);
	sb = rendered(0, SB1_2, "no longer write-mostly");
	is_u64(sb.devflags, FMT_SB1_FAILFAST, "the array knows of one flag, the other is kept");
	claim.members[0].is_write_mostly = true;
	sb = rendered(0, SB1_2, "unknown bytes");
	ok(sb.logical_block_bytes == 4096 && sb.devflags == 3 && sb.corrected_reads == 7,
	   "the logical block size, flags and counts are kept");
	ok(sb.bblog_offset_sectors == disks[0].made.sb.bblog_offset_sectors, "and the place of the bad-block log");
	ok(disks[0].super[512] == 0x5a && job.parts[0].len_bytes == 512, "bytes behind the valid part are not written");
	sb = rendered(1, SB1_2, "the other one");
	ok(sb.logical_block_bytes == 512, "each keeps its own");
	is_u64(sb.ctime, super_of('a').ctime, "what is the array's comes from the one that is believed");
	cut();
}

int main(void)
{
	in_every_minor(SB1_0);
	in_every_minor(SB1_1);
	in_every_minor(SB1_2);
	states();
	what_is_not_ours();
	return tap_end();
}
