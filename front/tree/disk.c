/* The array as one file: a second mount whose root is a regular file.
 *
 * It is as long as the array, and empty while the array does not run. Reads and writes go to the NBD server as they
 * come: the kernel caches nothing, so this file and other clients of the array always agree. fsync is a flush, a write
 * with O_SYNC or O_DSYNC is durable when it returns, fallocate punches or zeroes. Like a block device it cannot be
 * truncated (that is accepted and does nothing), and a write beyond its end is ENOSPC.
 *
 * The size that is shown is asked of the control socket: connections exist while somebody has the file open, since one
 * that nobody uses would keep the array from being stopped.
 *
 * Left out: mmap that is shared, which direct I/O does not have. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

enum { BLOCK_BYTES = 4096, ZERO_BYTES_MAX = 1 << 30 };

static struct disk *disk_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(req);
	struct ask_detail detail;
	struct stat st;
	int rc = ask_detail(d->name, &detail);

	if (rc < 0) {
		fuse_reply_err(req, rc == ASK_GONE ? ENODEV : -rc);
		return;
	}
	st = (struct stat){ .st_ino = ino, .st_mode = S_IFREG | (detail.is_readonly ? 0400 : 0600), .st_nlink = 1,
			    .st_uid = geteuid(), .st_gid = getegid(), .st_blksize = BLOCK_BYTES,
			    .st_size = (off_t)detail.size_bytes, .st_blocks = (blkcnt_t)(detail.size_bytes / 512),
			    .st_atim = d->began, .st_mtim = d->began, .st_ctim = d->began };
	fuse_reply_attr(req, &st, 0);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what, struct fuse_file_info *fi)
{
	if (what & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		fuse_reply_err(req, EPERM);
	else
		op_getattr(req, ino, fi);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(req);
	struct ask_detail detail;

	if ((fi->flags & O_ACCMODE) != O_RDONLY && ask_detail(d->name, &detail) == 0 && detail.is_readonly) {
		fuse_reply_err(req, EROFS);
		return;
	}
	pool_open(d->pool);
	fi->direct_io = 1;
	fi->noflush = 1;	/* closing promises nothing */
	fuse_reply_open(req, fi);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	pool_close(disk_of(req)->pool);
	fuse_reply_err(req, 0);
}

/* How much of a request lies before the end. */
static size_t within(uint64_t size, uint64_t at, size_t len)
{
	return at >= size ? 0 : size - at < len ? (size_t)(size - at) : len;
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t len, off_t at, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(req);
	struct pool_request r = { .action = POOL_READ, .at = (uint64_t)at };
	int rc = 0;

	r.len = within(pool_size(d->pool), r.at, len);
	if (r.len) {
		r.data = malloc(r.len);
		rc = r.data ? pool_run(d->pool, &r) : -ENOMEM;
	}
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_buf(req, r.data, r.len);
	free(r.data);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t len, off_t at,
		     struct fuse_file_info *fi)
{
	struct disk *d = disk_of(req);
	uint64_t size = pool_size(d->pool);
	struct pool_request r = { .action = POOL_WRITE, .data = (void *)data, .at = (uint64_t)at,
				  .len = within(size, (uint64_t)at, len),
				  .is_durable = (fi->flags & (O_SYNC | O_DSYNC)) != 0 };
	int rc = !size ? -ENXIO : !r.len ? -ENOSPC : pool_run(d->pool, &r);

	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, r.len);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(req);
	int rc = pool_size(d->pool) ? pool_run(d->pool, &(struct pool_request){ .action = POOL_FLUSH }) : 0;

	fuse_reply_err(req, -rc);
}

static int zero(struct disk *d, enum pool_action action, uint64_t at, uint64_t len)
{
	int rc = 0;

	while (len && rc == 0) {
		size_t part = len < ZERO_BYTES_MAX ? (size_t)len : ZERO_BYTES_MAX;

		rc = pool_run(d->pool, &(struct pool_request){ .action = action, .at = at, .len = part });
		at += part;
		len -= part;
	}
	return rc;
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t at, off_t len, struct fuse_file_info *fi)
{
	struct disk *d = disk_of(req);
	uint64_t size = pool_size(d->pool), from = (uint64_t)at, count = (uint64_t)len;
	int rc;

	if (from < size && count > size - from && (mode & FALLOC_FL_KEEP_SIZE))
		count = size - from;
	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		rc = from >= size ? 0 : zero(d, POOL_PUNCH, from, count);
	else if ((mode & ~FALLOC_FL_KEEP_SIZE) != FALLOC_FL_ZERO_RANGE)
		rc = -EOPNOTSUPP;
	else
		rc = from >= size || count > size - from ? -ENOSPC : zero(d, POOL_ZERO, from, count);
	fuse_reply_err(req, -rc);
}

const struct fuse_lowlevel_ops disk_ops = {
	.getattr = op_getattr,
	.setattr = op_setattr,
	.open = op_open,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
};
