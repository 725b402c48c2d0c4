/* Whose story is a member's?
 *
 * Events tell who is freshest; role tables tell whose story is whose:
 *
 *   reference  the in-sync member with the highest event count (lowest slot where equal). Its role table
 *              and array-wide fields are the array's.
 *   current    in the role table of the reference at its own slot, at most one event behind (a crash
 *              between two superblock writes)
 *   stale      missed something. Brought back by the set chunks when its events reach events_cleared,
 *              else in full. Linux leaves it out until the user re-adds it.
 *   forked     its history went on without the reference's (I5). A member that left while others went on
 *              still counts at least one of them as active; one that counts none of them ran alone. At
 *              equal events even being called faulty by the reference is a fork. Not so in a cluster: a node that
 *              dies in mid-round leaves its number on a member that others cannot read any more, who then give the
 *              number again: who is no longer counted on by those that it counts on was left behind. */
#include "assembly/inside.h"

#include "base/text.h"

uint32_t asm_role_of(const struct sb1 *sb, uint32_t dev_number)
{
	if (dev_number >= sb->max_dev || dev_number >= FMT_SB1_MAX_DEV)
		return FMT_ROLE_SPARE;
	return sb->dev_roles[dev_number];
}

uint32_t asm_own_role(const struct sb1 *sb)
{
	return asm_role_of(sb, sb->dev_number);
}

bool asm_is_slot(const struct sb1 *sb, uint32_t role)
{
	return role <= FMT_ROLE_SLOT_MAX && role < sb->raid_disks;
}

bool asm_is_recovering(const struct sb1 *sb)
{
	return sb->feature_map & FMT_SB1_RECOVERY_OFFSET;
}

uint64_t asm_recovery_offset(const struct sb1 *sb)
{
	return min_u64(sb->recovery_offset_sectors, sb->size_sectors) * SECTOR_BYTES;
}

bool asm_counts_active(const struct sb1 *teller, const struct sb1 *other)
{
	return asm_is_slot(teller, asm_role_of(teller, other->dev_number));
}

bool asm_is_left_behind(const struct sb1 *who, const struct sb1 *other)
{
	return asm_counts_active(who, other) && !asm_counts_active(other, who);
}

static void judge_stale(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i], *bm = &members[plan->bitmap_member];
	const struct bitmap_sb *bitmap = &bm->bitmap;
	unsigned long long events = m->sb.events, cleared = bitmap->events_cleared, now = ref->sb.events;
	bool lost_its_progress = asm_is_recovering(&m->sb) && !(m->sb.feature_map & FMT_SB1_RECOVERY_BITMAP);

	if (plan->is_node || (plan->has_bitmap && asm_bitmap_is_clustered(bitmap)))
		SAY(plan, i, ASM_AWAY,
		    "%s is at event %llu of %llu and missed what was written since: it is left out, re-add brings it "
		    "back by the bitmaps of all nodes",
		    m->path, events, now);
	else if (!plan->has_bitmap)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s is at event %llu of %llu and the array has no bitmap: everything is copied", m->path, events,
		    now);
	else if (plan->bitmap_is_stale)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s is at event %llu of %llu and the bitmap is out of date: everything is copied", m->path, events,
		    now);
	else if (fmt_bitmap_is_uninitialised(bitmap))
		SAY(plan, i, ASM_STALE_FULL,
		    "%s is at event %llu of %llu and the lockless bitmap was never initialised: everything is copied",
		    m->path, events, now);
	else if (lost_its_progress)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s was left in the middle of a full recovery at event %llu of %llu: everything is copied", m->path,
		    events, now);
	else if (events < cleared)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s is at event %llu, but bits were cleared at event %llu: what it missed is no longer known, "
		    "everything is copied",
		    m->path, events, cleared);
	else if (events >= now)
		SAY(plan, i, ASM_STALE_BITMAP,
		    "%s was just being let back in (event %llu against %llu): only the set chunks are copied", m->path,
		    events, now);
	else if (fmt_bitmap_is_lockless(bitmap))
		SAY(plan, i, ASM_STALE_BITMAP,
		    "%s is at event %llu of %llu: only the chunks whose state is due are copied", m->path, events,
		    now);
	else
		SAY(plan, i, ASM_STALE_BITMAP,
		    "%s is at event %llu of %llu, and bits were last cleared at event %llu: only the set chunks are "
		    "copied",
		    m->path, events, now, cleared);
}

static void judge_current(struct asm_plan *plan, const struct asm_member *m, uint32_t i)
{
	if (!asm_is_recovering(&m->sb))
		SAY(plan, i, ASM_IN_SYNC, "%s", "");
	else if (m->sb.feature_map & FMT_SB1_REPLACEMENT)
		SAY(plan, i, ASM_REPLACEMENT,
		    "%s is being made the replacement in slot %u: everything is copied to it from byte %llu on",
		    m->path, asm_own_role(&m->sb), (unsigned long long)asm_recovery_offset(&m->sb));
	else
		SAY(plan, i, ASM_RECOVERING, "%s was being recovered %s and goes on at byte %llu", m->path,
		    m->sb.feature_map & FMT_SB1_RECOVERY_BITMAP ? "by the bitmap" : "in full",
		    (unsigned long long)asm_recovery_offset(&m->sb));
}

/* Its superblock is going to hold the array's whole role table: with a place in it for this device, and without
 * reaching into the data (I1, I7). */
bool asm_has_room_for_roles(const struct sb1 *sb, const struct sb1 *array)
{
	struct sb1 grown = *sb;

	grown.max_dev = array->max_dev;
	if (sb->dev_number >= array->max_dev)
		return false;
	return sb->minor == SB1_0 || sb->data_offset_sectors >= sb->super_offset_sectors +
		       div_up(fmt_sb1_valid_bytes(&grown), SECTOR_BYTES);
}

struct sb1 asm_with_bitmap(const struct sb1 *sb, const struct sb1 *ref)
{
	struct sb1 r = *sb;

	if (!(sb->feature_map & FMT_SB1_BITMAP) && ref->feature_map & FMT_SB1_BITMAP) {
		r.feature_map |= FMT_SB1_BITMAP;
		r.bitmap_offset_sectors = ref->bitmap_offset_sectors;
	}
	return r;
}

/* The array's bitmap will be written here: at a place that this member's superblock names, and nowhere else (I7); where
 * it names none, the power went while one was being added, and it is the others' distance from the superblock, as for
 * Linux. That one does not look so closely, and it alone starts what is not supported here. */
static bool has_place_for_bitmap(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *m = &members[i];
	const struct bitmap_sb *bitmap = &members[plan->bitmap_member].bitmap;
	struct sb1 in_use = asm_with_bitmap(&m->sb, &members[plan->freshest].sb);
	struct err err = { 0 };

	if (!plan->has_bitmap || plan->bitmap_is_file || plan->is_unsupported)
		return true;
	in_use.size_sectors = members[plan->freshest].sb.size_sectors;	/* the array's, whatever this one says */
	in_use.max_dev = members[plan->freshest].sb.max_dev;
	if (lay_bitmap_fits(&in_use, bitmap, asm_slots_of(bitmap), m->size_bytes, &err))
		SAY(plan, i, ASM_UNUSABLE, "%s: %s", m->path, err.text);
	return plan->verdicts[i] != ASM_UNUSABLE;
}

/* What every member of an array has in common, and room for what is the array's. */
static bool fits_array(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i];
	const struct sb1 *r = &ref->sb, *s = &m->sb;

	if ((s->minor == SB_090) != (r->minor == SB_090))
		SAY(plan, i, ASM_UNUSABLE, "%s has metadata of major version %u, %s of major version %u", m->path,
		    s->major_version, ref->path, r->major_version);
	else if (s->level != r->level || s->layout != r->layout || s->chunk_sectors != r->chunk_sectors)
		SAY(plan, i, ASM_UNUSABLE,
		    "%s has level %d, layout 0x%x, chunk %u, but %s has level %d, layout 0x%x, chunk %u", m->path,
		    s->level, s->layout, s->chunk_sectors, ref->path, r->level, r->layout, r->chunk_sectors);
	else if (lay_data_room_sectors(s) < r->size_sectors)
		SAY(plan, i, ASM_UNUSABLE, "%s has room for %llu sectors, the array needs %llu", m->path,
		    (unsigned long long)lay_data_room_sectors(s), (unsigned long long)r->size_sectors);
	else if (!plan->is_unsupported && !asm_has_room_for_roles(s, r))
		SAY(plan, i, ASM_UNUSABLE,
		    "%s is not used: the array's table of %u device numbers has no place for its number %u, or does "
		    "not fit before its data at sector %llu",
		    m->path, r->max_dev, s->dev_number, (unsigned long long)s->data_offset_sectors);
	return plan->verdicts[i] != ASM_UNUSABLE;
}

static void judge_without_slot(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i];

	/* Of several nodes another one may have taken it out, and given the disk a new number since. */
	if (plan->is_node && asm_role_of(&ref->sb, m->sb.dev_number) == FMT_ROLE_FAULTY)
		SAY(plan, i, ASM_AWAY, "%s is a spare by itself, and its device number %u is faulty by %s: it is left "
		    "out, add brings it back", m->path, m->sb.dev_number, ref->path);
	else if (asm_counts_active(&ref->sb, &m->sb))
		SAY(plan, i, ASM_DUPLICATE,
		    "%s is a spare and not used: its device number %u is active in the array", m->path,
		    m->sb.dev_number);
	else
		SAY(plan, i, ASM_SPARE, "%s is a spare", m->path);
}

/* The reference; among nodes also somebody else of its story, who may have been there for longer than the reference:
 * without that one it never ran. On one host that proves nothing: a half that went on alone may have taken him in
 * since. Nor do numbers behind those of the array's creation, which are given again when they are free: what has one by
 * now may be another device, or the same after it forgot all. */
static bool counts_somebody(const struct asm_member *members, const struct asm_plan *plan, uint32_t member)
{
	const struct sb1 *r = &members[plan->freshest].sb, *s = &members[member].sb;

	if (asm_counts_active(s, r) || !plan->is_of_nodes)
		return asm_counts_active(s, r);
	for (uint32_t i = 0; i < plan->member_count; i++) {
		const struct sb1 *k = &members[i].sb;

		if (k->dev_number >= s->raid_disks)
			continue;
		if (i != member && asm_is_usable(&members[i]) && asm_counts_active(s, k) &&
		    asm_role_of(r, k->dev_number) == asm_own_role(k) && !asm_is_recovering(k) &&
		    asm_counts_active(k, r) && k->events + 1 >= r->events)
			return true;
	}
	return false;
}

static void judge_other(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan,
			uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i];
	const struct sb1 *r = &ref->sb, *s = &m->sb;
	uint32_t role = asm_own_role(s);
	bool is_listed = asm_role_of(r, s->dev_number) == role;
	/* Another node let it back in, which asked for its story then, and ended before it was written itself. */
	bool was_let_in = plan->is_of_nodes && is_listed && s->events + 1 < r->events;
	bool ran_apart, has_forked;

	if (role == FMT_ROLE_JOURNAL && s->level == r->level) {
		if (s->feature_map & FMT_SB1_JOURNAL)
			SAY(plan, i, ASM_JOURNAL, "%s is the array's write journal", m->path);
		else
			SAY(plan, i, ASM_UNUSABLE,
			    "%s is not used: it has the role of a write journal, and its feature map 0x%x has none",
			    m->path, s->feature_map);
		return;
	}
	if (!fits_array(members, plan, i))
		return;
	if (!asm_is_slot(s, role)) {
		if (has_place_for_bitmap(members, plan, i))
			judge_without_slot(members, plan, i);
		return;
	}

	/* One in mid-recovery never ran by itself: where the reference does not list it, it was just being let in. */
	ran_apart = !is_listed && !asm_is_recovering(s) && s->events >= r->events + plan->is_of_nodes;
	has_forked = (!counts_somebody(members, plan, i) && !was_let_in) || ran_apart || s->events > r->events + 1;
	if (has_forked && !o->prefer)
		SAY(plan, i, ASM_FORKED, "%s", "it ran apart from the others");
	else if (!has_place_for_bitmap(members, plan, i))
		return;
	else if (!asm_is_slot(r, role))
		SAY(plan, i, ASM_SPARE, "%s is a spare: it had slot %u, and by %s the array has %u slots", m->path,
		    role, ref->path, r->raid_disks);
	else if (has_forked)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s has another story (event %llu against %llu); %s is preferred, everything is copied", m->path,
		    (unsigned long long)s->events, (unsigned long long)r->events, ref->path);
	else if (is_listed && s->events + 1 >= r->events)
		judge_current(plan, m, i);
	else if (asm_counts_active(r, s))
		/* The device of that number took part in every event: this one had the number before it. */
		SAY(plan, i, ASM_DUPLICATE,
		    "%s (event %llu) is not used: device %u took part until event %llu, so this one missed that, or "
		    "its number belongs to another now",
		    m->path, (unsigned long long)s->events, s->dev_number, (unsigned long long)r->events);
	else
		judge_stale(members, plan, i);
}

static bool refuse_fork(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i];

	err_set(&plan->refusal, UMD_E_FORKED,
		"%s (event %llu) and %s (event %llu) ran apart: each went on without the other, and combining them "
		"would mix two histories; "
		"--prefer MEMBER keeps that one's and copies it over the other",
		ref->path, (unsigned long long)ref->sb.events, m->path, (unsigned long long)m->sb.events);
	return false;
}

bool asm_judge_others(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	SAY(plan, plan->freshest, ASM_IN_SYNC, "%s", "");
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (i != plan->freshest && asm_is_usable(&members[i]))
			judge_other(members, o, plan, i);
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (plan->verdicts[i] == ASM_FORKED)
			return refuse_fork(members, plan, i);
	return true;
}
