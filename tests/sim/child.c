/* Something done in a process of its own, with a time limit: what it leaves behind decides about nothing else. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

int status_of_child(int (*run)(void *user), void *user, uint32_t seconds)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child < 0)
		return -1;
	if (!child) {
		alarm(seconds);
		status = run(user);
		fflush(stdout);
		_exit(status);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
