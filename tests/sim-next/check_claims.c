/* I10: what superblocks say.
 *
 * A superblock that claims more than the one on the medium before it is compared with caches: whatever it covers must
 * be settled on the media of the members it speaks of. And data goes out only when every member in sync says "active"
 * on its medium. */
#include "check.h"

/* Data before *active* is durable. */
void claims_issued(struct sim_world *w, const struct arr_job *job)
{
	(void)job;
	EACH_MEMBER(w, m) {
		const struct super *s;

		if (!is_in_sync(m) || m->is_corrupt)
			continue;
		s = super_on(w, m);
		if (!s || s->resync_offset_sectors)
			broken(w, LAW_I10,
			       "data goes out while the superblock of %s on its medium does not say active",
			       m->disk.path);
	}
	at_stake(w, LAW_I10);
}

static uint64_t synced_below(const struct sim_world *w, const struct super *s)
{
	return s->resync_offset_sectors > w->size_bytes / SECTOR_BYTES ? w->size_bytes
								       : s->resync_offset_sectors * SECTOR_BYTES;
}

/* Bytes of its own data area that the superblock calls current. */
static uint64_t current_below(const struct sim_world *w, const struct super *s)
{
	if (s->roles[s->dev_number] >= w->slots)
		return 0;
	return s->feature_map & FMT_SB1_RECOVERY_OFFSET ? s->recovery_offset_sectors * SECTOR_BYTES : w->size_bytes;
}

static void read_claim(struct sim_world *w, const struct arr_part *p, struct super *ret)
{
	if (!super_read(w, p->data, p->len_bytes, ret))
		broken(w, LAW_I9, "a superblock goes to %s that nobody could believe: wrong magic, roles or checksum",
		       member_of(w, p)->disk.path);
}

/* "Below this place the array is clean" speaks of every member in a slot; of a recovering one as far as it calls
 * itself current. */
static void clean_claim(struct sim_world *w, const struct arr_job *job, const struct super *s)
{
	for (uint32_t i = 0; i < job->part_count; i++) {
		const struct sim_member *m = member_of(w, &job->parts[i]);
		uint64_t below = synced_below(w, s);
		struct super own;

		if (m->state == ARR_M_FAULTY)
			continue;
		read_claim(w, &job->parts[i], &own);
		below = min_u64(below, current_below(w, &own));
		if (!disk_is_settled(&m->disk, m->place.data_at.bytes, below, false))
			broken(w, LAW_I10,
			       "event %llu calls the array clean below %llu, but %s was not flushed there",
			       (ull)s->events, (ull)below, m->disk.path);
	}
	at_stake(w, LAW_I10);
}

static void one_claim(struct sim_world *w, const struct arr_job *job, const struct arr_part *p)
{
	const struct sim_member *m = member_of(w, p);
	const struct super *before = super_on(w, m);
	struct super now;

	read_claim(w, p, &now);
	if (synced_below(w, &now) > (before ? synced_below(w, before) : 0))
		clean_claim(w, job, &now);
	if (current_below(w, &now) <= (before ? current_below(w, before) : 0))
		return;
	if (!disk_is_settled(&m->disk, m->place.data_at.bytes, current_below(w, &now), true))
		broken(w, LAW_I10,
		       "%s (event %llu) calls itself current below %llu, but what was copied was not flushed",
		       m->disk.path, (ull)now.events, (ull)current_below(w, &now));
	at_stake(w, LAW_I10);
}

void check_claim(struct sim_world *w, const struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++)
		one_claim(w, job, &job->parts[i]);
}
