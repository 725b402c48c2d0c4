/* The end of a server, seen early.
 *
 * nbdkit calls the plugin's cleanup only after every connection has ended, and waits for an idle client for ever. But a
 * thread inside nbdkit_nanosleep is told at once when nbdkit begins to quit. That thread stops the array, so that no
 * worker stays blocked, gives busy clients a grace time to read their replies, and then ends what clients nbdkit still
 * waits for by shutting their sockets down: first for reading, which lets replies out, then altogether.
 *
 * nbdkit (before 1.38) has no call to disconnect other clients: connections are found among the process's own
 * descriptors, as sockets whose local address is one that nbdkit listens on. The control socket has another address.
 *
 * Left out: nbdkit -s, whose one client is no such socket. */
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include "plugin.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum { GRACE_S = 1, LISTENERS_MAX = 8, NAP_S = 24 * 3600 };

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un unix_path;
		struct sockaddr_in6 ip6;
		struct sockaddr_in ip4;
	};
	socklen_t len;
};

static struct {
	struct umd_array *array;
	pthread_t thread;
	bool is_running;
	struct address listeners[LISTENERS_MAX];
	int listener_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int clients;			/* connections that have opened the array */
	bool is_over;			/* cleanup has come: no connection is left */
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- which sockets ---- */

static bool is_listening(int fd)
{
	int accepts = 0;
	socklen_t len = sizeof accepts;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && accepts;
}

static bool local_address(int fd, struct address *ret_address)
{
	memset(ret_address, 0, sizeof *ret_address);
	ret_address->len = sizeof *ret_address - sizeof ret_address->len;
	return getsockname(fd, &ret_address->any, &ret_address->len) == 0 && ret_address->any.sa_family != AF_UNSPEC;
}

/* An accepted TCP socket has the listener's port but its own host part. */
static bool is_same_address(const struct address *a, const struct address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	switch (a->any.sa_family) {
	case AF_INET:
		return a->ip4.sin_port == b->ip4.sin_port;
	case AF_INET6:
		return a->ip6.sin6_port == b->ip6.sin6_port;
	case AF_UNIX:
		return a->len == b->len && a->len > offsetof(struct sockaddr_un, sun_path) &&
		       !memcmp(&a->any, &b->any, a->len);
	default:
		return false;
	}
}

static bool is_client(int fd)
{
	struct address address;

	if (is_listening(fd) || !local_address(fd, &address))
		return false;
	for (int i = 0; i < watch.listener_count; i++)
		if (is_same_address(&address, &watch.listeners[i]))
			return true;
	return false;
}

static void for_each_descriptor(void (*visit)(int fd, int how), int how)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			visit(atoi(entry->d_name), how);
	closedir(dir);
}

static void note_listener(int fd, int how)
{
	struct address *place = &watch.listeners[watch.listener_count];

	if (watch.listener_count < LISTENERS_MAX && is_listening(fd) && local_address(fd, place))
		watch.listener_count++;
}

void stop_note_listeners(void)
{
	for_each_descriptor(note_listener, 0);
}

static void end_client(int fd, int how)
{
	if (is_client(fd))
		shutdown(fd, how);
}

/* ---- the thread ---- */

/* Wait until cleanup, or until no client is left when @or_no_clients, but at most the grace time. True: cleanup. */
static bool wait_for_end(bool or_no_clients)
{
	struct timespec until;
	bool is_over;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GRACE_S;
	pthread_mutex_lock(&watch.lock);
	while (rc == 0 && !watch.is_over && !(or_no_clients && watch.clients == 0))
		rc = pthread_cond_timedwait(&watch.changed, &watch.lock, &until);
	is_over = watch.is_over;
	pthread_mutex_unlock(&watch.lock);
	return is_over;
}

static void *watch_for_quit(void *opaque)
{
	while (nbdkit_nanosleep(NAP_S, 0) == 0)
		;
	pthread_mutex_lock(&watch.lock);
	if (watch.array)
		umd_array_stop(watch.array);
	pthread_mutex_unlock(&watch.lock);
	if (wait_for_end(true))
		return NULL;
	for_each_descriptor(end_client, SHUT_RD);
	while (!wait_for_end(false))
		for_each_descriptor(end_client, SHUT_RDWR);
	return NULL;
}

int stop_watch_start(struct umd_array *array)
{
	pthread_condattr_t attributes;
	sigset_t all, before;
	int rc;

	watch.array = array;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch.changed, &attributes);
	pthread_condattr_destroy(&attributes);

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&watch.thread, NULL, watch_for_quit, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	watch.is_running = rc == 0;
	return -rc;
}

void stop_watch_end(void)
{
	if (!watch.is_running)
		return;
	pthread_mutex_lock(&watch.lock);
	watch.is_over = true;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
	pthread_join(watch.thread, NULL);
	watch.is_running = false;
}

/* Nothing wakes the thread but nbdkit's end: it is left behind, and knows of no array. */
void stop_watch_abandon(void)
{
	pthread_mutex_lock(&watch.lock);
	watch.array = NULL;
	watch.is_over = true;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
	pthread_detach(watch.thread);
	watch.is_running = false;
}

void stop_count_client(int difference)
{
	pthread_mutex_lock(&watch.lock);
	watch.clients += difference;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}
