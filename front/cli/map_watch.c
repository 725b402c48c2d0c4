/* umd map --watch: the map of a running array as it changes.
 *
 * A terminal shows one picture that is drawn over itself. No mode of the terminal is changed, and a frame is written at
 * once: whatever ends the program leaves the last picture and a terminal as it was. Anything else gets one line per
 * change of the counts. The server is asked again after a pause, as `umd wait` does; it keeps no listeners.
 *
 * Left out: images. Nobody changes them while nothing runs. */
#include "map_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "map_text.h"

enum { FAILURES_MAX = 3, FRAME_BYTES = 1 << 18 };

struct watch {
	const struct map_wish *wish;
	const char *name;
	bool is_terminal;
	unsigned frame_lines;		/* of the frame on the screen */
	uint32_t columns, rows;		/* it was made for these */
	char told[MAP_TEXT_BYTES];	/* of the last line, without its time */
};

/* Every line clears what a longer one left behind it; the last one what is below. Lines that would wrap are cut: the
 * way back up counts lines. */
static void put_lines(struct watch *w, const struct map_text *t, char *text, FILE *to)
{
	w->frame_lines = 0;
	for (char *line; (line = strsep(&text, "\n")) && text; w->frame_lines++) {
		map_text_cut(t, line, t->columns, to);
		fputs("\033[K\n", to);
	}
	fputs("\033[J", to);
}

static void put_frame(struct watch *w, const struct map_text *t, char *text)
{
	bool is_resized = w->columns != t->columns || w->rows != t->rows_max;

	if (w->frame_lines && is_resized)
		fputs("\033[2J\033[H", stdout);
	else if (w->frame_lines)
		printf("\033[%uA\r", w->frame_lines);
	put_lines(w, t, text, stdout);
	fflush(stdout);
	w->columns = t->columns;
	w->rows = t->rows_max;
}

static int draw(struct watch *w, struct map_picture *p)
{
	struct map_text t = map_text_of(w->wish);
	char *text = NULL;
	size_t len;
	FILE *memory = open_memstream(&text, &len);

	if (!memory)
		return cli_refuse("there is not enough memory for a picture");
	map_text_draw(&t, p, memory);
	if (fclose(memory)) {
		free(text);
		return cli_refuse("there is not enough memory for a picture");
	}
	put_frame(w, &t, text);
	free(text);
	return CLI_DONE;
}

/* 2026-11-21 05:40:12  4 set, 0 to be copied, the sync is at 12.0 MiB
 * What a line does not say (which chunks, the array's state) may change without a new line. */
static int tell(struct watch *w, const struct map_picture *p, struct json_object *map)
{
	const struct map_panel *panel = &p->panels[0];
	uint64_t position = cli_json_u64(map, "sync_position_bytes", UINT64_MAX);
	bool has_sync = position != UINT64_MAX;
	time_t now = time(NULL);
	char clock[32] = "", text[MAP_TEXT_BYTES];
	struct tm tm;

	snprintf(text, sizeof text, "%llu set, %llu to be copied%s%s", (unsigned long long)panel->totals[MAP_SET],
		 (unsigned long long)panel->totals[MAP_NEEDED], has_sync ? ", the sync is at " : "",
		 has_sync ? cli_bytes(position) : "");
	if (!strcmp(text, w->told))
		return CLI_DONE;
	strcpy(w->told, text);
	if (localtime_r(&now, &tm))
		strftime(clock, sizeof clock, "%F %T", &tm);
	printf("%s  %s\n", clock, text);
	return fflush(stdout) ? CLI_FAILED : CLI_DONE;
}

static int show(struct watch *w, struct json_object *map)
{
	struct map_picture *p = map_of_running(map, w->name);
	int status;

	if (!p)
		return CLI_FAILED;
	status = w->is_terminal ? draw(w, p) : tell(w, p, map);
	map_drop(p);
	return status;
}

static bool is_resized(const struct watch *w)
{
	struct map_text t = map_text_of(w->wish);

	return w->is_terminal && (w->columns != t.columns || w->rows != t.rows_max);
}

/* The next answer, or NULL: the array has ended (*@ret_status CLI_DONE), or it could not be asked. A server that ends
 * while it is asked hangs up; the next question finds nobody. */
static struct json_object *ask(const struct watch *w, int *ret_status)
{
	struct timespec pause = { .tv_sec = w->wish->interval_s };
	struct map_text t = map_text_of(w->wish);
	struct json_object *map;
	struct umd_error error;

	for (unsigned failures = 0; failures < FAILURES_MAX; failures++) {
		nanosleep(&pause, NULL);
		if (!map_ask_running(w->name, map_text_cells(&t), &map, &error))
			return map;
		if (error.errno_class == ENOENT) {
			printf("%s has ended\n", w->name);
			*ret_status = CLI_DONE;
			return NULL;
		}
	}
	*ret_status = cli_fail(&error);
	return NULL;
}

int map_watch(const struct map_wish *wish, const char *name, struct json_object *first)
{
	struct watch w = { .wish = wish, .name = cli_shown(name), .is_terminal = isatty(STDOUT_FILENO) };
	struct json_object *last = json_object_get(first), *map;
	int status;

	setvbuf(stdout, NULL, _IOFBF, FRAME_BYTES);
	status = show(&w, last);
	while (!status && (map = ask(&w, &status))) {
		if (!json_object_equal(map, last) || is_resized(&w))
			status = show(&w, map);
		json_object_put(last);
		last = map;
	}
	json_object_put(last);
	return status;
}
