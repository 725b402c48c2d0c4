/* umd create: from words to struct umd_create_options, and the story of what was written.
 *
 * The library judges members and values; here only what the words contradict among themselves is refused (level, number
 * of members). Nothing is written before all members were judged, and nothing at all with --dry-run. */
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { WRITE_BEHIND_DEFAULT = 256 };	/* mdadm's */

/* What mdadm users type and what follows from the members anyway. */
static int check_mirror(const struct cli *cli)
{
	const char *level = cli_text(cli, "level");
	uint64_t count = cli_number(cli, "raid-devices", cli->word_count), nodes = cli_number(cli, "nodes", 0);

	if (level && strcmp(level, "1") && strcmp(level, "raid1") && strcmp(level, "mirror"))
		return cli_usage("level %s cannot be created: mirrors, --level=1, can", cli_shown(level));
	if (count != cli->word_count)
		return cli_usage("--raid-devices=%llu and %zu members do not agree; the word missing "
				 "stands for an absent one",
				 (unsigned long long)count, cli->word_count);
	if (cli_has(cli, "nodes") && (!nodes || nodes > UINT32_MAX))
		return cli_usage("--nodes=%llu makes no cluster: 2 to 64 nodes are possible",
				 (unsigned long long)nodes);
	return CLI_DONE;
}

static void print_members(struct json_object *members)
{
	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i);
		const char *path = cli_json_shown(m, "path");

		if (!cli_json_get(m, "data_offset_bytes"))
			printf("  slot %zu  missing\n", i);
		else
			printf("  slot %zu  %s: superblock at %s, data at %s%s\n", i, path,
			       cli_place(cli_json_u64(m, "super_offset_bytes", 0)),
			       cli_place(cli_json_u64(m, "data_offset_bytes", 0)),
			       cli_json_bool(m, "write_mostly") ? ", write-mostly" : "");
	}
}

static void print_created(struct json_object *o, const struct cli *cli)
{
	bool is_dry_run = cli_has(cli, "dry-run");
	const char *name = cli_json_shown(o, "name");
	const char *file = cli_json_get(o, "bitmap_file") ? cli_json_shown(o, "bitmap_file") : "";
	uint64_t chunk = cli_json_u64(o, "bitmap_chunk_bytes", 0);

	printf("%s the mirror%s%s (%s): %zu members, %s, metadata %s, ",
	       is_dry_run ? "Would create" : "Created", *name ? " " : "", name,
	       cli_json_shown(o, "array_uuid"), cli->word_count,
	       cli_bytes(cli_json_u64(o, "array_bytes", 0)), cli_json_shown(o, "metadata"));
	if (chunk && cli_json_get(o, "nodes"))
		printf("bitmaps for %s nodes of cluster \"%s\" with chunks of %s", cli_json_shown(o, "nodes"),
		       cli_json_shown(o, "cluster_name"), cli_bytes(chunk));
	else if (chunk)
		printf("bitmap%s%s with chunks of %s", *file ? " in the file " : "", file, cli_bytes(chunk));
	else
		printf("no bitmap");
	if (cli_json_u64(o, "write_behind", 0))
		printf(", write-behind of %s writes", cli_json_shown(o, "write_behind"));
	puts(is_dry_run ? ". Nothing was written." : ".");
	print_members(cli_json_get(o, "members"));
}

/* Words behind --write-mostly, as mdadm has it. NULL: none, or no memory. */
static bool *mostly_words(const struct cli *cli)
{
	bool *mostly = calloc(cli->word_count, sizeof *mostly), is_mostly = false;
	size_t word = 0;

	for (size_t i = 0; mostly && i < cli->item_count; i++) {
		if (!cli->items[i].option)
			mostly[word++] = is_mostly;
		else if (!strcmp(cli->items[i].option->name, "write-mostly"))
			is_mostly = true;
	}
	return mostly;
}

static uint32_t at_most_u32(uint64_t n)
{
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static uint32_t write_behind(const struct cli *cli)
{
	if (!cli_has(cli, "write-behind"))
		return 0;
	if (!cli_text(cli, "write-behind"))
		return WRITE_BEHIND_DEFAULT;
	return at_most_u32(cli_number(cli, "write-behind", 0));
}

int cmd_create(const struct cli *cli)
{
	bool *mostly = mostly_words(cli);
	struct umd_create_options options = {
		.metadata = cli_text(cli, "metadata"),
		.bitmap = cli_text(cli, "bitmap"),
		.nodes = cli_has(cli, "nodes") ? at_most_u32(cli_number(cli, "nodes", 0)) : 0,
		.cluster_name = cli_text(cli, "cluster-name"),
		.bitmap_chunk_bytes = cli_number(cli, "bitmap-chunk", 0),
		.size_bytes = cli_number(cli, "size", 0),
		.name = cli_text(cli, "name"),
		.uuid = cli_text(cli, "uuid"),
		.assume_clean = cli_has(cli, "assume-clean"),
		.force = cli_has(cli, "force"),
		.dry_run = cli_has(cli, "dry-run"),
		.write_mostly = mostly,
		.write_behind = write_behind(cli),
	};
	struct umd_error error;
	char *json;
	int rc;

	rc = mostly ? check_mirror(cli) : cli_refuse("there is not enough memory for %zu members", cli->word_count);
	if (!rc && umd_create(&options, cli->words, cli->word_count, &json, &error))
		rc = cli_fail(&error);
	free(mostly);
	if (rc)
		return rc;
	return cli_json_tell(cli, json, print_created);
}
