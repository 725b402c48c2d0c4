/* One of several nodes without quorum, and one that the others have left behind (C5).
 *
 * Held (no quorum): machines go on, but every job is *kept*, in order, and given out when that ends: nobody has had our
 * slot, our locks, or the range meanwhile. Lost: what is kept never was; requests end; what is out may come back, and
 * nothing follows from it. A lost array never goes on: who joins again is a new one.
 *
 * Left out: how it is known (cluster/), and that what was given out is not carried out any more (the hands ask their
 * engine before every write). */
#include "array/state.h"

#include <errno.h>

bool arr_keep_job(struct arr *a, struct arr_job *job)
{
	if (!a->node.is_held)
		return false;
	if (job->owner)
		job->owner->is_kept = true;
	list_append(&a->node.kept, &job->link);
	return true;
}

void arr_hold(struct arr *a, bool is_held)
{
	struct arr_job *job, *next;

	a->node.is_held = is_held;
	if (is_held)
		return;
	list_for_each_safe(job, next, &a->node.kept, link) {
		list_remove(&job->link);
		if (job->owner)
			job->owner->is_kept = false;
		arr_job_give_out(a, job);
	}
}

void arr_lose(struct arr *a)
{
	struct arr_job *job, *next;

	a->node.is_lost = true;
	list_for_each_safe(job, next, &a->node.kept, link) {
		list_remove(&job->link);
		ARR_EACH(i, a, job->members)
			a->busy[i]--;
		if (job->owner)
			job->owner->is_kept = false;
	}
	arr_lose_requests(a);
}

void arr_step_lost(struct arr *a, struct arr_event *ev)
{
	if (ev->kind == ARR_EV_JOB_DONE) {
		ARR_EACH(i, a, ev->job->members)
			a->busy[i]--;
		a->node.jobs_out--;
		if (ev->job->owner)
			ev->job->owner->job = NULL;
		arr_lose_requests(a);
	} else if (ev->kind == ARR_EV_SUBMIT) {
		arr_event_submit(a, ev->req);
	} else if (ev->kind == ARR_EV_STOP) {
		a->is_stopping = true;
	} else if (ev->kind != ARR_EV_TIMER && ev->kind != ARR_EV_LOST) {
		ev->rc = err_set(ev->err, -EIO, "this node has lost the cluster: the array does nothing any more; "
				 "a new start joins again");
	}
}
