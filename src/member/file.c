/* Files and block devices as members: plain pread, pwrite, fallocate, fdatasync.
 *
 * Zeroes and trims are one thing: afterwards the range reads zeroes. fallocate() promises that for files and for block
 * devices alike (there the kernel refuses to punch where the device would not guarantee zeroes), so no discard ioctl is
 * used; where it is refused, zeroes are written. Zeroes that a copy carries over (MBR_KEEP_HOLES) are punched, and
 * where the place is a hole already nothing is done at all.
 *
 * A write behind the end would make a file longer (I7): refused as EIO, like a read there.
 *
 * The kernel reports a lost write once, to whoever flushes first. So flushes and durable writes of one member go one
 * after the other, and after the first that failed none succeeds any more: a second worker's flush must not be
 * acknowledged because the first worker's has taken the error away and not told the array yet (I1).
 *
 * With O_DIRECT buffers, places and lengths are direct.c's business; a change of anything but whole sectors is refused.
 *
 * Left out: alignment otherwise (the page cache takes any), timeouts. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "member/inside.h"

enum { ZEROES_BYTES = 64 * 1024, ZEROES_VECTORS = 16 };

static const uint8_t zeroes[ZEROES_BYTES] __attribute__((aligned(4096)));

struct file_member {
	struct member m;
	/* Learned at the first refusal; saves a system call per request afterwards. */
	atomic_bool lacks_punch, lacks_zero_range, lacks_dsync;
	pthread_mutex_t stable_lock;	/* held by whoever makes something stable */
	int stable_error;		/* of the first that failed */
	struct mbr_direct *direct;	/* past the cache; else NULL */
};

static struct file_member *file_of(struct member *m)
{
	return (struct file_member *)m;		/* m is the first field */
}

static int read_cached(int fd, uint8_t *data, uint64_t len_bytes, uint64_t at)
{
	while (len_bytes) {
		ssize_t n = pread(fd, data, len_bytes, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		at += (uint64_t)n;
		len_bytes -= (uint64_t)n;
	}
	return 0;
}

static int flush(struct member *m)
{
	int rc;

	do
		rc = fdatasync(m->fd);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

static ssize_t write_some(struct file_member *f, const struct iovec *iov, int count, uint64_t at, bool *is_durable)
{
	if (*is_durable && !f->lacks_dsync) {
		ssize_t n = pwritev2(f->m.fd, iov, count, (off_t)at, RWF_DSYNC);

		if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
			return n;
		f->lacks_dsync = true;
	}
	*is_durable = false;
	return pwritev(f->m.fd, iov, count, (off_t)at);
}

static int write_whole(struct file_member *f, const uint8_t *data, uint64_t len_bytes, uint64_t at, bool wants_durable)
{
	bool is_durable = wants_durable;

	while (len_bytes) {
		struct iovec iov = { (void *)data, len_bytes };
		ssize_t n = write_some(f, &iov, 1, at, &is_durable);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		at += (uint64_t)n;
		len_bytes -= (uint64_t)n;
	}
	return wants_durable && !is_durable ? flush(&f->m) : 0;
}

static int write_piece(void *opaque, const uint8_t *data, uint64_t len_bytes, uint64_t at)
{
	return write_whole(opaque, data, len_bytes, at, false);
}

static int write_piece_durably(void *opaque, const uint8_t *data, uint64_t len_bytes, uint64_t at)
{
	return write_whole(opaque, data, len_bytes, at, true);
}

static int write_all(struct file_member *f, const uint8_t *data, uint64_t len_bytes, uint64_t at, bool wants_durable)
{
	if (!f->direct || mbr_direct_fits(data, at, len_bytes))
		return write_whole(f, data, len_bytes, at, wants_durable);
	return mbr_direct_write(f->direct, data, len_bytes, at, wants_durable ? write_piece_durably : write_piece, f);
}

static int read_all(struct file_member *f, uint8_t *data, uint64_t len_bytes, uint64_t at)
{
	if (!f->direct || mbr_direct_fits(data, at, len_bytes))
		return read_cached(f->m.fd, data, len_bytes, at);
	return mbr_direct_read(f->direct, f->m.fd, data, len_bytes, at);
}

/* ---- zeroes ---- */

static int write_zeroes(struct file_member *f, uint64_t len_bytes, uint64_t at)
{
	while (len_bytes) {
		struct iovec iov[ZEROES_VECTORS];
		int count = 0;
		ssize_t n;

		for (uint64_t left = len_bytes; left && count < ZEROES_VECTORS; left -= iov[count++].iov_len)
			iov[count] = (struct iovec){ (void *)zeroes, min_u64(left, sizeof zeroes) };
		n = pwritev(f->m.fd, iov, count, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += (uint64_t)n;
		len_bytes -= (uint64_t)n;
	}
	return 0;
}

/* 1: done; 0: not possible here, another way is needed; else -errno. */
static int allocate(int fd, int mode, uint64_t at, uint64_t len_bytes, atomic_bool *lacks_it)
{
	int rc;

	if (*lacks_it)
		return 0;
	do
		rc = fallocate(fd, mode, (off_t)at, (off_t)len_bytes);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return 1;
	if (errno == EOPNOTSUPP || errno == ENOSYS) {
		*lacks_it = true;
		return 0;
	}
	/* A device may refuse this one range, for its alignment. */
	return errno == EINVAL ? 0 : -errno;
}

static int zero(struct file_member *f, const struct mbr_part *part)
{
	uint64_t at = part->at.bytes, len_bytes = part->len_bytes;
	int rc = 0;

	if (!len_bytes)
		return 0;
	if (part->flags & MBR_MAY_PUNCH)
		rc = allocate(f->m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len_bytes, &f->lacks_punch);
	if (rc == 0)
		rc = allocate(f->m.fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, at, len_bytes, &f->lacks_zero_range);
	if (rc == 0)
		rc = write_zeroes(f, len_bytes, at);
	if (rc < 0)
		return rc;
	return part->flags & MBR_DURABLE ? flush(&f->m) : 0;
}

static bool is_all_zero(const uint8_t *data, uint64_t len_bytes)
{
	return len_bytes && !data[0] && !memcmp(data, data + 1, len_bytes - 1);
}

/* ENXIO: no data up to the end. Only files tell; the file offset that lseek moves is used by nobody. */
static bool is_hole(const struct member *m, const struct mbr_part *part)
{
	off_t data_at;

	if (m->is_block_device)
		return false;
	data_at = lseek(m->fd, (off_t)part->at.bytes, SEEK_DATA);
	return data_at < 0 ? errno == ENXIO : (uint64_t)data_at >= part->at.bytes + part->len_bytes;
}

static int write_part(struct file_member *f, const struct mbr_part *part)
{
	if (part->flags & MBR_KEEP_HOLES && is_all_zero(part->data, part->len_bytes)) {
		struct mbr_part hole = { .op = MBR_ZERO, .flags = (part->flags & MBR_DURABLE) | MBR_MAY_PUNCH,
					 .at = part->at, .len_bytes = part->len_bytes };

		/* A hole may be a punch that no flush has seen yet: durable is more than reading zeroes. */
		if (is_hole(&f->m, part))
			return part->flags & MBR_DURABLE ? flush(&f->m) : 0;
		return zero(f, &hole);
	}
	return write_all(f, part->data, part->len_bytes, part->at.bytes, part->flags & MBR_DURABLE);
}

/* ---- the ops ---- */

static int change(struct file_member *f, const struct mbr_part *part)
{
	if (part->op == MBR_FLUSH)
		return flush(&f->m);
	return part->op == MBR_WRITE ? write_part(f, part) : zero(f, part);
}

static int change_stably(struct file_member *f, const struct mbr_part *part)
{
	int rc;

	pthread_mutex_lock(&f->stable_lock);
	rc = f->stable_error ? f->stable_error : change(f, part);
	f->stable_error = rc;
	pthread_mutex_unlock(&f->stable_lock);
	return rc;
}

static int run_part(struct member *m, const struct mbr_part *part)
{
	uint64_t end;

	if (!add_fits(part->at.bytes, part->len_bytes, &end) || end > m->size_bytes)
		return -EIO;
	if (part->op == MBR_READ)
		return read_all(file_of(m), part->data, part->len_bytes, part->at.bytes);
	if (m->is_readonly)
		return part->op == MBR_FLUSH ? 0 : -EROFS;
	if (file_of(m)->direct && part->op != MBR_FLUSH && !mbr_direct_may_change(part->at.bytes, part->len_bytes))
		return -EINVAL;
	if (part->op == MBR_FLUSH || part->flags & MBR_DURABLE)
		return change_stably(file_of(m), part);
	return change(file_of(m), part);
}

static void file_run(struct member *m, struct mbr_part *parts, uint32_t part_count)
{
	int rc = 0;

	for (uint32_t i = 0; i < part_count; i++) {
		if (rc == 0)
			rc = run_part(m, &parts[i]);
		parts[i].rc = rc;
	}
}

static void file_close(struct member *m)
{
	close(m->fd);
	pthread_mutex_destroy(&file_of(m)->stable_lock);
	mbr_direct_free(file_of(m)->direct);
	mem_free(m->path);
	mem_free(m);
}

static const struct member_ops file_ops = { .run = file_run, .close = file_close };

int mbr_file_new(const char *path, int fd, uint64_t size_bytes, bool is_readonly, bool is_block_device,
		 struct member **ret_member)
{
	struct file_member *f = mem_new(1, sizeof *f);
	size_t path_bytes = strlen(path) + 1;

	if (!f)
		return -ENOMEM;
	f->m = (struct member){ .ops = &file_ops, .path = mem_new(1, path_bytes), .size_bytes = size_bytes,
				.is_readonly = is_readonly, .is_block_device = is_block_device, .fd = fd };
	f->direct = fcntl(fd, F_GETFL) & O_DIRECT ? mbr_direct_new() : NULL;
	if (!f->m.path || (!f->direct && fcntl(fd, F_GETFL) & O_DIRECT)) {
		mbr_direct_free(f->direct);
		mem_free(f->m.path);
		mem_free(f);
		return -ENOMEM;
	}
	memcpy(f->m.path, path, path_bytes);
	pthread_mutex_init(&f->stable_lock, NULL);
	*ret_member = &f->m;
	return 0;
}
