/* A bitmap as a picture of characters.
 *
 * Every cell stands for the same number of chunks, as few as let the whole array fit into ROWS_MAX rows. A cell shows
 * how much of it is set, whether a chunk in it still has to be copied, and where a running sync is. Rows without a set
 * chunk that follow each other are drawn as one. Glyphs differ without colour, so a file or a log can be read as well.
 * Cost: one visit per run and cell it touches; memory for the cells alone. */
#include "draw.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

enum { ROWS_MAX = 16 };

struct cell {
	uint64_t set, needed; /* chunks */
};

struct picture {
	const struct cli_map *map;
	uint32_t width;
	uint64_t cell_count, per_cell; /* per_cell: chunks of one cell */
	uint64_t sync_cell;	       /* UINT64_MAX: none */
	bool has_colour;
	struct cell *cells;
};

/* Spread one run over the cells; @field says which count. Runs of an image that lies outside the map are cut. */
static void add_run(struct picture *p, uint64_t first, uint64_t last, bool is_needed)
{
	if (last >= p->map->chunk_count)
		last = p->map->chunk_count - 1;
	for (uint64_t at = first; at <= last;) {
		uint64_t cell = at / p->per_cell, end = (cell + 1) * p->per_cell;
		uint64_t count = (end <= last ? end : last + 1) - at;

		if (is_needed)
			p->cells[cell].needed += count;
		else
			p->cells[cell].set += count;
		at += count;
	}
}

static uint64_t add_runs(struct picture *p, struct json_object *runs, bool is_needed)
{
	uint64_t count = 0;

	for (size_t i = 0; i < cli_json_len(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);
		uint64_t first, last;

		if (cli_json_len(run) != 2)
			continue;
		first = json_object_get_uint64(json_object_array_get_idx(run, 0));
		last = json_object_get_uint64(json_object_array_get_idx(run, 1));
		if (first > last)
			continue;
		add_run(p, first, last, is_needed);
		count += last - first + 1;
	}
	return count;
}

static uint64_t chunks_of_cell(const struct picture *p, uint64_t cell)
{
	uint64_t begin = cell * p->per_cell, left = p->map->chunk_count - begin;

	return left < p->per_cell ? left : p->per_cell;
}

static const char *glyph(const struct picture *p, uint64_t cell, const char **ret_colour)
{
	const struct cell *c = &p->cells[cell];
	uint64_t all = chunks_of_cell(p, cell);

	*ret_colour = "36";
	if (cell == p->sync_cell)
		return "▶";
	*ret_colour = "31";
	if (c->needed)
		return "◆";
	*ret_colour = c->set ? "33" : "2";
	return !c->set ? "·" : c->set == all ? "█" : c->set > all / 2 ? "▓" : c->set > all / 4 ? "▒" : "░";
}

/* A colour is said once for all cells that follow each other in it. */
static void draw_row(const struct picture *p, uint64_t row)
{
	uint64_t begin = row * p->width, end = begin + p->width;
	const char *colour, *last = "";

	printf("  %10s  ", cli_bytes(begin * p->per_cell * p->map->chunk_bytes));
	for (uint64_t cell = begin; cell < end && cell < p->cell_count; cell++) {
		const char *mark = glyph(p, cell, &colour);

		if (p->has_colour && strcmp(colour, last))
			printf("\033[0;%sm", colour);
		fputs(mark, stdout);
		last = colour;
	}
	puts(p->has_colour ? "\033[0m" : "");
}

static bool is_row_clean(const struct picture *p, uint64_t row)
{
	for (uint64_t cell = row * p->width; cell < (row + 1) * p->width && cell < p->cell_count; cell++)
		if (p->cells[cell].set || p->cells[cell].needed || cell == p->sync_cell)
			return false;
	return true;
}

static void draw_rows(const struct picture *p)
{
	uint64_t rows = (p->cell_count + p->width - 1) / p->width;

	for (uint64_t row = 0; row < rows;) {
		uint64_t next = row;

		while (next < rows && is_row_clean(p, next))
			next++;
		if (next - row < 3) {
			draw_row(p, row++);
			continue;
		}
		printf("  %10s  · all clean for %llu rows\n",
		       cli_bytes(row * p->width * p->per_cell * p->map->chunk_bytes),
		       (unsigned long long)(next - row));
		row = next;
	}
}

static void draw_legend(const struct picture *p, uint64_t set, uint64_t needed)
{
	const struct cli_map *m = p->map;

	printf("  %llu chunk%s of %s: %llu set", (unsigned long long)m->chunk_count,
	       m->chunk_count == 1 ? "" : "s", cli_bytes(m->chunk_bytes), (unsigned long long)set);
	if (m->needed)
		printf(", %llu to be copied", (unsigned long long)needed);
	if (p->per_cell == 1)
		puts("; one character = 1 chunk");
	else
		printf("; one character = %llu chunks = %s\n", (unsigned long long)p->per_cell,
		       cli_bytes(p->per_cell * m->chunk_bytes));
	printf("  · clean   ░▒▓█ set: some, more, most, all%s\n",
	       m->needed ? "   ◆ to be copied   ▶ the sync is here" : "");
}

void cli_draw(const struct cli_map *map, uint32_t width)
{
	uint64_t room = (uint64_t)width * ROWS_MAX, set, needed;
	struct picture p = {
		.map = map, .width = width, .sync_cell = UINT64_MAX, .has_colour = isatty(STDOUT_FILENO)
	};

	if (!map->chunk_count || !map->chunk_bytes) {
		puts("  the bitmap has no chunks");
		return;
	}
	p.per_cell = (map->chunk_count - 1) / room + 1;
	p.cell_count = (map->chunk_count - 1) / p.per_cell + 1;
	p.cells = calloc(p.cell_count, sizeof *p.cells);
	if (!p.cells) {
		cli_refuse("there is not enough memory for a picture of %llu cells",
			   (unsigned long long)p.cell_count);
		return;
	}
	if (map->sync_position_bytes != UINT64_MAX)
		p.sync_cell = map->sync_position_bytes / map->chunk_bytes / p.per_cell;

	set = add_runs(&p, map->set, false);
	needed = add_runs(&p, map->needed, true);
	draw_rows(&p);
	draw_legend(&p, set, needed);
	free(p.cells);
}
