/* umd get: one attribute, as it is read from md's tree.
 *
 * A terminal gets it line by line, escaped, since a value may be any text that somebody has stored; anything else gets
 * the bytes as they are, with their newline. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attr.h"

static void print_lines(char *value, size_t len)
{
	for (char *line = value, *end; line < value + len; line = end + 1) {
		size_t rest = (size_t)(value + len - line);
		char *shown;

		end = memchr(line, '\n', rest) ?: value + len;
		shown = attr_shown(line, (size_t)(end - line));
		puts(shown ?: "");
		free(shown);
	}
}

static int print_value(struct json_object *reply, const char *path)
{
	char *value;
	size_t len;

	if (!attr_value(reply, &value, &len))
		return cli_refuse("the server's answer for %s has no value", cli_shown(path));
	if (isatty(STDOUT_FILENO))
		print_lines(value, len);
	else
		fwrite(value, 1, len, stdout);
	free(value);
	return CLI_DONE;
}

int cmd_get(const struct cli *cli)
{
	const char *path = cli->words[1];
	struct json_object *reply;
	struct umd_error error;
	int status = CLI_DONE;

	if (cli_send(cli->words[0], attr_request("get", path), -1, &reply, &error))
		return cli_fail(&error);
	if (cli_has(cli, "json")) {
		json_object_object_add(reply, "path", json_object_new_string(path));
		cli_json_print_object(reply);
	} else {
		status = print_value(reply, path);
	}
	json_object_put(reply);
	return status;
}
