/* The control socket's server: one thread, one poll, a small table of connections.
 *
 * The thread never waits for a client: a connection that owes us the rest of a line, or us reading its reply, has
 * RUN_CONTROL_PATIENCE_MS for each step forward and is dropped then. When the table is full the connection that has
 * been quiet longest makes room, those to whom we owe an answer last. An eventfd wakes the thread, to stop or to ask
 * again for answers that come later.
 *
 * The socket's mode is 0600 in a directory of mode 0700; the peer's uid is asked as well, since a directory's mode can
 * be changed by its owner.
 *
 * Left out: what is asked (run/command.c), how (control_request.c), and the client's side (control_call.c). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/control_inside.h"

enum { PEERS_MAX = 64, BACKLOG = 1024 };

struct run_control {
	int listen_fd, wake_fd, dir_fd;
	atomic_bool is_stopping;
	pthread_t thread;
	run_control_handler *handler;
	void *opaque;
	struct run_control_peer peers[PEERS_MAX];
};

uint64_t run_control_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct sockaddr_un run_control_address(int dir_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control.sock", dir_fd);
	return address;
}

bool run_control_peer_is_ok(int socket)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

/* ---- the thread ---- */

static bool makes_room_before(const struct run_control_peer *p, const struct run_control_peer *than)
{
	if (!p->later != !than->later)
		return !p->later;
	return p->active_ms < than->active_ms;
}

static struct run_control_peer *place_for_peer(struct run_control *c)
{
	struct run_control_peer *quiet = &c->peers[0];

	for (int i = 0; i < PEERS_MAX; i++) {
		if (c->peers[i].fd < 0)
			return &c->peers[i];
		if (makes_room_before(&c->peers[i], quiet))
			quiet = &c->peers[i];
	}
	run_control_peer_close(quiet);
	return quiet;
}

static void accept_peer(struct run_control *c)
{
	int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (run_control_peer_is_ok(fd))
		run_control_peer_open(place_for_peer(c), fd, run_control_now_ms());
	else
		close(fd);
}

static int poll_timeout_ms(const struct run_control *c)
{
	uint64_t now = run_control_now_ms(), first = UINT64_MAX;

	for (int i = 0; i < PEERS_MAX; i++)
		if (c->peers[i].fd >= 0 && run_control_peer_deadline_ms(&c->peers[i]) < first)
			first = run_control_peer_deadline_ms(&c->peers[i]);
	if (first == UINT64_MAX)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

static void step_peers(struct run_control *c, const struct pollfd polls[PEERS_MAX])
{
	uint64_t now = run_control_now_ms();

	for (int i = 0; i < PEERS_MAX; i++) {
		struct run_control_peer *p = &c->peers[i];
		bool goes_on;

		/* A place may have been given to a new connection since the poll. */
		if (p->fd < 0 || p->fd != polls[i].fd)
			continue;
		if (polls[i].revents)
			goes_on = run_control_peer_step(p, c->handler, c->opaque, now);
		else if (p->later && p->later->deadline_ms <= now)
			goes_on = run_control_peer_ask(p, now);
		else
			goes_on = run_control_peer_deadline_ms(p) > now;
		if (!goes_on)
			run_control_peer_close(p);
	}
}

static void ask_waiting(struct run_control *c)
{
	uint64_t now = run_control_now_ms(), count;

	if (read(c->wake_fd, &count, sizeof count) != sizeof count)
		return;
	for (int i = 0; i < PEERS_MAX; i++)
		if (c->peers[i].fd >= 0 && c->peers[i].later && !run_control_peer_ask(&c->peers[i], now))
			run_control_peer_close(&c->peers[i]);
}

static void *serve(void *opaque)
{
	struct run_control *c = opaque;
	struct pollfd polls[PEERS_MAX + 2];

	for (;;) {
		for (int i = 0; i < PEERS_MAX; i++)
			polls[i] = (struct pollfd){ .fd = c->peers[i].fd,
						    .events = run_control_peer_events(&c->peers[i]) };
		polls[PEERS_MAX] = (struct pollfd){ .fd = c->wake_fd, .events = POLLIN };
		polls[PEERS_MAX + 1] = (struct pollfd){ .fd = c->listen_fd, .events = POLLIN };
		if (poll(polls, PEERS_MAX + 2, poll_timeout_ms(c)) < 0)
			continue;
		if (atomic_load(&c->is_stopping))
			return NULL;
		step_peers(c, polls);
		if (polls[PEERS_MAX].revents)
			ask_waiting(c);
		if (polls[PEERS_MAX + 1].revents)
			accept_peer(c);
	}
}

/* ---- start and stop ---- */

static int bind_socket(struct run_control *c)
{
	struct sockaddr_un address = run_control_address(c->dir_fd);

	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0 || bind(c->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    chmod(address.sun_path, 0600) < 0 || listen(c->listen_fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

/* Signals are the front end's: none may land on this thread. */
static int start_thread(struct run_control *c)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, NULL, serve, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static struct run_control *control_free(struct run_control *c)
{
	for (int i = 0; i < PEERS_MAX; i++)
		run_control_peer_close(&c->peers[i]);
	if (c->listen_fd >= 0) {
		close(c->listen_fd);
		unlinkat(c->dir_fd, "control.sock", 0);
	}
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	return mem_free(c);
}

int run_control_start(const struct run_rundir *r, run_control_handler *handler, void *opaque,
		      struct run_control **ret_control, struct err *err)
{
	struct run_control *c = mem_new(1, sizeof *c);
	int rc;

	if (!c)
		return err_set(err, -ENOMEM, "no memory for the control socket");
	for (int i = 0; i < PEERS_MAX; i++)
		c->peers[i].fd = -1;
	c->listen_fd = -1;
	c->handler = handler;
	c->opaque = opaque;
	c->dir_fd = fcntl(run_rundir_fd(r), F_DUPFD_CLOEXEC, 0);
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = c->dir_fd < 0 || c->wake_fd < 0 ? -errno : bind_socket(c);
	if (rc == 0)
		rc = start_thread(c);
	if (rc < 0) {
		control_free(c);
		return err_set(err, rc, "cannot listen on %s/control.sock: %s", run_rundir_name(r), strerror(-rc));
	}
	*ret_control = c;
	return 0;
}

void run_control_wake(struct run_control *c)
{
	uint64_t one = 1;

	/* It fails only when the eventfd is full of wakes that were not seen yet. */
	if (write(c->wake_fd, &one, sizeof one) != sizeof one)
		return;
}

struct run_control *run_control_stop(struct run_control *c)
{
	if (!c)
		return NULL;
	atomic_store(&c->is_stopping, true);
	run_control_wake(c);
	pthread_join(c->thread, NULL);
	return control_free(c);
}
