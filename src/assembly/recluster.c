/* Off line: another number of nodes, another cluster, a cluster out of a single array, or a single array again.
 *
 *   keep   all slots are written with the new number and name; with other chunks, see rechunk.c
 *   make   the internal bitmap becomes slot 0, further slots are empty
 *   end    slot 0 becomes the internal bitmap, when no slot holds a set chunk
 *
 * Every member in sync and every spare is written, so all must be here: a map that one member keeps from before would
 * be believed when that member is the reference. The hands write further slots first, then slot 0 (make, keep) or the
 * superblocks (end), in an order in which a cut anywhere leaves something that starts: a bitmap with nodes and
 * superblocks without the flag start as a cluster, the flag without nodes does not start at all.
 *
 * Left out: whether a node on another host is up (nobody off line can know); arrays that run. */
#include "assembly/inside.h"

#include <string.h>

#include "base/law.h"
#include "base/text.h"

enum { SINGLE_VERSION = 4, CLUSTERED_VERSION = 5, BLOCK_SECTORS = 8 };

bool asm_is_reclustered(const struct asm_plan *plan, uint32_t i)
{
	return plan->verdicts[i] == ASM_IN_SYNC || plan->verdicts[i] == ASM_SPARE;
}

static int check_whole(const struct asm_member *members, const struct asm_plan *plan, struct err *err)
{
	const struct asm_member *ref = &members[plan->freshest];

	for (uint32_t i = 0; i < plan->member_count; i++)
		if (!asm_is_reclustered(plan, i))
			return err_set(err, UMD_E_MEMBER_MISSING,
				       "%s is not in sync: nothing is changed off line before it is; %s",
				       members[i].path, plan->reasons[i]);
	if (plan->degraded)
		return err_set(err, UMD_E_MEMBER_MISSING,
			       "%u of %u members are in sync: all are written off line, so bring the others back first",
			       ref->sb.raid_disks - plan->degraded, ref->sb.raid_disks);
	return 0;
}

/* A single array with something in doubt would have to explain that in a slot of nobody. */
static int check_single(const struct asm_member *members, const struct asm_plan *plan, struct err *err)
{
	const struct asm_member *ref = &members[plan->freshest];

	if (!plan->has_bitmap || plan->bitmap_is_file)
		return err_set(err, UMD_E_BAD_OPTION,
			       "%s: the array has no internal bitmap to begin with: umd grow NAME --bitmap=internal "
			       "gives it one "
			       "while it runs",
			       ref->path);
	if (ref->sb.minor != SB1_2)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: metadata 1.%d has no clustered bitmap: 1.2 has",
			       ref->path, ref->sb.minor == SB1_1);
	if (ref->sb.bitmap_offset_sectors % BLOCK_SECTORS)
		return err_set(
			err, UMD_E_NOT_SUPPORTED,
			"%s: slots lie in blocks of 4096 bytes, and the bitmap is %+d sectors "
			"from the superblock: take it away and give the array a new one while it runs (umd grow NAME)",
			ref->path, ref->sb.bitmap_offset_sectors);
	if (members[plan->bitmap_member].bitmap.write_behind)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: write-behind of %u writes is not possible in a cluster: umd set "
			       "NAME bitmap/backlog 0 ends it",
			       ref->path, members[plan->bitmap_member].bitmap.write_behind);
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (members[i].sb.devflags & FMT_SB1_WRITE_MOSTLY)
			return err_set(
				err, UMD_E_NOT_SUPPORTED,
				"%s is write-mostly, which is not possible in a cluster: umd set NAME MEMBER/state "
				"-writemostly ends it",
				members[i].path);
	if (plan->is_dirty || plan->bitmap_is_stale || plan->action != ASM_NOTHING)
		return err_set(err, UMD_E_BAD_OPTION, "the array becomes clustered when it was stopped cleanly: %s",
			       plan->reason);
	return 0;
}

static int check_wish(const struct asm_recluster *wish, uint32_t nodes, struct err *err)
{
	if (wish->kind != ASM_CLUSTER_END && (nodes < ARR_NODES_MIN || nodes > ARR_NODES_MAX))
		return err_set(err, UMD_E_BAD_OPTION,
			       "a cluster of %u nodes is not possible: a bitmap has slots for %d to %d", nodes,
			       ARR_NODES_MIN, ARR_NODES_MAX);
	if (wish->kind != ASM_CLUSTER_KEEP && wish->chunk_bytes)
		return err_set(err, UMD_E_BAD_OPTION,
			       "chunks of %llu bytes were asked for, and an array that enters or leaves a cluster "
			       "keeps its own: they are changed before or after; nothing has been written",
			       (unsigned long long)wish->chunk_bytes);
	return 0;
}

/* All slots lie clear of everything, on every member that is written; the log is given up. */
static int check_places(const struct asm_member *members, const struct asm_plan *plan, const struct bitmap_sb *head,
			struct err *err)
{
	struct err why = { 0 };

	for (uint32_t i = 0; i < plan->member_count; i++) {
		struct sb1 sb = asm_with_bitmap(&members[i].sb, &members[plan->freshest].sb);

		sb.bblog_offset_sectors = 0;
		if (lay_bitmap_fits(&sb, head, asm_slots_of(head), members[i].size_bytes, &why))
			return err_set(err, UMD_E_BAD_OPTION, "%s: %u slots of %llu bytes do not fit: %s",
				       members[i].path, asm_slots_of(head), (unsigned long long)asm_slot_bytes(head),
				       why.text);
	}
	return 0;
}

int asm_plan_recluster(const struct asm_member *members, const struct asm_plan *plan, const struct asm_recluster *wish,
		       struct asm_reclustered *ret, struct err *err)
{
	const struct bitmap_sb *now = &members[plan->bitmap_member].bitmap;
	struct bitmap_sb head;
	int rc = plan->refusal.code;

	if (rc)
		return err_set(err, rc, "%s", plan->refusal.text);
	if (wish->kind == ASM_CLUSTER_MAKE ? plan->is_node : !plan->is_node)
		return err_set(err, UMD_E_BAD_OPTION, "%s: the array is %s clustered: nothing is changed",
			       members[plan->freshest].path, plan->is_node ? "already" : "not");
	rc = check_whole(members, plan, err);
	if (rc == 0 && wish->kind == ASM_CLUSTER_MAKE)
		rc = check_single(members, plan, err);
	if (rc < 0)
		return rc;
	head = *now;
	head.version = wish->kind == ASM_CLUSTER_END ? SINGLE_VERSION : CLUSTERED_VERSION;
	head.nodes = wish->kind == ASM_CLUSTER_END ? 0 : wish->nodes ? wish->nodes : now->nodes;
	if (wish->cluster_name)
		text_fit(head.cluster_name, sizeof head.cluster_name, "%s", wish->cluster_name);
	rc = check_wish(wish, head.nodes, err);
	if (rc == 0 && wish->chunk_bytes)
		rc = asm_choose_slot_chunk(members, plan, wish->chunk_bytes, &head, err);
	if (rc == 0)
		rc = check_places(members, plan, &head, err);
	if (rc == 0)
		*ret = (struct asm_reclustered){ .kind = wish->kind, .head = head, .was_slots = asm_slots_of(now),
						 .slots = asm_slots_of(&head), .slot_bytes = asm_slot_bytes(&head),
						 .was = *now, .is_rechunked = wish->chunk_bytes };
	return rc;
}

member_off asm_recluster_place(const struct asm_reclustered *r, const struct asm_member *m,
			       const struct asm_member *ref, uint32_t slot)
{
	struct sb1 sb = asm_with_bitmap(&m->sb, &ref->sb);
	member_off at = { 0 };

	MUST(lay_bitmap(&sb, &at));
	return (member_off){ at.bytes + slot * r->slot_bytes };
}

void asm_recluster_head(const struct asm_reclustered *r, const struct sb1 *array, uint64_t events_cleared,
			uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	struct bitmap_sb sb;

	fmt_bitmap_sb_decode(raw, &sb);
	sb.version = r->head.version;
	sb.chunk_bytes = r->head.chunk_bytes;
	sb.nodes = r->head.nodes;
	memcpy(sb.cluster_name, r->head.cluster_name, sizeof sb.cluster_name);
	if (r->kind == ASM_CLUSTER_END) {
		/* A single one is out of date behind its array, and lets back whom every node would have. */
		sb.events = array->events;
		sb.events_cleared = min_u64(events_cleared, array->events);
	} else if (r->kind == ASM_CLUSTER_KEEP && r->slots < r->was_slots) {
		/* What the nodes of slots that go have cleared stays known: nobody who missed it comes back by bits. */
		sb.events_cleared = max_u64(sb.events_cleared, min_u64(events_cleared, array->events));
		sb.events = max_u64(sb.events, sb.events_cleared);
	}
	fmt_bitmap_sb_encode(&sb, raw);
}

void asm_recluster_super(const struct asm_reclustered *r, const struct asm_member *m, const struct asm_member *ref,
			 uint8_t ret_raw[FMT_SB1_BYTES])
{
	struct sb1 sb = asm_with_bitmap(&m->sb, &ref->sb);

	memcpy(ret_raw, m->raw, FMT_SB1_BYTES);
	sb.feature_map &= ~(uint32_t)FMT_SB1_CLUSTERED;
	if (r->kind != ASM_CLUSTER_END)
		sb.feature_map |= FMT_SB1_CLUSTERED;
	sb.bblog_offset_sectors = 0;
	sb.bblog_size_sectors = 0;
	fmt_sb1_encode(&sb, ret_raw);
}
