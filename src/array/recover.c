/* Resync and recovery: one engine that brings every member in a slot to the pin's content.
 *
 * Each *actor* has a position, below which it owes nothing, and a filter:
 *
 *   the resync          resync_offset       NEEDED chunks (all without a bitmap)   copies to every other member
 *   member recovering   recovery_offset     NEEDED chunks, or all (wants_full)     copies to that member
 *
 * The next window begins at the lowest place where an actor has work, and ends where the set of actors
 * with work could change; so one pass serves a resync and several recoveries at once, and a member that
 * joins in the middle simply starts at its own 0. A window is a range nobody writes: it waits for the
 * writes in flight there (DRAIN), reads the pin, writes the targets. Only then do positions move.
 *
 * RESYNC flags are taken off chunk by chunk as windows complete, unless somebody else is still owed them
 * (a missing slot, a member that joins later). Bits on disk stay until the sweep (I4).
 *
 * At the end members become in sync in memory at once, on disk by a claim that flushes first (I10). An owner of
 * external metadata may look at any time: there members are flushed first, and positions are told as far as that.
 * One of several nodes copies under the sync lock, and only in a range that all others leave alone (cluster.c).
 * How progress comes to disk is in progress.c. Left out: repair of what cannot be read. A source that fails is
 * failed if there is another; the last one stays and the sync stops with a sentence. */
#include "array/state.h"

#include <string.h>

#include "base/law.h"
#include "base/text.h"

/* ---- actors ---- */

/* Recovering members whose superblock says so and who have the bitmap: they may be copied to. */
uint64_t arr_ready_members(const struct arr *a)
{
	uint64_t ready = 0;

	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING) & ~a->bitmap_owed)
		if (a->durable_generation >= a->join_generation[i])
			ready |= ARR_BIT(i);
	return ready;
}

struct work {
	uint64_t at, len;	/* len 0: none */
};

/* The first work at or after @from. */
static struct work next_work(const struct arr *a, uint64_t from, bool is_full)
{
	array_off at;
	uint64_t len;

	if (from >= a->size_bytes)
		return (struct work){ OFF_NONE, 0 };
	if (is_full || !a->bitmap)
		return (struct work){ from, a->size_bytes - from };
	if (!bm_next_needed(a->bitmap, (array_off){ from }, &at, &len))
		return (struct work){ OFF_NONE, 0 };
	return (struct work){ at.bytes, len };
}

/* Does work @w begin the window? Else it bounds it. */
static bool takes_part(struct work w, uint64_t at, uint64_t *bound)
{
	if (!w.len)
		return false;
	if (w.at > at) {
		*bound = min_u64(*bound, w.at);
		return false;
	}
	*bound = min_u64(*bound, w.at + w.len);
	return true;
}

void arr_set_pieces(struct arr *a, uint64_t sync_window_bytes, uint64_t suspend_bytes)
{
	a->sync_window_bytes = sync_window_bytes;
	a->node.suspend_bytes = suspend_bytes;
}

/* Find the next window; false: nothing is left for those who are ready. */
static bool find_window(struct arr *a)
{
	uint64_t ready = arr_ready_members(a), others = arr_in_slots(a) & ~ARR_BIT(arr_pin(a));
	struct work resync = { OFF_NONE, 0 }, work[ARR_MEMBERS_MAX];
	uint64_t at, end;

	if (a->resync_offset != OFF_NONE)
		resync = next_work(a, a->resync_offset, false);
	at = resync.at;
	ARR_EACH(i, a, ready) {
		work[i] = next_work(a, a->members[i].recovery_offset, a->members[i].wants_full);
		at = min_u64(at, work[i].at);
	}
	if (at == OFF_NONE)
		return false;

	end = min_u64(a->size_bytes, round_down(at, a->sync_window_bytes) + a->sync_window_bytes);
	a->sync_targets = 0;
	if (takes_part(resync, at, &end))
		a->sync_targets |= others;
	ARR_EACH(i, a, ready)
		if (takes_part(work[i], at, &end))
			a->sync_targets |= ARR_BIT(i);
	a->sync_actors = ready;
	a->window_at = at;
	a->window_len = end - at;
	a->sync_source = arr_pin(a);
	MUST(a->window_len && a->sync_targets && !(a->sync_targets & ARR_BIT(a->sync_source)));
	return true;
}

/* ---- reports ---- */

enum arr_sync_action arr_sync_action(const struct arr *a)
{
	if (arr_is_still(a) || a->is_sync_blocked || a->is_broken || a->is_frozen)
		return ARR_SYNC_IDLE;
	if (arr_mask(a, ARR_M_RECOVERING))
		return ARR_SYNC_RECOVER;
	return a->resync_offset != OFF_NONE ? ARR_SYNC_RESYNC : ARR_SYNC_IDLE;
}

uint64_t arr_sync_offset(const struct arr *a)
{
	uint64_t at = a->resync_offset;

	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING))
		at = min_u64(at, a->members[i].recovery_offset);
	return at;
}

/* What is still to be copied, by what is known now. */
uint64_t arr_sync_left(const struct arr *a)
{
	uint64_t at = arr_sync_offset(a), rest, needed;
	bool is_full = !a->bitmap;

	if (at >= a->size_bytes || arr_sync_action(a) == ARR_SYNC_IDLE)
		return 0;
	rest = a->size_bytes - at;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING))
		is_full |= a->members[i].wants_full;
	if (is_full)
		return rest;
	needed = bm_needed_chunks(a->bitmap) * bm_chunk_bytes(a->bitmap);
	return min_u64(rest, needed);
}

static void report_begin(struct arr *a)
{
	if (a->sync_now.action != ARR_SYNC_IDLE) {
		a->sync_now.action = arr_sync_action(a);
		return;
	}
	a->sync_now = (struct arr_sync_report){ .action = arr_sync_action(a), .started_ms = a->now_ms };
	memcpy(a->sync_now.reason, a->sync_reason, sizeof a->sync_now.reason);
}

static void report_end(struct arr *a, bool is_complete)
{
	if (a->sync_now.action == ARR_SYNC_IDLE)
		return;
	a->sync_last = a->sync_now;
	a->sync_last.is_complete = is_complete;
	a->sync_last.ended_ms = a->now_ms;
	if (is_complete)
		a->sync_last.bytes_checked = a->size_bytes;
	a->sync_now.action = ARR_SYNC_IDLE;
}

/* ---- the end of a pass ---- */

static bool complete(struct arr *a)
{
	uint64_t ready = arr_ready_members(a);

	if (!ready && a->resync_offset == OFF_NONE)
		return false;	/* those who joined are not ready yet */
	if (a->is_external && !a->is_sync_flushed)
		return arr_progress_flush(a);
	report_begin(a);
	a->resync_offset = OFF_NONE;
	a->passes++;
	ARR_EACH(i, a, ready) {
		a->members[i].state = ARR_M_IN_SYNC;
		a->in_sync_since[i] = a->passes;
		a->members[i].wants_full = false;
		a->members[i].recovery_offset = OFF_NONE;
	}
	if (a->bitmap && arr_is_whole(a))
		bm_forget_needed(a->bitmap);
	a->is_raise_wanted |= !a->is_external;
	arr_sync_tell(a);
	if (ready || !a->is_clustered)	/* superblocks of several nodes do not speak of a resync */
		arr_want_record(a);
	a->node.end_generation = a->wanted_generation;
	if (a->is_external && ready)
		arr_owner_must_see(a);
	if (!arr_mask(a, ARR_M_RECOVERING))
		report_end(a, true);
	return true;
}

/* ---- one window ---- */

bool arr_window_overlaps(const struct arr *a, uint64_t at, uint64_t len)
{
	return a->sync_phase != SYNC_IDLE && ranges_overlap(at, len, a->window_at, a->window_len);
}

/* A window is being written whose source has failed: what it leaves is flushed by the claim that says so. */
bool arr_window_is_orphan(const struct arr *a)
{
	return a->sync_phase == SYNC_WRITE && a->sync_source != arr_pin(a);
}

/* Is a window just being written to this member? It may hold the old bytes or the new ones. */
bool arr_is_copied_to(const struct arr *a, uint32_t member, uint64_t at, uint64_t len)
{
	return a->sync_phase == SYNC_WRITE && a->sync_targets & ARR_BIT(member) && arr_window_overlaps(a, at, len);
}

/* Flags must survive the window for everybody who still lacks these chunks and is not served by it. */
static bool is_owed_to_others(const struct arr *a)
{
	/* Or a dead node's bits came when the targets were known. */
	if (arr_slots_missing(a) || a->node.is_resync_due)
		return true;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING) & ~a->sync_targets)
		if (a->members[i].recovery_offset <= a->window_at + a->window_len)
			return true;
	return false;
}

static void issue_read(struct arr *a)
{
	LAW(C3, arr_may_copy(a, a->window_at, a->window_len));
	arr_job_reserve(&a->sync_job);
	if (a->bitmap)
		bm_sync_start(a->bitmap, (array_off){ a->window_at }, a->window_len, is_owed_to_others(a));
	a->sync_job.kind = ARR_JOB_SYNC_READ;
	a->sync_job.owner = NULL;
	arr_job_add(&a->sync_job, a->sync_source, ARR_P_READ, 0, arr_member_at(a, a->sync_source, a->window_at),
		    a->window_len, NULL);
	a->sync_phase = SYNC_READ;
	arr_job_issue(a, &a->sync_job);
}

static void window_end(struct arr *a, bool is_ok)
{
	uint64_t end = a->window_at + a->window_len;

	if (a->bitmap)
		bm_sync_end(a->bitmap, (array_off){ a->window_at }, a->window_len, (array_off){ end }, is_ok);
	a->sync_phase = SYNC_IDLE;
	if (!is_ok)
		return;
	a->sync_windows++;
	a->sync_now.bytes_copied += a->window_len;
	if (a->resync_offset < end)
		a->resync_offset = end;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING) & a->sync_actors)
		if (a->members[i].recovery_offset < end)
			a->members[i].recovery_offset = end;
	arr_progress_checkpoint(a);
}

static void read_done(struct arr *a)
{
	if (a->sync_job.parts[0].rc) {
		a->members[a->sync_source].errors++;
		window_end(a, false);
		if (a->members[a->sync_source].state == ARR_M_IN_SYNC &&
		    arr_mask(a, ARR_M_IN_SYNC) == ARR_BIT(a->sync_source)) {
			text_fit(a->sync_now.reason, sizeof a->sync_now.reason,
				 "stopped: the only member in sync cannot be read at byte %llu of the array",
				 (unsigned long long)a->window_at);
			a->is_sync_blocked = true;
			report_end(a, false);
		} else {
			arr_fail_member(a, a->sync_source);
		}
		return;
	}
	a->sync_targets &= arr_in_slots(a);
	/* The pin may have changed: then clients read another member by now, and it must not change under them (I6). */
	if (a->sync_source != arr_pin(a) || !a->sync_targets) {
		window_end(a, false);
		return;
	}
	arr_job_reserve(&a->sync_job);
	LAW(I12, !arr_write_overlaps(a, a->window_at, a->window_len, NULL));
	LAW(C3, arr_may_copy(a, a->window_at, a->window_len));
	a->sync_job.kind = ARR_JOB_SYNC_WRITE;
	ARR_EACH(i, a, a->sync_targets)
		arr_job_add(&a->sync_job, i, ARR_P_WRITE, ARR_PF_KEEP_HOLES, arr_member_at(a, i, a->window_at),
			    a->window_len, NULL);
	a->sync_phase = SYNC_WRITE;
	arr_job_issue(a, &a->sync_job);
}

void arr_sync_done(struct arr *a)
{
	if (a->sync_phase == SYNC_READ)
		read_done(a);
	else if (a->sync_phase == SYNC_FLUSH)
		arr_progress_flushed(a);
	else
		window_end(a, !arr_job_judge(a, &a->sync_job));
}

/* ---- the pump ---- */

static bool stop(struct arr *a)
{
	bool moved = a->sync_phase == SYNC_DRAIN;

	if (a->sync_phase == SYNC_DRAIN)
		a->sync_phase = SYNC_IDLE;
	if (a->sync_phase != SYNC_IDLE || a->sync_now.action == ARR_SYNC_IDLE)
		return moved;
	report_end(a, false);
	if (a->bitmap)
		bm_sync_abort(a->bitmap);
	if (arr_sync_offset(a) != a->recorded_sync_offset)
		arr_progress_record(a);
	return true;
}

/* The user wants nothing to run: for now, or until he says so. What is due begins again from where it was. */
static bool halt(struct arr *a)
{
	bool moved = stop(a);

	if (a->sync_phase == SYNC_IDLE && a->is_sync_interrupted) {
		a->is_sync_interrupted = false;
		return true;
	}
	return moved;
}

/* What was being done has nobody left to do it for. */
static bool give_up(struct arr *a)
{
	if (a->sync_now.action == ARR_SYNC_IDLE)
		return false;
	report_end(a, false);
	return true;
}

bool arr_pump_sync(struct arr *a)
{
	if (arr_is_still(a))
		return false;
	if (a->is_stopping || a->is_broken || arr_is_turning_still(a))
		return stop(a);
	if (a->is_frozen || a->is_sync_interrupted)
		return halt(a);
	if (a->sync_phase == SYNC_DRAIN) {
		if (arr_write_overlaps(a, a->window_at, a->window_len, NULL))
			return false;
		issue_read(a);
		return true;
	}
	if (a->sync_phase != SYNC_IDLE)
		return false;
	if (arr_sync_action(a) == ARR_SYNC_IDLE)
		return give_up(a);
	/* Who is missing may have gone on without those here, and be clean: before anything is copied these must say
	 * that it is out, or after a cut it would be taken for one of them (I5). */
	if (a->durable_generation < a->failure_generation)
		return false;
	/* A resync writes to everybody. A cut must not leave a superblock of another story over what it copied. */
	if (a->resync_offset != OFF_NONE && arr_mask(a, ARR_M_RECOVERING) & ~arr_ready_members(a))
		return false;
	if (a->is_sync_tell_due)
		return arr_progress_flush(a);
	if (!arr_may_sync(a))
		return false;
	if (!find_window(a))
		return complete(a);
	if (!arr_may_copy(a, a->window_at, a->window_len))
		return arr_ask_range(a, a->window_at);
	a->is_sync_flushed = false;
	report_begin(a);
	a->sync_now.bytes_checked = a->window_at;
	a->sync_phase = SYNC_DRAIN;
	return true;
}
