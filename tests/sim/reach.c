/* A cut that says of every sector what becomes of it.
 *
 * On its way is what a member has in its cache only, and what a job under way would write next there: of each member
 * the first open part, since what comes after it has to wait. Nobody can say whether it is on the medium when the power
 * fails, a durable write not yet answered included. So all of it is carried out on copies, as writes that no flush
 * follows, and the copies know which versions of which sectors there are.
 *
 * In a script the choices are words of the cut, "a=021 b=0": of each loose sector of the member, ascending, the number
 * of its version, 0 the medium's. */
#include "exhaust.h"

#include <string.h>

static void carry_out(const struct sim_world *w, const struct sim_job *j, struct sim_disk *disks)
{
	struct prng lot = prng_seed(0);
	uint64_t touched = 0;

	for (uint32_t i = 0; i < j->job->part_count; i++) {
		const struct arr_part *p = &j->job->parts[i];
		uint32_t member = w->disk_of[p->member];

		if (j->is_done[i] || touched & 1ull << p->member)
			continue;
		touched |= 1ull << p->member;
		if ((p->op == ARR_P_WRITE || p->op == ARR_P_ZERO) && !w->members[member].disk.is_closed)
			disk_write(&disks[member], &lot, p->at.bytes, p->len_bytes, world_part_data(w, j->job, p),
				   false, false, w->step);
	}
}

void reach_disks(const struct sim_world *w, struct sim_disk *ret)
{
	for (uint32_t i = 0; i < w->member_count; i++) {
		disk_copy(&ret[i], &w->members[i].disk);
		ret[i].operations_to_fault = -1;
		ret[i].bad_len = 0;
	}
	for (uint32_t i = 0; i < w->job_count; i++)
		carry_out(w, &w->jobs[i], ret);
}

static void take_choices(const char *words, uint32_t member, uint8_t *ret)
{
	const char *at = words;

	while (at && (at[0] != (char)('a' + member) || at[1] != '='))
		at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
	for (at = at ? at + 2 : ""; *at >= '0' && *at <= '9'; at++)
		*ret++ = (uint8_t)(*at - '0');
}

void cut_as_chosen(struct sim_world *w, const char *words)
{
	struct sim_disk disks[SIM_DISKS];

	reach_disks(w, disks);
	for (uint32_t i = 0; i < w->member_count; i++) {
		uint32_t count = disk_loose(&disks[i], NULL, 0);
		uint8_t choices[REACH_SECTORS_MAX] = { 0 };

		take_choices(words, i, choices);
		disk_free(&w->members[i].disk);
		w->members[i].disk = disks[i];
		if (count <= REACH_SECTORS_MAX)
			disk_cut_to(&w->members[i].disk, choices);
	}
	w->job_count = 0;	/* what was under way has been decided about */
}
