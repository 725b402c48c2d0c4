/* The checkers of what is written about the data: superblocks (I10) and bits that are cleared (I4).
 *
 * A superblock that claims more than the one on the medium before it is compared with caches: whatever it
 * covers must be settled on the media of the members it speaks of. A bit that goes from 1 to 0 is compared with
 * media: nobody writes in the chunk, all copies agree and are settled, nobody is missing, and a member
 * that is away and would be let back by the bitmap must not lack what the bit said. */
#include "world.h"

#include <string.h>

bool superblock_of(const struct sim_world *w, const struct sim_member *m, struct sb1 *ret)
{
	if (!m->place.is_used)
		return false;
	fmt_sb1_decode(m->disk.medium + m->place.super_at.bytes, w->minor, ret);
	return ret->magic == FMT_SB1_MAGIC;
}

bool bit_on(const struct sim_world *w, const uint8_t *disk, const struct sim_member *m, uint64_t chunk)
{
	return disk[m->place.bitmap_at.bytes + FMT_BITMAP_SB_BYTES + chunk / 8] >> chunk % 8 & 1;
}

uint64_t chunk_len(const struct sim_world *w, uint64_t chunk)
{
	return min_u64(w->chunk_bytes, w->size_bytes - chunk * w->chunk_bytes);
}

/* ---- I10 ---- */

static uint64_t synced_below(const struct sim_world *w, const struct sb1 *sb)
{
	return sb->resync_offset_sectors > w->size_bytes / SECTOR_BYTES ? w->size_bytes
									: sb->resync_offset_sectors * SECTOR_BYTES;
}

/* Bytes of its own data area that the superblock calls current. */
static uint64_t current_below(const struct sim_world *w, const struct sb1 *sb)
{
	if (sb->dev_roles[sb->dev_number] >= w->slots)
		return 0;
	return sb->feature_map & FMT_SB1_RECOVERY_OFFSET ? sb->recovery_offset_sectors * SECTOR_BYTES : w->size_bytes;
}

static void decode_claim(const struct sim_world *w, const struct arr_part *p, struct sb1 *ret)
{
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	memcpy(raw, p->data, min_u64(p->len_bytes, sizeof raw));
	fmt_sb1_decode(raw, w->minor, ret);
}

/* "Below this place the array is clean" speaks of every member in a slot; of a recovering one as far as it calls
 * itself current. */
static void check_clean_claim(struct sim_world *w, const struct arr_job *job, const struct sb1 *sb)
{
	for (uint32_t i = 0; i < job->part_count; i++) {
		const struct sim_member *m = &w->members[w->disk_of[job->parts[i].member]];
		uint64_t below = synced_below(w, sb);
		struct sb1 own;

		decode_claim(w, &job->parts[i], &own);
		below = min_u64(below, current_below(w, &own));
		if (m->state != ARR_M_FAULTY && !disk_is_settled(&m->disk, m->place.data_at.bytes, below, false))
			broken(w, LAW_I10,
			       "event %llu calls the array clean below %llu, but %s was not flushed there",
			       (unsigned long long)sb->events, (unsigned long long)below, m->disk.path);
	}
	at_stake(w, LAW_I10);
}

static void check_one_claim(struct sim_world *w, const struct arr_job *job, const struct sim_member *m,
			    const struct arr_part *p)
{
	struct sb1 before, now;
	bool has_before = superblock_of(w, m, &before);

	decode_claim(w, p, &now);
	if (synced_below(w, &now) > (has_before ? synced_below(w, &before) : 0))
		check_clean_claim(w, job, &now);
	if (current_below(w, &now) <= (has_before ? current_below(w, &before) : 0))
		return;
	if (!disk_is_settled(&m->disk, m->place.data_at.bytes, current_below(w, &now), true))
		broken(w, LAW_I10,
		       "%s (event %llu) calls itself current below %llu, but what was copied was not flushed",
		       m->disk.path, (unsigned long long)now.events, (unsigned long long)current_below(w, &now));
	at_stake(w, LAW_I10);
}

void check_claim(struct sim_world *w, const struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++)
		check_one_claim(w, job, &w->members[w->disk_of[job->parts[i].member]], &job->parts[i]);
}

/* ---- I4 ---- */

static uint64_t least_events_cleared(const struct sim_world *w)
{
	uint64_t least = UINT64_MAX;

	EACH_MEMBER(w, m) {
		struct bitmap_sb sb;

		if (!is_in_sync(m))
			continue;
		fmt_bitmap_sb_decode(m->disk.medium + m->place.bitmap_at.bytes, &sb);
		least = min_u64(least, sb.events_cleared);
	}
	return least;
}

/* Would the bitmap let this absent member back, without the chunk? */
static bool may_return(const struct sim_world *w, const struct sim_member *m, uint64_t events_cleared)
{
	struct sb1 sb;

	if (m->state != ARR_M_NONE && m->state != ARR_M_FAULTY)
		return false;
	if (!superblock_of(w, m, &sb) || sb.events < events_cleared || sb.dev_roles[sb.dev_number] >= w->slots)
		return false;
	return !(sb.feature_map & FMT_SB1_RECOVERY_OFFSET) || sb.feature_map & FMT_SB1_RECOVERY_BITMAP;
}

/* A clear that was given out while the array was whole may reach members after one left: that one has the data too.
 * And a bit that was not counted then is a leftover: its commit reached this member, but its write never went out. */
static void check_cleared_chunk(struct sim_world *w, const struct sim_job *j, const struct sim_member *writing,
				uint64_t c)
{
	uint64_t at = c * w->chunk_bytes, len = chunk_len(w, c), cleared = least_events_cleared(w);
	const uint8_t *data = data_of(w, writing, writing->disk.medium, at);

	if (j->issued >= w->whole_until && j->issued >= w->counted_since[c])
		broken(w, LAW_I4, "the bit of chunk %llu is cleared while the array is degraded",
		       (unsigned long long)c);
	if (is_write_out(w, at / SECTOR_BYTES, len / SECTOR_BYTES))
		broken(w, LAW_I4, "the bit of chunk %llu is cleared under a write in flight", (unsigned long long)c);
	EACH_MEMBER(w, m) {
		const uint8_t *other = data_of(w, m, m->disk.medium, at);

		if (is_in_sync(m) &&
		    (!disk_is_settled(&m->disk, m->place.data_at.bytes + at, len, false) || memcmp(other, data, len)))
			broken(w, LAW_I4, "the bit of chunk %llu is cleared before its data is durable and equal on %s",
			       (unsigned long long)c, m->disk.path);
		if (may_return(w, m, cleared) && memcmp(other, data, len))
			broken(w, LAW_I4,
			       "the bit of chunk %llu is cleared, but events_cleared %llu lets %s back without it",
			       (unsigned long long)c, (unsigned long long)cleared, m->disk.path);
	}
	at_stake(w, LAW_I4);
}

/* A bit is cleared when the first member of those that all have it loses it. */
void check_cleared(struct sim_world *w, const struct sim_job *j, const struct arr_part *p)
{
	const struct sim_member *writing = &w->members[w->disk_of[p->member]];
	uint64_t skip = p->at.bytes - writing->place.bitmap_at.bytes;

	if (!is_in_sync(writing))
		return;
	for (uint64_t c = 0; c < w->chunks; c++) {
		uint64_t byte = FMT_BITMAP_SB_BYTES + c / 8;
		bool is_on_all = true;

		if (byte < skip || byte >= skip + p->len_bytes || ((const uint8_t *)p->data)[byte - skip] >> c % 8 & 1)
			continue;
		EACH_MEMBER(w, m)
			is_on_all &= !is_in_sync(m) || bit_on(w, m->disk.medium, m, c);
		if (is_on_all)
			check_cleared_chunk(w, j, writing, c);
	}
}
