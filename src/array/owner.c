/* Claims without superblocks: an owner keeps the metadata, and is asked.
 *
 *   FLUSH   every working member, where what is asked for says more than before: what a resync copied from a member
 *           that failed, which is shown only then (I6), or the array being clean (I10). The end of a resync was
 *           flushed before it was shown.
 *   ASKED   state WRITE_PENDING until the owner says active; what it saw by then is recorded by it
 *
 * Words: a generation is *asked* for by that, *answered* by `active`, and durable once no member is *blocked* any
 * more. A member that fails is blocked until the owner releases it. So a failure that comes between the owner's look
 * and its `active` is still waited for: the other answer was not given. The end of a recovery that comes there is
 * asked about again (that of a resync need not be: whoever knows less of it only copies more); until then no bit is
 * cleared. For the owner still knows the member that was recovered as none, and those whose slot it took as ones that
 * the bits would bring back.
 *
 *             owner: active             idle for safe_mode_delay              owner: clean, all flushed
 *   pending ----------------> active <----------------------> active-idle ----------------------------> clean
 *      ^  a member failed, a sync ended |                                             a write waits       |
 *      +--------------------------------+-----------------------------------------------------------------+
 *
 * `active` that answers nothing changes nothing. A stop asks nobody: what waits for an answer ends with an error
 * (request.c), then everything is flushed.
 * Left out: the numbers of events. They belong to superblocks; an owner has its own. */
#include "array/state.h"

#include <errno.h>

bool arr_has_writes(const struct arr *a)
{
	const struct arr_req *r;

	list_for_each(r, &a->requests, link)
		if (r->op == ARR_WRITE || r->op == ARR_ZERO)
			return true;
	return !list_is_empty(&a->behind);
}

/* A member is in sync by now, and that was not yet asked about. */
void arr_owner_must_see(struct arr *a)
{
	a->is_end_unseen = true;
	a->is_end_asked = false;
}

/* Both answers are there: what was asked is recorded. */
static void settle(struct arr *a)
{
	if (!a->blocked)
		a->durable_generation = a->answered_generation;
}

void arr_block(struct arr *a, uint32_t member)
{
	a->members[member].is_blocked = true;
	a->blocked |= ARR_BIT(member);
}

void arr_show_failures(struct arr *a)
{
	a->unshown = 0;
	arr_sync_tell(a);
}

static void unblock(struct arr *a, uint32_t member)
{
	a->members[member].is_blocked = false;
	a->blocked &= ~ARR_BIT(member);
	settle(a);
}

/* ---- the round ---- */

static void begin_flush(struct arr *a, bool is_active)
{
	a->claim.generation = a->wanted_generation;
	a->claim.is_active = is_active;
	a->claim_admissions = a->admissions;
	a->claim_windows = a->sync_windows;
	arr_flush_all(a, &a->claim_job);
	a->claim_phase = CLAIM_FLUSH;
}

static bool is_at_rest(const struct arr *a)
{
	return arr_is_quiet(a) && a->sync_phase == SYNC_IDLE && arr_sweep_is_finished(a) &&
	       !(a->bitmap && bm_commit_is_running(a->bitmap));
}

static bool begin_last_flush(struct arr *a)
{
	if (a->is_last_flush_done || !is_at_rest(a))
		return false;
	a->is_last_flush = true;
	begin_flush(a, false);
	return true;
}

static void ask(struct arr *a)
{
	a->claim_phase = CLAIM_ASKED;
	a->claim.is_active = true;
	a->is_end_asked = a->is_end_unseen;
	a->asks++;
}

static bool begin(struct arr *a)
{
	bool turns_clean = a->owner_clean > 0 || (arr_is_turning_still(a) && a->is_active_on_disk && is_at_rest(a));
	bool is_asking = a->answered_generation < a->wanted_generation || a->is_end_unseen ||
			 (a->is_write_waiting && !a->is_active_on_disk);

	if (arr_window_is_orphan(a))
		return false;
	if (a->is_stopping)
		return begin_last_flush(a);
	if (turns_clean || (is_asking && a->is_raise_wanted))
		begin_flush(a, !turns_clean);
	else if (is_asking && !arr_is_turning_still(a))
		ask(a);
	else
		return false;
	return true;
}

static void flushed_for_clean(struct arr *a)
{
	bool is_clean = !arr_claim_is_outdated(a) && !a->is_broken;

	if (is_clean)
		a->is_active_on_disk = false;
	if (a->owner_clean > 0)
		a->owner_clean = is_clean ? 0 : a->is_broken ? -EIO : -EBUSY;
	if (a->is_last_flush) {
		a->is_last_flush_done = true;
		arr_show_failures(a);
	}
}

void arr_owner_done(struct arr *a)
{
	a->claim_phase = CLAIM_IDLE;
	arr_job_judge(a, &a->claim_job);
	if (!a->claim.is_active)
		flushed_for_clean(a);
	else if (!arr_claim_is_outdated(a) && a->claim_windows == a->sync_windows) {
		a->is_raise_wanted = false;
		arr_show_failures(a);
	}
}

bool arr_pump_owner(struct arr *a)
{
	if (a->is_broken) {
		if (a->claim_phase == CLAIM_ASKED)
			a->claim_phase = CLAIM_IDLE;
		if (a->owner_clean > 0 && a->claim_phase == CLAIM_IDLE)
			a->owner_clean = -EIO;
		return false;
	}
	if (a->claim_phase == CLAIM_IDLE)
		return begin(a);
	/* Asked again after a flush, or later: it is shown as another wait. */
	if (a->claim_phase == CLAIM_ASKED && (a->is_stopping || a->is_raise_wanted || arr_is_turning_still(a))) {
		a->claim_phase = CLAIM_IDLE;
		return true;
	}
	return false;
}

/* ---- what the owner says ---- */

static void owner_active(struct arr *a)
{
	if (a->claim_phase != CLAIM_ASKED)
		return;
	a->claim_phase = CLAIM_IDLE;
	a->is_active_on_disk = true;
	a->is_end_unseen &= !a->is_end_asked;
	a->answered_generation = a->wanted_generation;
	settle(a);
}

static int owner_clean(struct arr *a, struct err *err)
{
	if (a->is_broken)
		return err_set(err, -EIO, "the last member could not be written: the array cannot become clean");
	if (a->is_stopping)
		return err_set(err, UMD_E_STOPPING, "the array is stopping: it becomes clean by that");
	if (arr_has_writes(a))
		return err_set(err, -EBUSY, "writes are in flight or wait: the array is not clean; ask again when it "
			       "is active-idle");
	if (a->claim_phase == CLAIM_ASKED || !arr_is_recorded(a))
		return err_set(err, -EBUSY, "the owner was asked and has not answered: write active, and -blocked "
			       "for failed members, first");
	if (a->is_active_on_disk)
		a->owner_clean = 1;
	return 0;
}

void arr_event_owner(struct arr *a, struct arr_event *ev)
{
	bool names_member = ev->kind == ARR_EV_BLOCK || ev->kind == ARR_EV_UNBLOCK;

	if (!a->is_external || (names_member && (ev->member >= a->member_count ||
						 a->members[ev->member].state == ARR_M_NONE))) {
		ev->rc = -EINVAL;
		return;
	}
	if (ev->kind == ARR_EV_OWNER_ACTIVE) {
		owner_active(a);
	} else if (ev->kind == ARR_EV_OWNER_CLEAN) {
		a->owner_clean = 0;
		ev->rc = owner_clean(a, ev->err);
		if (ev->rc)
			a->owner_clean = ev->rc;
	} else if (ev->kind == ARR_EV_BLOCK) {
		arr_block(a, ev->member);
	} else {
		unblock(a, ev->member);
	}
}
