/* A whole history as a file: how the array is made, then one event a line.
 *
 *   # what it shows, first comment lines
 *   worlds all | sim
 *   array slots 2 metadata 1.2 chunk 64K size 4M clean sleep 1
 *   EVENT
 *   EVENT x3                      three times the same
 *   ...
 *
 * "worlds" and "array" come once, before the first event. An error is one sentence with the file and the line. What
 * scenario_print() writes scenario_read() reads as the same history. */
#include "scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SLEEP_DEFAULT_S = 5, WHY_BYTES = 200, TIMES_MAX = 10000 };

struct reading {
	struct scenario *to;
	bool has_worlds, has_array;
	char why[WHY_BYTES];
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->why, sizeof r->why, format, ap);
	va_end(ap);
	return false;
}

/* "64K" */
static bool is_size(const char *word, uint64_t *ret_bytes)
{
	char *end;
	unsigned long long number;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	number = strtoull(word, &end, 10);
	if (*end == 'K')
		number *= 1024, end++;
	else if (*end == 'M')
		number *= 1024 * 1024, end++;
	*ret_bytes = number;
	return !*end && !errno && number < 1ull << 40;
}

static void put_size(FILE *f, const char *name, uint64_t bytes)
{
	uint64_t unit = bytes && bytes % (1 << 20) == 0 ? 1 << 20 : bytes && bytes % 1024 == 0 ? 1024 : 1;

	fprintf(f, " %s %llu%s", name, (unsigned long long)(bytes / unit), unit == 1 ? "" : unit == 1024 ? "K" : "M");
}

/* ---- the line "array" ---- */

static bool take_metadata(struct reading *r, const char *value)
{
	if (strncmp(value, "1.", 2) || value[2] < '0' || value[2] > '2' || value[3])
		return wrong(r, "metadata \"%s\" is none of 1.0, 1.1 and 1.2", value);
	r->to->setup.metadata_minor = (uint32_t)(value[2] - '0');
	return true;
}

static bool take_value(struct reading *r, const char *name, const char *value)
{
	struct sim_setup *s = &r->to->setup;
	uint64_t number = 0;

	if (!value)
		return wrong(r, "\"%s\" is followed by its value", name);
	if (!strcmp(name, "metadata"))
		return take_metadata(r, value);
	if (!strcmp(name, "chunk") && !strcmp(value, "none")) {
		s->chunk_bytes = 0;
		return true;
	}
	if (!is_size(value, &number))
		return wrong(r, "\"%s\" stands where the value of %s is wanted", value, name);
	if (!strcmp(name, "slots"))
		s->slots = (uint32_t)number;
	else if (!strcmp(name, "chunk"))
		s->chunk_bytes = (uint32_t)number;
	else if (!strcmp(name, "size"))
		s->size_bytes = number;
	else if (!strcmp(name, "sleep"))
		s->sleep_s = (uint32_t)number;
	else if (!strcmp(name, "mostly")) {
		s->is_mostly = true;
		s->behind = (uint32_t)number;
	}
	else
		return wrong(r, "\"%s\" is nothing that an array has", name);
	return true;
}

static bool is_sound(struct reading *r)
{
	const struct sim_setup *s = &r->to->setup;

	if (s->slots < 1 || s->slots > SIM_DISKS)
		return wrong(r, "%u slots: the simulator has 1 to %d", s->slots, SIM_DISKS);
	if (!s->size_bytes || s->size_bytes % SECTOR_BYTES)
		return wrong(r, "the size is whole sectors of %u bytes, at least one", SECTOR_BYTES);
	if (s->chunk_bytes && (s->chunk_bytes < SECTOR_BYTES || !is_power_of_two(s->chunk_bytes)))
		return wrong(r, "a chunk is a power of two of bytes, at least %u", SECTOR_BYTES);
	if (s->chunk_bytes && div_up(s->size_bytes, s->chunk_bytes) > SIM_CHUNKS_MAX)
		return wrong(r, "%llu chunks: the simulator has %d",
			     (unsigned long long)div_up(s->size_bytes, s->chunk_bytes), SIM_CHUNKS_MAX);
	if (s->behind && !s->chunk_bytes)
		return wrong(r, "writes are behind where a bitmap remembers them: %u were wanted", s->behind);
	if (s->is_file && (!s->chunk_bytes || s->is_external))
		return wrong(r, "a file holds the bitmap of an array with superblocks: chunk none and external do not "
			     "go with it");
	if (!s->sleep_s)
		return wrong(r, "the sweep sleeps at least a second");
	return true;
}

static bool take_array(struct reading *r, char *words)
{
	struct sim_setup *s = &r->to->setup;
	char *next, *word = strtok_r(words, " \t", &next);

	*s = (struct sim_setup){ .metadata_minor = 2, .sleep_s = SLEEP_DEFAULT_S };
	for (; word; word = strtok_r(NULL, " \t", &next)) {
		if (!strcmp(word, "clean"))
			s->is_assume_clean = true;
		else if (!strcmp(word, "small"))
			s->is_small = true;
		else if (!strcmp(word, "shifted"))
			s->is_shifted = true;
		else if (!strcmp(word, "other_minor"))
			s->is_other_minor = true;
		else if (!strcmp(word, "file"))
			s->is_file = true;
		else if (!strcmp(word, "external"))
			s->is_external = true;
		else if (!strncmp(word, "lot=", 4))
			s->lot = strtoull(word + 4, NULL, 10);
		else if (!take_value(r, word, strtok_r(NULL, " \t", &next)))
			return false;
	}
	r->has_array = true;
	return is_sound(r);
}

static void put_array(FILE *f, const struct sim_setup *s)
{
	fprintf(f, "array slots %u metadata 1.%u", s->slots, s->metadata_minor);
	if (s->chunk_bytes)
		put_size(f, "chunk", s->chunk_bytes);
	else
		fputs(" chunk none", f);
	put_size(f, "size", s->size_bytes);
	fprintf(f, "%s%s%s%s%s%s sleep %u", s->is_assume_clean ? " clean" : "", s->is_small ? " small" : "",
		s->is_shifted ? " shifted" : "", s->is_other_minor ? " other_minor" : "",
		s->is_external ? " external" : "", s->is_file ? " file" : "", s->sleep_s);
	if (s->is_mostly)
		fprintf(f, " mostly %u", s->behind);
	if (s->lot)
		fprintf(f, " lot=%llu", (unsigned long long)s->lot);
	fputc('\n', f);
}

/* ---- a file ---- */

/* Cuts off "x3"; 1 when there is none, 0 when it makes no sense. */
static uint32_t take_times(char *line)
{
	size_t len = strlen(line);
	uint64_t times;
	char *at;

	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		line[--len] = '\0';
	at = strrchr(line, ' ');
	if (!at || at[1] != 'x' || !is_size(at + 2, &times))
		return 1;
	*at = '\0';
	return times <= TIMES_MAX ? (uint32_t)times : 0;
}

static bool take_event(struct reading *r, char *line, uint32_t number)
{
	uint32_t times = take_times(line);
	struct sim_event e;

	if (!times)
		return wrong(r, "\"x3\" is three times the same, 1 to %d", TIMES_MAX);
	if (!event_parse(line, &e, r->why, sizeof r->why))
		return false;
	if (e.kind == EV_KINDS)
		return true;
	if (!r->has_array || !r->has_worlds)
		return wrong(r, "an event before \"worlds all|sim\" and \"array ...\" were said");
	if (r->to->is_for_all && (event_is_for_sim(e.kind) || e.flags & EVF_ASYNC))
		return wrong(r, "this happens in the simulator only, and the file is for all worlds");
	if ((e.kind == EV_WRITE || e.kind == EV_ZERO || e.kind == EV_READ) && e.count > MODEL_SPAN_MAX)
		return wrong(r, "%llu sectors: a request has %d at most", (unsigned long long)e.count, MODEL_SPAN_MAX);
	e.line = number;
	while (times--)
		script_add(&r->to->script, &e);
	return true;
}

static bool take_line(struct reading *r, char *line, uint32_t number)
{
	char *words = line + strspn(line, " \t");

	words[strcspn(words, "#\r\n")] = '\0';
	if (!strncmp(words, "worlds ", 7)) {
		char *which = strtok(words + 7, " \t");

		if (r->has_worlds || !which || (strcmp(which, "all") && strcmp(which, "sim")))
			return wrong(r, "\"worlds all\" or \"worlds sim\" is said once");
		r->has_worlds = true;
		r->to->is_for_all = !strcmp(which, "all");
		return true;
	}
	if (!strncmp(words, "array ", 6))
		return r->has_array ? wrong(r, "the array is made once") : take_array(r, words + 6);
	return take_event(r, words, number);
}

static bool read_lines(FILE *f, struct reading *r, uint32_t *ret_line)
{
	char *line = NULL;
	size_t room = 0;
	bool is_good = true;

	while (is_good && getline(&line, &room, f) >= 0)
		is_good = take_line(r, line, ++*ret_line);
	free(line);
	if (is_good && !r->to->script.count)
		return wrong(r, "no event");
	return is_good;
}

bool scenario_read(const char *path, struct scenario *ret, char *ret_why, size_t why_bytes)
{
	struct reading r = { .to = ret };
	uint32_t line = 0;
	FILE *f = fopen(path, "r");
	bool is_good;

	*ret = (struct scenario){ 0 };
	if (!f) {
		snprintf(ret_why, why_bytes, "%s: %s", path, strerror(errno));
		return false;
	}
	is_good = read_lines(f, &r, &line);
	fclose(f);
	if (is_good)
		return true;
	snprintf(ret_why, why_bytes, "%s:%u: %s", path, line, r.why);
	scenario_free(ret);
	return false;
}

void scenario_free(struct scenario *s)
{
	script_free(&s->script);
}

/* How many events from @i on are the same. */
static uint32_t times_of(const struct sim_script *s, uint32_t i, char *ret_text, size_t text_bytes)
{
	char next[EVENT_TEXT_BYTES];
	uint32_t times = 1;

	event_text(&s->events[i], ret_text, text_bytes);
	while (i + times < s->count && times < TIMES_MAX &&
	       !strcmp(event_text(&s->events[i + times], next, sizeof next), ret_text))
		times++;
	return times;
}

void scenario_print(FILE *f, const char *head, const struct scenario *s)
{
	char text[EVENT_TEXT_BYTES];

	for (const char *at = head; at && *at;) {
		int len = (int)strcspn(at, "\n");

		fprintf(f, "# %.*s\n", len, at);
		at += len + (at[len] == '\n');
	}
	fprintf(f, "worlds %s\n", s->is_for_all ? "all" : "sim");
	put_array(f, &s->setup);
	for (uint32_t i = 0, times; i < s->script.count; i += times) {
		times = times_of(&s->script, i, text, sizeof text);
		if (times > 1)
			fprintf(f, "%s x%u\n", text, times);
		else
			fprintf(f, "%s\n", text);
	}
}

bool scenario_write(const char *path, const char *head, const struct scenario *s)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	scenario_print(f, head, s);
	return fclose(f) == 0;
}
