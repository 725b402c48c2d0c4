/* What the next start does with one chunk, by the judgement that examine and serve follow.
 *
 * The start makes passes (see assembly): the resync, over the members in sync, and one for each member that comes back.
 * For this chunk each pass asks the same three questions:
 *
 *   does it reach the chunk?      resync: from the checkpoint's chunk on; a recovery: from the member's own offset on
 *   does the bitmap guide it?     then only when the chunk is set (due) in any slot
 *   was the chunk ever written?   what a lockless bitmap calls unwritten is never copied
 *
 * Who is read: RAID1 reads the member in sync with the lowest slot, RAID10 the same among those that hold the copy when
 * there is only one copy to make; parity is computed from all. Left out: reshapes, journals (the judgement claims no
 * action for them). */
#include "look/why_inside.h"

#define BIT(i) (UINT64_C(1) << (i))

static const struct sb1 *believed(const struct why *w)
{
	return &w->judged[w->plan.freshest].sb;
}

static bool is_guided(const struct why *w)
{
	return w->plan.has_bitmap && !w->plan.bitmap_is_stale;
}

static bool is_lockless(const struct why *w)
{
	return w->plan.has_bitmap && fmt_bitmap_is_lockless(&w->judged[w->plan.bitmap_member].bitmap);
}

/* Told by a lockless bitmap: nothing is there. */
static bool is_unwritten(const struct why *w)
{
	enum lockless_state state;

	if (!is_lockless(w) || !w->reference->bit_count)
		return false;
	state = w->reference->bits[0].state;
	return state != LOCKLESS_CLEAN && !fmt_lockless_is_due(state);
}

/* Set in a slot whose chunks are due: after a clean stop of a cluster those of other nodes than the first. */
static bool is_due_in_a_slot(const struct why *w)
{
	for (uint32_t i = 0; i < w->reference->bit_count; i++)
		if (w->reference->bits[i].is_set && w->reference->bits[i].slot >= asm_first_due_slot(&w->plan))
			return true;
	return false;
}

/* As the array will load it: the chunk that ends at the checkpoint still counts, and every one when somebody is
 * missing. */
static bool is_reached_by_resync(const struct why *w)
{
	const struct asm_plan *p = &w->plan;
	uint64_t end = w->first_byte + w->length_bytes;

	if (p->is_by_state)
		return p->action == ASM_RESYNC && (w->reference->is_set || p->bitmap_is_stale);
	if (p->is_by_slots)
		return p->action == ASM_RESYNC && is_due_in_a_slot(w);
	if (!p->is_dirty)
		return false;
	if (!p->has_bitmap)
		return end > p->resync_offset;
	if (p->degraded || asm_bitmap_is_clustered(&w->judged[p->bitmap_member].bitmap))
		return true;
	return w->first_byte + w->reference->chunk_bytes >= p->resync_offset;
}

static bool is_resynced(const struct why *w)
{
	return is_reached_by_resync(w) && (!is_guided(w) || w->reference->is_set);
}

/* Does a recovery that goes on at its own offset still reach the chunk on this member? */
static bool is_reached_on(const struct why *w, uint32_t i)
{
	const struct sb1 *sb = &w->judged[i].sb;
	uint64_t from = look_sectors_bytes(sb->data_offset_sectors);
	const struct why_data *d = &w->who[i]->data;

	if (!(sb->feature_map & FMT_SB1_RECOVERY_OFFSET) ||
	    !add_fits(from, look_sectors_bytes(sb->recovery_offset_sectors), &from))
		return true;
	for (uint32_t k = 0; k < d->count; k++)
		if (d->pieces[k].at.bytes + d->pieces[k].len_bytes > from)
			return true;
	return d->is_truncated;
}

static bool is_recovered(const struct why *w, uint32_t i)
{
	const struct sb1 *sb = &w->judged[i].sb;

	if (!w->who[i]->data.count)
		return false;
	switch (w->plan.verdicts[i]) {
	case ASM_STALE_FULL:
		return true;
	case ASM_STALE_BITMAP:
		return !is_guided(w) || w->reference->is_set;
	case ASM_RECOVERING:
		return is_reached_on(w, i) &&
		       (!is_guided(w) || !(sb->feature_map & FMT_SB1_RECOVERY_BITMAP) || w->reference->is_set);
	case ASM_REPLACEMENT:
		return sb->feature_map & FMT_SB1_RECOVERY_OFFSET && is_reached_on(w, i);
	default:
		return false;
	}
}

/* The members in sync that hold something of the chunk. */
static uint64_t holders(const struct why *w)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < w->judged_count; i++)
		if (w->plan.verdicts[i] == ASM_IN_SYNC && w->who[i]->data.count)
			mask |= BIT(i);
	return mask;
}

static uint32_t lowest_slot(const struct why *w, uint64_t mask)
{
	uint32_t best = WHY_NOBODY, best_slot = UINT32_MAX;

	for (uint32_t i = 0; i < w->judged_count; i++) {
		const struct sb1 *sb = &w->judged[i].sb;

		if (mask & BIT(i) && sb->dev_roles[sb->dev_number] < best_slot) {
			best = i;
			best_slot = sb->dev_roles[sb->dev_number];
		}
	}
	return best;
}

/* Is there one member to be read for the whole chunk? */
static bool has_one_source(const struct why *w)
{
	const struct sb1 *sb = believed(w);
	uint64_t chunk_bytes = look_sectors_bytes(sb->chunk_sectors);

	if (sb->level == 1)
		return true;
	return sb->level == 10 && chunk_bytes &&
	       w->first_byte / chunk_bytes == (w->first_byte + w->length_bytes - 1) / chunk_bytes;
}

static void find_copying(struct why *w)
{
	uint64_t in_sync = holders(w);

	w->from = has_one_source(w) ? lowest_slot(w, in_sync) : WHY_NOBODY;
	if (is_unwritten(w))
		return;
	for (uint32_t i = 0; i < w->judged_count; i++)
		if (is_recovered(w, i))
			w->to |= BIT(i);
	if (is_resynced(w))
		w->to |= in_sync & ~(w->from == WHY_NOBODY ? 0 : BIT(w->from));
	w->is_copied = w->to;
}

/* ---- the reason ---- */

static void tell_recovery(struct why *w)
{
	for (uint32_t i = 0; i < w->judged_count; i++)
		if (w->to & BIT(i) && w->plan.verdicts[i] != ASM_IN_SYNC) {
			text_add(&w->reason, "%s", w->plan.reasons[i]);
			return;
		}
}

static void tell_copied(struct why *w)
{
	const struct asm_plan *p = &w->plan;

	if (p->action == ASM_RECOVER && !is_resynced(w))
		tell_recovery(w);
	else if (p->has_bitmap && p->bitmap_is_stale)
		text_add(&w->reason, "the array was not stopped cleanly, and its bitmap is out of date (event %llu, "
			 "the array's is %llu): everything is copied, whatever the bit says",
			 (unsigned long long)w->judged[p->bitmap_member].bitmap.events,
			 (unsigned long long)believed(w)->events);
	else if (!p->has_bitmap)
		text_add(&w->reason, "the array was not stopped cleanly and is started without a bitmap: everything "
			 "from the checkpoint on is copied");
	else if (p->is_by_slots && !p->leaves_own_bits)
		text_add(&w->reason, "the array was stopped cleanly by one node, but a slot that a node wrote through "
			 "still holds the chunk: the node that starts brings it together");
	else if (p->is_by_slots)
		text_add(&w->reason, "the array was stopped cleanly, but the slot of another node still holds the "
			 "chunk: the node that starts (slot 0) brings it together");
	else if (p->is_by_state)
		text_add(&w->reason, "the lockless bitmap decides by its states, and this one is due");
	else if (p->has_bitmap && asm_bitmap_is_clustered(&w->judged[p->bitmap_member].bitmap))
		text_add(&w->reason, "in a cluster the slots tell what is in doubt, and one of them holds the chunk");
	else
		text_add(&w->reason, "the array was not stopped cleanly");
}

static void tell_left_alone(struct why *w)
{
	const struct asm_plan *p = &w->plan;
	bool is_set = w->reference->is_set;

	if (is_unwritten(w))
		text_add(&w->reason, "the chunk was never written, so nothing of it is copied");
	else if (p->action == ASM_NOTHING && is_set && believed(w)->resync_offset_sectors == FMT_SB1_RESYNC_NONE)
		text_add(&w->reason, "the array was stopped cleanly, so md leaves it alone although the bit is set");
	else if (p->is_by_slots && is_set)
		text_add(&w->reason, "the array was stopped cleanly and only slot 0, which the node that starts takes, "
			 "holds the chunk: md leaves it alone");
	else if (p->action == ASM_NOTHING)
		text_add(&w->reason, "%s", p->reason);
	else if (is_guided(w) && !is_set)
		text_add(&w->reason, "md leaves it alone, because the bitmap says that the members agree there");
	else if (p->is_dirty && !is_reached_by_resync(w))
		text_add(&w->reason, "the chunk lies before byte %llu, up to which the members were brought together "
			 "already", (unsigned long long)p->resync_offset);
	else
		text_add(&w->reason, "the chunk is not in what is left to copy: %s", p->reason);
}

/* A bitmap in a file counts only for a start that names it. */
static void tell_file(struct why *w)
{
	const struct look_examined *e = &w->reference->source.e;

	if (e->look.kind != ASM_BITMAP_FILE || w->plan.action == ASM_NOTHING)
		return;
	if (e->look.bitmap.events < believed(w)->events || e->look.bitmap.state & FMT_BITMAP_STALE)
		text_add(&w->file_reason, "; the bitmap file %s is out of date and changes nothing", e->shown);
	else
		text_add(&w->file_reason, "; a start by Linux that names the bitmap file %s %s", e->shown,
			 w->reference->is_set ? "copies the chunk as well" : "leaves it alone");
}

/* Without anybody to judge: whoever keeps the metadata knows. */
static void tell_without_members(struct why *w)
{
	if (w->external)
		text_add(&w->reason, "the metadata is kept elsewhere: whoever starts the array says whether it was "
			 "stopped cleanly, and only if not are set chunks copied");
	else
		text_add(&w->reason, "no member of the array was given: only with one can be told whether it was "
			 "stopped cleanly");
}

void look_why_next_start(struct why *w)
{
	w->from = WHY_NOBODY;
	if (!w->judged_count) {
		tell_without_members(w);
		return;
	}
	if (w->plan.refusal.code && !w->plan.is_unsupported) {
		text_add(&w->reason, "nothing is started: %s", w->plan.refusal.text);
		return;
	}
	find_copying(w);
	if (w->is_copied)
		tell_copied(w);
	else
		tell_left_alone(w);
	tell_file(w);
}
