/* Who has which place: no two members in one slot or with one device number, and no slot empty that somebody
 * is believed to fill, unless the user insists: two halves must not start apart (I5).
 *
 * A member and its replacement are a pair in one slot: the replacement stands beside it, in sync or on its way, and
 * fills the slot only where the member itself is not there. */
#include "assembly/inside.h"

#include <string.h>

#include "base/text.h"

static bool is_current(const struct asm_plan *plan, uint32_t i)
{
	return plan->verdicts[i] == ASM_IN_SYNC || plan->verdicts[i] == ASM_RECOVERING ||
	       plan->verdicts[i] == ASM_REPLACEMENT;
}

bool asm_is_used(const struct asm_plan *plan, uint32_t i)
{
	return is_current(plan, i) || plan->verdicts[i] == ASM_STALE_BITMAP || plan->verdicts[i] == ASM_STALE_FULL;
}

/* Version 0.90 knows no device uuids: there the number is the device. */
static bool same_device(const struct sb1 *a, const struct sb1 *b)
{
	if (a->minor == SB_090)
		return a->dev_number == b->dev_number;
	return !memcmp(a->device_uuid, b->device_uuid, 16);
}

static bool is_replacement(const struct sb1 *sb)
{
	return sb->feature_map & FMT_SB1_REPLACEMENT;
}

static bool are_pair(const struct asm_member *members, const struct asm_plan *plan, uint32_t i, uint32_t k)
{
	const struct sb1 *a = &members[i].sb, *b = &members[k].sb;

	return is_current(plan, i) && is_current(plan, k) && asm_own_role(a) == asm_own_role(b) &&
	       is_replacement(a) != is_replacement(b) && a->dev_number != b->dev_number && !same_device(a, b);
}

/* A finished replacement stands back as long as the member is in sync itself. */
static void pair_up(const struct asm_member *members, struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		for (uint32_t k = 0; k < plan->member_count; k++)
			if (plan->verdicts[i] == ASM_IN_SYNC && plan->verdicts[k] == ASM_IN_SYNC &&
			    is_replacement(&members[i].sb) && are_pair(members, plan, i, k))
				SAY(plan, i, ASM_REPLACEMENT, "%s is the finished replacement of %s in slot %u",
				    members[i].path, members[k].path, asm_own_role(&members[i].sb));
}

/* A spare that was away may have lost its device number to another device: it is left out, and can be added anew. */
static void leave_out_spares(const struct asm_member *members, struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		for (uint32_t k = 0; k < plan->member_count && plan->verdicts[i] == ASM_SPARE; k++) {
			bool is_elder = asm_is_used(plan, k) || (plan->verdicts[k] == ASM_SPARE && k < i);

			if (is_elder && members[i].sb.dev_number == members[k].sb.dev_number)
				SAY(plan, i, ASM_DUPLICATE, "%s is not used: its device number %u belongs to %s now",
				    members[i].path, members[i].sb.dev_number, members[k].path);
		}
}

bool asm_find_duplicates(const struct asm_member *members, struct asm_plan *plan)
{
	pair_up(members, plan);
	for (uint32_t i = 0; i < plan->member_count; i++)
		for (uint32_t k = 0; k < plan->member_count; k++) {
			const struct sb1 *a = &members[i].sb, *b = &members[k].sb;
			bool same_place = asm_own_role(a) == asm_own_role(b) || a->dev_number == b->dev_number;

			if (i == k || !asm_is_used(plan, i) || !asm_is_used(plan, k) || !same_place ||
			    are_pair(members, plan, i, k))
				continue;
			if (is_current(plan, i) == is_current(plan, k) || same_device(a, b)) {
				err_set(&plan->refusal, UMD_E_DUPLICATE_MEMBER,
					"%s and %s both claim slot %u (device numbers %u and %u)%s: give one of them",
					members[i].path, members[k].path, asm_own_role(a), a->dev_number, b->dev_number,
					same_device(a, b) ? ", one is a copy of the other" : "");
				return false;
			}
			if (is_current(plan, i))
				SAY(plan, k, ASM_DUPLICATE,
				    "%s is not used: its place (slot %u, device %u) belongs to %s now", members[k].path,
				    asm_own_role(b), b->dev_number, members[i].path);
		}
	leave_out_spares(members, plan);
	return true;
}

bool asm_is_slot_given(const struct asm_member *members, const struct asm_plan *plan, uint32_t slot)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_used(plan, i) && asm_own_role(&members[i].sb) == slot)
			return true;
	return false;
}

bool asm_is_in_sync_slot(const struct asm_member *members, const struct asm_plan *plan, uint32_t slot)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (plan->verdicts[i] == ASM_IN_SYNC && asm_own_role(&members[i].sb) == slot)
			return true;
	return false;
}

static uint32_t count_believed_active(const struct sb1 *ref, uint32_t slot)
{
	uint32_t count = 0;

	for (uint32_t d = 0; d < ref->max_dev && d < FMT_SB1_MAX_DEV; d++)
		count += ref->dev_roles[d] == slot;
	return count;
}

/* A member that the reference does not know in this slot may fill it, but stands for nobody whom it believes there. */
static bool is_believed_here(const struct asm_member *members, const struct asm_plan *plan, uint32_t slot)
{
	const struct sb1 *ref = &members[plan->freshest].sb;

	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_used(plan, i) && asm_own_role(&members[i].sb) == slot &&
		    asm_role_of(ref, members[i].sb.dev_number) == slot)
			return true;
	return false;
}

/* Given, but left out for a reason that was told: its place counts as nobody's. The count: there is none. */
static uint32_t first_left_out(const struct asm_member *members, const struct asm_plan *plan)
{
	uint32_t i = 0;

	while (i < plan->member_count &&
	       !(asm_is_usable(&members[i]) &&
		 (plan->verdicts[i] == ASM_DUPLICATE || plan->verdicts[i] == ASM_UNUSABLE)))
		i++;
	return i;
}

/* "Give them too" is no help to whoever has given everybody: then it is said who is left out, why, and what brings it
 * back. @here, @expected: slots. */
static void refuse_missing(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan,
			   uint32_t here, uint32_t expected)
{
	const struct asm_member *ref = &members[plan->freshest];
	uint32_t out = first_left_out(members, plan);
	unsigned long long events = ref->sb.events;
	bool can_start = !plan->is_unsupported && !o->is_change;

	if (out == plan->member_count)
		err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
			"%u of %u members are given, but %s (event %llu) believes %u more active: give them too%s",
			here, ref->sb.raid_disks, ref->path, events, expected,
			can_start ? ", or insist with --run" : "");
	else
		err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
			"%s; without it %u of %u members are here, and %s (event %llu) believes %u more active: give "
			"the one that took part%s",
			plan->reasons[out], here, ref->sb.raid_disks, ref->path, events, expected,
			can_start ? ", or start with --run and bring this one back with --add" : "");
}

bool asm_find_missing(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	uint32_t expected = 0, stand_ins = 0;

	for (uint32_t slot = 0; slot < ref->raid_disks; slot++) {
		plan->degraded += !asm_is_in_sync_slot(members, plan, slot);
		if (is_believed_here(members, plan, slot))
			continue;
		expected += count_believed_active(ref, slot) > 0;
		if (asm_is_slot_given(members, plan, slot))
			stand_ins += count_believed_active(ref, slot) > 0;
		else
			plan->missing_slots++;
	}
	if (!expected || o->may_run_degraded || o->is_readonly)
		return true;
	refuse_missing(members, o, plan, ref->raid_disks - plan->missing_slots - stand_ins, expected);
	return false;
}
