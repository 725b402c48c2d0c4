/* Goal:   a broken law is told to the sink with its id and place, and ends the process; a kept one costs nothing.
 * Method: a child process breaks a law on purpose; its death and what it said through a pipe are looked at.
 * Law:    all (the mechanism behind LAW()).
 * Source: base/law.h. */
#include "base/law.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipe_end;

static void tell(enum law_id id, const char *condition, const char *file, int line)
{
	const char *slash = strrchr(file, '/');

	dprintf(pipe_end, "%s|%s|%s|%d", law_name(id), condition, slash ? slash + 1 : file, line > 0);
}

/* The child's exit status; what it told is in @told. */
static int in_child(bool is_kept, char *told, size_t told_bytes)
{
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		exit(1);
	pid = fork();
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		close(fds[0]);
		pipe_end = fds[1];
		law_sink_set(tell);
		LAW(I3, is_kept);
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], told, told_bytes - 1);
	told[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return status;
}

int main(void)
{
	char told[200];
	int status = in_child(false, told, sizeof told), same = 0;

	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "a broken law aborts");
	if (!ok(!strcmp(told, "I3|is_kept|laws_end_the_process.c|1"), "id, condition and place are told first"))
		printf("# told: %s\n", told);
	status = in_child(true, told, sizeof told);
	ok(WIFEXITED(status) && !WEXITSTATUS(status) && !*told, "a kept law says nothing");
	for (int id = LAW_NONE; id < LAW_COUNT; id++) {
		same += !*law_name(id) || !*law_sentence(id);
		for (int other = LAW_NONE; other < id; other++)
			same += !strcmp(law_name(id), law_name(other));
	}
	is_u64(same, 0, "every law has its own name and a sentence");
	return tap_end();
}
