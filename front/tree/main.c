/* umd-tree: the attributes of an array as files, and the array as a file.
 *
 *	umd-tree NAME			NAME/md and NAME/disk in the run-time directory
 *	umd-tree NAME MOUNTPOINT	the attributes there; --disk=FILE for the array
 *
 * A guest of the server: it asks the control socket about attributes and the NBD socket for data, holds nothing that
 * the array needs, and may hang, be killed or be unmounted at any time. It ends by itself when the server does, and by
 * SIGTERM, SIGINT or SIGHUP within a second; then nothing is mounted any more and what it made is removed.
 *
 * The main thread waits for the first of: a signal, the end of the server's process or of its answers (watch.c), an
 * unmount by somebody (mount.c).
 * All signals are blocked before any thread is made, so no other sees one. "ready PLACE" is printed when both mounts
 * work; array_state is there from then on, since the disk comes first.
 *
 * Left out: what the verbs of umd do; this program has none. A server in another pid namespace that is replaced by one
 * of the same name within milliseconds: its process cannot be watched, only its answers. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tree.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

struct wish {
	const char *name, *place, *disk, *uri;	/* as typed; NULL: not given */
	bool is_background, is_cleaning;
};

struct program {
	struct wish wish;
	struct tree tree;
	struct disk disk;
	struct watch watch;
	struct mount mounts[2];			/* the disk, which may be none (no place), and the tree */
	char *disk_place, *tree_place, *uri;
	char sentence[TREE_TEXT_BYTES];
	int ended_fd, signals_fd;
	int server_fd;				/* of its process; -1: it lives in another pid namespace */
	int starter;				/* where the waiting command wants our status, or -1 */
};

static const char help[] =
	"umd-tree - the attributes of a running array as files, as Linux shows them in /sys/block/mdX/md\n"
	"\n"
	"  umd-tree [--background | --clean] NAME [MOUNTPOINT]\n"
	"\n"
	"Without MOUNTPOINT: NAME/md (attributes) and NAME/disk (the array) in the run-time directory.\n"
	"\n"
	"  --background   return when it is mounted, and serve on\n"
	"  --clean        only take away what a killed umd-tree left mounted\n"
	"  --disk=FILE    the array becomes this file; with MOUNTPOINT there is none without it\n"
	"  --uri=URI      of the NBD server, where that is not NAME/nbd.sock\n"
	"  --help         this text\n"
	"  --version\n";

/* Paths that were typed stand in sentences: what a terminal would obey becomes \xNN. */
static int say(int status, const char *sentence)
{
	fputs("umd-tree: ", stderr);
	for (; *sentence; sentence++)
		fprintf(stderr, *sentence >= ' ' && *sentence <= '~' ? "%c" : "\\x%02x", (unsigned char)*sentence);
	fputc('\n', stderr);
	return status;
}

/* ---- the command line ---- */

static int refuse_option(const char *typed, int why)
{
	char sentence[TREE_TEXT_BYTES];

	snprintf(sentence, sizeof sentence,
		 why == ':' ? "%s needs a value" : "there is no option %s; --help tells which there are", typed);
	return say(USAGE, sentence);
}

/* -1: go on; else the exit status. */
static int read_wish(int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {
		{ "background", no_argument, NULL, 'b' },
		{ "clean", no_argument, NULL, 'c' },
		{ "disk", required_argument, NULL, 'd' },
		{ "uri", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":", options, NULL)) >= 0) {
		if (c == 'h')
			return fputs(help, stdout) < 0 ? FAILED : DONE;
		if (c == 'v')
			return printf("umd-tree %s\n", umd_version()) < 0 ? FAILED : DONE;
		if (c == '?' || c == ':')
			return refuse_option(argv[optind - 1], c);
		w->is_background |= c == 'b';
		w->is_cleaning |= c == 'c';
		w->disk = c == 'd' ? optarg : w->disk;
		w->uri = c == 'u' ? optarg : w->uri;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return say(USAGE, "one name of a running array is needed, and at most a mount point; "
			   "--help tells more");
	w->name = argv[optind];
	w->place = argv[optind + 1];
	return -1;
}

/* ---- places ---- */

static char *place_of(struct program *p, const char *typed, const char *leaf)
{
	struct umd_error error;
	char *path;

	if (typed) {
		path = realpath(typed, NULL);
		if (!path && errno == ENOTCONN)		/* a dead mount */
			path = strdup(typed);
		if (!path || path[0] != '/')
			snprintf(p->sentence, sizeof p->sentence, "cannot mount on %s: %s", typed,
				 path ? "a dead mount lies there, and only an absolute path helps" : strerror(errno));
		return path && path[0] == '/' ? path : NULL;
	}
	if (umd_runtime_path(p->wish.name, leaf, false, &path, &error) < 0) {
		snprintf(p->sentence, sizeof p->sentence, "%s", error.text);
		return NULL;
	}
	return path;
}

static char *uri_of(struct program *p)
{
	char *path, *uri = NULL;

	if (p->wish.uri)
		return strdup(p->wish.uri);
	path = place_of(p, NULL, "nbd.sock");
	if (path && asprintf(&uri, "nbd+unix:///%s?socket=%s", p->wish.name, path) < 0)
		uri = NULL;
	free(path);
	return uri;
}

static int find_places(struct program *p)
{
	bool has_disk = p->wish.disk || !p->wish.place;

	snprintf(p->sentence, sizeof p->sentence, "there is not enough memory");
	p->tree_place = place_of(p, p->wish.place, "md");
	p->disk_place = has_disk ? place_of(p, p->wish.disk, "disk") : NULL;
	p->uri = uri_of(p);
	return p->tree_place && p->uri && (p->disk_place || !has_disk) ? 0 : -1;
}

/* ---- serving ---- */

static int start_watching(struct program *p)
{
	pthread_t thread;
	int rc;

	p->watch = (struct watch){ .tree = &p->tree, .gone_fd = p->ended_fd };
	rc = pthread_create(&thread, NULL, watch_run, &p->watch);
	if (rc == 0)
		pthread_detach(thread);		/* it waits for the server, and the process does not wait for it */
	else
		snprintf(p->sentence, sizeof p->sentence, "cannot start a thread: %s", strerror(rc));
	return -rc;
}

/* The number could be another process's by now, unless the server still says that it is its own. */
static int find_server(struct program *p)
{
	struct ask_detail detail;
	int rc;

	p->server_fd = pidfd_open((pid_t)p->tree.server, 0);
	rc = ask_detail(p->wish.name, &detail);
	return rc < 0 ? rc : detail.pid == p->tree.server ? 0 : ASK_GONE;
}

static void describe_mounts(struct program *p)
{
	p->mounts[0] = (struct mount){ .ops = &disk_ops, .userdata = &p->disk, .place = p->disk_place, .is_file = true,
				       .is_made = !p->wish.disk, .ended_fd = p->ended_fd };
	p->mounts[1] = (struct mount){ .ops = &tree_ops, .userdata = &p->tree, .place = p->tree_place,
				       .is_made = !p->wish.place, .ended_fd = p->ended_fd };
}

static int start(struct program *p)
{
	struct umd_error error = { 0 };
	int rc = tree_start(&p->tree, p->wish.name, &error);

	if (rc == 0)
		rc = find_server(p);
	if (rc < 0) {
		snprintf(p->sentence, sizeof p->sentence, "%s", error.text[0] ? error.text : strerror(-rc));
		return rc;
	}
	if (mount_is_possible(p->sentence) < 0 || find_places(p) < 0)
		return -1;
	p->disk = (struct disk){ .name = p->wish.name, .pool = pool_new(p->uri), .began = p->tree.began };
	describe_mounts(p);
	if (!p->disk.pool)
		return -1;
	if (p->disk_place && mount_start(&p->mounts[0], p->sentence) < 0)
		return -1;
	if (mount_start(&p->mounts[1], p->sentence) < 0)
		return -1;
	return start_watching(p);
}

static void send_status(struct program *p, uint8_t status)
{
	if (p->starter < 0)
		return;
	/* A starter that is gone does not want to know. */
	send(p->starter, &status, sizeof status, MSG_NOSIGNAL);
	close(p->starter);
	p->starter = -1;
}

/* Nothing of the starter's stays open: a shell may wait for the end of our output. */
static void detach(struct program *p)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") < 0)
		say(FAILED, "the working directory stays in use");
	fflush(NULL);
	for (int fd = 0; fd <= 2; fd++)
		dup2(nothing, fd);
	close(nothing);
	send_status(p, DONE);
}

static void wait_for_end(struct program *p)
{
	struct pollfd polls[] = {
		{ .fd = p->signals_fd, .events = POLLIN },
		{ .fd = p->ended_fd, .events = POLLIN },
		{ .fd = p->server_fd, .events = POLLIN },
	};

	while (poll(polls, 3, -1) < 0)
		;
}

static int signals_as_descriptor(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The watching thread may still sit in a question; it holds nothing that outlives the process. */
_Noreturn static void end(struct program *p, int status)
{
	mounts_end(p->mounts, 2);
	umd_runtime_sweep(p->wish.name);
	send_status(p, (uint8_t)status);
	_exit(status);
}

_Noreturn static void serve(const struct wish *wish, int starter)
{
	static struct program p;	/* threads may outlive this function's end for a moment */

	p.wish = *wish;
	p.starter = starter;
	p.server_fd = -1;
	p.signals_fd = signals_as_descriptor();
	p.ended_fd = eventfd(0, EFD_CLOEXEC);
	if (start(&p) < 0)
		end(&p, say(FAILED, p.sentence));
	printf("ready %s\n", p.tree_place);
	fflush(stdout);
	if (p.starter >= 0)
		detach(&p);
	wait_for_end(&p);
	end(&p, DONE);
}

/* No server is asked: it may have been killed as well. */
static int clean(const struct wish *wish)
{
	static struct program p;
	int rc;

	p.wish = *wish;
	rc = find_places(&p);
	if (rc == 0)
		describe_mounts(&p);
	for (int i = 1; i >= 0 && rc == 0; i--)
		rc = p.mounts[i].place ? mount_clean(&p.mounts[i], p.sentence) : 0;
	if (rc < 0)
		return say(FAILED, p.sentence);
	umd_runtime_sweep(wish->name);
	return DONE;
}

/* ---- in the background ---- */

static int serve_in_background(const struct wish *wish)
{
	uint8_t status;
	int pair[2];
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return say(FAILED, "cannot make a socket");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return say(FAILED, "cannot start a process");
	if (pid == 0) {
		close(pair[0]);
		serve(wish, pair[1]);
	}
	close(pair[1]);
	do
		n = recv(pair[0], &status, sizeof status, 0);
	while (n < 0 && errno == EINTR);
	return n == 1 ? status : say(FAILED, "it ended before anything was mounted");
}

int main(int argc, char **argv)
{
	struct wish wish = { 0 };
	int status = read_wish(argc, argv, &wish);

	if (status >= 0)
		return status;
	if (wish.is_cleaning)
		return clean(&wish);
	if (wish.is_background)
		return serve_in_background(&wish);
	serve(&wish, -1);
}
