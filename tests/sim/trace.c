/* A history as a score: a line per event, a column per member.
 *
 *     step        ms  what happens                                 a: disk-a             b: disk-b
 *       17      1040  write 0+8 FUA is asked                     + .                   + .
 *       17      1040  bitmap                                     + write 8+1           + write 8+1 FAILS
 *
 * The sign before a member's cell is its state in the array: + in sync, r recovering, s spare, x faulty, - none. Text
 * that is too long for its column goes on below. A line is complete when the next one begins or trace_end() says so.
 *
 * The hash is that of what happened, in numbers, and of every byte that was written or answered: no address, no padding
 * and no text is in it, so it is the same whoever compiled the program, traced or not. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_WIDTH = 46, CELL_WIDTH = 24, TEXT_BYTES = 1024, CELL_BYTES = 256 };

static struct {
	bool is_open;
	uint64_t step, now_ms;
	char text[TEXT_BYTES];
	char cells[SIM_DISKS + 1][CELL_BYTES];
	uint32_t columns;	/* of the heading last printed */
} line;

static char sign_of(const struct sim_member *m)
{
	static const char signs[] = { [ARR_M_NONE] = '-', [ARR_M_SPARE] = 's', [ARR_M_RECOVERING] = 'r',
				      [ARR_M_IN_SYNC] = '+', [ARR_M_FAULTY] = 'x' };

	return (size_t)m->state < sizeof signs ? signs[m->state] : '?';
}

static void heading(const struct sim_world *w)
{
	line.columns = w->member_count;
	printf("%6s %9s  %-*s", "step", "ms", TEXT_WIDTH, "what happens");
	for (uint32_t i = 0; i < w->member_count; i++)
		printf(" |   %-*s", CELL_WIDTH, w->members[i].disk.path);
	putchar('\n');
}

/* The next piece of @text, at most @width bytes, cut behind a word where there is one. Moves on; pads with blanks. */
static void print_piece(const char **text, int width)
{
	int len = (int)strnlen(*text, (size_t)width + 1), cut;

	if (len > width) {
		for (cut = width; cut > width / 2 && (*text)[cut] != ' '; cut--)
			;
		len = (*text)[cut] == ' ' ? cut : width;
	}
	printf("%-*.*s", width, len, *text);
	*text += len;
	*text += strspn(*text, " ");
}

static bool is_left(const char *text, const char *const *cells, uint32_t count)
{
	bool is_any = *text;

	for (uint32_t i = 0; i < count; i++)
		is_any |= *cells[i] != '\0';
	return is_any;
}

void trace_end(struct sim_world *w)
{
	const char *text = line.text, *cells[SIM_DISKS];
	size_t used = strlen(line.text);
	bool is_first = true;

	if (!line.is_open)
		return;
	if (line.cells[SIM_FILE][0])	/* the file has no column */
		snprintf(line.text + used, sizeof line.text - used, "%sfile: %s", used ? "; " : "",
			 line.cells[SIM_FILE]);
	if (line.columns != w->member_count)
		heading(w);
	for (uint32_t i = 0; i < w->member_count; i++)
		cells[i] = line.cells[i];
	do {
		if (is_first)
			printf("%6llu %9llu  ", (unsigned long long)line.step, (unsigned long long)line.now_ms);
		else
			printf("%6s %9s  ", "", "");
		print_piece(&text, TEXT_WIDTH);
		for (uint32_t i = 0; i < w->member_count; i++) {
			printf(" | %c ", is_first ? sign_of(&w->members[i]) : ' ');
			print_piece(&cells[i], CELL_WIDTH);
		}
		putchar('\n');
		is_first = false;
	} while (is_left(text, cells, w->member_count));
	line.is_open = false;
}

static void begin(struct sim_world *w)
{
	trace_end(w);
	line.is_open = true;
	line.step = w->step;
	line.now_ms = w->now_ms;
	line.text[0] = '\0';
	for (uint32_t i = 0; i <= SIM_FILE; i++)
		line.cells[i][0] = '\0';
}

void trace(struct sim_world *w, const char *format, ...)
{
	va_list ap;

	if (!w->is_tracing)
		return;
	begin(w);
	va_start(ap, format);
	vsnprintf(line.text, sizeof line.text, format, ap);
	va_end(ap);
}

void trace_member(struct sim_world *w, const struct sim_member *m, const char *format, ...)
{
	char *cell = line.cells[index_of(w, m)];
	size_t used;
	va_list ap;

	if (!w->is_tracing)
		return;
	if (!line.is_open)
		begin(w);
	used = strlen(cell);
	if (used && used < CELL_BYTES - 3)
		used += (size_t)snprintf(cell + used, CELL_BYTES - used, "; ");
	va_start(ap, format);
	vsnprintf(cell + used, CELL_BYTES - used, format, ap);
	va_end(ap);
}

static uint64_t mixed(uint64_t h, uint64_t value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

void hash_in(struct sim_world *w, uint64_t a, uint64_t b, uint64_t c)
{
	w->hash = mixed(mixed(mixed(w->hash, a), b), c);
}
