/* The JSON of one bitmap's map: set chunks per cell, states per cell, runs.
 *
 * Cells and few runs come from one pass over the chunks. All runs do not fit into memory: they are written in a second
 * pass, while it goes on. A slot that no node ever used is a map without a set chunk; a lockless bitmap that was never
 * initialised has no chunks yet, so it has no map (the member's notes say why). Left out: which members, which slots
 * (map.c). */
#include "look/map_inside.h"

#include <errno.h>

#include "base/mem.h"

enum { ENOUGH = -ECANCELED };

struct writing {
	struct text *t;
	uint64_t left;
};

/* ---- cells and runs, of running arrays as well ---- */

void look_map_put_cells(struct text *t, const char *key, const uint64_t *cells, uint64_t count)
{
	if (!cells) {
		json_null(t, key);
		return;
	}
	json_open(t, key, '[');
	for (uint64_t i = 0; i < count; i++)
		json_u64(t, NULL, cells[i]);
	json_close(t, ']');
}

void look_map_put_run(struct text *t, uint64_t first, uint64_t last)
{
	json_open(t, NULL, '[');
	json_u64(t, NULL, first);
	json_u64(t, NULL, last);
	json_close(t, ']');
}

/* ---- one map ---- */

static int write_run(void *opaque, struct look_range range)
{
	struct writing *w = opaque;

	/* A text whose sink has refused takes nothing more: the rest need not be read. */
	if (!w->left-- || w->t->is_broken)
		return ENOUGH;
	look_map_put_run(w->t, range.first, range.last);
	return 0;
}

static int put_runs(struct text *t, const struct look_slot *s, const struct look_scan *counted, uint64_t runs_max)
{
	struct writing w = { .t = t, .left = runs_max };
	struct look_scan again = { .on_range = write_run, .opaque = &w };
	int rc = 0;

	json_open(t, "set", '[');
	for (uint64_t i = 0; i < counted->range_count; i++)
		look_map_put_run(t, counted->ranges[i].first, counted->ranges[i].last);
	if (runs_max > LOOK_MAP_RUNS_MAX && counted->run_count) {
		rc = look_scan(&s->bits, &again);
		look_scan_drop(&again);
	}
	json_close(t, ']');
	json_bool(t, "set_truncated", counted->run_count > runs_max || (rc < 0 && rc != ENOUGH));
	return rc == ENOUGH ? 0 : rc;
}

static void put_states(struct text *t, const struct look_scan *counted)
{
	json_open(t, "states", '{');
	for (int i = 0; i < LOCKLESS_STATES; i++)
		json_u64(t, fmt_lockless_name(i), counted->states[i]);
	json_close(t, '}');
	json_open(t, "state_cells", '{');
	for (int i = 0; i < LOCKLESS_STATES; i++)
		if (counted->states[i])
			look_map_put_cells(t, fmt_lockless_name(i), counted->state_cells[i], counted->cell_count);
	json_close(t, '}');
}

static const char *array_state(const struct look_source *s)
{
	if (s->external || !s->e.look.has_superblock)
		return NULL;
	return s->e.look.sb.resync_offset_sectors == FMT_SB1_RESYNC_NONE ? "clean" : "active";
}

static int put_counted(struct text *t, const struct look_source *source, const struct look_slot *s,
		       const struct look_scan *counted, uint64_t runs_max)
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
	look_map_put_cells(t, "cells", counted->cells, counted->cell_count);
	if (s->bits.is_lockless)
		put_states(t, counted);
	rc = put_runs(t, s, counted, runs_max);
	json_str(t, "array_state", array_state(source));
	json_null(t, "needed_cells");
	json_null(t, "sync_position_bytes");
	json_close(t, '}');
	return rc;
}

int look_map_put(struct text *t, struct look_source *source, uint32_t slot, uint64_t cells_max, uint64_t *runs_left,
		 bool *ret_is_put)
{
	struct look_scan counted = { .ranges_max = *runs_left <= LOOK_MAP_RUNS_MAX ? *runs_left : 0 };
	struct look_slot s;
	int rc = look_source_slot(source, slot, &s);

	*ret_is_put = false;
	if (rc < 0 || !s.is_initialised)
		return rc;
	counted.cell_chunks = look_map_cell_chunks(s.chunks, cells_max);
	counted.cell_count = div_up(s.chunks, counted.cell_chunks);
	rc = look_scan(&s.bits, &counted);
	*ret_is_put = rc == 0;
	if (rc == 0)
		rc = put_counted(t, source, &s, &counted, *runs_left);
	if (rc < 0)
		err_set(&source->e.error, rc, "%s: the bitmap at byte %llu cannot be read: %s", source->e.shown,
			(unsigned long long)s.at.bytes, err_sentence(rc));
	*runs_left -= min_u64(*runs_left, counted.run_count);
	look_scan_drop(&counted);
	return rc;
}
