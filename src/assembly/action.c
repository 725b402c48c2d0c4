/* What the next start does, and how much it copies.
 *
 * A start makes *passes* over the members: the resync (members in sync that may differ) and one for each member that is
 * on its way. All passes walk together, so what is copied is what the longest of them copies:
 *
 *   pass                        copies
 *   resync                      the set chunks, from the checkpoint's on; all from there without a believable bitmap
 *   missed writes               the set chunks
 *   missed too much, new        everything
 *   was being recovered         from its own offset on: the set chunks, or everything
 *   replacement                 everything from its own offset on
 *
 * so every pass begins somewhere, guided by the bitmap or not. The lowest guided one and the lowest full one decide:
 * set chunks count between the two, and all behind the full one. That is exact where the bitmap's chunks lie in the
 * same range as the members' data. RAID10 counts its chunks in the array's range, a member that comes back gets its
 * copies only; of a lockless bitmap's full recovery the unwritten chunks are left out. There the figures are an upper
 * bound.
 *
 * A lockless bitmap says by state what is due, whatever the superblock's checkpoint says. In a cluster a node that died
 * leaves its slot's bits behind, whatever the others made the superblock say: the next node takes slot 0 and brings
 * together what the other slots hold. Of a clean array slot 0 itself has only leftovers of a creation, as long as its
 * events_cleared says that nobody ever wrote through it; after that a node of Linux that joined may have said clean for
 * one that wrote and died. Nobody knows before those bytes were read, so the plan assumes a resync until it is settled.
 * For one node that starts (is_node) the own slot alone is in the plan; other slots are taken over when it is up.
 * Left out: what a reshape or a journal copies. */
#include "assembly/inside.h"

#include <string.h>

#include "base/text.h"
#include "format/raid10.h"

static const struct sb1 *reference(const struct asm_member *members, const struct asm_plan *plan)
{
	return &members[plan->freshest].sb;
}

static const struct bitmap_sb *bitmap_of(const struct asm_member *members, const struct asm_plan *plan)
{
	return plan->has_bitmap ? &members[plan->bitmap_member].bitmap : NULL;
}

static bool is_clustered(const struct asm_member *members, const struct asm_plan *plan)
{
	return plan->has_bitmap && asm_bitmap_is_clustered(bitmap_of(members, plan));
}

static bool is_lockless(const struct asm_member *members, const struct asm_plan *plan)
{
	return plan->has_bitmap && fmt_bitmap_is_lockless(bitmap_of(members, plan));
}

static bool has_full_only(enum asm_verdict verdict)
{
	return verdict == ASM_STALE_FULL || verdict == ASM_REPLACEMENT;
}

/* Is this member on its way to being in sync? */
static bool is_coming(const struct asm_member *members, const struct asm_plan *plan, uint32_t i)
{
	if (plan->verdicts[i] == ASM_REPLACEMENT)
		return asm_is_recovering(&members[i].sb);
	return asm_is_used(plan, i) && plan->verdicts[i] != ASM_IN_SYNC;
}

/* ---- the action and its reason ---- */

static const char *what_is_copied(const struct asm_member *members, const struct asm_plan *plan)
{
	const struct bitmap_sb *b = bitmap_of(members, plan);

	if (!b)
		return "there is no bitmap, so everything from the checkpoint on is copied";
	if (plan->bitmap_is_stale)
		return "the bitmap is out of date, so everything is copied";
	if (fmt_bitmap_is_lockless(b))
		return "only the chunks whose state is due (dirty, need_sync, syncing) are copied";
	if (asm_bitmap_is_clustered(b))
		return "only the chunks set in any node's slot are copied";
	return "only the set chunks are copied";
}

/* Where nobody can say what a start does from superblocks and bitmaps alone. */
static const char *why_nothing_is_claimed(const struct sb1 *ref)
{
	bool is_reshaping = ref->feature_map & (FMT_SB1_RESHAPE | FMT_SB1_RESHAPE_BACKWARDS);

	if (!asm_is_geometry_sane(ref))
		return "layout, chunk size and number of slots make no geometry of this level: Linux does not start it "
		       "either";
	if (is_reshaping && ref->level == 1)
		return "a reshape is recorded: Linux does not start such a mirror either";
	if (is_reshaping)
		return "Linux goes on with the reshape: what that moves is not in the bitmap";
	if (!asm_has_copies(ref))
		return "the level keeps no copies: there is nothing to bring together";
	if (asm_is_dirty(ref) && ref->feature_map & FMT_SB1_JOURNAL)
		return "Linux replays the write journal: what that writes is not in the bitmap";
	if (asm_is_dirty(ref) && ref->feature_map & (FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS))
		return "Linux recovers parity from the partial parity log: what that writes is not in the bitmap";
	return NULL;
}

static bool is_never_used(const struct asm_member *members, const struct asm_plan *plan)
{
	return plan->has_bitmap && fmt_bitmap_is_uninitialised(bitmap_of(members, plan));
}

static const char *who_is_left_out(const struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (plan->verdicts[i] == ASM_AWAY)
			return plan->reasons[i];
	return NULL;
}

static void give_reason(const struct asm_member *members, struct asm_plan *plan, uint32_t coming)
{
	const struct sb1 *ref = reference(members, plan);
	const char *filter = what_is_copied(members, plan);
	const char *parity = asm_has_parity(ref) ? " (parity is computed anew there)" : "";

	if (plan->action == ASM_RECOVER)
		text_fit(plan->reason, sizeof plan->reason, "%s", plan->reasons[coming]);
	else if (is_never_used(members, plan))
		text_fit(plan->reason, sizeof plan->reason,
			 "the lockless bitmap was never initialised: Linux sets its states anew, nothing is copied");
	else if (plan->action == ASM_RESYNC && plan->is_by_state)
		text_fit(plan->reason, sizeof plan->reason, "the lockless bitmap decides: %s%s", filter, parity);
	else if (plan->action == ASM_RESYNC && plan->is_by_slots && !plan->leaves_own_bits)
		text_fit(plan->reason, sizeof plan->reason,
			 "the array was stopped cleanly by one node, but slots still hold set chunks of nodes that "
			 "wrote: the node that starts brings those together");
	else if (plan->action == ASM_RESYNC && plan->is_by_slots)
		text_fit(plan->reason, sizeof plan->reason,
			 "the array was stopped cleanly, but slots of other nodes still hold set chunks: the node that "
			 "starts (slot 0) brings those together");
	else if (plan->action == ASM_RESYNC && !ref->events)
		text_fit(plan->reason, sizeof plan->reason, "the array is new and its members were never synced; %s%s",
			 filter, parity);
	else if (plan->action == ASM_RESYNC && is_clustered(members, plan) && !plan->bitmap_is_stale)
		text_fit(plan->reason, sizeof plan->reason,
			 "in a cluster the slots tell what is in doubt, however its nodes ended; %s", filter);
	else if (plan->action == ASM_RESYNC)
		text_fit(plan->reason, sizeof plan->reason, "the array was not stopped cleanly; %s%s", filter,
			 parity);
	else if (who_is_left_out(plan))
		text_fit(plan->reason, sizeof plan->reason, "%s", who_is_left_out(plan));
	else if (asm_is_dirty(ref))
		text_fit(plan->reason, sizeof plan->reason,
			 "the array was not stopped cleanly, but only one member is here: nothing to compare with");
	else
		text_fit(plan->reason, sizeof plan->reason,
			 "the array was stopped cleanly: its members agree, whatever bits are left set");
}

/* Does a figure count more than is copied? See the head. */
static bool is_upper_bound(const struct asm_member *members, const struct asm_plan *plan)
{
	bool is_guided = plan->has_bitmap && !plan->bitmap_is_stale, is_bound = false;

	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (!is_coming(members, plan, i))
			continue;
		is_bound |= reference(members, plan)->level == 10 && is_guided && !has_full_only(plan->verdicts[i]);
		is_bound |= is_lockless(members, plan) && (has_full_only(plan->verdicts[i]) || plan->bitmap_is_stale);
	}
	return is_bound || (plan->is_by_state && plan->bitmap_is_stale);
}

void asm_decide(const struct asm_member *members, struct asm_plan *plan)
{
	const struct sb1 *ref = reference(members, plan);
	const char *nothing = why_nothing_is_claimed(ref);
	uint32_t in_slots = 0, coming = plan->member_count;
	bool has_states = is_lockless(members, plan) && !is_never_used(members, plan);

	plan->is_active = ref->resync_offset_sectors == 0;
	for (uint32_t i = 0; i < plan->member_count; i++) {
		in_slots += asm_is_used(plan, i) && plan->verdicts[i] != ASM_REPLACEMENT;
		if (plan->verdicts[i] == ASM_IN_SYNC && members[i].sb.events != ref->events)
			plan->is_active = false;	/* its superblock may still say clean */
		if (is_coming(members, plan, i))
			coming = i;
	}
	if (nothing) {
		text_fit(plan->reason, sizeof plan->reason, "%s", nothing);
		return;
	}
	if (in_slots > 1 && asm_is_dirty(ref) && !is_never_used(members, plan)) {
		plan->is_dirty = true;
		plan->resync_offset = asm_bytes(ref->resync_offset_sectors);
	}
	if (is_clustered(members, plan))
		plan->leaves_own_bits = !asm_is_dirty(ref) && !plan->bitmap_is_stale &&
					!asm_own_bitmap(members, plan)->events_cleared;
	if (plan->is_node) {
		plan->is_dirty = in_slots > 1 && !plan->leaves_own_bits;
		plan->resync_offset = plan->is_dirty ? 0 : OFF_NONE;
	}
	plan->is_by_state = has_states && in_slots > 1;
	plan->is_by_slots = is_clustered(members, plan) && !plan->is_node && !plan->bitmap_is_stale && in_slots > 1 &&
			    !asm_is_dirty(ref) && coming == plan->member_count;
	plan->action = coming < plan->member_count ? ASM_RECOVER :
		       plan->is_dirty || plan->is_by_state || plan->is_by_slots ? ASM_RESYNC :
										  ASM_NOTHING;
	plan->is_upper_bound = is_upper_bound(members, plan);
	give_reason(members, plan, coming);
}

void asm_settle(struct asm_plan *plan, uint64_t due_chunks)
{
	if (!(plan->is_by_state || plan->is_by_slots) || plan->action != ASM_RESYNC || plan->bitmap_is_stale ||
	    due_chunks)
		return;
	plan->action = ASM_NOTHING;
	text_fit(plan->reason, sizeof plan->reason, "%s",
		 plan->is_by_state ? "no chunk of the lockless bitmap is due: the members agree" :
		 !plan->leaves_own_bits ? "the array was stopped cleanly, and no slot holds a set chunk: its members "
					  "agree" :
				     "the array was stopped cleanly, and no slot of another node holds a set chunk: "
				     "its members agree");
}

uint32_t asm_first_due_slot(const struct asm_plan *plan)
{
	return plan->is_by_slots && plan->leaves_own_bits ? 1 : 0;
}

/* ---- what would be copied ---- */

bool asm_bitmap_to_read(const struct asm_member *members, const struct asm_plan *plan, uint32_t *ret_member,
			member_off *ret_at, uint64_t *ret_len_bytes)
{
	if (!plan->has_bitmap || (plan->refusal.code && !plan->is_unsupported))
		return false;
	*ret_member = plan->bitmap_member;
	if (plan->is_node && plan->slot_state != ASM_SLOT_GOOD)
		return false;
	*ret_at = members[plan->bitmap_member].bitmap_at;
	if (plan->is_node)
		ret_at->bytes += plan->node_slot * asm_slot_bytes(&members[plan->bitmap_member].bitmap);
	*ret_len_bytes = fmt_bitmap_bytes(asm_own_bitmap(members, plan));
	return true;
}

/* Where the lowest guided and the lowest full pass begin; OFF_NONE: there is none. */
struct passes {
	uint64_t guided, full;
};

static void add_pass(struct passes *p, bool is_guided, uint64_t from)
{
	if (is_guided)
		p->guided = min_u64(p->guided, from);
	else
		p->full = min_u64(p->full, from);
}

/* As the array will load it: with everybody here bits from the checkpoint on count, and the chunk that ends there; else
 * all of them. Whole chunks. */
static uint64_t resync_from(const struct asm_member *members, const struct asm_plan *plan)
{
	const struct bitmap_sb *b = bitmap_of(members, plan);
	uint64_t chunk;

	if (!b)
		return plan->resync_offset;
	if (plan->degraded || plan->is_by_state || is_clustered(members, plan))
		return 0;
	chunk = div_up(plan->resync_offset, b->chunk_bytes);
	return (chunk ? chunk - 1 : 0) * b->chunk_bytes;
}

static struct passes passes_of(const struct asm_member *members, const struct asm_plan *plan)
{
	struct passes p = { OFF_NONE, OFF_NONE };
	bool is_guided = plan->has_bitmap && !plan->bitmap_is_stale;
	/* An offset on a RAID10 member is none in the bitmap's range. */
	bool has_one_range = reference(members, plan)->level != 10;

	if (plan->action == ASM_NOTHING || (plan->refusal.code && !plan->is_unsupported))
		return p;
	if (plan->is_dirty || ((plan->is_by_state || plan->is_by_slots) && plan->action == ASM_RESYNC))
		add_pass(&p, is_guided, resync_from(members, plan));
	for (uint32_t i = 0; i < plan->member_count; i++) {
		const struct sb1 *sb = &members[i].sb;
		bool goes_on = plan->verdicts[i] == ASM_RECOVERING || plan->verdicts[i] == ASM_REPLACEMENT;
		bool may_be_guided = plan->verdicts[i] == ASM_STALE_BITMAP ||
				     (plan->verdicts[i] == ASM_RECOVERING && sb->feature_map & FMT_SB1_RECOVERY_BITMAP);

		if (!is_coming(members, plan, i))
			continue;
		if (is_guided && may_be_guided)
			add_pass(&p, true, goes_on && has_one_range ? asm_recovery_offset(sb) : 0);
		else
			add_pass(&p, false, goes_on ? asm_recovery_offset(sb) : 0);
	}
	return p;
}

bool asm_bitmap_reach(const struct asm_member *members, const struct asm_plan *plan, struct asm_reach *ret_reach)
{
	struct passes p = passes_of(members, plan);
	bool has_one_range = reference(members, plan)->level != 10;

	if (p.guided == OFF_NONE || (has_one_range && p.full <= p.guided))
		return false;
	*ret_reach = (struct asm_reach){ p.guided, has_one_range ? p.full : OFF_NONE };
	return true;
}

/* A resync walks the range that the bitmap covers, a recovery what is used of the member. */
static uint64_t full_sectors(const struct sb1 *ref, enum asm_action action)
{
	struct raid10 g;

	if (action == ASM_RESYNC)
		return lay_sync_sectors(ref);
	return lay_raid10(ref, &g) ? g.member_chunks * g.chunk_sectors : ref->size_sectors;
}

uint64_t asm_bytes_in_full(const struct asm_member *members, const struct asm_plan *plan)
{
	struct passes p = passes_of(members, plan);
	uint64_t sectors = full_sectors(reference(members, plan), plan->action);

	if (p.full == OFF_NONE)
		return 0;
	return asm_bytes(sectors) - min_u64(p.full, asm_bytes(sectors));
}
