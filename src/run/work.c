/* Who executes what: a worker thread carries its own request through, and leads a bitmap commit when the
 * array gives it one; what goes on behind an answered write has threads of its own (behind.c); everything else is the
 * array thread's (thread.c).
 *
 * A worker steps under the lock, leaves it, executes one job, and reports with the next step. Waiters sleep
 * on a condition of their own, so one wake-up wakes one worker. A job's parts go to each member as one
 * batch, members one after the other: on cached files that is faster than any hand-over. */
#include "run/cluster.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/law.h"
#include "run/gate.h"

_Static_assert((int)ARR_P_READ == MBR_READ && (int)ARR_P_WRITE == MBR_WRITE && (int)ARR_P_ZERO == MBR_ZERO &&
	       (int)ARR_P_FLUSH == MBR_FLUSH, "one order");
_Static_assert((int)ARR_PF_DURABLE == MBR_DURABLE && (int)ARR_PF_MAY_PUNCH == MBR_MAY_PUNCH &&
	       (int)ARR_PF_KEEP_HOLES == MBR_KEEP_HOLES, "one meaning");

enum { BATCH_PARTS = 64 };

struct waiter {
	pthread_cond_t wakes;
};

uint64_t run_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- one job ---- */

static bool may_go(void *opaque)
{
	return run_cluster_may_go_on(opaque);
}

/* Whether the others count us in is asked before each part: the one before may have taken its time (C5). */
static void execute(struct umd_array *u, uint32_t member, struct mbr_part *batch, uint32_t count)
{
	struct member *m = u->hands[member];

	atomic_fetch_add(&u->under_way[member], 1);
	if (u->cluster)
		run_gated(m, batch, count, may_go, u);
	else
		m->ops->run(m, batch, count);
	atomic_fetch_sub(&u->under_way[member], 1);
}

/* Up to BATCH_PARTS parts of one member, from part *@at on; false: none are left. */
static bool run_batch(struct umd_array *u, struct arr_job *job, uint32_t member, uint32_t *at, int *rc)
{
	struct mbr_part batch[BATCH_PARTS];
	struct arr_part *from[BATCH_PARTS];
	uint32_t count = 0;

	for (; *at < job->part_count && count < BATCH_PARTS; ++*at) {
		struct arr_part *p = &job->parts[*at];

		if (p->member != member)
			continue;
		from[count] = p;
		batch[count++] = (struct mbr_part){
			.op = (enum mbr_op)p->op,
			.flags = p->flags,
			.at = p->at,
			.len_bytes = p->len_bytes,
			.data = p->data ? p->data : u->sync_buffer,
		};
	}
	if (!count)
		return false;
	if (!*rc)
		execute(u, member, batch, count);
	for (uint32_t i = 0; i < count; i++) {
		from[i]->rc = *rc ? *rc : batch[i].rc;
		if (from[i]->rc && !*rc)
			*rc = from[i]->rc;
	}
	return true;
}

void run_job(struct umd_array *u, struct arr_job *job)
{
	if (job->copy)
		memcpy(job->copy, job->owner->data, job->owner->len_bytes);
	for (uint32_t member = 0; member <= ARR_FILE; member++) {
		uint32_t at = 0;
		int rc = 0;

		if (member == ARR_FILE ? !job->is_on_file : !(job->members & 1ull << member))
			continue;
		while (run_batch(u, job, member, &at, &rc))
			;
	}
}

/* ---- steps ---- */

void run_step(struct umd_array *u, struct arr_event *ev)
{
	struct arr_out out;
	struct arr_req *req, *next;
	struct arr_job *job, *next_job;
	bool has_jobs;

	arr_out_init(&out);
	arr_step(u->arr, ev, run_now_ms(), &out);
	list_for_each_safe(req, next, &out.woken, woken) {
		struct waiter *w = req->user;

		list_remove(&req->woken);
		pthread_cond_signal(&w->wakes);
	}
	has_jobs = !list_is_empty(&out.jobs);
	list_for_each_safe(job, next_job, &out.jobs, link) {
		list_remove(&job->link);
		if (job->kind != ARR_JOB_BEHIND || !run_behind_take(u, job))
			list_append(&u->jobs, &job->link);
	}
	if (has_jobs || arr_next_timer_ms(u->arr) < u->thread_deadline_ms || arr_is_stopped(u->arr))
		pthread_cond_signal(&u->thread_wakes);
	if (ev->kind != ARR_EV_SUBMIT)
		pthread_cond_broadcast(&u->changed);
	run_cluster_after_step(u);
	run_notice(u);
}

int run_request(struct umd_array *u, struct arr_req *req)
{
	struct waiter w = { PTHREAD_COND_INITIALIZER };
	struct arr_event ev = { .kind = ARR_EV_SUBMIT, .req = req };

	req->user = &w;
	pthread_mutex_lock(&u->lock);
	if (u->arr && !run_cluster_refuses(u)) {
		run_step(u, &ev);
	} else {
		req->is_done = true;
		req->rc = u->arr ? -EIO : -ESHUTDOWN;
	}
	while (!req->is_done) {
		struct arr_job *job = req->job;

		if (!job) {
			pthread_cond_wait(&w.wakes, &u->lock);
			continue;
		}
		pthread_mutex_unlock(&u->lock);
		run_job(u, job);
		pthread_mutex_lock(&u->lock);
		ev = (struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = job };
		run_step(u, &ev);
	}
	pthread_mutex_unlock(&u->lock);
	pthread_cond_destroy(&w.wakes);
	return -err_errno(req->rc);
}
