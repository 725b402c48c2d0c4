/* What each event means: world_do() is the only way anything happens in a world.
 *
 *   recorded -- lots seeded -- the event's own function -- what follows: a stop that is complete, a fork that ends
 *                                   |
 *                                   +-- false: it makes no sense now; struck from the record
 *
 * Requests without "&" wait for their answer, like STOP and IDLE: the hands then work the oldest thing first, and
 * time passes when they have nothing to do. What hangs answers at the latest when everything else waits for it; so a
 * history ends whatever stands in it, and a script from which events were deleted is a history, too.
 *
 * All chance inside an event comes from its own lot. With lot 0 (as in most scenario files) nothing is left to chance:
 * a stop keeps all that is cached. */
#include "exhaust.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE_STEPS = 200000, PATIENCE_TICKS = 10, LARGER_BYTES = 1 << 20 };

/* ---- waiting ---- */

static bool is_anything_hung(const struct sim_world *w)
{
	EACH_MEMBER(w, m)
		if (m->disk.is_hung)
			return true;
	return w->members[SIM_FILE].disk.is_hung;
}

static void answer_all(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		m->disk.is_hung = false;
	w->members[SIM_FILE].disk.is_hung = false;
}

static bool pass_to_timer(struct sim_world *w)
{
	uint64_t due = arr_next_timer_ms(w->array);

	if (due == UINT64_MAX)
		return false;
	w->now_ms = max_u64(w->now_ms, due);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
	return true;
}

void world_wait(struct sim_world *w, bool (*is_over)(const struct sim_world *w, const void *of), const void *of)
{
	uint64_t steps = 0, ticks = 0;

	while (!is_over(w, of)) {
		if (++steps > PATIENCE_STEPS)
			broken(w, LAW_I9, "what waits waits for ever");
		if (world_work_in_order(w)) {
			ticks = 0;
			continue;
		}
		if (++ticks > PATIENCE_TICKS && is_anything_hung(w))
			answer_all(w);
		else if (!pass_to_timer(w) && !is_anything_hung(w))
			broken(w, LAW_I9, "something waits, and nothing is left to do");
		else if (!is_anything_hung(w) && ticks > PATIENCE_STEPS / 100)
			broken(w, LAW_I9, "something waits, and only time passes");
	}
}

static void end_faults(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		disk_lift_faults(&m->disk);
	if (w->setup->is_file)
		disk_lift_faults(&w->members[SIM_FILE].disk);
	w->jobs_at_once = 0;
	w->memory_due = UINT64_MAX;
	memory_fail_after(UINT64_MAX);
}

void world_settle(struct sim_world *w)
{
	uint32_t idle_ticks = 0;
	uint64_t steps = 0;

	end_faults(w);
	world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
	while (idle_ticks < PATIENCE_TICKS) {
		if (++steps > PATIENCE_STEPS)
			broken(w, LAW_I9, "the array does not come to rest");
		if (world_work_in_order(w)) {
			idle_ticks = 0;
			continue;
		}
		if (!pass_to_timer(w))
			break;
		idle_ticks++;
	}
	if (world_requests(w))
		broken(w, LAW_I9, "%u requests wait for ever", world_requests(w));
	at_stake(w, LAW_I9);
}

/* ---- requests ---- */

static bool is_answered(const struct sim_world *w, const void *of)
{
	return !((const struct sim_request *)of)->is_used;
}

static bool submit(struct sim_world *w, struct sim_request *r, const struct sim_event *e)
{
	world_submit(w, r);
	if (!(e->flags & EVF_ASYNC))
		world_wait(w, is_answered, r);
	return true;
}

bool event_is_in_array(const struct sim_world *w, const struct sim_event *e)
{
	return e->count && e->count <= MODEL_SPAN_MAX && e->first < w->model.count &&
	       e->count <= w->model.count - e->first;
}

static struct sim_request *new_request(struct sim_world *w, const struct sim_event *e, enum arr_op op)
{
	struct sim_request *r = w->array ? world_free_request(w) : NULL;

	if (!r || (op != ARR_FLUSH && !event_is_in_array(w, e)))
		return NULL;
	r->req.op = op;
	r->req.is_fua = e->flags & EVF_FUA;
	r->req.may_punch = e->flags & EVF_PUNCH;
	r->first = op == ARR_FLUSH ? 0 : e->first;
	r->sectors = op == ARR_FLUSH ? 0 : e->count;
	return r;
}

static bool do_write(struct sim_world *w, const struct sim_event *e)
{
	bool is_zero = e->kind == EV_ZERO;
	struct sim_request *r = new_request(w, e, is_zero ? ARR_ZERO : ARR_WRITE);
	uint64_t word;

	if (!r || !model_has_room(&w->model, e->first, e->count))
		return false;
	word = is_zero ? 0 : w->writes + 1;
	w->writes++;
	r->serial = model_write(&w->model, e->first, e->count, word);
	model_fill(r->data, e->count, word);
	return submit(w, r, e);
}

static bool do_read(struct sim_world *w, const struct sim_event *e)
{
	struct sim_request *r = new_request(w, e, ARR_READ);

	if (!r)
		return false;
	model_look(&w->model, e->first, e->count, &r->view);
	return submit(w, r, e);
}

static bool do_flush(struct sim_world *w, const struct sim_event *e)
{
	struct sim_request *r = new_request(w, e, ARR_FLUSH);

	if (!r)
		return false;
	r->acks = model_flush(&w->model);
	return submit(w, r, e);
}

/* ---- time and the hands ---- */

static bool do_idle(struct sim_world *w, const struct sim_event *e)
{
	if (!w->array || w->is_stopping)
		return false;
	world_settle(w);
	check_idle(w);
	return true;
}

static bool do_work(struct sim_world *w, const struct sim_event *e)
{
	return w->array && (e->flags & EVF_LATE ? world_work_late(w) : world_work(w));
}

static bool do_time(struct sim_world *w, const struct sim_event *e)
{
	if (!w->array)
		return false;
	w->now_ms += e->count;
	if (arr_next_timer_ms(w->array) > w->now_ms)
		w->stats->faults[FAULT_EARLY_TIMER]++;
	world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
	return true;
}

static bool do_due(struct sim_world *w, const struct sim_event *e)
{
	return w->array && pass_to_timer(w);
}

static bool do_cut(struct sim_world *w, const struct sim_event *e)
{
	if (e->words[0])
		cut_as_chosen(w, e->words);
	world_end(w, true, e->flags & EVF_KEEP ? FATE_KEEP_ALL : e->flags & EVF_LOSE ? FATE_LOSE_ALL : FATE_BY_LOT);
	return true;
}

/* ---- the rest ---- */

static bool do_new(struct sim_world *w, const struct sim_event *e)
{
	if (e->member != w->member_count || e->member >= SIM_DISKS)
		return false;
	world_new_member(w, w->members[0].disk.size_bytes + (e->flags & EVF_LARGE ? LARGER_BYTES : 0));
	return true;
}

static bool do_apart(struct sim_world *w, const struct sim_event *e)
{
	struct sim_member *m = e->member < w->member_count ? &w->members[e->member] : NULL;

	if (!m || w->array || m->is_apart || !m->place.is_used || w->setup->is_external)
		return false;
	m->is_apart = true;
	return true;
}

/* Whoever runs scenarios answers these. */
static bool do_nothing(struct sim_world *w, const struct sim_event *e)
{
	return true;
}

static bool (*const doers[EV_KINDS])(struct sim_world *, const struct sim_event *) = {
	[EV_START] = admin_start,
	[EV_REFUSED] = admin_start,
	[EV_WRITE] = do_write,
	[EV_ZERO] = do_write,
	[EV_READ] = do_read,
	[EV_FLUSH] = do_flush,
	[EV_FAIL] = admin_fail,
	[EV_REMOVE] = admin_remove,
	[EV_GROW] = admin_grow,
	[EV_READD] = admin_return,
	[EV_ADD] = admin_return,
	[EV_NEW] = do_new,
	[EV_IDLE] = do_idle,
	[EV_STOP] = admin_stop,
	[EV_CUT] = do_cut,
	[EV_EXPECT] = do_nothing,
	[EV_COMPARE] = do_nothing,
	[EV_WORK] = do_work,
	[EV_TIME] = do_time,
	[EV_DUE] = do_due,
	[EV_EIO] = strike_eio,
	[EV_BAD] = strike_bad,
	[EV_HANG] = strike_hang,
	[EV_ANSWER] = strike_hang,
	[EV_VANISH] = strike_vanish,
	[EV_RETURN] = strike_return,
	[EV_LOSE_FLUSH] = strike_lose_flush,
	[EV_CORRUPT] = strike_corrupt,
	[EV_NO_MEMORY] = strike_no_memory,
	[EV_QUEUE] = strike_queue,
	[EV_MODE] = admin_mode,
	[EV_OWNER] = owner_event,
	[EV_CAN_CLEAR] = owner_event,
	[EV_MODEL] = do_apart,
};

/* ---- what follows ---- */

static void note_memory(struct sim_world *w)
{
	if (w->memory_due == UINT64_MAX || !memory_has_failed())
		return;
	w->stats->faults[FAULT_NO_MEMORY]++;
	w->memory_due = UINT64_MAX;
}

static void follow(struct sim_world *w, const struct sim_event *e)
{
	story_note(w);
	if (w->array && w->is_stopping && arr_is_stopped(w->array) && !w->job_count) {
		at_stake(w, LAW_I9);
		w->stats->stops++;
		world_end(w, false, e->lot ? FATE_BY_LOT : FATE_KEEP_ALL);
	}
	hash_in(w, e->kind, e->lot, w->step);
	trace_end(w);
}

bool world_do(struct sim_world *w, const struct sim_event *e)
{
	bool has_happened;

	acting = w;
	if (!w->is_replay)
		script_add(&w->script, e);
	if (w->is_tracing && e->kind != EV_WORK) {
		char text[160];

		trace(w, "* %s", event_text(e, text, sizeof text));
	}
	w->lots = prng_seed(e->lot);
	has_happened = e->kind < EV_KINDS && doers[e->kind](w, e);
	note_memory(w);		/* also of what was tried: a branch must not move an allocation that is past */
	if (has_happened)
		follow(w, e);
	else if (!w->is_replay)
		w->script.count--;
	return has_happened;
}

struct sim_script world_script(const struct sim_world *w)
{
	struct sim_script s = { 0 };

	if (w->trunk)
		s = world_script(w->trunk);
	for (uint32_t i = 0; i < w->script.count; i++)
		script_add(&s, &w->script.events[i]);
	return s;
}
