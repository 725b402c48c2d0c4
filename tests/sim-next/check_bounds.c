/* I7: nothing outside of the own areas is written.
 *
 * The areas of a member (superblock, bitmap, data) are computed here from the format's description and from what the
 * array says about the member; they lie apart and on the member. Every part that writes lies wholly in the area of
 * its kind of job; a read-only array writes nothing at all. */
#include "check.h"

static bool own_super_place(const struct sim_world *w, uint64_t member_bytes, uint64_t *ret_at)
{
	uint64_t sectors = member_bytes / SECTOR_BYTES;

	if (sectors < 24)
		return false;
	*ret_at = w->minor == SB1_0 ? ((sectors - 16) & ~7ull) * SECTOR_BYTES : w->minor == SB1_1 ? 0 : 4096;
	return true;
}

void check_place(struct sim_world *w, struct sim_member *m)
{
	struct {
		uint64_t at, len;
	} area[3] = { { 0, FMT_SB1_BYTES },
		      { m->place.data_at.bytes, w->size_bytes },
		      { m->place.bitmap_at.bytes, w->bitmap_bytes } };

	m->place.minor = w->minor;
	m->place.is_used = own_super_place(w, m->disk.size_bytes, &area[0].at);
	m->place.super_at.bytes = area[0].at;
	for (int i = 0; i < (w->has_bitmap ? 3 : 2); i++) {
		if (area[i].at + area[i].len > m->disk.size_bytes)
			broken(w, LAW_I7, "an area of %s ends behind the member", m->disk.path);
		for (int k = 0; k < i; k++)
			if (ranges_overlap(area[i].at, area[i].len, area[k].at, area[k].len))
				broken(w, LAW_I7, "areas of %s overlap", m->disk.path);
	}
	at_stake(w, LAW_I7);
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
	if (w->is_readonly || !is_good)
		broken(w, LAW_I7, "a write to %s at %llu, %llu bytes%s", m->disk.path, (ull)p->at.bytes,
		       (ull)p->len_bytes, w->is_readonly ? ", though the array is read-only" : "");
	at_stake(w, LAW_I7);
}
