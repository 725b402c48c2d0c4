/* What is said about a resync or recovery while it runs, and after what flush.
 *
 * Superblocks are told by a claim, which flushes first (claim.c): now and then, and when the sync is interrupted. An
 * owner of external metadata may look at any time, so positions are *told* (shown) to it only as far as they were
 * flushed:
 *
 *   window, window, ... checkpoint due --> FLUSH --> told := where the sync is --> window ...
 *                       nothing is left --> FLUSH --> told, members in sync
 *
 * The flush has its own phase: no window is open meanwhile, so what is told afterwards is what it covered. */
#include "array/state.h"

enum { CHECKPOINT_MS = 10000, CHECKPOINTS_PER_PASS = 16 };

void arr_sync_tell(struct arr *a)
{
	a->is_sync_tell_due = false;
	/* What its owner said about the start stays true; the pass began at 0 for the bitmap's sake. */
	if (a->resync_offset == OFF_NONE || a->resync_offset > a->told_resync_offset)
		a->told_resync_offset = a->resync_offset;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING))
		a->told_recovery[i] = a->members[i].recovery_offset;
}

bool arr_progress_flush(struct arr *a)
{
	arr_flush_all(a, &a->sync_job);
	a->sync_phase = SYNC_FLUSH;
	return true;
}

void arr_progress_flushed(struct arr *a)
{
	a->sync_phase = SYNC_IDLE;
	if (arr_job_judge(a, &a->sync_job))
		return;
	a->is_sync_flushed = true;
	if (!a->unshown)	/* else a flush that covers more is due before anything is told */
		arr_sync_tell(a);
}

void arr_progress_record(struct arr *a)
{
	if (a->is_external) {
		a->is_sync_tell_due = true;
		a->recorded_sync_offset = arr_sync_offset(a);
		a->recorded_sync_ms = a->now_ms;
		return;
	}
	a->is_raise_wanted = true;
	arr_want_record(a);
}

/* Progress goes to disk now and then; a clean array records the resync's, a recovering member its own. */
void arr_progress_checkpoint(struct arr *a)
{
	uint64_t at = arr_sync_offset(a), step = a->size_bytes / CHECKPOINTS_PER_PASS;
	bool is_told = (!a->is_active_on_disk && !a->is_clustered) || arr_mask(a, ARR_M_RECOVERING);

	is_told |= a->is_external;
	if (!is_told || at == OFF_NONE || !arr_is_recorded(a))
		return;
	if (at < a->recorded_sync_offset)
		a->recorded_sync_offset = at;	/* a new pass */
	if (at - a->recorded_sync_offset > step ||
	    (at > a->recorded_sync_offset && a->now_ms > a->recorded_sync_ms + CHECKPOINT_MS))
		arr_progress_record(a);
}
