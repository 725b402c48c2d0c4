/* Which members are believed, and what the next start does.
 *
 * The judgement has stages, each of which may refuse: superblocks of one array, supported (supported.c), the
 * reference, every other member's story (story.c), the bitmap, places and missing slots (places.c). A refusal keeps
 * what was found out before, so that examine can show it. Words as in story.c.
 * Source: specification of the array, section 2; laws I5, I9. */
#include "assembly/inside.h"

#include <string.h>

#include "base/text.h"

bool asm_is_usable(const struct asm_member *m)
{
	return m->has_superblock && !m->error.code;
}

/* ---- stage 1: superblocks, one array ---- */

static bool find_arrays(const struct asm_member *members, struct asm_plan *plan)
{
	uint32_t first = plan->member_count;
	char one[36], other[36];

	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (!asm_is_usable(&members[i])) {
			plan->verdicts[i] = ASM_UNUSABLE;
			text_fit(plan->reasons[i], sizeof plan->reasons[i], "%s", members[i].error.text);
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
	if (!plan->member_count)
		err_set(&plan->refusal, UMD_E_NO_MEMBER, "no member was given");
	else if (first == plan->member_count)
		err_set(&plan->refusal, plan->member_count == 1 ? members[0].error.code : UMD_E_NO_MEMBER, "%s",
			members[0].error.text);
	return !plan->refusal.code;
}

/* Something that is no member at all may be the wrong file: always refused. A broken member is left out when
 * the user insists, or only looks. */
static bool all_usable(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	bool may_leave_out = o->may_run_degraded || o->is_readonly;

	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (plan->verdicts[i] != ASM_UNUSABLE ||
		    (may_leave_out && members[i].error.code != UMD_E_NO_SUPERBLOCK))
			continue;
		err_set(&plan->refusal, members[i].error.code, "%s%s", members[i].error.text,
			members[i].error.code == UMD_E_NO_SUPERBLOCK ? "" : "; --run starts without it");
		return false;
	}
	return true;
}

static bool all_supported(const struct asm_member *members, struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_usable(&members[i]) && asm_check_supported(&members[i], &plan->refusal))
			return false;
	return true;
}

/* ---- stage 2: the reference ---- */

static bool may_be_reference(const struct asm_member *m)
{
	return asm_is_usable(m) && asm_is_slot(&m->sb, asm_own_role(&m->sb)) && !asm_is_recovering(&m->sb);
}

static bool is_fresher(const struct sb1 *a, const struct sb1 *b)
{
	if (a->events != b->events)
		return a->events > b->events;
	return asm_own_role(a) < asm_own_role(b);
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
		if (best == plan->member_count || is_fresher(&members[i].sb, &members[best].sb))
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
	return true;
}

/* ---- stage 3: the bitmap ---- */

static bool has_good_bitmap(const struct asm_member *m)
{
	return m->has_bitmap && !m->bitmap_error.code;
}

/* Another one in sync, at the same event, of the same story. */
static bool may_lend_bitmap(const struct asm_member *m, const struct asm_member *ref)
{
	return may_be_reference(m) && has_good_bitmap(m) && m->sb.events == ref->sb.events &&
	       asm_role_of(&ref->sb, m->sb.dev_number) == asm_own_role(&m->sb) && asm_counts_active(&m->sb, &ref->sb);
}

/* The reference's, or another one's when the reference's cannot be believed. */
static bool find_bitmap(const struct asm_member *members, struct asm_plan *plan)
{
	const struct asm_member *ref = &members[plan->freshest], *source = ref;

	plan->bitmap_member = plan->freshest;
	plan->has_bitmap = ref->sb.feature_map & FMT_SB1_BITMAP;
	if (!plan->has_bitmap)
		return true;
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
	plan->bitmap_is_stale = source->bitmap.events < ref->sb.events || source->bitmap.state & FMT_BITMAP_STALE;
	return lay_bitmap_fits(&ref->sb, &source->bitmap, 1, ref->size_bytes, &plan->refusal) == 0;
}

/* ---- the action ---- */

static void decide(const struct asm_member *members, struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	uint64_t resync = ref->resync_offset_sectors;
	const char *filter = !plan->has_bitmap ? "there is no bitmap, so everything from the checkpoint on is copied" :
			     plan->bitmap_is_stale ? "the bitmap is out of date, so everything is copied" :
						     "only the set chunks are copied";
	uint32_t in_slots = 0, returning = plan->member_count;

	plan->is_active = resync == 0;
	plan->resync_offset = OFF_NONE;
	for (uint32_t i = 0; i < plan->member_count; i++) {
		in_slots += asm_is_used(plan, i);
		if (plan->verdicts[i] == ASM_IN_SYNC && members[i].sb.events != ref->events)
			plan->is_active = false;	/* its superblock may still say clean */
		if (asm_is_used(plan, i) && plan->verdicts[i] != ASM_IN_SYNC)
			returning = i;
	}
	if (resync < ref->size_sectors && in_slots > 1) {
		plan->is_dirty = true;
		plan->resync_offset = resync * SECTOR_BYTES;
	}
	plan->action = returning < plan->member_count ? ASM_RECOVER : plan->is_dirty ? ASM_RESYNC : ASM_NOTHING;
	if (plan->action == ASM_RECOVER)
		text_fit(plan->reason, sizeof plan->reason, "%s", plan->reasons[returning]);
	else if (plan->action == ASM_RESYNC && !ref->events)
		text_fit(plan->reason, sizeof plan->reason, "the array is new and its members were never synced; %s",
			 filter);
	else if (plan->action == ASM_RESYNC)
		text_fit(plan->reason, sizeof plan->reason, "the array was not stopped cleanly; %s", filter);
	else if (resync < ref->size_sectors)
		text_fit(plan->reason, sizeof plan->reason,
			 "the array was not stopped cleanly, but only one member is here: nothing to compare with");
	else
		text_fit(plan->reason, sizeof plan->reason,
			 "the array was stopped cleanly: its members agree, whatever bits are left set");
}

void asm_judge(const struct asm_member *members, uint32_t count, const struct asm_options *options,
	       struct asm_plan *plan)
{
	memset(plan, 0, sizeof *plan);
	plan->member_count = count < ARR_MEMBERS_MAX ? count : ARR_MEMBERS_MAX;
	plan->resync_offset = OFF_NONE;
	if (count > ARR_MEMBERS_MAX)
		err_set(&plan->refusal, UMD_E_NOT_SUPPORTED, "%u members were given; umd handles %d", count,
			ARR_MEMBERS_MAX);
	else if (find_arrays(members, plan) && all_usable(members, options, plan) && all_supported(members, plan) &&
		 find_reference(members, options, plan) && find_bitmap(members, plan) &&
		 asm_judge_others(members, options, plan) && asm_find_duplicates(members, plan) &&
		 asm_find_missing(members, options, plan))
		decide(members, plan);
}

/* ---- what would be copied ---- */

bool asm_bitmap_to_read(const struct asm_member *members, const struct asm_plan *plan, uint32_t *ret_member,
			member_off *ret_at, uint64_t *ret_len_bytes)
{
	if (!plan->has_bitmap)
		return false;
	*ret_member = plan->bitmap_member;
	*ret_at = members[plan->bitmap_member].bitmap_at;
	*ret_len_bytes = fmt_bitmap_bytes(&members[plan->bitmap_member].bitmap);
	return true;
}

uint64_t asm_bytes_in_full(const struct asm_member *members, const struct asm_plan *plan)
{
	uint64_t size = members[plan->freshest].sb.size_sectors * SECTOR_BYTES, most = 0;

	if (plan->refusal.code || plan->action == ASM_NOTHING)
		return 0;
	for (uint32_t i = 0; i < plan->member_count; i++) {
		uint64_t at = plan->verdicts[i] == ASM_RECOVERING ?
				      members[i].sb.recovery_offset_sectors * SECTOR_BYTES :
				      0;

		if (plan->verdicts[i] == ASM_STALE_FULL ||
		    (plan->verdicts[i] == ASM_RECOVERING && !(members[i].sb.feature_map & FMT_SB1_RECOVERY_BITMAP)))
			most = max_u64(most, size - min_u64(size, at));
	}
	if (plan->bitmap_is_stale)
		return size;
	if (!plan->has_bitmap && plan->is_dirty)
		most = max_u64(most, size - plan->resync_offset);
	return most;
}
