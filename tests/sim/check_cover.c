/* I3 and I4: bits are there before the data, and go after it.
 *
 * I3: when a write of data goes out, to any member, the bit of each chunk it touches is on the medium of every member
 * in sync. I4: it stays there while the write is under way; and a bit goes from 1 to 0 only when nobody writes in the
 * chunk, all copies agree and are settled on their media, nobody is missing, and a member that is away and would be
 * let back by the bitmap does not lack what the bit said. */
#include "check.h"

/* ---- I3 ---- */

static void cover(struct sim_world *w, const struct sim_write *r, const struct sim_member *m, enum law_id law)
{
	uint64_t first = r->first * SECTOR_BYTES / w->chunk_bytes,
		 last = ((r->first + r->sectors) * SECTOR_BYTES - 1) / w->chunk_bytes;

	for (uint64_t c = first; c <= last; c++)
		if (!bit_on(w, m, false, c))
			broken_at(w, law, c, "data of chunk %llu goes out, and its bit is not on the medium of %s",
				  (ull)c, m->disk.path);
}

void cover_issued(struct sim_world *w, const struct arr_job *job)
{
	if (!w->has_bitmap)
		return;
	EACH_MEMBER(w, m)
		if (is_in_sync(m))
			cover(w, write_of(w, job), m, LAW_I3);
	at_stake(w, LAW_I3);
}

void cover_part(struct sim_world *w, const struct sim_job *j)
{
	if (!w->has_bitmap)
		return;
	EACH_MEMBER(w, other)
		if (is_in_sync(other))
			cover(w, write_of(w, j->job), other, LAW_I4);
}

/* ---- I4 ---- */

void note_counters(struct sim_world *w)
{
	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++) {
		uint16_t before = w->counters[c];

		w->counters[c] = bm_counter(arr_bitmap(w->array), (chunk_no){ c });
		if (before && !w->counters[c])
			w->idle_since[c] = w->step;
		if (w->counters[c])
			w->counted_since[c] = min_u64(w->counted_since[c], w->step);
	}
}

static uint64_t least_events_cleared(const struct sim_world *w)
{
	uint64_t least = UINT64_MAX;

	EACH_MEMBER(w, m)
		if (is_in_sync(m))
			least = min_u64(least, events_cleared_of(w, m));
	return least;
}

/* Would the bitmap let this absent member back, without the chunk? */
bool may_return(const struct sim_world *w, const struct sim_member *m, uint64_t events_cleared)
{
	const struct super *s;

	if (!m->is_there || m->is_apart || (m->state != ARR_M_NONE && m->state != ARR_M_FAULTY))
		return false;		/* nor one that tells another story: that is refused (I5) */
	if (w->setup->is_external)
		return owner_brings_back(w, m);
	s = super_on(w, m);
	if (!s || s->events < events_cleared || s->roles[s->dev_number] >= w->slots)
		return false;
	return !(s->feature_map & FMT_SB1_RECOVERY_OFFSET) || s->feature_map & FMT_SB1_RECOVERY_BITMAP;
}

/* A clear that was decided while the array was whole may reach members after one left: that one has the data too. It
 * is decided when the chunk is not counted any more, at the latest when its commit is given out. And a bit that was
 * not counted then is a leftover: its commit reached this member, but its write never went out. */
static void cleared_chunk(struct sim_world *w, const struct sim_job *j, const struct sim_member *writing, uint64_t c)
{
	uint64_t at = c * w->chunk_bytes, len = chunk_len(w, c), cleared = least_events_cleared(w);
	uint64_t first = at / SECTOR_BYTES, sectors = len / SECTOR_BYTES;

	uint64_t decided = w->counters[c] ? j->issued : min_u64(j->issued, w->idle_since[c]);

	if (decided >= w->whole_until && j->issued >= w->counted_since[c])
		broken_at(w, LAW_I4, c, "the bit of chunk %llu is cleared while the array is degraded", (ull)c);
	if (j->issued >= w->held_since && j->issued >= w->counted_since[c])
		broken_at(w, LAW_I4, c, "the bit of chunk %llu is cleared while can_clear is false", (ull)c);
	if (is_write_out(w, first, sectors))
		broken_at(w, LAW_I4, c, "the bit of chunk %llu is cleared under a write in flight", (ull)c);
	EACH_MEMBER(w, m) {
		bool differs = m->is_there && m->place.is_used && m != writing &&
			       first_difference(writing, m, false, first, sectors) != UINT64_MAX;

		if (is_in_sync(m) &&
		    (differs || !disk_is_settled(&m->disk, m->place.data_at.bytes + at, len, false)))
			broken_at(w, LAW_I4, c,
				  "the bit of chunk %llu is cleared before its data is durable and equal on %s",
				  (ull)c, m->disk.path);
		if (differs && may_return(w, m, cleared))
			broken_at(w, LAW_I4, c,
				  "the bit of chunk %llu is cleared, but events_cleared %llu lets %s back without it",
				  (ull)c, (ull)cleared, m->disk.path);
	}
	at_stake(w, LAW_I4);
}

bool bit_on_all(const struct sim_world *w, uint64_t c)
{
	EACH_MEMBER(w, m)
		if (is_in_sync(m) && !bit_on(w, m, false, c))
			return false;
	return true;
}

/* A bit is cleared when the first member of those that all have it loses it. */
void check_cleared(struct sim_world *w, const struct sim_job *j, const struct arr_part *p)
{
	bool is_of_file = is_file(w, member_of(w, p));
	const struct sim_member *writing = is_of_file ? pin_of(w) : member_of(w, p);
	uint64_t skip = p->at.bytes - member_of(w, p)->place.bitmap_at.bytes;

	if (!is_in_sync(writing) || (is_of_file ? names_file(w, p) : names_page(w, writing, p)))
		return;
	for (uint64_t c = 0; c < w->chunks; c++) {
		uint64_t byte = (w->setup->is_external ? 0 : FMT_BITMAP_SB_BYTES) + c / 8;

		if (byte < skip || byte >= skip + p->len_bytes || ((const uint8_t *)p->data)[byte - skip] >> c % 8 & 1)
			continue;
		if (bit_on(w, writing, false, c) && bit_on_all(w, c))
			cleared_chunk(w, j, writing, c);
	}
}
