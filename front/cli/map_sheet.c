/* The layout of a picture with pixels, in one place for every format.
 *
 *   +--------------------------------------------------+
 *   | title                                            |   owners, or the running array
 *   |  panel title                panel title          |   only where there are several panels
 *   |   0 B   ########            0 B  ########        |   rows of square cells, the offset of the first in front
 *   |  4 MiB  ########           4 MiB ########        |
 *   |  counts, scale, remark      counts, scale, ...   |
 *   |  [] clean  [] set ...                            |   legend: only what occurs, wrapped
 *   +--------------------------------------------------+
 *
 * The widths of texts are estimated for a sans serif face and on the large side, since nobody knows which face a viewer
 * has. A text that would pass its place loses characters: names their beginning (the end of a path tells more), others
 * their end.
 *
 * Left out: what a class is called and which class a cell has (map_model.c). */
#include "map_sheet.h"

#include <stdlib.h>
#include <string.h>

#define EM 0.62			/* mean width of a character, in sizes */

enum {
	MARGIN = 24,
	OFFSET_WIDTH = 72,
	GAP = 36,		/* between panels */
	TITLE = 20, TITLE_LINES = 3, HEADING = 14, SMALL = 12,
	LINE = 18,
	SWATCH = 12,
	CELL_MOST = 40,		/* a map of few chunks gets large cells */
	ROW_WIDTH = 768,	/* of the cells of a single panel */
	ROW_WIDTH_BESIDE = 416,
};

/* ---- colours ---- */

struct colours {
	uint32_t light, dark;
};

#define SAME(l, d) { { l, d }, { l, d }, { l, d }, { l, d } }
#define AMBER { { 0xfbdc9c, 0x5c4415 }, { 0xf8c056, 0x8f6413 }, { 0xf0a020, 0xc98a16 }, { 0xd97a06, 0xf7ad2b } }

static const struct colours cell_colours[MAP_CLASSES][MAP_LEVELS] = {
	[MAP_CLEAN] = SAME(0xe6e9ed, 0x2b3138),
	[MAP_UNWRITTEN] = SAME(0xeff1f4, 0x232930),
	[MAP_WRITTEN] = SAME(0x9ccfa8, 0x2f6b40),
	[MAP_SET] = AMBER,
	[MAP_DIRTY] = AMBER,
	[MAP_NEED_SYNC] = SAME(0xcf222e, 0xf85149),
	[MAP_SYNCING] = SAME(0x0969da, 0x58a6ff),
	[MAP_INVALID] = SAME(0x9a2fb0, 0xd07be3),
	[MAP_NEEDED] = SAME(0xcf222e, 0xf85149),
	[MAP_SYNC] = SAME(0x0969da, 0x58a6ff),
	[MAP_BOTH] = AMBER,
	[MAP_ONLY_A] = SAME(0x8250df, 0xb083f0),
	[MAP_ONLY_B] = SAME(0x0f8a7e, 0x39c5b4),
	[MAP_EITHER] = SAME(0xcf222e, 0xf85149),
};

static const struct colours sheet_colours[SHEET_INKS - SHEET_CELL_INKS] = {
	[SHEET_PAPER - SHEET_CELL_INKS] = { 0xffffff, 0x0d1117 },
	[SHEET_TEXT - SHEET_CELL_INKS] = { 0x1f2328, 0xe6edf3 },
	[SHEET_DIM - SHEET_CELL_INKS] = { 0x59636e, 0x9198a1 },
};

uint32_t sheet_colour(unsigned ink, bool is_dark)
{
	const struct colours *c = ink < SHEET_CELL_INKS ? &cell_colours[ink / MAP_LEVELS][ink % MAP_LEVELS] :
							  &sheet_colours[ink - SHEET_CELL_INKS];

	return is_dark ? c->dark : c->light;
}

static unsigned ink_of(enum map_class class, unsigned level)
{
	return class * MAP_LEVELS + (map_has_levels(class) ? level - 1 : 0);
}

/* ---- shapes ---- */

static void *need(void *p)
{
	if (!p) {
		cli_refuse("there is not enough memory for a picture");
		exit(CLI_FAILED);
	}
	return p;
}

static void put(struct sheet *s, struct sheet_shape shape)
{
	if (s->shape_count == s->shape_room) {
		s->shape_room = s->shape_room ? 2 * s->shape_room : 256;
		s->shapes = need(reallocarray(s->shapes, s->shape_room, sizeof *s->shapes));
	}
	shape.text = shape.text ? need(strdup(shape.text)) : NULL;
	s->shapes[s->shape_count++] = shape;
}

struct sheet *sheet_drop(struct sheet *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->shape_count; i++)
		free(s->shapes[i].text);
	free(s->shapes);
	free(s->title);
	free(s);
	return NULL;
}

static void put_rect(struct sheet *s, double x, double y, double size, unsigned ink, const char *meaning)
{
	put(s, (struct sheet_shape){ .ink = ink, .x = x, .y = y, .width = size, .height = size,
				     .text = (char *)meaning });
}

/* ---- texts ---- */

/* Wide characters of eastern scripts take a whole em. */
static double character_width(uint32_t c)
{
	return c >= 0x1100 && !(c >= 0x2000 && c < 0x2e80) ? 1 : EM;
}

static double text_width(const char *s, double size)
{
	double width = 0;

	while (*s) {
		bool is_harmless;
		uint32_t c = 0;
		unsigned len = cli_character(s, &c, &is_harmless);

		width += character_width(c) * size;
		s += len ?: 1;
	}
	return width;
}

/* @text as it fits into @width: without its beginning ("a = " stays), or without its end. free() it. */
static char *fitting(const char *text, double size, double width, bool is_name)
{
	size_t len = strlen(text), kept = len > 4 && !strncmp(text + 1, " = ", 3) ? 4 : 0, at = kept;
	char *made;

	if (text_width(text, size) <= width)
		return need(strdup(text));
	made = need(malloc(len + sizeof "…"));
	if (is_name) {
		while (text[at] && text_width(text + at, size) + (1 + kept * EM) * size > width)
			for (at++; (text[at] & 0xc0) == 0x80; at++)
				;
		sprintf(made, "%.*s…%s", (int)kept, text, text + at);
		return made;
	}
	strcpy(made, text);
	for (; len && text_width(made, size) + size > width; made[len] = '\0')
		for (len--; len && (made[len] & 0xc0) == 0x80; len--)
			;
	return strcat(made, "…");
}

struct words {
	double x, y, size, width;
	unsigned ink;
	bool is_bold, is_end, is_name;
};

static void put_text(struct sheet *s, struct words w, const char *text)
{
	char *cut = fitting(text, w.size * (w.is_bold ? 1.1 : 1), w.width, w.is_name);

	put(s, (struct sheet_shape){ .is_text = true, .ink = w.ink, .x = w.x, .y = w.y, .width = w.width,
				     .height = w.size, .is_end = w.is_end, .is_bold = w.is_bold, .text = cut });
	free(cut);
}

/* ---- one panel ---- */

struct grid {
	uint32_t width;		/* cells per row */
	double pitch, row_width;
	bool has_headings;
};

static void put_cells(struct sheet *s, const struct map_panel *p, const struct grid *g, double x, double y)
{
	double gap = g->pitch >= 6 ? 1 : 0;
	char text[MAP_TEXT_BYTES];

	for (uint64_t cell = 0; cell < p->cell_count; cell++) {
		double at_x = x + OFFSET_WIDTH + cell % g->width * g->pitch, at_y = y + cell / g->width * g->pitch;

		map_say_cell(p, cell, text);
		put_rect(s, at_x, at_y, g->pitch - gap, ink_of(map_cell_class(p, cell), map_cell_level(p, cell)),
			 text);
	}
}

/* Offsets in front of as many rows as have room for one. */
static void put_offsets(struct sheet *s, const struct map_panel *p, const struct grid *g, double x, double y)
{
	uint64_t rows = (p->cell_count + g->width - 1) / g->width, step = 1;

	while (step * g->pitch < SMALL + 12)
		step++;
	for (uint64_t row = 0; row < rows; row += step)
		put_text(s,
			 (struct words){ .x = x + OFFSET_WIDTH - 8, .y = y + (row + 0.5) * g->pitch + SMALL * 0.36,
					 .size = SMALL, .width = OFFSET_WIDTH, .ink = SHEET_DIM, .is_end = true },
			 cli_bytes(row * g->width * p->cell_chunks * p->chunk_bytes));
}

/* How much of @text is one line of @width: all of it, or up to a blank. */
static size_t line_bytes(const char *text, double width)
{
	char line[MAP_TEXT_BYTES];
	size_t len = snprintf(line, sizeof line, "%s", text);

	while (text_width(line, SMALL) > width && strrchr(line, ' ')) {
		len = strrchr(line, ' ') - line;
		line[len] = '\0';
	}
	return len;
}

/* As many lines as the sentence takes; returns where what follows may begin. */
static double put_sentence(struct sheet *s, const struct grid *g, double x, double y, unsigned ink, const char *text)
{
	while (*text) {
		size_t len = line_bytes(text, g->row_width);
		char line[MAP_TEXT_BYTES];

		snprintf(line, sizeof line, "%.*s", (int)len, text);
		put_text(s,
			 (struct words){ .x = x + OFFSET_WIDTH, .y = y + SMALL, .size = SMALL,
					 .width = g->row_width, .ink = ink },
			 line);
		text += len + (text[len] == ' ');
		y += LINE;
	}
	return y;
}

/* Returns where what follows below may begin. */
static double put_panel(struct sheet *s, const struct map_panel *p, const struct grid *g, double x, double y)
{
	char text[MAP_TEXT_BYTES];

	if (g->has_headings) {
		put_text(s,
			 (struct words){ .x = x + OFFSET_WIDTH, .y = y + HEADING, .size = HEADING,
					 .width = g->row_width, .ink = SHEET_TEXT, .is_bold = true, .is_name = true },
			 p->title);
		y += LINE + 6;
	}
	if (p->cell_count) {
		put_cells(s, p, g, x, y);
		put_offsets(s, p, g, x, y);
		y += (p->cell_count + g->width - 1) / g->width * g->pitch + 8;
		map_say_counts(p, text);
		y = put_sentence(s, g, x, y, SHEET_TEXT, text);
		map_say_scale(p, "cell", text);
		y = put_sentence(s, g, x, y, SHEET_DIM, text);
	}
	return p->remark ? put_sentence(s, g, x, y, SHEET_DIM, p->remark) : y;
}

/* ---- the sheet ---- */

/* [] clean  [][][][] set: some, more, most, all */
static double put_legend(struct sheet *s, const struct map_picture *p, double y)
{
	double x = MARGIN + OFFSET_WIDTH;

	for (enum map_class c = 0; c < MAP_CLASSES; c++) {
		bool is_shaded = map_has_shades(p, c);
		unsigned levels = is_shaded ? MAP_LEVELS : 1;
		char text[MAP_TEXT_BYTES];
		double width;

		if (!map_levels_of(p, c))
			continue;
		snprintf(text, sizeof text, "%s%s", map_words(c), is_shaded ? ": some, more, most, all" : "");
		width = levels * (SWATCH + 2) + 6 + text_width(text, SMALL);
		if (x + width > s->width - MARGIN && x > MARGIN + OFFSET_WIDTH) {
			x = MARGIN + OFFSET_WIDTH;
			y += LINE;
		}
		for (unsigned level = is_shaded ? 1 : MAP_LEVELS; level <= MAP_LEVELS; level++, x += SWATCH + 2)
			put_rect(s, x, y, SWATCH, ink_of(c, level), NULL);
		put_text(s,
			 (struct words){ .x = x + 4, .y = y + SWATCH - 2, .size = SMALL,
					 .width = s->width - MARGIN - x - 4, .ink = SHEET_TEXT },
			 text);
		x += text_width(text, SMALL) + 20;
	}
	return y + LINE;
}

/* Cells per row: half as many where two panels stand side by side. */
static uint32_t grid_width(const struct map_picture *p, uint32_t width)
{
	return width ?: p->panel_count == 1 ? SHEET_WIDTH : SHEET_WIDTH / 2;
}

static struct grid grid_of(const struct map_picture *p, uint32_t width)
{
	bool is_single = p->panel_count == 1;
	struct grid g = { .width = grid_width(p, width), .has_headings = !is_single };
	uint64_t most = 1;

	for (size_t i = 0; i < p->panel_count; i++)
		most = p->panels[i].cell_count > most ? p->panels[i].cell_count : most;
	if (most < g.width)
		g.width = most;
	g.row_width = is_single ? ROW_WIDTH : ROW_WIDTH_BESIDE;
	g.pitch = (int)(g.row_width / g.width);
	if (g.pitch > CELL_MOST)
		g.pitch = CELL_MOST;
	if (g.pitch < 3)
		g.pitch = 3;
	if (g.row_width < g.pitch * g.width)
		g.row_width = g.pitch * g.width;
	return g;
}

static double put_panels(struct sheet *s, const struct map_picture *p, const struct grid *g, double y)
{
	double step = OFFSET_WIDTH + g->row_width + GAP, bottom = y;

	for (size_t i = 0; i < p->panel_count; i++) {
		double end;

		if (i % 2 == 0)
			y = bottom + (i ? LINE : 0);
		end = put_panel(s, &p->panels[i], g, MARGIN + i % 2 * step, y);
		bottom = end > bottom ? end : bottom;
	}
	return bottom;
}

/* How much of @title is one line: as many whole names as fit, at least one. Names are parted by ", ". */
static size_t title_bytes(const char *title, double width)
{
	size_t best = 0;

	for (const char *end = title; (end = strstr(end, ", ")); end += 2) {
		char *names = need(strndup(title, end - title));
		bool is_full = best && text_width(names, TITLE * 1.1) > width;
		free(names);
		if (is_full)
			return best;
		best = end - title;
	}
	return best && text_width(title, TITLE * 1.1) > width ? best : strlen(title);
}

/* Two names beside each other rarely fit, and one without its beginning says less than a second line. */
static double put_title(struct sheet *s, double y)
{
	struct words w = { .x = MARGIN + OFFSET_WIDTH, .size = TITLE, .width = s->width - 2 * MARGIN - OFFSET_WIDTH,
			   .ink = SHEET_TEXT, .is_bold = true, .is_name = true };
	const char *title = s->title;

	for (unsigned line = 1; line <= TITLE_LINES && *title; line++) {
		double width = w.width - (line == TITLE_LINES ? 3 * TITLE : 0);		/* for ", …" */
		size_t len = title_bytes(title, width), more = title[len] ? 2 : 0;
		char *names = need(malloc(len + sizeof ", …"));

		sprintf(names, "%.*s%s", (int)len, title, more && line == TITLE_LINES ? ", …" : "");
		w.y = y += line > 1 ? TITLE + 6 : TITLE;
		put_text(s, w, names);
		free(names);
		title += len + more;
	}
	return y;
}

struct sheet *sheet_make(struct map_picture *p, uint32_t width)
{
	struct sheet *s = need(calloc(1, sizeof *s));
	struct grid g;
	double y = MARGIN;

	for (size_t i = 0; i < p->panel_count; i++)
		map_coarsen(&p->panels[i], (uint64_t)grid_width(p, width) * SHEET_ROWS_MAX);
	g = grid_of(p, width);
	s->width = 2 * MARGIN + (OFFSET_WIDTH + g.row_width) * (p->panel_count > 1 ? 2 : 1) +
		   (p->panel_count > 1 ? GAP : 0);
	s->title = need(strdup(p->title && *p->title ? p->title : "bitmaps that differ"));

	y = put_panels(s, p, &g, put_title(s, y) + LINE);
	s->height = put_legend(s, p, y + LINE / 2) + MARGIN - 6;
	return s;
}
