/* I10: what superblocks say, at the moment each of them reaches a member.
 *
 * A superblock that claims more than the one on the medium before it is compared with media and caches: what it covers
 * must be settled on the media of the members it speaks of, and be the same there.
 *
 *   clean below X      no write is unsettled below X on any member in a slot, and their media agree there
 *   current below X    what syncs copied to this member below X is settled, and the member agrees with those in sync
 *                      in every chunk whose bit is clear (the others the bitmap still brings)
 *
 * And data goes out only when every member in sync says "active" on its medium. Beside the law: event numbers on a
 * medium never go back, and the bitmap of a member in sync has the number before its superblock has it, or the next
 * start would take the bitmap for stale and copy everything (I8). */
#include "check.h"

/* What is copied over a member is no longer its own story: its superblock must not tell that one any more, or a start
 * from this member alone would believe it (I5). */
void claims_sync_part(struct sim_world *w, const struct sim_member *m)
{
	const struct super *s = m->state == ARR_M_RECOVERING ? super_on(w, m) : NULL;

	if (!s)
		return;
	if (s->roles[s->dev_number] < w->slots && !(s->feature_map & FMT_SB1_RECOVERY_OFFSET))
		broken(w, LAW_I5, "%s is copied to while its own superblock (event %llu) calls it in sync",
		       m->disk.path,
		       (ull)s->events);
	at_stake(w, LAW_I5);
}

/* Data before *active* is durable. */
void claims_issued(struct sim_world *w)
{
	names_issued(w);
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

static bool own_claim(const struct sim_world *w, const struct sim_member *m, struct super *ret)
{
	return owner_super(w, w->storing, m, ret);
}

/* "Below this place the array is clean" speaks of a member as far as its own superblock calls it current: the one of
 * this round, or where it gets none the one it has, if that is of this round or tells of a recovery. One that has just
 * come back still has that of its former life, too old to be believed. What the array thinks by now is not what is
 * said. */
static uint64_t clean_below(struct sim_world *w, const struct arr_job *job, const struct sim_member *m,
			    const struct super *now)
{
	struct super own;

	if (!job)	/* a store of the owner speaks of everybody */
		return own_claim(w, m, &own) ? min_u64(synced_below(w, now), current_below(w, &own)) : 0;
	for (uint32_t i = 0; i < job->part_count; i++)
		if (member_of(w, &job->parts[i]) == m) {
			read_claim(w, &job->parts[i], &own);
			return min_u64(synced_below(w, now), current_below(w, &own));
		}
	if (!super_of(w, m, &own) || own.events + 1 < now->events)
		return 0;
	if (!(own.feature_map & FMT_SB1_RECOVERY_OFFSET) && (!is_in_sync(m) || own.events < now->events))
		return 0;
	return min_u64(synced_below(w, now), current_below(w, &own));
}

static void clean_and_equal(struct sim_world *w, const struct super *now, const struct sim_member *one,
			    const struct sim_member *other, uint64_t below)
{
	uint64_t sector = first_difference(one, other, false, 0, below / SECTOR_BYTES);

	if (sector != UINT64_MAX)
		broken_at(w, LAW_I10, chunk_of(w, sector),
			  "event %llu calls the array clean below %llu, but sector %llu differs on %s and %s",
			  (ull)now->events, (ull)below, (ull)sector, one->disk.path, other->disk.path);
}

static void clean_claim(struct sim_world *w, const struct arr_job *job, const struct super *now)
{
	const struct sim_member *most = NULL;
	uint64_t below[SIM_DISKS] = { 0 };

	EACH_MEMBER(w, m) {
		uint64_t *own = &below[index_of(w, m)];

		if (!is_in_sync(m) && m->state != ARR_M_RECOVERING)
			continue;
		*own = clean_below(w, job, m, now);
		if (!disk_is_settled(&m->disk, m->place.data_at.bytes, *own, false) &&
		    !(w->storing && disk_shows_the_same(&m->disk, m->place.data_at.bytes, *own)))
			broken(w, LAW_I10,
			       "event %llu calls the array clean below %llu, but %s was not flushed there",
			       (ull)now->events, (ull)*own, m->disk.path);
		if (!most || *own > below[index_of(w, most)])
			most = m;
	}
	EACH_MEMBER(w, m)
		if (below[index_of(w, m)])
			clean_and_equal(w, now, most, m, below[index_of(w, m)]);
	at_stake(w, LAW_I10);
}

/* A sector that is not yet what others in sync have is allowed where a bit remembers it or a write is on its way. */
static void current_beside(struct sim_world *w, const struct sim_member *m, const struct sim_member *other,
			   const struct super *now, uint64_t below)
{
	for (uint64_t s = 0; s < below / SECTOR_BYTES; s++) {
		if (data_at(m, true, s) == data_at(other, true, s) || bit_on(w, other, false, chunk_of(w, s)) ||
		    is_write_out_to(w, s, m, other))
			continue;
		broken_at(w, LAW_I10, chunk_of(w, s),
			  "%s (event %llu) calls itself current below %llu, but sector %llu is another on %s, and no "
			  "bit says so",
			  m->disk.path, (ull)now->events, (ull)below, (ull)s, other->disk.path);
	}
}

static void current_claim(struct sim_world *w, const struct sim_member *m, const struct super *now, uint64_t below)
{
	if (!disk_is_settled(&m->disk, m->place.data_at.bytes, below, true))
		broken(w, LAW_I10,
		       "%s (event %llu) calls itself current below %llu, but what was copied was not flushed",
		       m->disk.path, (ull)now->events, (ull)below);
	EACH_MEMBER(w, other)
		if (w->has_bitmap && other != m && is_in_sync(other) && !is_lost(other) && !is_lost(m))
			current_beside(w, m, other, now, below);
	at_stake(w, LAW_I10);
}

static void numbers_go_on(struct sim_world *w, const struct sim_member *m, const struct super *before,
			  const struct super *now)
{
	if (before && m->state != ARR_M_SPARE && before->dev_number == now->dev_number && before->events > now->events)
		broken(w, LAW_I5, "the events of %s go back from %llu to %llu", m->disk.path, (ull)before->events,
		       (ull)now->events);
	if ((!now->names_bitmap && !(w->has_bitmap && w->is_on_file)) || !is_in_sync(m) || m->is_corrupt)
		return;
	if (bits_on(w, m, false)->events < now->events)
		broken(w, LAW_I8, "%s gets event %llu while its bitmap is at %llu: the next start would copy all",
		       m->disk.path, (ull)now->events, (ull)bits_on(w, m, false)->events);
}

void check_claim(struct sim_world *w, const struct arr_job *job, const struct arr_part *p)
{
	const struct sim_member *m = member_of(w, p);
	const struct super *before = super_on(w, m);
	struct super now;

	read_claim(w, p, &now);
	names_claim(w, m, before, &now);
	numbers_go_on(w, m, before, &now);
	if (synced_below(w, &now) > (before ? synced_below(w, before) : 0))
		clean_claim(w, job, &now);
	if (current_below(w, &now) > (before ? current_below(w, before) : 0))
		current_claim(w, m, &now, current_below(w, &now));
}

/* All superblocks at once, as it were. What an owner said at the start to agree may be copied once more, for the sake
 * of a member that is away: the same bytes. */
void check_store(struct sim_world *w, const struct sim_record *next)
{
	bool is_clean_checked = false;

	w->storing = next;
	EACH_MEMBER(w, m) {
		const struct super *before = super_on(w, m);
		struct super now;

		if (!owner_super(w, next, m, &now) || !m->place.is_used)
			continue;
		if (!is_clean_checked && synced_below(w, &now) > (before ? synced_below(w, before) : 0))
			clean_claim(w, NULL, &now);
		is_clean_checked = true;
		if (current_below(w, &now) > (before ? current_below(w, before) : 0))
			current_claim(w, m, &now, current_below(w, &now));
	}
	w->storing = NULL;
}
