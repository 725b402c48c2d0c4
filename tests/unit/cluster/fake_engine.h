/* The cluster made of lists: one order of messages and configurations for all, locks with queues, nodes that keep what
 * they hold until they are fenced. Who hears what when, the tests decide (harness.h). */
#ifndef TESTS_UNIT_CLUSTER_FAKE_ENGINE_H
#define TESTS_UNIT_CLUSTER_FAKE_ENGINE_H

#include <errno.h>
#include <stdlib.h>

#include "fake_array.h"

enum { W_NODES = 6, W_LOG = 4000 };

/* ---- the world ---- */

struct w_delivery {
	bool is_config;
	uint64_t from, nodes[W_NODES];
	uint32_t node_count, len_bytes;
	uint8_t data[CLU_MESSAGE_BYTES_MAX];
};

struct w_lock {
	int holder;				/* node, or -1 */
	int queue[W_NODES];
	unsigned queued;
};

struct w_node {
	struct clu *c;
	struct arr a;
	uint64_t id;
	bool is_alive, is_member, was_up, is_refused, is_failed, is_deaf, has_said_goodbye;
	int taken_rc, told_rc, see_rc, load_rc;
	bool keeps_loading, keeps_seeing, wants_loaded, wants_seen, forgets;
	unsigned told, taken, seen, forgot;
	uint32_t slot;
	struct err err;
	unsigned next;				/* of the log */
	struct clu_event locks[W_SLOTS * 2 + 8];
	unsigned lock_count;
	unsigned asks;				/* of the engine and for it */
};

struct w {
	struct w_node nodes[W_NODES];
	uint32_t node_count, slots;
	struct w_delivery log[W_LOG];
	unsigned log_count;
	struct w_lock locks[W_SLOTS + 2];
	uint64_t members[W_NODES], now_ms, next_id, seed;
	uint32_t member_count;
	uint64_t slot_bits[W_SLOTS];		/* on disk */
	uint64_t missed_bits;			/* by a gathering */
	unsigned double_slots, broken_windows, unread_claims;
};

static struct w_lock *w_lock(struct w *w, struct clu_lock lock)
{
	return &w->locks[lock.kind == CLU_LOCK_TOKEN ? 0 : lock.kind == CLU_LOCK_RESYNC ? 1 : 2 + lock.slot];
}

static uint64_t w_draw(struct w *w, uint64_t below)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (w->seed >> 33) % below;
}

static void w_grant(struct w *w, struct clu_lock lock, int node, int rc)
{
	struct w_node *n = &w->nodes[node];

	n->locks[n->lock_count++] = (struct clu_event){ .kind = CLU_EV_LOCK, .lock = lock, .rc = rc };
}

static void w_pass_on(struct w *w, struct clu_lock lock)
{
	struct w_lock *l = w_lock(w, lock);

	l->holder = -1;
	if (!l->queued)
		return;
	l->holder = l->queue[0];
	memmove(l->queue, l->queue + 1, --l->queued * sizeof l->queue[0]);
	w_grant(w, lock, l->holder, 0);
}

static void w_dequeue(struct w_lock *l, int node)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->queued; i++)
		if (l->queue[i] != node)
			l->queue[kept++] = l->queue[i];
	l->queued = kept;
}

static void w_log_config(struct w *w)
{
	struct w_delivery *d = &w->log[w->log_count++];

	if (w->log_count >= W_LOG)
		abort();
	memset(d, 0, sizeof *d);
	d->is_config = true;
	d->node_count = w->member_count;
	memcpy(d->nodes, w->members, sizeof d->nodes);
}

static void w_unmember(struct w *w, int node)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (w->members[i] != w->nodes[node].id)
			w->members[kept++] = w->members[i];
	if (kept == w->member_count)
		return;
	w->member_count = kept;
	w->nodes[node].is_member = false;
	w_log_config(w);
}

/* Everything it holds or asks for is let go. */
static void w_fence(struct w *w, int node)
{
	struct clu_lock lock = { .kind = CLU_LOCK_TOKEN };

	for (unsigned i = 0; i < W_SLOTS + 2; i++) {
		lock.kind = i == 0 ? CLU_LOCK_TOKEN : i == 1 ? CLU_LOCK_RESYNC : CLU_LOCK_SLOT;
		lock.slot = i < 2 ? 0 : i - 2;
		w_dequeue(&w->locks[i], node);
		if (w->locks[i].holder == node)
			w_pass_on(w, lock);
	}
}

static void w_ask_lock(struct w *w, int node, const struct clu_ask *ask)
{
	struct w_lock *l = w_lock(w, ask->lock);

	if (l->holder < 0) {
		l->holder = node;
		w_grant(w, ask->lock, node, 0);
	} else if (ask->may_queue) {
		l->queue[l->queued++] = node;
	} else {
		w_grant(w, ask->lock, node, -EAGAIN);
	}
}

static void w_send(struct w *w, int node, const struct clu_ask *ask)
{
	struct w_delivery *d = &w->log[w->log_count++];

	if (w->log_count >= W_LOG)
		abort();
	memset(d, 0, sizeof *d);
	d->from = w->nodes[node].id;
	d->len_bytes = ask->len_bytes;
	memcpy(d->data, ask->data, ask->len_bytes);
}

#endif
