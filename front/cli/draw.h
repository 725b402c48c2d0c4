/* A bitmap as a picture of characters. */
#ifndef FRONT_CLI_DRAW_H
#define FRONT_CLI_DRAW_H

#include "cli.h"

struct json_object;

struct cli_map {
	uint64_t chunk_count, chunk_bytes;
	struct json_object *set, *needed;	/* inclusive runs [[a, b], ...]; needed NULL: only a server knows */
	uint64_t sync_position_bytes;		/* UINT64_MAX: no sync runs */
};

/* Rows of @width cells, at most 16, with the offset in front, then scale and legend. Colours only on a terminal. */
void cli_draw(const struct cli_map *map, uint32_t width);

#endif
