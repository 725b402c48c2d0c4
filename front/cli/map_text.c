/* Bitmaps as characters: for terminals, and for files and logs without any colour.
 *
 *   home, running                                     title
 *       0.0 B  ·····░▒▓█◆······▶·········             rows of cells, the offset of the first in front
 *     4.0 MiB  · all clean for 14 rows                three quiet rows or more that follow each other are one
 *     16384 chunks of 64.0 KiB: 40 set               counts, scale
 *     · clean   ░▒▓█ set: some, more, most, all      legend: only what occurs
 *
 * Glyphs differ without colour. Braille puts eight cells into one character, a dot for each that is set (down the left
 * column, then down the right one); what is more urgent than a set bit keeps a character of its own.
 * Every panel becomes a block of lines first; blocks are then printed side by side or below each other.
 *
 * Left out: characters of two columns in titles are counted as one. */
#include "map_text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	OFFSET_COLUMNS = 14,
	GAP_COLUMNS = 2,
	PANEL_CELLS_MIN = 34,	/* side by side: below that a row shows too little, and counts do not fit */
	PANELS_BESIDE_MAX = 8,
	ROWS_MAX = 16,
	QUIET_ROWS_MIN = 3,
	PAGE_COLUMNS = 80,
	DOTS = 8,		/* cells of a braille character */
};

/* ---- what stdout is ---- */

static bool is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", NULL);
	bool is = locale && !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");

	if (locale)
		freelocale(locale);
	return is;
}

struct map_text map_text_for_stdout(void)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	const char *no_colour = getenv("NO_COLOR");
	struct winsize size = { 0 };

	if (is_terminal)
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	return (struct map_text){
		.style = is_utf8() ? MAP_BLOCKS : MAP_ASCII,
		.has_colour = is_terminal && !(no_colour && *no_colour),
		.columns = size.ws_col ?: PAGE_COLUMNS,
		.rows_max = size.ws_row > 12 && size.ws_row < ROWS_MAX + 8 ? size.ws_row - 8 : ROWS_MAX,
	};
}

/* A terminal that is narrower than usual gets shorter rows; a wider one does not get longer ones, they read badly. */
static uint32_t width_of(const struct map_text *t)
{
	if (t->width)
		return t->width;
	if (t->columns >= OFFSET_COLUMNS + MAP_WIDTH)
		return MAP_WIDTH;
	return t->columns > OFFSET_COLUMNS + MAP_WIDTH_MIN ? t->columns - OFFSET_COLUMNS : MAP_WIDTH_MIN;
}

static unsigned dots(const struct map_text *t)
{
	return t->style == MAP_BRAILLE ? DOTS : 1;
}

uint64_t map_text_cells(const struct map_text *t)
{
	uint64_t cells = (uint64_t)width_of(t) * t->rows_max * dots(t);

	return cells < 65536 ? cells : 65536;
}

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

static const char *glyph(const struct map_text *t, enum map_class class, unsigned level)
{
	if (t->style == MAP_BRAILLE && class == MAP_CLEAN)
		return "⠀";
	return (t->style == MAP_ASCII ? glyphs[class].ascii : glyphs[class].blocks)[level - 1];
}

/* The class of the character that stands for @cell and those behind it. */
static enum map_class class_of(const struct map_text *t, const struct map_panel *p, uint64_t cell)
{
	enum map_class class = MAP_CLEAN;

	for (uint64_t i = cell; i < cell + dots(t) && i < p->cell_count; i++) {
		enum map_class c = map_cell_class(p, i);

		class = c > class ? c : class;
	}
	return class;
}

static void put_glyph(const struct map_text *t, const struct map_panel *p, uint64_t cell, enum map_class class, FILE *to)
{
	unsigned pattern = 0;

	if (t->style != MAP_BRAILLE || !map_has_levels(class)) {
		fputs(glyph(t, class, map_has_levels(class) ? map_cell_level(p, cell) : 1), to);
		return;
	}
	/* Unicode numbers the six upper dots by columns and the two lowest behind them. */
	for (unsigned i = 0; i < DOTS && cell + i < p->cell_count; i++) {
		static const unsigned char dot[DOTS] = { 0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80 };

		if (!map_is_quiet(map_cell_class(p, cell + i)))
			pattern |= dot[i];
	}
	fprintf(to, "\xe2%c%c", 0xa0 | pattern >> 6, 0x80 | (pattern & 0x3f));
}

/* ---- one panel as lines ---- */

struct block {
	char **lines;
	size_t count;
};

static void *need(void *p)
{
	if (!p) {
		cli_refuse("there is not enough memory for a picture");
		exit(CLI_FAILED);
	}
	return p;
}

/* A line is written into the stream that begin_line() returns. */
static FILE *begin_line(struct block *b, size_t *space)
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

static void put_line(struct block *b, const char *blanks, const char *text)
{
	size_t space;
	FILE *line = begin_line(b, &space);

	fprintf(line, "%s%s", blanks, text);
	end_line(line);
}

static uint64_t row_cells(const struct map_text *t, uint32_t width)
{
	return (uint64_t)width * dots(t);
}

/* A colour is said once for all cells that follow each other in it. */
static void put_row(const struct map_text *t, const struct map_panel *p, uint32_t width, uint64_t row, struct block *b)
{
	uint64_t begin = row * row_cells(t, width), end = begin + row_cells(t, width);
	const char *last = "", *frame = t->style == MAP_BRAILLE ? "│" : "";
	size_t space;
	FILE *to = begin_line(b, &space);

	fprintf(to, "  %10s  %s", cli_bytes(begin * p->cell_chunks * p->chunk_bytes), frame);
	for (uint64_t cell = begin; cell < end && cell < p->cell_count; cell += dots(t)) {
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
	uint64_t begin = row * row_cells(t, width), end = begin + row_cells(t, width);
	enum map_class class = map_cell_class(p, begin);

	for (uint64_t cell = begin; cell < end && cell < p->cell_count; cell++)
		if (map_cell_class(p, cell) != class)
			return MAP_CLASSES;
	return map_is_quiet(class) ? class : MAP_CLASSES;
}

static void put_quiet_rows(const struct map_text *t, const struct map_panel *p, uint64_t at_cell, enum map_class class,
			   uint64_t rows, struct block *b)
{
	size_t space;
	FILE *to = begin_line(b, &space);

	fprintf(to, "  %10s  %s all %s for %llu rows", cli_bytes(at_cell * p->cell_chunks * p->chunk_bytes),
		t->style == MAP_BRAILLE && class == MAP_CLEAN ? "│" : glyph(t, class, 1), map_words(class),
		(unsigned long long)rows);
	end_line(to);
}

static void put_rows(const struct map_text *t, const struct map_panel *p, uint32_t width, struct block *b)
{
	uint64_t rows = (p->cell_count + row_cells(t, width) - 1) / row_cells(t, width);

	for (uint64_t row = 0; row < rows;) {
		enum map_class class = quiet_class(t, p, width, row);
		uint64_t next = row;

		while (class != MAP_CLASSES && next < rows && quiet_class(t, p, width, next) == class)
			next++;
		if (next - row < QUIET_ROWS_MIN) {
			put_row(t, p, width, row++, b);
			continue;
		}
		put_quiet_rows(t, p, row * row_cells(t, width), class, next - row, b);
		row = next;
	}
}

/* The end of a path tells more than its beginning. @columns: room for the title; 0: as much as it takes. */
static void put_title(const struct map_text *t, const char *title, size_t columns, struct block *b)
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
	put_line(b, t->style == MAP_ASCII ? "~" : "…", title);
}

static struct block block_of(const struct map_text *t, const struct map_panel *p, uint32_t width, size_t title_columns)
{
	static const char *const cells[] = { "character", "dot", "character" };
	char text[MAP_TEXT_BYTES];
	struct block b = { 0 };

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

/* ---- panels together ---- */

static void print_block(struct block *b, FILE *to)
{
	for (size_t i = 0; i < b->count; i++)
		fprintf(to, "%s\n", b->lines[i]);
}

static void drop_block(struct block *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->lines[i]);
	free(b->lines);
	*b = (struct block){ 0 };
}

/* The next visible character of a line, with the escape sequences in front of it. */
static size_t character_bytes(const char *s)
{
	size_t len = 0;

	while (s[len] == '\033')
		len += strcspn(s + len, "m") + 1;
	if (s[len])
		for (len++; (s[len] & 0xc0) == 0x80; len++)
			;
	return len;
}

/* At most @columns columns: a line that is longer loses its end. Returns how many columns are left. */
static size_t print_cut(const char *line, size_t columns, const char *cut, FILE *to)
{
	size_t used = 0;

	while (*line && used < columns) {
		size_t len = character_bytes(line);

		if (used == columns - 1 && line[len] && line[len] != '\033') {
			fputs(cut, to);
			used++;
			break;
		}
		fwrite(line, 1, len, to);
		line += len;
		used++;
	}
	if (*line == '\033')
		fputs("\033[0m", to);
	return columns - used;
}

static const char *cut_mark(const struct map_text *t)
{
	return t->style == MAP_ASCII ? "~" : "…";
}

static void print_beside(const struct map_text *t, struct block *blocks, size_t count, size_t columns, FILE *to)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i++)
		lines = blocks[i].count > lines ? blocks[i].count : lines;
	for (size_t line = 0; line < lines; line++) {
		size_t behind = 0;

		for (size_t i = 0; i < count; i++) {
			if (line < blocks[i].count) {
				fprintf(to, "%*s", (int)behind, "");
				behind = print_cut(blocks[i].lines[line], columns, cut_mark(t), to) + GAP_COLUMNS;
			} else {
				behind += columns + GAP_COLUMNS;
			}
		}
		fputc('\n', to);
	}
}

/* How many panels fit side by side; *@ret_width: characters per row. */
static size_t beside(const struct map_text *t, size_t panel_count, uint32_t *ret_width)
{
	uint32_t frame = OFFSET_COLUMNS + (t->style == MAP_BRAILLE ? 2 : 0);
	uint32_t least = frame + (t->width ?: PANEL_CELLS_MIN) + GAP_COLUMNS;
	size_t count = (t->columns + GAP_COLUMNS) / least;
	uint32_t share;

	count = count < panel_count ? count : panel_count;
	count = count < PANELS_BESIDE_MAX ? count : PANELS_BESIDE_MAX;
	*ret_width = width_of(t);
	if (count < 2)
		return 1;
	share = (t->columns + GAP_COLUMNS) / count - GAP_COLUMNS - frame;
	if (!t->width)
		*ret_width = share < MAP_WIDTH ? share : MAP_WIDTH;
	return count;
}

static void put_legend(const struct map_text *t, const struct map_picture *p, FILE *to)
{
	const char *end = "";

	for (enum map_class c = 0; c < MAP_CLASSES; c++) {
		bool is_shaded = map_has_shades(p, c) && t->style != MAP_BRAILLE;

		if (!map_levels_of(p, c))
			continue;
		fputs(*end ? "   " : "  ", to);
		for (unsigned level = is_shaded ? 1 : MAP_LEVELS; level <= MAP_LEVELS; level++)
			fputs(t->style == MAP_BRAILLE && map_has_levels(c) ? "⠇" : glyph(t, c, level), to);
		fprintf(to, " %s%s", map_words(c), is_shaded ? ": some, more, most, all" : "");
		end = "\n";
	}
	fputs(end, to);
}

void map_text_draw(const struct map_text *t, struct map_picture *p, FILE *to)
{
	uint32_t width;
	size_t count = beside(t, p->panel_count, &width);
	size_t columns = OFFSET_COLUMNS + (t->style == MAP_BRAILLE ? 2 : 0) + width;
	struct block blocks[PANELS_BESIDE_MAX];

	if (p->panel_count > 1 && *p->title)
		fprintf(to, "%s\n", p->title);
	for (size_t at = 0; at < p->panel_count; at += count) {
		size_t row = p->panel_count - at < count ? p->panel_count - at : count;

		for (size_t i = 0; i < row; i++) {
			map_coarsen(&p->panels[at + i], row_cells(t, width) * t->rows_max);
			blocks[i] = block_of(t, &p->panels[at + i], width, count > 1 ? columns : 0);
		}
		if (count > 1)
			print_beside(t, blocks, row, columns, to);
		else
			print_block(&blocks[0], to);
		for (size_t i = 0; i < row; i++)
			drop_block(&blocks[i]);
		if (at + count < p->panel_count)
			fputc('\n', to);
	}
	put_legend(t, p, to);
}
