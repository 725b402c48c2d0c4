/* nbdkit as the child of `umd serve`: which version, where the plugin lies, how it is started.
 *
 * nbdkit before 1.33.10 aborts when a client disappears with several replies under way, unless it handles one request
 * at a time per connection. Those versions are started with one thread per connection; connections still run in
 * parallel. Newer ones get many threads, so that a member that hangs cannot use them all up.
 *
 * The listening socket is passed by socket activation: descriptor 3, LISTEN_FDS, LISTEN_PID. nbdkit then stays in the
 * foreground. A child whose parent dies gets SIGTERM: no server is left without its keeper. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve.h"

enum { LISTEN_FD = 3, REPORT_FD = 4, FIRST_FREE_FD = 5 };

/* ---- what there is ---- */

static int find_version(struct serve_nbdkit *n, char *ret_sentence)
{
	unsigned major = 0, minor = 0, patch = 0;
	FILE *f = popen("nbdkit --version 2>/dev/null", "re");
	int got = f ? fscanf(f, "nbdkit %u.%u.%u", &major, &minor, &patch) : 0;

	if (f)
		pclose(f);
	if (got < 2)
		return serve_refuse(ret_sentence,
				    "nbdkit was not found: it serves the array, and its package must be installed");
	n->version = cli_print("%u.%u.%u", major, minor, patch);
	n->is_one_at_a_time = major == 1 && (minor < 33 || (minor == 33 && patch < 10));
	return 0;
}

/* Beside the tool in a build directory, else where it was installed. */
static int find_plugin(struct serve_nbdkit *n, char *ret_sentence)
{
	char exe[SERVE_PATH_BYTES - 64];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (len > 0) {
		exe[len] = 0;
		snprintf(n->plugin, sizeof n->plugin, "%s/nbdkit-umd-plugin.so", dirname(exe));
		if (access(n->plugin, R_OK) == 0)
			return 0;
	}
	snprintf(n->plugin, sizeof n->plugin, "%s", UMD_PLUGIN_INSTALLED);
	if (access(n->plugin, R_OK) == 0)
		return 0;
	return serve_refuse(ret_sentence, "nbdkit-umd-plugin.so lies neither beside the tool nor at %s",
			    UMD_PLUGIN_INSTALLED);
}

int serve_nbdkit_find(struct serve_nbdkit *n, char ret_sentence[SERVE_SENTENCE_BYTES])
{
	return find_version(n, ret_sentence) || find_plugin(n, ret_sentence);
}

/* ---- starting it ---- */

static const char **make_arguments(const struct serve_nbdkit *n, const struct cli *cli)
{
	const char **argv = calloc(cli->word_count + 24, sizeof *argv);
	size_t count = 0;

	if (!argv)
		return NULL;
	argv[count++] = "nbdkit";
	argv[count++] = "--foreground";
	argv[count++] = "--threads";
	argv[count++] = n->is_one_at_a_time ? "1" : "64";
	argv[count++] = n->plugin;
	argv[count++] = cli_print("report-fd=%d", REPORT_FD);
	if (cli_has(cli, "readonly"))
		argv[count++] = "readonly=true";
	if (cli_has(cli, "run"))
		argv[count++] = "run=true";
	if (cli_has(cli, "inactive"))
		argv[count++] = "inactive=true";
	if (cli_has(cli, "name"))
		argv[count++] = cli_print("name=%s", cli_text(cli, "name"));
	if (cli_has(cli, "bitmap"))
		argv[count++] = cli_print("bitmap=%s", cli_text(cli, "bitmap"));
	if (cli_has(cli, "prefer"))
		argv[count++] = cli_print("prefer=%s", cli_text(cli, "prefer"));
	if (cli_has(cli, "cluster"))
		argv[count++] = cli_print("cluster=%s", cli_text(cli, "cluster"));
	if (cli_has(cli, "node"))
		argv[count++] = cli_print("node=%s", cli_text(cli, "node"));
	if (cli_has(cli, "direct"))
		argv[count++] = "direct=true";
	if (cli_has(cli, "fail-without-quorum"))
		argv[count++] = "fail-without-quorum=true";
	for (size_t i = 0; i < cli->word_count; i++)
		argv[count++] = cli_print("member=%s", cli->words[i]);
	return argv;
}

/* Above the descriptors that have fixed numbers in the child, so that putting one in place never overwrites another. */
static int move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	close(fd);
	return moved;
}

/* Runs in the child, which has one thread: anything goes until exec. */
_Noreturn static void become_nbdkit(const char **argv, pid_t parent, int listen_fd, int report, int errors)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	char pid[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	listen_fd = move_up(listen_fd);
	report = move_up(report);
	errors = move_up(errors);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(errors, 2) < 0 ||
	    dup2(listen_fd, LISTEN_FD) < 0 || dup2(report, REPORT_FD) < 0)
		_exit(CLI_FAILED);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	unsetenv("LISTEN_FDNAMES");
	execvp("nbdkit", (char *const *)argv);
	fprintf(stderr, "nbdkit: error: it cannot be run: %s\n", strerror(errno));
	_exit(CLI_FAILED);
}

int serve_nbdkit_start(const struct serve_nbdkit *n, const struct cli *cli, int listen_fd,
		       struct serve_child *ret_child, char ret_sentence[SERVE_SENTENCE_BYTES])
{
	const char **argv = make_arguments(n, cli);
	int report[2] = { -1, -1 }, errors[2] = { -1, -1 };
	pid_t parent = getpid(), pid;

	if (!argv)
		return serve_refuse(ret_sentence, "there is not enough memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report) < 0 || pipe2(errors, O_CLOEXEC) < 0) {
		free(argv);
		return serve_refuse(ret_sentence, "cannot make a pipe: %s", strerror(errno));
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_nbdkit(argv, parent, listen_fd, report[1], errors[1]);
	free(argv);
	close(report[1]);
	close(errors[1]);
	*ret_child = (struct serve_child){ .pid = pid, .report = report[0], .errors = errors[0] };
	return pid < 0 ? serve_refuse(ret_sentence, "cannot start a process: %s", strerror(errno)) : 0;
}
