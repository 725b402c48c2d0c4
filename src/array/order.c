/* What an owner or a user orders while the array runs: can_clear, freeze, sync, periods.
 *
 * can_clear false holds every bit that is set, so that whoever keeps the metadata can record something before the list
 * of what a member lacks is gone. It falls by itself, so that the owner cannot be late, when a write ended that some
 * member lacks, or when a member failed under a write; and where superblocks count events, when bits would go under
 * a later event than the owner knows. Each fall is counted: that is the wake-up. Only a bare bitmap has such an
 * owner; an internal one falls never, as nobody would raise it again.
 *
 * Whether a clear may go out is asked in the step that gives out its pages and never before (sweep.c): what was only
 * being prepared when it fell is not cleared. */
#include "array/state.h"

#include <errno.h>

void arr_can_clear_falls(struct arr *a, enum arr_clear_word word)
{
	if (!a->bitmap || !bm_is_bare(a->bitmap) || !a->can_clear)
		return;
	a->can_clear = false;
	arr_note_can_clear(a, word);
	a->can_clear_falls++;
}

/* Bits would go under a later event than the one their owner knows of: it is told, and bits wait for its word. */
bool arr_events_outrun(struct arr *a, uint64_t events)
{
	if (a->is_external || !a->bitmap || !bm_is_bare(a->bitmap) || bm_events_cleared(a->bitmap) >= events)
		return false;
	bm_set_events_cleared(a->bitmap, a->events);
	arr_can_clear_falls(a, ARR_CLEAR_BY_EVENTS);
	return true;
}

static void can_clear(struct arr *a, struct arr_event *ev)
{
	if (!a->bitmap)
		ev->rc = err_set(ev->err, -ENOENT, "the array has no bitmap: nothing can be cleared");
	else if (ev->value && arr_degraded(a))
		ev->rc = err_set(ev->err, -EBUSY, "%u of %u members are missing or not in sync: "
				 "bits stay until all are",
				 arr_degraded(a), a->raid_devices);
	else if (!ev->value && a->can_clear)
		arr_note_can_clear(a, ARR_CLEAR_BY_ORDER);
	if (!ev->rc)
		a->can_clear = ev->value;
}

static void time_base(struct arr *a, struct arr_event *ev)
{
	if (!a->bitmap) {
		ev->rc = err_set(ev->err, -ENOENT, "the array has no bitmap: it is never swept");
		return;
	}
	bm_set_daemon_sleep(a->bitmap, (uint32_t)min_u64(ev->value, UINT32_MAX));
	if (a->sweep_due_ms)
		a->sweep_due_ms = a->now_ms + bm_daemon_sleep_ms(a->bitmap);
}

void arr_event_order(struct arr *a, struct arr_event *ev)
{
	switch (ev->kind) {
	case ARR_EV_CAN_CLEAR:
		can_clear(a, ev);
		break;
	case ARR_EV_FREEZE:
		a->is_frozen = ev->value;
		break;
	case ARR_EV_SYNC:
		a->is_frozen = false;
		if (ev->value)
			a->is_sync_blocked = false;
		else
			a->is_sync_interrupted = true;
		break;
	case ARR_EV_SET_TIME_BASE:
		time_base(a, ev);
		break;
	case ARR_EV_SAFE_MODE_DELAY:
		a->safe_mode_delay_ms = (uint32_t)min_u64(ev->value, UINT32_MAX);
		break;
	default:
		ev->rc = -EINVAL;
	}
}
