/* The plugin's words to `umd serve`, its parent: one stream socket, one line each.
 *
 *	plugin				serve
 *	opened NAME	-------------->	judges the socket's place, puts the socket there
 *			<--------------	go		(or closes: then nothing is started)
 *	ready NAME	-------------->	tells the user
 *	error SENTENCE	-------------->	tells the user, fails
 *	closing NAME	-------------->	takes its socket away
 *			<--------------	go
 *	closed -	-------------->	waits for the process no longer than CLOSED_S: it has let go of all it can
 *
 * The members are locked before "opened" and unchanged until "go": a start that fails at the socket's place has not
 * touched them. A parent that died is no reason to stop: nobody listens then, and waiting ends at once. */
#include "plugin.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { CONSENT_WAIT_S = 10 };

static int parent = -1;

void report_init(int fd)
{
	struct timeval patience = { .tv_sec = CONSENT_WAIT_S };

	parent = fd;
	fcntl(parent, F_SETFD, FD_CLOEXEC);
	setsockopt(parent, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

bool report_is_on(void)
{
	return parent >= 0;
}

void report(const char *word, const char *text)
{
	char line[800];
	int len;

	if (parent < 0)
		return;
	len = snprintf(line, sizeof line, "%s %s", word, text);
	if (len > (int)sizeof line - 2)
		len = sizeof line - 2;
	for (char *newline = line; (newline = strchr(newline, '\n'));)
		*newline = ' ';
	line[len] = '\n';
	if (send(parent, line, (size_t)len + 1, MSG_NOSIGNAL) < 0)
		parent = -1;
}

bool report_and_wait(const char *word, const char *text)
{
	char consent[8];

	if (parent < 0)
		return true;
	report(word, text);
	return parent >= 0 && recv(parent, consent, sizeof consent, 0) > 0;
}
