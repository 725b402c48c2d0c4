/* Goal: a node that dies at any moment, also in the middle of what it writes, leaves the group once, at the same place
 *       of the order for everybody; what it had written whole is heard by all, what it had not by nobody.
 * Method: 40 rounds: four processes write, one of them is killed after a while that is drawn; survivors compare hashes
 *         of what they heard; another one joins. Then a process that dies with the right to append and part of a record
 *         written, cut at every kind of place. Then all die at once.
 * Law: C3 and C6, which rest on one order for everybody.
 * Source: design section 7: a torn tail is cut by the next holder; a death is a lock that can be had. */
#include <sys/socket.h>
#include <sys/un.h>

#include "base/le.h"
#include "base/prng.h"
#include "engine/engine_local.h"
#include "tap.h"

#include "node.h"

enum { NODES = 4, ROUNDS = 40, EACH = 150 };

static char directory[] = "/tmp/umd-engine-XXXXXX";
static struct node_wish wish = { .directory = directory, .uuid_byte = 0x33 };
static struct prng chance;

static bool is_next_config(struct node *n, const char *wanted)
{
	const char *line = node_expect(n, "config");

	return line && !strcmp(line, wanted);
}

static bool agree(struct node **nodes, int victim)
{
	const char *first = NULL, *sum;
	bool is_same = true;

	for (int i = 0; i < NODES; i++) {
		if (i == victim)
			continue;
		node_tell(nodes[i], "sum");
		sum = node_expect(nodes[i], "seen");
		if (!first)
			first = sum;
		is_same = is_same && sum && !strcmp(sum, first);
	}
	return is_same;
}

/* Every survivor says a last word; who has heard them all has heard all that was said before. */
static bool wait_for_last_words(struct node **nodes, int victim)
{
	bool are_all_heard = true;

	for (int i = 0; i < NODES; i++)
		if (i != victim)
			node_tell(nodes[i], "send last");
	for (int i = 0; i < NODES; i++)
		for (int word = 0; i != victim && word < NODES - 1; word++)
			are_all_heard = node_expect(nodes[i], "message last") && are_all_heard;
	return are_all_heard;
}

static void run_for(uint64_t microseconds)
{
	struct timespec t = { .tv_nsec = (long)microseconds * 1000 };

	nanosleep(&t, NULL);
}

static void check_round(struct node **nodes, int round)
{
	int victim = (int)prng_below(&chance, NODES);
	bool is_right = true;

	node_tell(nodes[0], "send zero");
	for (int i = 0; i < NODES; i++)
		is_right = node_expect(nodes[i], "message zero") && is_right;
	for (int i = 0; i < NODES; i++)
		node_tell(nodes[i], "flood %d", EACH);
	run_for(prng_below(&chance, 4000));
	node_kill(nodes[victim]);
	for (int i = 0; i < NODES; i++)
		is_right = (i == victim || is_next_config(nodes[i], "config 3")) && is_right;
	ok(is_right, "round %d: node %d is killed, and each survivor hears of three", round, victim);
	ok(wait_for_last_words(nodes, victim) && agree(nodes, victim), "round %d: they heard the same", round);
	nodes[victim] = node_join(&wish);
	for (int i = 0; i < NODES; i++)
		is_right = (i == victim || is_next_config(nodes[i], "config 4")) && is_right;
	ok(is_right, "round %d: the next they hear of is that there are four", round);
}

/* ---- a death in the middle of an append ---- */

static int open_log(void)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%032d.log", directory, 0);
	for (int i = 0; i < 32; i++)
		path[strlen(directory) + 1 + (size_t)i] = '3';
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Write the first @bytes of what would be the next record and die with the right to append. */
static void die_appending(struct engine_record record, uint32_t bytes)
{
	struct flock append = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
				.l_start = (off_t)(MBR_CLUSTER_LOCKS_AT + ENGINE_BYTE_APPEND), .l_len = 1 };
	uint8_t raw[ENGINE_RECORD_BYTES_MAX], end[16];
	int fd = open_log();

	if (fd < 0 || fcntl(fd, F_OFD_SETLKW, &append) < 0 || pread(fd, end, sizeof end, 128) != sizeof end)
		_exit(5);
	record.seq = le_get(end + 8, 8);
	engine_record_encode(&record, raw);
	if (pwrite(fd, raw, bytes, (off_t)le_get(end, 8)) != bytes)
		_exit(6);
	kill(getpid(), SIGKILL);
}

static bool is_cut_at_its_end(void)
{
	int fd = open_log();
	struct stat st;
	uint8_t end[8];
	bool is_so = pread(fd, end, sizeof end, 128) == sizeof end && fstat(fd, &st) == 0 &&
		     (uint64_t)st.st_size == le_get(end, 8);

	close(fd);
	return is_so;
}

static void die(const struct engine_record *record, uint32_t bytes, uint32_t whole_bytes)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		die_appending(*record, bytes);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status), "somebody dies after %u bytes of %u", bytes, whole_bytes);
}

static void check_torn(struct node **nodes, uint32_t bytes, uint32_t whole_bytes)
{
	struct engine_record ghost = { .kind = ENGINE_R_MESSAGE, .node_id = 77, .len_bytes = 205, .data = "ghost" };

	die(&ghost, bytes, whole_bytes);
	node_tell(nodes[1], "send after-%u", bytes);
	if (bytes < whole_bytes)
		ok(node_expect(nodes[1], "note") != NULL, "the next who appends says that they were cut off");
	for (int i = 0; i < NODES; i++) {
		const char *line = node_expect(nodes[i], "message");

		if (bytes == whole_bytes) {
			ok(line && !strncmp(line, "message ghost", 13), "node %d hears the record that was whole", i);
			line = node_expect(nodes[i], "message");
		}
		ok(line && !strncmp(line, "message after", 13), "node %d hears what came next: %s", i,
		   line ? line : "-");
	}
	ok(is_cut_at_its_end(), "the log ends where its head says");
}

/* What a death between a burial and the entry in the table leads to: buried once more. */
static void check_buried_before(struct node **nodes)
{
	struct engine_record died = { .kind = ENGINE_R_DIED, .index = 100, .node_id = 77 };

	die(&died, ENGINE_RECORD_HEAD_BYTES, ENGINE_RECORD_HEAD_BYTES);
	node_tell(nodes[0], "send thereafter");
	for (int i = 0; i < NODES; i++) {
		uint32_t before = nodes[i]->read_count;

		ok(node_expect(nodes[i], "message thereafter") && nodes[i]->read_count == before + 1,
		   "node %d hears nothing of the burial of one who was no member", i);
	}
}

/* Somebody holds a connection to every node and is none: a missing one cannot be told from their number. */
static void check_stranger(struct node **nodes)
{
	int strangers[NODES];
	bool is_right = true;

	for (int i = 0; i < NODES; i++) {
		struct sockaddr_un a = { .sun_family = AF_UNIX };

		snprintf(a.sun_path, sizeof a.sun_path, "%s/33333333333333333333333333333333.log.%d", directory, i);
		strangers[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		is_right = connect(strangers[i], (struct sockaddr *)&a, sizeof a) == 0 && is_right;
	}
	ok(is_right, "a stranger reaches all sockets");
	node_tell(nodes[0], "send heard");
	for (int i = 0; i < NODES; i++)
		node_expect(nodes[i], "message heard");
	node_kill(nodes[3]);
	for (int i = 0; i < NODES - 1; i++)
		ok(is_next_config(nodes[i], "config 3"), "node %d hears of a death all the same", i);
	for (int i = 0; i < NODES; i++)
		close(strangers[i]);
	nodes[3] = node_join(&wish);
}

static void check_all_die(struct node **nodes)
{
	struct node *n;

	for (int i = 0; i < NODES; i++)
		node_kill(nodes[i]);
	n = node_join(&wish);
	ok(!strcmp(n->lines[n->read_count - 1], "config 1"), "after the death of all, the next one is alone");
	node_tell(n, "send alone");
	ok(node_expect(n, "message alone") && n->line_count == 3, "and hears nothing of old: %u lines", n->line_count);
	node_tell(n, "goodbye");
	node_end(n);
}

int main(void)
{
	static const uint32_t cuts[] = { 1, 4, 39, 40, 244, 245 };
	struct node *nodes[NODES];

	node_directory(directory);
	chance = prng_seed(6);
	for (int i = 0; i < NODES; i++)
		nodes[i] = node_join(&wish);
	for (int i = 0; i < NODES - 1; i++)
		ok(node_expect(nodes[i], "config 4") != NULL, "node %d knows of four", i);
	for (int round = 0; round < ROUNDS; round++)
		check_round(nodes, round);
	for (uint32_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
		check_torn(nodes, cuts[i], 245);
	check_buried_before(nodes);
	check_stranger(nodes);
	check_all_die(nodes);
	ok(rmdir(directory) == 0, "nothing is left behind");
	return tap_end();
}
