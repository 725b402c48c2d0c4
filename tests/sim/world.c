/* The hands of the simulated world: they do what the server's hands do, but one part at a time.
 *
 * The array gives out jobs; each part is executed at a moment of the seed's choosing, parts of one member in
 * their order, everything else in any order, and a finished job is told to the array later still. All checks hang
 * on these moments: when a job is given out, when a part touches a member, when the array has stepped.
 *
 * Everything is decided by one generator, so a seed is a whole history. No thread, no clock. */
#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trace(struct sim_world *w, const char *format, ...)
{
	va_list ap;

	if (!w->is_tracing)
		return;
	printf("%6llu %8llu ms  ", (unsigned long long)w->step, (unsigned long long)w->now_ms);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void broken(struct sim_world *w, enum law_id id, const char *format, ...)
{
	va_list ap;

	printf("LAW %s BROKEN: %s\n  seed %llu, step %llu: ", law_name(id), law_sentence(id),
	       (unsigned long long)w->seed, (unsigned long long)w->step);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n  replay: UMD_TRACE=1 %s --seed %llu\n", w->program, (unsigned long long)w->seed);
	exit(1);
}

void world_init(struct sim_world *w, const char *program, uint64_t seed, struct sim_stats *stats, bool is_tracing)
{
	memset(w, 0, sizeof *w);
	w->program = program;
	w->rng = prng_seed(seed);
	w->seed = seed;
	w->stats = stats;
	w->is_tracing = is_tracing;
	w->sync_buffer = malloc(SIM_SYNC_BUFFER);
	if (!w->sync_buffer)
		abort();
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		w->requests[i].data = malloc(MODEL_SPAN_MAX * SECTOR_BYTES);
}

void world_free(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		disk_free(&m->disk);
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		free(w->requests[i].data);
	free(w->sync_buffer);
	free(w->applied);
	model_free(&w->model);
}

struct sim_member *world_new_member(struct sim_world *w, uint64_t size_bytes)
{
	struct sim_member *m = &w->members[w->member_count];
	char path[16];

	snprintf(path, sizeof path, "disk-%c", 'a' + (int)w->member_count++);
	disk_init(&m->disk, path, size_bytes);
	m->is_behind = true;
	return m;
}

/* ---- jobs ---- */

uint32_t world_jobs(const struct sim_world *w)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SIM_JOBS; i++)
		count += w->jobs[i].job != NULL;
	return count;
}

static const char *job_name(const struct arr_job *job)
{
	static const char *const names[] = { "request", "bitmap", "claim", "flush", "sync-read", "sync-write" };

	return names[job->kind];
}

static void take_job(struct sim_world *w, struct arr_job *job)
{
	struct sim_job *j = w->jobs;

	while (j->job)
		if (++j == w->jobs + SIM_JOBS)
			abort();
	if (job->kind == ARR_JOB_CLAIM)
		asm_claim_render(w->lineage, arr_claim_in_flight(w->array), job, w->now_ms / 1000);
	*j = (struct sim_job){ .job = job, .issued = w->step, .left = job->part_count };
	if (job->part_count > SIM_PARTS)
		abort();
	trace(w, "job %s, %u parts", job_name(job), job->part_count);
	check_issued(w, job);
}

static void *part_data(struct sim_world *w, const struct arr_job *job, const struct arr_part *p)
{
	bool is_sync = job->kind == ARR_JOB_SYNC_READ || job->kind == ARR_JOB_SYNC_WRITE;

	return p->op == ARR_P_ZERO ? NULL : is_sync ? w->sync_buffer : p->data;
}

static int execute(struct sim_world *w, const struct sim_job *j, struct arr_part *p)
{
	struct sim_disk *d = &w->members[w->disk_of[p->member]].disk;
	void *data = part_data(w, j->job, p);

	switch (p->op) {
	case ARR_P_READ:
		return disk_read(d, &w->rng, p->at.bytes, p->len_bytes, data);
	case ARR_P_FLUSH:
		return disk_flush(d, &w->rng, j->issued);
	default:
		return disk_write(d, &w->rng, p->at.bytes, p->len_bytes, data, p->flags & ARR_PF_DURABLE,
				  j->job->kind == ARR_JOB_SYNC_WRITE, w->step);
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

static void work_part(struct sim_world *w, struct sim_job *j)
{
	static const char *const ops[] = { "read", "write", "zero", "flush" };
	uint32_t wanted = j->job->parts[prng_below(&w->rng, j->job->part_count)].member, i = 0;
	struct arr_part *p;

	while (i < j->job->part_count && (j->is_done[i] || j->job->parts[i].member != wanted))
		i++;
	if (i == j->job->part_count)
		for (i = 0; j->is_done[i];)
			i++;
	p = &j->job->parts[i];
	check_part(w, j, p);
	p->rc = execute(w, j, p);
	j->is_done[i] = true;
	j->left--;
	trace(w, "  %s %s %s at %llu, %llu bytes%s", w->members[w->disk_of[p->member]].disk.path, job_name(j->job),
	      ops[p->op], (unsigned long long)p->at.bytes, (unsigned long long)p->len_bytes, p->rc ? ": FAILS" : "");
	if (p->rc)
		spread_failure(j, p);
	else if (j->job->owner && j->job->kind == ARR_JOB_REQUEST)
		((struct sim_request *)j->job->owner->user)->done_on |= 1u << w->disk_of[p->member];
}

bool world_work(struct sim_world *w)
{
	uint32_t in_flight = world_jobs(w), nth;
	struct sim_job *j = w->jobs;
	struct arr_job *done;

	if (!in_flight)
		return false;
	for (nth = (uint32_t)prng_below(&w->rng, in_flight);; j++)
		if (j->job && !nth--)
			break;
	if (j->left) {
		work_part(w, j);
		return true;
	}
	done = j->job;
	trace(w, "job %s is done", job_name(done));
	j->job = NULL;
	world_step(w, &(struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = done });
	return true;
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
	static const char *const ops[] = { "read", "write", "zero", "flush" };
	bool is_write = r->req.op == ARR_WRITE || r->req.op == ARR_ZERO;

	trace(w, "%s %llu+%llu is answered: %s", ops[r->req.op], (unsigned long long)r->first,
	      (unsigned long long)r->sectors, err_name(r->req.rc));
	r->is_used = false;
	if (r->req.rc) {
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
		check_read(w, r);
	}
}

void world_submit(struct sim_world *w, struct sim_request *r)
{
	static const char *const ops[] = { "read", "write", "zero", "flush" };

	r->is_used = true;
	r->done_on = 0;
	r->req = (struct arr_req){
		.op = r->req.op,
		.is_fua = r->req.is_fua,
		.may_punch = r->req.may_punch,
		.at = { r->first * SECTOR_BYTES },
		.len_bytes = r->sectors * SECTOR_BYTES,
		.data = r->data,
		.user = r,
	};
	trace(w, "%s %llu+%llu%s is asked", ops[r->req.op], (unsigned long long)r->first,
	      (unsigned long long)r->sectors, r->req.is_fua ? " FUA" : "");
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

/* ---- start and end ---- */

void world_look(struct sim_world *w, struct sim_member *m, struct asm_member *ret)
{
	member_off places[3], bitmap_at;
	enum sb1_minor minors[3];
	uint32_t count = asm_super_places(m->disk.size_bytes, places, minors);

	memset(ret, 0, sizeof *ret);
	ret->path = m->disk.path;
	ret->size_bytes = m->disk.size_bytes;
	for (uint32_t i = 0; i < count; i++)
		asm_take_superblock(ret, minors[i], places[i], m->disk.cache + places[i].bytes);
	asm_name_the_stranger(ret, m->disk.cache);
	if (asm_wants_bitmap(ret, &bitmap_at))
		asm_take_bitmap(ret, m->disk.cache + bitmap_at.bytes);
}

void world_judge(struct sim_world *w, uint32_t chosen, const struct asm_options *o)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (chosen & 1u << i) {
			world_look(w, &w->members[i], &w->looked[count]);
			w->disk_of[count++] = i;
		}
	asm_judge(w->looked, count, o, &w->plan);
	trace(w, "judged: %s%s", w->plan.refusal.code ? "refused: " : w->plan.reason,
	      w->plan.refusal.code ? w->plan.refusal.text : "");
	for (uint32_t i = 0; i < count && w->is_tracing; i++)
		trace(w, "  %s: verdict %d, event %llu %s", w->looked[i].path, w->plan.verdicts[i],
		      (unsigned long long)w->looked[i].sb.events, w->plan.reasons[i]);
}

static uint8_t *read_image(struct sim_world *w, uint64_t *ret_len)
{
	uint32_t member;
	member_off at;
	uint8_t *image;

	if (!asm_bitmap_to_read(w->looked, &w->plan, &member, &at, ret_len))
		return NULL;
	image = malloc(*ret_len);
	if (!image)
		abort();
	memcpy(image, w->members[w->disk_of[member]].disk.cache + at.bytes, *ret_len);
	return image;
}

int world_start(struct sim_world *w, const struct asm_options *o)
{
	uint32_t member_of[ARR_MEMBERS_MAX], judged[SIM_DISKS];
	struct arr_status s;
	uint64_t len = 0;
	uint8_t *image = read_image(w, &len);
	struct err err = { 0 };
	int rc = asm_start(w->looked, &w->plan, o, image, len, &w->array, &w->lineage, member_of, &err);

	free(image);
	trace(w, "start: %s", rc ? err.text : "runs");
	if (rc)
		return rc;
	memcpy(judged, w->disk_of, sizeof judged);
	arr_get_status(w->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++) {
		struct sim_member *m = &w->members[judged[member_of[i]]];

		w->disk_of[i] = index_of(w, m);
		m->state = s.members[i].state;
		m->entry = i;
		m->place.data_at = s.members[i].data_at;
		m->place.bitmap_at = s.members[i].bitmap_at;
		check_place(w, m);
	}
	w->is_readonly = o->is_readonly;
	w->is_stopping = w->is_broken = false;
	check_started(w);
	return 0;
}

/* A part that nobody executed may have been on its way. */
static void tear(struct sim_world *w, const struct sim_job *j)
{
	uint64_t touched = 0; /* members: of each the first open part only, the others had to wait for it */

	for (uint32_t i = 0; i < j->job->part_count; i++) {
		const struct arr_part *p = &j->job->parts[i];
		bool is_write = p->op == ARR_P_WRITE || p->op == ARR_P_ZERO;

		if (j->is_done[i] || touched & 1ull << p->member)
			continue;
		touched |= 1ull << p->member;
		if (is_write && prng_below(&w->rng, 2))
			disk_write_torn(&w->members[w->disk_of[p->member]].disk, &w->rng, p->at.bytes, p->len_bytes,
					part_data(w, j->job, p));
	}
}

void world_end(struct sim_world *w, bool is_cut)
{
	for (uint32_t i = 0; i < SIM_JOBS; i++) {
		if (w->jobs[i].job && is_cut)
			tear(w, &w->jobs[i]);
		w->jobs[i].job = NULL;
	}
	EACH_MEMBER(w, m) {
		disk_cut(&m->disk, &w->rng); /* after a stop the power may go as well */
		m->was_in_sync = is_in_sync(m);
		m->state = ARR_M_NONE;
	}
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		w->requests[i].is_used = false;
	w->was_readonly = w->is_readonly;
	w->array = arr_free(w->array);
	w->lineage = asm_lineage_free(w->lineage);
	if (!is_cut && !w->is_broken)
		model_flushed(&w->model, w->model.acks); /* a clean stop is a promise */
	model_cut(&w->model);
	w->stats->cuts += is_cut;
	trace(w, "---- %s", is_cut ? "the power is cut" : "stopped");
}
