/* One connection of the control socket: bytes in, lines out, never waiting.
 *
 *	reading --a whole line--> answering --reply queued--> sending --all sent--> reading
 *	                              |  later            ^
 *	                              `---> waiting ------'
 *
 * While a reply is owed or on its way nothing is read: a client that does not read its replies cannot make us keep
 * more than one. A client that waits may hang up; it is forgotten then. A descriptor that comes along belongs to the
 * line it came with and is closed after the answer.
 *
 * Left out: which connections there are and when they run out of time (control.c). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/control_inside.h"

enum { ROOM_FIRST_BYTES = 4096 };

void run_control_peer_open(struct run_control_peer *p, int fd, uint64_t now_ms)
{
	p->fd = fd;
	p->passed_fd = -1;
	p->in_bytes = p->in_room = p->out_bytes = p->sent_bytes = 0;
	p->in = p->out = NULL;
	p->later = NULL;
	p->is_ending = false;
	p->active_ms = now_ms;
}

static void drop_passed(struct run_control_peer *p)
{
	if (p->passed_fd >= 0)
		close(p->passed_fd);
	p->passed_fd = -1;
}

static void drop_later(struct run_control_peer *p)
{
	if (p->later)
		p->later->drop(p->later);
	p->later = NULL;
}

void run_control_peer_close(struct run_control_peer *p)
{
	if (p->fd < 0)
		return;
	drop_later(p);
	drop_passed(p);
	close(p->fd);
	p->fd = -1;
	p->in = mem_free(p->in);
	p->out = mem_free(p->out);
}

/* Nothing is asked for while an answer is owed: poll tells of a hang-up all the same. */
short run_control_peer_events(const struct run_control_peer *p)
{
	return p->out ? POLLOUT : p->later ? 0 : POLLIN;
}

uint64_t run_control_peer_deadline_ms(const struct run_control_peer *p)
{
	if (p->later)
		return p->later->deadline_ms;
	return p->out || p->in_bytes ? p->active_ms + RUN_CONTROL_PATIENCE_MS : UINT64_MAX;
}

/* ---- reading ---- */

/* The first descriptor of a request is kept, all others are closed at once. */
static void take_descriptors(struct run_control_peer *p, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (p->passed_fd < 0)
				p->passed_fd = fd;
			else
				close(fd);
		}
	}
}

/* Most requests are short: room doubles as they turn out to be long. */
static bool has_room(struct run_control_peer *p)
{
	size_t room = p->in_room ? 2 * p->in_room : ROOM_FIRST_BYTES;
	char *in;

	if (p->in_bytes < p->in_room)
		return true;
	in = mem_new(room, 1);
	if (!in)
		return false;
	if (p->in_bytes)
		memcpy(in, p->in, p->in_bytes);
	mem_free(p->in);
	p->in = in;
	p->in_room = room;
	return true;
}

/* Returns the bytes read, 0 when nothing is there now, -1 at the end. */
static ssize_t receive(struct run_control_peer *p)
{
	_Alignas(struct cmsghdr) char rights[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov = { p->in + p->in_bytes, p->in_room - p->in_bytes };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = rights,
			      .msg_controllen = sizeof rights };
	ssize_t n = recvmsg(p->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	take_descriptors(p, &msg);
	p->in_bytes += (size_t)n;
	return n ? n : -1;
}

static void queue(struct run_control_peer *p, char *reply)
{
	p->out = reply;
	p->out_bytes = reply ? strlen(reply) : 0;
	p->sent_bytes = 0;
}

static void refuse_length(struct run_control_peer *p)
{
	struct text reply = { 0 };
	struct err err;

	err_set(&err, -E2BIG, "a request is at most %d bytes long", RUN_CONTROL_REQUEST_MAX - 1);
	run_control_refuse(&reply, &err);
	text_add(&reply, "\n");
	p->is_ending = true;
	queue(p, text_take(&reply));
}

/* Answer the first whole line, if there is one. False: no memory for a reply. */
static bool answer_line(struct run_control_peer *p, run_control_handler *handler, void *opaque)
{
	char *end = p->in_bytes ? memchr(p->in, '\n', p->in_bytes) : NULL;
	size_t used;

	if (!end && p->in_bytes < RUN_CONTROL_REQUEST_MAX)
		return true;
	if (!end) {
		refuse_length(p);
		return p->out;
	}
	queue(p, run_control_answer(p->in, (size_t)(end - p->in), p->passed_fd, handler, opaque, &p->later));
	drop_passed(p);
	used = (size_t)(end - p->in) + 1;
	memmove(p->in, end + 1, p->in_bytes - used);
	p->in_bytes -= used;
	return p->out || p->later;
}

/* ---- sending ---- */

/* False: the connection is of no use any more. */
static bool send_some(struct run_control_peer *p)
{
	ssize_t n = send(p->fd, p->out + p->sent_bytes, p->out_bytes - p->sent_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	p->sent_bytes += (size_t)n;
	if (p->sent_bytes < p->out_bytes)
		return true;
	p->out = mem_free(p->out);
	return !p->is_ending;
}

bool run_control_peer_ask(struct run_control_peer *p, uint64_t now_ms)
{
	bool is_over = p->later->deadline_ms <= now_ms;
	char *reply = run_control_answer_later(p->later, is_over);

	if (!reply && !is_over)
		return true;
	drop_later(p);
	queue(p, reply);
	p->active_ms = now_ms;
	return p->out;
}

bool run_control_peer_step(struct run_control_peer *p, run_control_handler *handler, void *opaque, uint64_t now_ms)
{
	ssize_t n = 0;

	if (p->later)
		return false;	/* a hang-up: nothing else is asked for */
	if (!p->out) {
		if (!has_room(p))
			return false;
		n = receive(p);
		if (n < 0)
			return false;
		p->active_ms = n ? now_ms : p->active_ms;
	}
	/* One batch of input may hold several lines; each is answered before the next is looked at. */
	do {
		size_t sent_before = p->sent_bytes;

		if (!p->out && !answer_line(p, handler, opaque))
			return false;
		if (!p->out)
			return true;	/* no whole line, or an answer that comes later */
		if (!send_some(p))
			return false;
		if (!p->out || p->sent_bytes != sent_before)
			p->active_ms = now_ms;
	} while (!p->out);
	return true;
}
