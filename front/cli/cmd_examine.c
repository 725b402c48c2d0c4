/* umd examine: what a person wants to know first - can it start, what will be copied, why - then the members side by
 * side. Members without a superblock are one sentence each on stderr. Exit status 1 when a member has an error. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "table.h"

enum { TEXT_WIDTH = 110 };

typedef const char *cell_maker(struct json_object *member);

static struct json_object *bitmap_of(struct json_object *member)
{
	struct json_object *bitmaps = cli_json_get(member, "bitmaps");

	return cli_json_len(bitmaps) ? json_object_array_get_idx(bitmaps, 0) : NULL;
}

static const char *cell_size(struct json_object *m)
{
	return cli_print("%s", cli_bytes(cli_json_u64(m, "size_bytes", 0)));
}

static const char *cell_superblock(struct json_object *m)
{
	return cli_print("%s at %s", cli_json_shown(m, "superblock.metadata"),
			 cli_bytes(cli_json_u64(m, "superblock.super_offset_bytes", 0)));
}

static const char *cell_device(struct json_object *m)
{
	return cli_json_shown(m, "superblock.device_uuid");
}

static const char *cell_role(struct json_object *m)
{
	struct json_object *role = cli_json_get(m, "superblock.role");

	return role && json_object_is_type(role, json_type_int) ?
		       cli_print("slot %s", cli_json_shown(role, "")) :
		       cli_json_shown(role, "");
}

static const char *cell_state(struct json_object *m)
{
	return cli_json_shown(m, "superblock.state");
}

static const char *cell_events(struct json_object *m)
{
	return cli_json_shown(m, "superblock.events");
}

static const char *cell_data(struct json_object *m)
{
	return cli_print("%s at %s", cli_bytes(cli_json_u64(m, "superblock.data_bytes", 0)),
			 cli_bytes(cli_json_u64(m, "superblock.data_offset_bytes", 0)));
}

static const char *cell_resync(struct json_object *m)
{
	uint64_t offset = cli_json_u64(m, "superblock.resync_offset_bytes", UINT64_MAX);

	return offset == UINT64_MAX ? "" : cli_print("from %s", cli_bytes(offset));
}

static const char *cell_recovery(struct json_object *m)
{
	uint64_t offset = cli_json_u64(m, "superblock.recovery_offset_bytes", UINT64_MAX);

	return offset == UINT64_MAX ? "" : cli_print("done up to %s", cli_bytes(offset));
}

static const char *cell_flags(struct json_object *m)
{
	struct json_object *flags = cli_json_get(m, "superblock.flags");
	const char *text = "";

	for (size_t i = 0; i < cli_json_len(flags); i++)
		text = cli_print("%s%s%s", text, *text ? ", " : "",
				 cli_json_shown(json_object_array_get_idx(flags, i), ""));
	return text;
}

static const char *cell_bad_blocks(struct json_object *m)
{
	size_t count = cli_json_len(cli_json_get(m, "superblock.bad_blocks"));

	return count ? cli_print("%zu", count) : "";
}

static const char *cell_checksum(struct json_object *m)
{
	return cli_print("%s, %s", cli_json_shown(m, "superblock.checksum"),
			 cli_json_bool(m, "superblock.checksum_ok") ? "right" : "wrong");
}

static const char *cell_bitmap(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	if (!b)
		return "none";
	return cli_print("%s chunks, version %s", cli_bytes(cli_json_u64(b, "chunk_bytes", 0)),
			 cli_json_shown(b, "version"));
}

static const char *cell_set(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	return b ? cli_print("%s of %s", cli_json_shown(b, "set_chunks"), cli_json_shown(b, "chunks")) : "";
}

static const char *cell_bitmap_events(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	return b ? cli_print("%s, cleared at %s", cli_json_shown(b, "events"),
			     cli_json_shown(b, "events_cleared")) :
		   "";
}

static const struct {
	const char *label;
	cell_maker *make;
} rows[] = {
	{ "size", cell_size },
	{ "superblock", cell_superblock },
	{ "device uuid", cell_device },
	{ "role", cell_role },
	{ "state", cell_state },
	{ "events", cell_events },
	{ "data", cell_data },
	{ "resync due", cell_resync },
	{ "recovery", cell_recovery },
	{ "flags", cell_flags },
	{ "bad blocks", cell_bad_blocks },
	{ "checksum", cell_checksum },
	{ "bitmap", cell_bitmap },
	{ "chunks set", cell_set },
	{ "bitmap events", cell_bitmap_events },
};

static bool is_of_array(struct json_object *member, const char *uuid)
{
	return !strcmp(cli_json_raw(member, "superblock.array_uuid"), uuid);
}

static void print_side_by_side(struct json_object *members, const char *uuid)
{
	size_t count = cli_json_len(members), column = 0;
	struct cli_table *t = cli_table_new(count + 1);

	cli_table_row(t, "");
	for (size_t i = 0; i < count; i++) {
		struct json_object *m = json_object_array_get_idx(members, i);

		if (is_of_array(m, uuid))
			cli_table_put(t, ++column, cli_json_shown(m, "path"));
	}
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		column = 0;
		cli_table_row(t, rows[row].label);
		for (size_t i = 0; i < count; i++) {
			struct json_object *m = json_object_array_get_idx(members, i);

			if (is_of_array(m, uuid))
				cli_table_put(t, ++column, rows[row].make(m));
		}
	}
	cli_table_print(t, TEXT_WIDTH);
	cli_table_free(t);
}

static struct json_object *first_member(struct json_object *members, const char *uuid)
{
	for (size_t i = 0; i < cli_json_len(members); i++)
		if (is_of_array(json_object_array_get_idx(members, i), uuid))
			return json_object_array_get_idx(members, i);
	return NULL;
}

/* "Array home (uuid): ..." and what the next start does. */
static void print_array(struct json_object *array, struct json_object *members)
{
	const char *uuid = cli_json_raw(array, "array_uuid"), *name,
		   *action = cli_json_raw(array, "next_start.action");
	struct json_object *m = first_member(members, uuid);

	name = cli_json_shown(m, "superblock.name");
	printf("Array %s%s(%s): RAID%s of %s, %s of %s members given.\n", name, *name ? " " : "",
	       cli_shown(uuid), cli_json_shown(m, "superblock.level"),
	       cli_bytes(cli_json_u64(m, "superblock.array_bytes", 0)),
	       cli_json_shown(array, "members_present"), cli_json_shown(m, "superblock.raid_devices"));
	if (!cli_json_bool(array, "can_start"))
		printf("It cannot start: %s\n", cli_json_shown(array, "next_start.reason"));
	else if (!strcmp(action, "resync") || !strcmp(action, "recover"))
		printf("It can start. The next start copies %s (%s): %s\n",
		       cli_bytes(cli_json_u64(array, "next_start.bytes", 0)), action,
		       cli_json_shown(array, "next_start.reason"));
	else
		printf("It can start. The next start copies nothing: %s\n", cli_json_shown(array, "next_start.reason"));
	putchar('\n');
	print_side_by_side(members, uuid);
}

static void print_text(struct json_object *o)
{
	struct json_object *arrays = cli_json_get(o, "arrays"), *members = cli_json_get(o, "members");

	for (size_t i = 0; i < cli_json_len(arrays); i++) {
		if (i)
			putchar('\n');
		print_array(json_object_array_get_idx(arrays, i), members);
	}
}

int cmd_examine(const struct cli *cli)
{
	const struct umd_external_bitmap *external;
	struct umd_external_bitmap space;
	struct umd_error error;
	struct json_object *o;
	size_t errors;
	char *json;
	int rc;

	rc = cli_external(cli, &space, &external);
	if (rc)
		return rc;
	json = cli_examine(cli, cli_has(cli, "all"), external, &errors, &error);
	if (!json)
		return cli_fail(&error);
	o = cli_json_parse(json);
	if (cli_has(cli, "json"))
		puts(json);
	free(json);
	if (!o)
		return CLI_FAILED;
	if (!cli_has(cli, "json"))
		print_text(o);
	cli_say_member_errors(cli_json_get(o, "members"));
	json_object_put(o);
	return errors ? CLI_FAILED : CLI_DONE;
}
