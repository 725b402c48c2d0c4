/* Admitting a member to a running array: back by the bitmap, or as a new device.
 *
 * Back by the bitmap (re-add): the member's own superblock belongs to this array, names a slot that is
 * free, its history has not forked (I5), and its events reach events_cleared: everything it missed is then
 * in the set chunks. Otherwise `add` makes a new superblock and copies everything; `re-add` refuses and
 * compares the two values. A bitmap without superblock lets nobody back: nothing on disk says since when it counts, and
 * whoever left before it came would get what was marked since, and no more (I4).
 *
 * Before a new device joins the hands erase every superblock on it: until the new one is written an old one could be
 * believed by a start, at places where nothing of what was written since lies (I2).
 *
 * asm_admit() prepares a line of the lineage; asm_admitted() files it under the entry the array gave. */
#include "assembly/inside.h"

#include <string.h>

#include "base/text.h"

/* ---- by the bitmap ---- */

static bool is_slot_taken(const struct arr_status *s, uint32_t slot)
{
	for (uint32_t i = 0; i < s->member_count; i++)
		if ((s->members[i].state == ARR_M_IN_SYNC || s->members[i].state == ARR_M_RECOVERING) &&
		    s->members[i].slot == slot)
			return true;
	return false;
}

static bool counts_somebody(const struct sb1 *sb, const struct arr_status *s)
{
	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].state == ARR_M_IN_SYNC && asm_is_slot(sb, asm_role_of(sb, s->members[i].dev_number)))
			return true;
	return false;
}

static bool has_number(const struct arr_status *s, uint32_t dev_number)
{
	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].state != ARR_M_NONE && s->members[i].dev_number == dev_number)
			return true;
	return false;
}

/* Where this member's superblock puts the array's bitmap it must be clear of everything else, the superblock with the
 * array's role table and the array's data included. */
static int check_bitmap_place(const struct asm_lineage *l, const struct asm_member *m, const struct sb1 *sb,
			      const struct arr *a, struct err *err)
{
	const struct bm *b = arr_bitmap(a);
	struct sb1 in_use = *sb;
	struct arr_status s;

	arr_get_status(a, &s);
	if (s.bitmap_is_file)
		return 0;		/* no member holds it */
	in_use.max_dev = l->base.max_dev;
	in_use.size_sectors = l->base.size_sectors;
	return b ? lay_bitmap_fits(&in_use, bm_superblock(b), asm_slots_of(bm_superblock(b)), m->size_bytes, err) : 0;
}

/* Its number went to another device since: that one, when it returns, must not find its place taken by this one. */
static bool has_lost_number(const struct asm_lineage *l, const struct sb1 *sb)
{
	const struct asm_number *n;

	if (sb->dev_number >= FMT_SB1_MAX_DEV)
		return true;
	n = &l->numbers[sb->dev_number];
	if (n->state == NUMBER_KNOWN)
		return memcmp(n->device_uuid, sb->device_uuid, sizeof n->device_uuid);
	return n->state == NUMBER_UNSEEN && sb->events + 1 < l->base.events;
}

/* 0, or UMD_E_READD_REFUSED with the reason. */
static int check_readd(const struct asm_lineage *l, const struct arr *a, const struct arr_status *s,
		       const struct asm_member *m, struct err *err)
{
	const struct bm *b = arr_bitmap(a);
	const struct sb1 *sb = &m->sb;
	uint64_t cleared = b ? max_u64(bm_events_cleared(b), l->known_cleared) : 0;
	uint32_t slot = asm_own_role(sb);
	unsigned long long events = sb->events;
	bool was_recovering = sb->feature_map & FMT_SB1_RECOVERY_OFFSET;	/* then it never ran by itself */
	struct err place = { 0 }, why;

	if (asm_why_no_member(m, &why))
		return err_set(err, UMD_E_READD_REFUSED, "%s cannot be re-added: %s", m->path, why.text);
	if (memcmp(sb->set_uuid, l->base.set_uuid, 16))
		return err_set(err, UMD_E_READD_REFUSED, "%s cannot be re-added: it belongs to another array", m->path);
	if (!b)
		return err_set(err, UMD_E_READD_REFUSED,
			"%s cannot be re-added: the array has no bitmap that knows what it missed; --add copies "
			"everything",
			m->path);
	if (bm_is_bare(b))
		return err_set(err, UMD_E_READD_REFUSED,
			"%s cannot be re-added: the array's bitmap has no superblock that says since which event it "
			"counts, and the member is at event %llu of %llu; --add copies everything",
			m->path, events, (unsigned long long)s->events);
	if (!asm_is_slot(sb, slot) || is_slot_taken(s, slot) || has_number(s, sb->dev_number) ||
	    has_lost_number(l, sb))
		return err_set(err, UMD_E_READD_REFUSED,
			"%s cannot be re-added: its place (role %u, device %u) is not free; --add copies everything",
			m->path, slot, sb->dev_number);
	if (!counts_somebody(sb, s) || events > s->events || (events == s->events && !was_recovering))
		return err_set(err, UMD_E_READD_REFUSED,
			"%s cannot be re-added: it ran apart from this array (event %llu against %llu); --add copies "
			"everything over it",
			m->path, events, (unsigned long long)s->events);
	if (events < cleared)
		return err_set(err, UMD_E_READD_REFUSED,
			"%s cannot be re-added: it is at event %llu, but bits were cleared at event %llu, so what it "
			"missed is no longer known; "
			"--add copies everything",
			m->path, events, (unsigned long long)cleared);
	if (was_recovering && !(sb->feature_map & FMT_SB1_RECOVERY_BITMAP))
		return err_set(err, UMD_E_READD_REFUSED,
			"%s cannot be re-added: it was left in the middle of a full recovery; --add copies everything",
			m->path);
	if (check_bitmap_place(l, m, sb, a, &place))
		return err_set(err, UMD_E_READD_REFUSED, "%s cannot be re-added: %s", m->path, place.text);
	if (lay_data_room_sectors(sb) < l->base.size_sectors || !asm_has_room_for_roles(sb, &l->base) ||
	    asm_check_supported(m, l->is_clustered, NULL))
		return err_set(err, UMD_E_READD_REFUSED,
			       "%s cannot be re-added: its superblock does not fit this array (room for %llu sectors "
			       "of %llu, device number %u in a table of %u)",
			       m->path, (unsigned long long)lay_data_room_sectors(sb),
			       (unsigned long long)l->base.size_sectors, sb->dev_number, l->base.max_dev);
	return 0;
}

static void readd(struct asm_lineage *l, const struct arr *a, const struct arr_status *s, const struct asm_member *m,
		  struct arr_member *ret_member, char ret_sentence[256])
{
	const struct bm *b = arr_bitmap(a);

	l->admitted = (struct asm_line){ .is_used = true, .sb = m->sb, .super_at = m->super_at };
	memcpy(l->admitted.raw, m->raw, sizeof l->admitted.raw);
	*ret_member = (struct arr_member){
		.state = ARR_M_RECOVERING,
		.slot = asm_own_role(&m->sb),
		.dev_number = m->sb.dev_number,
		.data_at = lay_data(&m->sb).at,
		.is_write_mostly = m->sb.devflags & FMT_SB1_WRITE_MOSTLY,
	};
	lay_bitmap(&m->sb, &ret_member->bitmap_at);
	text_fit(ret_sentence, 256,
		"%s is at event %llu of %llu, and bits were last cleared at event %llu: only the set chunks are "
		"copied",
		m->path, (unsigned long long)m->sb.events, (unsigned long long)s->events,
		(unsigned long long)max_u64(bm_events_cleared(b), l->known_cleared));
}

/* ---- as a new device ---- */

/* A number that no superblock of this run ever gave to a slot: a member that is away still carries its own, and one
 * event behind it would be taken for the device that has it now. Linux, too, begins behind the slots. */
static uint32_t fresh_number(const struct asm_lineage *l, const struct arr_status *s)
{
	uint32_t n = s->raid_devices;

	while (n < l->base.max_dev && (l->numbers[n].state != NUMBER_FREE || has_number(s, n)))
		n++;
	return n;
}

static int plan_place(const struct asm_lineage *l, const struct arr *a, const struct asm_member *m,
		      struct lay_plan *ret_plan, struct err *err)
{
	const struct bm *b = arr_bitmap(a);
	uint32_t chunk = b && !bm_is_bare(b) ? (uint32_t)bm_chunk_bytes(b) : 0;
	/* Room for all slots lies before the array's own data offset. */
	uint64_t data_offset = l->is_clustered ? l->base.data_offset_sectors : 0;
	int rc = lay_plan_create(l->base.minor, m->size_bytes, data_offset, chunk, l->base.size_sectors, ret_plan, err);

	if (rc < 0)
		return rc;
	/* A smaller data offset than mdadm would choose for this size may be all that fits: the array's own. */
	if (ret_plan->data_size_sectors < l->base.size_sectors && l->base.minor != SB1_0)
		rc = lay_plan_create(l->base.minor, m->size_bytes, l->base.data_offset_sectors, chunk,
				     l->base.size_sectors, ret_plan, err);
	if (rc < 0)
		return rc;
	if (ret_plan->data_size_sectors < l->base.size_sectors)
		return err_set(err, UMD_E_MEMBER_TOO_SMALL,
			       "%s is too small: it has room for %llu sectors, the array needs %llu", m->path,
			       (unsigned long long)ret_plan->data_size_sectors,
			       (unsigned long long)l->base.size_sectors);
	return 0;
}

/* Where its superblock names the array's bitmap; one that no superblock names lies as far from it as everywhere. */
static int place_bitmap(const struct asm_lineage *l, const struct arr *a, const struct asm_member *m,
			const struct sb1 *sb, member_off *ret_at, struct err *err)
{
	const struct bm *b = arr_bitmap(a);

	if (b && bm_is_bare(b))
		return asm_place_bare(l, a, m, sb, ret_at, err);
	lay_bitmap(sb, ret_at);
	return check_bitmap_place(l, m, sb, a, err);
}

static int add(struct asm_lineage *l, const struct arr *a, const struct arr_status *s, const struct asm_member *m,
	       const uint8_t random_uuid[16], struct arr_member *ret_member, char ret_sentence[256], struct err *err)
{
	struct lay_plan plan;
	member_off bitmap_at = { 0 };
	struct sb1 *sb = &l->admitted.sb;
	uint32_t number = fresh_number(l, s);
	int rc = plan_place(l, a, m, &plan, err);

	if (rc < 0)
		return rc;
	if (number >= l->base.max_dev)
		return err_set(err, UMD_E_NO_FREE_SLOT,
			       "%s cannot be added: all %u device numbers of the array are in use", m->path,
			       l->base.max_dev);

	memset(&l->admitted, 0, sizeof l->admitted);
	*sb = l->base;
	sb->feature_map = (s->names_bitmap ? FMT_SB1_BITMAP : 0) | (l->is_clustered ? FMT_SB1_CLUSTERED : 0);
	sb->dev_number = number;
	memcpy(sb->device_uuid, random_uuid, 16);
	sb->super_offset_sectors = plan.super_offset_sectors;
	sb->data_offset_sectors = plan.data_offset_sectors;
	sb->data_size_sectors = plan.data_size_sectors;
	sb->bitmap_offset_sectors = plan.bitmap_offset_sectors;
	sb->bblog_offset_sectors = 0;		/* no log: umd keeps none */
	sb->bblog_size_sectors = 0;
	sb->corrected_reads = 0;
	sb->devflags = 0;
	rc = place_bitmap(l, a, m, sb, &bitmap_at, err);
	if (rc < 0)
		return rc;
	l->admitted.is_used = true;
	l->admitted.super_at = (member_off){ sb->super_offset_sectors * SECTOR_BYTES };
	*ret_member = (struct arr_member){ .state = ARR_M_SPARE, .dev_number = number, .data_at = lay_data(sb).at,
					   .bitmap_at = bitmap_at };
	text_fit(ret_sentence, 256, "%s joins as a new device: %s", m->path,
		 s->degraded ? "it has never seen the data, so everything is copied" :
			       "the array is whole, it waits as a spare");
	return 0;
}

int asm_admit(struct asm_lineage *l, const struct arr *a, const struct asm_member *m, enum asm_admission how,
	      const uint8_t random_uuid[16], struct arr_member *ret_member, char ret_sentence[256], struct err *err)
{
	struct arr_status s;
	int rc;

	arr_get_status(a, &s);
	rc = check_readd(l, a, &s, m, err);
	if (rc == 0) {
		readd(l, a, &s, m, ret_member, ret_sentence);
		return arr_check_join(a, ret_member, err);
	}
	if (how == ASM_ADMIT_READD)
		return rc;
	if (m->kind == ASM_BITMAP_FILE)
		return asm_why_no_member(m, err);
	if (m->has_superblock && (m->sb.minor == SB_090 || memcmp(m->sb.set_uuid, l->base.set_uuid, 16)))
		return err_set(err, UMD_E_FOREIGN_MEMBER,
			       "%s belongs to another array: it is not overwritten; erase its superblock first",
			       m->path);
	rc = add(l, a, &s, m, random_uuid, ret_member, ret_sentence, err);
	return rc < 0 ? rc : arr_check_join(a, ret_member, err);
}

void asm_admitted(struct asm_lineage *l, uint32_t entry)
{
	l->lines[entry] = l->admitted;
	asm_know_number(l, &l->admitted.sb);
}

void asm_forget(struct asm_lineage *l, uint32_t entry)
{
	l->lines[entry].is_used = false;
}
