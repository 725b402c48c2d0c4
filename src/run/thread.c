/* The array's own thread: superblocks, sweeps, resync, timers; one job after the other.
 *
 * It begins when everything else that a start needs is there, since its first act may be to write superblocks. It
 * ends when the array has stopped: everything swept, the last claim durable. */
#include "run/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/law.h"

enum { SYNC_BUFFER_ALIGN = 4096 };

static void run_first_job(struct umd_array *u)
{
	struct arr_job *job = list_entry(u->jobs.next, struct arr_job, link);
	struct arr_event ev = { .kind = ARR_EV_JOB_DONE, .job = job };

	list_remove(&job->link);
	if (job->kind == ARR_JOB_CLAIM)
		asm_claim_render(u->lineage, arr_claim_in_flight(u->arr), job, (uint64_t)time(NULL));
	if (job->kind == ARR_JOB_LOOK)
		asm_look_render(u->lineage, job);
	pthread_mutex_unlock(&u->lock);
	run_job(u, job);
	pthread_mutex_lock(&u->lock);
	if (job->kind == ARR_JOB_LOOK) {
		asm_look_taken(u->lineage, u->arr, job, &u->cluster->reload);
		ev.reload = &u->cluster->reload;
	}
	run_step(u, &ev);
}

/* Sleep until woken or @deadline_ms. */
static void sleep_until(struct umd_array *u, uint64_t deadline_ms)
{
	struct timespec t = { .tv_sec = (time_t)(deadline_ms / 1000), .tv_nsec = (long)(deadline_ms % 1000) * 1000000 };

	u->thread_deadline_ms = deadline_ms;
	if (deadline_ms == UINT64_MAX)
		pthread_cond_wait(&u->thread_wakes, &u->lock);
	else
		pthread_cond_timedwait(&u->thread_wakes, &u->lock, &t);
	u->thread_deadline_ms = 0;
}

static void run_to_the_stop(struct umd_array *u)
{
	struct arr_event ev = { .kind = ARR_EV_TIMER };

	run_step(u, &ev);
	while (!arr_is_stopped(u->arr)) {
		if (!list_is_empty(&u->jobs)) {
			run_first_job(u);
		} else if (arr_next_timer_ms(u->arr) <= run_now_ms()) {
			ev = (struct arr_event){ .kind = ARR_EV_TIMER };
			run_step(u, &ev);
		} else {
			sleep_until(u, arr_next_timer_ms(u->arr));
		}
	}
}

static void *thread_main(void *opaque)
{
	struct umd_array *u = opaque;

	pthread_mutex_lock(&u->lock);
	while (u->thread_state == RUN_THREAD_WAITS)
		pthread_cond_wait(&u->thread_wakes, &u->lock);
	if (u->thread_state == RUN_THREAD_GOES)
		run_to_the_stop(u);
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

int run_thread_start(struct umd_array *u, struct err *err)
{
	pthread_condattr_t attr;
	int rc;

	u->sync_buffer = u->sync_buffer ?: aligned_alloc(SYNC_BUFFER_ALIGN, ARR_SYNC_WINDOW_BYTES);
	if (!u->sync_buffer)
		return err_set(err, -ENOMEM, "no memory for the resync's buffer of %d bytes", ARR_SYNC_WINDOW_BYTES);
	list_init(&u->jobs);
	run_behind_begin(u);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&u->thread_wakes, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&u->thread, NULL, thread_main, u);
	if (rc) {
		pthread_cond_destroy(&u->thread_wakes);
		run_behind_end(u);
		return err_set(err, -rc, "the array's thread cannot be started: %s", err_sentence(-rc));
	}
	u->is_started = true;
	return 0;
}

static void tell(struct umd_array *u, int state)
{
	pthread_mutex_lock(&u->lock);
	u->thread_state = state;
	pthread_cond_signal(&u->thread_wakes);
	pthread_mutex_unlock(&u->lock);
}

void run_thread_go(struct umd_array *u)
{
	tell(u, RUN_THREAD_GOES);
}

void run_thread_call_off(struct umd_array *u)
{
	if (!u->is_started)
		return;
	tell(u, RUN_THREAD_IS_CALLED_OFF);
	run_thread_join(u);
}

void run_thread_join(struct umd_array *u)
{
	if (!u->is_started)
		return;
	pthread_join(u->thread, NULL);
	run_behind_end(u);
	u->is_started = false;
	pthread_cond_destroy(&u->thread_wakes);
}
