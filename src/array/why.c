/* The story of a bit: who set it, and what keeps it set at this moment.
 *
 * Nobody writes down who set a bit, so the array remembers the last marks: a ring of ARR_WHY_MARKS runs of chunks that
 * one request has set. A write into chunks that are set already leaves no mark, and costs a look at its bits. A bit
 * that is set and in no mark of the ring was set before the start, or in the bitmap there was before this one, or is
 * forgotten; which of these is known.
 *
 * What keeps a bit follows from the state: the same conditions that sweep.c, recover.c and states.def go by, each told
 * apart. A bit that nothing keeps goes with the sweep, so its period is a reason, too.
 *
 *   counter         2 + n writes; a flag               2, 1                     1 and ripe
 *   told            WRITES, BEHIND; SYNC, HAND         PERIOD                   SWEEP, or what forbids to clear
 *
 * Only facts are told here (law I4 is kept elsewhere). Words are made by run/why_running.c. Left out: when a write in
 * flight began. */
#include "array/state.h"

#include <string.h>

/* ---- what is remembered ---- */

static void remember(struct arr *a, const struct arr_mark *mark)
{
	a->story.marks[a->story.mark_count++ % ARR_WHY_MARKS] = *mark;
}

/* The runs of clear chunks that the request is about to set. */
static void note_runs(struct arr *a, struct arr_mark *mark, uint64_t first, uint64_t end)
{
	while (first < end) {
		bool is_set = bm_bit(a->bitmap, (chunk_no){ first });
		uint64_t next = first + 1;

		while (next < end && bm_bit(a->bitmap, (chunk_no){ next }) == is_set)
			next++;
		mark->first = first;
		mark->last = next - 1;
		mark->sets = !is_set;
		if (!is_set || mark->setter == ARR_SET_BY_HAND)
			remember(a, mark);
		first = next;
	}
}

static uint64_t note(struct arr *a, struct arr_mark *mark)
{
	uint64_t chunk_bytes = bm_chunk_bytes(a->bitmap), before = a->story.mark_count;
	uint64_t first = mark->at.bytes / chunk_bytes, end = div_up(mark->at.bytes + mark->len_bytes, chunk_bytes);

	mark->ms = a->now_ms;
	mark->passes = a->passes;
	if (mark->setter == ARR_SET_BY_HAND ||
	    bm_count_set(a->bitmap, (chunk_no){ first }, (chunk_no){ end }) < end - first)
		note_runs(a, mark, first, end);
	return before;
}

void arr_note_request(struct arr *a, const struct arr_req *req)
{
	struct arr_mark mark = { .setter = req->op == ARR_ZERO ? ARR_SET_BY_ZERO : ARR_SET_BY_WRITE,
				 .number = req->number, .at = req->at, .len_bytes = req->len_bytes };

	note(a, &mark);
}

uint64_t arr_note_by_hand(struct arr *a, array_off at, uint64_t len_bytes)
{
	struct arr_mark mark = { .setter = ARR_SET_BY_HAND, .at = at, .len_bytes = len_bytes };

	return note(a, &mark);
}

/* They stay in the ring as marks of no chunk: what they have pushed out does not come back. */
void arr_forget_marks(struct arr *a, uint64_t noted)
{
	uint64_t count = a->story.mark_count, from = max_u64(noted, count - min_u64(count, ARR_WHY_MARKS));

	for (; from < count; from++)
		a->story.marks[from % ARR_WHY_MARKS] = (struct arr_mark){ .first = 1 };
}

void arr_note_other_bitmap(struct arr *a)
{
	a->story.mark_count = 0;
	a->story.is_other_bitmap = true;
	a->story.other_bitmap_ms = a->now_ms;
}

void arr_note_can_clear(struct arr *a, enum arr_clear_word word)
{
	a->story.can_clear_word = word;
	a->story.can_clear_ms = a->now_ms;
}

void arr_note_degraded(struct arr *a, bool is_start)
{
	a->story.is_degraded_since_start = is_start;
	a->story.degraded_events = a->events;
	a->story.degraded_ms = a->now_ms;
}

/* ---- who set it ---- */

/* The newest mark of the chunk, or NULL; with @setter: the newest one of that kind that is not older than the last one
 * that set the bit. */
static const struct arr_mark *find_mark(const struct arr *a, uint64_t chunk, bool by_hand)
{
	uint64_t count = a->story.mark_count, left = min_u64(count, ARR_WHY_MARKS);

	for (; left; left--, count--) {
		const struct arr_mark *m = &a->story.marks[(count - 1) % ARR_WHY_MARKS];

		if (chunk < m->first || chunk > m->last)
			continue;
		if (by_hand ? m->setter == ARR_SET_BY_HAND : m->sets)
			return m;
		if (m->sets)
			return NULL;
	}
	return NULL;
}

static void tell_setter(const struct arr *a, struct arr_why *w)
{
	const struct arr_mark *m = find_mark(a, w->chunk.index, false);

	w->marks = a->story.mark_count;
	if (m) {
		w->setter = m->setter;
		w->set_by = (struct arr_why_write){ .number = m->number, .at = m->at, .len_bytes = m->len_bytes,
			.op = m->setter == ARR_SET_BY_ZERO ? ARR_ZERO : ARR_WRITE };
		w->set_ms = m->ms;
	} else if (a->story.mark_count > ARR_WHY_MARKS) {
		w->setter = ARR_SET_FORGOTTEN;
	} else if (a->story.is_other_bitmap) {
		w->setter = ARR_SET_IN_FORMER;
		w->set_ms = a->story.other_bitmap_ms;
	} else {
		w->setter = ARR_SET_BEFORE;
	}
}

/* ---- what keeps it ---- */

static bool is_write(const struct arr_req *r)
{
	return r->op == ARR_WRITE || r->op == ARR_ZERO;
}

static void tell_writes(const struct arr *a, struct arr_why *w)
{
	const struct arr_req *r;

	list_for_each(r, &a->requests, link) {
		if (!is_write(r) || !r->is_counted ||
		    !ranges_overlap(r->at.bytes, r->len_bytes, w->at.bytes, w->len_bytes))
			continue;
		if (w->write_count < ARR_WHY_WRITES)
			w->writes[w->write_count] = (struct arr_why_write){ .number = r->number, .op = r->op,
				.at = r->at, .len_bytes = r->len_bytes, .stage = r->stage };
		w->write_count++;
	}
	arr_behind_why(a, w);
	w->reasons |= (w->write_count ? ARR_KEPT_BY_WRITES : 0) | (w->behind_count ? ARR_KEPT_BY_BEHIND : 0);
}

static void tell_sync(const struct arr *a, struct arr_why *w)
{
	const struct arr_mark *hand = find_mark(a, w->chunk.index, true);
	bool is_due = a->resync_offset != OFF_NONE || arr_mask(a, ARR_M_RECOVERING);

	w->is_needed = w->counter & BM_NEEDED;
	w->is_being_copied = w->counter & BM_RESYNC;
	if (!w->is_needed && !w->is_being_copied)
		return;
	if (hand && hand->passes == a->passes) {
		w->reasons |= ARR_KEPT_BY_HAND;
		w->hand_ms = hand->ms;
	}
	if (!is_due && a->set_bits_from == OFF_NONE)
		return;
	w->reasons |= ARR_KEPT_BY_SYNC | (a->is_frozen ? ARR_KEPT_BY_FREEZE : 0) |
		      (a->is_sync_blocked ? ARR_KEPT_BY_BAD_SOURCE : 0);
}

static void tell_state(const struct arr *a, struct arr_why *w)
{
	if (arr_degraded(a)) {
		w->reasons |= ARR_KEPT_BY_DEGRADED;
		w->is_degraded_since_start = a->story.is_degraded_since_start;
		w->degraded_events = a->story.degraded_events;
		w->degraded_ms = a->story.degraded_ms;
	}
	if (!a->can_clear) {
		w->reasons |= ARR_KEPT_BY_CAN_CLEAR;
		w->can_clear_word = a->story.can_clear_word;
		w->can_clear_ms = a->story.can_clear_ms;
	}
	w->reasons |= (arr_is_recorded(a) ? 0 : ARR_KEPT_BY_RECORD) | (a->is_broken ? ARR_KEPT_BY_BREAK : 0) |
		      (arr_is_still(a) || arr_is_turning_still(a) ? ARR_KEPT_BY_MODE : 0) |
		      (arr_bitmap_is_changing(a) ? ARR_KEPT_BY_CHANGE : 0);
}

/* An idle bit: two sweeps take it away, and the second one needs leave. */
static void tell_period(const struct arr *a, struct arr_why *w)
{
	bool is_ripe = bm_is_ripe(a->bitmap, w->chunk);

	if (w->counter != 1 && w->counter != 2)
		return;
	if (is_ripe && a->sweep_phase != SWEEP_IDLE) {
		w->reasons |= ARR_KEPT_BY_SWEEP;
		return;
	}
	if ((is_ripe && w->reasons) || arr_is_still(a))
		return;
	w->reasons |= ARR_KEPT_BY_PERIOD;
	w->clear_ms = (a->sweep_due_ms ?: a->now_ms + bm_daemon_sleep_ms(a->bitmap)) +
		      (w->counter == 2 ? bm_daemon_sleep_ms(a->bitmap) : 0);
}

void arr_why(const struct arr *a, chunk_no chunk, struct arr_why *w)
{
	const struct bm *b = a->bitmap;

	memset(w, 0, sizeof *w);
	w->chunk = chunk;
	w->at.bytes = chunk.index * bm_chunk_bytes(b);
	w->len_bytes = min_u64(bm_chunk_bytes(b), a->size_bytes - w->at.bytes);
	w->is_set = bm_bit(b, chunk);
	w->is_durable = bm_bit_is_durable(b, chunk);
	w->counter = bm_counter(b, chunk);
	if (!w->is_set) {
		w->is_clear_unwritten = !bm_page_is_written(b, chunk);
		return;
	}
	tell_setter(a, w);
	tell_writes(a, w);
	tell_sync(a, w);
	tell_state(a, w);
	tell_period(a, w);
}
