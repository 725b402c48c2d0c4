/* umd list: the running arrays, one line each.
 *
 * An array runs when its control socket answers; what dead servers left in the run-time directory is not listed. */
#include <string.h>

#include "json.h"
#include "table.h"

static void add_array(struct cli_table *t, struct json_object *o)
{
	const char *action = cli_json_shown(o, "sync_action");

	cli_table_row(t, cli_json_shown(o, "name"));
	cli_table_put(t, 1, cli_json_get(o, "level") ? cli_print("RAID%s", cli_json_shown(o, "level")) : "-");
	cli_table_put(t, 2, cli_print("%s", cli_bytes(cli_json_u64(o, "size_bytes", 0))));
	cli_table_put(t, 3, cli_json_shown(o, "array_state"));
	cli_table_put(t, 4, !cli_json_runs(o) ? "does not run" : cli_json_u64(o, "degraded", 0) ? "degraded" : "whole");
	cli_table_put(t, 5, strcmp(action, "idle") ? action : "");
}

static void print_table(struct json_object *list, const struct cli *cli)
{
	struct cli_table *t;

	if (!cli_json_len(list)) {
		puts("no array runs");
		return;
	}
	t = cli_table_new(6);
	for (size_t i = 0; i < cli_json_len(list); i++)
		add_array(t, json_object_array_get_idx(list, i));
	cli_table_print(t, 0);
	cli_table_free(t);
}

int cmd_list(const struct cli *cli)
{
	struct umd_error error;
	char *json;

	if (umd_list(&json, &error))
		return cli_fail(&error);
	return cli_json_tell(cli, json, print_table);
}
