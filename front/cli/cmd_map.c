/* umd map: the bitmap of a running array (from its server) or of images (from the members' own bytes).
 *
 * One word that is no path is asked for among the running arrays first; what no server answers for is an image. Members
 * whose bitmaps agree are drawn once. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw.h"
#include "json.h"

enum { WIDTH = 64, WIDTH_MIN = 8, WIDTH_MAX = 512 };

static void draw_running(struct json_object *reply, const char *name, uint32_t width)
{
	struct cli_map map = {
		.chunk_count = cli_json_u64(reply, "chunks", 0),
		.chunk_bytes = cli_json_u64(reply, "chunk_bytes", 0),
		.set = cli_json_get(reply, "set"),
		.needed = cli_json_get(reply, "needed"),
		.sync_position_bytes = cli_json_u64(reply, "sync_position_bytes", UINT64_MAX),
	};

	printf("%s, running\n", cli_shown(name));
	cli_draw(&map, width);
}

/* True when a server answered, or refused; *@ret_status is then the exit status. */
static bool map_of_running(const struct cli *cli, const char *name, uint32_t width, int *ret_status)
{
	struct json_object *reply;
	struct umd_error error;
	int rc;

	if (strchr(name, '/'))
		return false;
	rc = cli_ask(name, "map", &reply, &error);
	if (rc && access(name, F_OK) == 0)
		return false;
	if (rc) {
		*ret_status = cli_fail(&error);
		return true;
	}
	if (cli_has(cli, "json"))
		cli_json_print_object(reply);
	else
		draw_running(reply, name, width);
	json_object_put(reply);
	*ret_status = CLI_DONE;
	return true;
}

static bool is_same_map(struct json_object *a, struct json_object *b)
{
	return json_object_equal(cli_json_get(a, "set"), cli_json_get(b, "set")) &&
	       cli_json_u64(a, "chunks", 0) == cli_json_u64(b, "chunks", 0) &&
	       cli_json_u64(a, "chunk_bytes", 0) == cli_json_u64(b, "chunk_bytes", 0);
}

static struct json_object *bitmap_of(struct json_object *members, size_t index, size_t bitmap)
{
	struct json_object *bitmaps = cli_json_get(json_object_array_get_idx(members, index), "bitmaps");

	return bitmap < cli_json_len(bitmaps) ? json_object_array_get_idx(bitmaps, bitmap) : NULL;
}

/* Was the same map drawn for an earlier member? */
static bool is_drawn(struct json_object *members, size_t index, size_t slot)
{
	for (size_t i = 0; i < index; i++)
		if (bitmap_of(members, i, slot) &&
		    is_same_map(bitmap_of(members, i, slot), bitmap_of(members, index, slot)))
			return true;
	return false;
}

/* The names of all members from @index on that have the map of @index. */
static void print_owners(struct json_object *members, size_t index, size_t slot)
{
	const char *between = "";

	for (size_t i = index; i < cli_json_len(members); i++) {
		struct json_object *b = bitmap_of(members, i, slot);

		if (!b || !is_same_map(b, bitmap_of(members, index, slot)))
			continue;
		printf("%s%s", between, cli_json_shown(json_object_array_get_idx(members, i), "path"));
		between = ", ";
	}
	if (cli_json_u64(bitmap_of(members, index, slot), "slot", 0))
		printf(" (slot %zu)", slot);
	putchar('\n');
}

static void draw_images(struct json_object *members, uint32_t width)
{
	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *b;

		if (!bitmap_of(members, i, 0) &&
		    cli_json_get(json_object_array_get_idx(members, i), "superblock"))
			printf("%s has no bitmap\n",
			       cli_json_shown(json_object_array_get_idx(members, i), "path"));
		for (size_t slot = 0; (b = bitmap_of(members, i, slot)); slot++) {
			struct cli_map map = {
				.chunk_count = cli_json_u64(b, "chunks", 0),
				.chunk_bytes = cli_json_u64(b, "chunk_bytes", 0),
				.set = cli_json_get(b, "set"),
				.sync_position_bytes = UINT64_MAX,
			};

			if (is_drawn(members, i, slot))
				continue;
			print_owners(members, i, slot);
			cli_draw(&map, width);
		}
	}
}

/* {"members": [{"path", "bitmaps": [...]}]}: the part of examine that a map is made of. */
static void print_json(struct json_object *members)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i),
				   *copy = json_object_new_object();

		json_object_object_add(copy, "path", json_object_get(cli_json_get(m, "path")));
		json_object_object_add(copy, "bitmaps", json_object_get(cli_json_get(m, "bitmaps")));
		json_object_array_add(list, copy);
	}
	json_object_object_add(o, "members", list);
	cli_json_print_object(o);
	json_object_put(o);
}

static int map_of_images(const struct cli *cli, uint32_t width)
{
	struct json_object *o, *members;
	struct umd_error error;
	size_t errors;
	char *json;

	json = cli_examine(cli, true, NULL, &errors, &error);
	if (!json)
		return cli_fail(&error);
	o = cli_json_parse(json);
	free(json);
	if (!o)
		return CLI_FAILED;
	members = cli_json_get(o, "members");
	if (cli_has(cli, "json"))
		print_json(members);
	else
		draw_images(members, width);
	cli_say_member_errors(members);
	json_object_put(o);
	return errors ? CLI_FAILED : CLI_DONE;
}

int cmd_map(const struct cli *cli)
{
	uint64_t width = cli_number(cli, "width", WIDTH);
	int status;

	if (width < WIDTH_MIN || width > WIDTH_MAX)
		return cli_usage("--width=%llu is outside %d to %d cells", (unsigned long long)width,
				 WIDTH_MIN, WIDTH_MAX);
	if (cli->word_count == 1 && map_of_running(cli, cli->words[0], width, &status))
		return status;
	return map_of_images(cli, width);
}
