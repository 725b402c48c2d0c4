/* umd stop: ask the server to end, then wait for the end of its process, which a descriptor of it reports.
 *
 * The descriptor is taken before the request, so that the pid cannot be another's by then. A server in another pid
 * namespace has no descriptor here: then its name no longer answering is the end. A process that goes on long after
 * that is one that the kernel does not let end: a disk, or the cluster's manager, does not answer it. */
#include <poll.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

enum { PATIENCE_MS = 60000, ASK_AGAIN_MS = 100, LOOK_MS = 1000, SILENT_MS = 25000 };

static bool answers(const char *name)
{
	struct json_object *o;
	struct umd_error error;

	if (cli_ask(name, "detail", &o, &error))
		return false;
	json_object_put(o);
	return true;
}

/* *@ret_is_silent: it has not, and does not answer any more. */
static bool has_exited(const char *name, int pidfd, bool *ret_is_silent)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int silent_ms = 0;

	for (int waited_ms = 0; waited_ms < PATIENCE_MS && silent_ms < SILENT_MS; waited_ms += LOOK_MS) {
		if (poll(&p, 1, LOOK_MS) > 0)
			return true;
		silent_ms = answers(name) ? 0 : silent_ms + LOOK_MS;
	}
	*ret_is_silent = silent_ms >= SILENT_MS;
	return false;
}

static bool has_fallen_silent(const char *name)
{
	struct timespec pause = { .tv_nsec = ASK_AGAIN_MS * 1000000 };

	for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += ASK_AGAIN_MS) {
		if (!answers(name))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* The descriptor of the server's process, -1 when it has none here; a code when nobody answers. */
static int open_server(const char *name, int *ret_pidfd, struct umd_error *error)
{
	struct json_object *o;
	int rc;

	rc = cli_ask(name, "detail", &o, error);
	if (rc)
		return rc;
	*ret_pidfd = pidfd_open(cli_json_u64(o, "pid", 0), 0);
	json_object_put(o);
	return 0;
}

static void print_stopped(const struct cli *cli, const char *name)
{
	struct json_object *o;

	if (!cli_has(cli, "json")) {
		printf("%s is stopped\n", cli_shown(name));
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "stopped", json_object_new_boolean(true));
	cli_json_print_object(o);
	json_object_put(o);
}

int cmd_stop(const struct cli *cli)
{
	const char *name = cli->words[0];
	struct json_object *reply;
	struct umd_error error;
	bool is_gone, is_silent = false;
	int rc, pidfd;

	rc = open_server(name, &pidfd, &error);
	if (rc)
		return cli_fail(&error);
	rc = cli_ask(name, "stop", &reply, &error);
	if (rc) {
		if (pidfd >= 0)
			close(pidfd);
		return cli_fail(&error);
	}
	json_object_put(reply);

	is_gone = pidfd >= 0 ? has_exited(name, pidfd, &is_silent) : has_fallen_silent(name);
	if (pidfd >= 0)
		close(pidfd);
	if (is_silent)
		return cli_refuse("%s has let go of its array, and its process does not end: the kernel holds it, "
				  "since a disk or the cluster's manager does not answer", cli_shown(name));
	if (!is_gone)
		return cli_refuse("%s was asked to stop and still runs after %d s", cli_shown(name),
				  PATIENCE_MS / 1000);
	print_stopped(cli, name);
	return CLI_DONE;
}
