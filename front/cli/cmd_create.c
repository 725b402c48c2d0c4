/* umd create: from words to struct umd_create_options, and the story of what was written.
 *
 * The library judges members and values; here only what the words contradict among themselves is refused (level, number
 * of members). Nothing is written before all members were judged, and nothing at all with --dry-run. */
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* What mdadm users type and what follows from the members anyway. */
static int check_mirror(const struct cli *cli)
{
	const char *level = cli_text(cli, "level");
	uint64_t count = cli_number(cli, "raid-devices", cli->word_count);

	if (level && strcmp(level, "1") && strcmp(level, "raid1") && strcmp(level, "mirror"))
		return cli_usage("level %s cannot be created: mirrors, --level=1, can", cli_shown(level));
	if (count != cli->word_count)
		return cli_usage("--raid-devices=%llu and %zu members do not agree; the word missing "
				 "stands for an absent one",
				 (unsigned long long)count, cli->word_count);
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
			printf("  slot %zu  %s: superblock at %s, data at %s\n", i, path,
			       cli_place(cli_json_u64(m, "super_offset_bytes", 0)),
			       cli_place(cli_json_u64(m, "data_offset_bytes", 0)));
	}
}

static void print_created(struct json_object *o, const struct cli *cli)
{
	bool is_dry_run = cli_has(cli, "dry-run");
	const char *name = cli_json_shown(o, "name");
	uint64_t chunk = cli_json_u64(o, "bitmap_chunk_bytes", 0);

	printf("%s the mirror%s%s (%s): %zu members, %s, metadata %s, ",
	       is_dry_run ? "Would create" : "Created", *name ? " " : "", name,
	       cli_json_shown(o, "array_uuid"), cli->word_count,
	       cli_bytes(cli_json_u64(o, "array_bytes", 0)), cli_json_shown(o, "metadata"));
	if (chunk)
		printf("bitmap with chunks of %s", cli_bytes(chunk));
	else
		printf("no bitmap");
	puts(is_dry_run ? ". Nothing was written." : ".");
	print_members(cli_json_get(o, "members"));
}

int cmd_create(const struct cli *cli)
{
	struct umd_create_options options = {
		.metadata = cli_text(cli, "metadata"),
		.bitmap = cli_text(cli, "bitmap"),
		.bitmap_chunk_bytes = cli_number(cli, "bitmap-chunk", 0),
		.size_bytes = cli_number(cli, "size", 0),
		.name = cli_text(cli, "name"),
		.uuid = cli_text(cli, "uuid"),
		.assume_clean = cli_has(cli, "assume-clean"),
		.force = cli_has(cli, "force"),
		.dry_run = cli_has(cli, "dry-run"),
	};
	struct json_object *o;
	struct umd_error error;
	char *json;
	int rc;

	rc = check_mirror(cli);
	if (rc)
		return rc;
	rc = umd_create(&options, cli->words, cli->word_count, &json, &error);
	if (rc)
		return cli_fail(&error);
	if (cli_has(cli, "json")) {
		cli_json_print(json);
		return CLI_DONE;
	}
	o = cli_json_parse(json);
	free(json);
	if (!o)
		return CLI_FAILED;
	print_created(o, cli);
	json_object_put(o);
	return CLI_DONE;
}
