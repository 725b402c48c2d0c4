/* Goal: a node whose log was removed, replaced, cut or overwritten says so in one sentence and may not write any more;
 *       a directory or file that is not what it must be is refused and stays as it is.
 * Method: do each of these to the log of two living nodes; open on directories and files of every wrong kind.
 * Law: C3 and C6, which rest on one order for everybody; C5 (who is not sure to be counted in writes nothing).
 * Source: design section 7; the run-time directory's rules. */
#include "base/le.h"
#include "tap.h"

#include "node.h"

static char directory[] = "/tmp/umd-engine-XXXXXX";
static char log_path[200];
static struct node_wish wish = { .directory = directory, .uuid_byte = 0x44 };

/* ---- a log that changes under living nodes ---- */

static bool may_write(struct node *n)
{
	const char *line;

	node_tell(n, "may");
	line = node_expect(n, "may");
	return line && !strcmp(line, "may 1");
}

static void remove_log(struct node *b)
{
	unlink(log_path);
	ok(!may_write(b), "a node may not write from the moment on when its log has no name");
}

static void replace_log(struct node *b)
{
	char other[220];

	snprintf(other, sizeof other, "%s.other", log_path);
	ok(rename(log_path, other) == 0, "the log is called otherwise");
	close(open(log_path, O_RDWR | O_CREAT, 0600));
	unlink(other);
}

static void empty_log(struct node *b)
{
	ok(truncate(log_path, 0) == 0, "the log is emptied");
}

static void cut_log(struct node *b)
{
	struct stat st;

	ok(stat(log_path, &st) == 0 && truncate(log_path, st.st_size - 1) == 0, "the log loses its last byte");
}

static void cut_records(struct node *b)
{
	ok(truncate(log_path, 4096) == 0, "the log loses what everybody has read");
}

/* A record that one node has not read yet changes: what the others read was another one. */
static void change_unread(struct node *b)
{
	int fd = open(log_path, O_RDWR | O_CLOEXEC);
	uint8_t end[8];

	ok(pread(fd, end, sizeof end, 128) == sizeof end && pwrite(fd, "?", 1, (off_t)le_get(end, 8) - 1) == 1,
	   "the last byte of what it has not read changes");
	close(fd);
}

static void check_change(void (*change)(struct node *b), const char *wanted, bool while_stopped)
{
	struct node *a = node_join(&wish), *b = node_join(&wish);
	const char *line;

	node_expect(a, "config 2");
	ok(may_write(b), "while all is well a node may write");
	if (while_stopped) {
		node_stop(b);
		node_tell(a, "send word");
		node_expect(a, "message word");
	}
	change(b);
	if (while_stopped)
		kill(b->pid, SIGCONT);
	line = node_expect(b, "lost");
	ok(line && strstr(line, wanted) && strstr(line, log_path), "lost: %s", line ? line : "-");
	ok(!node_said(b, "message", 0), "and what is in the log is not heard");
	ok(!may_write(b), "it may not write");
	node_tell(b, "goodbye");
	node_end(b);
	node_kill(a);
	unlink(log_path);
}

static void check_end_of_head(void)
{
	struct node *a = node_join(&wish);
	int fd = open(log_path, O_RDWR | O_CLOEXEC);
	const char *line;
	uint8_t end[8];

	le_put(end, 8, 1ull << 40);
	ok(pwrite(fd, end, sizeof end, 128) == sizeof end, "the head tells of more than there is");
	close(fd);
	node_tell(a, "send word");
	line = node_expect(a, "lost");
	ok(line && strstr(line, "has lost its end"), "lost: %s", line ? line : "-");
	node_kill(a);
	unlink(log_path);
}

/* ---- what is refused ---- */

static void check_refused(const struct node_wish *w, const char *wanted, const char *what)
{
	struct node *n = node_start(w);
	const char *line = node_expect(n, "refused");

	ok(line && strstr(line, wanted), "%s: %s", what, line ? line : "it was not refused");
	waitpid(n->pid, NULL, 0);
	node_drop(n);
}

static void check_directories(void)
{
	struct node_wish w = wish;
	char path[200];

	w.directory = path;
	snprintf(path, sizeof path, "%s/none/cluster", directory);
	check_refused(&w, "cannot make", "a directory in none");
	snprintf(path, sizeof path, "%s/open", directory);
	mkdir(path, 0700);
	chmod(path, 0755);
	check_refused(&w, "mode 0700 is asked for", "a directory that others may enter");
	rmdir(path);
	snprintf(path, sizeof path, "%s/link", directory);
	if (symlink("/tmp", path) < 0)
		perror(path);
	check_refused(&w, "mode 0700 is asked for", "a symbolic link");
	unlink(path);
	close(open(path, O_RDWR | O_CREAT, 0700));
	check_refused(&w, "mode 0700 is asked for", "a file");
	unlink(path);
}

/* The head of a log as umd makes it, with some bytes changed. */
static void put_log(const uint8_t *head, size_t head_bytes, size_t at, uint8_t byte)
{
	int fd = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (pwrite(fd, head, head_bytes, 0) != (ssize_t)head_bytes || pwrite(fd, &byte, 1, (off_t)at) != 1)
		perror(log_path);
	close(fd);
}

static bool is_unchanged(const uint8_t *head, size_t at, uint8_t byte)
{
	uint8_t now[4096];
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, now, sizeof now, 0);

	close(fd);
	return n == sizeof now && now[at] == byte && !memcmp(now, head, at) &&
	       !memcmp(now + at + 1, head + at + 1, sizeof now - at - 1);
}

static void check_heads(void)
{
	static const struct { size_t at; const char *wanted, *what; } cases[] = {
		{ 0, "begins with other bytes", "a file that is no log" },
		{ 8, "not supported", "a log of another version" },
		{ 16, "another uuid", "a log of another array" },
		{ 32, "another cluster name", "a log of another cluster" },
	};
	struct node *n = node_join(&wish);
	uint8_t head[4096];
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);

	ok(pread(fd, head, sizeof head, 0) == sizeof head, "a log has a head");
	close(fd);
	node_kill(n);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put_log(head, sizeof head, cases[i].at, 99);
		check_refused(&wish, cases[i].wanted, cases[i].what);
		ok(is_unchanged(head, cases[i].at, 99), "%s: and stays as it is", cases[i].what);
	}
	put_log(head, 10, 0, 'u');
	check_refused(&wish, "begins with other bytes", "the beginning of a log");
	unlink(log_path);
	if (symlink("/etc/passwd", log_path) < 0)
		perror(log_path);
	check_refused(&wish, "cannot open", "a log that is a symbolic link");
	unlink(log_path);
	mkdir(log_path, 0700);
	check_refused(&wish, "cannot open", "a log that is a directory");
	rmdir(log_path);
}

/* What a power failure may leave: a length without content. */
static void check_zeroes(void)
{
	static const uint8_t zeroes[4096];
	struct node *n;

	put_log(zeroes, sizeof zeroes, 4095, 0);
	n = node_join(&wish);
	ok(!strcmp(n->lines[n->read_count - 1], "config 1"), "a log of zeroes is a new one");
	node_tell(n, "goodbye");
	node_end(n);
}

int main(void)
{
	node_directory(directory);
	snprintf(log_path, sizeof log_path, "%s/44444444444444444444444444444444.log", directory);
	check_change(remove_log, "is gone", false);
	check_change(replace_log, "is gone", false);
	check_change(empty_log, "has lost its end", false);
	check_change(cut_records, "has lost its end", false);
	check_change(cut_log, "does not say any more", true);
	check_change(change_unread, "does not say any more", true);
	check_end_of_head();
	check_directories();
	check_heads();
	check_zeroes();
	ok(rmdir(directory) == 0, "nothing is left behind");
	return tap_end();
}
