/* Waking each other: every two nodes of a group have one connection.
 *
 * A byte says "look": a record was appended, or a lock given away. The end of a connection says "somebody is gone, find
 * out who". Neither carries more, and neither is trusted: the log and the locks are what counts, and a node that nobody
 * wakes looks by itself after a while. So bytes that do not fit are left out (the other has unread ones), and a peer
 * that cannot be reached is no error.
 *
 * A newcomer binds its socket while it has the right to append, so before another can come, and connects to everybody
 * who was there: each pair has exactly one connection. Sockets are reached through /proc/self/fd, whatever the length
 * of the directory's path. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/engine_local.h"

void engine_pokes_init(struct engine_pokes *p, int dir_fd)
{
	p->dir_fd = dir_fd;
	p->listen_fd = -1;
}

static struct sockaddr_un address(const struct engine_pokes *p, const char *base, uint32_t index)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	text_fit(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s.%u", p->dir_fd, base, index);
	return a;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int engine_pokes_listen(struct engine_pokes *p, const char *base, uint32_t index)
{
	struct sockaddr_un a = address(p, base, index);

	text_fit(p->name, sizeof p->name, "%s.%u", base, index);
	unlinkat(p->dir_fd, p->name, 0);	/* a dead node's: its index is ours now */
	p->listen_fd = new_socket();
	if (p->listen_fd < 0 || bind(p->listen_fd, (struct sockaddr *)&a, sizeof a) < 0 ||
	    listen(p->listen_fd, ENGINE_NODES_MAX) < 0)
		return -errno;
	return 0;
}

static void add(struct engine_pokes *p, int fd)
{
	if (p->count < ENGINE_CONNECTIONS_MAX)
		p->fds[p->count++] = fd;
	else
		close(fd);
}

void engine_pokes_connect(struct engine_pokes *p, const char *base, const uint64_t ids[ENGINE_NODES_MAX], uint32_t own)
{
	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++) {
		struct sockaddr_un a = address(p, base, i);
		int fd;

		if (!ids[i] || i == own)
			continue;
		fd = new_socket();
		if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
			add(p, fd);
		else if (fd >= 0)
			close(fd);
	}
}

void engine_pokes_all(struct engine_pokes *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		send(p->fds[i], "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Take in what is there; false: the other end is closed. */
static bool take_in(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 && errno == EAGAIN;
}

void engine_pokes_hear(struct engine_pokes *p)
{
	int fd;

	while (p->listen_fd >= 0 && (fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		add(p, fd);
	for (uint32_t i = 0; i < p->count;) {
		if (take_in(p->fds[i])) {
			i++;
			continue;
		}
		close(p->fds[i]);
		p->fds[i] = p->fds[--p->count];
	}
}

void engine_pokes_close(struct engine_pokes *p)
{
	while (p->count)
		close(p->fds[--p->count]);
	if (p->listen_fd >= 0) {
		close(p->listen_fd);
		unlinkat(p->dir_fd, p->name, 0);
	}
	p->listen_fd = -1;
}
