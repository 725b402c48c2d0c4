/* A picture of bitmaps laid out on a sheet: rectangles and lines of text with their places. Whoever draws it (SVG, PNG)
 * decides nothing, so all of them agree. */
#ifndef FRONT_CLI_MAP_SHEET_H
#define FRONT_CLI_MAP_SHEET_H

#include "map_model.h"

/* The inks of cells come first: class by class, and within a class level by level. */
enum { SHEET_CELL_INKS = MAP_CLASSES * MAP_LEVELS };
enum sheet_ink {
	SHEET_PAPER = SHEET_CELL_INKS,
	SHEET_TEXT,
	SHEET_DIM,
	SHEET_INKS
};

struct sheet_shape {
	bool is_text;
	unsigned ink;
	double x, y, width, height;	/* of a text: x, y is the start (or end) of its base line, height its size */
	bool is_end, is_bold;		/* of a text: x is its right end */
	char *text;			/* UTF-8, fit for a terminal; of a rectangle: what it stands for, or NULL */
};

struct sheet {
	double width, height;
	char *title;
	struct sheet_shape *shapes;
	size_t shape_count, shape_room;
};

enum { SHEET_ROWS_MAX = 16, SHEET_WIDTH = 64 };

/* @width: cells per row; 0: chosen. The cells may become coarser. */
struct sheet *sheet_make(struct map_picture *p, uint32_t width);
struct sheet *sheet_drop(struct sheet *s);

/* 0xRRGGBB on light and on dark paper. */
uint32_t sheet_colour(unsigned ink, bool is_dark);

/* False: it could not be made, and the sentence is said. Errors of the stream are left in the stream. */
bool sheet_write_svg(const struct sheet *s, FILE *to);
bool sheet_write_png(const struct sheet *s, FILE *to);

#endif
