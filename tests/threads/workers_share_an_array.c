/* Goal:   many workers, the array's thread and the control socket use one running array without a race.
 * Method: eight threads write and read back their own regions while members fail, are removed and come back by
 *         command; then the array is stopped under load, and the two members are compared. Run under
 *         ThreadSanitizer by the test runner.
 * Law:    I2, I9, I12.
 * Source: design, section 5: the lock is never held across I/O; waiters sleep on their own request. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "umd/umd.h"

enum { WORKERS = 8, REGION = 1 << 20, BLOCK = 4096, ROUNDS = 300, MEMBER_BYTES = 32 << 20, DATA_OFFSET = 1 << 20 };

struct worker {
	struct umd_array *array;
	unsigned number, wrong, answered;
	pthread_t thread;
};

static atomic_bool must_end;

static uint64_t place(const struct worker *w, unsigned round)
{
	return (uint64_t)w->number * REGION + (round * 7919u % (REGION / BLOCK)) * BLOCK;
}

/* Writes what it can read back; after the stop every answer must be ESHUTDOWN. */
static void *work(void *opaque)
{
	struct worker *w = opaque;
	unsigned char out[BLOCK], in[BLOCK];

	for (unsigned round = 0; round < ROUNDS || !atomic_load(&must_end); round++) {
		uint64_t at = place(w, round);
		int rc;

		memset(out, (int)(w->number * 31 + round), sizeof out);
		rc = umd_array_write(w->array, out, sizeof out, at, round % 16 ? 0 : UMD_FUA);
		if (rc == 0 && round % 32 == 0)
			rc = umd_array_flush(w->array);
		if (rc == 0)
			rc = umd_array_read(w->array, in, sizeof in, at);
		if (rc == -ESHUTDOWN)
			return NULL;
		w->answered++;
		if (rc != 0 || memcmp(in, out, sizeof in))
			w->wrong++;
	}
	return NULL;
}

static int command(const char *name, const char *verb, const char *member)
{
	char request[512], *reply = NULL;
	struct umd_error error;
	int fd = strcmp(verb, "re-add") ? -1 : open(member, O_RDWR | O_CLOEXEC);
	int rc;

	snprintf(request, sizeof request, "{\"command\": \"%s\", \"member\": \"%s\"}", verb, member);
	rc = umd_control(name, request, fd, &reply, &error);
	if (rc < 0)
		printf("# %s %s: %s\n", verb, member, error.text);
	free(reply);
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool is_idle(struct umd_array *a)
{
	char *json = NULL;
	bool idle = umd_array_detail(a, &json) == 0 && strstr(json, "\"sync_action\":\"idle\"") != NULL;

	if (!idle && json && strstr(json, "\"sync_action\": \"idle\""))
		idle = true;
	free(json);
	return idle;
}

static bool data_is_equal(const char *one, const char *other)
{
	int a = open(one, O_RDONLY | O_CLOEXEC), b = open(other, O_RDONLY | O_CLOEXEC);
	static unsigned char x[REGION], y[REGION];
	bool equal = a >= 0 && b >= 0;

	for (off_t at = DATA_OFFSET; equal && at < MEMBER_BYTES; at += REGION)
		equal = pread(a, x, REGION, at) == REGION && pread(b, y, REGION, at) == REGION && !memcmp(x, y, REGION);
	close(a);
	close(b);
	return equal;
}

static void make_member(char *path, const char *dir, const char *leaf)
{
	int fd;

	snprintf(path, 128, "%s/%s", dir, leaf);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(fd >= 0 && ftruncate(fd, MEMBER_BYTES) == 0, "member %s is made", leaf);
	close(fd);
}

int main(void)
{
	char dir[] = "/tmp/umd-threads.XXXXXX", a[128], b[128];
	const char *members[] = { a, b };
	struct umd_create_options create = { .name = "threads", .bitmap_chunk_bytes = 65536, .assume_clean = true };
	struct umd_open_options options = { .safe_mode_delay_ms = 20 };
	struct worker workers[WORKERS];
	struct umd_array *array = NULL;
	struct umd_error error = { 0 };
	unsigned wrong = 0, answered = 0;

	ok(mkdtemp(dir) && setenv("UMD_RUNTIME_DIR", dir, 1) == 0, "a place of its own");
	make_member(a, dir, "a.img");
	make_member(b, dir, "b.img");
	if (!ok(umd_create(&create, members, 2, NULL, &error) == 0, "create %s", error.text) ||
	    !ok(umd_array_open(members, 2, &options, &array, &error) == 0, "open %s", error.text) ||
	    !ok(umd_array_start(array, &error) == 0, "start %s", error.text))
		return tap_end();

	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .array = array, .number = i };
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (unsigned round = 0; round < 5; round++) {
		ok(command("threads", "fail", b) == 0, "round %u: the second member is failed under load", round);
		ok(command("threads", "remove", b) == 0, "round %u: and removed", round);
		ok(command("threads", "re-add", b) == 0, "round %u: it comes back by the bitmap", round);
		while (!is_idle(array))
			usleep(1000);
	}
	umd_array_stop(array);
	atomic_store(&must_end, true);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
		answered += workers[i].answered;
	}
	ok(answered > WORKERS, "%u rounds were answered", answered);
	is_u64(wrong, 0, "every worker read what it wrote");
	ok(command("threads", "fail", b) < 0, "a stopped array changes no member, and says so at once");
	ok(umd_array_close(array) == 0, "the array closes");
	ok(data_is_equal(a, b), "the members are byte-equal");
	unlink(a);
	unlink(b);
	rmdir(dir);
	return tap_end();
}
