/* Our lock on a member, and who is in its way.
 *
 * OFD locks belong to the open file description that does the I/O, survive a fork and do not vanish when some other
 * descriptor of the file is closed. qemu's image locks collide with all three kinds on purpose.
 *
 *	bytes            0 .. 2^62    2^62 ..           READERS    CLUSTERED   PROBE
 *	EXCLUSIVE        write        write             write      write       write
 *	SHARED           read         read              read
 *	CLUSTERED        read         (engines' own)               read
 *
 * An exclusive user and anybody else collide at byte 0. Readers and clustered users do not, since both only read-lock
 * what they share; so each has a byte that only its own kind locks, and looks at the other's after it has locked its
 * own: of two that come at once at least one sees the other.
 *
 * Block devices are opened with O_EXCL by exclusive users, which keeps mounts, md and dm away and meets another umd
 * that came through another device node. Nodes of a cluster cannot hold it at the same time: each opens with O_EXCL
 * once and lets go, one after the other by the lock on PROBE, and so sees whoever holds it now.
 *
 * Left out: whoever takes O_EXCL of a block device after a clustered start without a look at locks: the kernel's md. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "member/inside.h"

#define READERS_AT (MBR_CLUSTER_LOCKS_AT + (1u << 20))
#define CLUSTERED_AT (READERS_AT + 1)
#define PROBE_AT (READERS_AT + 2)

static struct flock range(int type, uint64_t at, uint64_t len_bytes)
{
	return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = (off_t)at,
			       .l_len = (off_t)len_bytes };
}

static int lock_range(int fd, int type, uint64_t at, uint64_t len_bytes)
{
	struct flock lock = range(type, at, len_bytes);

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

/* Does another open file description lock this one byte in any way? An exclusive one's lock begins at byte 0. */
static bool is_marked(int fd, uint64_t at, uint64_t kind_starts_at)
{
	struct flock lock = range(F_WRLCK, at, 1);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && (uint64_t)lock.l_start == kind_starts_at;
}

static int refuse_other(const struct mbr_locking *l, const char *other_is)
{
	char who[MBR_HOLDER_BYTES];
	int pid = mbr_lock_holder(l->st, who, sizeof who);

	if (pid == getpid() && l->lock != MBR_LOCK_CLUSTERED)
		return err_set(l->err, UMD_E_MEMBER_BUSY,
			       "%s is in use by this very process, pid %d: it was given twice, or is a member already; "
			       "nothing was written", l->shown, pid);
	return err_set(l->err, UMD_E_MEMBER_BUSY, "%s is in use by %s%s; nothing was written", l->shown, who, other_is);
}

static int refuse(const struct mbr_locking *l, int rc)
{
	if (rc != -EAGAIN && rc != -EACCES)
		return err_set(l->err, rc, "cannot lock %s: %s; nothing was written", l->shown, strerror(-rc));
	if (l->lock == MBR_LOCK_CLUSTERED)
		return refuse_other(l, " for itself alone, where a clustered start shares it with other nodes");
	if (is_marked(l->fd, CLUSTERED_AT, CLUSTERED_AT))
		return refuse_other(l, ", clustered: nodes of a cluster share it, and nobody else beside them");
	return refuse_other(l, "");
}

static int take_shared(const struct mbr_locking *l)
{
	int rc = lock_range(l->fd, F_RDLCK, 0, CLUSTERED_AT);

	if (rc < 0 || !is_marked(l->fd, CLUSTERED_AT, CLUSTERED_AT))
		return rc;
	lock_range(l->fd, F_UNLCK, 0, 0);
	return -EAGAIN;
}

/* What was locked is let go before the other is named: of two that lock the file the first found might be us. */
static int take_clustered(const struct mbr_locking *l)
{
	int rc = lock_range(l->fd, F_RDLCK, 0, MBR_CLUSTER_LOCKS_AT);

	if (rc == 0)
		rc = lock_range(l->fd, F_RDLCK, CLUSTERED_AT, 1);
	if (rc < 0)
		return refuse(l, rc);
	if (!is_marked(l->fd, READERS_AT, 0))
		return 0;
	lock_range(l->fd, F_UNLCK, 0, 0);
	return refuse_other(l, ", which reads it and wants it unchanged, where a clustered start writes to it");
}

int mbr_lock_take(const struct mbr_locking *l)
{
	int rc;

	if (l->lock == MBR_LOCK_CLUSTERED)
		return take_clustered(l);
	rc = l->lock == MBR_LOCK_SHARED ? take_shared(l) : lock_range(l->fd, F_WRLCK, 0, 0);
	return rc < 0 ? refuse(l, rc) : 0;
}

int mbr_lock_probe_device(int fd)
{
	struct flock probe = range(F_WRLCK, PROBE_AT, 1);
	char path[40];
	int other, rc = 0;

	do
		rc = fcntl(fd, F_OFD_SETLKW, &probe) < 0 ? -errno : 0;
	while (rc == -EINTR);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	other = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (other >= 0)
		close(other);
	else if (errno == EBUSY)
		rc = -EBUSY;
	lock_range(fd, F_UNLCK, PROBE_AT, 1);
	return rc;
}
