/* The life of a served array: it runs, ends, and may run again.
 *
 *	new -> [ begin -> go ... tell_end -> end ]* -> close
 *
 * A client has the array open from its first word to its last, and nobody ends a run that somebody has open, but a
 * stop of the server, after which nothing begins. So a request never meets another array than its client did.
 *
 * Left out: what the thread does (thread.c), what is executed (work.c), who decides that a run begins (api.c,
 * hand.c). */
#include "run/cluster.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "run/public.h"

struct umd_array *run_array_new(void)
{
	struct umd_array *u = mem_new(1, sizeof *u);

	if (!u)
		return NULL;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->changed, NULL);
	list_init(&u->jobs);
	return u;
}

/* ---- clients ---- */

int umd_array_attach(struct umd_array *u)
{
	int rc = -ESHUTDOWN;

	pthread_mutex_lock(&u->lock);
	if (u->arr && u->thread_state == RUN_THREAD_GOES && !u->is_ending) {
		u->clients++;
		rc = 0;
	}
	pthread_mutex_unlock(&u->lock);
	return rc;
}

void umd_array_detach(struct umd_array *u)
{
	pthread_mutex_lock(&u->lock);
	u->clients--;
	pthread_mutex_unlock(&u->lock);
}

/* ---- a run ---- */

int run_begin(struct umd_array *u, struct err *err)
{
	bool is_ending;

	pthread_mutex_lock(&u->lock);
	is_ending = u->is_ending;
	pthread_mutex_unlock(&u->lock);
	if (is_ending)
		return err_set(err, UMD_E_STOPPING, "%s is being stopped: nothing is started any more",
			       run_rundir_name(u->rundir));
	return run_thread_start(u, err);
}

void run_tell_end(struct umd_array *u)
{
	struct arr_event ev = { .kind = ARR_EV_STOP };

	if (u->arr && u->thread_state == RUN_THREAD_GOES)
		run_step(u, &ev);
}

void run_end(struct umd_array *u, struct arr_status *ret_last)
{
	*ret_last = (struct arr_status){ 0 };
	pthread_mutex_lock(&u->lock);
	run_tell_end(u);
	if (u->cluster)
		run_cluster_await_stop(u);
	pthread_mutex_unlock(&u->lock);
	run_thread_join(u);
	run_cluster_leave(u);
	pthread_mutex_lock(&u->lock);
	if (u->arr)
		arr_get_status(u->arr, ret_last);
	u->arr = arr_free(u->arr);
	u->lineage = asm_lineage_free(u->lineage);
	u->thread_state = RUN_THREAD_WAITS;
	pthread_mutex_unlock(&u->lock);
}
