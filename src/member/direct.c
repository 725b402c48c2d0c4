/* Past every cache: O_DIRECT for those who share members with other machines, or want no second copy in memory.
 *
 * The kernel then wants buffers, places and lengths on borders of the device's blocks. Callers of this room know
 * sectors only, and their buffers lie anywhere, so:
 *
 *	buffer not on a border      through a buffer of ours, piece by piece; a few are kept, for many threads
 *	read not on a border        the sectors around it are read, and what was asked for is handed over
 *	write not on a border       -EINVAL: what stands beside it may be another node's, and is not ours to write again
 *
 * How large the borders are is tried, not asked: one read of 512 bytes to a place in memory that is a multiple of 512
 * and no more. Where that does not go, the member is refused when it is opened: on a device with blocks of 4096 bytes
 * every superblock and every client's sector would be such a write.
 *
 * Left out: io_uring; devices with blocks larger than a sector. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "member/inside.h"

enum { BORDER_BYTES = 512, PIECE_BYTES = 512 * 1024, MEMORY_BORDER_BYTES = 4096, KEPT_MAX = 8 };

struct mbr_direct {
	pthread_mutex_t lock;
	uint32_t kept_count;
	uint8_t *kept[KEPT_MAX];
};

/* ---- may it be done here ---- */

static int try_read(int fd, size_t len_bytes)
{
	uint8_t *space;
	ssize_t n;
	int rc;

	if (posix_memalign((void **)&space, MEMORY_BORDER_BYTES, 2 * MEMORY_BORDER_BYTES) != 0)
		return -ENOMEM;
	n = pread(fd, space + (len_bytes % MEMORY_BORDER_BYTES), len_bytes, 0);
	rc = n < 0 ? -errno : 0;
	free(space);
	return rc;
}

int mbr_direct_begin(int fd, const char *shown, struct err *err)
{
	int rc;

	if (fcntl(fd, F_SETFL, O_DIRECT) < 0)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s cannot be used past the cache (direct): its file system "
			       "has no O_DIRECT (%s); nothing was written; a block device, or a file on ext4 or xfs, "
			       "would go on", shown, strerror(errno));
	rc = try_read(fd, BORDER_BYTES);
	if (rc == -EINVAL && try_read(fd, MEMORY_BORDER_BYTES) == 0)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s cannot be used past the cache (direct): it reads and "
			       "writes blocks larger than the %d bytes of a sector there; nothing was written; a "
			       "device with blocks of %d bytes would go on", shown, BORDER_BYTES, BORDER_BYTES);
	if (rc < 0)
		return err_set(err, rc, "%s cannot be used past the cache (direct): a first read of %d bytes failed: "
			       "%s; nothing was written", shown, BORDER_BYTES, strerror(-rc));
	return 0;
}

/* ---- buffers ---- */

struct mbr_direct *mbr_direct_new(void)
{
	struct mbr_direct *d = mem_new(1, sizeof *d);

	if (d)
		pthread_mutex_init(&d->lock, NULL);
	return d;
}

struct mbr_direct *mbr_direct_free(struct mbr_direct *d)
{
	if (!d)
		return NULL;
	while (d->kept_count)
		free(d->kept[--d->kept_count]);
	pthread_mutex_destroy(&d->lock);
	return mem_free(d);
}

static uint8_t *take_buffer(struct mbr_direct *d)
{
	uint8_t *buffer = NULL;

	pthread_mutex_lock(&d->lock);
	if (d->kept_count)
		buffer = d->kept[--d->kept_count];
	pthread_mutex_unlock(&d->lock);
	if (!buffer && posix_memalign((void **)&buffer, MEMORY_BORDER_BYTES, PIECE_BYTES) != 0)
		return NULL;
	return buffer;
}

static void give_buffer(struct mbr_direct *d, uint8_t *buffer)
{
	pthread_mutex_lock(&d->lock);
	if (d->kept_count < KEPT_MAX) {
		d->kept[d->kept_count++] = buffer;
		buffer = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	free(buffer);
}

/* ---- reading and writing ---- */

bool mbr_direct_fits(const void *data, uint64_t at, uint64_t len_bytes)
{
	return ((uintptr_t)data | at | len_bytes) % BORDER_BYTES == 0;
}

bool mbr_direct_may_change(uint64_t at, uint64_t len_bytes)
{
	return (at | len_bytes) % BORDER_BYTES == 0;
}

/* At least @need_bytes of @len_bytes: behind them the member may end. */
static int read_at_least(int fd, uint8_t *data, uint64_t len_bytes, uint64_t at, uint64_t need_bytes)
{
	uint64_t done = 0;

	while (done < need_bytes) {
		ssize_t n = pread(fd, data + done, len_bytes - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (uint64_t)n;
	}
	return 0;
}

int mbr_direct_read(struct mbr_direct *d, int fd, uint8_t *data, uint64_t len_bytes, uint64_t at)
{
	uint8_t *buffer = take_buffer(d);
	int rc = buffer ? 0 : -ENOMEM;

	while (rc == 0 && len_bytes) {
		uint64_t before = at % BORDER_BYTES, piece = min_u64(len_bytes, PIECE_BYTES - before);

		rc = read_at_least(fd, buffer, round_up(before + piece, BORDER_BYTES), at - before, before + piece);
		if (rc < 0)
			break;
		memcpy(data, buffer + before, piece);
		data += piece;
		at += piece;
		len_bytes -= piece;
	}
	if (buffer)
		give_buffer(d, buffer);
	return rc;
}

int mbr_direct_write(struct mbr_direct *d, const uint8_t *data, uint64_t len_bytes, uint64_t at, mbr_direct_put put,
		     void *opaque)
{
	uint8_t *buffer = take_buffer(d);
	int rc = buffer ? 0 : -ENOMEM;

	while (rc == 0 && len_bytes) {
		uint64_t piece = min_u64(len_bytes, PIECE_BYTES);

		memcpy(buffer, data, piece);
		rc = put(opaque, buffer, piece, at);
		data += piece;
		at += piece;
		len_bytes -= piece;
	}
	if (buffer)
		give_buffer(d, buffer);
	return rc;
}
