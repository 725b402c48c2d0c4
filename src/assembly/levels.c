/* What md's levels demand, as far as a judgement tells it: geometry that can be, and enough members in sync.
 *
 *   level     keeps            starts with
 *   1         copies           one in sync (the reference)
 *   10        copies           one in sync in every group: *copies* slots in a row, groups *near* slots apart
 *   4, 5      one parity       all but one; all of them when it was not stopped cleanly
 *   6         two parities     all but two; all of them when it was not stopped cleanly
 *   0, linear nothing          all
 *
 * A parity array that was not stopped cleanly and is short of a member would compute that one's data from parity that
 * may be wrong: Linux refuses, unless it is forced, or a journal or partial parity log tells. umd starts level 1 only;
 * the others are here so that whoever brings them hears what Linux would do. Left out: levels that nobody makes any
 * more.
 * Source: specification of the array, 7.1, 7.6, 8. */
#include "assembly/inside.h"

enum { LINEAR = -1, CHUNK_MIN_SECTORS = 8, RAID6_MIN_SLOTS = 4 };

bool asm_has_parity(const struct sb1 *sb)
{
	return sb->level >= 4 && sb->level <= 6;
}

bool asm_has_copies(const struct sb1 *sb)
{
	return sb->level == 1 || sb->level == 10 || asm_has_parity(sb);
}

static uint32_t near_copies(const struct sb1 *sb)
{
	return sb->layout & 0xff;
}

static uint32_t all_copies(const struct sb1 *sb)
{
	return near_copies(sb) * (sb->layout >> 8 & 0xff);
}

bool asm_is_geometry_sane(const struct sb1 *sb)
{
	if (sb->level == 10)
		return lay_sync_sectors(sb) != UINT64_MAX;
	if (!asm_has_parity(sb))
		return true;
	return is_power_of_two(sb->chunk_sectors) && sb->chunk_sectors >= CHUNK_MIN_SECTORS &&
	       lay_array_sectors(sb) != UINT64_MAX && (sb->level != 6 || sb->raid_disks >= RAID6_MIN_SLOTS);
}

bool asm_is_dirty(const struct sb1 *sb)
{
	return asm_has_copies(sb) && asm_is_geometry_sane(sb) && sb->resync_offset_sectors < lay_sync_sectors(sb);
}

static uint32_t count_in_sync(const struct asm_member *members, const struct asm_plan *plan)
{
	uint32_t slots = members[plan->freshest].sb.raid_disks, count = 0;

	for (uint32_t slot = 0; slot < slots; slot++)
		count += asm_is_in_sync_slot(members, plan, slot);
	return count;
}

static bool has_group(const struct asm_member *members, const struct asm_plan *plan, uint32_t first)
{
	const struct sb1 *ref = &members[plan->freshest].sb;

	for (uint32_t i = 0; i < all_copies(ref); i++)
		if (asm_is_in_sync_slot(members, plan, (first + i) % ref->raid_disks))
			return true;
	return false;
}

/* Groups begin *near* slots apart and go round until one would begin at slot 0 again. */
static bool has_all_groups(const struct asm_member *members, struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	uint32_t first = 0;

	do {
		if (!has_group(members, plan, first)) {
			err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
				"no member in sync is here for slot %u or the %u behind it, which hold the same data "
				"(layout 0x%x of %u slots): the array cannot start without one",
				first, all_copies(ref) - 1, ref->layout, ref->raid_disks);
			return false;
		}
		first = (first + near_copies(ref)) % ref->raid_disks;
	} while (first);
	return true;
}

static bool has_parity_enough(const struct asm_member *members, struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	uint32_t in_sync = count_in_sync(members, plan), parity = ref->level == 6 ? 2 : 1;
	bool has_log = ref->feature_map & (FMT_SB1_JOURNAL | FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS);

	if (in_sync + parity < ref->raid_disks)
		err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
			"%u of %u members are in sync, level %d needs %u: the array cannot start", in_sync,
			ref->raid_disks, ref->level, ref->raid_disks - parity);
	else if (in_sync < ref->raid_disks && asm_is_dirty(ref) && !has_log)
		err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
			"the array was not stopped cleanly and %u of %u members are in sync: parity may be wrong where "
			"it has to stand in for data, so Linux starts it only when forced",
			in_sync, ref->raid_disks);
	return !plan->refusal.code;
}

bool asm_is_enough(const struct asm_member *members, struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	uint32_t in_sync = count_in_sync(members, plan);

	if (!asm_is_geometry_sane(ref))
		return true;
	if (ref->level == 10)
		return has_all_groups(members, plan);
	if (asm_has_parity(ref))
		return has_parity_enough(members, plan);
	if ((ref->level == 0 || ref->level == LINEAR) && in_sync < ref->raid_disks)
		err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
			"%u of %u members are here: level %d keeps no copies and cannot start without all of them",
			in_sync, ref->raid_disks, ref->level);
	return !plan->refusal.code;
}
