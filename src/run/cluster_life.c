/* A node's life: it joins, loads its bitmap, is up; the array stops, it leaves.
 *
 *	start -> engine, brain -> JOIN ... LOAD(slot) -> LOADED ... UP -> clients are let in
 *	stop -> the array ends -> LEAVE ... GOODBYE -> engine and brain go
 *
 * What the others must do for us to start is waited for as long as it takes, or until somebody stops the server: a
 * group without quorum, a token that somebody holds. Nothing that they fail to do holds up an end: an array that does
 * not stop in time is lost on purpose, which leaves its slot's bits to whoever takes them, and a goodbye that takes too
 * long is said without the rest.
 *
 * The node's thread does what takes its time, one after the other: LOAD, SEE, FORGET; and it has the brain's timer.
 * Left out: what others' members mean (cluster_members.c). */
#include "run/cluster.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { STOP_MS = 4000, STOP_HELD_MS = 300, LEAVE_MS = 2000 };

/* ---- loading ---- */

/* Members that are not the array's. */
static void let_go_of_others(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;

	for (uint32_t i = 0; i < c->opening->count; i++)
		run_cluster_let_go(u, c->opening->hands[i]);
	c->opening = run_opening_free(c->opening);
}

/* Under the lock, which is left while members are read. Nobody else changes them: we have the token. */
static int load(struct umd_array *u, struct err *err)
{
	struct run_cluster *c = u->cluster;
	int rc;

	c->judge.node_slot = c->slot;
	pthread_mutex_unlock(&u->lock);
	rc = run_opening_judge_again(c->opening, &c->judge, err);
	pthread_mutex_lock(&u->lock);
	if (rc == 0)
		rc = run_opening_start(u, c->opening, &c->judge, err);
	if (rc == 0)
		let_go_of_others(u);
	return rc;
}

static void load_and_tell(struct umd_array *u)
{
	struct clu_event loaded = { .kind = CLU_EV_LOADED };
	struct err err = { 0 };

	u->cluster->wants_load = false;
	loaded.rc = load(u, &err);
	if (loaded.rc < 0)
		u->cluster->err = err;
	loaded.reason = err.text;
	run_cluster_feed(u, &loaded);
}

/* ---- the node's thread ---- */

static void sleep_until(struct umd_array *u, uint64_t deadline_ms)
{
	struct run_cluster *c = u->cluster;
	struct timespec t = { (time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000 };

	c->thread_deadline_ms = deadline_ms;
	if (deadline_ms == UINT64_MAX)
		pthread_cond_wait(&c->wakes, &u->lock);
	else
		pthread_cond_clockwait(&c->wakes, &u->lock, CLOCK_MONOTONIC, &t);
	c->thread_deadline_ms = 0;
}

static void *thread_main(void *opaque)
{
	const struct clu_event timer = { .kind = CLU_EV_TIMER };
	struct umd_array *u = opaque;
	struct run_cluster *c = u->cluster;

	pthread_mutex_lock(&u->lock);
	while (!c->thread_ends) {
		if (c->wants_load)
			load_and_tell(u);
		else if (c->wants_see)
			run_cluster_see(u);
		else if (c->wants_forget)
			run_cluster_forget(u);
		else if (clu_next_timer_ms(c->clu) <= run_now_ms())
			run_cluster_feed(u, &timer);
		else
			sleep_until(u, clu_next_timer_ms(c->clu));
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

/* Signals are the front end's. */
static int start_thread(struct umd_array *u, struct err *err)
{
	struct run_cluster *c = u->cluster;
	sigset_t every, before;
	int rc;

	pthread_cond_init(&c->wakes, NULL);
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&c->thread, NULL, thread_main, u);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return err_set(err, -rc, "the node's thread cannot be started: %s", err_sentence(-rc));
	c->has_thread = true;
	return 0;
}

static void end_thread(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;

	if (!c->has_thread)
		return;
	pthread_mutex_lock(&u->lock);
	c->thread_ends = true;
	pthread_cond_signal(&c->wakes);
	pthread_mutex_unlock(&u->lock);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->wakes);
	c->has_thread = false;
}

/* ---- joining ---- */

/* The engine may have something to say at once: it waits for the brain. */
static int make_brain(struct umd_array *u, struct err *err)
{
	struct run_cluster *c = u->cluster;
	struct clu_config config = { .node_id = c->engine->node_id, .nodes = c->nodes };
	struct clu *clu;

	memcpy(config.name, c->node_name, sizeof config.name);
	clu = clu_new(&config);
	if (!clu)
		return err_set(err, -ENOMEM, "no memory for the node");
	pthread_mutex_lock(&u->lock);
	c->clu = clu;
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
	return 0;
}

static int refusal(struct umd_array *u, struct err *err)
{
	struct run_cluster *c = u->cluster;

	if (c->life == RUN_NODE_JOINS)
		return err_set(err, UMD_E_STOPPING, "%s was stopped before the cluster let it in",
			       run_rundir_name(u->rundir));
	*err = c->err;
	return err->code ? err->code : err_set(err, -EIO, "the cluster does not let this node in");
}

static int join(struct umd_array *u, struct err *err)
{
	const struct clu_event ev = { .kind = CLU_EV_JOIN };
	int rc = 0;

	pthread_mutex_lock(&u->lock);
	run_cluster_feed(u, &ev);
	while (u->cluster->life == RUN_NODE_JOINS && !u->is_ending)
		pthread_cond_wait(&u->changed, &u->lock);
	if (u->cluster->life != RUN_NODE_IS_UP)
		rc = refusal(u, err);
	pthread_mutex_unlock(&u->lock);
	return rc;
}

int run_cluster_start(struct umd_array *u, struct err *err)
{
	int rc = run_cluster_open_engine(u, err);

	if (rc == 0)
		rc = make_brain(u, err);
	if (rc == 0)
		rc = start_thread(u, err);
	return rc ? rc : join(u, err);
}

/* ---- the end ---- */

void run_cluster_await_stop(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;
	uint64_t until_ms = run_now_ms() + (c->is_without_quorum ? STOP_HELD_MS : STOP_MS);

	if (!u->arr || u->thread_state != RUN_THREAD_GOES)
		return;
	while (!arr_is_stopped(u->arr) && !c->is_lost)
		if (!run_cluster_wait(u, until_ms))
			run_cluster_lose(u);
}

static void say_goodbye(struct umd_array *u)
{
	const struct clu_event ev = { .kind = CLU_EV_LEAVE };
	struct run_cluster *c = u->cluster;
	uint64_t until_ms = run_now_ms() + LEAVE_MS;

	pthread_mutex_lock(&u->lock);
	run_cluster_feed(u, &ev);
	while (c->clu && !c->is_gone && run_cluster_wait(u, until_ms))
		;
	if (!c->is_gone)
		c->engine->ops->goodbye(c->engine);
	c->is_closed = true;
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
}

void run_cluster_leave(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;
	struct clu *clu;

	if (!c || !c->engine)
		return;
	say_goodbye(u);
	end_thread(u);
	c->engine = c->engine->ops->close(c->engine);
	/* Somebody may still ask for details. */
	pthread_mutex_lock(&u->lock);
	clu = TAKE(c->clu);
	pthread_mutex_unlock(&u->lock);
	clu_free(clu);
}
