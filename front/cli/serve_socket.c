/* The socket of `umd serve`: made before nbdkit starts, named after the members are locked.
 *
 * nbdkit wants a listening socket when it starts, but the array's name, and whether this start will succeed at all, are
 * known only later. So the socket is bound under a temporary name and linked to its place when the plugin says that it
 * has the members. Clients that connect by the name reach the same socket. A link never replaces anything: of two
 * servers that want one path, one is refused.
 *
 * A socket file nobody listens on is a dead server's and is removed; anything else at the place is refused. In the
 * run-time directory the name's owner has judged that already.
 *
 * Addresses go through the directory's descriptor, so that only the path that clients use has to be short. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve.h"

enum { BACKLOG = 64 };

/* ---- unix ---- */

static int check_length(const struct serve_socket *s, char *ret_sentence)
{
	size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

	if (strlen(s->path) <= most)
		return 0;
	return serve_refuse(ret_sentence, "the socket's path is %zu bytes long where %zu are possible: %s",
			    strlen(s->path), most, cli_shown(s->path));
}

static int make_absolute(struct serve_socket *s, const char *path, char *ret_sentence)
{
	char here[SERVE_PATH_BYTES] = "";
	int len;

	if (path[0] != '/' && !getcwd(here, sizeof here))
		return serve_refuse(ret_sentence, "the working directory has no path: %s", strerror(errno));
	len = snprintf(s->path, sizeof s->path, "%s%s%s", here, here[0] ? "/" : "", path);
	if (len >= (int)sizeof s->path)
		return serve_refuse(ret_sentence, "the socket's path is too long");
	return check_length(s, ret_sentence);
}

/* The part of an absolute path behind the last slash; the rest is put into @ret_dir. */
static const char *split(const char *path, char ret_dir[SERVE_PATH_BYTES])
{
	const char *slash = strrchr(path, '/');

	snprintf(ret_dir, SERVE_PATH_BYTES, "%.*s", (int)(slash - path) + 1, path);
	return slash + 1;
}

static int open_dir(const char *dir, char *ret_sentence)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		serve_refuse(ret_sentence, "cannot use the directory %s: %s", cli_shown(dir), strerror(errno));
	return fd;
}

static struct sockaddr_un address_in(int dir, const char *leaf)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, leaf);
	return address;
}

static int bind_temporary(struct serve_socket *s, char *ret_sentence)
{
	struct sockaddr_un address;
	struct stat st;

	snprintf(s->temporary, sizeof s->temporary, ".umd-nbd-%d", (int)getpid());
	address = address_in(s->temporary_dir, s->temporary);
	unlinkat(s->temporary_dir, s->temporary, 0);	/* a dead process of our number */
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, sizeof address) < 0)
		return serve_refuse(ret_sentence, "cannot make a socket: %s", strerror(errno));
	if (chmod(address.sun_path, 0600) < 0 || listen(s->fd, BACKLOG) < 0 ||
	    fstatat(s->temporary_dir, s->temporary, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return serve_refuse(ret_sentence, "cannot listen on a socket: %s", strerror(errno));
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return 0;
}

int serve_socket_open_unix(struct serve_socket *s, const char *path, char ret_sentence[SERVE_SENTENCE_BYTES])
{
	char dir[SERVE_PATH_BYTES], *runtime;
	struct umd_error error;

	*s = (struct serve_socket){ .fd = -1, .temporary_dir = -1, .is_users = path != NULL };
	if (path) {
		if (make_absolute(s, path, ret_sentence))
			return 1;
		split(s->path, dir);
		s->temporary_dir = open_dir(dir, ret_sentence);
	} else {
		if (umd_runtime_path("", "", true, &runtime, &error) < 0)
			return serve_refuse(ret_sentence, "%s", error.text);
		s->temporary_dir = open_dir(runtime, ret_sentence);
		free(runtime);
	}
	return s->temporary_dir < 0 ? 1 : bind_temporary(s, ret_sentence);
}

/* ---- its place ---- */

/* Does anybody accept connections there? Not waiting: a full backlog is an answer, too. */
static bool is_alive(int dir, const char *leaf)
{
	struct sockaddr_un address = address_in(dir, leaf);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return alive;
}

static int clear_place(const struct serve_socket *s, int dir, const char *leaf, char *ret_sentence)
{
	struct stat st;

	if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 :
		       serve_refuse(ret_sentence, "cannot use %s: %s", cli_shown(s->path), strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return serve_refuse(ret_sentence, "%s exists and is no socket; it was left alone and nothing "
				    "was written", cli_shown(s->path));
	if (is_alive(dir, leaf))
		return serve_refuse(ret_sentence, "another server listens on %s; nothing was written",
				    cli_shown(s->path));
	unlinkat(dir, leaf, 0);
	return 0;
}

static int link_to_place(struct serve_socket *s, char *ret_sentence)
{
	char dir_path[SERVE_PATH_BYTES];
	const char *leaf = split(s->path, dir_path);
	int dir = open_dir(dir_path, ret_sentence), rc;

	if (dir < 0)
		return 1;
	rc = s->is_users ? clear_place(s, dir, leaf, ret_sentence) : 0;
	if (!rc && linkat(s->temporary_dir, s->temporary, dir, leaf, 0) < 0)
		rc = serve_refuse(ret_sentence, "cannot put the socket at %s: %s", cli_shown(s->path), strerror(errno));
	close(dir);
	if (rc)
		return rc;
	unlinkat(s->temporary_dir, s->temporary, 0);
	s->temporary[0] = 0;
	return 0;
}

int serve_socket_place(struct serve_socket *s, const char *name, char ret_sentence[SERVE_SENTENCE_BYTES])
{
	struct umd_error error;
	char *path;

	if (s->is_tcp)
		return 0;
	if (!s->is_users) {
		if (umd_runtime_path(name, "nbd.sock", false, &path, &error) < 0)
			return serve_refuse(ret_sentence, "%s", error.text);
		snprintf(s->path, sizeof s->path, "%s", path);
		free(path);
		if (check_length(s, ret_sentence))
			return 1;
	}
	return link_to_place(s, ret_sentence);
}

/* ---- TCP ---- */

static int bind_tcp(int family, uint16_t port)
{
	struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any };
	struct sockaddr_in ip4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr *address = family == AF_INET6 ? (struct sockaddr *)&ip6 : (struct sockaddr *)&ip4;
	socklen_t len = family == AF_INET6 ? sizeof ip6 : sizeof ip4;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, no = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	if (bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

int serve_socket_open_tcp(struct serve_socket *s, uint16_t port, char ret_sentence[SERVE_SENTENCE_BYTES])
{
	struct sockaddr_in6 bound;
	socklen_t len = sizeof bound;

	*s = (struct serve_socket){ .temporary_dir = -1, .is_tcp = true };
	s->fd = bind_tcp(AF_INET6, port);
	if (s->fd < 0 && errno != EADDRINUSE && errno != EACCES)
		s->fd = bind_tcp(AF_INET, port);
	if (s->fd < 0)
		return serve_refuse(ret_sentence, "cannot listen on port %u: %s", port, strerror(errno));
	/* Port 0 lets the kernel choose; the port lies at the same place in both address families. */
	if (getsockname(s->fd, (struct sockaddr *)&bound, &len) < 0)
		return serve_refuse(ret_sentence, "cannot ask for the port: %s", strerror(errno));
	s->port = ntohs(bound.sin6_port);
	return 0;
}

/* ---- the end, and the name ---- */

void serve_socket_remove(struct serve_socket *s)
{
	struct stat st;

	if (s->temporary[0])
		unlinkat(s->temporary_dir, s->temporary, 0);
	else if (s->path[0] && lstat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
		unlink(s->path);
	s->temporary[0] = s->path[0] = 0;
}

void serve_socket_close(struct serve_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->temporary_dir >= 0)
		close(s->temporary_dir);
	s->fd = s->temporary_dir = -1;
}

const char *serve_socket_uri(const struct serve_socket *s)
{
	return s->is_tcp ? cli_print("nbd://127.0.0.1:%u", s->port) : cli_socket_uri(s->path);
}
