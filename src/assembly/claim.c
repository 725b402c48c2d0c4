/* From a claim to the bytes of superblocks.
 *
 * The array says what is true now (events, clean or not, roles, progress); the lineage adds what stays:
 * uuids, name, geometry, places, and bytes umd does not know, which are written back as they were found.
 * The feature map is made anew each time; devices that are not in the table become 0xffff, as Linux does. */
#include "assembly/inside.h"

#include <string.h>

#include "base/law.h"

static void put_array_fields(struct sb1 *sb, const struct sb1 *base)
{
	memcpy(sb->set_uuid, base->set_uuid, sizeof sb->set_uuid);
	memcpy(sb->set_name, base->set_name, sizeof sb->set_name);
	sb->ctime = base->ctime;
	sb->level = base->level;
	sb->layout = base->layout;
	sb->size_sectors = base->size_sectors;
	sb->chunk_sectors = base->chunk_sectors;
	sb->raid_disks = base->raid_disks;
	sb->max_dev = base->max_dev;
}

static void put_roles(struct sb1 *sb, const struct arr_claim *claim)
{
	for (uint32_t i = 0; i < FMT_SB1_MAX_DEV; i++)
		sb->dev_roles[i] = FMT_ROLE_SPARE;
	for (uint32_t i = 0; i < claim->member_count; i++) {
		const struct arr_claim_member *m = &claim->members[i];

		if (m->dev_number < sb->max_dev)
			sb->dev_roles[m->dev_number] = (uint16_t)m->role;
	}
}

/* Distances are signed: version 1.0 has its bitmap in front of the superblock. Where none is named the last one stays,
 * as Linux leaves it, and means nothing. */
static void put_bitmap(struct sb1 *sb, const struct arr_claim_member *m, bool is_clustered)
{
	bool is_named = m->bitmap_at.bytes != OFF_NONE;
	int64_t sector = (int64_t)(m->bitmap_at.bytes / SECTOR_BYTES);

	sb->feature_map = is_named ? FMT_SB1_BITMAP : 0;
	if (is_clustered) {
		sb->feature_map |= FMT_SB1_CLUSTERED;
		sb->bblog_offset_sectors = 0;		/* it would lie in a slot on members that mdadm added */
		sb->bblog_size_sectors = 0;
	}
	if (is_named)
		sb->bitmap_offset_sectors = (int32_t)(sector - (int64_t)sb->super_offset_sectors);
}

static void put_claim(struct sb1 *sb, const struct asm_lineage *l, const struct arr_claim *claim,
		      const struct arr_claim_member *m, uint64_t now_s)
{
	put_array_fields(sb, &l->base);
	put_roles(sb, claim);
	put_bitmap(sb, m, l->is_clustered);
	sb->recovery_offset_sectors = 0;
	if (m->is_recovering) {
		sb->feature_map |= FMT_SB1_RECOVERY_OFFSET | (m->is_by_bitmap ? FMT_SB1_RECOVERY_BITMAP : 0);
		sb->recovery_offset_sectors = m->recovery_offset / SECTOR_BYTES;
	}
	sb->utime = now_s;
	sb->events = claim->events;
	if (claim->is_active)
		sb->resync_offset_sectors = 0;
	else
		sb->resync_offset_sectors =
			claim->resync_offset == OFF_NONE ? FMT_SB1_RESYNC_NONE : claim->resync_offset / SECTOR_BYTES;
	sb->dev_number = m->dev_number;
	sb->devflags &= (uint8_t)~FMT_SB1_WRITE_MOSTLY;
	sb->devflags |= m->is_write_mostly ? FMT_SB1_WRITE_MOSTLY : 0;
}

static const struct arr_claim_member *claimed(const struct arr_claim *claim, uint32_t member)
{
	for (uint32_t i = 0; i < claim->member_count; i++)
		if (claim->members[i].member == member)
			return &claim->members[i];
	return NULL;
}

void asm_claim_render(struct asm_lineage *l, const struct arr_claim *claim, struct arr_job *job, uint64_t now_s)
{
	if (!l->first_claim)
		l->first_claim = claim->events;
	for (uint32_t i = 0; i < job->part_count; i++) {
		struct arr_part *part = &job->parts[i];
		struct asm_line *line = &l->lines[part->member];
		const struct arr_claim_member *m = claimed(claim, part->member);

		MUST(m && line->is_used);
		put_claim(&line->sb, l, claim, m, now_s);
		fmt_sb1_encode(&line->sb, line->raw);
		part->at = line->super_at;
		part->len_bytes = round_up(fmt_sb1_valid_bytes(&line->sb), SECTOR_BYTES);
		part->data = line->raw;
	}
}
