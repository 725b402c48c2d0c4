/* Write-behind: parts on write-mostly members go on after the client has its answer.
 *
 *   FRONT   the request's own job is out: it writes the members in front and fills the copy
 *   TURN    the front has it; the parts behind wait for earlier ones of the same bytes on the same members (I12)
 *   IO      the parts behind are out: a job without an owner, from the copy
 *
 *        request   QUEUED -> MARKED -> IO -> RECORD -> answered
 *        behind                        FRONT -> TURN -> IO ----------------> end: the chunk's count goes
 *
 * A write goes behind where there is a bitmap, the member that decides is not write-mostly, it is no FUA, and the
 * backlog has room: so many at once, so many bytes of copies at once. Every other write is ordinary: it waits for all
 * members. Words: a member *lags* where parts behind are still owed to it.
 *
 * What keeps the laws:
 *   I1   a flush waits for what went behind before it. Else the data would be on the members in front alone, while the
 *        superblock of the one behind calls it in sync: md may start from that one. (A superblock that says it lags
 *        would make it useless as the copy that survives.) FUA is durable everywhere as well, so it is never behind.
 *   I4   the chunk is counted until the last part is done: its bit stays, and the array stays active
 *   I6   nobody reads from a member where it lags; where nobody else is left the read waits
 *   I11  who leaves or fails takes what it is owed along: its chunks were counted, so they are NEEDED
 *   I12  parts behind keep their order; an ordinary write waits for all of them in its range, a resync window too
 *
 * When the last member in sync does not take what is behind, the only copy of answered data is gone: reads of these
 * bytes fail until a restart, for what the member holds there is older than what clients were told. */
#include "array/state.h"

#include <errno.h>

#include "base/law.h"
#include "base/mem.h"

enum { BEHIND_BYTES_MAX = 64 << 20 };	/* copies at once */

struct arr_behind {
	struct list link;		/* a->behind in order of their requests; a->lost */
	enum { BEHIND_FRONT, BEHIND_TURN, BEHIND_IO } phase;
	uint64_t number;		/* of the request */
	struct arr_req *req;		/* NULL: answered, the chunks' count is held from here */
	array_off at;
	uint64_t len_bytes, copy_bytes;
	void *copy;			/* NULL: zeroes */
	enum arr_part_op op;
	unsigned flags;
	uint64_t members;		/* mask: it is owed to them */
	bool leave_needed;
	struct arr_job job;
};

static bool overlaps(const struct arr_behind *b, uint64_t at, uint64_t len)
{
	return ranges_overlap(at, len, b->at.bytes, b->len_bytes);
}

bool arr_is_quiet(const struct arr *a)
{
	return list_is_empty(&a->requests) && list_is_empty(&a->behind);
}

/* ---- who ---- */

uint64_t arr_mostly(const struct arr *a)
{
	uint64_t mask = 0;

	ARR_EACH(i, a, arr_in_slots(a))
		if (a->members[i].is_write_mostly)
			mask |= ARR_BIT(i);
	return mask;
}

uint64_t arr_lagging(const struct arr *a, uint64_t at, uint64_t len)
{
	const struct arr_behind *b;
	uint64_t mask = 0;

	list_for_each(b, &a->behind, link)
		if (overlaps(b, at, len))
			mask |= b->members;
	list_for_each(b, &a->lost, link)
		if (overlaps(b, at, len))
			mask |= b->members;
	return mask;
}

bool arr_is_lost(const struct arr *a, uint64_t at, uint64_t len)
{
	const struct arr_behind *b;

	list_for_each(b, &a->lost, link)
		if (overlaps(b, at, len))
			return true;
	return false;
}

bool arr_behind_overlaps(const struct arr *a, uint64_t at, uint64_t len)
{
	const struct arr_behind *b;

	list_for_each(b, &a->behind, link)
		if (overlaps(b, at, len))
			return true;
	return false;
}

/* Those that a client has its answer for: they alone hold the chunk's count. */
void arr_behind_why(const struct arr *a, struct arr_why *w)
{
	const struct arr_behind *b;

	list_for_each(b, &a->behind, link) {
		if (b->req || !overlaps(b, w->at.bytes, w->len_bytes))
			continue;
		if (w->behind_count < ARR_WHY_WRITES)
			w->behind[w->behind_count] = (struct arr_why_write){ .number = b->number,
				.op = b->op == ARR_P_ZERO ? ARR_ZERO : ARR_WRITE, .at = b->at,
				.len_bytes = b->len_bytes, .members = b->members };
		w->behind_count++;
	}
}

bool arr_behind_before(const struct arr *a, const struct arr_req *flush)
{
	const struct arr_behind *b;

	list_for_each(b, &a->behind, link)
		if (b->number < flush->number)
			return true;
	return false;
}

/* ---- FRONT ---- */

static bool may_go_behind(const struct arr *a, const struct arr_req *req, uint64_t copy_bytes)
{
	uint32_t pin = arr_pin(a);

	if (!a->bitmap || req->is_fua || a->is_broken || !arr_mostly(a) || a->behind_now >= a->write_behind_max)
		return false;
	return pin < ARR_MEMBERS_MAX && !a->members[pin].is_write_mostly &&
	       a->behind_bytes + copy_bytes <= BEHIND_BYTES_MAX;
}

static struct arr_behind *behind_free(struct arr_behind *b)
{
	if (b) {
		arr_job_end(&b->job);
		mem_free(b->copy);
	}
	return mem_free(b);
}

static struct arr_behind *behind_new(uint64_t members, uint64_t copy_bytes)
{
	struct arr_behind *b = mem_new(1, sizeof *b);

	if (!b)
		return NULL;
	b->copy = copy_bytes ? mem_space(copy_bytes) : NULL;
	if (!arr_job_parts(&b->job, (uint32_t)__builtin_popcountll(members)) || (copy_bytes && !b->copy))
		return behind_free(b);
	return b;
}

uint64_t arr_behind_begin(struct arr *a, struct arr_req *req)
{
	uint64_t copy_bytes = req->op == ARR_WRITE ? req->len_bytes : 0, members = arr_mostly(a);
	struct arr_behind *b;

	if (!may_go_behind(a, req, copy_bytes))
		return 0;
	b = behind_new(members, copy_bytes);
	if (!b)
		return 0;	/* without memory it is an ordinary write */
	b->number = req->number;
	b->req = req;
	b->at = req->at;
	b->len_bytes = req->len_bytes;
	b->copy_bytes = copy_bytes;
	b->op = req->op == ARR_ZERO ? ARR_P_ZERO : ARR_P_WRITE;
	b->flags = req->may_punch ? ARR_PF_MAY_PUNCH : 0;
	b->members = members;
	req->behind = b;
	req->own_job.copy = b->copy;
	req->own_job.behind = members;
	list_append(&a->behind, &b->link);
	a->behind_bytes += copy_bytes;
	a->behind_now++;
	a->behind_max_used = a->behind_now > a->behind_max_used ? a->behind_now : a->behind_max_used;
	return members;
}

static void take_off(struct arr *a, struct arr_behind *b)
{
	list_remove(&b->link);
	a->behind_now--;
	a->behind_bytes -= b->copy_bytes;
	if (b->req)
		b->req->behind = NULL;
}

/* No member in front took it: the request goes on as an ordinary one. */
void arr_behind_cancel(struct arr *a, struct arr_req *req)
{
	struct arr_behind *b = req->behind;

	take_off(a, b);
	behind_free(b);
}

/* ---- TURN, IO ---- */

void arr_behind_turn(struct arr_req *req)
{
	req->behind->phase = BEHIND_TURN;
}

/* The request is answered, with success or not: from here on the count of its chunks is held by what is behind. */
void arr_behind_answered(struct arr_req *req, bool leave_needed)
{
	req->behind->leave_needed |= leave_needed;
	req->behind->req = NULL;
	req->behind = NULL;
}

/* A member left before it had this: a client that has no answer yet hears of success when that is recorded. */
void arr_behind_note_left(const struct arr *a, struct arr_req *req)
{
	struct arr_behind *b = req->behind;

	b->leave_needed |= (b->members & ~arr_in_slots(a)) != 0;
	if (b->leave_needed)
		req->wants_generation = a->failure_generation;
}

static void behind_end(struct arr *a, struct arr_behind *b, uint64_t failed)
{
	struct arr_req *req = b->req;

	b->leave_needed |= failed != 0;
	if (req)
		arr_behind_note_left(a, req);
	take_off(a, b);
	if (req)
		req->leaves_needed |= b->leave_needed;	/* the count is the request's, still */
	else
		arr_write_ended(a, b->at, b->len_bytes, b->leave_needed, true);
	b->members = failed & arr_mask(a, ARR_M_IN_SYNC);
	if (!b->members) {
		behind_free(b);
		return;
	}
	list_append(&a->lost, &b->link);	/* the last one: it could not be failed */
	if (req)
		req->is_lost = true;
}

/* Nothing older of the same bytes is owed to the same members. */
static bool has_turn(const struct arr *a, const struct arr_behind *b)
{
	const struct arr_behind *older;

	list_for_each(older, &a->behind, link) {
		if (older == b)
			return true;
		if (older->members & b->members && overlaps(older, b->at.bytes, b->len_bytes))
			return false;
	}
	return true;
}

static void issue(struct arr *a, struct arr_behind *b)
{
	LAW(I12, has_turn(a, b));
	LAW(I3, !a->bitmap || bm_is_stable(a->bitmap, b->at, b->len_bytes));
	b->phase = BEHIND_IO;
	b->job.kind = ARR_JOB_BEHIND;
	b->job.owner = NULL;
	b->job.number = b->number;
	ARR_EACH(i, a, b->members)
		arr_job_add(&b->job, i, b->op, b->flags, arr_member_at(a, i, b->at.bytes), b->len_bytes, b->copy);
	arr_job_issue(a, &b->job);
}

void arr_behind_done(struct arr *a, struct arr_job *job)
{
	behind_end(a, list_entry(job, struct arr_behind, job), arr_job_judge(a, job));
}

/* Who left meanwhile is owed nothing any more: its chunks are NEEDED. */
static bool advance(struct arr *a, struct arr_behind *b)
{
	uint64_t left = b->members & ~arr_in_slots(a);

	if (b->phase != BEHIND_TURN)
		return false;
	b->leave_needed |= left != 0;
	b->members &= ~left;
	if (!b->members)
		behind_end(a, b, 0);
	else if (has_turn(a, b))
		issue(a, b);
	else
		return false;
	return true;
}

/* A new backlog is on disk at once, not when the next sweep comes by. */
static bool write_backlog(struct arr *a)
{
	if (!a->is_backlog_new || !a->bitmap || arr_is_still(a) || a->is_broken || bm_commit_is_running(a->bitmap))
		return false;
	if (bm_wants_commit(a->bitmap))
		return arr_bitmap_begin(a, NULL);
	a->is_backlog_new = false;
	return true;
}

bool arr_pump_behind(struct arr *a)
{
	struct arr_behind *b, *next;
	bool moved = write_backlog(a);

	list_for_each_safe(b, next, &a->behind, link)
		moved |= advance(a, b);
	return moved;
}

void arr_behind_free(struct arr *a)
{
	struct arr_behind *b, *next;

	list_for_each_safe(b, next, &a->behind, link)
		behind_free(b);
	list_for_each_safe(b, next, &a->lost, link)
		behind_free(b);
}

/* ---- by the user ---- */

void arr_event_backlog(struct arr *a, struct arr_event *ev)
{
	if (a->is_clustered)
		ev->rc = arr_refuse_as_node(a, "write-behind", ev->err);
	else if (ev->value > FMT_BITMAP_WRITE_BEHIND_MAX)
		ev->rc = err_set(ev->err, -EINVAL, "%llu writes shall be behind at most; a bitmap can say %d",
				 (unsigned long long)ev->value, FMT_BITMAP_WRITE_BEHIND_MAX);
	else if (!arr_mostly(a))
		ev->rc = err_set(ev->err, -EINVAL,
				 "no member is write-mostly: no write can be behind; mark one as write-mostly first");
	if (ev->rc)
		return;
	a->write_behind_max = (uint32_t)ev->value;
	if (a->bitmap)
		bm_set_write_behind(a->bitmap, a->write_behind_max);
	a->is_backlog_new = a->bitmap;
}

/* Where copies may differ the first member that is not write-mostly decides, also after a cut: that must not become
 * another one before a resync has ended (I6). */
void arr_event_write_mostly(struct arr *a, struct arr_event *ev)
{
	struct arr_member *m = &a->members[ev->member];
	bool is_still = arr_is_still(a) && !a->is_external;	/* no superblock is written */

	if (m->is_write_mostly == (ev->value != 0))
		return;
	if (a->is_clustered) {
		ev->rc = arr_refuse_as_node(a, "write-mostly members", ev->err);
		return;
	}
	if (is_still || a->resync_offset != OFF_NONE) {
		ev->rc = err_set(ev->err, is_still ? UMD_E_READ_ONLY : -EBUSY,
				 "the array is %s: which member is write-mostly stays as it is until that has ended",
				 is_still ? "read-only" : "being resynced");
		return;
	}
	m->is_write_mostly = ev->value != 0;
	if (!a->is_external)
		arr_want_record(a);
}
