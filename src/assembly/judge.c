/* Which members are believed, and what the next start does.
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
 *              equal events even being called faulty by the reference is a fork.
 *
 * The judgement has stages, each of which may refuse: superblocks, one array, supported, reference,
 * every other member, missing slots, bitmap. A refusal keeps what was found out before, so that examine
 * can show it. Source: specification of the array, section 2. */
#include "assembly/inside.h"

#include <string.h>

#include "base/law.h"
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

static bool is_usable(const struct asm_member *m)
{
	return m->has_superblock && !m->error.code;
}

static bool is_recovering(const struct sb1 *sb)
{
	return sb->feature_map & FMT_SB1_RECOVERY_OFFSET;
}

/* ---- stage 1: superblocks, one array ---- */

static bool find_arrays(const struct asm_member *members, struct asm_plan *plan)
{
	uint32_t first = plan->member_count;
	char one[36], other[36];

	for (uint32_t i = 0; i < plan->member_count; i++) {
		if (!is_usable(&members[i])) {
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

/* ---- stage 2: what umd starts ---- */

static const char *unsupported_feature(const struct sb1 *sb)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} features[] = {
		{ FMT_SB1_RESHAPE | FMT_SB1_RESHAPE_BACKWARDS | FMT_SB1_NEW_OFFSET, "a reshape in progress" },
		{ FMT_SB1_BAD_BLOCKS, "known bad blocks" },
		{ FMT_SB1_REPLACEMENT, "a replacement in progress" },
		{ FMT_SB1_CLUSTERED, "a clustered bitmap" },
		{ FMT_SB1_JOURNAL, "a write journal" },
		{ FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS, "a partial parity log" },
		{ FMT_SB1_RAID0_LAYOUT, "a RAID0 layout" },
	};

	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		if (sb->feature_map & features[i].bit)
			return features[i].name;
	return NULL;
}

int asm_check_supported(const struct asm_member *m, struct err *err)
{
	const struct sb1 *sb = &m->sb;
	const char *feature = unsupported_feature(sb);

	if (sb->level != 1)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: level %d is not supported: umd starts RAID1", m->path,
			       sb->level);
	if (feature)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: %s (feature map 0x%x) is not supported yet: nothing is started", m->path, feature,
			       sb->feature_map);
	if (sb->raid_disks < 1 || sb->raid_disks > ARR_MEMBERS_MAX)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: %u slots are not supported: umd handles 1 to %d", m->path,
			       sb->raid_disks, ARR_MEMBERS_MAX);
	if (!sb->size_sectors || sb->size_sectors > sb->data_size_sectors)
		return err_set(err, UMD_E_BAD_SUPERBLOCK,
			       "%s: the array uses %llu sectors of each member, but its data area has %llu", m->path,
			       (unsigned long long)sb->size_sectors, (unsigned long long)sb->data_size_sectors);
	return 0;
}

static bool all_supported(const struct asm_member *members, struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (is_usable(&members[i]) && asm_check_supported(&members[i], &plan->refusal))
			return false;
	return true;
}

/* ---- stage 3: the reference ---- */

static bool may_be_reference(const struct asm_member *m)
{
	return is_usable(m) && asm_is_slot(&m->sb, asm_own_role(&m->sb)) && !is_recovering(&m->sb);
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

/* ---- stage 4: every other member ---- */

#define SAY(plan, i, verdict, ...)                                                                  \
	((plan)->verdicts[i] = (verdict), text_fit((plan)->reasons[i], sizeof (plan)->reasons[i], __VA_ARGS__))

bool asm_counts_active(const struct sb1 *teller, const struct sb1 *other)
{
	return asm_is_slot(teller, asm_role_of(teller, other->dev_number));
}

static void judge_stale(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i], *bm = &members[plan->bitmap_member];
	unsigned long long events = m->sb.events, cleared = bm->bitmap.events_cleared, now = ref->sb.events;
	bool lost_its_progress = is_recovering(&m->sb) && !(m->sb.feature_map & FMT_SB1_RECOVERY_BITMAP);

	if (!plan->has_bitmap)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s is at event %llu of %llu and the array has no bitmap: everything is copied", m->path, events,
		    now);
	else if (plan->bitmap_is_stale)
		SAY(plan, i, ASM_STALE_FULL,
		    "%s is at event %llu of %llu and the bitmap is out of date: everything is copied", m->path, events,
		    now);
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
	else
		SAY(plan, i, ASM_STALE_BITMAP,
		    "%s missed events %llu to %llu, all after the last clearing of bits at event %llu: only the set "
		    "chunks are copied",
		    m->path, events, now, cleared);
}

static void judge_current(struct asm_plan *plan, const struct asm_member *m, uint32_t i)
{
	if (!is_recovering(&m->sb))
		SAY(plan, i, ASM_IN_SYNC, "%s", "");
	else
		SAY(plan, i, ASM_RECOVERING, "%s was being recovered %s and goes on at byte %llu", m->path,
		    m->sb.feature_map & FMT_SB1_RECOVERY_BITMAP ? "by the bitmap" : "in full",
		    (unsigned long long)m->sb.recovery_offset_sectors * SECTOR_BYTES);
}

/* The array's bitmap will be written here: at a place that this member's superblock names, and nowhere else (I7). */
static bool has_place_for_bitmap(const struct asm_member *members, struct asm_plan *plan, uint32_t i)
{
	const struct asm_member *m = &members[i];
	struct err err = { 0 };

	if (!plan->has_bitmap)
		return true;
	if (!(m->sb.feature_map & FMT_SB1_BITMAP))
		SAY(plan, i, ASM_UNUSABLE, "%s has no place for a bitmap, and %s has one: add it as a new device",
		    m->path, members[plan->freshest].path);
	else if (lay_bitmap_fits(&m->sb, &members[plan->bitmap_member].bitmap, 1, m->size_bytes, &err))
		SAY(plan, i, ASM_UNUSABLE, "%s: %s", m->path, err.text);
	return plan->verdicts[i] != ASM_UNUSABLE;
}

static void judge_other(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan,
			uint32_t i)
{
	const struct asm_member *ref = &members[plan->freshest], *m = &members[i];
	const struct sb1 *r = &ref->sb, *s = &m->sb;
	uint32_t role = asm_own_role(s);
	bool is_listed = asm_role_of(r, s->dev_number) == role;
	bool ran_apart, has_forked;

	if (s->level != r->level || s->layout != r->layout || s->chunk_sectors != r->chunk_sectors) {
		SAY(plan, i, ASM_UNUSABLE,
		    "%s has level %d, layout 0x%x, chunk %u, but %s has level %d, layout 0x%x, chunk %u", m->path,
		    s->level, s->layout, s->chunk_sectors, ref->path, r->level, r->layout, r->chunk_sectors);
		return;
	}
	if (s->data_size_sectors < r->size_sectors) {
		SAY(plan, i, ASM_UNUSABLE, "%s has room for %llu sectors, the array needs %llu", m->path,
		    (unsigned long long)s->data_size_sectors, (unsigned long long)r->size_sectors);
		return;
	}
	if (!has_place_for_bitmap(members, plan, i))
		return;
	if (!asm_is_slot(s, role)) {
		SAY(plan, i, ASM_SPARE, "%s is a spare", m->path);
		return;
	}

	/* One in mid-recovery never ran by itself: where the reference does not list it, it was just being let in. */
	ran_apart = !is_listed && !is_recovering(s) && s->events >= r->events;
	has_forked = !asm_counts_active(s, r) || ran_apart || s->events > r->events + 1;
	if (has_forked && !LAW_BROKEN(I5)) {
		if (o->prefer)
			SAY(plan, i, ASM_STALE_FULL,
			    "%s has another story (event %llu against %llu); %s is preferred, everything is copied",
			    m->path, (unsigned long long)s->events, (unsigned long long)r->events, ref->path);
		else
			SAY(plan, i, ASM_FORKED, "%s", "it ran apart from the others");
		return;
	}
	if (is_listed && s->events + 1 >= r->events)
		judge_current(plan, m, i);
	else if (is_listed)
		/* The device of that number took part in every event: this one had the number before it. */
		SAY(plan, i, ASM_DUPLICATE,
		    "%s (event %llu) is not used: device %u took part until event %llu, so its number belongs to "
		    "another now",
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

static bool judge_others(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	SAY(plan, plan->freshest, ASM_IN_SYNC, "%s", "");
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (i != plan->freshest && is_usable(&members[i]))
			judge_other(members, o, plan, i);
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (plan->verdicts[i] == ASM_FORKED)
			return refuse_fork(members, plan, i);
	return true;
}

/* ---- stage 5: places ---- */

static bool is_current(const struct asm_plan *plan, uint32_t i)
{
	return plan->verdicts[i] == ASM_IN_SYNC || plan->verdicts[i] == ASM_RECOVERING;
}

bool asm_is_used(const struct asm_plan *plan, uint32_t i)
{
	return is_current(plan, i) || plan->verdicts[i] == ASM_STALE_BITMAP || plan->verdicts[i] == ASM_STALE_FULL;
}

static bool same_device(const struct sb1 *a, const struct sb1 *b)
{
	return !memcmp(a->device_uuid, b->device_uuid, 16);
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

static bool find_duplicates(const struct asm_member *members, struct asm_plan *plan)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		for (uint32_t k = 0; k < plan->member_count; k++) {
			const struct sb1 *a = &members[i].sb, *b = &members[k].sb;
			bool same_place = asm_own_role(a) == asm_own_role(b) || a->dev_number == b->dev_number;

			if (i == k || !asm_is_used(plan, i) || !asm_is_used(plan, k) || !same_place)
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

static bool is_slot_given(const struct asm_member *members, const struct asm_plan *plan, uint32_t slot)
{
	for (uint32_t i = 0; i < plan->member_count; i++)
		if (asm_is_used(plan, i) && asm_own_role(&members[i].sb) == slot)
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

static bool find_missing(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	const struct sb1 *ref = &members[plan->freshest].sb;
	uint32_t in_sync = 0, expected = 0;

	for (uint32_t i = 0; i < plan->member_count; i++)
		in_sync += plan->verdicts[i] == ASM_IN_SYNC;
	plan->degraded = ref->raid_disks - in_sync;
	for (uint32_t slot = 0; slot < ref->raid_disks; slot++) {
		if (is_slot_given(members, plan, slot))
			continue;
		plan->missing_slots++;
		expected += count_believed_active(ref, slot) > 0;
	}
	if (!expected || o->may_run_degraded || o->is_readonly)
		return true;
	err_set(&plan->refusal, UMD_E_MEMBER_MISSING,
		"%u of %u members are given, but %s (event %llu) believes %u more active: give them too, or insist "
		"with --run",
		ref->raid_disks - plan->missing_slots, ref->raid_disks, members[plan->freshest].path,
		(unsigned long long)ref->events, expected);
	return false;
}

/* ---- stage 6: the bitmap ---- */

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
		 judge_others(members, options, plan) && find_duplicates(members, plan) &&
		 find_missing(members, options, plan))
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
