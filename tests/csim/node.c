/* A node: its life, and the two brains that speak to each other in it.
 *
 *   clu_step() --- CLU_ASK_ARRAY ---> arr_step() --- it took a step: CLU_EV_ARRAY ---> clu_step() ...
 *       |                                |
 *       +--> engine.c                    +--> hands.c
 *
 * A node that dies leaves what it had begun: until it is fenced that may come to members. Its memory is let go then.
 * The user leads it: it starts, it leaves; an array that is lost, refused or broken ends its process. */
#include "csim.h"

#include <stdio.h>

static const char *const heard_names[] = {
	"join", "leave", "take-token", "give-token", "tell", "lock", "config", "message", "quorum", "lost", "loaded",
	"seen", "array", "timer",
};

struct cs_node *node_by_id(struct cs_world *w, uint64_t id)
{
	EACH_NODE(w, n)
		if (n->life != CS_OFF && n->id == id)
			return n;
	return NULL;
}

/* ---- the array ---- */

static int step_array(struct cs_world *w, struct cs_node *n, struct arr_event *ev)
{
	struct arr_out out;

	arr_out_init(&out);
	arr_step(n->array, ev, w->now_ms, &out);
	hands_take(w, n, &out);
	law_array(w, n);
	return ev->rc;
}

/* What the brain asks of the array; then what the user wants of both. */
static void array_is_asked(struct cs_world *w, struct cs_node *n, const struct arr_event *asked)
{
	static const char *const names[] = { "token", "announced", "reload", "sync-lock", "gathered", "window",
		"suspend", "take-slot", "hold", "lost" };
	struct arr_event ev = *asked;

	if (ev.kind >= ARR_EV_TOKEN)
		trace(w, "  %u: array: %s value %llu node %u [%llu+%llu]", n->number, names[ev.kind - ARR_EV_TOKEN],
		      (ull)ev.value, ev.node, (ull)ev.at.bytes, (ull)ev.len_bytes);
	if (ev.kind == ARR_EV_ANNOUNCED)
		law_announced(w, n);
	if (ev.kind == ARR_EV_SYNC_LOCK)
		n->ranges_opened = 0;
	if (ev.kind == ARR_EV_WINDOW && ev.len_bytes)
		w->stats->events[CS_MOVED] += n->ranges_opened++ != 0;
	if (!n->array)
		broken(w, "I9", "node %u asks for an array that is not there", n->number);
	step_array(w, n, &ev);
	if (ev.rc)
		trace(w, "  %u: refused with %d", n->number, ev.rc);
}

/* ---- the brain ---- */

/* True: the array is to be stepped, which is the last ask. */
static bool carry_out(struct cs_world *w, struct cs_node *n, const struct clu_ask *ask)
{
	switch (ask->kind) {
	case CLU_ASK_GROUP:
	case CLU_ASK_LOCK:
	case CLU_ASK_CANCEL:
	case CLU_ASK_UNLOCK:
	case CLU_ASK_SEND:
		engine_ask(w, n, ask);
		return false;
	case CLU_ASK_GOODBYE:
		n->has_left = true;
		return false;
	case CLU_ASK_LOAD:
		n->is_loading = true;
		n->load_slot = ask->slot;
		return false;
	case CLU_ASK_SEE:
	case CLU_ASK_FORGET:
		n->is_seeing = ask->kind == CLU_ASK_SEE;
		n->is_forgetting = !n->is_seeing;
		n->peers = *ask->message;
		return false;
	case CLU_ASK_PINS:
		arr_set_pins(n->array, ask->pins, ask->pin_count);
		arr_set_spares(n->array, ask->spares, ask->spare_count);
		return false;
	case CLU_ASK_TOKEN_TAKEN:
	case CLU_ASK_TOLD:
		n->errand.was_told = true;
		n->errand.rc = ask->rc;
		trace(w, "  %u: errand: rc %d %s", n->number, ask->rc, ask->err.text);
		return false;
	case CLU_ASK_UP:
		trace(w, "  %u: is up", n->number);
		n->is_up = true;
		w->stats->events[CS_JOINED]++;
		return false;
	case CLU_ASK_REFUSED:
	case CLU_ASK_FAILED:
		trace(w, "  %u: %s: %s", n->number, ask->kind == CLU_ASK_FAILED ? "failed" : "refused", ask->err.text);
		n->has_failed = true;
		w->stats->events[ask->kind == CLU_ASK_FAILED ? CS_LOST : CS_REFUSED]++;
		return false;
	case CLU_ASK_ARRAY:
		array_is_asked(w, n, &ask->array);
		return true;
	}
	return false;
}

void node_hear(struct cs_world *w, struct cs_node *n, struct clu_event *ev)
{
	static struct clu_out out;
	struct clu_event next = *ev;
	bool is_asked = true;

	trace(w, "%u hears %s", n->number, heard_names[ev->kind]);
	for (uint32_t turn = 0; is_asked && n->life == CS_RUNS; turn++) {
		is_asked = false;
		if (turn == 1000)
			broken(w, "I9", "brain and array of node %u turn in a circle", n->number);
		clu_step(n->clu, n->array, &next, w->now_ms, &out);
		for (uint32_t i = 0; i < out.count; i++)
			is_asked |= carry_out(w, n, &out.asks[i]);
		next = (struct clu_event){ .kind = CLU_EV_ARRAY };
	}
	node_end_if_due(w, n);
}

int node_array(struct cs_world *w, struct cs_node *n, struct arr_event *ev)
{
	int rc = step_array(w, n, ev);

	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_ARRAY });
	return rc;
}

/* ---- beginning and end ---- */

void node_start(struct cs_world *w, struct cs_node *n)
{
	struct clu_config config = { .node_id = ++w->ids, .nodes = w->setup.slots_of_nodes };
	uint32_t number = n->number;

	memset(n, 0, offsetof(struct cs_node, jobs));
	n->job_count = 0;
	memset(&n->is_up, 0, offsetof(struct cs_node, peers) - offsetof(struct cs_node, is_up));
	memset(&n->errand, 0, sizeof n->errand);
	memset(n->states, 0, sizeof n->states);
	n->fails_next = n->closed_disks = n->ranges_opened = 0;
	n->number = number;
	n->id = config.node_id;
	n->life = CS_RUNS;
	n->joined_at = w->step;
	n->is_cut = w->is_parted && by_lot(w, 2);
	snprintf(config.name, sizeof config.name, "node%u", number);
	n->clu = clu_new(&config);
	if (!n->clu)
		abort();
	trace(w, "%u starts as %llu", number, (ull)n->id);
	node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_JOIN });
}

void node_over(struct cs_world *w, struct cs_node *n)
{
	trace(w, "%u is over", n->number);
	client_lost(w, n);
	hands_drop(w, n);
	engine_gone(w, n);
	n->life = CS_OFF;
	n->is_up = false;
	n->is_evicted = n->is_fenced = false;
	EACH_DISK(w, d)
		d->left_by &= ~(1u << n->number);
	n->array = arr_free(n->array);
	n->lineage = asm_lineage_free(n->lineage);
	n->clu = clu_free(n->clu);
}

void node_leave(struct cs_world *w, struct cs_node *n)
{
	trace(w, "%u is to leave", n->number);
	n->is_leaving = true;
	if (n->array)
		node_array(w, n, &(struct arr_event){ .kind = ARR_EV_STOP });
	else
		node_end_if_due(w, n);
}

/* A lost or broken array ends when nothing of it is out; so does one that has stopped. */
void node_end_if_due(struct cs_world *w, struct cs_node *n)
{
	bool is_stopped = !n->array || arr_is_stopped(n->array);

	if (n->life != CS_RUNS)
		return;
	if (n->has_failed && n->array && !n->is_leaving) {
		node_leave(w, n);
		return;
	}
	is_stopped &= !n->job_count;
	if (n->is_leaving && is_stopped && !n->wants_end && !n->has_left) {
		n->wants_end = true;
		node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_LEAVE });
		return;
	}
	if ((n->has_left || n->has_failed) && is_stopped)
		node_over(w, n);
}

/* ---- without a word ---- */

/* Of every job and member the first open part may be on its way. */
static void begin_parts(struct cs_world *w, struct cs_node *n)
{
	for (uint32_t k = 0; k < n->job_count; k++) {
		struct cs_job *j = &n->jobs[k];
		uint64_t touched = 0;

		for (uint32_t i = 0; i < j->job->part_count; i++) {
			uint64_t member = 1ull << j->job->parts[i].member;

			j->is_begun[i] = !j->is_done[i] && !(touched & member) && !by_lot(w, 3) && engine_may_write(n);
			touched |= j->is_done[i] ? 0 : member;
		}
	}
}

static bool has_moved_range(const struct cs_node *n)
{
	struct arr_status s;

	if (!n->array)
		return false;
	arr_get_status(n->array, &s);
	return s.open.len && n->ranges_opened > 1;
}

void node_dies(struct cs_world *w, struct cs_node *n)
{
	trace(w, "%u dies", n->number);
	w->stats->events[CS_DIED_MOVED] += has_moved_range(n);
	if (n->life == CS_RUNS)
		begin_parts(w, n);
	n->life = CS_DYING;
	n->is_up = false;
	n->is_loading = n->is_joining = false;
	n->note_count = n->lock_ask_count = n->outbox_count = 0;
	if (n->is_fenced && n->is_evicted)
		node_over(w, n);
}

void node_pauses(struct cs_world *w, struct cs_node *n)
{
	trace(w, "%u stops for a while", n->number);
	begin_parts(w, n);
	n->life = CS_PAUSED;
}

uint64_t node_next_timer(const struct cs_node *n)
{
	uint64_t brain = clu_next_timer_ms(n->clu);

	return n->array ? min_u64(brain, arr_next_timer_ms(n->array)) : brain;
}
