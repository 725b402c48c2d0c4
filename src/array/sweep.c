/* The sweep: bits leave the disk, lazily and in an order that a crash cannot hurt (law I4).
 *
 *   age     every daemon_sleep: idle counters 2 -> 1; some were at 1 already: clearing may be prepared
 *   FLUSH   every working member, so that the data under those bits is durable everywhere
 *   EVENTS  events_cleared := events of the last durable claim, on disk, before any bit goes; also when a
 *           recovery made the bits clearable (the kernel forgets that and corrupts data on a re-add)
 *   CLEAR   counters still at 1 become 0; their pages are written
 *
 * Where there is nothing to age the map may still be owed to the disks: what a start has read came from one member, and
 * another may show bits that were cleared elsewhere before a cut. Then it is written, as late as a sweep would be (I8).
 *
 * Who was missing at the start may hold the number of the first claim, too, from a round of its own that a cut ended:
 * bits go under a later number only, so that it is not let back by them (I4).
 *
 * Without a superblock no events are put. Where an owner keeps all metadata it knows itself which bits it may believe;
 * where superblocks count events the bitmap's owner is told before bits go under a new one (order.c).
 *
 * A counter that a new write touched in between is no longer 1 and stays. Nothing is cleared while the
 * array is degraded, broken, or has something unrecorded. At a stop the sweep runs at once, twice. */
#include "array/state.h"

static bool may_clear(const struct arr *a)
{
	return a->can_clear && !arr_degraded(a) && !a->is_broken && arr_is_recorded(a) && !arr_is_turning_still(a) &&
	       a->node.take_phase < TAKE_COMMIT;	/* our bits stay until those they stand for are gone (C2) */
}

static bool has_work(const struct arr *a)
{
	return a->bitmap && !a->is_broken && !arr_is_still(a) && bm_wants_sweep(a->bitmap);
}

static bool owes_map(const struct arr *a)
{
	return a->bitmap && !a->is_broken && !arr_is_still(a) && !a->is_stopping && bm_wants_commit(a->bitmap) &&
	       !bm_commit_is_running(a->bitmap);
}

bool arr_sweep_is_finished(const struct arr *a)
{
	if (arr_is_still(a) || !a->bitmap)
		return true;
	if (a->sweep_phase != SWEEP_IDLE)
		return false;
	if (arr_is_turning_still(a) || !a->can_clear || (a->is_external && !may_clear(a)))
		return true;
	return !has_work(a) || arr_degraded(a);
}

/* Due: the time has come, or the array stops and nobody writes any more. */
static bool is_due(struct arr *a)
{
	if (!has_work(a) && !owes_map(a)) {
		a->sweep_due_ms = 0;
		return false;
	}
	if (arr_is_turning_still(a) || arr_bitmap_is_changing(a))
		return false;
	if (a->is_stopping)
		return arr_is_quiet(a) && may_clear(a);
	if (!a->sweep_due_ms)
		a->sweep_due_ms = a->now_ms + bm_daemon_sleep_ms(a->bitmap);
	return a->now_ms >= a->sweep_due_ms;
}

static bool begin(struct arr *a)
{
	bool is_ready = bm_age(a->bitmap);

	a->sweep_due_ms = a->now_ms + bm_daemon_sleep_ms(a->bitmap);
	if (owes_map(a) && !has_work(a))
		return arr_bitmap_begin(a, NULL);
	if (!is_ready || !may_clear(a))
		return true;
	arr_flush_all(a, &a->sweep_job);
	a->sweep_phase = SWEEP_FLUSH;
	return true;
}

static bool put_events_cleared(struct arr *a)
{
	if (!a->bitmap) {
		a->sweep_phase = SWEEP_IDLE;	/* its file was lost during the flush */
		return true;
	}
	if (bm_commit_is_running(a->bitmap))
		return false;
	if (!may_clear(a)) {
		a->sweep_phase = SWEEP_IDLE;
		return true;
	}
	if (!a->is_external && a->events <= a->first_events) {
		arr_want_record(a);
		a->sweep_phase = SWEEP_IDLE;
		return true;
	}
	if (bm_is_bare(a->bitmap)) {
		bool is_outrun = arr_events_outrun(a, max_u64(a->change_events, a->first_events + 1));

		a->sweep_phase = is_outrun ? SWEEP_IDLE : SWEEP_CLEAR;
		return true;
	}
	bm_set_events_cleared(a->bitmap, a->events);
	if (bm_events_cleared_is_durable(a->bitmap)) {
		a->sweep_phase = SWEEP_CLEAR;
		return true;
	}
	if (!arr_bitmap_begin(a, NULL))
		return false;
	a->sweep_phase = SWEEP_EVENTS_IO;
	return true;
}

static bool clear(struct arr *a)
{
	if (bm_commit_is_running(a->bitmap))
		return false;
	a->sweep_phase = may_clear(a) && arr_bitmap_clear(a) ? SWEEP_CLEAR_IO : SWEEP_IDLE;
	return true;
}

void arr_sweep_done(struct arr *a)
{
	if (a->sweep_phase == SWEEP_FLUSH) {
		arr_job_judge(a, &a->sweep_job);
		a->sweep_phase = SWEEP_EVENTS;
	} else if (a->sweep_phase == SWEEP_EVENTS_IO) {
		a->sweep_phase = bm_events_cleared_is_durable(a->bitmap) ? SWEEP_CLEAR : SWEEP_IDLE;
	} else {
		a->sweep_phase = SWEEP_IDLE;
	}
}

bool arr_pump_sweep(struct arr *a)
{
	switch (a->sweep_phase) {
	case SWEEP_IDLE:
		return is_due(a) && begin(a);
	case SWEEP_EVENTS:
		return put_events_cleared(a);
	case SWEEP_CLEAR:
		return clear(a);
	case SWEEP_FLUSH:
	case SWEEP_EVENTS_IO:
	case SWEEP_CLEAR_IO:
		return false;
	}
	return false;
}

uint64_t arr_sweep_timer_ms(const struct arr *a)
{
	/* A stopping array sweeps when its requests and claims are done, not when a time has come. */
	if (a->sweep_phase != SWEEP_IDLE || a->is_stopping || (!has_work(a) && !owes_map(a)) || !a->sweep_due_ms ||
	    arr_bitmap_is_changing(a))
		return UINT64_MAX;
	return a->sweep_due_ms;
}
