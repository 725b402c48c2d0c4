/* One step: everything that could happen now is listed, and one of it happens, by lot. So every order of messages,
 * answers of locks, parts on members and timers can come about that the engine's promises and the jobs allow.
 *
 * Time passes when nothing else is left to do, or now and then: to the next timer of somebody. */
#include "csim.h"

enum { SETTLE_STEPS = 200000, IDLE_TIMERS = 40 };

static void tick(struct cs_world *w, struct cs_node *n)
{
	trace(w, "%u: timer", n->number);
	if (n->array && arr_next_timer_ms(n->array) <= w->now_ms)
		node_array(w, n, &(struct arr_event){ .kind = ARR_EV_TIMER });
	if (n->life == CS_RUNS && clu_next_timer_ms(n->clu) <= w->now_ms)
		node_hear(w, n, &(struct clu_event){ .kind = CLU_EV_TIMER });
}

static void collect_hands(struct cs_world *w, struct cs_choices *ret)
{
	EACH_NODE(w, n) {
		if ((n->life == CS_PAUSED || n->life == CS_DYING) && !n->is_fenced && hands_have_ghosts(n))
			choice_add(ret, hands_ghost, n);
		if (n->life != CS_RUNS)
			continue;
		if (hands_can_work(w, n))
			choice_add(ret, hands_work, n);
		if (n->is_loading && !n->slow_disks)
			choice_add(ret, load_array, n);
		if (n->is_seeing && !n->slow_disks)
			choice_add(ret, load_see, n);
		if (n->is_forgetting)
			choice_add(ret, load_forget, n);
		if (errand_is_ready(w, n) && !n->slow_disks)
			choice_add(ret, errand_goes_on, n);
		if (node_next_timer(n) <= w->now_ms)
			choice_add(ret, tick, n);
	}
}

bool drive_step(struct cs_world *w)
{
	struct cs_choices c;
	const struct cs_choice *one;

	c.count = 0;
	engine_collect(w, &c);
	collect_hands(w, &c);
	if (!c.count)
		return false;
	one = &c.list[lot(w, c.count)];
	w->step++;
	one->act(w, one->node);
	law_stepped(w);
	return true;
}

bool drive_time(struct cs_world *w)
{
	uint64_t next = UINT64_MAX;

	EACH_NODE(w, n)
		if (n->life == CS_RUNS)
			next = min_u64(next, node_next_timer(n));
	if (next == UINT64_MAX)
		return false;
	w->now_ms = max_u64(w->now_ms, next);
	return true;
}

/* Until nothing is left to do but timers that find nothing to do. */
static void run_out(struct cs_world *w)
{
	uint64_t until = w->step + SETTLE_STEPS, since = w->step;
	uint32_t idle = 0;

	while (idle < IDLE_TIMERS) {
		while (drive_step(w))
			if (w->step > until)
				broken(w, "I9", "after %d steps there is still something to do", SETTLE_STEPS);
		idle = w->step - since > 2 * w->setup.nodes ? 0 : idle + 1;
		since = w->step;
		if (!drive_time(w))
			return;
	}
}

static bool is_anybody_there(struct cs_world *w)
{
	EACH_NODE(w, n)
		if (n->life == CS_RUNS && !n->is_leaving && !n->has_failed)
			return true;
	return false;
}

void drive_settle(struct cs_world *w)
{
	w->is_settling = true;
	w->stats->settles++;
	trace(w, "---- faults are over");
	if (w->is_parted)
		fault_heal(w);
	EACH_NODE(w, n) {
		disks_heal(w, n);
		if (n->life == CS_PAUSED)
			fault_resume(w, n);
	}
	EACH_DISK(w, d) {
		d->disk.bad_len = 0;
		d->disk.operations_to_fault = -1;
		d->disk.fails_next_flush = false;
	}
	run_out(w);
	if (!is_anybody_there(w)) {
		EACH_NODE(w, n)
			if (n->life == CS_OFF && (!is_anybody_there(w) || by_lot(w, 3)))
				node_start(w, n);
		run_out(w);
	}
	law_rest(w);
	w->is_settling = false;
}

void drive_stop_all(struct cs_world *w)
{
	w->is_settling = true;
	trace(w, "---- all leave");
	EACH_NODE(w, n) {
		if (n->life == CS_RUNS && !n->is_leaving)
			node_leave(w, n);
		for (uint32_t i = lot(w, 30); i && drive_step(w);)
			i--;
	}
	run_out(w);
	law_stopped(w);
	w->is_settling = false;
}
