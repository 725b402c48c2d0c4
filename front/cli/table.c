/* Texts in columns: members side by side, arrays one below the other.
 *
 * Widths count characters, not bytes: texts are UTF-8 that cli_shown() has let through. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

struct cli_table {
	size_t column_count, row_count;
	const char **cells; /* row after row */
	bool *marks;	    /* one for each row */
};

static void *need(void *p)
{
	if (!p) {
		cli_refuse("there is not enough memory for a table");
		exit(CLI_FAILED);
	}
	return p;
}

struct cli_table *cli_table_new(size_t column_count)
{
	struct cli_table *t = need(calloc(1, sizeof *t));

	t->column_count = column_count;
	return t;
}

void cli_table_row(struct cli_table *t, const char *first)
{
	t->cells = need(reallocarray(t->cells, (t->row_count + 1) * t->column_count, sizeof *t->cells));
	t->marks = need(reallocarray(t->marks, t->row_count + 1, sizeof *t->marks));
	t->marks[t->row_count] = false;
	for (size_t i = 0; i < t->column_count; i++)
		t->cells[t->row_count * t->column_count + i] = "";
	t->row_count++;
	cli_table_put(t, 0, first);
}

void cli_table_put(struct cli_table *t, size_t column, const char *text)
{
	t->cells[(t->row_count - 1) * t->column_count + column] = text;
}

void cli_table_mark(struct cli_table *t)
{
	t->marks[t->row_count - 1] = true;
}

static const char *cell(const struct cli_table *t, size_t row, size_t column)
{
	return t->cells[row * t->column_count + column];
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct cli_table *t, size_t column)
{
	size_t width = 0;

	for (size_t row = 0; row < t->row_count; row++) {
		size_t n = characters(cell(t, row, column));

		width = n > width ? n : width;
	}
	return width;
}

size_t cli_table_width(const struct cli_table *t)
{
	size_t width = 0;

	for (size_t column = 0; column < t->column_count; column++)
		width += 2 + column_width(t, column);
	return width;
}

static bool is_row_empty(const struct cli_table *t, size_t row)
{
	for (size_t column = 1; column < t->column_count; column++)
		if (*cell(t, row, column))
			return false;
	return true;
}

/* One row: column 0, then [@from, @to); blanks only where something follows. */
static void print_row(const struct cli_table *t, size_t row, size_t from, size_t to)
{
	bool has_colour = t->marks[row] && cli_has_colour();
	size_t behind = 0;

	printf("%s%s", has_colour ? "\033[33m" : "", t->marks[row] ? "≠ " : "  ");
	for (size_t column = 0; column < to; column = column ? column + 1 : from) {
		const char *text = cell(t, row, column);

		if (*text) {
			printf("%*s%s", (int)behind, "", text);
			behind = 0;
		}
		behind += column_width(t, column) + 2 - characters(text);
	}
	puts(has_colour ? "\033[0m" : "");
}

void cli_table_print(const struct cli_table *t, size_t width)
{
	for (size_t from = 1, to; from < t->column_count; from = to) {
		size_t used = 2 + column_width(t, 0) + 2 + column_width(t, from);

		for (to = from + 1; to < t->column_count; to++) {
			used += 2 + column_width(t, to);
			if (width && used > width)
				break;
		}
		if (from > 1)
			putchar('\n');
		for (size_t row = 0; row < t->row_count; row++)
			if (!is_row_empty(t, row))
				print_row(t, row, from, to);
	}
}

struct cli_table *cli_table_free(struct cli_table *t)
{
	if (t) {
		free(t->cells);
		free(t->marks);
	}
	free(t);
	return NULL;
}
