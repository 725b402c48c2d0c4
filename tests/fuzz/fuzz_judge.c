/* Several members' superblocks and bitmap superblocks: looked at, judged, and started when they can be.
 *
 * Input: 1 byte count (1 to 4), 1 options, 1 how members fail, 1 fill of the bitmap; then for each member 8 bytes size,
 * 1 place, 7 unused, 256 superblock, 64 of the role table (the rest says spare), 256 bitmap superblock; behind them
 * what clients do, a byte each.
 * Properties: every verdict has harmless words; a plan without refusal has a reference that is in sync, a bitmap that
 * can be read, and nobody's place twice; a started array reads and writes what belongs to it (law I7), nothing at all
 * when it is read-only, and breaks no law, whatever members fail on the way; it ends when it is told to. What a node of
 * a cluster starts is one of as many as there are slots, and superblocks read again, whoever wrote them, tell of its
 * own members alone; what a change of the cluster would write is believed. */
#include <string.h>

#include "fuzz.h"
#include "run_array.h"

#include "base/le.h"

enum {
	HEAD_BYTES = 4, MEMBER_HEAD_BYTES = 16, ROLE_BYTES = 64, SUPER_BYTES = FMT_SB1_FIXED_BYTES + ROLE_BYTES,
	RECORD_BYTES = MEMBER_HEAD_BYTES + SUPER_BYTES + FMT_BITMAP_SB_BYTES, COUNT_MAX = 4, MAX_DEV_AT = 220,
	CSUM_AT = 216,
	IMAGE_MAX_BYTES = 1 << 16,
};
enum { READ_ONLY = 1, MAY_RUN = 2, PREFERS = 4, IS_NODE = 8, IS_LOOK = 16, SLOT_SHIFT = 5 };

static struct asm_member members[COUNT_MAX];
static uint8_t image[IMAGE_MAX_BYTES], supers[COUNT_MAX][FMT_SB1_BYTES];

static void spread(const uint8_t *record, uint8_t raw[FMT_SB1_BYTES])
{
	memset(raw, 0xff, FMT_SB1_BYTES);
	memcpy(raw, record, SUPER_BYTES);
}

static void mend(uint8_t *record, size_t len)
{
	uint8_t raw[FMT_SB1_BYTES];

	if (len < SUPER_BYTES || le_get(record + MAX_DEV_AT, 4) > FMT_SB1_MAX_DEV)
		return;
	spread(record, raw);
	le_put(record + CSUM_AT, 4, fmt_sb1_checksum(raw));
}

size_t fuzz_find_records(const uint8_t *data, size_t size, struct fuzz_record ret[FUZZ_RECORDS_MAX])
{
	size_t n = 0;

	for (size_t at = HEAD_BYTES; at + RECORD_BYTES <= size && n < 2 * COUNT_MAX; at += RECORD_BYTES) {
		ret[n++] = (struct fuzz_record){ at + MEMBER_HEAD_BYTES, SUPER_BYTES,
						 fuzz_sb1_fields, fuzz_sb1_field_count,
						 mend };
		ret[n++] = (struct fuzz_record){ at + MEMBER_HEAD_BYTES + SUPER_BYTES, FMT_BITMAP_SB_BYTES,
						 fuzz_bitmap_fields, fuzz_bitmap_field_count, NULL };
	}
	return n;
}

static void look(struct fuzz_input *in, uint32_t i, uint32_t slot)
{
	static const char *const paths[COUNT_MAX] = { "disk-a", "disk-b", "disk-c", "disk-d" };
	uint8_t record[SUPER_BYTES], raw[FMT_SB1_BYTES], bitmap[FMT_BITMAP_SB_BYTES];
	struct asm_member *m = &members[i];
	enum sb1_minor minor;
	member_off at;

	memset(m, 0, sizeof *m);
	m->path = paths[i];
	m->size_bytes = fuzz_take(in, 8);
	minor = (enum sb1_minor)(fuzz_take(in, 1) % 3);
	fuzz_take(in, 7);
	fuzz_take_bytes(in, record, sizeof record);
	fuzz_take_bytes(in, bitmap, sizeof bitmap);
	spread(record, raw);
	memcpy(supers[i], raw, sizeof raw);
	if (lay_super(minor, m->size_bytes, &at) && at.bytes + FMT_SB1_BYTES <= m->size_bytes)
		asm_take_superblock(m, minor, at, raw);
	if (!m->has_superblock)
		asm_name_the_stranger(m, NULL);
	if (asm_wants_bitmap(m, &at)) {
		FUZZ_MUST(at.bytes + FMT_BITMAP_SB_BYTES <= m->size_bytes);
		asm_take_bitmap(m, bitmap);
	}
	if (asm_wants_slot(m, slot, &at)) {
		FUZZ_MUST(at.bytes + FMT_BITMAP_SB_BYTES <= m->size_bytes);
		asm_take_slot(m, bitmap);
	}
	FUZZ_MUST(!m->error.code || fuzz_is_sentence(&m->error));
	FUZZ_MUST(!m->bitmap_error.code || fuzz_is_sentence(&m->bitmap_error));
}

static bool takes_part(enum asm_verdict v)
{
	return v == ASM_IN_SYNC || v == ASM_RECOVERING || v == ASM_STALE_BITMAP || v == ASM_STALE_FULL;
}

static uint32_t slot_of(const struct asm_member *m)
{
	FUZZ_MUST(m->sb.dev_number < m->sb.max_dev);
	return m->sb.dev_roles[m->sb.dev_number];
}

static void words_are_harmless(const struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		FUZZ_MUST(memchr(plan->reasons[i], 0, sizeof plan->reasons[i]) &&
			  fuzz_is_harmless(plan->reasons[i], strlen(plan->reasons[i]), false));
	FUZZ_MUST(memchr(plan->reason, 0, sizeof plan->reason) &&
		  fuzz_is_harmless(plan->reason, strlen(plan->reason), false));
	FUZZ_MUST(!plan->refusal.code || fuzz_is_sentence(&plan->refusal));
}

static void plan_is_sound(const struct asm_plan *plan)
{
	const struct asm_member *ref = &members[plan->freshest];
	uint64_t slots = 0;

	FUZZ_MUST(plan->freshest < plan->member_count && plan->verdicts[plan->freshest] == ASM_IN_SYNC);
	FUZZ_MUST(ref->has_superblock && !ref->error.code && plan->degraded < ref->sb.raid_disks);
	FUZZ_MUST(plan->reason[0]);
	FUZZ_MUST(plan->missing_slots < ref->sb.raid_disks);
	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (!takes_part(plan->verdicts[i]))
			continue;
		FUZZ_MUST(members[i].has_superblock && !members[i].error.code);
		FUZZ_MUST(!memcmp(members[i].sb.set_uuid, ref->sb.set_uuid, 16));
		FUZZ_MUST(slot_of(&members[i]) < ref->sb.raid_disks && !(slots >> slot_of(&members[i]) & 1));
		slots |= UINT64_C(1) << slot_of(&members[i]);
	}
	FUZZ_MUST(asm_bytes_in_full(members, plan) <= ref->sb.size_sectors * SECTOR_BYTES);
}

/* The bits are all alike: what they mean is fuzz_bitmap_load's question. */
static bool read_image(const struct asm_plan *plan, uint8_t fill, uint64_t *ret_bytes)
{
	uint32_t source;
	member_off at;

	*ret_bytes = 0;
	if (!asm_bitmap_to_read(members, plan, &source, &at, ret_bytes))
		return true;
	FUZZ_MUST(source < plan->member_count && !members[source].bitmap_error.code);
	FUZZ_MUST(at.bytes + *ret_bytes >= at.bytes && at.bytes + *ret_bytes <= members[source].size_bytes);
	if (*ret_bytes > sizeof image)
		return false;
	memset(image, fill, *ret_bytes);
	fmt_bitmap_sb_encode(plan->is_node ? &plan->own_slot : &members[source].bitmap, image);
	return true;
}

/* ---- one node of a cluster ---- */

/* Each member's superblock is read where another one's lies. */
static void read_again(struct asm_lineage *l, const struct arr *a, const uint32_t *member_of, uint32_t entries)
{
	struct arr_part parts[COUNT_MAX] = { 0 };
	struct arr_job job = { .kind = ARR_JOB_LOOK, .parts = parts, .part_count = entries };
	struct arr_reload seen;

	for (uint32_t i = 0; i < entries; i++)
		parts[i] = (struct arr_part){ .member = i, .op = ARR_P_READ };
	asm_look_render(l, &job);
	for (uint32_t i = 0; i < entries; i++) {
		const struct asm_member *m = &members[member_of[i]];

		FUZZ_MUST(parts[i].len_bytes == FMT_SB1_BYTES && parts[i].at.bytes == m->super_at.bytes);
		memcpy(parts[i].data, supers[(member_of[i] + m->sb.events % 2) % COUNT_MAX], FMT_SB1_BYTES);
	}
	asm_look_taken(l, a, &job, &seen);
	FUZZ_MUST(seen.is_found || !seen.member_count);
	for (uint32_t i = 0; i < seen.member_count; i++)
		FUZZ_MUST(seen.members[i].member < entries &&
			  (seen.members[i].role < ARR_MEMBERS_MAX || seen.members[i].role >= ARR_ROLE_FAULTY));
}

static void start_node(const struct asm_plan *plan, const struct asm_options *options, uint64_t image_bytes)
{
	uint32_t member_of[ARR_MEMBERS_MAX];
	struct asm_lineage *lineage;
	struct arr_status s;
	struct err err;
	struct arr *array;

	if (asm_start(members, plan, options, image_bytes ? image : NULL, image_bytes, &array, &lineage, member_of,
		      &err))
		return;
	arr_get_status(array, &s);
	FUZZ_MUST(s.is_clustered && s.node_slot == options->node_slot && s.node_slot < s.nodes);
	FUZZ_MUST(s.resync_offset == OFF_NONE || bm_needed_chunks(arr_bitmap(array)));
	read_again(lineage, array, member_of, s.member_count);
	arr_free(array);
	asm_lineage_free(lineage);
}

static void recluster(const struct asm_plan *plan, unsigned how)
{
	struct asm_recluster wish = { .kind = how % 3, .nodes = how / 3 % 70, .cluster_name = how & 1 ? "lab" : NULL };
	uint8_t raw[FMT_SB1_BYTES];
	struct asm_reclustered r;
	struct err err = { 0 };
	struct bitmap_sb head;

	if (asm_plan_recluster(members, plan, &wish, &r, &err)) {
		FUZZ_MUST(fuzz_is_sentence(&err));
		return;
	}
	for (uint32_t i = 0; i < plan->member_count; i++) {
		const struct asm_member *ref = &members[plan->freshest];
		member_off at = asm_recluster_place(&r, &members[i], ref, r.slots - 1);

		asm_recluster_super(&r, &members[i], ref, raw);
		FUZZ_MUST(at.bytes + r.slot_bytes <= members[i].size_bytes);
		FUZZ_MUST(le_get(raw + CSUM_AT, 4) == fmt_sb1_checksum(raw));
	}
	fmt_bitmap_sb_encode(&r.head, raw);
	asm_recluster_head(&r, &members[plan->freshest].sb, 0, raw);
	fmt_bitmap_sb_decode(raw, &head);
	FUZZ_MUST(!fmt_bitmap_sb_check(&head, members[plan->freshest].sb.set_uuid, NULL) && head.nodes == r.head.nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint32_t count = 1 + fuzz_take(&in, 1) % COUNT_MAX;
	unsigned how = fuzz_take(&in, 1), failing = fuzz_take(&in, 1), fill = fuzz_take(&in, 1);
	struct asm_options options = { .is_readonly = how & READ_ONLY, .may_run_degraded = how & MAY_RUN,
				       .prefer = how & PREFERS ? "disk-b" : NULL, .is_node = how & IS_NODE,
				       .is_look = how & IS_LOOK, .node_slot = how & IS_NODE ? how >> SLOT_SHIFT : 0 };
	static struct asm_plan plan;
	uint64_t image_bytes;

	for (uint32_t i = 0; i < count; i++)
		look(&in, i, options.node_slot);
	asm_judge(members, count, &options, &plan);
	FUZZ_MUST(plan.member_count == count);
	words_are_harmless(&plan);
	if (plan.refusal.code)
		return 0;
	plan_is_sound(&plan);
	recluster(&plan, fill);
	if (options.is_look)
		return 0;
	if (!read_image(&plan, (uint8_t)fill, &image_bytes))
		return 0;
	if (options.is_node)
		start_node(&plan, &options, image_bytes);
	else
		run_array((struct run_array){ members, &plan, &options, image_bytes ? image : NULL, image_bytes,
					      failing }, &in);
	return 0;
}
