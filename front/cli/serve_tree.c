/* umd-tree as a second child of `umd serve --tree`: the attributes and the array as files in the run-time directory.
 *
 * It is started when the server answers and says "ready" when both are mounted; only then the user is told. What it
 * says besides is one sentence for people: then the control socket serves alone, which is no failure. It ends with its
 * parent, or is told to at the end, so that nothing is mounted when the run-time directory goes.
 *
 * One that was killed leaves its mounts behind; umd-tree --clean takes them away.
 *
 * Left out: mounting (front/tree), and another try when somebody unmounts it. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve.h"

enum { PATIENCE_MS = 5000 };

/* It is installed beside the tool. */
static const char *find_program(void)
{
	char exe[SERVE_PATH_BYTES];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (len <= 0)
		return "umd-tree";
	exe[len] = 0;
	return cli_print("%s/umd-tree", dirname(exe));
}

/* Runs in the child, which has one thread. */
_Noreturn static void become_tree(const char *program, const char *const *argv, pid_t parent, int words)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(nothing, 0) < 0 || dup2(words, 1) < 0 || dup2(words, 2) < 0)
		_exit(CLI_FAILED);
	execv(program, (char *const *)argv);
	fprintf(stderr, "%s cannot be run: %s\n", program, strerror(errno));
	_exit(CLI_FAILED);
}

static pid_t start_program(const char *option, const char *name, int words)
{
	const char *program = find_program();
	const char *const argv[] = { "umd-tree", option, name, NULL };
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_tree(program, argv, parent, words);
	return pid;
}

int serve_tree_start(const char *name, const char *uri, struct serve_tree *ret_tree)
{
	int words[2];

	if (pipe2(words, O_CLOEXEC) < 0)
		return -errno;
	ret_tree->name = name;
	ret_tree->pid = start_program(cli_print("--uri=%s", uri), name, words[1]);
	close(words[1]);
	if (ret_tree->pid < 0) {
		close(words[0]);
		return -errno;
	}
	ret_tree->words = words[0];
	return 0;
}

static bool has_exited(pid_t pid)
{
	struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int rc;

	if (p.fd < 0)
		return true;
	do
		rc = poll(&p, 1, PATIENCE_MS);
	while (rc < 0 && errno == EINTR);
	close(p.fd);
	return rc > 0;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void serve_tree_end(struct serve_tree *tree)
{
	int status;

	if (tree->pid <= 0)
		return;
	kill(tree->pid, SIGTERM);
	if (!has_exited(tree->pid))
		kill(tree->pid, SIGKILL);
	status = wait_for(tree->pid);
	tree->pid = WIFSIGNALED(status) ? start_program("--clean", tree->name, STDERR_FILENO) : 0;
	if (tree->pid > 0)
		wait_for(tree->pid);
	tree->pid = 0;
}
