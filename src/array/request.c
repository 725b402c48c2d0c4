/* The life of one client request.
 *
 *   write, zero:  QUEUED -> MARKED -> IO -> RECORD -> done
 *                 QUEUED  waits for: earlier overlapping writes (I12), reads of its bytes that are out on
 *                         another member than the pin (I6), the resync window, here or on another node, the
 *                         array being active on disk (I10), room in the counter
 *                 MARKED  waits for its bits to be durable (I3), one waiter leads the commit for all; and until
 *                         every failure known by now is durable on the others
 *                 RECORD  waits until every failure known by now is durable on the others, so that no
 *                         restart can prefer a member that lacks this write (I1)
 *                 IO      may leave out members that get their parts later (behind.c)
 *   flush:        QUEUED -> IO -> RECORD -> done, after all that is behind it (I1)
 *   read:         QUEUED -> IO (again, elsewhere, after an error) -> RECORD -> done
 *
 * Requests stay on one list in order of arrival. An earlier write that only waits also holds back later
 * overlapping ones: order of arrival is the order on every member. */
#include "array/state.h"

#include <errno.h>

#include "base/law.h"
#include "base/mem.h"

static bool is_write(const struct arr_req *req)
{
	return req->op == ARR_WRITE || req->op == ARR_ZERO;
}

void arr_write_ended(struct arr *a, array_off at, uint64_t len, bool leave_needed, bool went_out)
{
	leave_needed |= arr_degraded(a) != 0;
	if (a->bitmap)
		bm_done(a->bitmap, at, len, leave_needed);
	if (leave_needed)
		arr_can_clear_falls(a, ARR_CLEAR_BY_MISSED_WRITE);
	else if (went_out)
		arr_events_outrun(a, a->events);
	a->writes_in_flight--;
	a->idle_since_ms = a->now_ms;
}

static void finish(struct arr *a, struct arr_req *req, int rc)
{
	if (req->is_counted) {
		bool went_out = req->stage == ARR_S_IO || req->stage == ARR_S_RECORD;
		bool leave_needed = (rc && went_out) || req->leaves_needed;

		if (req->behind)
			arr_behind_answered(req, leave_needed);
		else
			arr_write_ended(a, req->at, req->len_bytes, leave_needed, went_out);
	}
	arr_job_end(&req->own_job);
	list_remove(&req->link);
	req->job = NULL;
	req->rc = rc;
	req->is_done = true;
	arr_wake(a, req);
}

static int refuse(const struct arr *a, const struct arr_req *req)
{
	uint64_t end;

	if (a->node.is_lost)
		return -EIO;
	if (a->is_stopping)
		return UMD_E_STOPPING;
	if (req->op == ARR_FLUSH)
		return 0;
	if (!add_fits(req->at.bytes, req->len_bytes, &end) || end > a->size_bytes)
		return -EINVAL;
	if (is_write(req) && arr_refuses_writes(a))
		return UMD_E_READ_ONLY;
	return 0;
}

/* Nothing is to be done. An array that is still was flushed before, but a broken one never was. */
static bool is_nothing(const struct arr *a, const struct arr_req *req)
{
	return req->op == ARR_FLUSH ? arr_is_still(a) && !a->is_broken : !req->len_bytes;
}

void arr_event_submit(struct arr *a, struct arr_req *req)
{
	int rc = refuse(a, req);

	req->number = ++a->request_count;
	req->is_done = req->is_counted = req->leaves_needed = req->is_lost = req->is_kept = false;
	req->behind = NULL;
	req->rc = 0;
	req->job = NULL;
	req->stage = ARR_S_QUEUED;
	req->tried_members = 0;
	req->wants_generation = 0;
	req->own_job.parts = req->own_job.reserve = NULL;
	req->own_job.owner = req;
	req->own_job.copy = NULL;
	req->own_job.behind = 0;
	req->own_job.number = req->number;
	list_init(&req->woken);
	list_append(&a->requests, &req->link);
	if (req->op == ARR_READ)
		a->counters.client_reads++;
	else if (req->op == ARR_FLUSH)
		a->counters.client_flushes++;
	else
		a->counters.client_writes++;

	if (rc || is_nothing(a, req))
		finish(a, req, rc);
	else if (is_write(req) && a->mode_wanted != ARR_MODE_WRITABLE)
		arr_make_writable(a);
}

bool arr_request_overlaps(const struct arr *a, uint64_t at, uint64_t len, const struct arr_req *before)
{
	const struct arr_req *r;

	list_for_each(r, &a->requests, link) {
		if (r == before)
			return false;
		if (is_write(r) && (before || r->is_counted) && ranges_overlap(at, len, r->at.bytes, r->len_bytes))
			return true;
	}
	return false;
}

bool arr_write_overlaps(const struct arr *a, uint64_t at, uint64_t len, const struct arr_req *before)
{
	return arr_request_overlaps(a, at, len, before) || (!before && arr_behind_overlaps(a, at, len));
}

/* ---- QUEUED -> MARKED ---- */

/* Is a read of these bytes out on a member that does not decide? It may show the write before that one has it, and the
 * next read would show the old bytes again (I6). A member that has failed gets no write: nobody waits for its
 * answers. */
static bool is_read_elsewhere(const struct arr *a, const struct arr_req *req)
{
	const struct arr_req *r;
	uint64_t written = arr_in_slots(a);
	uint32_t pin = arr_pin(a);

	list_for_each(r, &a->requests, link)
		if (r->op == ARR_READ && r->stage == ARR_S_IO && r->read_member != pin &&
		    written & ARR_BIT(r->read_member) &&
		    ranges_overlap(req->at.bytes, req->len_bytes, r->at.bytes, r->len_bytes))
			return true;
	return false;
}

static bool admit(struct arr *a, struct arr_req *req)
{
	if (a->is_stopping) {
		finish(a, req, UMD_E_STOPPING);
		return true;
	}
	if (a->is_broken && (req->is_fua || !arr_is_active(a))) {
		finish(a, req, -EIO);
		return true;
	}
	if (arr_bitmap_is_changing(a))
		return false;
	if (arr_write_overlaps(a, req->at.bytes, req->len_bytes, req))
		return false;
	if (is_read_elsewhere(a, req))
		return false;
	if (arr_window_overlaps(a, req->at.bytes, req->len_bytes))
		return false;
	if (arr_is_suspended(a, req->at.bytes, req->len_bytes))
		return false;
	if (!arr_is_active(a)) {
		a->is_write_waiting = true;
		return false;
	}
	if (a->bitmap) {
		uint64_t before = bm_set_chunks(a->bitmap);
		enum bm_mark mark;

		arr_note_request(a, req);
		mark = bm_mark(a->bitmap, req->at, req->len_bytes);
		if (mark == BM_MARK_WAIT)
			return false;
		if (mark == BM_MARK_NO_MEMORY) {
			finish(a, req, -ENOMEM);
			return true;
		}
		a->counters.bitmap_bits_set += bm_set_chunks(a->bitmap) - before;
	}
	req->is_counted = true;
	req->stage = ARR_S_MARKED;
	a->writes_in_flight++;
	a->admissions++;
	return true;
}

/* ---- MARKED -> IO ---- */

static bool issue_write(struct arr *a, struct arr_req *req)
{
	uint64_t behind = arr_behind_begin(a, req), targets = arr_in_slots(a) & ~behind;
	enum arr_part_op op = req->op == ARR_ZERO ? ARR_P_ZERO : ARR_P_WRITE;
	unsigned flags = (req->is_fua ? ARR_PF_DURABLE : 0) | (req->may_punch ? ARR_PF_MAY_PUNCH : 0);

	if (!behind && arr_behind_overlaps(a, req->at.bytes, req->len_bytes))
		return false;	/* it goes to those as well that are owed older bytes (I12) */
	if (!arr_job_parts(&req->own_job, (uint32_t)__builtin_popcountll(targets))) {
		if (behind)
			arr_behind_cancel(a, req);
		finish(a, req, -ENOMEM);
		return true;
	}
	LAW(I10, arr_is_active(a));
	LAW(I12, !arr_write_overlaps(a, req->at.bytes, req->len_bytes, req));
	LAW(I3, !a->bitmap || bm_is_stable(a->bitmap, req->at, req->len_bytes));
	req->own_job.kind = ARR_JOB_REQUEST;
	ARR_EACH(i, a, targets)
		arr_job_add(&req->own_job, i, op, flags, arr_member_at(a, i, req->at.bytes), req->len_bytes, req->data);
	req->stage = ARR_S_IO;
	arr_job_issue(a, &req->own_job);
	return true;
}

/* A member that failed keeps its superblock, and a restart may believe it until the others' say better. Its bitmap
 * lacks what was marked since; data that it lacks as well would be a difference that nobody remembers. */
static bool wait_record_of_failures(struct arr *a, struct arr_req *req)
{
	if (a->durable_generation >= a->failure_generation && !a->blocked && a->events >= a->events_floor)
		return issue_write(a, req);
	if (!a->is_broken) {
		a->is_write_waiting |= a->events < a->events_floor;
		return false;
	}
	finish(a, req, -EIO);
	return true;
}

static bool wait_stable(struct arr *a, struct arr_req *req)
{
	struct arr_job *job;

	if (!a->bitmap || bm_is_stable(a->bitmap, req->at, req->len_bytes))
		return wait_record_of_failures(a, req);
	if (req->job || req->is_kept)
		return false;	/* it leads a commit, and its memory belongs to that until its worker is back */
	if (a->is_broken) {
		finish(a, req, -EIO);	/* no member took the bitmap: the write must not go out */
		return true;
	}
	if (bm_commit_is_running(a->bitmap))
		return false;
	job = arr_bitmap_begin(a, req);
	if (!job)
		finish(a, req, -ENOMEM);
	return true;
}

/* ---- flush, read ---- */

static bool issue_flush(struct arr *a, struct arr_req *req)
{
	uint64_t targets = arr_in_slots(a);

	if (!a->is_broken && arr_behind_before(a, req))
		return false;
	if (a->is_broken || !arr_job_parts(&req->own_job, (uint32_t)__builtin_popcountll(targets))) {
		finish(a, req, a->is_broken ? -EIO : -ENOMEM);
		return true;
	}
	req->own_job.kind = ARR_JOB_REQUEST;
	ARR_EACH(i, a, targets)
		arr_job_add(&req->own_job, i, ARR_P_FLUSH, 0, 0, 0, NULL);
	req->stage = ARR_S_IO;
	arr_job_issue(a, &req->own_job);
	return true;
}

/* Another node may still copy from a member that has failed here: what the next one says is not final before that node
 * has heard of it (I6). */
static bool is_answer_open(const struct arr *a)
{
	return a->is_clustered && !a->is_broken && a->durable_generation < a->failure_generation;
}

/* May the pin be failed, so that another one decides? */
static bool may_fail_pin(const struct arr *a)
{
	return !arr_is_still(a) && __builtin_popcountll(arr_mask(a, ARR_M_IN_SYNC)) > 1;
}

static bool issue_read(struct arr *a, struct arr_req *req)
{
	bool is_pinned;
	uint32_t member = arr_choose_read(a, req, &is_pinned);

	if (a->is_stopping) {
		finish(a, req, UMD_E_STOPPING);
		return true;
	}
	if (member == ARR_MEMBERS_MAX && is_pinned && may_fail_pin(a)) {
		arr_fail_member(a, arr_pin(a));	/* it failed this read before it had to decide about it */
		return true;
	}
	if (is_answer_open(a))
		return false;
	if (member < ARR_MEMBERS_MAX && arr_is_copied_to(a, member, req->at.bytes, req->len_bytes))
		return false;		/* the pin failed in mid-window, and this one decides now */
	if (member < ARR_MEMBERS_MAX && arr_lagging(a, req->at.bytes, req->len_bytes) & ARR_BIT(member)) {
		if (!arr_is_lost(a, req->at.bytes, req->len_bytes))
			return false;	/* nobody else is left, and what it lacks is on the way */
		member = ARR_MEMBERS_MAX;
	}
	if (member == ARR_MEMBERS_MAX || !arr_job_parts(&req->own_job, 1)) {
		finish(a, req, -EIO);
		return true;
	}
	req->wants_generation = a->failure_generation;	/* or a restart could go back to another member's answer */
	req->own_job.kind = ARR_JOB_REQUEST;
	req->read_member = member;
	arr_job_add(&req->own_job, member, ARR_P_READ, 0, arr_member_at(a, member, req->at.bytes), req->len_bytes,
		    req->data);
	req->stage = ARR_S_IO;
	arr_job_issue(a, &req->own_job);
	return true;
}

/* ---- IO -> RECORD, done ---- */

/* An error of the pin cannot be served from elsewhere while the pin stays the pin: the next read might
 * answer differently. So it is failed, durably, before another member decides (I6). A read-only array
 * cannot record that and answers with the error; so does the last member, which a read error does not break. */
static void read_failed(struct arr *a, struct arr_req *req)
{
	uint32_t m = req->read_member;
	bool is_pinned;

	a->members[m].errors++;
	req->tried_members |= ARR_BIT(m);
	req->stage = ARR_S_QUEUED;
	arr_choose_read(a, req, &is_pinned);
	if (is_pinned && m == arr_pin(a) && may_fail_pin(a))
		arr_fail_member(a, m);
}

static void write_or_flush_done(struct arr *a, struct arr_req *req)
{
	uint64_t failed = arr_job_judge(a, &req->own_job);

	req->wants_generation = a->failure_generation;
	if (req->own_job.members & ~failed & arr_mask(a, ARR_M_IN_SYNC)) {
		if (req->behind)
			arr_behind_turn(req);
		return;
	}
	if (req->behind) {
		arr_behind_cancel(a, req);
		req->leaves_needed = true;
		if (!a->is_broken) {
			req->stage = ARR_S_MARKED;	/* those that were to get it later have it first now */
			return;
		}
	}
	/* A flush that all its members have left says nothing of those that came meanwhile: they are asked. */
	if (req->op == ARR_FLUSH && !a->is_broken)
		req->stage = ARR_S_QUEUED;
	else
		finish(a, req, -EIO);
}

void arr_request_done(struct arr *a, struct arr_req *req)
{
	req->job = NULL;
	req->own_job.copy = NULL;
	req->own_job.behind = 0;
	req->stage = ARR_S_RECORD;
	if (req->op != ARR_READ)
		write_or_flush_done(a, req);
	else if (req->own_job.parts[0].rc)
		read_failed(a, req);
}

/* Do all members, also those that are gone, hold the same here? Without a bitmap nobody knows. */
static bool copies_agree(const struct arr *a, const struct arr_req *req)
{
	return a->bitmap && !bm_is_needed(a->bitmap, req->at, req->len_bytes) &&
	       !arr_write_overlaps(a, req->at.bytes, req->len_bytes, NULL);
}

/* Who had it in front has left since: then it is answered when somebody behind has it. */
static bool is_nowhere(const struct arr *a, const struct arr_req *req)
{
	return req->behind && !(req->own_job.members & arr_mask(a, ARR_M_IN_SYNC));
}

static bool wait_record(struct arr *a, struct arr_req *req)
{
	if (req->behind)
		arr_behind_note_left(a, req);
	if (is_nowhere(a, req))
		return false;
	if (req->is_lost) {
		finish(a, req, -EIO);
		return true;
	}
	if (a->durable_generation >= req->wants_generation) {
		finish(a, req, 0);
		return true;
	}
	if (a->is_broken) {
		/* The failure cannot be recorded any more: told is only what the copies agree on. */
		finish(a, req, req->op == ARR_READ && copies_agree(a, req) ? 0 : -EIO);
		return true;
	}
	if (a->is_external && a->is_stopping) {
		finish(a, req, UMD_E_STOPPING);	/* the owner need not be there any more */
		return true;
	}
	return false;
}

static bool advance(struct arr *a, struct arr_req *req)
{
	switch (req->stage) {
	case ARR_S_QUEUED:
		return is_write(req) ? admit(a, req) : req->op == ARR_FLUSH ? issue_flush(a, req) : issue_read(a, req);
	case ARR_S_MARKED:
		if (a->is_stopping && !req->job && !req->is_kept) {
			finish(a, req, UMD_E_STOPPING);
			return true;
		}
		return wait_stable(a, req);
	case ARR_S_IO:
		return false;
	case ARR_S_RECORD:
		return wait_record(a, req);
	}
	return false;
}

void arr_lose_requests(struct arr *a)
{
	struct arr_req *req, *next;

	list_for_each_safe(req, next, &a->requests, link)
		if (!req->job)
			finish(a, req, -EIO);
}

bool arr_pump_requests(struct arr *a)
{
	struct arr_req *req, *next;
	bool moved = false;

	a->is_write_waiting = false;
	list_for_each_safe(req, next, &a->requests, link)
		moved |= advance(a, req);
	return moved;
}
