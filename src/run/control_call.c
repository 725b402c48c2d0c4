/* The client's side of the control socket: one request, one reply; and the list of those who answer.
 *
 * The server is believed when the run-time directory is ours and the process behind the socket has our uid or is root.
 * A socket nobody listens on is a dead server's: "not running", as if it were not there.
 *
 * Left out: following events; every call is a connection of its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/control_inside.h"
#include "run/json.h"
#include "run/public.h"

enum { REPLY_BYTES_MAX = 256 << 20, REPLY_WAIT_S = 120 };

/* ---- the connection ---- */

static int refuse_not_running(const char *name, struct err *err)
{
	return err_set(err, UMD_E_NOT_RUNNING, "no array of the name \"%s\" runs; umd list shows those that do", name);
}

static int connect_in(int dir_fd, const char *name, int *ret_fd, struct err *err)
{
	struct sockaddr_un address = run_control_address(dir_fd);
	struct timeval patience = { .tv_sec = REPLY_WAIT_S };
	int rc, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		rc = errno == ENOENT || errno == ECONNREFUSED ? refuse_not_running(name, err) :
		     err_set(err, -errno, "cannot reach the server of \"%s\": %s", name, strerror(errno));
	} else if (!run_control_peer_is_ok(fd)) {
		rc = err_set(err, -EPERM, "the server of \"%s\" belongs to another user", name);
	} else {
		*ret_fd = fd;
		return 0;
	}
	close(fd);
	return rc;
}

static int connect_to(const char *name, int *ret_fd, struct err *err)
{
	char *path = NULL;
	int dir_fd, rc;

	if (!run_rundir_name_is_ok(name))
		return err_set(err, UMD_E_NOT_RUNNING, "no array of that name runs: it cannot be a run-time name");
	rc = run_rundir_path(name, "", false, &path, err);
	if (rc < 0)
		return rc;
	dir_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	mem_free(path);
	if (dir_fd < 0)
		return refuse_not_running(name, err);
	rc = connect_in(dir_fd, name, ret_fd, err);
	close(dir_fd);
	return rc;
}

/* ---- the exchange ---- */

/* The descriptor goes with the first byte; the rest of a long request follows. */
static int send_request(int socket, const char *request, int fd)
{
	_Alignas(struct cmsghdr) char rights[CMSG_SPACE(sizeof fd)] = { 0 };
	size_t left = strlen(request);

	while (left) {
		struct iovec iov = { (void *)request, left };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (fd >= 0) {
			struct cmsghdr *c = (struct cmsghdr *)rights;

			*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET,
					       .cmsg_type = SCM_RIGHTS };
			memcpy(CMSG_DATA(c), &fd, sizeof fd);
			msg.msg_control = rights;
			msg.msg_controllen = sizeof rights;
		}
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			request += n;
			left -= (size_t)n;
			fd = -1;
		}
	}
	return 0;
}

/* Up to the newline, which is cut off. */
static int receive_reply(int socket, char **ret_reply)
{
	size_t used = 0, room = 4096;
	char *reply = malloc(room);

	while (reply) {
		ssize_t n = recv(socket, reply + used, room - used - 1, 0);
		char *grown, *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int rc = n == 0 ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;

			free(reply);
			return rc;
		}
		end = memchr(reply + used, '\n', (size_t)n);
		used += (size_t)n;
		if (end) {
			*end = 0;
			*ret_reply = reply;
			return 0;
		}
		if (used < room - 1)
			continue;
		grown = room < REPLY_BYTES_MAX ? realloc(reply, room * 2) : NULL;
		if (!grown)
			free(reply);
		reply = grown;
		room *= 2;
	}
	return -ENOMEM;
}

static int exchange(const char *name, const char *request, int fd, char **ret_reply, struct err *err)
{
	int socket = -1, rc = connect_to(name, &socket, err);

	if (rc < 0)
		return rc;
	rc = send_request(socket, request, fd);
	if (rc == 0)
		rc = send_request(socket, "\n", -1);
	if (rc == 0)
		rc = receive_reply(socket, ret_reply);
	close(socket);
	if (rc < 0)
		err_set(err, rc, "the server of \"%s\" did not answer: %s", name, strerror(-rc));
	return rc;
}

static const char *member_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

/* The code in a reply's error object, 0 where there is none. */
static int error_in(const char *reply, struct err *err)
{
	struct json_object *object = json_tokener_parse(reply), *error;
	int rc = 0;

	if (!json_object_is_type(object, json_type_object))
		rc = err_set(err, -EPROTO, "the server's answer is no JSON object");
	else if (json_object_object_get_ex(object, "error", &error) && json_object_is_type(error, json_type_object))
		rc = err_set(err, run_control_code(member_text(error, "code")), "%s", member_text(error, "message"));
	json_object_put(object);
	return rc;
}

int umd_control(const char *name, const char *request_json, int fd, char **ret_reply_json, struct umd_error *error)
{
	struct err err = { 0 };
	char *reply = NULL;
	int rc = exchange(name, request_json, fd, &reply, &err);

	if (rc == 0)
		rc = error_in(reply, &err);
	if (rc < 0) {
		free(reply);
		return run_public_error(rc, &err, error);
	}
	*ret_reply_json = reply;
	return 0;
}

/* ---- the list ---- */

static int by_name(const struct dirent *entry)
{
	return run_rundir_name_is_ok(entry->d_name);
}

static void add_detail(struct text *list, const char *name)
{
	struct err err;
	char *reply = NULL;

	/* Silence is no error here: a server may end, or be killed, while the list is made. */
	if (exchange(name, "{\"command\":\"detail\"}", -1, &reply, &err) == 0 && error_in(reply, &err) == 0)
		text_add(list, "%s%s", list->len_bytes > 1 ? "," : "", reply);
	free(reply);
}

int umd_list(char **ret_json, struct umd_error *error)
{
	struct dirent **entries = NULL;
	struct text list = { 0 };
	struct err err = { 0 };
	char *root = NULL;
	int count, rc = run_rundir_path("", "", false, &root, &err);

	if (rc < 0)
		return run_public_error(rc, &err, error);
	count = scandir(root, &entries, by_name, alphasort);
	mem_free(root);
	text_add(&list, "[");
	for (int i = 0; i < count; i++) {
		add_detail(&list, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	text_add(&list, "]");
	*ret_json = text_take(&list);
	return *ret_json ? 0 : run_public_error(-ENOMEM, NULL, error);
}
