/* What there is to see of the laboratory: the slots as they lie on the members, whose they are, and what happens.
 *
 *	lab: 3 nodes, 7.2 s of 20 s
 *	  slot 0  n1  up      ···▒█·····················      9 set
 *	  slot 1  n2  gone    ··········░█▒·············      7 set
 *	  slot 2  n3  up      ··············▶▶▶▶·····█··     11 set
 *	  5.0 s  n2 is killed
 *
 * A terminal gets this picture, drawn over itself; anything else a line for each event. Bits are read from the members,
 * since a dead node answers no question; whose slot it is tells any node that is up. The library draws nothing: maps
 * come from umd_map(), and the glyphs are those of umd map. */
#include "map_ask.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attr.h"
#include "cluster_lab.h"
#include "map_block.h"

enum { FRAME_MS = 200, LABEL_COLUMNS = 40, CELLS_MIN = 16 };

struct json_object *lab_ask(const struct lab_node *node)
{
	struct json_object *detail;
	struct umd_error error;

	return node->keeper && cli_ask(node->array, "detail", &detail, &error) == 0 ? detail : NULL;
}

bool lab_is_quiet(struct json_object *detail)
{
	struct json_object *peers = cli_json_get(detail, "cluster.peers");

	for (size_t i = 0; i < cli_json_len(peers); i++) {
		const char *state = cli_json_raw(json_object_array_get_idx(peers, i), "state");

		if (strcmp(state, "none") && strcmp(state, "us") && strcmp(state, "up"))
			return false;
	}
	return detail && !strcmp(cli_json_raw(detail, "sync_action"), "idle") &&
	       cli_json_u64(detail, "bitmap.needed_chunks", 0) == 0;
}

/* ---- events ---- */

void lab_say(struct lab *lab, const char *format, ...)
{
	char *event = lab->events[lab->event_count++ % LAB_EVENTS];
	int len = snprintf(event, sizeof lab->events[0], "%5.1f s  ", lab_now(lab));
	va_list ap;

	va_start(ap, format);
	vsnprintf(event + len, sizeof lab->events[0] - len, format, ap);
	va_end(ap);
	if (lab->is_terminal)
		return;
	puts(event);
	fflush(stdout);
}

/* "12 SENTENCE" for each of the last events: those that were not shown yet. */
static void tell_lines(struct lab *lab, struct lab_node *node, char *lines)
{
	for (char *line; (line = strsep(&lines, "\n"));) {
		const char *sentence;
		uint64_t number;

		if (!cli_read_number(line, &number, &sentence) || number <= node->told)
			continue;
		node->told = number;
		lab_say(lab, "%s:%s", node->name, cli_shown(sentence));
	}
}

/* What a node noticed of the cluster, once. */
static void tell(struct lab *lab, struct lab_node *node)
{
	struct json_object *reply;
	struct umd_error error;
	char *lines;
	size_t len;

	if (cli_send(node->array, attr_request("get", "cluster/events"), -1, &reply, &error))
		return;
	if (attr_value(reply, &lines, &len)) {
		tell_lines(lab, node, lines);
		free(lines);
	}
	json_object_put(reply);
}

/* ---- maps ---- */

static struct json_object *read_maps(const struct lab *lab, uint64_t cells_max)
{
	const char *words[] = { lab->members[0] };
	struct cli cli = { .words = words, .word_count = 1 };
	struct map_wish wish = { .cli = &cli };
	struct json_object *maps;
	struct umd_error error;
	size_t errors;

	return map_ask_images(&wish, cells_max, &maps, &errors, &error) ? NULL : maps;
}

static struct json_object *map_of(struct json_object *maps, uint32_t slot)
{
	struct json_object *list = cli_json_get(maps, "maps");

	return slot < cli_json_len(list) ? json_object_array_get_idx(list, slot) : NULL;
}

uint64_t lab_set_chunks(const struct lab *lab, uint32_t slot)
{
	struct json_object *maps = read_maps(lab, 1);
	uint64_t set = cli_json_u64(map_of(maps, slot), "set_chunks", 0);

	json_object_put(maps);
	return set;
}

/* ---- the picture ---- */

static const char *glyph(const struct map_text *t, uint64_t set, uint64_t of, bool is_copied)
{
	unsigned level = of ? (unsigned)((set * MAP_LEVELS + of - 1) / of) : 0;

	if (is_copied)
		return map_glyph(t, MAP_SYNC, 1);
	return level ? map_glyph(t, MAP_SET, level < MAP_LEVELS ? level : MAP_LEVELS) : map_glyph(t, MAP_CLEAN, 1);
}

static void put_cells(const struct map_text *t, struct json_object *map, struct json_object *peer, FILE *to)
{
	struct json_object *cells = cli_json_get(map, "cells");
	uint64_t of = cli_json_u64(map, "cell_chunks", 1);
	uint64_t cell_bytes = of * cli_json_u64(map, "chunk_bytes", 1);
	uint64_t low = cli_json_u64(peer, "resyncing.low", 0), high = cli_json_u64(peer, "resyncing.high", 0);

	for (size_t i = 0; i < cli_json_len(cells); i++) {
		uint64_t set = (uint64_t)json_object_get_int64(json_object_array_get_idx(cells, i));

		fputs(glyph(t, set, of, i * cell_bytes < high && (i + 1) * cell_bytes > low), to);
	}
}

/* The first node that answers knows all slots. */
static struct json_object *ask_anybody(struct lab *lab)
{
	struct json_object *first = NULL;

	for (size_t i = 0; i < lab->count; i++) {
		struct json_object *detail = lab_ask(&lab->nodes[i]);

		if (!detail)
			continue;
		tell(lab, &lab->nodes[i]);
		if (first)
			json_object_put(detail);
		else
			first = detail;
	}
	return first;
}

static struct json_object *peer_of(struct json_object *detail, uint32_t slot)
{
	struct json_object *peers = cli_json_get(detail, "cluster.peers");

	for (size_t i = 0; i < cli_json_len(peers); i++) {
		struct json_object *peer = json_object_array_get_idx(peers, i);

		if (cli_json_u64(peer, "slot", UINT64_MAX) == slot)
			return peer;
	}
	return NULL;
}

static void put_slot(const struct lab *lab, const struct map_text *t, struct json_object *detail,
		     struct json_object *maps, uint32_t slot, FILE *to)
{
	struct json_object *peer = peer_of(detail, slot), *map = map_of(maps, slot);
	const char *state = cli_json_shown(peer, "state");

	fprintf(to, "  slot %u  %-4s %-8s ", slot, cli_json_shown(peer, "node"), !strcmp(state, "us") ? "up" : state);
	put_cells(t, map, peer, to);
	fprintf(to, " %4llu set\n", (unsigned long long)cli_json_u64(map, "set_chunks", 0));
}

static void put_picture(struct lab *lab, const struct map_text *t, struct json_object *detail, FILE *to)
{
	uint64_t columns = t->columns > LABEL_COLUMNS + CELLS_MIN ? t->columns - LABEL_COLUMNS : CELLS_MIN;
	struct json_object *maps = read_maps(lab, columns);
	size_t shown = lab->event_count < LAB_EVENTS ? lab->event_count : LAB_EVENTS;

	fprintf(to, "lab: %zu nodes, %.1f s of %.0f s\n", lab->count, lab_now(lab), lab->seconds);
	for (uint32_t slot = 0; slot < lab->count; slot++)
		put_slot(lab, t, detail, maps, slot, to);
	fputs(t->style == MAP_ASCII ? "  . clean  :+*# set  > being copied\n" :
				      "  · clean  ░▒▓█ set  ▶ being copied\n", to);
	for (size_t i = lab->event_count - shown; i < lab->event_count; i++)
		fprintf(to, "%s\n", lab->events[i % LAB_EVENTS]);
	json_object_put(maps);
}

/* Over the frame before; every line clears what a longer one left. Lines that would wrap are cut. */
static void draw(struct lab *lab, struct json_object *detail)
{
	struct map_text t = map_text_for_stdout();
	char *text = NULL, *rest;
	size_t len;
	FILE *memory = open_memstream(&text, &len);

	if (!memory)
		return;
	put_picture(lab, &t, detail, memory);
	if (fclose(memory))
		goto undo;
	if (lab->frame_lines)
		printf("\033[%uA\r", lab->frame_lines);
	lab->frame_lines = 0;
	rest = text;
	for (char *line; (line = strsep(&rest, "\n")) && rest; lab->frame_lines++) {
		map_text_cut(&t, line, t.columns, stdout);
		fputs("\033[K\n", stdout);
	}
	fputs("\033[J", stdout);
	fflush(stdout);
undo:
	free(text);
}

void lab_watch(struct lab *lab, double seconds)
{
	double until = lab_now(lab) + seconds;

	do {
		double left = until - lab_now(lab);
		long ms = left * 1000 < FRAME_MS ? (long)(left * 1000) : FRAME_MS;
		struct timespec pause = { .tv_nsec = (ms > 0 ? ms : 0) * 1000000L };
		struct json_object *detail = ask_anybody(lab);

		if (lab->is_terminal)
			draw(lab, detail);
		json_object_put(detail);
		nanosleep(&pause, NULL);
	} while (lab_now(lab) < until && !lab_is_over());
}
