/* The map of a running array: what is set and what is needed, in cells and in runs.
 *
 * Clients wait for the array's lock, and a bitmap may have 2^33 chunks. So everything is asked in pieces: the lock is
 * taken, a bounded part is counted, the lock is let go. A chunk that changes meanwhile is shown as it was when its
 * piece was counted; set_chunks is the sum of the cells, so that both belong together. A bitmap whose file fails is
 * gone between two pieces: then there is nothing to draw.
 *
 *   piece of counting   PIECE_CHUNKS chunks: 128 KiB of bits, 512 leaves of counters
 *   piece of runs       PIECE_CHUNKS chunks looked through, or PIECE_RUNS needed runs of at most one leaf each
 *
 * Left out: lockless states (no such array runs), pictures (the tool). */
#include "run/running.h"

#include <errno.h>

#include "base/mem.h"
#include "look/map.h"
#include "look/scan.h"

enum { PIECE_CHUNKS = 1 << 20, PIECE_RUNS = 128 };

struct runs {
	struct look_range *ranges;
	uint64_t count;
	bool is_truncated;		/* there is at least one more */
};

struct live {
	struct umd_array *u;
	const struct bm *b;		/* NULL: none, or no more */
	bool is_bare;
	uint64_t chunks, chunk_bytes, cell_chunks, cell_count;
	uint64_t *set, *needed;		/* per cell */
	uint64_t set_chunks;
	struct runs set_runs, needed_runs;
	struct arr_status status;
};

/* Take the lock for a piece; false, and not taken: the bitmap is gone. No other has come, that would be an errand. */
static bool lock(struct live *l)
{
	pthread_mutex_lock(&l->u->lock);
	if (arr_bitmap(l->u->arr) != l->b)
		l->b = NULL;
	if (!l->b)
		pthread_mutex_unlock(&l->u->lock);
	return l->b;
}

/* ---- cells ---- */

/* Count from @at on, at most a piece; returns where the next piece begins. */
static uint64_t count_piece(struct live *l, uint64_t at)
{
	uint64_t end = min_u64(l->chunks, at + PIECE_CHUNKS);

	while (at < end) {
		uint64_t cell = at / l->cell_chunks, stop = min_u64((cell + 1) * l->cell_chunks, end);

		l->set[cell] += bm_count_set(l->b, (chunk_no){ at }, (chunk_no){ stop });
		l->needed[cell] += bm_count_needed(l->b, (chunk_no){ at }, (chunk_no){ stop });
		at = stop;
	}
	return end;
}

static void count_cells(struct live *l)
{
	for (uint64_t at = 0; at < l->chunks && lock(l);) {
		at = count_piece(l, at);
		pthread_mutex_unlock(&l->u->lock);
	}
	for (uint64_t i = 0; i < l->cell_count; i++)
		l->set_chunks += l->set[i];
}

/* ---- runs ---- */

/* Join to the run before, or keep as a new one. False: there is no more room. */
static bool keep(struct runs *r, uint64_t first, uint64_t last)
{
	if (r->count && r->ranges[r->count - 1].last + 1 == first) {
		r->ranges[r->count - 1].last = last;
		return true;
	}
	r->is_truncated = r->count == LOOK_MAP_RUNS_MAX;
	if (!r->is_truncated)
		r->ranges[r->count++] = (struct look_range){ first, last };
	return !r->is_truncated;
}

static uint64_t set_runs_of_piece(struct live *l, uint64_t at)
{
	chunk_no end = { min_u64(l->chunks, at + PIECE_CHUNKS) }, first = { at }, last;

	for (; bm_next_set_below(l->b, first, end, &first, &last); first.index = last.index + 1)
		if (!keep(&l->set_runs, first.index, last.index))
			return l->chunks;
	return end.index;
}

/* Returns the byte where the next piece begins; OFF_NONE: none is left. */
static uint64_t needed_runs_of_piece(struct live *l, uint64_t from)
{
	uint64_t len;
	array_off at;

	for (uint32_t i = 0; i < PIECE_RUNS; i++, from = at.bytes + len) {
		if (!bm_next_needed(l->b, (array_off){ from }, &at, &len) ||
		    !keep(&l->needed_runs, at.bytes / l->chunk_bytes, (at.bytes + len - 1) / l->chunk_bytes))
			return OFF_NONE;
	}
	return from;
}

static void find_runs(struct live *l)
{
	for (uint64_t at = 0; at < l->chunks && lock(l);) {
		at = set_runs_of_piece(l, at);
		pthread_mutex_unlock(&l->u->lock);
	}
	for (uint64_t from = 0; from != OFF_NONE && lock(l);) {
		from = needed_runs_of_piece(l, from);
		pthread_mutex_unlock(&l->u->lock);
	}
}

/* ---- the object ---- */

static void put_runs(struct text *t, const char *key, const struct runs *r)
{
	json_open(t, key, '[');
	for (uint64_t i = 0; i < r->count; i++)
		look_map_put_run(t, r->ranges[i].first, r->ranges[i].last);
	json_close(t, ']');
}

static void put_live(const struct live *l, struct text *t)
{
	json_open(t, NULL, '{');
	json_str(t, "name", run_rundir_name(l->u->rundir));
	json_u64(t, "slot", 0);
	json_str(t, "kind", l->is_bare ? "external" : "internal");
	json_u64(t, "chunk_bytes", l->chunk_bytes);
	json_u64(t, "chunks", l->chunks);
	json_u64(t, "set_chunks", l->set_chunks);
	if (l->set_runs.is_truncated)
		json_null(t, "runs");
	else
		json_u64(t, "runs", l->set_runs.count);
	json_u64(t, "cell_chunks", l->cell_chunks);
	look_map_put_cells(t, "cells", l->set, l->cell_count);
	look_map_put_cells(t, "needed_cells", l->needed, l->cell_count);
	put_runs(t, "set", &l->set_runs);
	json_bool(t, "set_truncated", l->set_runs.is_truncated);
	put_runs(t, "needed", &l->needed_runs);
	json_bool(t, "needed_truncated", l->needed_runs.is_truncated);
	json_str(t, "array_state", arr_state_name(l->status.state));
	json_off(t, "sync_position_bytes", l->status.action ? l->status.sync_position : OFF_NONE);
	json_close(t, '}');
}

/* What does not change while the array runs, and its state; false: there is no bitmap. */
static bool look_in(struct live *l)
{
	pthread_mutex_lock(&l->u->lock);
	if (l->u->arr) {
		l->b = arr_bitmap(l->u->arr);
		arr_get_status(l->u->arr, &l->status);
	}
	if (l->b) {
		l->is_bare = bm_is_bare(l->b);
		l->chunks = bm_chunks(l->b);
		l->chunk_bytes = bm_chunk_bytes(l->b);
	}
	pthread_mutex_unlock(&l->u->lock);
	return l->b;
}

static bool make_room(struct live *l, uint64_t cells_max)
{
	l->cell_chunks = look_map_cell_chunks(l->chunks, cells_max);
	l->cell_count = div_up(l->chunks, l->cell_chunks);
	l->set = mem_new(l->cell_count, sizeof *l->set);
	l->needed = mem_new(l->cell_count, sizeof *l->needed);
	l->set_runs.ranges = mem_new(LOOK_MAP_RUNS_MAX, sizeof *l->set_runs.ranges);
	l->needed_runs.ranges = mem_new(LOOK_MAP_RUNS_MAX, sizeof *l->needed_runs.ranges);
	return l->set && l->needed && l->set_runs.ranges && l->needed_runs.ranges;
}

void run_map(struct umd_array *u, uint64_t cells_max, struct text *t)
{
	struct live l = { .u = u };
	struct err err = { 0 };

	if (look_in(&l) && !make_room(&l, cells_max)) {
		err_set(&err, -ENOMEM, "no memory for a map of %llu cells", (unsigned long long)l.cell_count);
	} else if (l.b) {
		count_cells(&l);
		find_runs(&l);
	}
	if (!l.b)
		err_set(&err, UMD_E_NOT_SUPPORTED, "array %s has no bitmap: there is nothing to draw",
			run_rundir_name(u->rundir));
	else if (!err.code)
		put_live(&l, t);
	if (err.code)
		run_control_refuse(t, &err);
	mem_free(l.set);
	mem_free(l.needed);
	mem_free(l.set_runs.ranges);
	mem_free(l.needed_runs.ranges);
}
