/* Members that join a running array are opened here, with the rights of whoever types, and their descriptors handed to
 * the server: the server's own rights are not lent out. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *cli_absolute(const char *typed)
{
	char *real = realpath(typed, NULL), *here;
	const char *path;

	if (real) {
		path = cli_print("%s", real);
		free(real);
		return path;
	}
	if (typed[0] == '/')
		return typed;
	here = getcwd(NULL, 0);
	path = cli_print("%s/%s", here ?: "", typed);
	free(here);
	return path;
}

/* Without O_EXCL: the server claims a block device for itself, and would find us in its way. */
int cli_open_member(const char *path, const char *typed, int *ret_fd)
{
	struct stat st;

	if (stat(path, &st))
		return cli_refuse("%s cannot join: %s", cli_shown(typed), strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return cli_refuse("%s cannot join: it is neither a file nor a block device", cli_shown(typed));
	*ret_fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*ret_fd < 0)
		return cli_refuse("%s cannot join: %s", cli_shown(typed), strerror(errno));
	return CLI_DONE;
}
