/* The bitmap's I/O: one commit at a time, to every working member, durably.
 *
 * A commit is led by the first writer that needs one (its worker executes it) or belongs to the array's
 * thread (claims, the sweep, a member that has no bitmap yet). Everybody who waits for bits of any page
 * in it is served by the same commit. A member that does not take a page has failed; the commit is good
 * while one in-sync member took everything.
 *
 * Bits are cleared and their pages given out in one step, for which all memory is there before: between the decision
 * and the write nobody could take it back (can_clear). */
#include "array/state.h"

#include "base/law.h"

static uint32_t parts_for(uint64_t pages, uint64_t targets)
{
	return (uint32_t)pages * (uint32_t)__builtin_popcountll(targets);
}

static void issue(struct arr *a, struct arr_job *job, struct arr_req *owner, const struct bm_page_write *writes,
		  int pages)
{
	uint64_t targets = arr_in_slots(a);

	job->kind = ARR_JOB_BITMAP;
	job->owner = owner;
	ARR_EACH(i, a, targets)
		for (int p = 0; p < pages; p++)
			arr_job_add(job, i, ARR_P_WRITE, ARR_PF_DURABLE,
				    a->members[i].bitmap_at.bytes + writes[p].at_bytes, writes[p].len_bytes,
				    (void *)(uintptr_t)writes[p].data);
	a->bitmap_paying = a->bitmap_owed & targets;
	a->counters.bitmap_commits++;
	arr_job_issue(a, job);
}

struct arr_job *arr_bitmap_begin(struct arr *a, struct arr_req *owner)
{
	struct arr_job *job = owner ? &owner->own_job : &a->bitmap_job;
	const struct bm_page_write *writes;
	int pages = bm_commit_begin(a->bitmap, &writes);

	if (pages <= 0)
		return NULL;
	if (!arr_job_parts(job, parts_for((uint64_t)pages, arr_in_slots(a)))) {
		bm_commit_end(a->bitmap, false);
		return NULL;
	}
	issue(a, job, owner, writes, pages);
	return job;
}

bool arr_bitmap_clear(struct arr *a)
{
	int64_t room = bm_commit_reserve(a->bitmap);
	const struct bm_page_write *writes;
	int pages;

	if (room <= 0)
		return false;
	if (!arr_job_parts(&a->bitmap_job, parts_for((uint64_t)room, arr_in_slots(a))) ||
	    !bm_clear(a->bitmap, arr_degraded(a), true)) {
		bm_commit_unreserve(a->bitmap);
		arr_job_end(&a->bitmap_job);
		return false;
	}
	pages = bm_commit_begin(a->bitmap, &writes);
	MUST(pages > 0 && pages <= room);
	issue(a, &a->bitmap_job, NULL, writes, pages);
	return true;
}

void arr_bitmap_done(struct arr *a, struct arr_job *job)
{
	uint64_t took = job->members & ~arr_job_judge(a, job);
	bool is_ok = took & arr_mask(a, ARR_M_IN_SYNC);

	bm_commit_end(a->bitmap, is_ok);
	if (is_ok)
		a->bitmap_owed &= ~(a->bitmap_paying & took);
	arr_job_end(job);
	if (job->owner) {
		job->owner->job = NULL;
		return;
	}
	if (a->claim_phase == CLAIM_BITMAP)
		arr_claim_done(a);
	else if (a->sweep_phase == SWEEP_EVENTS_IO || a->sweep_phase == SWEEP_CLEAR_IO)
		arr_sweep_done(a);
}

/* A member that joined gets every page, before anything is copied to it. */
bool arr_pump_bitmap(struct arr *a)
{
	a->bitmap_owed &= arr_in_slots(a);
	if (!a->bitmap_owed || arr_is_still(a) || arr_is_turning_still(a) || a->is_broken ||
	    bm_commit_is_running(a->bitmap))
		return false;
	return arr_bitmap_begin(a, NULL);
}
