/* The hands of a node: what its array gives out, one part at a time.
 *
 * As the hands of the server they ask the engine before every part that writes; while it says no, parts wait; when the
 * array is lost they fail. A node that stopped or died has parts that it had *begun*: they may come to members until
 * it is fenced (whole, or in part), and do not when it was. So it is with parts on a member that was slow, and with
 * those on their way to a member that loses its power.
 *
 * Nothing of a job is told to the array before all of it is done, and that is a moment of its own. */
#include "csim.h"

static const char *const op_names[] = { "read", "write", "zero", "flush" };
static const char *const job_names[] = { "request", "bitmap", "claim", "flush", "sync-read", "sync-write", "behind",
	"look", "slot-read", "slot-clear" };

/* ---- taking jobs ---- */

static void take_job(struct cs_world *w, struct cs_node *n, struct arr_job *job)
{
	struct cs_job *j = &n->jobs[n->job_count];

	if (n->job_count == CS_JOBS || job->part_count > CS_PARTS)
		abort();
	n->job_count++;
	if (job->kind == ARR_JOB_CLAIM)
		asm_claim_render(n->lineage, arr_claim_in_flight(n->array), job, w->now_ms / 1000);
	if (job->kind == ARR_JOB_LOOK)
		asm_look_render(n->lineage, job);
	*j = (struct cs_job){ .job = job, .issued = w->step, .left = job->part_count };
	trace(w, "  %u: job %s, %u parts", n->number, job_names[job->kind], job->part_count);
	law_issued(w, n, job);
}

void hands_take(struct cs_world *w, struct cs_node *n, struct arr_out *out)
{
	while (!list_is_empty(&out->jobs)) {
		struct arr_job *job = list_entry(out->jobs.next, struct arr_job, link);

		list_remove(&job->link);
		take_job(w, n, job);
	}
	while (!list_is_empty(&out->woken)) {
		struct arr_req *req = list_entry(out->woken.next, struct arr_req, woken);

		list_remove(&req->woken);
		if (req->is_done)
			client_answered(w, n, req->user);
		else if (req->job)
			take_job(w, n, req->job);
	}
}

static void drop_job(struct cs_node *n, struct cs_job *j)
{
	struct cs_job *last = &n->jobs[--n->job_count];

	memmove(j, j + 1, (size_t)((char *)last - (char *)j));
}

/* ---- executing parts ---- */

static uint8_t sync_buffers[CS_NODES][ARR_SYNC_WINDOW_BYTES];

void *hands_data(struct cs_node *n, const struct arr_job *job, const struct arr_part *p)
{
	bool is_sync = job->kind == ARR_JOB_SYNC_READ || job->kind == ARR_JOB_SYNC_WRITE;

	return p->op == ARR_P_ZERO ? NULL : is_sync ? sync_buffers[n->number] : p->data;
}

static bool is_write(const struct arr_part *p)
{
	return p->op == ARR_P_WRITE || p->op == ARR_P_ZERO;
}

static int execute(struct cs_world *w, struct cs_node *n, const struct cs_job *j, struct arr_part *p)
{
	struct sim_disk *d = &disk_of(w, n, p)->disk;
	void *data = hands_data(n, j->job, p);
	uint64_t len = round_up(p->len_bytes, SECTOR_BYTES);

	if (!can_reach(w, n, disk_of(w, n, p)) && !is_absent(disk_of(w, n, p)))
		return -EIO;
	if (n->fails_next & 1u << n->disk_of[p->member]) {
		n->fails_next &= ~(1u << n->disk_of[p->member]);
		if (is_write(p) && by_lot(w, 2))
			disk_write_torn(d, &w->lots, p->at.bytes, len, data);
		return -EIO;
	}
	switch (p->op) {
	case ARR_P_READ:
		return disk_read(d, &w->lots, p->at.bytes, p->len_bytes, data);
	case ARR_P_FLUSH:
		return disk_flush(d, &w->lots, j->issued);
	default:
		return disk_write(d, &w->lots, p->at.bytes, len, data, p->flags & ARR_PF_DURABLE,
				  j->job->kind == ARR_JOB_SYNC_WRITE, w->step);
	}
}

static void part_is_done(struct cs_job *j, uint32_t i, int rc)
{
	j->job->parts[i].rc = rc;
	j->is_done[i] = true;
	j->is_begun[i] = false;
	j->left--;
}

/* After a failed part the member's others are not executed and fail alike. */
static void work_part(struct cs_world *w, struct cs_node *n, struct cs_job *j, uint32_t i)
{
	struct arr_part *p = &j->job->parts[i];
	int rc;

	law_part(w, n, j, p);
	rc = execute(w, n, j, p);
	if (j->job->kind == ARR_JOB_SLOT_READ && !rc)
		note_slot_read(w, disk_of(w, n, p), p);
	trace(w, "%u: %s %s %s %llu+%llu%s%s", n->number, disk_of(w, n, p)->disk.path, job_names[j->job->kind],
	      op_names[p->op], (ull)p->at.bytes / SECTOR_BYTES, (ull)p->len_bytes / SECTOR_BYTES,
	      p->flags & ARR_PF_DURABLE ? " fua" : "", rc ? " FAILS" : "");
	hash_in(w, p->at.bytes, n->number << 8 | p->op);
	part_is_done(j, i, rc);
	for (uint32_t k = 0; rc && k < j->job->part_count; k++)
		if (!j->is_done[k] && j->job->parts[k].member == p->member)
			part_is_done(j, k, rc);
}

static void tell(struct cs_world *w, struct cs_node *n, struct cs_job *j)
{
	struct arr_job *done = j->job;
	struct arr_event ev = { .kind = ARR_EV_JOB_DONE, .job = done };
	struct arr_reload reload;

	trace(w, "%u: job %s is done", n->number, job_names[done->kind]);
	if (done->copy)
		memcpy(done->copy, done->owner->data, done->owner->len_bytes);
	if (done->kind == ARR_JOB_LOOK) {
		asm_look_taken(n->lineage, n->array, done, &reload);
		ev.reload = &reload;
	}
	drop_job(n, j);
	node_array(w, n, &ev);
}

/* ---- choosing ---- */

/* On its way already: it comes to the member whatever its node knows by then. */
static bool is_under_way(const struct cs_node *n, const struct cs_job *j, uint32_t i)
{
	return j->is_begun[i] && !n->is_fenced;
}

static bool may_execute(const struct cs_node *n, const struct cs_job *j, uint32_t i)
{
	const struct arr_part *p = &j->job->parts[i];

	if (n->slow_disks & 1u << n->disk_of[p->member])
		return false;
	return !is_write(p) || engine_may_write(n) || n->was_told_lost || n->is_fenced || is_under_way(n, j, i);
}

/* The first open part of the member in question must come first; UINT32_MAX members: whichever is open. */
static uint32_t open_part(const struct cs_node *n, const struct cs_job *j, uint32_t wanted)
{
	uint64_t passed = 0;
	uint32_t i = 0;

	for (; i < j->job->part_count; i++) {
		const struct arr_part *p = &j->job->parts[i];

		if (j->is_done[i] || passed & 1ull << p->member || (wanted != UINT32_MAX && p->member != wanted))
			continue;
		if (may_execute(n, j, i))
			break;
		passed |= 1ull << p->member;
	}
	return i;
}

static bool can_go_on(const struct cs_node *n, const struct cs_job *j)
{
	return !j->left || open_part(n, j, UINT32_MAX) < j->job->part_count;
}

bool hands_can_work(const struct cs_world *w, const struct cs_node *n)
{
	(void)w;
	for (uint32_t k = 0; n->life == CS_RUNS && k < n->job_count; k++)
		if (can_go_on(n, &n->jobs[k]))
			return true;
	return false;
}

void hands_work(struct cs_world *w, struct cs_node *n)
{
	uint32_t count = 0, candidates[CS_JOBS], i;
	struct cs_job *j;

	for (uint32_t k = 0; k < n->job_count; k++)
		if (can_go_on(n, &n->jobs[k]))
			candidates[count++] = k;
	j = &n->jobs[candidates[lot(w, count)]];
	if (!j->left) {
		tell(w, n, j);
		return;
	}
	i = open_part(n, j, j->job->parts[lot(w, j->job->part_count)].member);
	if (i == j->job->part_count)
		i = open_part(n, j, UINT32_MAX);
	if (is_write(&j->job->parts[i]) && !engine_may_write(n) && !is_under_way(n, j, i)) {
		trace(w, "%u: %s is not written: the cluster has gone on", n->number, job_names[j->job->kind]);
		part_is_done(j, i, -EIO);
		return;
	}
	work_part(w, n, j, i);
}

/* ---- what was begun ---- */

bool hands_have_ghosts(const struct cs_node *n)
{
	for (uint32_t k = 0; k < n->job_count; k++)
		for (uint32_t i = 0; i < n->jobs[k].job->part_count; i++)
			if (n->jobs[k].is_begun[i])
				return true;
	return false;
}

static void comes_late(struct cs_world *w, struct cs_node *n, struct cs_job *j, uint32_t i)
{
	struct arr_part *p = &j->job->parts[i];

	if (!can_reach(w, n, disk_of(w, n, p))) {
		j->is_begun[i] = false;
		return;
	}
	if (n->life == CS_DYING && is_write(p) && by_lot(w, 2)) {
		w->stats->events[CS_TORN] += w->setup.zones > 1 && j->job->kind == ARR_JOB_BITMAP;
		disk_write_torn(&disk_of(w, n, p)->disk, &w->lots, p->at.bytes, round_up(p->len_bytes, SECTOR_BYTES),
				hands_data(n, j->job, p));
		trace(w, "%u: %s: a torn part comes late", n->number, disk_of(w, n, p)->disk.path);
		j->is_begun[i] = false;
		return;
	}
	trace(w, "%u: comes late:", n->number);
	work_part(w, n, j, i);
}

void hands_ghost(struct cs_world *w, struct cs_node *n)
{
	uint32_t count = 0, chosen = 0;
	struct cs_job *j = NULL;

	for (uint32_t k = 0; k < n->job_count; k++)
		for (uint32_t i = 0; i < n->jobs[k].job->part_count; i++)
			if (n->jobs[k].is_begun[i] && by_lot(w, ++count)) {
				j = &n->jobs[k];
				chosen = i;
			}
	if (j)
		comes_late(w, n, j, chosen);
}

/* The part of a job that is on its way to a member, or may be; part_count: none. */
static uint32_t part_to(struct cs_world *w, const struct cs_node *n, const struct cs_job *j, const struct cs_disk *d)
{
	uint32_t i = 0;

	for (; i < j->job->part_count; i++)
		if (!j->is_done[i] && disk_of(w, n, &j->job->parts[i]) == d)
			break;
	if (i == j->job->part_count || (n->life == CS_RUNS && engine_may_write(n)) || is_under_way(n, j, i))
		return i;
	return j->job->part_count;
}

void hands_begin(struct cs_world *w, struct cs_node *n, const struct cs_disk *d)
{
	for (uint32_t k = 0; k < n->job_count; k++) {
		uint32_t i = part_to(w, n, &n->jobs[k], d);

		if (i < n->jobs[k].job->part_count)
			n->jobs[k].is_begun[i] |= by_lot(w, 2);
	}
}

void hands_tear(struct cs_world *w, struct cs_node *n, struct cs_disk *d)
{
	for (uint32_t k = 0; k < n->job_count; k++) {
		struct cs_job *j = &n->jobs[k];
		uint32_t i = part_to(w, n, j, d);
		struct arr_part *p = &j->job->parts[i];

		if (i == j->job->part_count || !is_write(p) || !can_reach(w, n, d) || !by_lot(w, 2))
			continue;
		law_part(w, n, j, p);
		disk_write_torn(&d->disk, &w->lots, p->at.bytes, round_up(p->len_bytes, SECTOR_BYTES),
				hands_data(n, j->job, p));
	}
}

void hands_drop(struct cs_world *w, struct cs_node *n)
{
	(void)w;
	for (uint32_t k = 0; k < n->job_count; k++)
		memset(n->jobs[k].is_begun, 0, sizeof n->jobs[k].is_begun);
	if (n->life != CS_PAUSED)
		n->job_count = 0;
}
