/* I12 and I2: one order on all members, and equal bytes when a sync has ended.
 *
 * I12: writes of a sector reach each member in the order in which they were submitted. I2: when a resync or a
 * recovery ends, what a read of any member in sync would return is the same everywhere, but where a write is on its
 * way. */
#include "check.h"

#include <string.h>

void order_started(struct sim_world *w)
{
	memset(w->applied, 0, SIM_DISKS * w->model.count * sizeof *w->applied);
	memset(w->counted_since, 0xff, sizeof w->counted_since);
	note_counters(w);
}

void order_part(struct sim_world *w, const struct sim_request *r, const struct sim_member *m)
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
	if (has_older)
		at_stake(w, LAW_I12);
}

void members_are_equal(struct sim_world *w)
{
	const struct sim_member *pin = pin_of(w);

	EACH_MEMBER(w, m) {
		if (m == pin || !is_in_sync(m))
			continue;
		for (uint64_t s = 0; s < w->model.count; s++)
			if (!is_same(w, data_at(m, true, s), data_at(pin, true, s)) && !is_write_out(w, s, 1))
				broken_at(w, LAW_I2, chunk_of(w, s), "sector %llu differs between %s and %s", (ull)s,
					  pin->disk.path, m->disk.path);
		at_stake(w, LAW_I2);
	}
}
