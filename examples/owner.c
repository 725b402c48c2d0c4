/* A small owner of a mirror's metadata: umd-owner METADATA.json TREE
 *
 * The array runs in a server (umd serve --inactive --tree) and has no superblocks. What a superblock would remember is
 * kept here, in a JSON file. All that this program knows of the array it reads in files below TREE, and all that it
 * orders it writes into them. It may be killed at any moment and started again; so may the server.
 *
 * What is remembered, and when a word of it changes:
 *
 *	"is_dirty"      members may differ in chunks whose bits are set, although nobody has failed
 *	"in sync"       the member has everything
 *	"behind"        it lacks what was written since it left: the bits tell what, and they stay while it is away
 *	"empty"         nothing on it counts
 *
 *	in sync --failed--> behind --the chunks that the bits tell are copied--> in sync
 *	                    empty  --everything is copied----------------------> in sync
 *
 * One rule orders everything: RECORD, THEN ANSWER. The array waits for the answer, so at every moment the file tells at
 * least as much trouble as there is. A clean array that is called dirty costs some copying, a dirty one called clean
 * costs data.
 *
 *	the tree shows              what is recorded    the answer
 *	array_state write-pending   dirty               active: now the client's write goes on
 *	dev-X/state faulty,blocked  X is behind         -blocked: now it goes on without X; then remove
 *	array_state active-idle                         clean (EBUSY when a write was faster)
 *	array_state clean           not dirty           none: a write would wait for us again
 *	dev-X/state in_sync         X is in sync        active, as for a write
 *	bitmap/can_clear false                          true, once every member is recorded to be in sync
 *
 * Each round reads the tree anew and does what is missing, so it does not matter how far an owner before us had come.
 *
 * Left out: several arrays, spares, bad blocks, and policy. Members that are not in sync get a chance when the owner
 * starts and at SIGHUP. When somebody else stops the array (clear, inactive) the owner lets go of it and ends. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* An attribute that was opened and read. As long as it is open, poll tells whether it changed since. */
struct file {
	char name[NAME_MAX + 16];
	int fd;			/* -1: there is no such file */
	char text[64];
};

struct member {
	struct json_object *json;
	const char *path, *name;
	struct file *state, *slot;
	bool may_try;
};

enum { ARRAY_STATE, RESYNC_START, SYNC_ACTION, DEGRADED, CAN_CLEAR, MEMBERS, MEMBERS_MAX = 16 };

static const char *metadata_path, *tree;
static struct json_object *metadata;
static struct member members[MEMBERS_MAX];
static size_t member_count, file_count = MEMBERS;
static struct file files[MEMBERS + 2 * MEMBERS_MAX] = {
	{ .name = "array_state" }, { .name = "resync_start" }, { .name = "sync_action" }, { .name = "degraded" },
	{ .name = "bitmap/can_clear" },
};
static bool was_running;
static volatile sig_atomic_t is_asked_to_try;

__attribute__((format(printf, 1, 2), noreturn))
static void give_up(const char *format, ...)
{
	va_list args;

	fputs("umd-owner: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- the record ---- */

static struct json_object *field(struct json_object *in, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(in, name, &value))
		give_up("%s has no \"%s\"", metadata_path, name);
	return value;
}

static const char *text_of(struct json_object *in, const char *name)
{
	return json_object_get_string(field(in, name));
}

static bool is_dirty(void)
{
	return json_object_get_boolean(field(metadata, "is_dirty"));
}

static bool is_called(const struct member *m, const char *status)
{
	return !strcmp(text_of(m->json, "status"), status);
}

static bool is_whole(void)
{
	for (size_t i = 0; i < member_count; i++)
		if (!is_called(&members[i], "in sync"))
			return false;
	return true;
}

/* The old record or the new one, never half of one; and when this returns, the new one, come what may. An owner
 * that cannot record must not answer. */
static void save(void)
{
	const char *text = json_object_to_json_string_ext(metadata, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	char fresh[PATH_MAX], copy[PATH_MAX];
	ssize_t len = (ssize_t)strlen(text);
	int fd, folder;

	snprintf(fresh, sizeof fresh, "%s.new", metadata_path);
	snprintf(copy, sizeof copy, "%s", metadata_path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || folder < 0 || write(fd, text, (size_t)len) != len || fsync(fd) < 0 ||
	    rename(fresh, metadata_path) < 0 || fsync(folder) < 0)
		give_up("cannot record in %s: %s; nothing is answered", metadata_path, strerror(errno));
	close(fd);
	close(folder);
}

static struct file *new_file(const char *folder, const char *name)
{
	struct file *f = &files[file_count++];

	snprintf(f->name, sizeof f->name, "dev-%s/%s", folder, name);
	return f;
}

static void load_member(struct member *m, struct json_object *json)
{
	m->json = json;
	m->path = text_of(json, "path");
	if (m->path[0] != '/')
		give_up("the server does not know where \"%s\" is: a path must begin with /", m->path);
	m->name = strrchr(m->path, '/') + 1;
	m->state = new_file(m->name, "state");
	m->slot = new_file(m->name, "slot");
	m->may_try = true;
}

/* Two owners would undo each other's record. The lock goes with the process, however it ends. */
static void load(const char *path)
{
	char lock[PATH_MAX];
	int fd;

	metadata_path = realpath(path, NULL);
	if (!metadata_path)
		give_up("cannot find %s: %s", path, strerror(errno));
	snprintf(lock, sizeof lock, "%s.lock", metadata_path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		give_up("cannot have %s alone: %s", lock, strerror(errno));
	metadata = json_object_from_file(metadata_path);
	if (!metadata)
		give_up("cannot understand %s: %s", metadata_path, json_util_get_last_err());
	member_count = json_object_array_length(field(metadata, "members"));
	if (member_count > MEMBERS_MAX)
		give_up("%s has %zu members, more than %d", metadata_path, member_count, MEMBERS_MAX);
	for (size_t i = 0; i < member_count; i++)
		load_member(&members[i], json_object_array_get_idx(field(metadata, "members"), i));
}

/* ---- the tree ---- */

static int open_in_tree(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", tree, name);
	return open(path, flags | O_CLOEXEC);
}

static void forget(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->text[0] = '\0';
}

static int reread(struct file *f)
{
	ssize_t len = pread(f->fd, f->text, sizeof f->text - 1, 0);

	f->text[len > 0 ? len : 0] = '\0';
	f->text[strcspn(f->text, "\n")] = '\0';
	return len < 0 ? -errno : 0;
}

/* Read first, poll later: poll tells of what changed after the read. */
static int look_at(struct file *f)
{
	forget(f);
	f->fd = open_in_tree(f->name, O_RDONLY);
	if (f->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return reread(f);
}

/* A server that dies takes its tree along, and what is left looks like an array without members. So the file that was
 * opened first must answer still when all others have been read: then they were of one tree. And it must be the tree
 * whose array ran, not a new server's: each mount has a device number of its own, as long as a file of it is open. */
static int look(void)
{
	static dev_t device;
	struct stat st;

	for (size_t i = 0; i < file_count; i++) {
		int rc = look_at(&files[i]);

		if (rc < 0)
			return rc;
		if (i != ARRAY_STATE || files[i].fd < 0)
			continue;
		if (fstat(files[i].fd, &st) < 0 || (was_running && st.st_dev != device))
			return -ESTALE;
		device = st.st_dev;
	}
	return files[ARRAY_STATE].fd < 0 ? -ENOENT : reread(&files[ARRAY_STATE]);
}

/* Also when another tree stands in the place of the one that was looked at last: its array is not the one that ran. */
static bool is_gone(void)
{
	return files[ARRAY_STATE].fd >= 0 && reread(&files[ARRAY_STATE]) < 0;
}

static bool array_is(const char *state)
{
	return !strcmp(files[ARRAY_STATE].text, state);
}

/* A member's state is a list: "faulty,blocked". */
static bool has(const struct file *f, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = f->text; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && !strncmp(at, word, len))
			return true;
	return false;
}

/* A value, all of it in one write: that is an order. Returns 0 or a negative errno, what the array thinks of it. */
static int order(const char *name, const char *value)
{
	int fd = open_in_tree(name, O_WRONLY);
	int rc = fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* One of several orders that make sense only when those before were taken: @rc says when one was not. */
__attribute__((format(printf, 3, 4)))
static void next_order(int *rc, const char *name, const char *format, ...)
{
	char value[PATH_MAX];
	va_list args;

	if (*rc < 0)
		return;
	va_start(args, format);
	vsnprintf(value, sizeof value, format, args);
	va_end(args);
	*rc = order(name, value);
	if (*rc < 0)
		printf("%s is not taken for %s: %s\n", value, name, strerror(-*rc));
}

/* ---- setting the array up ---- */

/* "insync" before the slot says: the member has everything but what the bits tell. The slot alone says that it has
 * everything, in an array that does not run yet; in one that runs, that it has nothing. */
static void bind_member(int *rc, const struct member *m)
{
	char offset[PATH_MAX], size[PATH_MAX];

	snprintf(offset, sizeof offset, "dev-%s/offset", m->name);
	snprintf(size, sizeof size, "dev-%s/size", m->name);
	next_order(rc, "new_dev", "%s", m->path);
	/* The offset before the size: afterwards it is EBUSY. */
	next_order(rc, offset, "%s", text_of(metadata, "data_offset_sectors"));
	next_order(rc, size, "%s", text_of(metadata, "component_kib"));
	if (is_called(m, "behind"))
		next_order(rc, m->state->name, "insync");
	next_order(rc, m->slot->name, "%zu", (size_t)(m - members));
}

/* No superblock says whose the bits are: they are believed as they lie there. Chunk and period before the place. */
static void set_bitmap(int *rc)
{
	struct json_object *bitmap = field(metadata, "bitmap");

	next_order(rc, "bitmap/metadata", "external");
	next_order(rc, "bitmap/chunksize", "%s", text_of(bitmap, "chunk_bytes"));
	next_order(rc, "bitmap/time_base", "%s", text_of(bitmap, "time_base_s"));
	next_order(rc, "bitmap/location", "+%s", text_of(bitmap, "location_sectors"));
}

/* From 0 on, every chunk with a set bit counts as unequal; with "none" the bits would be taken for settled. Members
 * that are away are owed what the bits say, so they are believed then, too. Only members in sync are bound now. */
static int set_up(void)
{
	int rc = 0;

	if (!array_is("clear"))		/* what an owner before us left when it was killed */
		next_order(&rc, "array_state", "clear");
	next_order(&rc, "metadata_version", "external:%s", text_of(metadata, "name"));
	next_order(&rc, "level", "raid1");
	next_order(&rc, "raid_disks", "%zu", member_count);
	next_order(&rc, "component_size", "%s", text_of(metadata, "component_kib"));
	next_order(&rc, "resync_start", is_whole() && !is_dirty() ? "none" : "0");
	for (size_t i = 0; i < member_count; i++)
		if (is_called(&members[i], "in sync"))
			bind_member(&rc, &members[i]);
	set_bitmap(&rc);
	next_order(&rc, "array_state", "active");
	return rc;
}

static void start(void)
{
	if (set_up() == 0)
		printf("started: %s, %s\n", is_dirty() ? "dirty" : "clean", is_whole() ? "whole" : "degraded");
	else if (!is_gone())
		give_up("the array does not start");
}

/* ---- recording ---- */

static bool record_status(struct member *m, const char *status)
{
	if (is_called(m, status))
		return false;
	json_object_object_add(m->json, "status", json_object_new_string(status));
	printf("%s is %s\n", m->name, status);
	return true;
}

/* In sync without a slot is our own promise (bind_member), nothing that happened. */
static bool record_member(struct member *m)
{
	if (has(m->state, "in_sync") && !has(m->slot, "none"))
		return record_status(m, "in sync");
	if (!is_called(m, "in sync") || (m->state->fd >= 0 && !has(m->state, "faulty")))
		return false;
	m->may_try = false;	/* it has just failed */
	return record_status(m, "behind");
}

static bool record_dirty(bool value)
{
	if (is_dirty() == value)
		return false;
	json_object_object_add(metadata, "is_dirty", json_object_new_boolean(value));
	puts(value ? "dirty" : "clean");
	return true;
}

/* An array is clean when it says so and owes nobody a resync. A read-only one stays what it was. */
static void record(void)
{
	bool is_changed = false;

	for (size_t i = 0; i < member_count; i++)
		is_changed |= record_member(&members[i]);
	if (array_is("clean"))
		is_changed |= has(&files[RESYNC_START], "none") && record_dirty(false);
	else if (!array_is("readonly") && !array_is("read-auto"))
		is_changed |= record_dirty(true);
	if (is_changed)
		save();
}

/* ---- answering ---- */

/* A member that somebody holds back without a failure stays so: it could fail just now, and -blocked would tell that it
 * is recorded. EBUSY is an answer, too: a member that is still in use is removed in a
 * later round. */
static void answer(void)
{
	for (size_t i = 0; i < member_count; i++) {
		if (!has(members[i].state, "faulty"))
			continue;
		if (has(members[i].state, "blocked"))
			order(members[i].state->name, "-blocked");
		order(members[i].state->name, "remove");
	}
	if (array_is("write-pending"))
		order("array_state", "active");
	if (array_is("active-idle"))
		order("array_state", "clean");
	/* Not before the record: a crash between would leave a member that is called behind without its bits. */
	if (has(&files[CAN_CLEAR], "false") && is_whole() && order("bitmap/can_clear", "true") == 0)
		puts("bits may be cleared");
}

/* What an owner before us left half-way is taken away and begun again. Nothing is recorded: until the recovery is over
 * the member is what it was. */
static void bring_back(void)
{
	bool is_wanted = false;

	if (!has(&files[SYNC_ACTION], "idle") || array_is("readonly") || array_is("read-auto"))
		return;
	for (size_t i = 0; i < member_count; i++) {
		struct member *m = &members[i];
		int rc = 0;

		if (is_called(m, "in sync") || !m->may_try || has(m->state, "faulty"))
			continue;
		if (has(m->slot, "none"))
			next_order(&rc, m->state->name, "remove");
		if (m->state->fd < 0 || has(m->slot, "none"))
			bind_member(&rc, m);
		m->may_try = false;
		is_wanted |= rc == 0;
	}
	if (is_wanted)
		order("sync_action", "recover");
}

/* ---- waiting ---- */

static void on_hangup(int number)
{
	is_asked_to_try = number;
}

static void try_all_again(void)
{
	for (size_t i = 0; i < member_count; i++)
		members[i].may_try = true;
	is_asked_to_try = 0;
}

/* SIGHUP is let through here only: it cannot come between the look at the tree and the wait. */
static void wait_for_news(void)
{
	struct pollfd news[sizeof files / sizeof files[0]];
	sigset_t none;

	for (size_t i = 0; i < file_count; i++)
		news[i] = (struct pollfd){ .fd = files[i].fd, .events = POLLPRI | POLLERR };
	sigemptyset(&none);
	ppoll(news, file_count, NULL, &none);
	if (is_asked_to_try)
		try_all_again();
}

/* Open files would keep a dead mount from going. */
static void forget_tree(void)
{
	for (size_t i = 0; i < file_count; i++)
		forget(&files[i]);
	was_running = false;
	try_all_again();
}

/* The tree is a mount: whoever polls the list of mounts is woken when one comes or goes. */
static void wait_for_tree(void)
{
	struct pollfd mounts = { .fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), .events = POLLPRI };

	poll(&mounts, 1, 1000);
	close(mounts.fd);
}

int main(int argc, char **argv)
{
	struct sigaction hangup = { .sa_handler = on_hangup };

	if (argc != 3)
		give_up("usage: umd-owner METADATA.json TREE");
	setlinebuf(stdout);
	sigaction(SIGHUP, &hangup, NULL);
	sigaddset(&hangup.sa_mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup.sa_mask, NULL);
	tree = argv[2];
	load(argv[1]);
	for (size_t i = 0; i < file_count; i++)
		files[i].fd = -1;
	for (;;) {
		if (is_gone())
			forget_tree();
		if (look() < 0) {
			forget_tree();
			wait_for_tree();
		} else if (!array_is("clear") && !array_is("inactive")) {
			was_running = true;
			record();
			answer();
			bring_back();
			wait_for_news();
		} else if (!was_running) {
			start();
		} else {
			puts("somebody stopped the array");
			return 0;
		}
	}
}
