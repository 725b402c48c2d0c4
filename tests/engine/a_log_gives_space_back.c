/* Goal: a group that lives for long does not fill the file system with its log, and what one node has not read stays.
 * Method: three nodes send 2 KiB messages, 12 MiB in all, while one of them is stopped by a signal; it goes on, and
 *         hears what the others heard; then 16 MiB more, and the file's blocks are counted.
 * Law: C3 and C6, which rest on one order for everybody.
 * Source: the run-time directory is mostly a file system in memory. */
#include "tap.h"

#include "node.h"

enum { NODES = 3, EACH = 3000, LAST = 2300, MIB = 1 << 20 };

static char directory[] = "/tmp/umd-engine-XXXXXX";
static struct node_wish wish = { .directory = directory, .uuid_byte = 0x55 };

static struct stat look(void)
{
	char path[200];
	struct stat st = { 0 };

	snprintf(path, sizeof path, "%s/55555555555555555555555555555555.log", directory);
	stat(path, &st);
	return st;
}

static const char *wait_until(struct node *n, int count)
{
	node_tell(n, "until %d", count);
	return node_expect(n, "seen");
}

int main(void)
{
	struct node *nodes[NODES];
	const char *heard, *slept;
	struct stat st;

	node_directory(directory);
	for (int i = 0; i < NODES; i++)
		nodes[i] = node_join(&wish);
	node_stop(nodes[2]);
	for (int i = 0; i < 2; i++)
		node_tell(nodes[i], "bulk %d", EACH);
	heard = wait_until(nodes[0], 2 * EACH);
	st = look();
	ok(st.st_size > 11 * MIB && st.st_blocks * 512ll >= st.st_size,
	   "one sleeps: all that was said stays: %lld bytes", (long long)st.st_size);
	kill(nodes[2]->pid, SIGCONT);
	slept = wait_until(nodes[2], 2 * EACH);
	ok(heard && slept && !strcmp(heard, slept), "it goes on, and hears what the others heard: %s",
	   slept ? slept : "-");
	for (int i = 0; i < 2; i++)
		node_tell(nodes[i], "bulk %d", EACH);
	heard = wait_until(nodes[0], 4 * EACH);
	wait_until(nodes[1], 4 * EACH);
	slept = wait_until(nodes[2], 4 * EACH);
	ok(heard && slept && !strcmp(heard, slept), "and goes on hearing the same: %s", slept ? slept : "-");
	node_tell(nodes[0], "bulk %d", LAST);
	wait_until(nodes[0], 4 * EACH + LAST);
	st = look();
	ok(st.st_size > 28 * MIB && st.st_blocks * 512ll < 12 * MIB,
	   "what all have read is given back: %lld of %lld bytes", (long long)st.st_blocks * 512,
	   (long long)st.st_size);
	for (int i = 0; i < NODES; i++) {
		node_tell(nodes[i], "goodbye");
		node_end(nodes[i]);
	}
	ok(rmdir(directory) == 0, "nothing is left behind");
	return tap_end();
}
