/* Writable, read-only, read-auto; md's word for all that: array_state.
 *
 * An array that is *still* (read-only or read-auto) writes to no member: no mark, no claim, no sweep, no resync, no
 * failure. A write, or a change of members, makes a read-auto array writable; the read-only one refuses it.
 *
 * The way back is *turning still*: nothing new is begun, the resync is interrupted, a sweep ends, then the array
 * becomes clean, by superblocks or a flush (claim.c, owner.c). Whoever looks sees the old mode until all that is done.
 * A write that comes meanwhile keeps an array writable that was to be read-auto, and a failure that an owner must
 * record keeps it so whatever it was to be.
 *
 * Left out: whether members may be written at all. The hands know how they were opened. */
#include "array/state.h"

#include <errno.h>

bool arr_is_still(const struct arr *a)
{
	return a->mode != ARR_MODE_WRITABLE;
}

bool arr_is_turning_still(const struct arr *a)
{
	return a->mode_wanted != a->mode;
}

bool arr_refuses_writes(const struct arr *a)
{
	return a->mode_wanted == ARR_MODE_READONLY;
}

void arr_make_writable(struct arr *a)
{
	a->mode = a->mode_wanted = ARR_MODE_WRITABLE;
	if (!a->is_start_unrecorded)
		return;
	a->is_start_unrecorded = false;
	arr_want_record(a);
	a->first_events = a->events + 1;
	a->failure_generation = a->wanted_generation;	/* who is missing is out, like one that failed */
}

/* Reads wait for its answer, and a still array asks nothing. */
static bool is_owner_asked(const struct arr *a)
{
	return a->is_external && !arr_is_still(a) && !a->is_broken && !arr_is_recorded(a);
}

void arr_event_set_mode(struct arr *a, struct arr_event *ev)
{
	enum arr_mode mode = (enum arr_mode)ev->value;

	if (mode > ARR_MODE_READ_AUTO)
		ev->rc = -EINVAL;
	else if (a->is_stopping)
		ev->rc = err_set(ev->err, UMD_E_STOPPING, "the array is stopping: its mode cannot change");
	else if (mode == ARR_MODE_WRITABLE)
		arr_make_writable(a);
	else if (a->is_clustered)
		ev->rc = arr_refuse_as_node(a, "to become read-only while it runs", ev->err);
	else if (mode == ARR_MODE_READONLY && arr_refuses_writes(a))
		ev->rc = err_set(ev->err, -ENXIO, "the array is read-only already");
	else if (is_owner_asked(a))
		ev->rc = err_set(ev->err, -EBUSY, "the owner was asked and has not answered: write active, and "
				 "-blocked for failed members, first");
	else if (arr_bitmap_is_changing(a) || a->has_set_bits)
		ev->rc = err_set(ev->err, -EBUSY, "the bitmap is just being changed: the array cannot become "
				 "read-only");
	else if (!arr_is_still(a) && !arr_is_quiet(a))
		ev->rc = err_set(ev->err, -EBUSY, "requests are in flight: the array cannot become read-only");
	else
		a->mode_wanted = mode;
	if (!ev->rc && arr_is_still(a))
		a->mode = mode;
}

/* May it be still now? */
static bool is_settled(const struct arr *a)
{
	if (a->claim_phase != CLAIM_IDLE || a->sync_phase != SYNC_IDLE || a->sweep_phase != SWEEP_IDLE ||
	    a->sync_now.action != ARR_SYNC_IDLE || (a->bitmap && bm_commit_is_running(a->bitmap)) || arr_has_writes(a))
		return false;
	return a->is_broken || (!a->is_active_on_disk && (a->is_external || arr_is_recorded(a)));
}

bool arr_pump_mode(struct arr *a)
{
	if (!arr_is_turning_still(a))
		return false;
	if (is_owner_asked(a))
		a->mode_wanted = a->mode;	/* something failed: who turned it is the one to ask */
	else if (is_settled(a))
		a->mode = a->mode_wanted;
	else
		return false;
	return true;
}

/* ---- array_state ---- */

static bool is_asked(const struct arr *a)
{
	if (a->is_external)
		return a->claim_phase == CLAIM_ASKED || (a->is_stopping && !arr_is_recorded(a));
	return !arr_is_recorded(a) || (a->is_write_waiting && !arr_is_active(a));
}

static bool is_idle(const struct arr *a)
{
	return a->is_external && !arr_has_writes(a) && a->safe_mode_delay_ms &&
	       a->now_ms >= a->idle_since_ms + a->safe_mode_delay_ms;
}

enum arr_state arr_state(const struct arr *a)
{
	if (arr_is_still(a))
		return a->mode == ARR_MODE_READONLY ? ARR_STATE_READONLY : ARR_STATE_READ_AUTO;
	if (a->is_broken)
		return ARR_STATE_BROKEN;
	if (is_asked(a))
		return ARR_STATE_WRITE_PENDING;
	if (!a->is_active_on_disk)
		return ARR_STATE_CLEAN;
	return is_idle(a) ? ARR_STATE_ACTIVE_IDLE : ARR_STATE_ACTIVE;
}

const char *arr_state_name(enum arr_state state)
{
	static const char *const names[] = {
		[ARR_STATE_READONLY] = "readonly", [ARR_STATE_READ_AUTO] = "read-auto", [ARR_STATE_CLEAN] = "clean",
		[ARR_STATE_WRITE_PENDING] = "write-pending", [ARR_STATE_ACTIVE] = "active",
		[ARR_STATE_ACTIVE_IDLE] = "active-idle", [ARR_STATE_BROKEN] = "broken",
	};

	return names[state];
}
