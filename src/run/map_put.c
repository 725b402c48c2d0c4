/* The JSON of one bitmap's map: set chunks per cell, states per cell, runs.
 *
 * Cells and few runs come from one pass over the chunks. All runs do not fit into memory: they are written in a second
 * pass, while it goes on. A slot that no node ever used is a map without a set chunk; a lockless bitmap that was never
 * initialised has no chunks yet, so it has no map (the member's notes say why). Left out: which members, which slots
 * (map.c). */
#include "run/map_inside.h"

#include <errno.h>

#include "base/mem.h"

enum { ENOUGH = -ECANCELED };

struct writing {
	struct text *t;
	uint64_t left;
};

static int write_run(void *opaque, struct run_range range)
{
	struct writing *w = opaque;

	/* A text whose sink has refused takes nothing more: the rest need not be read. */
	if (!w->left-- || w->t->is_broken)
		return ENOUGH;
	run_map_put_run(w->t, range.first, range.last);
	return 0;
}

static int put_runs(struct text *t, const struct run_slot *s, const struct run_scan *counted, uint64_t runs_max)
{
	struct writing w = { .t = t, .left = runs_max };
	struct run_scan again = { .on_range = write_run, .opaque = &w };
	int rc = 0;

	json_open(t, "set", '[');
	for (uint64_t i = 0; i < counted->range_count; i++)
		run_map_put_run(t, counted->ranges[i].first, counted->ranges[i].last);
	if (runs_max > RUN_MAP_RUNS_MAX && counted->run_count) {
		rc = run_scan(&s->bits, &again);
		run_scan_drop(&again);
	}
	json_close(t, ']');
	json_bool(t, "set_truncated", counted->run_count > runs_max || (rc < 0 && rc != ENOUGH));
	return rc == ENOUGH ? 0 : rc;
}

static void put_states(struct text *t, const struct run_scan *counted)
{
	json_open(t, "states", '{');
	for (int i = 0; i < LOCKLESS_STATES; i++)
		json_u64(t, fmt_lockless_name(i), counted->states[i]);
	json_close(t, '}');
	json_open(t, "state_cells", '{');
	for (int i = 0; i < LOCKLESS_STATES; i++)
		if (counted->states[i])
			run_map_put_cells(t, fmt_lockless_name(i), counted->state_cells[i], counted->cell_count);
	json_close(t, '}');
}

static const char *array_state(const struct run_source *s)
{
	if (s->external || !s->e.look.has_superblock)
		return NULL;
	return s->e.look.sb.resync_offset_sectors == FMT_SB1_RESYNC_NONE ? "clean" : "active";
}

static int put_counted(struct text *t, const struct run_source *source, const struct run_slot *s,
		       const struct run_scan *counted, uint64_t runs_max)
{
	int rc;

	json_open(t, NULL, '{');
	json_str(t, "path", source->e.path);
	json_u64(t, "slot", s->slot);
	json_str(t, "kind", s->kind);
	json_bool(t, "used", s->is_used);
	json_u64(t, "chunk_bytes", s->chunk_bytes);
	json_u64(t, "chunks", s->chunks);
	json_u64(t, "set_chunks", counted->set_chunks);
	json_u64(t, "runs", counted->run_count);
	json_u64(t, "cell_chunks", counted->cell_chunks);
	run_map_put_cells(t, "cells", counted->cells, counted->cell_count);
	if (s->bits.is_lockless)
		put_states(t, counted);
	rc = put_runs(t, s, counted, runs_max);
	json_str(t, "array_state", array_state(source));
	json_null(t, "needed_cells");
	json_null(t, "sync_position_bytes");
	json_close(t, '}');
	return rc;
}

int run_map_put(struct text *t, struct run_source *source, uint32_t slot, uint64_t cells_max, uint64_t *runs_left,
		bool *ret_is_put)
{
	struct run_scan counted = { .ranges_max = *runs_left <= RUN_MAP_RUNS_MAX ? *runs_left : 0 };
	struct run_slot s;
	int rc = run_source_slot(source, slot, &s);

	*ret_is_put = false;
	if (rc < 0 || !s.is_initialised)
		return rc;
	counted.cell_chunks = run_map_cell_chunks(s.chunks, cells_max);
	counted.cell_count = div_up(s.chunks, counted.cell_chunks);
	rc = run_scan(&s.bits, &counted);
	*ret_is_put = rc == 0;
	if (rc == 0)
		rc = put_counted(t, source, &s, &counted, *runs_left);
	if (rc < 0)
		err_set(&source->e.error, rc, "%s: the bitmap at byte %llu cannot be read: %s", source->e.shown,
			(unsigned long long)s.at.bytes, err_sentence(rc));
	*runs_left -= min_u64(*runs_left, counted.run_count);
	run_scan_drop(&counted);
	return rc;
}
