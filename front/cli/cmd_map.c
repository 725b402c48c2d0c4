/* umd map: the bitmap of a running array (from its server) or of images (from the members' own bytes).
 *
 * One word that is no path is asked for among the running arrays first; what no server answers for is an image.
 *
 *   figures (map_ask.c) -> model (map_read.c, map_model.c) -> text (map_text.c)
 *                                                          -> sheet (map_sheet.c) -> SVG, PNG (map_svg.c, map_png.c)
 *
 * --json and --raw hand through what the library says, without a picture. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "map_ask.h"
#include "map_file.h"
#include "map_sheet.h"
#include "map_text.h"

enum { RUNS_OF_JSON = 10000, INTERVAL_S_MAX = 86400 };

/* ---- what is asked for ---- */

static int check_style(const char *style)
{
	if (!style || !strcmp(style, "blocks") || !strcmp(style, "braille") || !strcmp(style, "ascii"))
		return CLI_DONE;
	return cli_usage("--style is blocks, braille or ascii, not \"%s\"", cli_shown(style));
}

/* Of the ways to answer one is taken; a picture may be both SVG and PNG. */
static int check_together(const struct map_wish *w)
{
	const struct {
		const char *name;
		bool is_given;
	} ways[] = { { "json", w->is_json },
		     { "raw", w->raw },
		     { "watch", w->is_watch },
		     { w->svg ? "svg" : "png", w->svg || w->png } };
	const char *taken = NULL;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (ways[i].is_given && taken)
			return cli_usage("--%s and --%s are two answers: give one of them", taken, ways[i].name);
		if (ways[i].is_given)
			taken = ways[i].name;
	}
	if (w->svg && w->png && !strcmp(w->svg, "-") && !strcmp(w->png, "-"))
		return cli_usage("--svg and --png cannot both go to stdout");
	if (w->is_difference && (w->raw || w->is_watch))
		return cli_usage("--diff compares pictures of two bitmaps, and --%s makes none", taken);
	if (cli_has(w->cli, "slot") && !w->raw)
		return cli_usage("--slot belongs to --raw; every picture has all slots");
	if (cli_has(w->cli, "interval") && !w->is_watch)
		return cli_usage("--interval belongs to --watch");
	return CLI_DONE;
}

static int check_words(const struct map_wish *w)
{
	size_t count = w->cli->word_count;

	if (w->raw && count != 1)
		return cli_usage("--raw writes the bitmap of one member, and %zu were given", count);
	if (w->is_watch && count != 1)
		return cli_usage("--watch follows one running array, and %zu words were given", count);
	if (w->is_watch && w->external)
		return cli_usage("--watch follows a running array, and --external describes an image");
	return CLI_DONE;
}

static int read_wish(struct map_wish *w, const struct cli *cli)
{
	uint64_t width = cli_number(cli, "width", MAP_WIDTH);
	int rc;

	*w = (struct map_wish){
		.cli = cli,
		.width = cli_has(cli, "width") ? width : 0,
		.style = cli_text(cli, "style"),
		.svg = cli_text(cli, "svg"),
		.png = cli_text(cli, "png"),
		.raw = cli_text(cli, "raw"),
		.slot = cli_number(cli, "slot", 0),
		.interval_s = cli_number(cli, "interval", 1),
		.is_json = cli_has(cli, "json"),
		.is_difference = cli_has(cli, "diff"),
		.is_watch = cli_has(cli, "watch"),
	};
	if (width < MAP_WIDTH_MIN || width > MAP_WIDTH_MAX)
		return cli_usage("--width=%llu is outside %d to %d cells", (unsigned long long)width, MAP_WIDTH_MIN,
				 MAP_WIDTH_MAX);
	if (!w->interval_s || w->interval_s > INTERVAL_S_MAX)
		return cli_usage("--interval=%llu is outside 1 to %d seconds", (unsigned long long)w->interval_s,
				 INTERVAL_S_MAX);
	if (w->slot > UINT32_MAX)
		return cli_usage("--slot=%llu is no slot: there are at most %u", (unsigned long long)w->slot,
				 UINT32_MAX);
	rc = cli_external(cli, &w->space, &w->external);
	if (!rc)
		rc = check_style(w->style);
	if (!rc)
		rc = check_together(w);
	return rc ?: check_words(w);
}

struct map_text map_text_of(const struct map_wish *w)
{
	struct map_text t = map_text_for_stdout();

	t.width = w->width;
	if (w->style)
		t.style = !strcmp(w->style, "ascii")   ? MAP_ASCII :
			  !strcmp(w->style, "braille") ? MAP_BRAILLE :
							 MAP_BLOCKS;
	return t;
}

static bool is_sheet(const struct map_wish *w)
{
	return w->svg || w->png;
}

static uint64_t cells_of(const struct map_wish *w)
{
	struct map_text t = map_text_of(w);

	return is_sheet(w) ? (uint64_t)(w->width ?: SHEET_WIDTH) * SHEET_ROWS_MAX : map_text_cells(&t);
}

/* ---- pictures ---- */

static int write_sheet(const struct sheet *s, const char *path, bool is_svg)
{
	struct map_file f;
	int rc = map_file_open(&f, path, is_svg ? "SVG" : "PNG", is_svg ? "<svg" : "\x89PNG");
	bool is_made;

	if (rc)
		return map_file_close(&f, false);
	is_made = is_svg ? sheet_write_svg(s, f.to) : sheet_write_png(s, f.to);
	return map_file_close(&f, is_made);
}

static int write_sheets(const struct map_wish *w, struct map_picture *p)
{
	struct sheet *s = sheet_make(p, w->width);
	int rc = CLI_DONE;

	if (w->svg)
		rc = write_sheet(s, w->svg, true);
	if (w->png && !rc)
		rc = write_sheet(s, w->png, false);
	sheet_drop(s);
	return rc;
}

/* Takes @p. */
static int show(const struct map_wish *w, struct map_picture *p)
{
	struct map_text t = map_text_of(w);
	int rc = CLI_DONE;

	if (!p)
		return CLI_FAILED;
	if (is_sheet(w) && !p->panel_count)
		rc = cli_refuse("there is no bitmap to draw; no picture was written");
	else if (is_sheet(w))
		rc = write_sheets(w, p);
	else
		map_text_draw(&t, p, stdout);
	map_drop(p);
	return rc;
}

/* ---- a running array ---- */

static int answer_running(const struct map_wish *w, const char *name, struct json_object *map)
{
	if (w->is_watch)
		return map_watch(w, name, map);
	if (!w->is_json)
		return show(w, map_of_running(map, cli_shown(name)));
	cli_json_print_object(map);
	return CLI_DONE;
}

/* True when a server answered, or refused; *@ret_status is then the exit status. */
static bool map_running(const struct map_wish *w, const char *name, int *ret_status)
{
	struct json_object *map;
	struct umd_error error;

	if (w->cli->word_count != 1 || w->external || w->is_difference || strchr(name, '/'))
		return false;
	if (map_ask_running(name, cells_of(w), &map, &error)) {
		*ret_status = CLI_FAILED;
		if (access(name, F_OK) == 0)
			return false;
		if (error.errno_class == ENOENT)
			cli_refuse("%s, and there is no file of that name", error.text);
		else
			cli_fail(&error);
		return true;
	}
	*ret_status = answer_running(w, name, map);
	json_object_put(map);
	return true;
}

/* ---- images ---- */

/* What the library hands over goes out; its stream keeps what went wrong. */
static int write_piece(void *file, const char *data, size_t len_bytes)
{
	return fwrite(data, 1, len_bytes, file) == len_bytes ? 0 : -1;
}

static int raw_of_image(const struct map_wish *w)
{
	struct umd_error error;
	struct map_file f;
	int rc = map_file_open(&f, w->raw, "raw bitmap", "");

	if (rc)
		return map_file_close(&f, false);
	rc = umd_map_raw(w->cli->words[0], w->slot, w->external, write_piece, f.to, &error);
	if (rc && !ferror(f.to)) {
		cli_fail(&error);
		return map_file_close(&f, false);
	}
	return map_file_close(&f, true);
}

static int json_of_images(const struct map_wish *w)
{
	struct umd_look_options options = {
		.runs_max = RUNS_OF_JSON, .is_comparison = w->is_difference, .external = w->external
	};
	struct umd_error error;
	size_t errors = 0;
	int rc = umd_map(w->cli->words, w->cli->word_count, &options, write_piece, stdout, &errors, &error);

	if (rc)
		return ferror(stdout) ? CLI_FAILED : cli_fail(&error);
	putchar('\n');
	return errors ? CLI_FAILED : CLI_DONE;
}

static bool has_map(struct json_object *maps, const char *path)
{
	for (size_t i = 0; i < cli_json_len(maps); i++)
		if (!strcmp(cli_json_raw(json_object_array_get_idx(maps, i), "path"), path))
			return true;
	return false;
}

/* What a picture does not show: members without a map, and what is odd about the others. */
static void say_notes(struct json_object *o, FILE *to)
{
	struct json_object *members = cli_json_get(o, "members"), *maps = cli_json_get(o, "maps");

	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i), *notes = cli_json_get(m, "notes");

		if (!cli_json_get(m, "error") && !has_map(maps, cli_json_raw(m, "path")))
			fprintf(to, "%s has no bitmap to draw\n", cli_json_shown(m, "path"));
		for (size_t k = 0; k < cli_json_len(notes); k++)
			fprintf(to, "note on %s: %s\n", cli_json_shown(m, "path"),
				cli_shown(json_object_get_string(json_object_array_get_idx(notes, k))));
	}
}

static int map_images(const struct map_wish *w)
{
	struct umd_error error;
	struct json_object *o;
	size_t errors = 0;
	int rc = CLI_DONE;

	if (map_ask_images(w, cells_of(w), &o, &errors, &error))
		return cli_fail(&error);
	if (w->is_difference && cli_json_get(o, "difference"))
		rc = show(w, map_of_difference(o));
	else if (cli_json_len(cli_json_get(o, "maps")) || !errors)
		rc = show(w, map_of_images(o));
	say_notes(o, is_sheet(w) ? stderr : stdout);
	cli_say_member_errors(cli_json_get(o, "members"));
	json_object_put(o);
	return errors ? CLI_FAILED : rc;
}

int cmd_map(const struct cli *cli)
{
	struct map_wish w;
	int status = read_wish(&w, cli);

	if (status)
		return status;
	if (w.raw)
		return raw_of_image(&w);
	if (map_running(&w, cli->words[0], &status))
		return status;
	if (w.is_watch)
		return cli_refuse("--watch follows a running array, and no array of the name %s runs: an image does "
				  "not change by itself", cli_shown(cli->words[0]));
	return w.is_json ? json_of_images(&w) : map_images(&w);
}
