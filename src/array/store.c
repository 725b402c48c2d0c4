/* The bitmap's I/O: one commit at a time, to every working member, durably; or to the file that keeps it.
 *
 * A commit is led by the first writer that needs one (its worker executes it) or belongs to the array's
 * thread (claims, the sweep, a member that has no bitmap yet). Everybody who waits for bits of any page
 * in it is served by the same commit. A member that does not take a page has failed; the commit is good
 * while one in-sync member took everything.
 *
 * Bits are cleared and their pages given out in one step, for which all memory is there before: between the decision
 * and the write nobody could take it back (can_clear).
 *
 * A file holds the one copy there is, and no superblock knows of it: whether it belongs to this moment is told by its
 * events alone. They go there before the superblocks get them, so a cut leaves a file that is ahead of the superblocks,
 * by one, or two where a start missed somebody; who writes without the file from then on must not arrive at its number
 * again with data that it does not know (I2). So:
 *
 *   the file fails a write    the array forgets the bitmap. What the file may hold, torn or not, is a true map of now:
 *                             bits were set in it before data, and cleared after (I3, I4). Data goes out again when
 *                             superblocks have a number beyond any that the file may have (events_floor): then it is
 *                             out of date for whoever starts with it. Members that are on their way go on in full from
 *                             where they are.
 *   the file is left          in peace (rebitmap.c), or by a start without a bitmap (its own events_floor): the same
 *
 * Superblocks get there in steps of one, each durable before the next: members that differ by more after a cut would
 * not be taken for members of one array. */
#include "array/state.h"

#include <errno.h>

#include "base/law.h"

/* Members name the place of the first node's. */
uint64_t arr_slot_at(const struct arr *a, uint32_t member, uint32_t node)
{
	return a->members[member].bitmap_at.bytes + node * a->node.slot_bytes;
}

/* How many copies of a page are written. */
static uint32_t copies(const struct arr *a)
{
	return a->bitmap_is_file ? 1 : (uint32_t)__builtin_popcountll(arr_in_slots(a));
}

static void add_pages(struct arr_job *job, uint32_t member, uint64_t at_bytes, const struct bm_page_write *writes,
		      int pages)
{
	for (int p = 0; p < pages; p++)
		arr_job_add(job, member, ARR_P_WRITE, ARR_PF_DURABLE, at_bytes + writes[p].at_bytes,
			    writes[p].len_bytes, (void *)(uintptr_t)writes[p].data);
}

/* A file ends with its last bit, not with a sector. */
static void cut_at_end(const struct arr *a, struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++)
		job->parts[i].len_bytes = min_u64(job->parts[i].len_bytes,
						  bm_image_bytes(a->bitmap) - job->parts[i].at.bytes);
}

static void issue(struct arr *a, struct arr_job *job, struct arr_req *owner, const struct bm_page_write *writes,
		  int pages)
{
	uint64_t targets = a->bitmap_is_file ? 0 : arr_in_slots(a);

	job->kind = ARR_JOB_BITMAP;
	job->owner = owner;
	ARR_EACH(i, a, targets)
		add_pages(job, i, arr_slot_at(a, i, a->node.slot), writes, pages);
	if (a->bitmap_is_file) {
		a->file_events = max_u64(a->file_events, bm_events(a->bitmap));
		add_pages(job, ARR_FILE, 0, writes, pages);
		cut_at_end(a, job);
	}
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
	if (!arr_job_parts(job, (uint32_t)pages * copies(a))) {
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
	if (!arr_job_parts(&a->bitmap_job, (uint32_t)room * copies(a)) ||
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

static bool file_took(const struct arr_job *job)
{
	for (uint32_t i = 0; i < job->part_count; i++)
		if (job->parts[i].rc)
			return false;
	return true;
}

/* From now on no data may have a number that the file has. */
void arr_leave_file(struct arr *a)
{
	a->events_floor = a->file_events + 1;
	a->bitmap_is_file = false;
}

/* The array goes on without a bitmap: see the head. */
static void lose_file(struct arr *a)
{
	arr_leave_file(a);
	a->bitmap = bm_free(a->bitmap);
	a->has_lost_file = true;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING))
		a->members[i].wants_full = true;
	if (a->sweep_phase != SWEEP_FLUSH)
		a->sweep_phase = SWEEP_IDLE;
	a->sweep_due_ms = 0;
	a->can_clear = true;
	if (a->has_set_bits)
		a->bitmap_change = -EIO;
	a->has_set_bits = false;
	arr_want_record(a);
	a->failure_generation = a->wanted_generation;
}

static void commit_done(struct arr *a, struct arr_job *job)
{
	uint64_t took = job->is_on_file ? 0 : job->members & ~arr_job_judge(a, job);
	bool is_ok = job->is_on_file ? file_took(job) : took & arr_mask(a, ARR_M_IN_SYNC);

	bm_commit_end(a->bitmap, is_ok);
	if (is_ok)
		a->bitmap_owed &= ~(a->bitmap_paying & took);
	else if (job->is_on_file)
		lose_file(a);
}

void arr_bitmap_done(struct arr *a, struct arr_job *job)
{
	commit_done(a, job);
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

/* A file is one copy for everybody. */
void arr_bitmap_owe(struct arr *a, uint32_t member)
{
	if (!a->bitmap || a->bitmap_is_file)
		return;
	bm_write_all(a->bitmap);
	a->bitmap_owed |= ARR_BIT(member);
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
