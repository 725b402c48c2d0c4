/* Goal: the control socket answers every whole request, survives hostile ones, and hands descriptors over.
 * Method: a server in this process with a handler that echoes; clients that talk well, badly and not at all.
 * Law: I9 (every request and stop ends).
 * Source: design section 2 "Rights". */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "run/control.h"
#include "run/json.h"
#include "tap.h"
#include "umd/umd.h"

#include "place.h"

/* ---- answers that come later ---- */

static struct {
	_Atomic bool is_there;
	_Atomic int waiting, dropped;
} late;

static bool ask_late(struct run_later *later, bool is_over, struct text *reply)
{
	if (!late.is_there && !is_over)
		return false;
	json_open(reply, NULL, '{');
	json_str(reply, "late", is_over ? "over" : "there");
	json_close(reply, '}');
	return true;
}

static void drop_late(struct run_later *later)
{
	late.dropped++;
	free(later);
}

static struct run_later *promise(uint64_t patience_ms)
{
	struct run_later *later = calloc(1, sizeof *later);

	*later = (struct run_later){ run_control_now_ms() + patience_ms, ask_late, drop_late };
	late.waiting++;
	return later;
}

/* "size": the size of the file that came along; "refuse": an error; "later", "soon": see promise(); else the
 * command comes back. */
static struct run_later *handler(void *opaque, const char *command, struct json_object *request, int fd,
				 struct text *reply)
{
	struct stat st;
	struct err err;

	++*(int *)opaque;
	if (!strcmp(command, "refuse")) {
		err_set(&err, UMD_E_LAST_MEMBER, "the last one stays");
		run_control_refuse(reply, &err);
		return NULL;
	}
	if (!strcmp(command, "silent"))
		return NULL;
	if (!strcmp(command, "later") || !strcmp(command, "soon"))
		return promise(strcmp(command, "soon") ? 60000 : 50);
	json_open(reply, NULL, '{');
	json_str(reply, "command", command);
	if (!strcmp(command, "size") && fstat(fd, &st) == 0)
		json_u64(reply, "bytes", (uint64_t)st.st_size);
	if (!strcmp(command, "big"))
		for (int i = 0; i < 100000; i++)
			json_str(reply, "line", "0123456789");
	json_bool(reply, "has_name", json_object_object_get_ex(request, "name", NULL));
	json_close(reply, '}');
	return NULL;
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", place_of("home/control.sock"));
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		perror("connect");
	return fd;
}

/* What comes until a newline or the end. */
static const char *read_line(int fd)
{
	static char line[4096];
	size_t used = 0;

	while (used < sizeof line - 1 && recv(fd, line + used, 1, 0) == 1 && line[used] != '\n')
		used++;
	line[used] = 0;
	return line;
}

static const char *say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return "";
	return read_line(fd);
}

static void check_calls(void)
{
	struct umd_error error = { 0 };
	char *reply = NULL;
	int rc, fd;

	ok(umd_control("home", "{\"command\":\"hello\",\"name\":1}", -1, &reply, &error) == 0 &&
	   strstr(reply, "\"hello\"") && strstr(reply, "true"), "a command is answered");
	free(reply);
	rc = umd_control("home", "{\"command\":\"refuse\"}", -1, &reply, &error);
	ok(rc == UMD_E_LAST_MEMBER && !strcmp(error.text, "the last one stays") && error.errno_class == EBUSY,
	   "a refusal arrives with code, class and sentence");
	rc = umd_control("home", "{\"command\":\"silent\"}", -1, &reply, &error);
	ok(rc == -ENOMEM, "an empty reply is told as missing memory");
	ok(umd_control("home", "{\"command\":\"big\"}", -1, &reply, &error) == 0 && strlen(reply) > 1000000,
	   "a long reply arrives whole");
	free(reply);

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ok(umd_control("home", "{\"command\":\"size\"}", fd, &reply, &error) == 0 && strstr(reply, "bytes"),
	   "a descriptor is handed over");
	free(reply);
	close(fd);
	rc = umd_control("nobody", "{\"command\":\"hello\"}", -1, &reply, &error);
	ok(rc == UMD_E_NOT_RUNNING, "an array that does not run: %s", error.text);
	rc = umd_control("../home", "{\"command\":\"hello\"}", -1, &reply, &error);
	ok(rc == UMD_E_NOT_RUNNING, "a hostile name: %s", error.text);
}

static void check_lines(void)
{
	int fd = dial();

	ok(strstr(say(fd, "{\"command\":\"one\"}\n{\"command\":\"two\"}\n"), "\"one\""),
	   "two requests in one packet: the first");
	ok(strstr(read_line(fd), "\"two\""), "and the second");
	close(fd);
	fd = dial();
	ok(strstr(say(fd, "nonsense\n"), "\"EINVAL\""), "what is no JSON is refused");
	ok(strstr(say(fd, "[1]\n"), "\"EINVAL\""), "what is no object, too");
	ok(strstr(say(fd, "{\"command\":7}\n"), "\"EINVAL\""), "a command that is no string, too");
	ok(strstr(say(fd, "{\"command\":\"x\"} trailing\n"), "\"EINVAL\""), "trailing text, too");
	ok(strstr(say(fd, "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}\n"), "\"EINVAL\""), "and what is nested too deep");
	ok(strstr(say(fd, "{\"command\":\"after\"}\n"), "\"after\""), "and the connection goes on");
	close(fd);
}

static void check_length(void)
{
	static char request[257 * 1024];
	int fd = dial();

	memset(request, ' ', sizeof request - 1);
	request[0] = '{';
	ok(strstr(say(fd, request), "\"E2BIG\""), "a request without end is refused");
	ok(!strcmp(read_line(fd), ""), "and the connection is closed");
	close(fd);
}

static bool is_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, 15000) == 1 && recv(fd, &c, 1, 0) <= 0;
}

static void check_stalled(int *ret_fd)
{
	*ret_fd = dial();
	ok(send(*ret_fd, "{\"command\":", 11, MSG_NOSIGNAL) == 11, "a client stops in the middle of a line");
}

/* The next client is answered after the one before it was read: so the server knows that somebody waits. */
static void check_later(struct run_control *c)
{
	int waiting = dial(), gone = dial(), other = dial(), both = dial();

	ok(send(waiting, "{\"command\":\"later\"}\n{\"command\":\"next\"}\n", 39, MSG_NOSIGNAL) == 39 &&
	   send(gone, "{\"command\":\"later\"}\n", 20, MSG_NOSIGNAL) == 20, "two clients wait for an answer");
	while (late.waiting < 2)
		say(other, "{\"command\":\"other\"}\n");
	ok(strstr(say(other, "{\"command\":\"other\"}\n"), "\"other\""), "others are served meanwhile");
	ok(strstr(say(other, "{\"command\":\"soon\"}\n"), "\"over\""), "one whose time is over is answered");
	close(gone);
	while (late.dropped < 2)
		say(other, "{\"command\":\"other\"}\n");
	ok(late.dropped == 2, "one that hangs up is forgotten");
	run_control_wake(c);
	ok(strstr(say(other, "{\"command\":\"other\"}\n"), "\"other\"") && late.dropped == 2,
	   "being woken for nothing answers nobody");
	late.is_there = true;
	run_control_wake(c);
	ok(strstr(read_line(waiting), "\"there\"") && strstr(read_line(waiting), "\"next\""),
	   "the answer comes when it is there, and the next request is read after it");
	ok(late.dropped == 3, "and is dropped once");
	late.is_there = false;
	send(both, "{\"command\":\"later\"}\n", 20, MSG_NOSIGNAL);
	while (late.waiting < 4)
		say(other, "{\"command\":\"other\"}\n");
	close(waiting);
	close(other);
	close(both);
}

static void check_crowd(void)
{
	int fds[80];

	for (int i = 0; i < 80; i++)
		fds[i] = dial();
	ok(strstr(say(fds[79], "{\"command\":\"late\"}\n"), "\"late\""),
	   "a crowd of idle clients does not keep the next one out");
	ok(is_closed(fds[0]), "the one that was quiet longest makes room");
	for (int i = 0; i < 80; i++)
		close(fds[i]);
}

int main(void)
{
	struct run_rundir *r = NULL;
	struct run_control *c = NULL;
	struct err err = { 0 };
	struct stat st;
	int calls = 0, stalled;

	place_make();
	ok(run_rundir_claim(&(struct run_rundir_wish){ .name = "home" }, &r, &err) == 0 &&
	   run_control_start(r, handler, &calls, &c, &err) == 0, "the server starts %s", err.text);
	ok(stat(place_of("home/control.sock"), &st) == 0 && (st.st_mode & 07777) == 0600, "its socket is ours alone");
	check_calls();
	check_lines();
	check_length();
	check_later(c);
	check_crowd();
	check_stalled(&stalled);
	ok(is_closed(stalled), "and is dropped");
	close(stalled);
	stalled = dial();
	run_control_stop(c);
	ok(is_closed(stalled), "stopping ends connections");
	close(stalled);
	ok(stat(place_of("home/control.sock"), &st) < 0, "and removes the socket");
	ok(late.dropped == late.waiting, "nobody who was to answer later is left");
	ok(calls > 0, "the handler was called %d times", calls);
	run_rundir_release(r);
	ok(rmdir(place) == 0, "nothing is left behind");
	return tap_end();
}
