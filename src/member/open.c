/* Opening a member: what it is, who else uses it, and our lock on it (lock.c). Nothing is written here.
 *
 * Block devices are opened with O_EXCL where we are to be alone, or alone on this machine. Readers and nodes of a
 * cluster on one host share the lock, so they do not keep O_EXCL; nodes only look whether somebody else has it.
 *
 * A descriptor handed over by another process keeps that process's rights: it is judged like a path. A block device is
 * then opened once more with O_EXCL where our own rights allow it; the one who hands it over must not have used O_EXCL.
 *
 * Left out: files on servers without locks (their error is the refusal). */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "member/inside.h"

struct opening {
	char *path;		/* absolute */
	char shown[MBR_SHOWN_BYTES];
	int fd;
	enum mbr_lock lock;
	bool is_locking, is_direct, is_alone_here;
	struct stat st;
	uint64_t size_bytes;
	struct err *err;
};

static int refuse_errno(struct opening *o, const char *what)
{
	int code = -errno;

	return err_set(o->err, code, "cannot %s %s: %s; nothing was written", what, o->shown, strerror(-code));
}

static int refuse_busy(struct opening *o, const char *why)
{
	return err_set(o->err, UMD_E_MEMBER_BUSY, "%s is in use: %s; nothing was written", o->shown, why);
}

static int check_kind(struct opening *o)
{
	if (S_ISREG(o->st.st_mode) || S_ISBLK(o->st.st_mode))
		return 0;
	return err_set(o->err, S_ISDIR(o->st.st_mode) ? -EISDIR : -ENOTBLK,
		       "%s is %s: a member is a file or a block device; nothing was written", o->shown,
		       S_ISDIR(o->st.st_mode) ? "a directory" : "neither a file nor a block device");
}

/* A write lock needs a writable descriptor; everybody else gets by with reading. */
static int wanted_mode(const struct opening *o)
{
	return o->is_locking && o->lock != MBR_LOCK_SHARED ? O_RDWR : O_RDONLY;
}

static bool wants_device_alone(const struct opening *o)
{
	return S_ISBLK(o->st.st_mode) && o->is_locking && (o->lock == MBR_LOCK_EXCLUSIVE || o->is_alone_here);
}

static int describe_busy_device(struct opening *o)
{
	char why[MBR_HOLDER_BYTES], holder[MBR_HOLDER_BYTES];

	if (mbr_kernel_holds(&o->st, why, sizeof why))
		return refuse_busy(o, why);
	if (mbr_lock_holder(&o->st, holder, sizeof holder))
		snprintf(why, sizeof why, "%.100s has it", holder);
	else
		snprintf(why, sizeof why, "the kernel or another process has it exclusively");
	return refuse_busy(o, why);
}

/* O_NONBLOCK: a FIFO that took the file's place between stat and open must not stop us. */
static int open_path(struct opening *o)
{
	int rc, flags = wanted_mode(o) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	if (stat(o->path, &o->st) < 0)
		return refuse_errno(o, "open");
	rc = check_kind(o);
	if (rc < 0)
		return rc;

	if (wants_device_alone(o))
		flags |= O_EXCL;
	o->fd = open(o->path, flags);
	if (o->fd < 0)
		return errno == EBUSY ? describe_busy_device(o) : refuse_errno(o, "open");
	if (fcntl(o->fd, F_SETFL, 0) < 0)
		return refuse_errno(o, "open");
	return 0;
}

static int claim_handed_device(struct opening *o)
{
	char path[40];
	int fd;

	snprintf(path, sizeof path, "/proc/self/fd/%d", o->fd);
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd >= 0) {
		close(o->fd);
		o->fd = fd;
		return 0;
	}
	return errno == EBUSY ? describe_busy_device(o) : 0;
}

static int judge_handed(struct opening *o)
{
	int flags = fcntl(o->fd, F_GETFL);

	if (flags < 0 || fstat(o->fd, &o->st) < 0)
		return refuse_errno(o, "use");
	if (wanted_mode(o) == O_RDWR && ((flags & O_ACCMODE) != O_RDWR || flags & (O_APPEND | O_PATH)))
		return err_set(o->err, -EBADF, "the descriptor for %s was not opened for plain reading and writing "
			       "(flags %#o); nothing was written", o->shown, flags);
	if (fcntl(o->fd, F_SETFD, FD_CLOEXEC) < 0)
		return refuse_errno(o, "use");
	if (wants_device_alone(o))
		return claim_handed_device(o);
	return 0;
}

static int take_lock(struct opening *o)
{
	char why[MBR_HOLDER_BYTES];
	int rc = mbr_lock_take(&(struct mbr_locking){ o->fd, o->lock, &o->st, o->shown, o->err });

	if (rc < 0)
		return rc;
	if (mbr_kernel_holds(&o->st, why, sizeof why))
		return refuse_busy(o, why);
	if (o->lock != MBR_LOCK_CLUSTERED || !S_ISBLK(o->st.st_mode) || wants_device_alone(o))
		return 0;
	rc = mbr_lock_probe_device(o->fd);
	if (rc == -EBUSY)
		return refuse_busy(o, "the kernel or another process has it exclusively, where a clustered start "
				   "shares it");
	return rc < 0 ? err_set(o->err, rc, "cannot lock %s: %s; nothing was written", o->shown, strerror(-rc)) : 0;
}

static int find_size(struct opening *o)
{
	if (S_ISREG(o->st.st_mode))
		o->size_bytes = (uint64_t)o->st.st_size;
	else if (ioctl(o->fd, BLKGETSIZE64, &o->size_bytes) < 0)
		return refuse_errno(o, "ask the size of");
	return 0;
}

/* The lock comes before the other questions: their answers then stay true against other users of locks. */
static int judge(struct opening *o)
{
	int rc;

	if (fstat(o->fd, &o->st) < 0)
		return refuse_errno(o, "open");
	rc = check_kind(o);
	if (rc < 0)
		return rc;
	if (o->is_locking) {
		rc = take_lock(o);
		if (rc < 0)
			return rc;
	}
	return find_size(o);
}

/* A descriptor may have been handed over with O_DIRECT on it. */
static int pass_caches(struct opening *o)
{
	int flags = fcntl(o->fd, F_GETFL);

	if (flags < 0)
		return refuse_errno(o, "use");
	return o->is_direct || flags & O_DIRECT ? mbr_direct_begin(o->fd, o->shown, o->err) : 0;
}

static int run_opening(struct opening *o, struct member **ret_member)
{
	int rc = o->fd >= 0 ? judge_handed(o) : open_path(o);

	if (rc == 0)
		rc = judge(o);
	if (rc == 0)
		rc = pass_caches(o);
	if (rc == 0) {
		rc = mbr_file_new(o->path, o->fd, o->size_bytes, wanted_mode(o) == O_RDONLY, S_ISBLK(o->st.st_mode),
				  ret_member);
		if (rc < 0)
			err_set(o->err, rc, "cannot open %s: no memory; nothing was written", o->shown);
	}
	if (rc < 0 && o->fd >= 0)
		close(o->fd);
	return rc;
}

/* A handed descriptor's path is for people only and may mean nothing here. */
static char *absolute(const char *path, bool is_handed)
{
	char *real = realpath(path, NULL);

	return real || !is_handed ? real : strdup(path);
}

static int open_member(const char *path, struct opening *o, struct member **ret_member)
{
	int rc;

	mbr_shown(path, o->shown);
	o->path = absolute(path, o->fd >= 0);
	if (!o->path) {
		rc = refuse_errno(o, "open");
		if (o->fd >= 0)
			close(o->fd);
		return rc;
	}
	rc = run_opening(o, ret_member);
	free(o->path);
	return rc;
}

int mbr_open(const char *path, int fd, enum mbr_lock lock, struct member **ret_member, struct err *err)
{
	struct opening o = { .fd = fd, .lock = lock & ~(MBR_DIRECT | MBR_ALONE_HERE), .is_locking = true,
			     .is_direct = lock & MBR_DIRECT, .is_alone_here = lock & MBR_ALONE_HERE, .err = err };

	return open_member(path, &o, ret_member);
}

int mbr_open_look(const char *path, struct member **ret_member, struct err *err)
{
	struct opening o = { .fd = -1, .lock = MBR_LOCK_SHARED, .err = err };

	return open_member(path, &o, ret_member);
}
