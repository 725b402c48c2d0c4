/* Some brains, a cluster made of lists, and arrays that only say what they want.
 *
 * The engine: one order of messages and configurations for all, delivered to each node when the test says so; locks
 * with queues; who dies keeps its locks until it is fenced. The array: a handful of wishes and counters behind the
 * functions of array/array.h that the brain calls; so this is linked without the real one.
 *
 *     w_init(&w, 3, seed)   w_start(&w)   w_run(&w)   w_kill(&w, 1)   w_fence(&w, 1)   ...
 *
 * With a seed, what happens next is drawn: tests of every order run many of them. */
#ifndef TESTS_UNIT_CLUSTER_HARNESS_H
#define TESTS_UNIT_CLUSTER_HARNESS_H

#include "fake_engine.h"
#include "tap.h"

static void w_step(struct w *w, int node, struct clu_event ev);

static struct clu_status w_status(const struct w *w, int node)
{
	struct clu_status s;

	clu_get_status(w->nodes[node].c, &s);
	return s;
}


/* Copies: nobody else may be writing there. */
static void w_open(struct w *w, int node, const struct arr_event *ev)
{
	struct arr *a = &w->nodes[node].a;

	if (!a->is_open_asked || ev->len_bytes != (a->windows ? 4096 : 0))
		return;
	a->is_open_asked = false;
	a->opened++;
	for (uint32_t i = 0; i < w->node_count && ev->len_bytes; i++) {
		struct w_node *n = &w->nodes[i];

		if ((int)i == node || !n->is_alive || !n->was_up || !n->a.is_there)
			continue;
		if (n->a.suspended[w->nodes[node].slot].len != ev->len_bytes ||
		    n->a.is_draining[w->nodes[node].slot])
			w->broken_windows++;
		if (n->a.is_open)
			w->broken_windows++;
	}
	a->is_open = ev->len_bytes != 0;
	if (a->is_open) {
		a->copied++;
		a->is_open_asked = true;
		a->windows--;
		a->recoveries = a->windows ? a->recoveries : 0;
	}
}

static void w_take(struct w *w, int node, const struct arr_event *ev)
{
	struct w_node *n = &w->nodes[node];

	n->a.take = ARR_CHANGE_RUNS;
	n->a.take_node = ev->node;
	n->a.take_value = ev->value;
}

/* The array's reading ends: bits are merged on disk, then cleared. */
static void w_take_ends(struct w *w, int node)
{
	struct w_node *n = &w->nodes[node];
	struct arr *a = &n->a;

	a->take = 0;
	a->bits[a->take_node]++;
	a->take_bits = (uint64_t)__builtin_popcountll(w->slot_bits[a->take_node]);
	a->has_bits |= w->slot_bits[a->take_node];
	w->slot_bits[n->slot] |= w->slot_bits[a->take_node];
	if (!a->take_value)
		return;
	if (w->locks[2 + a->take_node].holder != node)
		w->double_slots++;
	w->slot_bits[a->take_node] = 0;
	a->suspended[a->take_node].len = 0;
}

static uint64_t w_all_bits(const struct w *w)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < W_SLOTS; i++)
		bits |= w->slot_bits[i];
	return bits;
}

/* Nodes that may write and have not read superblocks since the claim: those that are not fenced as well. (Of one that
 * was out before we joined we know nothing; nothing is written here until its slot was looked at.) */
static unsigned w_count_unread(const struct w *w, int node)
{
	struct clu_status s = w_status(w, node);
	unsigned count = 0;

	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct w_node *n = &w->nodes[i];

		count += (int)i != node && n->was_up && !n->a.is_stopped && w->locks[2 + n->slot].holder == (int)i &&
			s.peers[n->slot].node_id == n->id && n->a.reloads <= w->nodes[node].a.reloads_before[i];
	}
	return count;
}

static void w_claim(struct w *w, int node)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		w->nodes[node].a.reloads_before[i] = w->nodes[i].a.reloads;
	w->nodes[node].a.is_claimed = true;
}

static void w_array(struct w *w, int node, const struct arr_event *ev)
{
	struct arr *a = &w->nodes[node].a;

	switch (ev->kind) {
	case ARR_EV_TOKEN:
		a->has_token = ev->value;
		a->is_reloading |= ev->value;
		a->looks += ev->value;
		break;
	case ARR_EV_ANNOUNCED:
		w->unread_claims += w_count_unread(w, node);
		a->announced++;
		a->is_claimed = false;
		a->claims -= a->claims != 0;
		break;
	case ARR_EV_RELOAD:
		a->is_reloading = true;
		a->reloads++;
		a->torn_reloads += ev->value;
		a->told_events = ev->events;
		a->told_number = ev->number;
		break;
	case ARR_EV_SYNC_LOCK:
		a->has_sync = ev->value;
		a->is_gathered = false;
		a->is_open_asked = ev->value && !a->recoveries && a->windows;
		a->must_gather = w_all_bits(w);
		break;
	case ARR_EV_GATHERED:
		a->gathers++;
		w->missed_bits |= a->must_gather & ~w->slot_bits[w->nodes[node].slot];
		a->is_gathered = true;
		a->is_open_asked = true;
		break;
	case ARR_EV_WINDOW:
		w_open(w, node, ev);
		break;
	case ARR_EV_SUSPEND:
		a->suspended[ev->node] = (struct arr_range){ ev->at.bytes, ev->len_bytes };
		a->is_draining[ev->node] = a->keeps_writing && ev->len_bytes && !a->is_held;
		break;
	case ARR_EV_TAKE_SLOT:
		w_take(w, node, ev);
		break;
	case ARR_EV_HOLD:
		a->is_held = ev->value;
		break;
	case ARR_EV_LOST:
		a->is_lost = a->is_stopped = true;
		break;
	default:
		abort();
	}
}

static void w_loaded(struct w *w, int node)
{
	struct w_node *n = &w->nodes[node];

	n->wants_loaded = false;
	n->a.is_there = n->load_rc == 0;
	n->a.has_bits = w->slot_bits[n->slot];
	w_step(w, node, (struct clu_event){ .kind = CLU_EV_LOADED, .rc = n->load_rc });
}

/* What was asked, but for the array, which comes last. */
static void w_carry_out(struct w *w, int node, const struct clu_ask *ask)
{
	struct w_node *n = &w->nodes[node];

	n->asks += ask->kind <= CLU_ASK_GOODBYE;
	switch (ask->kind) {
	case CLU_ASK_GROUP:
		w->members[w->member_count++] = n->id;
		n->is_member = true;
		w_log_config(w);
		n->next = w->log_count - 1;
		break;
	case CLU_ASK_LOCK:
		w_ask_lock(w, node, ask);
		break;
	case CLU_ASK_CANCEL:
		if (w_lock(w, ask->lock)->holder != node) {
			w_dequeue(w_lock(w, ask->lock), node);
			w_grant(w, ask->lock, node, -ECANCELED);
		}
		break;
	case CLU_ASK_UNLOCK:
		if (w_lock(w, ask->lock)->holder != node)
			abort();
		w_pass_on(w, ask->lock);
		break;
	case CLU_ASK_SEND:
		w_send(w, node, ask);
		break;
	case CLU_ASK_GOODBYE:
		n->has_said_goodbye = true;
		w_unmember(w, node);
		w_fence(w, node);
		break;
	case CLU_ASK_LOAD:
		n->slot = ask->slot;
		n->wants_loaded = true;
		break;
	case CLU_ASK_SEE:
	case CLU_ASK_FORGET:
		n->seen += ask->kind == CLU_ASK_SEE;
		n->forgot += ask->kind == CLU_ASK_FORGET;
		n->wants_seen = true;
		n->forgets = ask->kind == CLU_ASK_FORGET;
		break;
	case CLU_ASK_PINS:
		memcpy(n->a.pins, ask->pins, ask->pin_count * sizeof ask->pins[0]);
		n->a.pin_count = ask->pin_count;
		n->a.has_offer = n->a.has_spare && (!ask->spare_count || ask->spares[0] != 2);
		n->a.has_spare &= !n->a.has_offer;
		break;
	case CLU_ASK_TOKEN_TAKEN:
		n->taken++;
		n->taken_rc = ask->rc;
		n->err = ask->err;
		break;
	case CLU_ASK_TOLD:
		n->told++;
		n->told_rc = ask->rc;
		n->err = ask->err;
		break;
	case CLU_ASK_UP:
		n->was_up = true;
		break;
	case CLU_ASK_REFUSED:
		n->is_refused = true;
		n->err = ask->err;
		break;
	case CLU_ASK_FAILED:
		n->is_failed = true;
		n->err = ask->err;
		break;
	case CLU_ASK_ARRAY:
		w_array(w, node, &ask->array);
		break;
	}
}

static void w_step(struct w *w, int node, struct clu_event ev)
{
	struct w_node *n = &w->nodes[node];
	static struct clu_out outs[4];
	static int depth;
	struct clu_out *out = &outs[depth++];
	bool has_array = false;

	clu_step(n->c, n->a.is_there ? &n->a : NULL, &ev, w->now_ms, out);
	for (uint32_t i = 0; i < out->count; i++) {
		if (has_array)
			abort();
		has_array = out->asks[i].kind == CLU_ASK_ARRAY;
		w_carry_out(w, node, &out->asks[i]);
	}
	depth--;
	if (has_array)
		w_step(w, node, (struct clu_event){ .kind = CLU_EV_ARRAY });
}

/* ---- what can happen to a node next; false: nothing ---- */

static bool w_hear(struct w *w, int node)
{
	struct w_node *n = &w->nodes[node];
	struct w_delivery *d;

	if (!n->is_member || n->is_deaf || n->next >= w->log_count)
		return false;
	d = &w->log[n->next++];
	if (d->is_config)
		w_step(w, node, (struct clu_event){ .kind = CLU_EV_CONFIG, .nodes = d->nodes,
			.node_count = d->node_count });
	else
		w_step(w, node, (struct clu_event){
			.kind = CLU_EV_MESSAGE, .from = d->from, .data = d->data, .len_bytes = d->len_bytes });
	return true;
}

static bool w_locked(struct w *w, int node)
{
	struct w_node *n = &w->nodes[node];
	struct clu_event ev;

	if (!n->lock_count || n->is_deaf)
		return false;
	ev = n->locks[0];
	memmove(n->locks, n->locks + 1, --n->lock_count * sizeof n->locks[0]);
	w_step(w, node, ev);
	return true;
}

static bool w_array_works(struct w *w, int node)
{
	struct w_node *n = &w->nodes[node];
	struct arr *a = &n->a;
	bool has_done = true, is_draining = false;

	for (unsigned i = 0; i < W_SLOTS; i++)
		is_draining |= a->is_draining[i];
	if (!a->is_there || a->is_stopped || a->is_held)
		return false;
	if (a->is_reloading && !a->keeps_reloading)
		a->is_reloading = false;
	else if (is_draining && !a->keeps_writing && !a->claims)	/* they wait for a failure to be recorded */
		memset(a->is_draining, 0, sizeof a->is_draining);
	else if (a->take == ARR_CHANGE_RUNS && !a->keeps_taking)
		w_take_ends(w, node);
	else if (a->has_token && !a->is_reloading && a->claims && !a->is_claimed)
		w_claim(w, node);
	else
		has_done = false;
	if (has_done)
		w_step(w, node, (struct clu_event){ .kind = CLU_EV_ARRAY });
	return has_done;
}

static bool w_hands_work(struct w *w, int node)
{
	struct w_node *n = &w->nodes[node];

	if (n->wants_loaded && !n->keeps_loading) {
		w_loaded(w, node);
		return true;
	}
	if (n->wants_seen && !n->keeps_seeing) {
		n->wants_seen = false;
		n->a.has_offer &= !n->forgets;
		w_step(w, node, (struct clu_event){ .kind = CLU_EV_SEEN, .rc = n->see_rc });
		return true;
	}
	return false;
}

static bool w_node_goes_on(struct w *w, int node, unsigned first)
{
	static bool (*const ways[])(struct w *, int) = { w_hear, w_locked, w_array_works, w_hands_work };

	if (!w->nodes[node].is_alive)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (ways[(first + i) % 4](w, node))
			return true;
	return false;
}

static bool w_time(struct w *w)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i].is_alive && !w->nodes[i].is_deaf && clu_next_timer_ms(w->nodes[i].c) < next)
			next = clu_next_timer_ms(w->nodes[i].c);
	if (next == UINT64_MAX)
		return false;
	w->now_ms = next > w->now_ms ? next : w->now_ms;
	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i].is_alive && !w->nodes[i].is_deaf && clu_next_timer_ms(w->nodes[i].c) <= w->now_ms)
			w_step(w, i, (struct clu_event){ .kind = CLU_EV_TIMER });
	return true;
}

/* One thing, of whoever is drawn. False: nothing can happen any more. */
__attribute__((unused)) static bool w_once(struct w *w)
{
	unsigned first = w->seed ? w_draw(w, w->node_count) : 0;

	for (uint32_t i = 0; i < w->node_count; i++)
		if (w_node_goes_on(w, (first + i) % w->node_count, w->seed ? w_draw(w, 4) : 0))
			return true;
	return false;
}

/* Until nothing happens any more but that somebody tries again; time passes when nothing else can. */
__attribute__((unused)) static bool w_run(struct w *w)
{
	unsigned steps = 0;

	for (unsigned waits = 0; steps < 200000 && waits < 400; steps++)
		if (!w_once(w)) {
			waits++;
			if (!w_time(w))
				return true;
		}
	return steps < 200000;
}

/* ---- what a test does ---- */

static int w_add(struct w *w)
{
	struct w_node *n = &w->nodes[w->node_count++];
	struct clu_config config = { .node_id = ++w->next_id, .nodes = w->slots };

	if (w->node_count > W_NODES)
		abort();
	memset(n, 0, sizeof *n);
	snprintf(config.name, sizeof config.name, "n%u", w->node_count);
	n->id = config.node_id;
	n->c = clu_new(&config);
	n->is_alive = true;
	n->slot = UINT32_MAX;
	n->a.pin_count = 1;
	return w->node_count - 1;
}

__attribute__((unused)) static int w_start(struct w *w)
{
	int node = w_add(w);

	w_step(w, node, (struct clu_event){ .kind = CLU_EV_JOIN });
	return node;
}

/* It stops where it is; the others hear of it, its locks stay until it is fenced. */
__attribute__((unused)) static void w_kill(struct w *w, int node)
{
	w->nodes[node].is_alive = false;
	w->nodes[node].lock_count = 0;
	w_unmember(w, node);
}

__attribute__((unused)) static void w_leave(struct w *w, int node)
{
	w->nodes[node].a.is_stopped = true;
	w_step(w, node, (struct clu_event){ .kind = CLU_EV_LEAVE });
	w->nodes[node].is_alive = false;
}

__attribute__((unused)) static void w_event(struct w *w, int node, enum clu_event_kind kind)
{
	w_step(w, node, (struct clu_event){ .kind = kind });
}

/* How many messages of this type a node has sent. */
__attribute__((unused)) static unsigned w_said(const struct w *w, int node, enum clu_message_type type)
{
	struct clu_message m;
	unsigned count = 0;

	for (unsigned i = 0; i < w->log_count; i++)
		count += !w->log[i].is_config && w->log[i].from == w->nodes[node].id &&
			!clu_message_decode(w->log[i].data, w->log[i].len_bytes, &m, NULL) && m.type == type;
	return count;
}

static void w_init(struct w *w, uint32_t slots, uint64_t seed)
{
	memset(w, 0, sizeof *w);
	w->slots = slots;
	w->seed = seed;
	for (unsigned i = 0; i < W_SLOTS + 2; i++)
		w->locks[i].holder = -1;
}

__attribute__((unused)) static void w_end(struct w *w)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		w->nodes[i].c = clu_free(w->nodes[i].c);
}

/* So many nodes, up and at rest. */
__attribute__((unused)) static bool w_up(struct w *w, uint32_t slots, unsigned count)
{
	bool are_up = true;

	w_init(w, slots, 0);
	while (count--)
		w_start(w);
	are_up &= w_run(w);
	for (uint32_t i = 0; i < w->node_count; i++)
		are_up &= w->nodes[i].was_up;
	return are_up;
}

/* A world is large: one, for all. */
static struct w the_world;

#endif
