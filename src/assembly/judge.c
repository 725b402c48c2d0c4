/* Which members are believed, and what the next start does.
 *
 * The judgement has stages, each of which may refuse: superblocks of one array, numbers that are possible, the
 * reference, the bitmap, every other member's story (story.c), places and missing slots (places.c), enough members
 * (levels.c); then the action (action.c). A refusal keeps what was found out before, so that examine can show it.
 *
 * What umd does not start (supported.c) is not such an end: it is kept aside while the stages go on, so that a person
 * hears what Linux would do, and becomes the refusal when no stage had a harder one. Words as in story.c.
 * Source: specification of the array, section 2; laws I5, I9. */
#include "assembly/inside.h"

#include <string.h>

#include "base/text.h"

bool asm_is_usable(const struct asm_member *m)
{
	return m->has_superblock && !m->error.code;
}

/* ---- stage 1: superblocks, one array ---- */

static void set_aside(const struct asm_member *m, struct asm_plan *plan, uint32_t i)
{
	struct err err;

	if (asm_is_map_file(m))
		return;			/* its turn comes when the array is known */
	asm_why_no_member(m, &err);
	SAY(plan, i, ASM_UNUSABLE, "%s", err.text);
}

static bool find_arrays(const struct asm_member *members, struct asm_plan *plan)
{
	uint32_t first = plan->member_count;
	char one[36], other[36];

	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (!asm_is_usable(&members[i])) {
			set_aside(&members[i], plan, i);
			continue;
		}
		if (first == plan->member_count) {
			first = i;
		} else if (memcmp(members[i].sb.set_uuid, members[first].sb.set_uuid, 16)) {
			fmt_uuid_text(members[first].sb.set_uuid, one);
			fmt_uuid_text(members[i].sb.set_uuid, other);
			plan->verdicts[i] = ASM_FOREIGN;
			err_set(&plan->refusal, UMD_E_SEVERAL_ARRAYS,
				"%s belongs to array %s and %s to array %s: give the members of one array",
				members[first].path, one, members[i].path, other);
		}
	}
	if (!plan->member_count) {
		err_set(&plan->refusal, UMD_E_NO_MEMBER, "no member was given");
	} else if (first == plan->member_count) {
		asm_why_no_member(&members[0], &plan->refusal);
		plan->refusal.code = plan->member_count == 1 ? plan->refusal.code : UMD_E_NO_MEMBER;
	}
	return !plan->refusal.code;
}

/* Something that is no member at all may be the wrong file: always refused. A broken member is left out when
 * the user insists, or only looks. */
static bool all_usable(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	bool may_leave_out = o->may_run_degraded || o->is_readonly;

	for (uint32_t i = 0; i < plan->member_count; i++) {
		struct err why;

		if (plan->verdicts[i] != ASM_UNUSABLE)
			continue;
		asm_why_no_member(&members[i], &why);
		if (may_leave_out && why.code != UMD_E_NO_SUPERBLOCK)
			continue;
		err_set(&plan->refusal, why.code, "%s%s", why.text,
			why.code == UMD_E_NO_SUPERBLOCK ? "" : "; --run starts without it");
		return false;
	}
	return true;
}

static bool all_possible(const struct asm_member *members, struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_usable(&members[i]) && asm_check_possible(&members[i], &plan->refusal))
			return false;
	return true;
}

/* The first thing that umd does not start. */
static void find_unsupported(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan,
			     struct err *ret_unsupported)
{
	for (uint32_t i = 0; i < plan->member_count && !ret_unsupported->code; i++)
		if (asm_is_usable(&members[i]))
			asm_check_supported(&members[i], o->is_node || o->is_look, ret_unsupported);
	plan->is_unsupported = ret_unsupported->code;
}

/* ---- stage 2: the reference ---- */

static bool may_be_reference(const struct asm_member *m)
{
	return asm_is_usable(m) && asm_is_slot(&m->sb, asm_own_role(&m->sb)) && !asm_is_recovering(&m->sb);
}

static bool is_fresher(const struct sb1 *a, const struct sb1 *b, bool is_of_nodes)
{
	if (a->events != b->events)
		return a->events > b->events;
	if (is_of_nodes && asm_is_left_behind(a, b) != asm_is_left_behind(b, a))
		return asm_is_left_behind(b, a);
	if (asm_own_role(a) != asm_own_role(b))
		return asm_own_role(a) < asm_own_role(b);
	return !(a->feature_map & FMT_SB1_REPLACEMENT) && b->feature_map & FMT_SB1_REPLACEMENT;
}

static bool find_reference(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	uint32_t best = plan->member_count;

	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (!may_be_reference(&members[i]))
			continue;
		if (o->prefer && !strcmp(o->prefer, members[i].path)) {
			best = i;
			break;
		}
		if (best == plan->member_count || is_fresher(&members[i].sb, &members[best].sb, plan->is_of_nodes))
			best = i;
	}
	if (best == plan->member_count) {
		err_set(&plan->refusal, UMD_E_NO_MEMBER,
			"none of the %u members given is in sync (spares and members in mid-recovery cannot start an "
			"array): give one that is",
			plan->member_count);
		return false;
	}
	if (o->prefer && strcmp(o->prefer, members[best].path)) {
		err_set(&plan->refusal, UMD_E_NO_MEMBER,
			"%s is to be preferred, but it is not in sync itself: it has no story to keep; %s has (event "
			"%llu)",
			o->prefer, members[best].path, (unsigned long long)members[best].sb.events);
		return false;
	}
	plan->freshest = best;
	plan->has_freshest = true;
	return true;
}

/* ---- stage 3: the bitmap ---- */

static bool has_good_bitmap(const struct asm_member *m)
{
	return m->has_bitmap && !m->bitmap_error.code;
}

/* Another one in sync, at the same event, of the same story, whose bits cover the same range (I3). */
static bool may_lend_bitmap(const struct asm_member *m, const struct asm_member *ref)
{
	return may_be_reference(m) && has_good_bitmap(m) && m->sb.events == ref->sb.events &&
	       m->sb.size_sectors == ref->sb.size_sectors &&
	       asm_role_of(&ref->sb, m->sb.dev_number) == asm_own_role(&m->sb) && asm_counts_active(&m->sb, &ref->sb);
}

/* Nodes that are away leave their slots behind, and a lockless bitmap that was never used has no events of its own. */
static bool is_out_of_date(const struct bitmap_sb *b, const struct sb1 *ref)
{
	if (fmt_bitmap_is_uninitialised(b))
		return false;
	return b->state & FMT_BITMAP_STALE || (b->events < ref->events && !asm_bitmap_is_clustered(b));
}

/* The reference's, or another one's when the reference's cannot be believed; or that of the file. */
static bool find_bitmap(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan,
			struct err *unsupported)
{
	const struct asm_member *ref = &members[plan->freshest], *source = ref;

	plan->bitmap_member = plan->freshest;
	plan->has_bitmap = ref->sb.feature_map & FMT_SB1_BITMAP;
	if (!asm_find_file(members, plan))
		return false;
	if (!plan->has_bitmap)
		return asm_check_cluster(ref, o, plan);
	if (plan->bitmap_is_file)
		source = &members[plan->bitmap_member];
	for (uint32_t i = 0; !has_good_bitmap(source) && i < plan->member_count; i++)
		if (may_lend_bitmap(&members[i], ref)) {
			plan->bitmap_member = i;
			source = &members[i];
		}
	if (!has_good_bitmap(source)) {
		plan->refusal = ref->bitmap_error;
		if (!plan->refusal.code)
			err_set(&plan->refusal, UMD_E_BAD_BITMAP, "%s: the bitmap could not be read", ref->path);
		return false;
	}
	if (!unsupported->code &&
	    asm_check_bitmap_supported(source, &ref->sb, o->is_node || o->is_look, unsupported))
		plan->is_unsupported = true;
	if (!asm_check_cluster(source, o, plan) ||
	    (o->is_node && !asm_find_own_slot(members, plan, may_lend_bitmap)))
		return false;
	plan->bitmap_is_stale = is_out_of_date(asm_own_bitmap(members, plan), &ref->sb) ||
				plan->slot_state == ASM_SLOT_BAD;
	if (plan->bitmap_is_file)
		return true;
	return lay_bitmap_fits(&ref->sb, &source->bitmap, asm_slots_of(&source->bitmap), ref->size_bytes,
			       &plan->refusal) == 0;
}

/* ---- all stages ---- */

static bool says_clustered(const struct asm_member *members, const struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_usable(&members[i]) && members[i].sb.feature_map & FMT_SB1_CLUSTERED)
			return true;
	return false;
}

void asm_judge(const struct asm_member *members, uint32_t count, const struct asm_options *options,
	       struct asm_plan *plan)
{
	struct err unsupported = { 0 };

	memset(plan, 0, sizeof *plan);
	plan->member_count = count < ARR_MEMBERS_MAX ? count : ARR_MEMBERS_MAX;
	plan->resync_offset = OFF_NONE;
	plan->is_node = options->is_node;
	plan->is_of_nodes = options->is_node || (options->is_look && says_clustered(members, plan));
	if (count > ARR_MEMBERS_MAX) {
		err_set(&plan->refusal, UMD_E_NOT_SUPPORTED, "%u members were given; umd handles %d", count,
			ARR_MEMBERS_MAX);
	} else if (find_arrays(members, plan) && all_usable(members, options, plan) && all_possible(members, plan)) {
		find_unsupported(members, options, plan, &unsupported);
		if (find_reference(members, options, plan) && find_bitmap(members, options, plan, &unsupported) &&
		    asm_may_prefer(members, options, plan) &&
		    asm_judge_others(members, options, plan) && asm_find_duplicates(members, plan) &&
		    asm_find_missing(members, options, plan) && asm_is_enough(members, plan))
			asm_decide(members, plan);
	}
	plan->is_unsupported = unsupported.code && !plan->refusal.code;
	if (plan->is_unsupported)
		plan->refusal = unsupported;
	asm_tell_state(members, plan);
}
