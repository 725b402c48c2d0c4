/* Goal:   a server whose law is broken says which one before it ends.
 * Method: a child opens an array (in vain), which installs the sink, and breaks a law; its stderr is read.
 * Law:    all of them.
 * Source: base/law.h: where a broken law is reported is the hands' business. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/law.h"
#include "tap.h"
#include "umd/umd.h"

static _Noreturn void break_a_law(int stderr_fd)
{
	const char *members[] = { "/nonexistent" };
	struct umd_open_options options = { 0 };
	struct rlimit no_core = { 0, 0 };
	struct umd_array *array;

	dup2(stderr_fd, STDERR_FILENO);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGABRT, SIG_DFL);
	umd_array_open(members, 1, &options, &array, NULL);
	law_fail(LAW_I3, "the bit is durable", "here.c", 7);
}

int main(void)
{
	char text[1024] = "";
	int pipe_fds[2], status;
	ssize_t n;
	pid_t child;

	if (!ok(pipe(pipe_fds) == 0, "a pipe"))
		return tap_end();
	child = fork();
	if (!child)
		break_a_law(pipe_fds[1]);
	close(pipe_fds[1]);
	n = read(pipe_fds[0], text, sizeof text - 1);
	ok(n > 0 && strstr(text, "law I3 is broken") && strstr(text, "the bit is durable at here.c:7"),
	   "the law and the place are told");
	ok(n > 0 && strstr(text, law_sentence(LAW_I3)), "with its sentence");
	ok(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	   "and the process ends");
	return tap_end();
}
