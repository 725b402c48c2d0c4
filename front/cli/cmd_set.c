/* umd set: write one attribute, as a shell writes a file of md's tree.
 *
 * What is written to new_dev names a member: it is opened here, with the rights of whoever types, and handed over. A
 * value of - is read from standard input, so that any bytes can be written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attr.h"

enum { VALUE_MAX = 8192 };	/* more than any attribute takes: the server says so */

static int read_input(char value[VALUE_MAX], size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < VALUE_MAX && (n = read(STDIN_FILENO, value + len, VALUE_MAX - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return cli_refuse("standard input cannot be read: %s", strerror(errno));
		len += n > 0 ? (size_t)n : 0;
	}
	if (len == VALUE_MAX)
		return cli_refuse("a value has at most 4096 bytes; standard input has more than %d", VALUE_MAX - 1);
	*ret_len = len;
	return CLI_DONE;
}

/* A member's path; a block device may be named by its numbers, which are no path. */
static bool names_a_file(const char *path, const char *value)
{
	return !strcmp(path, "new_dev") && value[strspn(value, "0123456789:")];
}

static int write_value(const struct cli *cli, const char *value, size_t len, int fd)
{
	struct json_object *request = attr_request("set", cli->words[1]), *reply;
	struct umd_error error;

	attr_put_value(request, value, len);
	if (cli_send(cli->words[0], request, fd, &reply, &error))
		return cli_fail(&error);
	if (cli_has(cli, "json"))
		cli_json_print_object(reply);
	json_object_put(reply);
	return CLI_DONE;
}

static int write_member(const struct cli *cli, const char *typed)
{
	const char *path = cli_absolute(typed);
	int fd, status;

	if (cli_open_member(path, typed, &fd))
		return CLI_FAILED;
	status = write_value(cli, path, strlen(path), fd);
	close(fd);
	return status;
}

int cmd_set(const struct cli *cli)
{
	const char *value = cli->words[2];
	char input[VALUE_MAX];
	size_t len = 0;

	if (strcmp(value, "-"))
		return names_a_file(cli->words[1], value) ? write_member(cli, value) :
							    write_value(cli, value, strlen(value), -1);
	return read_input(input, &len) ?: write_value(cli, input, len, -1);
}
