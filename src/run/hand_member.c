/* Members that come and go by attributes: new_dev, and remove in a member's state.
 *
 * A member is opened by whoever names it: its descriptor comes along. What is named by its numbers is opened here, as
 * md does it.
 *
 * A hand (struct member) is the tree's device's; a running array has it in its table meanwhile. The array's lock is
 * left while a member is opened or closed, since that may take its time.
 *
 * Left out: what the tree says of it (attrs/), members of arrays with superblocks (admit.c). */
#include "run/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "look/look.h"

enum { BUSY_MS = 500 };

enum { NUMBERS_BYTES = 33, NODE_BYTES = 128 };

/* The kernel says how a device's node is called; links by number in /dev are udev's, and not everywhere. "" if there
 * is no such device. */
static void node_of(const char *numbers, char ret[NODE_BYTES])
{
	char path[80], line[NODE_BYTES];
	FILE *f;

	ret[0] = 0;
	snprintf(path, sizeof path, "/sys/dev/block/%.*s/uevent", NUMBERS_BYTES - 1, numbers);
	f = fopen(path, "re");
	if (!f)
		return;
	while (!ret[0] && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "DEVNAME=", 8))
			snprintf(ret, NODE_BYTES, "/dev/%.100s", line + 8);
	}
	fclose(f);
}

static bool has_numbers(int fd, const char *numbers)
{
	char has[NUMBERS_BYTES];
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	snprintf(has, sizeof has, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return !strcmp(has, numbers);
}

/* Without O_EXCL: mbr_open() claims it. */
static int open_by_numbers(const char *numbers, char ret_node[NODE_BYTES], int *ret_fd, struct err *err)
{
	int fd;

	node_of(numbers, ret_node);
	if (!ret_node[0])
		return err_set(err, -ENXIO, "there is no block device %.32s", numbers);
	fd = open(ret_node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? -ENXIO : -errno,
			       "%s, the block device %.32s, cannot be opened: %s", ret_node, numbers, strerror(errno));
	if (!has_numbers(fd, numbers)) {
		close(fd);
		return err_set(err, -ENXIO, "%s is not the block device %.32s, which the kernel calls so", ret_node,
			       numbers);
	}
	*ret_fd = fd;
	return 0;
}

static bool is_numbers(const char *text)
{
	size_t major = strspn(text, "0123456789"), minor;

	if (!major || text[major] != ':')
		return false;
	minor = strspn(text + major + 1, "0123456789");
	return minor && !text[major + 1 + minor];
}

/* Under the lock: hands of devices are closed under it, too. */
static bool is_bound(struct umd_array *u, int fd)
{
	struct stat st, other;

	if (fstat(fd, &st) < 0)
		return false;
	for (uint32_t i = 0; i < ATT_DEVS_MAX; i++) {
		const struct att_dev *dev = att_dev(u->tree, i);
		const struct member *m = dev ? dev->hand : NULL;

		if (m && fstat(m->fd, &other) == 0 && st.st_dev == other.st_dev && st.st_ino == other.st_ino &&
		    st.st_rdev == other.st_rdev)
			return true;
	}
	return false;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Takes @fd over. */
static int open_member(struct umd_array *u, const char *text, int fd, struct member **ret_member, struct err *err)
{
	char node[NODE_BYTES];
	bool is_twice;
	int rc;

	if (fd < 0 && is_numbers(text)) {
		rc = open_by_numbers(text, node, &fd, err);
		if (rc < 0)
			return rc;
		text = node;
	}
	if (fd < 0)
		return err_set(err, -EINVAL,
			       "a member that is named by a path comes as an open descriptor, opened with the rights "
			       "of whoever names it; none came along");
	pthread_mutex_lock(&u->lock);
	is_twice = is_bound(u, fd);
	pthread_mutex_unlock(&u->lock);
	if (is_twice) {
		close(fd);
		return err_set(err, -EEXIST, "it is a member already");
	}
	return mbr_open(text, fd, MBR_LOCK_EXCLUSIVE, ret_member, err);
}

/* Under the lock, which is left while the member is opened. */
int run_hand_bind(struct umd_array *u, const struct att_action *action, int fd, struct err *err)
{
	struct member *m = NULL;
	int rc;

	pthread_mutex_unlock(&u->lock);
	fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	rc = open_member(u, action->text, fd, &m, err);
	pthread_mutex_lock(&u->lock);
	if (rc < 0)
		return rc;
	if (att_bind(u->tree, last_part(is_numbers(action->text) ? m->path : action->text), m->size_bytes, m) !=
	    ATT_NO_DEV)
		return 0;
	mbr_close(m);
	return err_set(err, -ENOSPC, "an array has at most %d members", ATT_DEVS_MAX);
}

/* A member's place in the array's table is its device's. */
void run_hand_takes(struct umd_array *u, uint32_t entry, struct member *m)
{
	u->hands[entry] = m;
	mem_free(u->paths[entry]);
	u->paths[entry] = look_escaped(m->path);
	memset(u->device_uuids[entry], 0, sizeof u->device_uuids[entry]);
}

void run_hand_leaves(struct umd_array *u, uint32_t entry)
{
	u->hands[entry] = NULL;
	u->paths[entry] = mem_free(u->paths[entry]);
}

/* What is in flight there ends in a moment, or hangs: then nobody else is to wait for it, least of all the owner's next
 * answer. */
int run_hand_take_out(struct umd_array *u, uint32_t entry, struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_REMOVE, .member = entry, .err = err };
	uint64_t until_ms = run_now_ms() + BUSY_MS;
	struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };

	for (;;) {
		run_step(u, &ev);
		if (ev.rc != -EAGAIN)
			break;
		if (pthread_cond_clockwait(&u->changed, &u->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
			return err_set(err, -EBUSY, "I/O is in flight on it: ask again when that has ended");
	}
	if (ev.rc < 0)
		return ev.rc;
	run_forget(u, entry);
	run_hand_leaves(u, entry);
	return 0;
}

int run_hand_unbind(struct umd_array *u, const struct att_action *action, struct err *err)
{
	struct att_dev *dev = att_dev(u->tree, action->dev);
	struct member *m = dev->hand;
	int rc = 0;

	if (u->arr && dev->entry != ARR_MEMBERS_MAX) {
		struct arr_event unblock = { .kind = ARR_EV_UNBLOCK, .member = dev->entry };

		if (action->unblocks)
			run_step(u, &unblock);
		rc = run_hand_take_out(u, dev->entry, err);
	}
	if (rc < 0)
		return rc;
	dev->hand = NULL;
	/* A closed member may write back for long; the array goes on meanwhile. */
	pthread_mutex_unlock(&u->lock);
	mbr_close(m);
	pthread_mutex_lock(&u->lock);
	return 0;
}
