/* Goal: nodes of a cluster open one member side by side; whoever wants it alone or unchanged is refused, and refuses
 *       them.
 * Method: hold a file, and a loop device where there is one, in a child in each of three ways; open it here in each.
 * Law: I5 (two servers never write one member), C5 (nobody writes beside the nodes of a cluster).
 * Source: design section 7; the bytes at the head of src/member/lock.c. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "member/member.h"
#include "tap.h"

#include "scratch.h"

static struct err err;

static int try_open(const char *path, enum mbr_lock lock)
{
	struct member *m = NULL;
	int rc;

	memset(&err, 0, sizeof err);
	rc = mbr_open(path, -1, lock, &m, &err);
	mbr_close(m);
	return rc;
}

static pid_t hold(const char *path, enum mbr_lock lock)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct member *m;

		if (mbr_open(path, -1, lock, &m, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void release(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void check_pair(const char *path, enum mbr_lock there, enum mbr_lock here, const char *wanted, const char *what)
{
	pid_t pid = hold(path, there);
	char who[40];
	int rc;

	if (!ok(pid > 0, "%s: the child has it", what))
		return;
	rc = try_open(path, here);
	if (!wanted) {
		ok(rc == 0, "%s: both have it: %s", what, err.text);
	} else {
		snprintf(who, sizeof who, "in use by pid %d (", (int)pid);
		ok(rc == UMD_E_MEMBER_BUSY, "%s: refused", what);
		ok(strstr(err.text, who) && strstr(err.text, wanted), "%s: the holder is named: %s", what, err.text);
	}
	release(pid);
	ok(try_open(path, here) == 0, "%s: free again after the child's death", what);
}

static void check_pairs(const char *path)
{
	check_pair(path, MBR_LOCK_CLUSTERED, MBR_LOCK_CLUSTERED, NULL, "node and node");
	check_pair(path, MBR_LOCK_CLUSTERED, MBR_LOCK_EXCLUSIVE, "clustered", "a writer beside a node");
	check_pair(path, MBR_LOCK_CLUSTERED, MBR_LOCK_SHARED, "clustered", "a reader beside a node");
	check_pair(path, MBR_LOCK_EXCLUSIVE, MBR_LOCK_CLUSTERED, "clustered", "a node beside a writer");
	check_pair(path, MBR_LOCK_SHARED, MBR_LOCK_CLUSTERED, "clustered", "a node beside a reader");
}

/* With an engine's lock on top of it, readers collide there already: the sentence must not change. */
static void check_engine_locks(const char *path)
{
	struct flock slot = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)MBR_CLUSTER_LOCKS_AT + 1,
			      .l_len = 1 };
	struct member *a = NULL, *b = NULL;

	ok(mbr_open(path, -1, MBR_LOCK_CLUSTERED, &a, &err) == 0 && !a->is_readonly, "a node opens it for writing");
	ok(mbr_open(path, -1, MBR_LOCK_CLUSTERED, &b, &err) == 0, "and another one");
	ok(fcntl(a->fd, F_OFD_SETLK, &slot) == 0, "one takes a byte for engines");
	ok(fcntl(b->fd, F_OFD_SETLK, &slot) < 0 && errno == EAGAIN, "the other does not get it");
	ok(try_open(path, MBR_LOCK_SHARED) == UMD_E_MEMBER_BUSY, "a reader is refused");
	mbr_close(a);
	ok(fcntl(b->fd, F_OFD_SETLK, &slot) == 0, "after the first has closed, the byte is the other's");
	mbr_close(b);
}

static void check_read_only_descriptor(const char *path)
{
	struct member *m = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ok(mbr_open(path, fd, MBR_LOCK_CLUSTERED, &m, &err) == -EBADF, "a descriptor that cannot write is refused: %s",
	   err.text);
}

/* Nodes on several machines: here the device is one process's, and the kernel's md gets EBUSY. */
static void check_alone_here(const char *device)
{
	struct member *m = NULL;
	int other;

	ok(mbr_open(device, -1, MBR_LOCK_CLUSTERED | MBR_ALONE_HERE, &m, &err) == 0,
	   "a node alone on its machine opens it");
	other = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
	ok(other < 0 && errno == EBUSY, "nobody else has it exclusively meanwhile");
	ok(try_open(device, MBR_LOCK_CLUSTERED | MBR_ALONE_HERE) == UMD_E_MEMBER_BUSY,
	   "a second such node is refused: %s", err.text);
	ok(try_open(device, MBR_LOCK_CLUSTERED) == UMD_E_MEMBER_BUSY, "so is one that would share it here: %s",
	   err.text);
	mbr_close(m);
	ok(try_open(device, MBR_LOCK_CLUSTERED) == 0, "afterwards it is free");
}

static void check_loop(const char *path, int fd)
{
	char device[64];
	int loop_fd = scratch_loop(fd, device), exclusive;

	if (loop_fd < 0) {
		ok(true, "loop device # SKIP %s", device);
		return;
	}
	ok(try_open(path, MBR_LOCK_CLUSTERED) == UMD_E_MEMBER_BUSY && strstr(err.text, device),
	   "a file behind a loop device is refused: %s", err.text);
	check_pairs(device);
	exclusive = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
	ok(try_open(device, MBR_LOCK_CLUSTERED) == UMD_E_MEMBER_BUSY,
	   "a device that somebody has exclusively is refused: %s", err.text);
	close(exclusive);
	ok(try_open(device, MBR_LOCK_CLUSTERED) == 0, "and opens afterwards");
	check_alone_here(device);
	scratch_loop_end(loop_fd);
}

int main(void)
{
	char path[] = "/var/tmp/umd-nodes-XXXXXX";
	int fd = scratch_file(path, 1 << 20);

	check_pairs(path);
	check_engine_locks(path);
	check_read_only_descriptor(path);
	check_loop(path, fd);
	close(fd);
	unlink(path);
	return tap_end();
}
