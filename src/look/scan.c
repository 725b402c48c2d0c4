/* One pass over the chunks of a bitmap: counts, cells, runs.
 *
 * Everything is counted on words of bits (scan_words.c), whatever the bitmap is made of: state bytes are turned into
 * bits first (scan_states.c), the slots of a cluster are joined with OR. Single runs are taken out of the words only
 * while somebody wants them; a hostile bitmap of 2^33 runs costs the same as an empty one of its length.
 *
 *	        piece          hole          piece (short)
 *	|==================|............|=======|......      what lies in holes is zero: clear, or "unwritten"
 *	     |    :    |    segments: cut where a cell ends, at from and at until, so that each is one sum
 *
 * A run may go on from piece to piece; it is told when its end is seen. Left out: how pieces are read (scan_read.c). */
#include "look/scan_inside.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { RANGES_FIRST = 64 };

struct pass {
	struct look_scan *s;
	uint64_t chunks;
	bool is_lockless;
	uint64_t until;
	uint64_t at;			/* chunks before it are done */
	bool is_before_set;		/* the chunk before @at */
	bool wants_ranges, wants_states, is_open, is_state_open;
	uint64_t open_first;		/* of the run that has not ended yet */
	struct look_range open_states;
	enum lockless_state open_state;
	struct scan_states table;
	uint64_t words[SCAN_WORDS];	/* the piece, as bits */
	uint64_t more[SCAN_WORDS];	/* its state bytes; or the bits of one more slot */
};

/* ---- runs ---- */

static int keep(struct look_scan *s, struct look_range range)
{
	uint64_t room = s->range_room ? 2 * s->range_room : RANGES_FIRST;
	struct look_range *ranges;

	if (s->range_count == s->range_room) {
		ranges = mem_new(room, sizeof *ranges);
		if (!ranges)
			return -ENOMEM;
		if (s->range_count)
			memcpy(ranges, s->ranges, s->range_count * sizeof *ranges);
		mem_free(s->ranges);
		s->ranges = ranges;
		s->range_room = room;
	}
	s->ranges[s->range_count++] = range;
	return 0;
}

static int tell_range(struct pass *p, uint64_t first, uint64_t end)
{
	struct look_scan *s = p->s;
	struct look_range range = { first, end - 1 };
	int rc = s->on_range ? s->on_range(s->opaque, range) : 0;

	if (rc == 0 && s->range_count < s->ranges_max)
		rc = keep(s, range);
	p->wants_ranges = s->on_range || s->range_count < s->ranges_max;
	return rc;
}

static int end_range(struct pass *p, uint64_t end)
{
	if (!p->is_open)
		return 0;
	p->is_open = false;
	return tell_range(p, p->open_first, end);
}

static int take_ranges(struct pass *p, uint64_t first, uint64_t count)
{
	uint64_t lo = 0, hi;
	int rc = 0;

	while (rc == 0 && p->wants_ranges) {
		if (!p->is_open) {
			lo = look_words_find(p->words, lo, count, true);
			if (lo == count)
				break;
			p->is_open = true;
			p->open_first = first + lo;
		}
		hi = look_words_find(p->words, lo, count, false);
		if (hi == count)
			break;
		rc = end_range(p, first + hi);
		lo = hi;
	}
	return rc;
}

static int end_states(struct pass *p)
{
	int rc;

	if (!p->is_state_open)
		return 0;
	p->is_state_open = false;
	rc = p->s->on_state(p->s->opaque, p->open_states, p->open_state);
	p->wants_states = rc == 0;
	return rc > 0 ? 0 : rc;
}

static int add_states(struct pass *p, uint64_t first, uint64_t count, enum lockless_state state)
{
	int rc;

	if (p->is_state_open && p->open_state == state) {
		p->open_states.last += count;
		return 0;
	}
	rc = end_states(p);
	if (rc < 0 || !p->wants_states)
		return rc;
	p->is_state_open = true;
	p->open_state = state;
	p->open_states = (struct look_range){ first, first + count - 1 };
	return 0;
}

static int take_states(struct pass *p, uint64_t first, uint64_t count)
{
	const uint8_t *bytes = (const uint8_t *)p->more;
	uint64_t len;
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && p->wants_states && at < count; at += len) {
		len = look_states_run(&p->table, bytes + at, count - at);
		rc = add_states(p, first + at, len, p->table.state[bytes[at]]);
	}
	return rc;
}

/* ---- counts ---- */

/* Where the sum that begins at @first must end, at @end at the latest. */
static uint64_t segment_end(const struct pass *p, uint64_t first, uint64_t end)
{
	const struct look_scan *s = p->s;

	if (first < s->from)
		end = min_u64(end, s->from);
	if (first < p->until)
		end = min_u64(end, p->until);
	if (s->cell_count)
		end = first + min_u64(end - first, s->cell_chunks - first % s->cell_chunks);
	return end;
}

static void count_states(struct look_scan *s, uint64_t first, const uint64_t counts[LOCKLESS_STATES])
{
	for (int state = 0; state < LOCKLESS_STATES; state++) {
		s->states[state] += counts[state];
		if (s->cell_count)
			s->state_cells[state][first / s->cell_chunks] += counts[state];
	}
}

static bool is_set(const struct pass *p, uint64_t bit)
{
	return p->words[bit / SCAN_WORD_CHUNKS] >> bit % SCAN_WORD_CHUNKS & 1;
}

/* The bits @lo up to @hi of the piece at @first. */
static void count_between(struct pass *p, uint64_t first, uint64_t lo, uint64_t hi, uint64_t set)
{
	struct look_scan *s = p->s;

	if (first + lo < s->from || first + hi > p->until)
		return;
	s->set_between += set;
	s->is_from_set |= first + lo == s->from && is_set(p, lo);
	s->is_until_set |= first + hi == p->until && is_set(p, hi - 1);
}

static void count_piece(struct pass *p, uint64_t first, uint64_t count)
{
	struct look_scan *s = p->s;
	uint64_t hi;

	for (uint64_t lo = 0; lo < count; lo = hi) {
		uint64_t counts[LOCKLESS_STATES] = { 0 }, set;

		hi = segment_end(p, first + lo, first + count) - first;
		set = look_words_set(p->words, lo, hi);
		s->set_chunks += set;
		count_between(p, first, lo, hi, set);
		if (s->cell_count)
			s->cells[(first + lo) / s->cell_chunks] += set;
		if (!p->is_lockless)
			continue;
		look_states_count(&p->table, (const uint8_t *)p->more + lo, hi - lo, counts);
		count_states(s, first + lo, counts);
	}
	s->run_count += look_words_starts(p->words, div_up(count, SCAN_WORD_CHUNKS), p->is_before_set);
}

static int take_piece(struct pass *p, uint64_t first, uint64_t count)
{
	int rc = 0;

	if (p->is_lockless)
		look_states_due(&p->table, (const uint8_t *)p->more, count, p->words);
	count_piece(p, first, count);
	if (p->wants_ranges)
		rc = take_ranges(p, first, count);
	if (rc == 0 && p->wants_states)
		rc = take_states(p, first, count);
	p->at = first + count;
	p->is_before_set = is_set(p, count - 1);
	return rc;
}

/* Nothing lies between the last piece and @end. */
static int take_hole(struct pass *p, uint64_t end)
{
	uint64_t next;
	int rc;

	if (end == p->at)
		return 0;
	rc = end_range(p, p->at);
	if (rc == 0 && p->wants_states)
		rc = add_states(p, p->at, end - p->at, LOCKLESS_UNWRITTEN);
	for (; p->is_lockless && p->at < end; p->at = next) {
		uint64_t counts[LOCKLESS_STATES] = { 0 };

		next = segment_end(p, p->at, end);
		counts[LOCKLESS_UNWRITTEN] = next - p->at;
		count_states(p->s, p->at, counts);
	}
	p->at = end;
	p->is_before_set = false;
	return rc;
}

/* ---- the pass ---- */

static uint64_t nearest(struct scan_reader *readers, uint32_t count, uint64_t at, uint64_t chunks)
{
	uint64_t next = chunks;

	for (uint32_t i = 0; i < count; i++)
		next = min_u64(next, look_reader_next(&readers[i], at));
	return next;
}

static int read_piece(struct pass *p, struct scan_reader *readers, uint32_t reader_count, uint64_t first,
		      uint64_t count)
{
	bool is_first = true;
	int rc = 0;

	if (p->is_lockless)
		return look_reader_read(&readers[0], first, count, p->more);
	for (uint32_t i = 0; rc == 0 && i < reader_count; i++) {
		if (look_reader_next(&readers[i], first) >= first + count)
			continue;
		rc = look_reader_read(&readers[i], first, count, is_first ? p->words : p->more);
		for (uint64_t k = 0; !is_first && k < div_up(count, SCAN_WORD_CHUNKS); k++)
			p->words[k] |= p->more[k];
		is_first = false;
	}
	return rc;
}

static int pass_over(struct pass *p, struct scan_reader *readers, uint32_t count)
{
	struct scan_pace pace = { 0 };
	uint64_t next, len;
	int rc = 0;

	while (rc == 0 && (next = nearest(readers, count, p->at, p->chunks)) < p->chunks) {
		len = look_scan_pace(&pace, next, p->chunks, p->is_lockless);
		rc = take_hole(p, next);
		if (rc == 0)
			rc = read_piece(p, readers, count, next, len);
		if (rc == 0)
			rc = take_piece(p, next, len);
	}
	if (rc == 0)
		rc = take_hole(p, p->chunks);
	if (rc == 0)
		rc = end_range(p, p->chunks);
	return rc == 0 ? end_states(p) : rc;
}

static int begin(const struct look_bitmap *slots, uint32_t count, struct look_scan *s, struct scan_reader *readers)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!look_bitmap_is_on_member(&slots[i]))
			return -EIO;
		look_reader_begin(&readers[i], &slots[i]);
	}
	if (!s->cell_count)
		return 0;
	if (!s->cell_chunks || div_up(slots[0].chunks, s->cell_chunks) > s->cell_count)
		return -EINVAL;
	s->cells = mem_new(s->cell_count, sizeof *s->cells);
	if (!s->cells)
		return -ENOMEM;
	for (int state = 0; slots[0].is_lockless && state < LOCKLESS_STATES; state++) {
		s->state_cells[state] = mem_new(s->cell_count, sizeof *s->cells);
		if (!s->state_cells[state])
			return -ENOMEM;
	}
	return 0;
}

int look_scan_union(const struct look_bitmap *slots, uint32_t count, struct look_scan *s)
{
	struct scan_reader *readers = mem_new(count, sizeof *readers);
	struct pass *p = mem_new(1, sizeof *p);
	int rc = -ENOMEM;

	if (readers && p) {
		p->s = s;
		p->chunks = slots[0].chunks;
		p->is_lockless = slots[0].is_lockless;
		p->until = s->until ? min_u64(s->until, p->chunks) : p->chunks;
		p->wants_ranges = s->on_range || s->ranges_max;
		p->wants_states = p->is_lockless && s->on_state;
		if (p->is_lockless)
			look_states_learn(&p->table);
		rc = begin(slots, count, s, readers);
		if (rc == 0)
			rc = pass_over(p, readers, count);
		s->is_last_set = p->is_before_set;
		s->is_truncated = s->run_count > s->range_count;
	}
	mem_free(p);
	mem_free(readers);
	return rc;
}

int look_scan(const struct look_bitmap *b, struct look_scan *s)
{
	return look_scan_union(b, 1, s);
}

void look_scan_drop(struct look_scan *s)
{
	s->ranges = mem_free(s->ranges);
	s->range_count = s->range_room = 0;
	s->cells = mem_free(s->cells);
	for (int state = 0; state < LOCKLESS_STATES; state++)
		s->state_cells[state] = mem_free(s->state_cells[state]);
}
