/* A node's stop that does not end: a disk that hangs, a cluster's manager that hangs.
 *
 * All that others fail to do is waited for a bounded time (cluster_life.c). What is left are calls into the kernel that
 * do not come back: I/O on a member, an open, a close. No thread that waits for one can be ended, so the server can end
 * in one way alone: as if it had been killed. For a node that is no harm. What it left in doubt is in its slot,
 * durably; its locks go when the kernel has ended what is under way, and not before; then another node takes the slot
 * (C2, C4).
 *
 *	the stop begins --- OVERDUE_MS ---> not over: the front end is told what hangs, and ends the process
 *	                `-> over: nobody is told
 *
 * An array that is nobody's node waits for its disks for ever, as before: its end says that all is well, or is none.
 * Left out: a process in which the kernel holds a thread for ever; it ends when the kernel lets it. */
#include "run/cluster.h"

#include <errno.h>
#include <signal.h>

/* More than all that is waited for in order: array, goodbye, engine, lockspace. */
enum { OVERDUE_MS = 20000 };

/* Under the lock. While something is under way its member is there. */
static void say_what_hangs(const struct umd_array *u, struct err *ret)
{
	for (uint32_t i = 0; i <= ARR_FILE; i++)
		if (atomic_load(&u->under_way[i])) {
			err_set(ret, -ETIMEDOUT, "%s ends as if it had been killed: I/O on %.300s has not come back "
				"for %d s; what is in doubt stays in its slot, for the others or for the next start",
				run_rundir_name(u->rundir),
				i < ARR_MEMBERS_MAX && u->paths[i] ? u->paths[i] : "its file", OVERDUE_MS / 1000);
			return;
		}
	err_set(ret, -ETIMEDOUT, "%s ends as if it had been killed: its stop has not ended in %d s, since a disk that "
		"is opened, read or closed hangs, or the cluster's manager does; what is in doubt stays in its slot, "
		"for the others or for the next start", run_rundir_name(u->rundir), OVERDUE_MS / 1000);
}

static void *watch(void *opaque)
{
	struct umd_array *u = opaque;
	uint64_t until_ms = run_now_ms() + OVERDUE_MS;
	struct err err;
	bool is_overdue;

	pthread_mutex_lock(&u->lock);
	while (!u->has_ended && run_cluster_wait(u, until_ms))
		;
	is_overdue = !u->has_ended;
	if (is_overdue)
		say_what_hangs(u, &err);
	pthread_mutex_unlock(&u->lock);
	if (is_overdue)
		u->on_overdue(u->on_overdue_opaque, err.text);
	return NULL;
}

/* Signals are the front end's. Without a thread the stop is waited for. */
void run_overdue_begin(struct umd_array *u)
{
	sigset_t every, before;

	if (u->is_watched || !u->on_overdue || !u->cluster)
		return;
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	u->is_watched = pthread_create(&u->overdue, NULL, watch, u) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void run_overdue_end(struct umd_array *u)
{
	pthread_mutex_lock(&u->lock);
	u->has_ended = true;
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
	if (u->is_watched)
		pthread_join(u->overdue, NULL);
	u->is_watched = false;
}
