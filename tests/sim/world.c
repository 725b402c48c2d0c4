/* The hands of the simulated world: they do what the server's hands do, but one part at a time.
 *
 * The array gives out jobs; each part is executed at a moment of the history's choosing, parts of one member in
 * their order, everything else in any order, and a finished job is told to the array later still. All checks hang
 * on these moments: when a job is given out, when a part touches a member, when the array has stepped.
 *
 *   arr_step() --> job --> part, part, part --> told to the array        a member that hangs: its parts wait
 *                 age                                                    a full queue: the youngest jobs wait
 *
 * Two ways to choose: by the lots of the event that happens (EV_WORK), or the oldest thing first (whoever waits for an
 * answer). jobs[] is kept by age and without gaps, so that both are cheap. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

static const char *const op_names[] = { "read", "write", "zero", "flush" };	/* of parts and of requests */
static const char *const job_names[] = { "request", "bitmap", "claim", "flush", "sync-read", "sync-write",
	"behind" };

uint32_t world_jobs(const struct sim_world *w)
{
	return w->job_count;
}

static struct sim_member *member_of_part(struct sim_world *w, const struct arr_part *p)
{
	return &w->members[w->disk_of[p->member]];
}

/* ---- taking jobs ---- */

static void take_job(struct sim_world *w, struct arr_job *job)
{
	struct sim_job *j = &w->jobs[w->job_count];

	if (w->job_count == SIM_JOBS || job->part_count > SIM_PARTS)
		abort();
	w->job_count++;
	if (job->kind == ARR_JOB_CLAIM)
		asm_claim_render(w->lineage, arr_claim_in_flight(w->array), job, w->now_ms / 1000);
	*j = (struct sim_job){ .job = job, .issued = w->step, .left = job->part_count };
	trace(w, "job %s, %u parts", job_names[job->kind], job->part_count);
	hash_in(w, job->kind, job->part_count, w->step);
	check_issued(w, job);
}

static void drop_job(struct sim_world *w, struct sim_job *j)
{
	struct sim_job *last = &w->jobs[--w->job_count];

	memmove(j, j + 1, (size_t)((char *)last - (char *)j));
	last->job = NULL;
}

void *world_part_data(const struct sim_world *w, const struct arr_job *job, const struct arr_part *p)
{
	bool is_sync = job->kind == ARR_JOB_SYNC_READ || job->kind == ARR_JOB_SYNC_WRITE;

	return p->op == ARR_P_ZERO ? NULL : is_sync ? w->sync_buffer : p->data;
}

/* ---- executing parts ---- */

static int execute(struct sim_world *w, const struct sim_job *j, struct arr_part *p)
{
	struct sim_disk *d = &member_of_part(w, p)->disk;
	void *data = world_part_data(w, j->job, p);

	switch (p->op) {
	case ARR_P_READ:
		return disk_read(d, &w->lots, p->at.bytes, p->len_bytes, data);
	case ARR_P_FLUSH:
		return disk_flush(d, &w->lots, j->issued);
	default:
		return disk_write(d, &w->lots, p->at.bytes, round_up(p->len_bytes, SECTOR_BYTES), data,
				  p->flags & ARR_PF_DURABLE, j->job->kind == ARR_JOB_SYNC_WRITE, w->step);
	}
}

/* After a failed part the member's others are not executed and fail alike. */
static void spread_failure(struct sim_job *j, const struct arr_part *failed)
{
	for (uint32_t i = 0; i < j->job->part_count; i++) {
		struct arr_part *p = &j->job->parts[i];

		if (j->is_done[i] || p->member != failed->member)
			continue;
		p->rc = failed->rc;
		j->is_done[i] = true;
		j->left--;
	}
}

/* Where it failed it is lacking until the array has heard of that, and lets the member go. */
static void note_written(struct sim_world *w, struct sim_write *x, const struct arr_part *p)
{
	if (p->rc)
		return;
	x->done_on |= 1u << w->disk_of[p->member];
	x->lacking &= ~(1ull << p->member);
}

/* What the checkers are told of a part that was executed: who failed whom. */
static void note_outcome(struct sim_world *w, const struct arr_job *job, const struct arr_part *p, struct sim_member *m)
{
	struct sim_request *r = job->owner && job->kind == ARR_JOB_REQUEST ? job->owner->user : NULL;

	m->has_failed_source |= p->rc && job->kind == ARR_JOB_SYNC_READ;
	m->has_failed |= p->rc && p->op != ARR_P_READ;
	if (is_data_write(job))
		note_written(w, write_of(w, job), p);
	if (r && p->rc)
		r->failed_on |= 1u << index_of(w, m);
	else if (r)
		r->done_on |= 1u << index_of(w, m);
}

/* Every byte that reached the member, of superblocks and bitmaps as well: what nobody had set would differ. */
static void hash_written(struct sim_world *w, const struct arr_part *p, const struct sim_member *m)
{
	uint64_t sum = 0;

	for (uint64_t at = p->at.bytes; at < p->at.bytes + p->len_bytes; at += SECTOR_BYTES)
		sum = sum * 0x100000001b3 + arena_hash(w->arena, disk_at(&m->disk, true, at));
	hash_in(w, sum, 0, 0);
}

static void hash_answer(struct sim_world *w, const struct sim_request *r)
{
	uint64_t sum = 0;

	for (uint64_t s = 0; s < r->sectors; s++)
		sum = sum * 0x100000001b3 + model_content(r->data + s * SECTOR_BYTES);
	hash_in(w, sum, 0, 0);
}

static void work_part(struct sim_world *w, struct sim_job *j, uint32_t i)
{
	struct arr_part *p = &j->job->parts[i];
	struct sim_member *m = member_of_part(w, p);

	check_part(w, j, p);
	p->rc = execute(w, j, p);
	j->is_done[i] = true;
	j->left--;
	w->worked = j->job->kind;
	trace_member(w, m, "%s %s %llu+%llu%s%s", job_names[j->job->kind], op_names[p->op],
		     (unsigned long long)p->at.bytes / SECTOR_BYTES, (unsigned long long)p->len_bytes / SECTOR_BYTES,
		     p->flags & ARR_PF_DURABLE ? " fua" : "", p->rc ? " FAILS" : "");
	hash_in(w, p->at.bytes, p->len_bytes, (uint64_t)index_of(w, m) << 8 | p->op << 1 | (p->rc != 0));
	if (!p->rc && (p->op == ARR_P_WRITE || p->op == ARR_P_ZERO))
		hash_written(w, p, m);
	if (p->rc)
		spread_failure(j, p);
	note_outcome(w, j->job, p, m);
}

/* A claim that some member took: who is away is on record. */
static bool is_record(const struct arr_job *job)
{
	for (uint32_t i = 0; job->kind == ARR_JOB_CLAIM && i < job->part_count; i++)
		if (!job->parts[i].rc)
			return true;
	return false;
}

static void tell(struct sim_world *w, struct sim_job *j)
{
	struct arr_job *done = j->job;
	bool is_recorded = is_record(done);

	if (done->copy)
		memcpy(done->copy, done->owner->data, done->owner->len_bytes);
	trace(w, "job %s is done", job_names[done->kind]);
	hash_in(w, done->kind, done->part_count, UINT64_MAX);
	drop_job(w, j);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = done });
	w->was_readonly &= !is_recorded;
}

/* ---- choosing ---- */

/* The first open part of the job that member @wanted (UINT32_MAX: any that answers) has to execute; or the count. */
static uint32_t open_part(struct sim_world *w, const struct sim_job *j, uint32_t wanted)
{
	uint32_t i = 0;

	for (; i < j->job->part_count; i++) {
		const struct arr_part *p = &j->job->parts[i];
		struct sim_member *m = member_of_part(w, p);

		if (j->is_done[i] || (wanted != UINT32_MAX && p->member != wanted))
			continue;
		if (!m->disk.is_hung)
			break;
		m->disk.faults[FAULT_HANG] += !m->is_waited_for;
		m->is_waited_for = true;
	}
	return i;
}

static bool can_work(struct sim_world *w, const struct sim_job *j)
{
	return !j->left || open_part(w, j, UINT32_MAX) < j->job->part_count;
}

static uint32_t jobs_in_hand(const struct sim_world *w)
{
	return w->jobs_at_once && w->jobs_at_once < w->job_count ? w->jobs_at_once : w->job_count;
}

enum order { BY_LOT, IN_ORDER, OLDEST_LATE };

static struct sim_job *choose_job(struct sim_world *w, enum order order)
{
	uint32_t in_hand = jobs_in_hand(w), count = 0, candidates[SIM_JOBS];

	for (uint32_t i = order == OLDEST_LATE && in_hand > 1; i < in_hand; i++)
		if (can_work(w, &w->jobs[i]))
			candidates[count++] = i;
	if (!count)
		return NULL;
	if (in_hand < w->job_count)
		w->stats->faults[FAULT_FULL_QUEUE]++;
	return &w->jobs[candidates[order == IN_ORDER ? 0 : prng_below(&w->lots, count)]];
}

/* A command is carried out beside the jobs, and so does an owner what it has to do; whoever works in order does it
 * first. An owner that sleeps wakes when somebody waits and nothing else is left to do. */
static bool may_go_on(struct sim_world *w, bool is_last)
{
	return joining_is_ready(w) || ((!w->owner.is_asleep || is_last) && owner_is_ready(w));
}

static bool may_join_first(struct sim_world *w, enum order order)
{
	return may_go_on(w, false) && (order == IN_ORDER || !w->job_count || prng_below(&w->lots, 3) == 0);
}

static bool join_at_last(struct sim_world *w, enum order order)
{
	bool is_ready = may_go_on(w, order == IN_ORDER);

	if (is_ready && joining_is_ready(w))
		joining_goes_on(w);
	else if (is_ready)
		owner_goes_on(w, order != IN_ORDER);
	return is_ready;
}

static bool work(struct sim_world *w, enum order order)
{
	struct sim_job *j = may_join_first(w, order) ? NULL : choose_job(w, order);
	uint32_t i;

	if (!j)
		return join_at_last(w, order);
	if (!j->left) {
		tell(w, j);
		return true;
	}
	i = j->job->part_count;
	if (order != IN_ORDER)
		i = open_part(w, j, j->job->parts[prng_below(&w->lots, i)].member);
	if (i == j->job->part_count)
		i = open_part(w, j, UINT32_MAX);
	work_part(w, j, i);
	return true;
}

bool world_work(struct sim_world *w)
{
	return work(w, BY_LOT);
}

bool world_work_in_order(struct sim_world *w)
{
	return work(w, IN_ORDER);
}

bool world_work_late(struct sim_world *w)
{
	return work(w, OLDEST_LATE);
}

/* ---- requests ---- */

uint32_t world_requests(const struct sim_world *w)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		count += w->requests[i].is_used;
	return count;
}

struct sim_request *world_free_request(struct sim_world *w)
{
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		if (!w->requests[i].is_used)
			return &w->requests[i];
	return NULL;
}

static void request_done(struct sim_world *w, struct sim_request *r)
{
	bool is_write = r->req.op == ARR_WRITE || r->req.op == ARR_ZERO;

	trace(w, "%s %llu+%llu is answered: %s", op_names[r->req.op], (unsigned long long)r->first,
	      (unsigned long long)r->sectors, r->req.rc ? err_name(r->req.rc) : "done");
	hash_in(w, r->first, r->sectors, (uint64_t)r->req.rc);
	r->is_used = false;
	if (r->req.rc) {
		check_failed(w, r);
		if (is_write)
			model_failed(&w->model, r->serial, r->first, r->sectors);
		else if (r->req.op == ARR_READ)
			model_read_failed(&w->model);
	} else if (is_write) {
		model_acked(&w->model, r->serial, r->first, r->sectors, r->req.is_fua);
		check_acked(w, r);
	} else if (r->req.op == ARR_FLUSH) {
		model_flushed(&w->model, r->acks);
		check_acked(w, r);
	} else {
		hash_answer(w, r);
		check_read(w, r);
	}
}

void world_submit(struct sim_world *w, struct sim_request *r)
{
	r->is_used = true;
	r->done_on = r->failed_on = 0;
	r->req = (struct arr_req){
		.op = r->req.op,
		.is_fua = r->req.is_fua,
		.may_punch = r->req.may_punch,
		.at = { r->first * SECTOR_BYTES },
		.len_bytes = r->sectors * SECTOR_BYTES,
		.data = r->data,
		.user = r,
	};
	trace(w, "%s %llu+%llu%s is asked", op_names[r->req.op], (unsigned long long)r->first,
	      (unsigned long long)r->sectors, r->req.is_fua ? " fua" : "");
	world_step(w, &(struct arr_event){ .kind = ARR_EV_SUBMIT, .req = &r->req });
}

int world_step(struct sim_world *w, struct arr_event *ev)
{
	struct arr_out out;

	w->step++;
	arr_out_init(&out);
	arr_step(w->array, ev, w->now_ms, &out);
	check_stepped(w);
	while (!list_is_empty(&out.jobs)) {
		struct arr_job *job = list_entry(out.jobs.next, struct arr_job, link);

		list_remove(&job->link);
		take_job(w, job);
	}
	while (!list_is_empty(&out.woken)) {
		struct arr_req *req = list_entry(out.woken.next, struct arr_req, woken);

		list_remove(&req->woken);
		if (req->is_done)
			request_done(w, req->user);
		else if (req->job)
			take_job(w, req->job);
	}
	return ev->rc;
}
