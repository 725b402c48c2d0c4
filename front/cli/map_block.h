/* One panel as lines of text: what map_text.c puts side by side or below each other. */
#ifndef FRONT_CLI_MAP_BLOCK_H
#define FRONT_CLI_MAP_BLOCK_H

#include "map_text.h"

struct map_block {
	char **lines;
	size_t count;
};

enum { MAP_DOTS = 8 };		/* cells of a braille character */

/* Cells of one character. */
static inline unsigned map_dots(const struct map_text *t)
{
	return t->style == MAP_BRAILLE ? MAP_DOTS : 1;
}

static inline uint64_t map_row_cells(const struct map_text *t, uint32_t width)
{
	return (uint64_t)width * map_dots(t);
}

const char *map_glyph(const struct map_text *t, enum map_class class, unsigned level);
/* Stands for what was cut off. */
const char *map_cut_mark(const struct map_text *t);

/* @width: characters per row; @title_columns: room for the title, 0: as much as it takes. */
struct map_block map_block_make(const struct map_text *t, const struct map_panel *p, uint32_t width,
				size_t title_columns);
void map_block_drop(struct map_block *b);

#endif
