/* The brain of a node among the hands: events go in, asks are carried out.
 *
 *	engine's thread -> deliver() --+
 *	array's steps -> after_step() -+-> feed(): clu_step() -> asks: the engine's at once, LOAD, SEE, FORGET by the
 *	errands, timers ---------------+          node's thread, ARRAY here: the array steps, and the brain once more
 *
 * All of it under the array's lock; the engine's own lock is taken inside of that, never the other way round. The
 * brain's asks live in one place, since data to be sent lies in the brain until its next step.
 *
 * Before every part of a job the engine is asked whether the others certainly count us in (C5, gate.c): a node that was
 * stopped and goes on finds out there, before it has heard of anything. While that is not certain the part waits. So
 * does what an errand writes to a disk that joins.
 *
 * Left out: what the brain decides (src/cluster), how a run begins and ends (cluster_life.c). */
#include "run/cluster.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { CERTAIN_MS = 20 };

bool run_cluster_wait(struct umd_array *u, uint64_t deadline_ms)
{
	struct timespec t = { (time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000 };

	if (run_now_ms() >= deadline_ms)
		return false;
	pthread_cond_clockwait(&u->changed, &u->lock, CLOCK_MONOTONIC, &t);
	return true;
}

/* ---- asks ---- */

static void end_join(struct run_cluster *c, int life, const struct err *err)
{
	c->life = life;
	if (err && !c->err.code)
		c->err = *err;
}

/* The server ends by itself: whoever started it is told why. */
static void fail(struct umd_array *u, const struct err *err)
{
	struct run_cluster *c = u->cluster;
	bool was_up = c->life == RUN_NODE_IS_UP;

	c->is_lost = true;
	end_join(c, RUN_NODE_HAS_FAILED, err);
	if (was_up && u->on_stop)
		u->on_stop(u->on_stop_opaque);
}

static void answer(struct run_answer *a, const struct clu_ask *ask)
{
	*a = (struct run_answer){ .is_there = true, .rc = ask->rc, .err = ask->err };
}

static void carry_out_here(struct umd_array *u, const struct clu_ask *ask)
{
	struct run_cluster *c = u->cluster;

	switch (ask->kind) {
	case CLU_ASK_LOAD:
		c->wants_load = true;
		c->slot = ask->slot;
		break;
	case CLU_ASK_SEE:
	case CLU_ASK_FORGET:
		c->message = *ask->message;
		c->wants_see = ask->kind == CLU_ASK_SEE;
		c->wants_forget = ask->kind == CLU_ASK_FORGET;
		break;
	case CLU_ASK_PINS:
		if (!u->arr)
			break;
		arr_set_pins(u->arr, ask->pins, ask->pin_count);
		arr_set_spares(u->arr, ask->spares, ask->spare_count);
		break;
	case CLU_ASK_TOKEN_TAKEN:
		answer(&c->token, ask);
		break;
	case CLU_ASK_TOLD:
		answer(&c->told, ask);
		break;
	case CLU_ASK_UP:
		end_join(c, RUN_NODE_IS_UP, NULL);
		break;
	case CLU_ASK_REFUSED:
		end_join(c, RUN_NODE_IS_REFUSED, &ask->err);
		break;
	case CLU_ASK_FAILED:
		fail(u, &ask->err);
		break;
	case CLU_ASK_GROUP:		/* the engine's, and the array's: the compiler says when one is forgotten */
	case CLU_ASK_LOCK:
	case CLU_ASK_CANCEL:
	case CLU_ASK_UNLOCK:
	case CLU_ASK_SEND:
	case CLU_ASK_GOODBYE:
	case CLU_ASK_ARRAY:
		break;
	}
}

static void carry_out(struct umd_array *u, const struct clu_ask *ask)
{
	struct engine *e = u->cluster->engine;

	switch (ask->kind) {
	case CLU_ASK_GROUP:
		e->ops->group(e);
		break;
	case CLU_ASK_LOCK:
		e->ops->lock(e, ask->lock, ask->may_queue);
		break;
	case CLU_ASK_CANCEL:
		e->ops->cancel(e, ask->lock);
		break;
	case CLU_ASK_UNLOCK:
		e->ops->unlock(e, ask->lock);
		break;
	case CLU_ASK_SEND:
		e->ops->send(e, ask->data, ask->len_bytes);
		break;
	case CLU_ASK_GOODBYE:
		u->cluster->is_gone = true;
		e->ops->goodbye(e);
		break;
	default:
		carry_out_here(u, ask);
	}
}

/* True: the last ask is a step of the array, in @ret. */
static bool carry_out_all(struct umd_array *u, struct arr_event *ret)
{
	const struct clu_out *out = &u->cluster->out;

	for (uint32_t i = 0; i < out->count; i++) {
		if (out->asks[i].kind == CLU_ASK_ARRAY) {
			*ret = out->asks[i].array;
			return u->arr && u->is_started;
		}
		carry_out(u, &out->asks[i]);
	}
	return false;
}

/* ---- feeding ---- */

static void wake_thread(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;

	if (c->wants_load || c->wants_see || c->wants_forget || clu_next_timer_ms(c->clu) < c->thread_deadline_ms)
		pthread_cond_signal(&c->wakes);
}

void run_cluster_feed(struct umd_array *u, const struct clu_event *ev)
{
	static const struct clu_event stepped = { .kind = CLU_EV_ARRAY };
	struct run_cluster *c = u->cluster;
	struct arr_event step;
	bool is_news = ev->kind != CLU_EV_ARRAY;

	if (!c->clu || c->is_closed)
		return;
	c->is_pumping = true;
	for (;; ev = &stepped) {
		clu_step(c->clu, u->arr, ev, run_now_ms(), &c->out);
		is_news |= c->out.count > 0;
		if (!carry_out_all(u, &step))
			break;
		if (step.kind == ARR_EV_LOST)
			c->is_lost = true;
		run_step(u, &step);
	}
	c->is_pumping = false;
	wake_thread(u);
	if (!is_news)
		return;
	pthread_cond_broadcast(&u->changed);
	run_cluster_refresh(u);
	run_notice(u);
}

void run_cluster_after_step(struct umd_array *u)
{
	const struct clu_event stepped = { .kind = CLU_EV_ARRAY };

	if (u->cluster && !u->cluster->is_pumping)
		run_cluster_feed(u, &stepped);
}

void run_cluster_deliver(void *opaque, const struct clu_event *ev)
{
	struct umd_array *u = opaque;

	pthread_mutex_lock(&u->lock);
	/* The engine may speak before its opener knows it. */
	while (!u->cluster->clu && !u->cluster->is_closed)
		pthread_cond_wait(&u->changed, &u->lock);
	if (ev->kind == CLU_EV_QUORUM)
		u->cluster->is_without_quorum = !ev->value;
	run_cluster_feed(u, ev);
	pthread_mutex_unlock(&u->lock);
}

void run_cluster_lose(struct umd_array *u)
{
	struct arr_event lost = { .kind = ARR_EV_LOST };

	u->cluster->is_lost = true;
	run_step(u, &lost);
}

bool run_cluster_refuses(const struct umd_array *u)
{
	return u->cluster && u->cluster->fails_without_quorum && u->cluster->is_without_quorum;
}

/* ---- C5 ---- */

/* What the array gives out waits for a loss; an errand, for the server's end as well. */
static bool wait_until_certain(struct umd_array *u, bool is_errand)
{
	struct engine *e = u->cluster->engine;
	bool is_over = false;

	while (!is_over && !e->ops->may_write(e)) {
		pthread_mutex_lock(&u->lock);
		is_over = u->cluster->is_lost || (is_errand && u->is_ending);
		if (!is_over)
			run_cluster_wait(u, run_now_ms() + CERTAIN_MS);
		pthread_mutex_unlock(&u->lock);
	}
	return !is_over;
}

bool run_cluster_may_go_on(struct umd_array *u)
{
	return wait_until_certain(u, false);
}

bool run_cluster_may_prepare(struct umd_array *u)
{
	return !u->cluster || wait_until_certain(u, true);
}
