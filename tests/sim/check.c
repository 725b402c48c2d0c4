/* When the laws are looked at: the world calls here, each law's checker is in the file of its own.
 *
 *   started   the array runs: who is in sync, what do the media hold          check_members check_content check_rest
 *   issued    a job goes out: are the bits durable, is the array active        check_cover check_claims
 *   part      a part reaches a member: bounds, order, bits, superblocks        check_bounds _cover _order _claims
 *   stepped   the array has stepped: who left, what ended                      check_members check_owed check_rest
 *   read, acked   a client was answered                                        check_content
 *   idle      nothing is left to do                                            check_rest
 *   ended     a life is over: gaps between the areas, who was written off      check_bounds check_members
 *
 * The checkers look at media and caches, not at what umd believes, wherever that is possible: a bit is read from the
 * medium, a claim from the bytes of the superblock, both by super.c. From the array they take who is in which state,
 * since that is what the laws speak of ("every in-sync member").
 *
 * Each check that could have failed counts as a stake of its law; a law without stakes is a law not tested. */
#include "check.h"

#include <stdlib.h>

/* ---- writes ---- */

static struct sim_write *find_write(struct sim_world *w, uint64_t number)
{
	for (uint32_t i = 0; i < SIM_WRITES; i++)
		if (w->written[i].number == number)
			return &w->written[i];
	return NULL;
}

struct sim_write *write_of(struct sim_world *w, const struct arr_job *job)
{
	struct sim_write *x = find_write(w, job->number);

	if (!x)
		abort();
	return x;
}

/* The oldest place whose write every member has, as far as it was to have it. */
static struct sim_write *free_write(struct sim_world *w)
{
	struct sim_write *best = NULL;

	for (uint32_t i = 0; i < SIM_WRITES; i++)
		if (!w->written[i].lacking && (!best || w->written[i].number < best->number))
			best = &w->written[i];
	if (!best)
		abort();
	return best;
}

/* A request's data goes out; again, where those in front have failed. */
static void note_write(struct sim_world *w, const struct arr_job *job)
{
	const struct sim_request *r = job->owner->user;
	struct sim_write *x = find_write(w, job->number) ?: free_write(w);

	*x = (struct sim_write){ .number = job->number, .first = r->first, .sectors = r->sectors,
				 .serial = r->serial, .lacking = job->behind };
}

/* Who left lacks more than this. */
static void note_lacking(struct sim_world *w, const struct arr_status *s)
{
	uint64_t here = 0;

	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].state == ARR_M_IN_SYNC || s->members[i].state == ARR_M_RECOVERING)
			here |= 1ull << i;
	for (uint32_t i = 0; i < SIM_WRITES; i++)
		w->written[i].lacking &= here;
}

/* Is there a data write of these sectors under way that goes to all members of the mask (of entries)? Or one that some
 * of them are still to get. */
static bool is_out(struct sim_world *w, uint64_t first, uint64_t sectors, uint64_t entries)
{
	for (uint32_t i = 0; i < w->job_count; i++) {
		const struct arr_job *job = w->jobs[i].job;
		const struct sim_write *x = is_data_write(job) ? write_of(w, job) : NULL;

		if (x && (job->members & entries) == entries && ranges_overlap(first, sectors, x->first, x->sectors))
			return true;
	}
	for (uint32_t i = 0; i < SIM_WRITES; i++) {
		const struct sim_write *x = &w->written[i];

		if ((entries ? x->lacking & entries : x->lacking) &&
		    ranges_overlap(first, sectors, x->first, x->sectors))
			return true;
	}
	return false;
}

bool is_write_out(struct sim_world *w, uint64_t first, uint64_t sectors)
{
	return is_out(w, first, sectors, 0);
}

bool is_write_out_to(struct sim_world *w, uint64_t sector, const struct sim_member *one,
		     const struct sim_member *other)
{
	return is_out(w, sector, 1, 1ull << one->entry | 1ull << other->entry);
}

static bool decides_before(const struct sim_member *one, const struct sim_member *other)
{
	if (one->is_write_mostly != other->is_write_mostly)
		return other->is_write_mostly;
	return one->slot < other->slot;
}

const struct sim_member *pin_of(const struct sim_world *w)
{
	const struct sim_member *pin = NULL;

	EACH_MEMBER(w, m)
		if (is_in_sync(m) && (!pin || decides_before(m, pin)))
			pin = m;
	return pin;
}

uint64_t first_difference(const struct sim_member *one, const struct sim_member *other, bool in_cache, uint64_t first,
			  uint64_t sectors)
{
	for (uint64_t s = first; s < first + sectors; s++)
		if (data_at(one, in_cache, s) != data_at(other, in_cache, s))
			return s;
	return UINT64_MAX;
}

void check_started(struct sim_world *w)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	note_places(w, &s);
	w->action = s.action;
	w->held_since = s.can_clear ? UINT64_MAX : w->step;
	w->acks_before = w->model.acks;
	w->whole_until = s.degraded ? 0 : UINT64_MAX;
	order_started(w);
	members_started(w);
	content_started(w);
	owed_started(w);
	rest_started(w);
}

void check_issued(struct sim_world *w, const struct arr_job *job)
{
	if (!is_data_write(job))
		return;
	if (job->kind == ARR_JOB_REQUEST) {
		note_write(w, job);
		names_without_file(w);	/* what goes out behind it has its bits since then */
	}
	cover_issued(w, job);
	claims_issued(w);
}

void check_part(struct sim_world *w, const struct sim_job *j, const struct arr_part *p)
{
	const struct sim_member *m = member_of(w, p);

	if (p->op != ARR_P_WRITE && p->op != ARR_P_ZERO)
		return;
	bounds_part(w, j, p, m);
	if (j->job->kind == ARR_JOB_BITMAP)
		check_cleared(w, j, p);
	if (j->job->kind == ARR_JOB_CLAIM)
		check_claim(w, j->job, p);
	if (j->job->kind == ARR_JOB_SYNC_WRITE) {
		order_sync_part(w);
		claims_sync_part(w, m);
	}
	if (!is_data_write(j->job))
		return;
	order_part(w, write_of(w, j->job), m);
	cover_part(w, j);
}

void check_stepped(struct sim_world *w)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	world_take_bitmap(w, &s);
	if (!s.degraded)
		w->whole_until = UINT64_MAX;
	else if (w->whole_until == UINT64_MAX)
		w->whole_until = w->step;
	w->is_readonly = s.mode_wanted == ARR_MODE_READONLY;
	w->is_still = s.mode != ARR_MODE_WRITABLE;
	w->was_readonly |= w->is_still;
	if (s.can_clear)
		w->held_since = UINT64_MAX;
	else if (w->held_since == UINT64_MAX)
		w->held_since = w->step;
	note_lacking(w, &s);
	owed_stepped(w, &s);
	members_stepped(w, &s);
	if (s.is_broken && !w->is_broken)
		array_broke(w);
	w->is_broken = s.is_broken;
	/* A broken array gives its sync up without a report: the last one tells of an older sync. */
	if (w->action != ARR_SYNC_IDLE && s.action == ARR_SYNC_IDLE && s.last.ended_ms && !s.is_broken)
		sync_ended(w, &s.last);
	w->action = s.action;
	note_counters(w);
}

/* The cut decided which superblocks are on the media: also those that say that somebody is out. */
void check_ended(struct sim_world *w)
{
	check_left(w);
	members_ended(w);
	bounds_ended(w);
}
