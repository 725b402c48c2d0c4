/* The bitmap of another node's slot is taken into ours (C1, C2).
 *
 *   READ    the slot, from the pin. What is no bitmap of this array there may still be one on another member in sync.
 *           If none has one, and not all are empty: everything is in doubt (bitmap/merge.c)
 *   merge   every bit is NEEDED here, and what they cover is to be copied: at once, since the end of a recovery would
 *           take the flags away
 *   COMMIT  ours is durable on every working member, and whoever did not take it is on record as failed: the next start
 *           must not read ours from there
 *   CLEAR   the slot without any bit, on every member; only under its lock (value true). Else its owner lives, or will
 *           be looked after
 *
 * A cut between COMMIT and CLEAR leaves bits twice, which costs a copy; the other order would leave them nowhere. A
 * slot without bits is not written. One slot at a time; a stop lets it end, and begins none.
 *
 * Left out: when a slot is taken, and under what lock (cluster/). */
#include "array/state.h"

#include <errno.h>
#include <string.h>

#include "base/law.h"
#include "base/mem.h"

static void end(struct arr *a, int rc)
{
	struct arr_node *n = &a->node;

	n->take_phase = TAKE_IDLE;
	n->take = rc;
	n->take_image = mem_free(n->take_image);
	if (rc || !n->take_clears)
		return;
	n->suspended[n->take_node].len = 0;
	n->taken_slots += n->take_bits != 0;
	n->taken_bits += n->take_bits;
}

static int refuse(const struct arr *a, const struct arr_event *ev)
{
	if (ev->node >= a->node.count || ev->node == a->node.slot)
		return -EINVAL;
	if (a->node.take_phase != TAKE_IDLE)
		return -EBUSY;
	if (arr_is_still(a))
		return UMD_E_READ_ONLY;
	return a->is_broken ? -EIO : a->is_stopping ? UMD_E_STOPPING : 0;
}

void arr_event_take(struct arr *a, struct arr_event *ev)
{
	struct arr_node *n = &a->node;

	ev->rc = refuse(a, ev);
	if (ev->rc)
		return;
	n->take_image = mem_new(1, n->slot_bytes);
	n->take_bits = 0;
	n->take = n->take_image ? ARR_CHANGE_RUNS : -ENOMEM;
	n->take_node = ev->node;
	n->take_clears = ev->value;
	n->take_tried = 0;
	n->take_is_doubtful = false;
	n->take_phase = n->take_image ? TAKE_READ : TAKE_IDLE;
	ev->rc = n->take_image ? 0 : -ENOMEM;
}

static void issue(struct arr *a, enum arr_job_kind kind, uint64_t members, enum arr_part_op op, unsigned flags)
{
	struct arr_node *n = &a->node;

	arr_job_reserve(&n->take_job);
	n->take_job.kind = kind;
	n->take_job.owner = NULL;
	ARR_EACH(i, a, members)
		arr_job_add(&n->take_job, i, op, flags, arr_slot_at(a, i, n->take_node), n->slot_bytes, n->take_image);
	arr_job_issue(a, &n->take_job);
}

/* ---- READ, merge ---- */

static void merge(struct arr *a)
{
	struct arr_node *n = &a->node;
	/* Gathered for a member that came in sync meanwhile: they are their owner's business, and none of ours. */
	bool is_of_use = n->take_clears || arr_mask(a, ARR_M_RECOVERING);
	int64_t bits = is_of_use ? bm_merge(a->bitmap, n->take_image) : 0;

	if (bits <= 0) {
		end(a, (int)bits);
		return;
	}
	n->take_bits = (uint64_t)bits;
	if (n->take_clears)
		arr_resync_taken(a);
	n->take_phase = TAKE_COMMIT;
}

/* Nobody has one to be believed. */
static void give_up_reading(struct arr *a)
{
	if (!a->node.take_is_doubtful) {
		end(a, 0);
		return;
	}
	memset(a->node.take_image, 0xff, a->node.slot_bytes);
	merge(a);
}

static bool read_next(struct arr *a)
{
	struct arr_node *n = &a->node;
	uint64_t left = arr_mask(a, ARR_M_IN_SYNC) & ~n->take_tried;
	uint32_t pin = arr_pin(a);

	if (a->is_stopping)
		end(a, UMD_E_STOPPING);
	else if (!left)
		give_up_reading(a);
	else {
		n->take_phase = TAKE_READING;
		left = left & ARR_BIT(pin) ? ARR_BIT(pin) : left & -left;
		n->take_tried |= left;
		issue(a, ARR_JOB_SLOT_READ, left, ARR_P_READ, 0);
	}
	return true;
}

static void read_done(struct arr *a)
{
	struct arr_node *n = &a->node;
	const struct arr_part *p = &n->take_job.parts[0];
	enum bm_slot slot = p->rc ? BM_SLOT_GARBAGE : bm_judge_slot(a->bitmap, n->take_image);

	a->members[p->member].errors += p->rc != 0;
	n->take_is_doubtful |= slot == BM_SLOT_GARBAGE;
	if (slot == BM_SLOT_BITS || slot == BM_SLOT_STALE)
		merge(a);
	else
		n->take_phase = TAKE_READ;
}

/* ---- COMMIT, CLEAR ---- */

static bool commit(struct arr *a)
{
	if (bm_commit_is_running(a->bitmap))
		return false;
	if (bm_wants_commit_now(a->bitmap))
		return arr_bitmap_begin(a, NULL);
	if (a->durable_generation < a->failure_generation)
		return false;
	if (!a->node.take_clears) {
		end(a, 0);
		return true;
	}
	LAW(C2, bm_is_merged(a->bitmap, a->node.take_image));
	bm_empty_image(a->bitmap, a->node.take_image);
	memset(a->node.take_image + bm_image_bytes(a->bitmap), 0, a->node.slot_bytes - bm_image_bytes(a->bitmap));
	a->node.take_phase = TAKE_CLEARING;
	issue(a, ARR_JOB_SLOT_CLEAR, arr_in_slots(a), ARR_P_WRITE, ARR_PF_DURABLE);
	return true;
}

void arr_take_done(struct arr *a)
{
	if (a->node.take_phase == TAKE_READING) {
		read_done(a);
		return;
	}
	arr_job_judge(a, &a->node.take_job);
	end(a, a->is_broken ? -EIO : 0);
}

bool arr_pump_take(struct arr *a)
{
	enum { IS_OUT = 1 << TAKE_IDLE | 1 << TAKE_READING | 1 << TAKE_CLEARING };

	if (IS_OUT >> a->node.take_phase & 1)
		return false;
	if (a->is_broken) {
		end(a, -EIO);
		return true;
	}
	return a->node.take_phase == TAKE_READ ? read_next(a) : commit(a);
}
