/* umd grow: another bitmap for a running array, or none.
 *
 * The server plans, refuses and does it, and answers when it is durable; with --dry-run it only plans. Left out: the
 * array's size and its number of members. */
#include <stdlib.h>
#include <string.h>

#include "json.h"

static int check_options(const struct cli *cli)
{
	const char *bitmap = cli_text(cli, "bitmap");

	if (!bitmap && !cli_has(cli, "bitmap-chunk"))
		return cli_usage("grow needs --bitmap=internal, --bitmap=none or --bitmap-chunk=SIZE");
	if (bitmap && strcmp(bitmap, "internal") && strcmp(bitmap, "none"))
		return cli_usage("--bitmap is internal or none, not \"%s\"", cli_shown(bitmap));
	if (bitmap && !strcmp(bitmap, "none") && cli_has(cli, "bitmap-chunk"))
		return cli_usage("--bitmap=none has no chunks: --bitmap-chunk does not go with it");
	if (cli_has(cli, "bitmap-chunk") && !cli_number(cli, "bitmap-chunk", 0))
		return cli_usage("--bitmap-chunk is above 0");
	return CLI_DONE;
}

static struct json_object *request_of(const struct cli *cli)
{
	struct json_object *request = cli_request("grow");
	uint64_t chunk = cli_number(cli, "bitmap-chunk", 0);

	if (cli_text(cli, "bitmap"))
		json_object_object_add(request, "bitmap", json_object_new_string(cli_text(cli, "bitmap")));
	if (chunk)
		json_object_object_add(request, "bitmap_chunk_bytes", json_object_new_int64((int64_t)chunk));
	if (cli_has(cli, "dry-run"))
		json_object_object_add(request, "dry_run", json_object_new_boolean(true));
	return request;
}

int cmd_grow(const struct cli *cli)
{
	struct json_object *reply;
	struct umd_error error;
	int status = check_options(cli);

	if (status)
		return status;
	if (cli_send(cli->words[0], request_of(cli), -1, &reply, &error))
		return cli_fail(&error);
	if (cli_has(cli, "json"))
		cli_json_print_object(reply);
	else
		puts(cli_json_shown(reply, "sentence"));
	json_object_put(reply);
	return CLI_DONE;
}
