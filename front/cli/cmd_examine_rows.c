/* The facts of one member, as cells of the table in which members stand side by side.
 *
 * Sizes are rounded, places are not: who is going to look there with another tool needs the byte.
 * One function makes one cell from the member's JSON; an empty cell says nothing. Rows that are empty for every member
 * are not printed, so an array without reshape has no row of that name. Strings go through cli_shown(). */
#include "cmd_examine.h"

#include <string.h>

#include "json.h"

typedef const char *cell_maker(struct json_object *member);

static struct json_object *bitmap_of(struct json_object *member)
{
	struct json_object *bitmaps = cli_json_get(member, "bitmaps");

	return cli_json_len(bitmaps) ? json_object_array_get_idx(bitmaps, 0) : NULL;
}

/* "a, b, c" from a list of words. */
static const char *words_of(struct json_object *list)
{
	const char *text = "";

	for (size_t i = 0; i < cli_json_len(list); i++)
		text = cli_print("%s%s%s", text, *text ? ", " : "",
				 cli_json_shown(json_object_array_get_idx(list, i), ""));
	return text;
}

static const char *bytes_at(struct json_object *o, const char *length, const char *offset)
{
	if (!cli_json_get(o, length))
		return "";
	return cli_print("%s at %s", cli_bytes(cli_json_u64(o, length, 0)), cli_place(cli_json_u64(o, offset, 0)));
}

static const char *bytes_of(struct json_object *o, const char *path, const char *before)
{
	if (!cli_json_get(o, path))
		return "";
	return cli_print("%s%s", before, cli_bytes(cli_json_u64(o, path, 0)));
}

static const char *place_of(struct json_object *o, const char *path, const char *before)
{
	if (!cli_json_get(o, path))
		return "";
	return cli_print("%s%s", before, cli_place(cli_json_u64(o, path, 0)));
}

static const char *cell_kind(struct json_object *m)
{
	const char *kind = cli_json_raw(m, "kind");

	return !strcmp(kind, "bitmap_file")	? "bitmap file" :
	       !strcmp(kind, "external_bitmap") ? "external bitmap" :
						  "";
}

static const char *cell_size(struct json_object *m)
{
	return bytes_of(m, "size_bytes", "");
}

static const char *cell_superblock(struct json_object *m)
{
	if (!cli_json_get(m, "superblock"))
		return "";
	return cli_print("%s at %s%s", cli_json_shown(m, "superblock.metadata"),
			 cli_place(cli_json_u64(m, "superblock.super_offset_bytes", 0)),
			 strcmp(cli_json_raw(m, "superblock.byte_order"), "big") ? "" : ", big-endian");
}

static const char *cell_device(struct json_object *m)
{
	return cli_json_shown(m, "superblock.device_uuid");
}

static const char *cell_number(struct json_object *m)
{
	return cli_json_shown(m, "superblock.device_number");
}

static const char *cell_role(struct json_object *m)
{
	struct json_object *role = cli_json_get(m, "superblock.role");

	return role && json_object_is_type(role, json_type_int) ? cli_print("slot %s", cli_json_shown(role, "")) :
								  cli_json_shown(role, "");
}

/* "0 1 faulty", by device number; what stands at the end as unused is left away. */
static const char *cell_roles(struct json_object *m)
{
	struct json_object *roles = cli_json_get(m, "superblock.roles");
	size_t count = cli_json_len(roles);
	const char *text = "";

	while (count && strchr("sf", *cli_json_raw(json_object_array_get_idx(roles, count - 1), "")))
		count--;
	for (size_t i = 0; i < count && i < 64; i++)
		text = cli_print("%s%s%s", text, *text ? " " : "",
				 cli_json_shown(json_object_array_get_idx(roles, i), ""));
	return count > 64 ? cli_print("%s and %zu more", text, count - 64) : text;
}

static const char *cell_level(struct json_object *m)
{
	if (!cli_json_get(m, "superblock"))
		return "";
	return cli_print("RAID%s of %s", cli_json_shown(m, "superblock.level"),
			 cli_json_shown(m, "superblock.raid_devices"));
}

static const char *cell_layout(struct json_object *m)
{
	const char *layout = cli_json_shown(m, "superblock.layout_name");

	if (!cli_json_u64(m, "superblock.chunk_bytes", 0))
		return layout;
	return cli_print("%s%s%s chunks", layout, *layout ? ", " : "",
			 cli_bytes(cli_json_u64(m, "superblock.chunk_bytes", 0)));
}

static const char *cell_name(struct json_object *m)
{
	return cli_json_shown(m, "superblock.name");
}

static const char *cell_state(struct json_object *m)
{
	return cli_json_shown(m, "superblock.state");
}

static const char *cell_events(struct json_object *m)
{
	return cli_json_shown(m, "superblock.events");
}

static const char *cell_created(struct json_object *m)
{
	return cli_json_get(m, "superblock.created_s") ? cli_time(cli_json_u64(m, "superblock.created_s", 0)) : "";
}

static const char *cell_updated(struct json_object *m)
{
	return cli_json_get(m, "superblock.updated_s") ? cli_time(cli_json_u64(m, "superblock.updated_s", 0)) : "";
}

static const char *cell_component(struct json_object *m)
{
	return bytes_of(m, "superblock.component_bytes", "");
}

static const char *cell_data(struct json_object *m)
{
	return bytes_at(m, "superblock.data_bytes", "superblock.data_offset_bytes");
}

static const char *cell_resync(struct json_object *m)
{
	return place_of(m, "superblock.resync_offset_bytes", "from ");
}

static const char *cell_recovery(struct json_object *m)
{
	return place_of(m, "superblock.recovery_offset_bytes", "done up to ");
}

static const char *cell_reshape(struct json_object *m)
{
	struct json_object *r = cli_json_get(m, "superblock.reshape");
	const char *delta = cli_json_shown(r, "delta_disks");

	if (!r)
		return "";
	return cli_print("at %s, to RAID%s, %s%s members", cli_place(cli_json_u64(r, "position_bytes", 0)),
			 cli_json_shown(r, "new_level"), *delta == '-' ? "" : "+", delta);
}

static const char *cell_flags(struct json_object *m)
{
	return words_of(cli_json_get(m, "superblock.flags"));
}

static const char *cell_features(struct json_object *m)
{
	return words_of(cli_json_get(m, "superblock.features"));
}

static const char *cell_bad_log(struct json_object *m)
{
	return bytes_at(m, "superblock.bad_block_log.length_bytes", "superblock.bad_block_log.offset_bytes");
}

static const char *cell_bad_blocks(struct json_object *m)
{
	struct json_object *list = cli_json_get(m, "superblock.bad_blocks"),
			   *first = cli_json_len(list) ? json_object_array_get_idx(list, 0) : NULL;

	if (!first)
		return "";
	return cli_print("%zu, first %s", cli_json_len(list), bytes_at(first, "length_bytes", "offset_bytes"));
}

static const char *cell_corrected(struct json_object *m)
{
	return cli_json_u64(m, "superblock.corrected_reads", 0) ? cli_json_shown(m, "superblock.corrected_reads") : "";
}

static const char *cell_minor(struct json_object *m)
{
	return cli_json_shown(m, "superblock.md_minor");
}

static const char *cell_disks(struct json_object *m)
{
	if (!cli_json_get(m, "superblock.active_disks"))
		return "";
	return cli_print("%s active, %s working, %s failed, %s spare", cli_json_shown(m, "superblock.active_disks"),
			 cli_json_shown(m, "superblock.working_disks"), cli_json_shown(m, "superblock.failed_disks"),
			 cli_json_shown(m, "superblock.spare_disks"));
}

static const char *cell_checksum(struct json_object *m)
{
	if (!cli_json_get(m, "superblock"))
		return "";
	return cli_print("%s, %s", cli_json_shown(m, "superblock.checksum"),
			 cli_json_bool(m, "superblock.checksum_ok") ? "right" : "wrong");
}

static const char *cell_bitmap(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);
	size_t slots = cli_json_len(cli_json_get(m, "bitmaps"));
	const char *version = cli_json_shown(b, "version");

	if (!b && cli_json_get(m, "superblock") && cli_json_get(m, "error"))
		return "not read";
	if (!b)
		return cli_json_get(m, "superblock") ? "none" : "";
	return cli_print("%s%s%s%s", cli_json_shown(b, "kind"), *version ? ", version " : "", version,
			 slots > 1 ? cli_print(", %zu slots", slots) : "");
}

/* A lockless bitmap that was never initialised has no chunks yet, and its chunk size is none. */
static bool is_uninitialised(struct json_object *b)
{
	return cli_json_get(b, "initialised") && !cli_json_bool(b, "initialised");
}

static const char *cell_chunks(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);
	const char *bytes = is_uninitialised(b) ? "" : bytes_of(b, "chunk_bytes", "of ");

	return *bytes && cli_json_get(b, "chunks") ? cli_print("%s %s", cli_json_shown(b, "chunks"), bytes) : bytes;
}

static const char *cell_bitmap_place(struct json_object *m)
{
	return place_of(bitmap_of(m), "offset_bytes", "");
}

static const char *cell_set(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	if (!b || cli_json_len(cli_json_get(m, "bitmaps")) > 1)
		return "";
	if (is_uninitialised(b))
		return "not initialised";
	if (!cli_json_get(b, "set_chunks"))
		return "not counted";
	return cli_print("%s of %s", cli_json_shown(b, "set_chunks"), cli_json_shown(b, "chunks"));
}

static const char *cell_bitmap_events(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	if (!cli_json_get(b, "events"))
		return "";
	return cli_print("%s, cleared at %s", cli_json_shown(b, "events"), cli_json_shown(b, "events_cleared"));
}

static const char *cell_bitmap_flags(struct json_object *m)
{
	return words_of(cli_json_get(bitmap_of(m), "state_flags"));
}

static const char *cell_daemon(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	return cli_json_get(b, "daemon_sleep_s") ? cli_print("%s s", cli_json_shown(b, "daemon_sleep_s")) : "";
}

static const char *cell_behind(struct json_object *m)
{
	struct json_object *b = bitmap_of(m);

	return cli_json_u64(b, "write_behind", 0) ? cli_json_shown(b, "write_behind") : "";
}

static const char *cell_cluster(struct json_object *m)
{
	return cli_json_shown(bitmap_of(m), "cluster_name");
}

/* One cell for each state that a lockless bitmap has. */
static const char *cell_states(struct json_object *m)
{
	struct json_object *states = cli_json_get(bitmap_of(m), "states");
	const char *text = "";

	if (!states)
		return "";
	json_object_object_foreach(states, state, count) {
		if (json_object_get_uint64(count))
			text = cli_print("%s%s%s %s", text, *text ? ", " : "", json_object_get_string(count),
					 cli_shown(state));
	}
	return text;
}

static const struct {
	struct examine_row row;
	cell_maker *make;
} rows[] = {
	{ { "kind" }, cell_kind },
	{ { "size" }, cell_size },
	{ { "superblock" }, cell_superblock },
	{ { "array" }, cell_level },
	{ { "layout" }, cell_layout },
	{ { "name" }, cell_name },
	{ { "device uuid", true }, cell_device },
	{ { "device number", true }, cell_number },
	{ { "role", true }, cell_role },
	{ { "roles" }, cell_roles },
	{ { "state" }, cell_state },
	{ { "events" }, cell_events },
	{ { "created" }, cell_created },
	{ { "updated" }, cell_updated },
	{ { "used" }, cell_component },
	{ { "data" }, cell_data },
	{ { "resync due" }, cell_resync },
	{ { "recovery" }, cell_recovery },
	{ { "reshape" }, cell_reshape },
	{ { "features" }, cell_features },
	{ { "flags" }, cell_flags },
	{ { "bad-block log" }, cell_bad_log },
	{ { "bad blocks" }, cell_bad_blocks },
	{ { "corrected" }, cell_corrected },
	{ { "md minor" }, cell_minor },
	{ { "disks" }, cell_disks },
	{ { "checksum", true, true }, cell_checksum },
	{ { "bitmap" }, cell_bitmap },
	{ { "chunks" }, cell_chunks },
	{ { "bitmap at" }, cell_bitmap_place },
	{ { "cluster" }, cell_cluster },
	{ { "chunks set" }, cell_set },
	{ { "chunk states" }, cell_states },
	{ { "bitmap events" }, cell_bitmap_events },
	{ { "bitmap state" }, cell_bitmap_flags },
	{ { "daemon sleep" }, cell_daemon },
	{ { "write-behind" }, cell_behind },
};

_Static_assert(sizeof rows / sizeof *rows <= EXAMINE_ROWS, "a member has room for all cells");

const struct examine_row *examine_row(size_t row)
{
	return row < sizeof rows / sizeof *rows ? &rows[row].row : NULL;
}

const char *examine_cell(struct json_object *member, size_t row)
{
	return rows[row].make(member);
}
