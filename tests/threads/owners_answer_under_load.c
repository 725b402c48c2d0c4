/* Goal:   an array whose owner answers by attributes runs, fails, recovers, stops and runs again without a race.
 * Method: four clients write and read back their own regions; an owner's thread watches and answers; two more only
 *         watch. Meanwhile a member fails, is taken out and comes back by attributes, the array is stopped and started,
 *         cleared and set up anew; at the end the server is closed under load. Run under ThreadSanitizer by the test
 *         runner.
 * Law:    I2, I9, I10.
 * Source: design, sections 5 and 6. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "umd/umd.h"

enum { CLIENTS = 4, REGION = 1 << 20, BLOCK = 4096, MEMBER_BYTES = 12 << 20, ROUNDS = 3, WRITES = 40 };

static struct umd_array *array;
static char dir[] = "/tmp/umd-threads.XXXXXX", a[128], b[128];
static atomic_bool may_write, is_over;
static atomic_uint done, wrong, woken, away;

/* ---- attributes ---- */

static int call(const char *request, int fd, char **ret_reply)
{
	struct umd_error error = { 0 };
	char *reply = NULL;
	int rc = umd_control("owned", request, fd, &reply, &error);

	if (ret_reply && rc == 0)
		*ret_reply = reply;
	else
		free(reply);
	return rc == 0 ? 0 : -error.errno_class;
}

static int set(const char *path, const char *value)
{
	char request[512];
	int fd = strcmp(path, "new_dev") ? -1 : open(value, O_RDWR | O_CLOEXEC), rc;

	snprintf(request, sizeof request, "{\"command\":\"set\",\"path\":\"%s\",\"value\":\"%s\"}", path, value);
	rc = call(request, fd, NULL);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Does the attribute begin with @word? */
static bool is(const char *path, const char *word)
{
	char request[256], wanted[64], *reply = NULL;
	bool is_so;

	snprintf(request, sizeof request, "{\"command\":\"get\",\"path\":\"%s\"}", path);
	snprintf(wanted, sizeof wanted, "\"value\":\"%s", word);
	is_so = call(request, -1, &reply) == 0 && strstr(reply, wanted);
	free(reply);
	return is_so;
}

static void wait_for(const char *path, const char *word)
{
	while (!is(path, word) && !is_over)
		sched_yield();
}

/* Answered at the next notice of any of these, or soon. */
static void watch_once(void)
{
	if (call("{\"command\":\"watch\",\"timeout_ms\":20,\"tree\":0,\"paths\":[{\"path\":\"array_state\"},"
		 "{\"path\":\"dev-b.img/state\"}]}", -1, NULL) == 0)
		woken++;
}

static void *watch(void *opaque)
{
	while (!is_over)
		watch_once();
	return NULL;
}

static void *own(void *opaque)
{
	while (!is_over) {
		if (is("array_state", "write-pending"))
			set("array_state", "active");
		if (is("dev-b.img/state", "faulty,blocked"))
			set("dev-b.img/state", "-blocked");
		if (is("array_state", "active-idle"))
			set("array_state", "clean");	/* refused when a write came first */
		watch_once();
	}
	return NULL;
}

/* ---- clients ---- */

static bool write_and_read(uint64_t at, int word)
{
	unsigned char out[BLOCK], in[BLOCK];
	int rc;

	memset(out, word, sizeof out);
	rc = umd_array_write(array, out, sizeof out, at, word % 16 ? 0 : UMD_FUA);
	if (rc == 0)
		rc = umd_array_read(array, in, sizeof in, at);
	if (rc == -ESHUTDOWN)
		return false;
	if (rc || memcmp(in, out, sizeof in))
		wrong++;
	done++;
	return true;
}

static void *work(void *opaque)
{
	uint64_t region = (uint64_t)(uintptr_t)opaque * REGION;

	for (unsigned n = 0; !is_over;) {
		if (!may_write || umd_array_attach(array) < 0) {
			sched_yield();
			continue;
		}
		away--;
		while (may_write && write_and_read(region + n * 7919 % (REGION / BLOCK) * BLOCK, (int)n & 0xff))
			n++;
		umd_array_detach(array);
		away++;
	}
	return NULL;
}

static void let_them_write(unsigned count)
{
	unsigned until = done + count;

	while (done < until)
		sched_yield();
}

/* Nobody has the array open when it returns. */
static void send_them_away(void)
{
	may_write = false;
	while (away < CLIENTS)
		sched_yield();
}

/* ---- the life of the array ---- */

static void bind(const char *path, const char *leaf, const char *slot, bool is_back)
{
	char folder[64];

	ok(set("new_dev", path) == 0, "%s is bound", leaf);
	snprintf(folder, sizeof folder, "dev-%s/offset", leaf);
	set(folder, "4096");
	snprintf(folder, sizeof folder, "dev-%s/size", leaf);
	set(folder, "8192");
	snprintf(folder, sizeof folder, "dev-%s/state", leaf);
	if (is_back)
		ok(set(folder, "insync") == 0, "as current up to the bitmap");
	snprintf(folder, sizeof folder, "dev-%s/slot", leaf);
	ok(set(folder, slot) == 0, "in slot %s", slot);
}

static void set_up(void)
{
	static const char *const steps[][2] = {
		{ "resync_start", "none" }, { "bitmap/metadata", "external" }, { "bitmap/chunksize", "65536" },
		{ "bitmap/time_base", "0.02" }, { "bitmap/location", "+8" }, { "array_state", "active" },
		{ "safe_mode_delay", "0.02" },
	};

	set("metadata_version", "external:test");
	set("level", "raid1");
	set("raid_disks", "2");
	set("component_size", "8192");
	bind(a, "a.img", "0", false);
	bind(b, "b.img", "1", false);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		ok(set(steps[i][0], steps[i][1]) == 0, "%s: %s", steps[i][0], steps[i][1]);
}

static void lose_and_regain(void)
{
	ok(set("dev-b.img/state", "faulty") == 0, "a member fails under load");
	wait_for("dev-b.img/slot", "none");
	let_them_write(WRITES);
	ok(set("dev-b.img/state", "remove") == 0, "and is taken out");
	bind(b, "b.img", "1", true);
	ok(set("sync_action", "recover") == 0, "it comes back");
	wait_for("degraded", "0");
	ok(set("bitmap/can_clear", "true") == 0, "bits may go again");
}

static bool data_is_equal(void)
{
	static unsigned char x[8 << 20], y[8 << 20];
	int one = open(a, O_RDONLY | O_CLOEXEC), other = open(b, O_RDONLY | O_CLOEXEC);
	bool equal = pread(one, x, sizeof x, 4096 * 512) == sizeof x &&
		     pread(other, y, sizeof y, 4096 * 512) == sizeof y && !memcmp(x, y, sizeof x);

	close(one);
	close(other);
	return equal;
}

static void live(void)
{
	set_up();
	may_write = true;
	let_them_write(WRITES);
	ok(set("array_state", "clear") == -EBUSY, "what clients have open is not cleared");
	lose_and_regain();
	let_them_write(WRITES);
	send_them_away();
	ok(set("array_state", "inactive") == 0 && is("array_state", "inactive"), "it is stopped");
	ok(data_is_equal(), "the members are equal");
	ok(set("array_state", "active") == 0, "and started again");
	may_write = true;
	let_them_write(WRITES);
	send_them_away();
	ok(set("array_state", "clear") == 0 && is("array_state", "clear"), "and cleared");
}

static void make_member(char *path, const char *leaf)
{
	int fd;

	snprintf(path, 128, "%s/%s", dir, leaf);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(fd >= 0 && ftruncate(fd, MEMBER_BYTES) == 0, "member %s is made", leaf);
	close(fd);
}

int main(void)
{
	struct umd_open_options options = { .name = "owned", .inactive = true };
	pthread_t threads[CLIENTS + 3];
	struct umd_error error = { 0 };

	ok(mkdtemp(dir) && setenv("UMD_RUNTIME_DIR", dir, 1) == 0, "a place of its own");
	make_member(a, "a.img");
	make_member(b, "b.img");
	if (!ok(umd_array_open(NULL, 0, &options, &array, &error) == 0, "open %s", error.text) ||
	    !ok(umd_array_start(array, &error) == 0, "start %s", error.text))
		return tap_end();
	away = CLIENTS;
	for (uintptr_t i = 0; i < CLIENTS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	pthread_create(&threads[CLIENTS], NULL, own, NULL);
	pthread_create(&threads[CLIENTS + 1], NULL, watch, NULL);
	pthread_create(&threads[CLIENTS + 2], NULL, watch, NULL);
	for (unsigned round = 0; round < ROUNDS; round++)
		live();

	set_up();
	may_write = true;
	let_them_write(WRITES);
	umd_array_stop(array);
	is_over = true;
	for (unsigned i = 0; i < CLIENTS + 3; i++)
		pthread_join(threads[i], NULL);
	is_u64(wrong, 0, "every client read what it wrote");
	ok(woken > 0, "who watched was woken");
	ok(set("array_state", "active") < 0 && umd_array_attach(array) == -ESHUTDOWN, "after the stop nothing begins");
	ok(umd_array_close(array) == 0, "the server closes");
	ok(data_is_equal(), "the members are equal");
	unlink(a);
	unlink(b);
	rmdir(dir);
	return tap_end();
}
