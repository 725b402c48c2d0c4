/* Locks of the local engine: OFD write locks on single bytes far behind the end of every member, and of the log.
 *
 *	lock       where                            byte behind 2^62
 *	slot s     every member, then the log       1 + s
 *	token      the first member, then the log   0
 *	resync     the first member, then the log   128
 *
 * On the log, because nodes that name the same directory meet there whatever members they have; on members, because
 * nodes that name different directories must not take one slot (C1). The kernel drops them with the last descriptor, so
 * a killed node holds nothing, and one that is stopped by a signal holds everything.
 *
 * A lock is asked for without waiting, always in the same order; what was had is given back at the first refusal. One
 * who queues read-locks the waiting byte: a node that gives a lock away and wants it again at once sees that it is not
 * alone and lets the others try first.
 *
 * The descriptors are the hands', who say when they close one (a member that was removed): what is being locked ends
 * first, and no byte of it is asked for any more. Should they not say it, device and inode are compared: the number may
 * be another file's by then, which is passed over.
 *
 * Left out: a member that is added later carries no lock of the nodes that run already. They meet at the log and at the
 * members that all had from the start. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/engine_local.h"
#include "member/member.h"

static struct flock one_byte(int type, uint32_t byte)
{
	return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET,
			       .l_start = (off_t)(MBR_CLUSTER_LOCKS_AT + byte), .l_len = 1 };
}

static int set(int fd, int type, uint32_t byte)
{
	struct flock lock = one_byte(type, byte);

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int engine_byte_take(int fd, uint32_t byte)
{
	return set(fd, F_WRLCK, byte);
}

void engine_byte_drop(int fd, uint32_t byte)
{
	set(fd, F_UNLCK, byte);
}

bool engine_bytes_are_free(int fd, uint32_t byte, uint32_t count)
{
	struct flock lock = one_byte(F_WRLCK, byte);

	lock.l_len = count;
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

int engine_locks_init(struct engine_locks *l, const struct engine_config *config, struct err *err)
{
	struct stat st;

	if (config->member_count > ARR_MEMBERS_MAX)
		return err_set(err, -EINVAL, "a cluster's engine was given %u members, where %u is the most",
			       config->member_count, (unsigned)ARR_MEMBERS_MAX);
	for (uint32_t i = 0; i < config->member_count; i++) {
		int fd = config->member_fds[i], flags = fcntl(fd, F_GETFL);

		if (flags < 0 || fstat(fd, &st) < 0)
			return err_set(err, -errno, "cannot lock member %u for a cluster: %s", i, strerror(errno));
		if ((flags & O_ACCMODE) != O_RDWR)
			return err_set(err, -EBADF, "cannot lock member %u for a cluster: it was opened for reading "
				       "alone, where nodes write", i);
		l->members[i] = (struct engine_lock_file){ fd, st.st_dev, st.st_ino };
	}
	l->member_count = config->member_count;
	pthread_mutex_init(&l->mutex, NULL);
	return 0;
}

void engine_locks_forget(struct engine_locks *l, int fd)
{
	pthread_mutex_lock(&l->mutex);
	for (uint32_t i = 0; i < l->member_count; i++)
		if (l->members[i].fd == fd)
			l->members[i].fd = -1;
	pthread_mutex_unlock(&l->mutex);
}

uint32_t engine_lock_byte(struct clu_lock lock)
{
	if (lock.kind == CLU_LOCK_SLOT)
		return ENGINE_BYTE_SLOT + lock.slot;
	return lock.kind == CLU_LOCK_TOKEN ? ENGINE_BYTE_TOKEN : ENGINE_BYTE_RESYNC;
}

static bool is_still_it(const struct engine_lock_file *f)
{
	struct stat st;

	return f->fd >= 0 && fstat(f->fd, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode;
}

/* The members that carry this lock, and where to go on: one that is closed carries nothing. */
static bool carries(const struct engine_locks *l, struct clu_lock lock, uint32_t i)
{
	if (!is_still_it(&l->members[i]))
		return false;
	for (uint32_t before = 0; lock.kind != CLU_LOCK_SLOT && before < i; before++)
		if (is_still_it(&l->members[before]))
			return false;
	return true;
}

static void drop_members(struct engine_locks *l, struct clu_lock lock, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (is_still_it(&l->members[i]))
			engine_byte_drop(l->members[i].fd, engine_lock_byte(lock));
}

static int take_all(struct engine_locks *l, struct clu_lock lock)
{
	int rc = 0;

	for (uint32_t i = 0; i < l->member_count; i++) {
		if (carries(l, lock, i))
			rc = engine_byte_take(l->members[i].fd, engine_lock_byte(lock));
		if (rc < 0) {
			drop_members(l, lock, i);
			return rc;
		}
	}
	rc = engine_byte_take(l->log_fd, engine_lock_byte(lock));
	if (rc < 0)
		drop_members(l, lock, l->member_count);
	return rc;
}

int engine_lock_take(struct engine_locks *l, struct clu_lock lock)
{
	int rc;

	pthread_mutex_lock(&l->mutex);
	rc = take_all(l, lock);
	pthread_mutex_unlock(&l->mutex);
	return rc;
}

void engine_lock_drop(struct engine_locks *l, struct clu_lock lock)
{
	pthread_mutex_lock(&l->mutex);
	drop_members(l, lock, l->member_count);
	pthread_mutex_unlock(&l->mutex);
	engine_byte_drop(l->log_fd, engine_lock_byte(lock));
}

void engine_lock_wait(struct engine_locks *l, struct clu_lock lock, bool is_waiting)
{
	set(l->log_fd, is_waiting ? F_RDLCK : F_UNLCK, ENGINE_BYTE_WAITING + engine_lock_byte(lock));
}

bool engine_lock_is_waited_for(struct engine_locks *l, struct clu_lock lock)
{
	return !engine_bytes_are_free(l->log_fd, ENGINE_BYTE_WAITING + engine_lock_byte(lock), 1);
}
