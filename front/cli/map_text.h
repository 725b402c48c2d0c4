/* A picture of bitmaps made of characters. */
#ifndef FRONT_CLI_MAP_TEXT_H
#define FRONT_CLI_MAP_TEXT_H

#include "map_model.h"

enum map_style { MAP_BLOCKS, MAP_BRAILLE, MAP_ASCII };

struct map_text {
	enum map_style style;
	bool has_colour;
	uint32_t width;		/* characters per row; 0: chosen */
	uint32_t columns;	/* of the terminal, or of the page */
	uint32_t rows_max;	/* of one panel */
};

enum { MAP_WIDTH = 64, MAP_WIDTH_MIN = 8, MAP_WIDTH_MAX = 512 };

/* What suits stdout: terminal, locale and NO_COLOR are asked. */
struct map_text map_text_for_stdout(void);
/* How many cells of a map this picture can use; ask the library for as many. */
uint64_t map_text_cells(const struct map_text *t);
/* Panels side by side where @columns allow, else below each other; scale and legend. The cells may become coarser. */
void map_text_draw(const struct map_text *t, struct map_picture *p, FILE *to);
/* At most @columns columns of @line, its escape sequences kept: one that is longer loses its end. Returns how many
 * columns are left. */
size_t map_text_cut(const struct map_text *t, const char *line, size_t columns, FILE *to);

#endif
