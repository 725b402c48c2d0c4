/* I7: nothing outside of the own areas changes.
 *
 *   | superblock | bitmap | gap ... | data ............................ | gap |
 *
 * The areas of a member are computed here from the format's description and from what the array says about the
 * member; they lie apart and on the member. Every part that writes lies wholly in the area of its kind of job; a
 * read-only array writes nothing at all. And what lies in the gaps (a log of bad blocks among it) is the same at the
 * end of each life. */
#include "check.h"

struct area {
	uint64_t at, len;
};

static bool own_super_place(enum sb1_minor minor, uint64_t member_bytes, uint64_t *ret_at)
{
	uint64_t sectors = member_bytes / SECTOR_BYTES;

	if (sectors < 24)
		return false;
	*ret_at = minor == SB1_0 ? ((sectors - 16) & ~7ull) * SECTOR_BYTES : minor == SB1_1 ? 0 : 4096;
	return true;
}

static uint32_t areas_of(const struct sim_world *w, const struct sim_member *m, struct area ret[3])
{
	ret[0] = (struct area){ m->place.super_at.bytes, FMT_SB1_BYTES };
	ret[1] = (struct area){ m->place.data_at.bytes, w->size_bytes };
	ret[2] = (struct area){ m->place.bitmap_at.bytes, w->bitmap_bytes };
	return w->has_bitmap && !w->is_on_file ? 3 : 2;
}

/* ---- gaps ---- */

/* The end of the area that begins at or before @at and reaches over it; else @at. */
static uint64_t behind_area(const struct area *areas, uint32_t count, uint64_t at)
{
	for (uint32_t i = 0; i < count; i++)
		if (at >= areas[i].at && at < areas[i].at + areas[i].len)
			return round_up(areas[i].at + areas[i].len, SECTOR_BYTES);
	return at;
}

static uint64_t next_area(const struct area *areas, uint32_t count, uint64_t at, uint64_t end)
{
	for (uint32_t i = 0; i < count; i++)
		if (areas[i].at > at)
			end = min_u64(end, areas[i].at);
	return end;
}

/* Contents of one arena have one number each, so the numbers stand for the bytes. */
static uint64_t sum_of_gaps(const struct sim_world *w, const struct sim_member *m)
{
	struct area areas[3];
	uint32_t count = areas_of(w, m, areas);
	uint64_t end = round_down(m->disk.size_bytes, SECTOR_BYTES), sum = 0, at = 0;

	while (at < end) {
		uint64_t behind = behind_area(areas, count, at), until;

		if (behind > at) {
			at = behind;
			continue;
		}
		for (until = next_area(areas, count, at, end); at < until; at += SECTOR_BYTES)
			sum = sum * 0x100000001b3 + disk_at(&m->disk, false, at) + 7 * disk_at(&m->disk, true, at);
	}
	return sum;
}

static uint64_t bitmap_len(const struct sim_world *w)
{
	return w->has_bitmap && !w->is_on_file ? w->bitmap_bytes : 0;
}

/* A member that joined as a new device may have its areas elsewhere, and after a cut back again: then its gaps are
 * others, and what was cached for its old areas may still come to the medium. They are compared from the next end
 * on. */
static bool is_where_it_was(const struct sim_world *w, const struct sim_member *m)
{
	return m->has_gaps && m->gaps_data_at == m->place.data_at.bytes &&
	       m->gaps_bitmap_at == m->place.bitmap_at.bytes && m->gaps_bitmap_bytes == bitmap_len(w);
}

static void same_gaps(struct sim_world *w, struct sim_member *m)
{
	uint64_t now = sum_of_gaps(w, m);

	if (is_where_it_was(w, m) && m->gaps != now)
		broken(w, LAW_I7, "bytes of %s changed outside of superblock, bitmap and data", m->disk.path);
	m->has_gaps = true;
	m->gaps = now;
	m->gaps_data_at = m->place.data_at.bytes;
	m->gaps_bitmap_at = m->place.bitmap_at.bytes;
	m->gaps_bitmap_bytes = bitmap_len(w);
}

void bounds_ended(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		if (m->is_there && m->place.is_used)
			same_gaps(w, m);
	at_stake(w, LAW_I7);
}

/* ---- areas ---- */

void check_place(struct sim_world *w, struct sim_member *m)
{
	struct area area[3];
	uint32_t count;

	m->place.is_used = own_super_place(m->place.minor, m->disk.size_bytes, &m->place.super_at.bytes);
	count = areas_of(w, m, area);
	for (uint32_t i = 0; i < count; i++) {
		if (area[i].at + area[i].len > m->disk.size_bytes)
			broken(w, LAW_I7, "an area of %s ends behind the member", m->disk.path);
		for (uint32_t k = 0; k < i; k++)
			if (ranges_overlap(area[i].at, area[i].len, area[k].at, area[k].len))
				broken(w, LAW_I7, "areas of %s overlap", m->disk.path);
	}
	if (!w->array && !m->has_gaps)
		same_gaps(w, m);	/* it was just created */
	m->has_gaps = is_where_it_was(w, m);
}

static bool is_inside(const struct arr_part *p, uint64_t at, uint64_t len)
{
	return p->at.bytes >= at && p->at.bytes + p->len_bytes <= at + len;
}

void bounds_part(struct sim_world *w, const struct sim_job *j, const struct arr_part *p, const struct sim_member *m)
{
	bool is_good = is_inside(p, m->place.data_at.bytes, w->size_bytes);

	if (j->job->kind == ARR_JOB_BITMAP)
		is_good = is_inside(p, m->place.bitmap_at.bytes, w->bitmap_bytes);
	else if (j->job->kind == ARR_JOB_CLAIM)
		is_good = is_inside(p, m->place.super_at.bytes, FMT_SB1_BYTES);
	if (w->is_still || !is_good)
		broken(w, LAW_I7, "a write to %s at %llu, %llu bytes%s", m->disk.path, (ull)p->at.bytes,
		       (ull)p->len_bytes, w->is_still ? ", though the array is read-only" : "");
	at_stake(w, LAW_I7);
}
