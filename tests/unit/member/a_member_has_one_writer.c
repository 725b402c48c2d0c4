/* Goal: a member in use, or one that is none, is refused with a sentence that names the user, and nothing is changed.
 * Method: hold a file in this process, in a child, by a loop device and read-only; then open it again.
 * Law: I7 (nothing is written), I5 (two servers never write one member).
 * Source: design section 2 "Locks". */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "member/member.h"
#include "tap.h"

#include "scratch.h"

static char path[] = "/var/tmp/umd-locks-XXXXXX";
static struct err err;

static int try_open(enum mbr_lock lock)
{
	struct member *m = NULL;
	int rc;

	memset(&err, 0, sizeof err);
	rc = mbr_open(path, -1, lock, &m, &err);
	mbr_close(m);
	return rc;
}

static void check_own_process(void)
{
	struct member *first = NULL, *look = NULL;

	ok(mbr_open(path, -1, MBR_LOCK_EXCLUSIVE, &first, &err) == 0, "a free file opens for writing");
	ok(fcntl(first->fd, F_GETFD) & FD_CLOEXEC, "and does not leak into children");
	ok(try_open(MBR_LOCK_EXCLUSIVE) == UMD_E_MEMBER_BUSY, "a second writer is refused");
	ok(strstr(err.text, "given twice") != NULL, "as given twice: %s", err.text);
	ok(try_open(MBR_LOCK_SHARED) == UMD_E_MEMBER_BUSY, "a reader that wants it unchanged is refused");
	ok(mbr_open_look(path, &look, &err) == 0, "a mere look is not");
	mbr_close(look);
	mbr_close(first);
	ok(try_open(MBR_LOCK_EXCLUSIVE) == 0, "after the first writer left it is free");

	ok(mbr_open(path, -1, MBR_LOCK_SHARED, &first, &err) == 0, "it opens read-only");
	ok(try_open(MBR_LOCK_SHARED) == 0, "a second reader is welcome");
	ok(try_open(MBR_LOCK_EXCLUSIVE) == UMD_E_MEMBER_BUSY, "a writer beside readers is refused");
	mbr_close(first);
}

static pid_t start_holder(int *ret_ready)
{
	int ready[2];
	pid_t pid;

	if (pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct member *m;
		int rc = mbr_open(path, -1, MBR_LOCK_EXCLUSIVE, &m, NULL);

		if (rc < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	*ret_ready = ready[0];
	return pid;
}

static void check_other_process(void)
{
	char wanted[40], holder[128], c;
	int ready = -1, status;
	pid_t pid = start_holder(&ready);

	ok(pid > 0 && read(ready, &c, 1) == 1, "a child holds the file");
	ok(try_open(MBR_LOCK_EXCLUSIVE) == UMD_E_MEMBER_BUSY, "it is refused here");
	snprintf(wanted, sizeof wanted, "in use by pid %d (", (int)pid);
	ok(strstr(err.text, wanted) != NULL, "and the child is named: %s", err.text);
	mbr_holder(path, holder, sizeof holder);
	ok(strstr(holder, wanted + strlen("in use by ")) != NULL, "also when asked alone: %s", holder);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(try_open(MBR_LOCK_EXCLUSIVE) == 0, "a killed holder holds nothing");
	close(ready);
}

static void check_handed_descriptor(void)
{
	struct member *m = NULL;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	ok(mbr_open(path, fd, MBR_LOCK_EXCLUSIVE, &m, &err) == 0, "a descriptor that was handed over opens");
	ok(m->fd == fd && try_open(MBR_LOCK_EXCLUSIVE) == UMD_E_MEMBER_BUSY, "and is locked like a path");
	mbr_close(m);
	ok(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "closing the member closes it");

	fd = open(path, O_RDONLY | O_CLOEXEC);
	ok(mbr_open(path, fd, MBR_LOCK_EXCLUSIVE, &m, &err) == -EBADF, "one that cannot write is refused: %s",
	   err.text);
	ok(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "and closed all the same");
}

static void check_loop(int fd)
{
	char device[64];
	int loop_fd = scratch_loop(fd, device);
	struct member *m = NULL, *second = NULL;

	if (loop_fd < 0) {
		ok(true, "loop device # SKIP %s", device);
		return;
	}
	ok(try_open(MBR_LOCK_EXCLUSIVE) == UMD_E_MEMBER_BUSY, "a file behind a loop device is refused");
	ok(strstr(err.text, device) != NULL, "and the device is named: %s", err.text);
	ok(mbr_open(device, -1, MBR_LOCK_EXCLUSIVE, &m, &err) == 0, "the device itself opens");
	ok(mbr_open(device, -1, MBR_LOCK_EXCLUSIVE, &second, &err) == UMD_E_MEMBER_BUSY, "once: %s", err.text);
	mbr_close(m);
	scratch_loop_end(loop_fd);
}

static int open_other(const char *other)
{
	struct member *m = NULL;

	memset(&err, 0, sizeof err);
	return mbr_open(other, -1, MBR_LOCK_EXCLUSIVE, &m, &err);
}

static void check_strangers(void)
{
	char fifo[64], missing[64];

	snprintf(fifo, sizeof fifo, "%s.fifo", path);
	snprintf(missing, sizeof missing, "%s.\x1b[31mmissing", path);
	ok(open_other(missing) == -ENOENT, "a missing file is refused");
	ok(!strchr(err.text, '\x1b') && strstr(err.text, "missing"), "its hostile name is shown escaped: %s", err.text);
	ok(open_other("/") == -EISDIR, "a directory is refused: %s", err.text);
	ok(open_other("/dev/null") == -ENOTBLK, "a character device is refused: %s", err.text);
	ok(mkfifo(fifo, 0600) == 0 && open_other(fifo) == -ENOTBLK, "a FIFO is refused without waiting: %s", err.text);
	unlink(fifo);
}

int main(void)
{
	int fd = scratch_file(path, 1 << 20);
	struct stat before, after;

	fstat(fd, &before);
	check_own_process();
	check_other_process();
	check_handed_descriptor();
	check_strangers();
	fstat(fd, &after);
	ok(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_mtim.tv_sec == after.st_mtim.tv_sec,
	   "nothing was written");
	check_loop(fd);
	close(fd);
	unlink(path);
	return tap_end();
}
