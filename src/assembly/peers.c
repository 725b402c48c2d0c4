/* Members that join an array which runs on several nodes.
 *
 * The node that adds a device admits it (admit.c), writes a spare's superblock with a new number on it and asks the
 * others whether they see that device. They know it by its own superblock: array, device uuid, number. For all nodes it
 * is a spare then; what becomes of it superblocks say, under the token.
 *
 * A device may be let back by the bitmap only if no node has cleared bits since it left: what counts is the highest
 * events_cleared of all slots. Left out: asking and answering (cluster/, run/). */
#include "assembly/inside.h"

#include <string.h>

void asm_know_cleared(struct asm_lineage *l, uint64_t events_cleared)
{
	l->known_cleared = max_u64(l->known_cleared, events_cleared);
}

/* By a device that is there. One that left, and is remembered here, may not be known to the node that adds: it has the
 * token, and gave its number to another one. */
static bool is_number_taken(const struct arr_status *s, const struct sb1 *sb)
{
	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].state != ARR_M_NONE && s->members[i].dev_number == sb->dev_number)
			return true;
	return false;
}

/* Is it the device that the other node speaks of? */
static int check_identity(const struct asm_lineage *l, const struct asm_member *m, const uint8_t device_uuid[16],
			  uint32_t number, struct err *err)
{
	char wanted[36], found[36];
	struct err why;

	if (asm_why_no_member(m, &why))
		return err_set(err, why.code, "%s", why.text);
	if (memcmp(m->sb.set_uuid, l->base.set_uuid, 16))
		return err_set(err, UMD_E_FOREIGN_MEMBER, "%s belongs to another array: it does not join this one",
			       m->path);
	fmt_uuid_text(device_uuid, wanted);
	fmt_uuid_text(m->sb.device_uuid, found);
	if (memcmp(m->sb.device_uuid, device_uuid, 16))
		return err_set(err, UMD_E_FOREIGN_MEMBER, "%s is device %s, and %s is added: it does not join", m->path,
			       found, wanted);
	if (m->sb.dev_number != number)
		return err_set(err, UMD_E_FOREIGN_MEMBER,
			       "%s has device number %u, and number %u is added: it does not join", m->path,
			       m->sb.dev_number, number);
	return 0;
}

static int check_fit(const struct asm_lineage *l, const struct arr *a, const struct asm_member *m, struct err *err)
{
	const struct bitmap_sb *b = bm_superblock(arr_bitmap(a));
	struct sb1 in_use = m->sb;

	if (asm_check_supported(m, true, err))
		return err->code;
	if (lay_data_room_sectors(&m->sb) < l->base.size_sectors || !asm_has_room_for_roles(&m->sb, &l->base))
		return err_set(err, UMD_E_MEMBER_TOO_SMALL,
			       "%s does not fit this array: room for %llu sectors of %llu, device number %u in a table "
			       "of %u",
			       m->path, (unsigned long long)lay_data_room_sectors(&m->sb),
			       (unsigned long long)l->base.size_sectors, m->sb.dev_number, l->base.max_dev);
	in_use.max_dev = l->base.max_dev;
	in_use.size_sectors = l->base.size_sectors;
	return lay_bitmap_fits(&in_use, b, asm_slots_of(b), m->size_bytes, err);
}

int asm_admit_peers(struct asm_lineage *l, const struct arr *a, const struct asm_member *m,
		    const uint8_t device_uuid[16], uint32_t number, struct arr_member *ret_member, struct err *err)
{
	struct arr_status s;
	struct err why = { 0 };
	int rc = check_identity(l, m, device_uuid, number, &why);

	arr_get_status(a, &s);
	if (rc == 0)
		rc = check_fit(l, a, m, &why);
	if (rc == 0 && is_number_taken(&s, &m->sb))
		rc = err_set(&why, UMD_E_DUPLICATE_MEMBER,
			     "%s has device number %u, which belongs to another device on this node: it does not join",
			     m->path, number);
	if (rc < 0)
		return err_set(err, rc, "%s", why.text);
	l->admitted = (struct asm_line){ .is_used = true, .sb = m->sb, .super_at = m->super_at };
	memcpy(l->admitted.raw, m->raw, sizeof l->admitted.raw);
	*ret_member = (struct arr_member){ .state = ARR_M_SPARE, .dev_number = number, .data_at = lay_data(&m->sb).at };
	lay_bitmap(&m->sb, &ret_member->bitmap_at);
	return arr_check_join(a, ret_member, err);
}

void asm_render_candidate(const struct asm_lineage *l, const struct arr *a, uint8_t ret_raw[FMT_SB1_BYTES],
			  member_off *ret_at)
{
	struct sb1 sb = l->admitted.sb;
	struct arr_status s;

	arr_get_status(a, &s);
	sb.feature_map = FMT_SB1_BITMAP | FMT_SB1_CLUSTERED;
	sb.recovery_offset_sectors = 0;
	sb.events = s.events;
	sb.resync_offset_sectors = s.is_active ? 0 : FMT_SB1_RESYNC_NONE;
	for (uint32_t i = 0; i < FMT_SB1_MAX_DEV; i++)
		sb.dev_roles[i] = FMT_ROLE_SPARE;
	for (uint32_t i = 0; i < s.member_count; i++) {
		const struct arr_member *e = &s.members[i];

		if (e->state == ARR_M_FAULTY)
			sb.dev_roles[e->dev_number] = FMT_ROLE_FAULTY;
		else if (e->state == ARR_M_IN_SYNC || e->state == ARR_M_RECOVERING)
			sb.dev_roles[e->dev_number] = (uint16_t)e->slot;
	}
	memset(ret_raw, 0, FMT_SB1_BYTES);
	fmt_sb1_encode(&sb, ret_raw);
	*ret_at = l->admitted.super_at;
}
