/* What the maps of images and of running arrays have in common: cells of equally many chunks. */
#ifndef UMD_LOOK_MAP_H
#define UMD_LOOK_MAP_H

#include "base/text.h"
#include "base/units.h"

enum { LOOK_MAP_CELLS = 1024, LOOK_MAP_CELLS_MAX = 65536, LOOK_MAP_RUNS_MAX = 10000 };

/* Chunks per cell, so that @chunks fit into @cells_max cells; at least 1. */
static inline uint64_t look_map_cell_chunks(uint64_t chunks, uint64_t cells_max)
{
	return max_u64(1, div_up(chunks, cells_max));
}

/* "key": [n, n, ...]; NULL cells: null. */
void look_map_put_cells(struct text *t, const char *key, const uint64_t *cells, uint64_t count);
/* [first, last] */
void look_map_put_run(struct text *t, uint64_t first, uint64_t last);

#endif
