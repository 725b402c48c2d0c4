/* Bitmaps as characters: for terminals, and for files and logs without any colour.
 *
 *   home, running                                     title
 *         0 B  ·····░▒▓█◆······▶·········             rows of cells, the offset of the first in front
 *     4.0 MiB  · all clean for 14 rows                three quiet rows or more that follow each other are one
 *     16384 chunks of 64.0 KiB: 40 set               counts, scale
 *     · clean   ░▒▓█ set: some, more, most, all      legend: only what occurs
 *
 * Every panel becomes a block of lines first (map_block.c); blocks are printed side by side or below each other.
 *
 * Left out: characters of two columns in titles are counted as one. */
#include "map_block.h"

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
	PAGE_COLUMNS = 80,
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

uint64_t map_text_cells(const struct map_text *t)
{
	uint64_t cells = (uint64_t)width_of(t) * t->rows_max * map_dots(t);

	return cells < 65536 ? cells : 65536;
}

/* ---- panels together ---- */

static void print_block(struct map_block *b, FILE *to)
{
	for (size_t i = 0; i < b->count; i++)
		fprintf(to, "%s\n", b->lines[i]);
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

size_t map_text_cut(const struct map_text *t, const char *line, size_t columns, FILE *to)
{
	size_t used = 0;

	while (*line && used < columns) {
		size_t len = character_bytes(line);

		if (used == columns - 1 && line[len] && line[len] != '\033') {
			fputs(map_cut_mark(t), to);
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

static void print_beside(const struct map_text *t, struct map_block *blocks, size_t count, size_t columns, FILE *to)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i++)
		lines = blocks[i].count > lines ? blocks[i].count : lines;
	for (size_t line = 0; line < lines; line++) {
		size_t behind = 0;

		for (size_t i = 0; i < count; i++) {
			if (line < blocks[i].count) {
				fprintf(to, "%*s", (int)behind, "");
				behind = map_text_cut(t, blocks[i].lines[line], columns, to) + GAP_COLUMNS;
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
			fputs(t->style == MAP_BRAILLE && map_has_levels(c) ? "⠇" : map_glyph(t, c, level), to);
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
	struct map_block blocks[PANELS_BESIDE_MAX];

	if (p->panel_count > 1 && *p->title)
		fprintf(to, "%s\n", p->title);
	for (size_t at = 0; at < p->panel_count; at += count) {
		size_t row = p->panel_count - at < count ? p->panel_count - at : count;

		for (size_t i = 0; i < row; i++) {
			map_coarsen(&p->panels[at + i], map_row_cells(t, width) * t->rows_max);
			blocks[i] = map_block_make(t, &p->panels[at + i], width, count > 1 ? columns : 0);
		}
		if (count > 1)
			print_beside(t, blocks, row, columns, to);
		else
			print_block(&blocks[0], to);
		for (size_t i = 0; i < row; i++)
			map_block_drop(&blocks[i]);
		if (at + count < p->panel_count)
			fputc('\n', to);
	}
	put_legend(t, p, to);
}
