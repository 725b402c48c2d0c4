/* One panel of a map as lines of characters: title, rows with the offset of their first cell in front, counts, scale.
 *
 * Glyphs differ without colour. Braille puts eight cells into one character, a dot for each that is set (down the left
 * column, then down the right one); what is more urgent than a set bit keeps a character of its own. Quiet rows of one
 * class that follow each other are drawn as one line.
 *
 * Left out: where the lines go, and the legend that all panels share (map_text.c). */
#include "map_block.h"

#include <stdlib.h>
#include <string.h>

enum { QUIET_ROWS_MIN = 3 };

/* ---- glyphs ---- */

struct glyph {
	const char *blocks[MAP_LEVELS], *ascii[MAP_LEVELS], *colour;
};

#define ONE(s) { s, s, s, s }
#define SHADES { "░", "▒", "▓", "█" }
#define MARKS  { ":", "+", "*", "#" }

static const struct glyph glyphs[MAP_CLASSES] = {
	[MAP_CLEAN] = { ONE("·"), ONE("."), "2" },
	[MAP_UNWRITTEN] = { ONE("╌"), ONE("-"), "2" },
	[MAP_WRITTEN] = { ONE("○"), ONE("o"), "32" },
	[MAP_SET] = { SHADES, MARKS, "33" },
	[MAP_DIRTY] = { SHADES, MARKS, "33" },
	[MAP_NEED_SYNC] = { ONE("◆"), ONE("!"), "31" },
	[MAP_SYNCING] = { ONE("▶"), ONE(">"), "36" },
	[MAP_INVALID] = { ONE("✗"), ONE("?"), "35" },
	[MAP_NEEDED] = { ONE("◆"), ONE("!"), "31" },
	[MAP_SYNC] = { ONE("▶"), ONE(">"), "36" },
	[MAP_BOTH] = { SHADES, MARKS, "33" },
	[MAP_ONLY_A] = { ONE("a"), ONE("a"), "35" },
	[MAP_ONLY_B] = { ONE("b"), ONE("b"), "36" },
	[MAP_EITHER] = { ONE("x"), ONE("x"), "31" },
};

const char *map_glyph(const struct map_text *t, enum map_class class, unsigned level)
{
	if (t->style == MAP_BRAILLE && class == MAP_CLEAN)
		return "⠀";
	return (t->style == MAP_ASCII ? glyphs[class].ascii : glyphs[class].blocks)[level - 1];
}

/* The class of the character that stands for @cell and those behind it. */
static enum map_class class_of(const struct map_text *t, const struct map_panel *p, uint64_t cell)
{
	enum map_class class = MAP_CLEAN;

	for (uint64_t i = cell; i < cell + map_dots(t) && i < p->cell_count; i++) {
		enum map_class c = map_cell_class(p, i);

		class = c > class ? c : class;
	}
	return class;
}

static void put_glyph(const struct map_text *t, const struct map_panel *p, uint64_t cell, enum map_class class,
		      FILE *to)
{
	unsigned pattern = 0;

	if (t->style != MAP_BRAILLE || !map_has_levels(class)) {
		fputs(map_glyph(t, class, map_has_levels(class) ? map_cell_level(p, cell) : 1), to);
		return;
	}
	/* Unicode numbers the six upper dots by columns and the two lowest behind them. */
	for (unsigned i = 0; i < MAP_DOTS && cell + i < p->cell_count; i++) {
		static const unsigned char dot[MAP_DOTS] = { 0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80 };

		if (!map_is_quiet(map_cell_class(p, cell + i)))
			pattern |= dot[i];
	}
	fprintf(to, "\xe2%c%c", 0xa0 | pattern >> 6, 0x80 | (pattern & 0x3f));
}

/* ---- one panel as lines ---- */

static void *need(void *p)
{
	if (!p) {
		cli_refuse("there is not enough memory for a picture");
		exit(CLI_FAILED);
	}
	return p;
}

/* A line is written into the stream that begin_line() returns. */
static FILE *begin_line(struct map_block *b, size_t *space)
{
	b->lines = need(reallocarray(b->lines, b->count + 1, sizeof *b->lines));
	return need(open_memstream(&b->lines[b->count++], space));
}

static void end_line(FILE *line)
{
	bool is_bad = ferror(line);

	if (fclose(line) || is_bad)
		need(NULL);
}

static void put_line(struct map_block *b, const char *blanks, const char *text)
{
	size_t space;
	FILE *line = begin_line(b, &space);

	fprintf(line, "%s%s", blanks, text);
	end_line(line);
}

/* A colour is said once for all cells that follow each other in it. */
static void put_row(const struct map_text *t, const struct map_panel *p, uint32_t width, uint64_t row,
		    struct map_block *b)
{
	uint64_t begin = row * map_row_cells(t, width), end = begin + map_row_cells(t, width);
	const char *last = "", *frame = t->style == MAP_BRAILLE ? "│" : "";
	size_t space;
	FILE *to = begin_line(b, &space);

	fprintf(to, "  %10s  %s", cli_bytes(begin * p->cell_chunks * p->chunk_bytes), frame);
	for (uint64_t cell = begin; cell < end && cell < p->cell_count; cell += map_dots(t)) {
		enum map_class class = class_of(t, p, cell);

		if (t->has_colour && strcmp(glyphs[class].colour, last))
			fprintf(to, "\033[0;%sm", glyphs[class].colour);
		put_glyph(t, p, cell, class, to);
		last = glyphs[class].colour;
	}
	fprintf(to, "%s%s", t->has_colour ? "\033[0m" : "", frame);
	end_line(to);
}

/* The quiet class that the whole row is of, else MAP_CLASSES. */
static enum map_class quiet_class(const struct map_text *t, const struct map_panel *p, uint32_t width, uint64_t row)
{
	uint64_t begin = row * map_row_cells(t, width), end = begin + map_row_cells(t, width);
	enum map_class class = map_cell_class(p, begin);

	for (uint64_t cell = begin; cell < end && cell < p->cell_count; cell++)
		if (map_cell_class(p, cell) != class)
			return MAP_CLASSES;
	return map_is_quiet(class) ? class : MAP_CLASSES;
}

static void put_quiet_rows(const struct map_text *t, const struct map_panel *p, uint64_t at_cell, enum map_class class,
			   uint64_t rows, struct map_block *b)
{
	size_t space;
	FILE *to = begin_line(b, &space);

	fprintf(to, "  %10s  %s all %s for %llu rows", cli_bytes(at_cell * p->cell_chunks * p->chunk_bytes),
		t->style == MAP_BRAILLE && class == MAP_CLEAN ? "│" : map_glyph(t, class, 1), map_words(class),
		(unsigned long long)rows);
	end_line(to);
}

static void put_rows(const struct map_text *t, const struct map_panel *p, uint32_t width, struct map_block *b)
{
	uint64_t rows = (p->cell_count + map_row_cells(t, width) - 1) / map_row_cells(t, width);

	for (uint64_t row = 0; row < rows;) {
		enum map_class class = quiet_class(t, p, width, row);
		uint64_t next = row;

		while (class != MAP_CLASSES && next < rows && quiet_class(t, p, width, next) == class)
			next++;
		if (next - row < QUIET_ROWS_MIN) {
			put_row(t, p, width, row++, b);
			continue;
		}
		put_quiet_rows(t, p, row * map_row_cells(t, width), class, next - row, b);
		row = next;
	}
}

const char *map_cut_mark(const struct map_text *t)
{
	return t->style == MAP_ASCII ? "~" : "…";
}

/* The end of a path tells more than its beginning. @columns: room for the title; 0: as much as it takes. */
static void put_title(const struct map_text *t, const char *title, size_t columns, struct map_block *b)
{
	size_t used = 0;

	for (const char *s = title; *s; s++)
		used += (*s & 0xc0) != 0x80;
	if (!columns || used <= columns) {
		put_line(b, "", title);
		return;
	}
	for (; used >= columns; used--)
		for (title++; (*title & 0xc0) == 0x80; title++)
			;
	put_line(b, map_cut_mark(t), title);
}

struct map_block map_block_make(const struct map_text *t, const struct map_panel *p, uint32_t width,
				size_t title_columns)
{
	static const char *const cells[] = { "character", "dot", "character" };
	char text[MAP_TEXT_BYTES];
	struct map_block b = { 0 };

	put_title(t, p->title, title_columns, &b);
	put_rows(t, p, width, &b);
	if (p->cell_count) {
		map_say_counts(p, text);
		put_line(&b, "  ", text);
		map_say_scale(p, cells[t->style], text);
		put_line(&b, "  ", text);
	}
	if (p->remark)
		put_line(&b, "  ", p->remark);
	return b;
}

void map_block_drop(struct map_block *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->lines[i]);
	free(b->lines);
	*b = (struct map_block){ 0 };
}
