/* umd attrs: the attributes that a running or inactive array has now.
 *
 * The server's table says what each is; what nobody has an engine for is marked. Left out: values (umd get). */
#include <string.h>

#include "json.h"
#include "table.h"

static void add_row(struct cli_table *t, struct json_object *o)
{
	cli_table_row(t, cli_json_shown(o, "path"));
	cli_table_put(t, 1, cli_json_shown(o, "mode"));
	cli_table_put(t, 2, cli_json_bool(o, "notifies") ? "poll" : "");
	cli_table_put(t, 3, cli_json_bool(o, "supported") ? "" : "not supported");
	cli_table_put(t, 4, *cli_json_shown(o, "link_to") ? cli_print("-> %s", cli_json_shown(o, "link_to")) :
							    cli_json_shown(o, "sentence"));
}

int cmd_attrs(const struct cli *cli)
{
	struct json_object *reply, *list;
	struct umd_error error;
	struct cli_table *t;

	if (cli_ask(cli->words[0], "attrs", &reply, &error))
		return cli_fail(&error);
	list = cli_json_get(reply, "attributes");
	if (cli_has(cli, "json")) {
		cli_json_print_object(list);
	} else {
		t = cli_table_new(5);
		for (size_t i = 0; i < cli_json_len(list); i++)
			add_row(t, json_object_array_get_idx(list, i));
		cli_table_print(t, 0);
		cli_table_free(t);
	}
	json_object_put(reply);
	return CLI_DONE;
}
