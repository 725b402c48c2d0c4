/* Threads for what goes on behind answered writes.
 *
 * A slow member must hold up neither clients' workers nor the array's thread, which writes superblocks. So these jobs
 * have threads of their own, made when there is more to do than those that are there can begin, up to a small number:
 * as many writes are under way at once to members that are far away. The rest of the backlog waits in a list; its
 * memory is bounded by the array (the number of writes, and the bytes of their copies).
 *
 * The order of overlapping writes is the array's business: it gives a job out when its turn has come. */
#include "run/running.h"

static void run_one(struct umd_array *u)
{
	struct arr_job *job = list_entry(u->behind_jobs.next, struct arr_job, link);
	struct arr_event ev = { .kind = ARR_EV_JOB_DONE, .job = job };

	list_remove(&job->link);
	u->behind_waiting--;
	pthread_mutex_unlock(&u->lock);
	run_job(u, job);
	pthread_mutex_lock(&u->lock);
	run_step(u, &ev);
}

static void *behind_main(void *opaque)
{
	struct umd_array *u = opaque;

	pthread_mutex_lock(&u->lock);
	for (;;) {
		if (!list_is_empty(&u->behind_jobs)) {
			run_one(u);
			continue;
		}
		if (u->behind_ends)
			break;
		u->behind_idle++;
		pthread_cond_wait(&u->behind_wakes, &u->lock);
		u->behind_idle--;
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

void run_behind_begin(struct umd_array *u)
{
	list_init(&u->behind_jobs);
	u->behind_threads = u->behind_idle = u->behind_waiting = 0;
	u->behind_ends = false;
	pthread_cond_init(&u->behind_wakes, NULL);
}

bool run_behind_take(struct umd_array *u, struct arr_job *job)
{
	if (u->behind_waiting >= u->behind_idle && u->behind_threads < RUN_BEHIND_THREADS &&
	    !pthread_create(&u->behind[u->behind_threads], NULL, behind_main, u))
		u->behind_threads++;
	if (!u->behind_threads)
		return false;
	list_append(&u->behind_jobs, &job->link);
	u->behind_waiting++;
	pthread_cond_signal(&u->behind_wakes);
	return true;
}

void run_behind_end(struct umd_array *u)
{
	pthread_mutex_lock(&u->lock);
	u->behind_ends = true;
	pthread_cond_broadcast(&u->behind_wakes);
	pthread_mutex_unlock(&u->lock);
	for (uint32_t i = 0; i < u->behind_threads; i++)
		pthread_join(u->behind[i], NULL);
	pthread_cond_destroy(&u->behind_wakes);
}
