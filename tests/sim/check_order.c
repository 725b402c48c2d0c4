/* I12 and I2: one order on all members, and equal bytes when a sync has ended.
 *
 * I12: writes of a sector reach each member in the order in which they were submitted, and never into a window that
 * is being copied: from the moment the source is read until the targets are written, what is copied would be older.
 *
 *     sync-read issued [ ............ window: no data write may touch a member ............ ] sync-write done
 *
 * I2: when a resync or a recovery ends, what a read of any member in sync would return is the same everywhere, but
 * where a write is on its way. A member that lost its cache and was not asked since is known to nobody as lost: it is
 * not compared. */
#include "check.h"

#include <string.h>

void order_started(struct sim_world *w)
{
	memset(w->applied, 0, SIM_DISKS * w->model.count * sizeof *w->applied);
	memset(w->counted_since, 0xff, sizeof w->counted_since);
	note_counters(w);
}

static bool is_sync(const struct arr_job *job)
{
	return job->kind == ARR_JOB_SYNC_READ || job->kind == ARR_JOB_SYNC_WRITE;
}

/* The window that is being copied; false: none. */
static bool sync_window(struct sim_world *w, uint64_t *ret_first, uint64_t *ret_sectors)
{
	for (uint32_t i = 0; i < w->job_count; i++) {
		const struct arr_job *job = w->jobs[i].job;

		if (!is_sync(job))
			continue;
		*ret_first = job->parts[0].at.bytes - member_of(w, &job->parts[0])->place.data_at.bytes;
		*ret_first /= SECTOR_BYTES;
		*ret_sectors = job->parts[0].len_bytes / SECTOR_BYTES;
		return true;
	}
	return false;
}

static void outside_of_window(struct sim_world *w, const struct sim_write *r, const struct sim_member *m)
{
	uint64_t first, sectors;

	if (!sync_window(w, &first, &sectors))
		return;
	if (ranges_overlap(first, sectors, r->first, r->sectors))
		broken_at(w, LAW_I12, chunk_of(w, max_u64(first, r->first)),
			  "write %llu (%llu+%llu) reaches %s inside the window %llu+%llu that is being copied",
			  (ull)r->serial, (ull)r->first, (ull)r->sectors, m->disk.path, (ull)first, (ull)sectors);
}

void order_part(struct sim_world *w, const struct sim_write *r, const struct sim_member *m)
{
	uint64_t *applied = w->applied + index_of(w, m) * w->model.count;
	bool has_older = false;

	for (uint64_t s = r->first; s < r->first + r->sectors; s++) {
		if (applied[s] > r->serial)
			broken_at(w, LAW_I12, chunk_of(w, s), "write %llu of sector %llu reaches %s after write %llu",
				  (ull)r->serial, (ull)s, m->disk.path, (ull)applied[s]);
		has_older |= applied[s] != 0;
		applied[s] = r->serial;
	}
	outside_of_window(w, r, m);
	if (has_older)
		at_stake(w, LAW_I12);
}

/* Somebody wants to write where a window is copied, and waits. */
void order_sync_part(struct sim_world *w)
{
	uint64_t first, sectors;

	if (!sync_window(w, &first, &sectors))
		return;
	if (is_write_out(w, first, sectors))
		broken_at(w, LAW_I12, chunk_of(w, first), "the window %llu+%llu is copied under a write", (ull)first,
			  (ull)sectors);
	for (uint32_t i = 0; i < SIM_REQUESTS; i++) {
		const struct sim_request *r = &w->requests[i];

		if (r->is_used && (r->req.op == ARR_WRITE || r->req.op == ARR_ZERO) &&
		    ranges_overlap(first, sectors, r->first, r->sectors))
			at_stake(w, LAW_I12);
	}
}

bool members_are_equal(struct sim_world *w)
{
	bool is_any = false;
	const struct sim_member *pin = NULL;

	EACH_MEMBER(w, m)
		if (is_in_sync(m) && !is_lost(m) && (!pin || m->slot < pin->slot))
			pin = m;
	EACH_MEMBER(w, m) {
		if (!pin || m == pin || !is_in_sync(m) || is_lost(m))
			continue;
		for (uint64_t s = 0; s < w->model.count; s++)
			if (data_at(m, true, s) != data_at(pin, true, s) && !is_write_out_to(w, s, m, pin))
				broken_at(w, LAW_I2, chunk_of(w, s), "sector %llu differs between %s and %s", (ull)s,
					  pin->disk.path, m->disk.path);
		is_any = true;
	}
	return is_any;
}
