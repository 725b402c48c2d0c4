/* One node's own slot: where it lies, whether what lies there is believed, and from which member it is read.
 *
 * The first slot is looked at with the member, as of any array: it says how many slots there are and how far apart.
 * Which one is ours is known only when the cluster has given it; then its superblock is read on every member and the
 * members are judged once more:
 *
 *   on the reference   on another in sync   the own slot is
 *   good               any                  read from the reference
 *   empty or bad       good                 read there: a member that was added by mdadm has some slots only
 *   empty              empty                made anew, without bits: nobody ever wrote through it
 *   otherwise                               bad: everything is in doubt (refused where none could be read)
 *
 * Words: *empty* is zeroes in front. Events of a slot may be far behind the array's: a node that was away wrote nothing
 * (the rule that a bitmap older than its array is out of date does not hold here). Left out: the slots of other nodes,
 * which the array takes over (array/takeover.c); what superblocks say later (reread.c). */
#include "assembly/inside.h"

#include <string.h>

uint64_t asm_slot_bytes(const struct bitmap_sb *b)
{
	return lay_slot_bytes(b->sync_size_sectors, b->chunk_bytes);
}

static bool has_slots(const struct asm_member *m)
{
	return m->has_bitmap && !m->bitmap_error.code && m->kind == ASM_MEMBER && asm_bitmap_is_clustered(&m->bitmap);
}

bool asm_wants_slot(const struct asm_member *m, uint32_t slot, member_off *ret_at)
{
	if (!slot || !has_slots(m) || slot >= m->bitmap.nodes)
		return false;
	*ret_at = lay_slot(m->bitmap_at, m->bitmap.sync_size_sectors, m->bitmap.chunk_bytes, slot);
	return true;
}

static bool is_zero(const uint8_t *raw, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		if (raw[i])
			return false;
	return true;
}

void asm_take_slot(struct asm_member *m, const uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	struct bitmap_sb *s = &m->slot;

	fmt_bitmap_sb_decode(raw, s);
	if (is_zero(raw, FMT_BITMAP_SB_BYTES))
		m->slot_state = ASM_SLOT_EMPTY;
	else if (fmt_bitmap_sb_check(s, m->bitmap.uuid, NULL) || s->version != m->bitmap.version ||
		 s->chunk_bytes != m->bitmap.chunk_bytes)
		m->slot_state = ASM_SLOT_BAD;
	else
		m->slot_state = ASM_SLOT_GOOD;
	/* The first slot speaks for all of them. */
	s->sync_size_sectors = m->bitmap.sync_size_sectors;
	s->nodes = m->bitmap.nodes;
	memcpy(s->cluster_name, m->bitmap.cluster_name, sizeof s->cluster_name);
}

/* ---- the judgement ---- */

bool asm_check_cluster(const struct asm_member *source, const struct asm_options *o, struct asm_plan *plan)
{
	const struct bitmap_sb *b = &source->bitmap;
	bool is_clustered = plan->has_bitmap && !plan->bitmap_is_file && asm_bitmap_is_clustered(b);

	if (!o->is_node && !o->is_look)
		return true;		/* refused by its kind already */
	plan->node_slot = o->node_slot;
	if (!is_clustered && source->sb.feature_map & FMT_SB1_CLUSTERED)
		err_set(&plan->refusal, UMD_E_BAD_BITMAP,
			"%s: the superblock says that the array is clustered (feature map 0x%x), its bitmap has "
			"version %u and %u nodes: one of them is damaged, nothing is started",
			source->path, source->sb.feature_map, b->version, b->nodes);
	else if (!o->is_node)
		return true;
	else if (!is_clustered)
		err_set(&plan->refusal, UMD_E_BAD_OPTION,
			"%s: the array has no clustered bitmap: it is started without --cluster, by one host alone",
			source->path);
	else if (o->prefer)
		err_set(&plan->refusal, UMD_E_BAD_OPTION,
			"%s is to be preferred, and one node of a cluster does not choose between histories: start "
			"without the other members, and add them when it runs",
			o->prefer);
	else if (o->node_slot >= b->nodes)
		err_set(&plan->refusal, UMD_E_BAD_OPTION,
			"%s: slot %u was given to this node, and the bitmap has slots for %u nodes: nothing is started",
			source->path, o->node_slot, b->nodes);
	return !plan->refusal.code;
}

static enum asm_slot_state state_on(const struct asm_member *m, const struct asm_plan *plan, const struct bitmap_sb *b)
{
	if (!plan->node_slot)
		return has_slots(m) && m->bitmap.chunk_bytes == b->chunk_bytes ? ASM_SLOT_GOOD : ASM_SLOT_BAD;
	if (m->slot_state == ASM_SLOT_GOOD && m->bitmap.chunk_bytes != b->chunk_bytes)
		return ASM_SLOT_BAD;
	return m->slot_state;
}

/* Of one that is not there or not believed the first slot's, as it was created. */
static void take_own_bitmap(const struct asm_member *members, struct asm_plan *plan)
{
	const struct asm_member *m = &members[plan->bitmap_member];

	plan->own_slot = m->bitmap;
	if (plan->slot_state == ASM_SLOT_GOOD) {
		plan->own_slot = plan->node_slot ? m->slot : m->bitmap;
		return;
	}
	plan->own_slot.state = 0;
	plan->own_slot.events = plan->slot_state == ASM_SLOT_BAD ? members[plan->freshest].sb.events : 0;
	plan->own_slot.events_cleared = plan->own_slot.events;
}

const struct bitmap_sb *asm_own_bitmap(const struct asm_member *members, const struct asm_plan *plan)
{
	return plan->is_node ? &plan->own_slot : &members[plan->bitmap_member].bitmap;
}

bool asm_find_own_slot(const struct asm_member *members, struct asm_plan *plan,
		       bool may_lend(const struct asm_member *m, const struct asm_member *ref))
{
	const struct asm_member *source = &members[plan->bitmap_member], *ref = &members[plan->freshest];
	enum asm_slot_state state = state_on(source, plan, &source->bitmap);

	for (uint32_t i = 0; state != ASM_SLOT_GOOD && i < plan->member_count; i++) {
		enum asm_slot_state found;

		if (&members[i] == source || !may_lend(&members[i], ref))
			continue;
		found = state_on(&members[i], plan, &source->bitmap);
		if (found == ASM_SLOT_GOOD)
			plan->bitmap_member = i;
		state = found == ASM_SLOT_GOOD || found == state ? found : ASM_SLOT_BAD;
	}
	plan->slot_state = state;
	take_own_bitmap(members, plan);
	if (state == ASM_SLOT_UNREAD)
		err_set(&plan->refusal, UMD_E_BAD_BITMAP, "%s: the bitmap of slot %u could not be read on any member",
			source->path, plan->node_slot);
	return !plan->refusal.code;
}

void asm_empty_slot(const struct bitmap_sb *of, uint8_t ret_raw[FMT_BITMAP_SB_BYTES])
{
	struct bitmap_sb s = *of;

	s.state = 0;
	s.events = 0;
	s.events_cleared = 0;
	fmt_bitmap_sb_encode(&s, ret_raw);
}

bool asm_lacks_own_slot(const struct asm_member *members, const struct asm_plan *plan)
{
	const struct bitmap_sb *b = &members[plan->bitmap_member].bitmap;

	for (uint32_t i = 0; i < plan->member_count; i++)
		if ((asm_is_used(plan, i) || plan->verdicts[i] == ASM_SPARE) &&
		    state_on(&members[i], plan, b) != ASM_SLOT_GOOD)
			return true;
	return false;
}
