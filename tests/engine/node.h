/* Nodes for the tests of engines: each is a process that opens the local engine, does what its parent says, and tells
 * what it hears, line by line. The parent waits for lines; nothing waits for time.
 *
 *	parent -> node   group | lock NAME queue|now | cancel NAME | unlock NAME | send TEXT | flood COUNT |
 *	                 bulk COUNT | goodbye | close | until COUNT | sum | may | swap FILE | greedy COUNT
 *	node -> parent   open ID | refused TEXT | config COUNT | granted NAME | busy NAME | cancelled NAME |
 *	                 message TEXT | lost TEXT | note TEXT | seen COUNT HASH | may 0|1 | closed
 *
 * Messages that begin with '#' (of a flood) are not told, only counted and put into the hash. It is the same at two
 * nodes if they heard the same in the same order since the first of these, members included; a message "zero" begins
 * anew. "until COUNT" answers once so many were counted, "sum" at once. "swap" puts another file under the number of
 * the first member's descriptor, as hands may do after a removal. Who is "greedy" answers each of its next grants by
 * unlocking, asks for the same lock at once, and says "again". */
#ifndef TESTS_ENGINE_NODE_H
#define TESTS_ENGINE_NODE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "member/member.h"
#include "tap.h"

enum { NODE_LINES_MAX = 4096, NODE_LINE_BYTES = 1100, NODE_PATIENCE_MS = 20000, NODE_MEMBERS_MAX = 4 };

struct node {
	struct node *elder;			/* none is freed: what the dead said is looked at later */
	pid_t pid;
	int to, from;
	char *lines[NODE_LINES_MAX];
	uint32_t line_count, read_count;	/* told, and looked at by node_expect() */
	char part[NODE_LINE_BYTES * 4];
	size_t part_bytes;
};

/* ---- in the child ---- */

static struct {
	pthread_mutex_t mutex;
	int out, greedy_count;
	struct engine *e;
	struct member *members[NODE_MEMBERS_MAX];
	uint64_t flood_seen, wanted, hash;
} child = { .mutex = PTHREAD_MUTEX_INITIALIZER };

__attribute__((format(printf, 1, 2))) static inline void child_say(const char *format, ...)
{
	char line[NODE_LINE_BYTES];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof line - 1, format, ap);
	va_end(ap);
	if (len > (int)sizeof line - 2)
		len = sizeof line - 2;
	line[len++] = '\n';
	if (write(child.out, line, (size_t)len) != len)
		_exit(3);
}

static inline void child_mix(const void *data, size_t len_bytes)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len_bytes; i++)
		child.hash = (child.hash ^ bytes[i]) * 0x100000001b3ull;
}

static inline void child_hears_message(const struct clu_event *ev)
{
	if (!ev->len_bytes || ev->data[0] != '#') {
		if (ev->len_bytes == 4 && !memcmp(ev->data, "zero", 4))
			child.flood_seen = 0;
		child_say("message %.*s", (int)ev->len_bytes, (const char *)ev->data);
		return;
	}
	if (!child.flood_seen)
		child.hash = 0;
	child_mix(&ev->from, sizeof ev->from);
	child_mix(ev->data, ev->len_bytes);
	if (++child.flood_seen == child.wanted)
		child_say("seen %llu %016llx", (unsigned long long)child.flood_seen, (unsigned long long)child.hash);
}

static inline void child_deliver(void *opaque, const struct clu_event *ev)
{
	char name[16];

	(void)opaque;
	clu_lock_name(ev->lock, name);
	pthread_mutex_lock(&child.mutex);
	if (ev->kind == CLU_EV_MESSAGE) {
		child_hears_message(ev);
	} else if (ev->kind == CLU_EV_CONFIG) {
		child_mix(ev->nodes, ev->node_count * sizeof *ev->nodes);
		child_say("config %u", ev->node_count);
	} else if (ev->kind == CLU_EV_LOCK && !ev->rc && child.greedy_count) {
		child.greedy_count--;
		child.e->ops->unlock(child.e, ev->lock);
		child.e->ops->lock(child.e, ev->lock, true);
		child.e->ops->send(child.e, (const uint8_t *)"again", 5);
	} else if (ev->kind == CLU_EV_LOCK) {
		child_say("%s %s", !ev->rc ? "granted" : ev->rc == -ECANCELED ? "cancelled" : "busy", name);
	} else if (ev->kind == CLU_EV_LOST) {
		child_say("lost %s", ev->reason);
	}
	pthread_mutex_unlock(&child.mutex);
}

static inline void child_note(void *opaque, const char *sentence)
{
	(void)opaque;
	child_say("note %s", sentence);
}

static inline struct clu_lock child_lock(const char *name)
{
	if (!strcmp(name, "token"))
		return (struct clu_lock){ .kind = CLU_LOCK_TOKEN };
	if (!strcmp(name, "resync"))
		return (struct clu_lock){ .kind = CLU_LOCK_RESYNC };
	return (struct clu_lock){ .kind = CLU_LOCK_SLOT, .slot = (uint32_t)atoi(name + strlen("bitmap")) };
}

/* @len_bytes: of each; 0: as long as its text. */
static inline void child_flood(struct engine *e, int count, uint32_t len_bytes)
{
	uint8_t data[CLU_MESSAGE_BYTES_MAX] = { 0 };

	for (int i = 0; i < count; i++) {
		int len = snprintf((char *)data, 64, "#%llx %d", (unsigned long long)e->node_id, i);

		e->ops->send(e, data, len_bytes ? len_bytes : (uint32_t)len);
	}
}

static inline void child_count_until(uint64_t count)
{
	pthread_mutex_lock(&child.mutex);
	child.wanted = count;
	if (child.flood_seen >= count)
		child_say("seen %llu %016llx", (unsigned long long)child.flood_seen, (unsigned long long)child.hash);
	pthread_mutex_unlock(&child.mutex);
}

static inline void child_be_greedy(int count)
{
	pthread_mutex_lock(&child.mutex);
	child.greedy_count = count;
	pthread_mutex_unlock(&child.mutex);
}

static inline void child_swap(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, child.members[0]->fd) < 0)
		_exit(4);
	close(fd);
	child_say("swapped");
}

static inline void child_do(struct engine **e, char *line)
{
	const struct engine_ops *ops = (*e)->ops;
	char *verb = strsep(&line, " "), *argument = line ? strsep(&line, " ") : NULL;

	if (!strcmp(verb, "group"))
		ops->group(*e);
	else if (!strcmp(verb, "lock"))
		ops->lock(*e, child_lock(argument), !strcmp(line, "queue"));
	else if (!strcmp(verb, "cancel"))
		ops->cancel(*e, child_lock(argument));
	else if (!strcmp(verb, "unlock"))
		ops->unlock(*e, child_lock(argument));
	else if (!strcmp(verb, "send"))
		ops->send(*e, (const uint8_t *)argument, (uint32_t)strlen(argument));
	else if (!strcmp(verb, "flood"))
		child_flood(*e, atoi(argument), 0);
	else if (!strcmp(verb, "bulk"))
		child_flood(*e, atoi(argument), CLU_MESSAGE_BYTES_MAX);
	else if (!strcmp(verb, "until"))
		child_count_until((uint64_t)atoll(argument));
	else if (!strcmp(verb, "sum"))
		child_count_until(0);
	else if (!strcmp(verb, "swap"))
		child_swap(argument);
	else if (!strcmp(verb, "may"))
		child_say("may %d", ops->may_write(*e));
	else if (!strcmp(verb, "greedy"))
		child_be_greedy(atoi(argument));
	else if (!strcmp(verb, "goodbye"))
		ops->goodbye(*e);
	else if (!strcmp(verb, "close"))
		*e = ops->close(*e);
}

struct node_wish {
	const char *directory;
	uint8_t uuid_byte;
	const char *cluster_name;
	const char *members[NODE_MEMBERS_MAX];
};

static inline int child_open(const struct node_wish *w, struct engine **ret_engine, struct err *err)
{
	struct engine_config config = {
		.nodes = 4, .directory = w->directory, .deliver = child_deliver, .note = child_note,
	};
	int fds[NODE_MEMBERS_MAX];

	memset(config.uuid, w->uuid_byte, sizeof config.uuid);
	snprintf(config.cluster_name, sizeof config.cluster_name, "%s", w->cluster_name ? w->cluster_name : "home");
	config.member_fds = fds;
	for (; config.member_count < NODE_MEMBERS_MAX && w->members[config.member_count]; config.member_count++) {
		struct member **m = &child.members[config.member_count];

		if (mbr_open(w->members[config.member_count], -1, MBR_LOCK_CLUSTERED, m, err) < 0)
			return err->code;
		fds[config.member_count] = (*m)->fd;
	}
	return engine_open_local(&config, ret_engine, err);
}

static inline void child_run(const struct node_wish *w, int in_fd)
{
	FILE *in = fdopen(in_fd, "r");
	struct engine *e = NULL;
	struct err err = { 0 };
	char line[NODE_LINE_BYTES];
	int rc = child_open(w, &e, &err);

	if (rc < 0) {
		child_say("refused %s", err.text);
		_exit(0);
	}
	child.e = e;
	child_say("open %llx", (unsigned long long)e->node_id);
	while (e && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = 0;
		child_do(&e, line);
	}
	if (e)
		e->ops->close(e);
	for (uint32_t i = 0; i < NODE_MEMBERS_MAX; i++)
		mbr_close(child.members[i]);
	fclose(in);
	child_say("closed");
	exit(0);
}

/* ---- in the parent ---- */

/* A child's copies of the pipes of its elder siblings would keep those from hearing their parent's end. */
static struct node *node_all[64], *node_youngest;
static uint32_t node_all_count;

static inline struct node *node_start(const struct node_wish *w)
{
	struct node *n = calloc(1, sizeof *n);
	int down[2], up[2];

	if (!n || pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0)
		exit(2);
	n->elder = node_youngest;
	node_youngest = n;
	fflush(stdout);
	n->pid = fork();
	if (n->pid == 0) {
		for (uint32_t i = 0; i < node_all_count; i++) {
			close(node_all[i]->to);
			close(node_all[i]->from);
		}
		close(down[1]);
		close(up[0]);
		child.out = up[1];
		child_run(w, down[0]);
	}
	close(down[0]);
	close(up[1]);
	n->to = down[1];
	n->from = up[0];
	node_all[node_all_count++] = n;
	return n;
}

__attribute__((format(printf, 2, 3))) static inline void node_tell(struct node *n, const char *format, ...)
{
	char line[NODE_LINE_BYTES];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof line - 1, format, ap);
	va_end(ap);
	line[len++] = '\n';
	if (write(n->to, line, (size_t)len) != len)
		printf("# a node does not listen any more\n");
}

static inline void node_cut_lines(struct node *n)
{
	char *end;

	while ((end = memchr(n->part, '\n', n->part_bytes)) && n->line_count < NODE_LINES_MAX) {
		size_t bytes = (size_t)(end - n->part);

		n->lines[n->line_count++] = strndup(n->part, bytes);
		n->part_bytes -= bytes + 1;
		memmove(n->part, end + 1, n->part_bytes);
	}
}

/* Take in what it said; wait at most so long for the next word. False: it will say nothing more, or not in time. */
static inline bool node_hear(struct node *n, int wait_ms)
{
	struct pollfd p = { .fd = n->from, .events = POLLIN };
	ssize_t bytes;

	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	bytes = read(n->from, n->part + n->part_bytes, sizeof n->part - n->part_bytes);
	if (bytes <= 0)
		return false;
	n->part_bytes += (size_t)bytes;
	node_cut_lines(n);
	return true;
}

/* The next line that begins with @start, after the last one found. It never comes: NULL, and the test fails. */
static inline const char *node_expect(struct node *n, const char *start)
{
	for (;;) {
		while (n->read_count < n->line_count) {
			const char *line = n->lines[n->read_count++];

			if (!strncmp(line, start, strlen(start)))
				return line;
		}
		if (!node_hear(n, NODE_PATIENCE_MS)) {
			ok(false, "a node says \"%s\"; it said:", start);
			for (uint32_t i = 0; i < n->line_count; i++)
				printf("#   %s\n", n->lines[i]);
			return NULL;
		}
	}
}

/* Did it say so by now, or within @wait_ms? For what must not be said. */
static inline bool node_said(struct node *n, const char *start, int wait_ms)
{
	while (node_hear(n, wait_ms))
		;
	for (uint32_t i = n->read_count; i < n->line_count; i++)
		if (!strncmp(n->lines[i], start, strlen(start)))
			return true;
	return false;
}

/* What it said stays readable. */
static inline void node_drop(struct node *n)
{
	for (uint32_t i = 0; i < node_all_count; i++)
		if (node_all[i] == n)
			node_all[i--] = node_all[--node_all_count];
	if (n->to >= 0)
		close(n->to);
	close(n->from);
	n->to = n->from = -1;
}

/* A signal to stop is on its way when kill() returns: this waits until it has arrived. */
static inline void node_stop(struct node *n)
{
	kill(n->pid, SIGSTOP);
	waitpid(n->pid, NULL, WUNTRACED);
}

static inline void node_kill(struct node *n)
{
	kill(n->pid, SIGKILL);
	waitpid(n->pid, NULL, 0);
	node_drop(n);
}

static inline void node_end(struct node *n)
{
	int status = 0;

	close(n->to);
	n->to = -1;
	node_expect(n, "closed");
	if (waitpid(n->pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		ok(false, "a node ends well: status %#x", (unsigned)status);
	node_drop(n);
}

/* Open, in the group, and heard of it. */
static inline struct node *node_join(const struct node_wish *w)
{
	struct node *n = node_start(w);

	if (!node_expect(n, "open"))
		return n;
	node_tell(n, "group");
	node_expect(n, "config");
	return n;
}

static inline char *node_file(char *path, const char *directory, const char *name)
{
	int fd;

	snprintf(path, 200, "%s/%s", directory, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 1 << 20) < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
	return path;
}

static inline char *node_directory(char *pattern)
{
	if (!mkdtemp(pattern)) {
		perror(pattern);
		exit(1);
	}
	return pattern;
}

#endif
