/* Superblocks are read again while the array runs: another node of the cluster has written them, or died while it did.
 *
 * A round of claims may be torn: some members have it, some have the one before. The highest event number that is
 * believed decides what everybody's role is, since whoever wrote it held the token and meant all of them; how far a
 * member's recovery went is said by its own superblock alone, and where that is older or cannot be believed, the member
 * is still recovering. Nothing is written here.
 *
 * A slot of a device that is not in the table is a stranger's, and nobody can write there from here. One that was
 * missing when this node started is none: the start went without it, and claims so before anything is written.
 *
 * Words: *believed* is a superblock with a right checksum, of this array, of this device and with its number. Left out:
 * what the array makes of it (array/reload.c). */
#include "assembly/inside.h"

#include <string.h>

#include "base/law.h"
#include "base/mem.h"

void asm_look_render(struct asm_lineage *l, struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++) {
		struct arr_part *part = &job->parts[i];

		MUST(part->member < ARR_MEMBERS_MAX && l->lines[part->member].is_used);
		part->at = l->lines[part->member].super_at;
		part->len_bytes = FMT_SB1_BYTES;
		part->data = l->looks[part->member];
	}
}

static bool is_sound(const struct asm_line *line, const uint8_t raw[FMT_SB1_BYTES], struct sb1 *ret)
{
	fmt_sb1_decode(raw, line->sb.minor, ret);
	return !fmt_sb1_check(ret, raw, line->super_at, UINT64_MAX / 2, NULL);
}

static bool is_of(const struct asm_line *line, const struct sb1 *sb)
{
	return !memcmp(sb->set_uuid, line->sb.set_uuid, 16) && !memcmp(sb->device_uuid, line->sb.device_uuid, 16) &&
	       sb->dev_number == line->sb.dev_number;
}

static bool is_believed(const struct asm_line *line, const uint8_t raw[FMT_SB1_BYTES], struct sb1 *ret)
{
	return is_sound(line, raw, ret) && is_of(line, ret);
}

/* Another node, that did not know it any more, has added the disk anew. */
static bool is_overwritten(const struct asm_line *line, const struct arr_part *part)
{
	struct sb1 sb;

	return part && !part->rc && is_sound(line, part->data, &sb) && !is_of(line, &sb);
}

/* A spare that is only being offered says what one node believes: who has a slot was in a round of claims. Of two with
 * slots one may have been left behind. */
static bool is_fresher(const struct sb1 *sb, const struct sb1 *than)
{
	if (!than->magic || sb->events != than->events)
		return !than->magic || sb->events > than->events;
	if (asm_is_slot(sb, asm_own_role(sb)) && asm_is_slot(than, asm_own_role(than)))
		return asm_is_left_behind(than, sb);
	return asm_is_slot(sb, asm_own_role(sb)) && !asm_is_slot(than, asm_own_role(than));
}

/* Written since it was prepared to join. What cannot be read is counted on: a round that is announced had it. */
static bool is_claimed(const struct asm_line *line, const struct arr_part *part)
{
	struct sb1 sb;

	return part && (part->rc || (is_believed(line, part->data, &sb) && sb.events > line->sb.events));
}

static bool is_in_table(const struct asm_lineage *l, uint32_t number)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		if (l->lines[i].is_used && l->lines[i].sb.dev_number == number)
			return true;
	return false;
}

static uint32_t role_told(const struct sb1 *sb, uint32_t number)
{
	uint32_t role = asm_role_of(sb, number);

	if (asm_is_slot(sb, role))
		return role;
	return role == FMT_ROLE_FAULTY ? ARR_ROLE_FAULTY : ARR_ROLE_SPARE;
}

/* Our own claims say that it is not there: whoever has its slot by later ones was given it by another node. */
static bool is_missing_still(const struct asm_lineage *l, const struct sb1 *sb, uint32_t number)
{
	return l->numbers[number].was_missing && (!l->first_claim || sb->events < l->first_claim);
}

/* Numbers that were given while we looked elsewhere are not given again. */
static void take_array(struct asm_lineage *l, const struct sb1 *sb, struct arr_reload *ret)
{
	ret->is_found = true;
	ret->is_active = sb->resync_offset_sectors == 0;
	ret->events = sb->events;
	for (uint32_t n = 0; n < sb->max_dev && n < FMT_SB1_MAX_DEV; n++) {
		uint32_t role = asm_role_of(sb, n);

		if (asm_is_slot(sb, role) && !is_in_table(l, n) && !is_missing_still(l, sb, n) &&
		    role < ARR_MEMBERS_MAX)
			ret->strangers |= UINT64_C(1) << role;
		if (l->numbers[n].state == NUMBER_FREE && role != FMT_ROLE_SPARE)
			l->numbers[n].state = asm_is_slot(sb, role) ? NUMBER_UNSEEN : NUMBER_GONE;
	}
	memcpy(l->base.set_name, sb->set_name, sizeof l->base.set_name);
	l->base.max_dev = sb->max_dev;
}

static void take_member(const struct sb1 *freshest, const struct asm_line *line, const struct sb1 *own,
			struct arr_reload_member *ret)
{
	ret->role = role_told(freshest, line->sb.dev_number);
	ret->is_recovering = !own || own->feature_map & FMT_SB1_RECOVERY_OFFSET || own->events < freshest->events;
	ret->is_by_bitmap = own && own->feature_map & FMT_SB1_RECOVERY_BITMAP;
	ret->recovery_offset = own && own->feature_map & FMT_SB1_RECOVERY_OFFSET ? asm_recovery_offset(own) : 0;
}

void asm_look_taken(struct asm_lineage *l, const struct arr *a, const struct arr_job *job, struct arr_reload *ret)
{
	struct sb1 freshest = { 0 }, own;
	struct arr_status s;

	arr_get_status(a, &s);
	memset(ret, 0, sizeof *ret);
	for (uint32_t i = 0; i < job->part_count; i++) {
		const struct arr_part *p = &job->parts[i];

		if (!p->rc && is_believed(&l->lines[p->member], p->data, &own) && is_fresher(&own, &freshest))
			freshest = own;
	}
	if (!freshest.magic)
		return;
	take_array(l, &freshest, ret);
	for (uint32_t i = 0; i < s.member_count; i++) {
		const struct arr_part *part = NULL;

		if (s.members[i].state == ARR_M_NONE || !l->lines[i].is_used)
			continue;
		for (uint32_t k = 0; k < job->part_count; k++)
			if (job->parts[k].member == i)
				part = &job->parts[k];
		ret->members[ret->member_count].member = i;
		take_member(&freshest, &l->lines[i],
			    part && !part->rc && is_believed(&l->lines[i], part->data, &own) ? &own : NULL,
			    &ret->members[ret->member_count]);
		ret->members[ret->member_count].is_claimed = is_claimed(&l->lines[i], part);
		ret->members[ret->member_count++].is_overwritten = is_overwritten(&l->lines[i], part);
	}
}
