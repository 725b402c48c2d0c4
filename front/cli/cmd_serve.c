/* umd serve: make the socket, let nbdkit serve it with our plugin, stay as its keeper.
 *
 *	socket under a temporary name -> nbdkit starts -> "opened NAME": members are locked, the socket gets its place
 *	-> "ready NAME": with --tree umd-tree mounts -> the user is told -> until nbdkit ends: signals are passed on,
 *	its complaints passed through
 *	-> sockets and pid file are removed, also a killed server's
 *
 * One loop waits for signals (as a descriptor), the plugin's reports and nbdkit's stderr. Before "ready" nothing of
 * that stderr is shown: a failed start is one sentence. With --background all this happens in a child, while the
 * command itself waits for the word that it is ready or has failed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "serve.h"

enum { CLOSED_S = 20, OPENING_S = 5 };

/* Lines as they come in pieces. */
struct lines {
	int fd;
	char data[4096];
	size_t used;
};

struct server {
	const struct cli *cli;
	struct serve_nbdkit nbdkit;
	struct serve_socket socket;
	pid_t pid;
	int signals, starter;		/* starter: where the waiting command wants our exit status, or -1 */
	struct lines report, errors;
	struct serve_tree tree;
	struct lines tree_words;
	char tree_sentence[SERVE_SENTENCE_BYTES];	/* what it said last, before it was ready */
	char name[SERVE_NAME_BYTES];	/* "" until the plugin has it */
	char sentence[SERVE_SENTENCE_BYTES];	/* why the start failed */
	char complaint[SERVE_SENTENCE_BYTES];	/* nbdkit's first own words, used where there is no sentence */
	bool is_ready, was_told_to_stop;
	bool is_closed;			/* the plugin has let go of all it can, or never had anything */
	time_t limit_s;			/* when it should have done what is waited for; 0: it may take its time */
	bool is_left;			/* its process does not end */
	int wait_status;
};

int serve_refuse(char ret_sentence[SERVE_SENTENCE_BYTES], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret_sentence, SERVE_SENTENCE_BYTES, format, ap);
	va_end(ap);
	return 1;
}

/* ---- ready ---- */

static void send_status(struct server *s, int status)
{
	uint8_t byte = (uint8_t)status;

	if (s->starter < 0)
		return;
	/* A starter that is gone does not want to know. */
	send(s->starter, &byte, sizeof byte, MSG_NOSIGNAL);
	close(s->starter);
	s->starter = -1;
}

/* Nothing of the starter's stays open: a shell may wait for the end of our output. */
static void detach(struct server *s)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") < 0)
		fprintf(stderr, "umd: the server keeps its working directory in use: %s\n", strerror(errno));
	fflush(NULL);
	for (int fd = 0; fd <= 2; fd++)
		dup2(nothing, fd);
	close(nothing);
	send_status(s, CLI_DONE);
}

static void announce(struct server *s)
{
	s->is_ready = true;
	if (s->nbdkit.is_one_at_a_time)
		fprintf(stderr, "umd: nbdkit %s answers one request at a time on each connection (before 1.33.10 it "
			"dies with a client that has several under way); clients are faster over several connections\n",
			s->nbdkit.version);
	printf("ready %s\n", serve_socket_uri(&s->socket));
	fflush(stdout);
	if (s->starter >= 0)
		detach(s);
}

/* ---- the tree ---- */

static const char *after(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static void start_tree(struct server *s)
{
	int rc = serve_tree_start(s->name, serve_socket_uri(&s->socket), &s->tree);

	if (rc == 0) {
		s->tree_words.fd = s->tree.words;
		return;
	}
	fprintf(stderr, "umd: umd-tree cannot be started: %s; umd get and umd set work without it\n", strerror(-rc));
	announce(s);
}

static void take_tree_word(struct server *s, const char *line)
{
	if (!strncmp(line, "ready ", 6))
		announce(s);
	else if (s->is_ready)
		fprintf(stderr, "%s\n", cli_shown(line));
	else
		snprintf(s->tree_sentence, sizeof s->tree_sentence, "%s", line);
}

/* It has ended: unmounted by somebody, or it could not mount. Without it attributes are to be had all the same. */
static void miss_tree(struct server *s)
{
	close(s->tree_words.fd);
	s->tree_words.fd = -1;
	serve_tree_end(&s->tree);
	if (s->is_ready)
		return;
	fprintf(stderr, "umd: attributes are not to be had as files, but by umd get and umd set: %s\n",
		cli_shown(after(s->tree_sentence, "umd-tree:") ?: s->tree_sentence));
	announce(s);
}

/* ---- what the plugin says ---- */

static void consent(struct server *s)
{
	/* A plugin that is gone by now needs no consent; the end of the stream tells. */
	send(s->report.fd, "go\n", 3, MSG_NOSIGNAL);
}

static void close_report(struct server *s)
{
	if (s->report.fd >= 0)
		close(s->report.fd);
	s->report.fd = -1;
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void take_opened(struct server *s, const char *name)
{
	s->limit_s = 0;
	snprintf(s->name, sizeof s->name, "%s", name);
	if (serve_socket_place(&s->socket, name, s->sentence))
		close_report(s);	/* the plugin then lets go and ends */
	else
		consent(s);
}

static void take_report(struct server *s, const char *line)
{
	const char *rest;

	if ((rest = after(line, "opened"))) {
		take_opened(s, rest);
	} else if (after(line, "ready") && cli_has(s->cli, "tree")) {
		start_tree(s);
	} else if (after(line, "ready")) {
		announce(s);
	} else if ((rest = after(line, "error"))) {
		snprintf(s->sentence, sizeof s->sentence, "%s", rest);
	} else if (after(line, "closing")) {
		/* Whoever waits for the server's process finds nothing mounted after it. */
		serve_tree_end(&s->tree);
		serve_socket_remove(&s->socket);
		consent(s);
	} else if (after(line, "closed")) {
		s->is_closed = true;
		s->limit_s = now_s() + CLOSED_S;
	}
}

/* "nbdkit: umd.3: error: TEXT" is for people as "TEXT". nbdkit calls the wake-up of our watcher at the end an
 * error. */
static void take_complaint(struct server *s, const char *line)
{
	const char *text = strstr(line, "error: ");

	text = text ? text + strlen("error: ") : line;
	if (strstr(text, "aborting sleep"))
		return;
	if (s->is_ready)
		fprintf(stderr, "umd: %s\n", cli_shown(text));
	else if (!s->complaint[0])
		snprintf(s->complaint, sizeof s->complaint, "%s", cli_shown(text));
}

/* Take what is there; false at the end. A line longer than the buffer is cut into several. */
static bool read_lines(struct server *s, struct lines *l, void (*take)(struct server *, const char *))
{
	ssize_t n = read(l->fd, l->data + l->used, sizeof l->data - 1 - l->used);
	char *line = l->data, *end;

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	l->used += (size_t)n;
	l->data[l->used] = 0;
	while ((end = strchr(line, '\n'))) {
		*end = 0;
		take(s, line);
		line = end + 1;
		if (l->fd < 0)
			return true;
	}
	l->used -= (size_t)(line - l->data);
	memmove(l->data, line, l->used);
	if (l->used == sizeof l->data - 1)
		l->used = 0;
	return true;
}

/* ---- the loop ---- */

static void take_signal(struct server *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof info) != sizeof info)
		return;
	s->was_told_to_stop = true;
	kill(s->pid, SIGTERM);
	if (!s->name[0] && !s->limit_s)
		s->limit_s = now_s() + OPENING_S;
}

/* For poll(): -1: without limit. */
static int patience_ms(const struct server *s)
{
	time_t now = now_s();

	return !s->limit_s ? -1 : now < s->limit_s ? (int)(s->limit_s - now) * 1000 : 0;
}

/* It was told to stop while it opens members, and one hangs: nothing was written yet, so it may be killed. False: its
 * end is waited for no longer. */
static bool goes_on(struct server *s)
{
	if (patience_ms(s) != 0)
		return true;
	if (s->is_closed)
		return false;
	s->is_closed = true;
	s->limit_s = now_s() + CLOSED_S;
	kill(s->pid, SIGKILL);
	return true;
}

/* The kernel may hold a thread of it for as long as a disk or a lock manager hangs: it is left behind then. */
static void reap(struct server *s)
{
	const struct timespec moment = { .tv_nsec = 50 * 1000000 };
	pid_t ended;

	while ((ended = waitpid(s->pid, &s->wait_status, s->is_closed ? WNOHANG : 0)) <= 0) {
		if (ended < 0 && errno != EINTR)
			return;
		s->is_left = ended == 0 && patience_ms(s) == 0;
		if (s->is_left)
			return;
		nanosleep(&moment, NULL);
	}
}

/* Until nbdkit has ended and all it said has been read. Its end closes both pipes. */
static void keep(struct server *s)
{
	while ((s->report.fd >= 0 || s->errors.fd >= 0) && goes_on(s)) {
		struct pollfd polls[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->report.fd, .events = POLLIN },
			{ .fd = s->errors.fd, .events = POLLIN },
			{ .fd = s->tree_words.fd, .events = POLLIN },
		};

		if (poll(polls, 4, patience_ms(s)) <= 0)
			continue;
		if (polls[0].revents)
			take_signal(s);
		if (polls[1].revents && !read_lines(s, &s->report, take_report))
			close_report(s);
		if (polls[2].revents && !read_lines(s, &s->errors, take_complaint)) {
			close(s->errors.fd);
			s->errors.fd = -1;
		}
		if (polls[3].revents && s->tree_words.fd >= 0 && !read_lines(s, &s->tree_words, take_tree_word))
			miss_tree(s);
	}
	reap(s);
}

static int signals_as_descriptor(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* ---- start and end ---- */

static int open_socket(struct server *s)
{
	if (cli_has(s->cli, "port"))
		return serve_socket_open_tcp(&s->socket, (uint16_t)cli_number(s->cli, "port", 0), s->sentence);
	return serve_socket_open_unix(&s->socket, cli_text(s->cli, "socket"), s->sentence);
}

static int start(struct server *s)
{
	struct serve_child child;

	if (serve_nbdkit_find(&s->nbdkit, s->sentence) || open_socket(s) ||
	    serve_nbdkit_start(&s->nbdkit, s->cli, s->socket.fd, &child, s->sentence))
		return 1;
	s->pid = child.pid;
	s->report.fd = child.report;
	s->errors.fd = child.errors;
	/* The server alone decides how long clients can connect. */
	close(s->socket.fd);
	s->socket.fd = -1;
	return 0;
}

static const char *how_it_ended(int status)
{
	return WIFSIGNALED(status) ? cli_print("was killed by signal %d", WTERMSIG(status)) :
				     cli_print("ended with status %d", WEXITSTATUS(status));
}

static int judge_end(struct server *s)
{
	bool is_clean = WIFEXITED(s->wait_status) && WEXITSTATUS(s->wait_status) == 0;

	if (s->is_left)
		fprintf(stderr, "umd: process %d of \"%s\" has let go of all it can and does not end: the kernel holds "
			"it, since a disk or the cluster's manager does not answer\n", (int)s->pid, s->name);
	if (s->is_ready && s->sentence[0])
		return cli_refuse("%s", s->sentence);
	if (s->is_left)
		return CLI_FAILED;
	if (s->is_ready && is_clean)
		return CLI_DONE;
	if (s->is_ready)
		return cli_refuse("the server of \"%s\" %s; the next start will resync what may differ", s->name,
				  how_it_ended(s->wait_status));
	if (s->sentence[0])
		return cli_refuse("%s", s->sentence);
	if (s->was_told_to_stop)
		return cli_refuse("stopped by a signal before the array was ready");
	if (s->complaint[0])
		return cli_refuse("nbdkit could not serve the array: %s", s->complaint);
	return cli_refuse("nbdkit %s before the array was ready", how_it_ended(s->wait_status));
}

static int serve(const struct cli *cli, int starter)
{
	struct server s = { .cli = cli, .starter = starter, .report.fd = -1, .errors.fd = -1, .tree_words.fd = -1 };
	int status;

	s.socket.fd = s.socket.temporary_dir = -1;
	s.signals = signals_as_descriptor();
	if (start(&s)) {
		status = cli_refuse("%s", s.sentence);
	} else {
		keep(&s);
		serve_tree_end(&s.tree);
		status = judge_end(&s);
	}
	serve_socket_remove(&s.socket);
	serve_socket_close(&s.socket);
	if (s.name[0])
		umd_runtime_sweep(s.name);
	send_status(&s, status);
	return status;
}

/* ---- in the background ---- */

static int wait_for_status(int fd, pid_t pid)
{
	uint8_t status;
	ssize_t n;

	do
		n = recv(fd, &status, sizeof status, 0);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return status;
	return cli_refuse("the server, pid %d, ended before the array was ready", (int)pid);
}

static int serve_in_background(const struct cli *cli)
{
	int pair[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return cli_refuse("cannot make a socket: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return cli_refuse("cannot start a process: %s", strerror(errno));
	if (pid == 0) {
		close(pair[0]);
		return serve(cli, pair[1]);
	}
	close(pair[1]);
	status = wait_for_status(pair[0], pid);
	close(pair[0]);
	return status;
}

int cmd_serve(const struct cli *cli)
{
	if (cli_has(cli, "port") && cli_has(cli, "socket"))
		return cli_usage("--port and --socket exclude each other");
	if (cli_has(cli, "port") && !cli_has(cli, "insecure"))
		return cli_usage("--port serves without encryption or passwords: --insecure says that this is meant");
	if (cli_number(cli, "port", 0) > UINT16_MAX)
		return cli_usage("--port must be at most %u", UINT16_MAX);
	if (cli_has(cli, "inactive") ? cli->word_count : !cli->word_count)
		return cli_has(cli, "inactive") ?
			       cli_usage("--inactive takes no member: \"%s\" joins by umd set NAME new_dev",
					 cli_shown(cli->words[0])) :
			       cli_usage("serve needs a member");
	if (cli_has(cli, "inactive") && !cli_has(cli, "name"))
		return cli_usage("--inactive needs --name: nothing else says what the array is called");
	return cli_has(cli, "background") ? serve_in_background(cli) : serve(cli, -1);
}
