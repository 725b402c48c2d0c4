/* Goal:   two nodes of one array in one process, each with its threads, engine and control socket, run without a race.
 * Method: both serve the same two members; workers of each write and read back regions of their own, while others
 *         ask for details, watch, and members fail, leave and come back by commands on either node; one node is closed
 *         under load and joins again; at the end both are closed and the members compared. Run under ThreadSanitizer by
 *         the test runner.
 * Law:    C4, C6, I2, I9.
 * Source: design, sections 5 and 7. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "umd/umd.h"

enum { NODES = 2, WORKERS = 3, REGION = 1 << 20, BLOCK = 4096, MEMBER_BYTES = 16 << 20, DATA_OFFSET = 1 << 20 };
enum { ROUNDS = 3, WRITES = 60 };

static char dir[] = "/tmp/umd-threads.XXXXXX", a[128], b[128];
static const char *const names[NODES] = { "n1", "n2" };
static struct umd_array *nodes[NODES];
static atomic_bool is_over, is_away[NODES];
static atomic_uint done, wrong, asked;

struct worker {
	unsigned node, number;
	pthread_t thread;
};

/* ---- workers ---- */

static bool write_and_read(const struct worker *w, unsigned round)
{
	uint64_t at = (uint64_t)(w->node * WORKERS + w->number) * REGION + round % (REGION / BLOCK) * BLOCK;
	unsigned char out[BLOCK], in[BLOCK];
	int rc;

	memset(out, (int)(w->node * 100 + w->number * 10 + round), sizeof out);
	rc = umd_array_write(nodes[w->node], out, sizeof out, at, round % 16 ? 0 : UMD_FUA);
	if (rc == 0)
		rc = umd_array_read(nodes[w->node], in, sizeof in, at);
	if (rc == -ESHUTDOWN)
		return false;
	if (rc || memcmp(in, out, sizeof in))
		wrong++;
	done++;
	return true;
}

static void *work(void *opaque)
{
	struct worker *w = opaque;

	for (unsigned round = 0; !is_over && !is_away[w->node]; round++)
		if (!write_and_read(w, round))
			break;
	return NULL;
}

static void begin_work(struct worker workers[WORKERS], unsigned node)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .node = node, .number = i };
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
}

static void end_work(struct worker workers[WORKERS])
{
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
}

/* ---- commands ---- */

static int command(unsigned node, const char *what, const char *member)
{
	char name[64], request[512];
	int fd = strstr(what, "add") ? open(member, O_RDWR | O_CLOEXEC) : -1, rc;
	struct umd_error error = { 0 };
	char *reply = NULL;

	snprintf(name, sizeof name, "shared@%s", names[node]);
	snprintf(request, sizeof request, "{\"command\":\"%s\",\"member\":\"%s\"}", what, member);
	rc = umd_control(name, request, fd, &reply, &error);
	if (rc)
		printf("# %s on %s: %s\n", what, name, error.text);
	free(reply);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void *ask(void *opaque)
{
	const char *name = opaque;

	while (!is_over) {
		struct umd_error error;
		char *reply = NULL;

		if (umd_control(name, "{\"command\":\"detail\"}", -1, &reply, &error) == 0)
			asked++;
		free(reply);
		reply = NULL;
		umd_control(name, "{\"command\":\"watch\",\"timeout_ms\":5,"
			    "\"paths\":[{\"path\":\"cluster/events\"}]}", -1, &reply, &error);
		free(reply);
	}
	return NULL;
}

/* ---- nodes ---- */

static int join(unsigned node)
{
	struct umd_open_options options = { .cluster = "local", .node = names[node] };
	struct umd_error error = { 0 };
	int rc = umd_array_open((const char *const[]){ a, b }, 2, &options, &nodes[node], &error);

	if (rc == 0)
		rc = umd_array_start(nodes[node], &error);
	if (rc)
		printf("# %s: %s\n", names[node], error.text);
	return rc;
}

static int create(void)
{
	struct umd_create_options options = { .bitmap = "clustered", .nodes = 3, .name = "shared", .assume_clean = true,
					      .bitmap_chunk_bytes = 65536 };
	struct umd_error error;
	int fd;

	if (!mkdtemp(dir))
		return -errno;
	setenv("UMD_RUNTIME_DIR", dir, 1);
	setenv("UMD_STATE_DIR", dir, 1);
	snprintf(a, sizeof a, "%s/a.img", dir);
	snprintf(b, sizeof b, "%s/b.img", dir);
	for (int i = 0; i < 2; i++) {
		fd = open(i ? b : a, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, MEMBER_BYTES) < 0)
			return -errno;
		close(fd);
	}
	return umd_create(&options, (const char *const[]){ a, b }, 2, NULL, &error);
}

static void wait_for_writes(unsigned more)
{
	unsigned until = done + more;

	while (done < until)
		sched_yield();
}

/* It is in sync again, on that node. */
static void wait_until_whole(unsigned node)
{
	bool is_whole = false;

	while (!is_whole) {
		char *json = NULL;

		is_whole = umd_array_detail(nodes[node], &json) == 0 && strstr(json, "\"sync_action\":\"idle\"") &&
			   strstr(json, "\"degraded\":0,");
		free(json);
		sched_yield();
	}
}

/* One member fails, is removed and comes back; then the second node goes under load, and joins again. */
static void one_round(unsigned round, struct worker workers[NODES][WORKERS])
{
	unsigned first = round % NODES;

	is_u64(command(first, "fail", b), 0, "round %u: a member fails on %s", round, names[first]);
	wait_for_writes(WRITES);
	is_u64(command(!first, "remove", b), 0, "it is removed on the other");
	is_u64(command(first, "re-add", b), 0, "and comes back");
	wait_for_writes(WRITES);
	is_away[1] = true;
	umd_array_stop(nodes[1]);
	end_work(workers[1]);
	is_u64(umd_array_close(nodes[1]), 0, "a node leaves under load");
	wait_for_writes(WRITES);
	is_u64(join(1), 0, "and joins again");
	is_away[1] = false;
	begin_work(workers[1], 1);
	for (unsigned i = 0; i < NODES; i++)
		wait_until_whole(i);
}

static bool members_are_equal(void)
{
	int fds[2] = { open(a, O_RDONLY | O_CLOEXEC), open(b, O_RDONLY | O_CLOEXEC) };
	static unsigned char data[2][1 << 20];
	bool are = fds[0] >= 0 && fds[1] >= 0;

	for (off_t at = DATA_OFFSET; are && at < MEMBER_BYTES; at += (off_t)sizeof data[0]) {
		are = pread(fds[0], data[0], sizeof data[0], at) == (ssize_t)sizeof data[0] &&
		      pread(fds[1], data[1], sizeof data[1], at) == (ssize_t)sizeof data[1] &&
		      !memcmp(data[0], data[1], sizeof data[0]);
	}
	close(fds[0]);
	close(fds[1]);
	return are;
}

static void clean_up(void)
{
	char line[256];

	snprintf(line, sizeof line, "rm -rf %s", dir);
	if (system(line))
		printf("# %s is left\n", dir);
}

int main(void)
{
	struct worker workers[NODES][WORKERS];
	pthread_t askers[NODES];

	if (create() || join(0) || join(1)) {
		printf("Bail out! the nodes do not start\n");
		return 1;
	}
	for (unsigned i = 0; i < NODES; i++) {
		pthread_create(&askers[i], NULL, ask, (void *)(uintptr_t)(i ? "shared@n2" : "shared@n1"));
		begin_work(workers[i], i);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		one_round(round, workers);
	is_over = true;
	for (unsigned i = 0; i < NODES; i++) {
		end_work(workers[i]);
		pthread_join(askers[i], NULL);
	}
	is_u64(umd_array_close(nodes[1]), 0, "the second node leaves");
	is_u64(umd_array_close(nodes[0]), 0, "the first one leaves");
	is_u64(wrong, 0, "%u writes were read back", done);
	ok(asked > 0, "%u times somebody looked", asked);
	ok(members_are_equal(), "the members are equal");
	clean_up();
	return tap_end();
}
