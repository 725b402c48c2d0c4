/* Goal: every kind of member reads what was written, zeroes what was trimmed and stays inside its bounds.
 * Method: the same statements run over a file on disk, a file in memory (tmpfs) and a loop device; through the cache,
 * and past it (O_DIRECT), where a change of less than a sector is refused instead.
 * Law: I7 (no byte outside), the contract in member/member.h.
 * Source: design section 4 (trim is write-zeroes that may punch), section 2 (member paths). */
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include "member/member.h"
#include "tap.h"

#include "scratch.h"

enum { MEMBER_BYTES = 8 << 20, PIECE_BYTES = 256 << 10 };

static uint8_t pattern[PIECE_BYTES], found[PIECE_BYTES], nothing[PIECE_BYTES];

static bool reads_as(struct member *m, uint64_t at, const uint8_t *wanted, size_t len_bytes)
{
	memset(found, 0x55, sizeof found);
	return mbr_read(m, (member_off){ at }, found, len_bytes) == 0 && !memcmp(found, wanted, len_bytes);
}

static bool is_direct(const struct member *m)
{
	return fcntl(m->fd, F_GETFL) & O_DIRECT;
}

static int run(struct member *m, enum mbr_op op, unsigned flags, uint64_t at, uint64_t len_bytes, void *data)
{
	struct mbr_part part = { .op = op, .flags = flags, .at = { at }, .len_bytes = len_bytes, .data = data,
				 .rc = 1 };

	m->ops->run(m, &part, 1);
	return part.rc;
}

static void check_writes(struct member *m, const char *kind)
{
	ok(mbr_write(m, (member_off){ 4096 }, pattern, sizeof pattern, false) == 0 &&
	   reads_as(m, 4096, pattern, sizeof pattern),
	   "%s: what was written is read", kind);
	ok(mbr_write(m, (member_off){ 1 << 20 }, pattern, 512, true) == 0 && reads_as(m, 1 << 20, pattern, 512),
	   "%s: a durable write is read", kind);
	if (is_direct(m))
		ok(mbr_write(m, (member_off){ (1 << 20) + 513 }, pattern, 100, true) == -EINVAL &&
		   reads_as(m, (1 << 20) + 77, pattern + 77, 400),
		   "%s: part of a sector is read at any offset, and never written", kind);
	else
		ok(mbr_write(m, (member_off){ (1 << 20) + 513 }, pattern, 100, true) == 0 &&
		   reads_as(m, (1 << 20) + 513, pattern, 100),
		   "%s: any offset and length will do", kind);
	ok(mbr_flush(m) == 0, "%s: a flush succeeds", kind);
}

static void check_zero(struct member *m, const char *kind, unsigned flags, const char *how)
{
	int rc;

	mbr_write(m, (member_off){ 0 }, pattern, sizeof pattern, false);
	rc = run(m, MBR_ZERO, flags, 8192, 65536, NULL);
	ok(rc == 0 && reads_as(m, 8192, nothing, 65536), "%s: zeroes are read (%s)", kind, how);
	ok(reads_as(m, 0, pattern, 8192), "%s: the bytes before are untouched (%s)", kind, how);
	ok(mbr_read(m, (member_off){ 73728 }, found, 4096) == 0 && !memcmp(found, pattern + 73728, 4096),
	   "%s: the bytes behind are untouched (%s)", kind, how);
	rc = run(m, MBR_ZERO, flags, 1000, 1001, NULL);
	if (is_direct(m)) {
		ok(rc == -EINVAL && reads_as(m, 0, pattern, 8192), "%s: odd ranges are refused (%s)", kind, how);
		return;
	}
	ok(rc == 0 && reads_as(m, 1000, nothing, 1001) && reads_as(m, 0, pattern, 1000), "%s: so are odd ranges (%s)",
	   kind, how);
}

static uint64_t allocated_bytes(const struct member *m)
{
	struct stat st;

	return fstat(m->fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : UINT64_MAX;
}

static void check_holes(struct member *m, const char *kind)
{
	uint64_t before;

	run(m, MBR_ZERO, MBR_MAY_PUNCH, 0, MEMBER_BYTES, NULL);
	mbr_flush(m);
	before = allocated_bytes(m);
	ok(run(m, MBR_WRITE, MBR_KEEP_HOLES, 1 << 20, PIECE_BYTES, nothing) == 0 &&
	   reads_as(m, 1 << 20, nothing, PIECE_BYTES),
	   "%s: zeroes carried over a hole read as zeroes", kind);
	if (!m->is_block_device)
		is_u64(allocated_bytes(m), before, "%s: and take no room", kind);

	mbr_write(m, (member_off){ 2 << 20 }, pattern, sizeof pattern, true);
	ok(run(m, MBR_WRITE, MBR_KEEP_HOLES | MBR_DURABLE, 2 << 20, PIECE_BYTES, nothing) == 0 &&
	   reads_as(m, 2 << 20, nothing, PIECE_BYTES), "%s: zeroes carried over data read as zeroes", kind);
	nothing[PIECE_BYTES - 1] = 1;
	ok(run(m, MBR_WRITE, MBR_KEEP_HOLES, 3 << 20, PIECE_BYTES, nothing) == 0 &&
	   reads_as(m, 3 << 20, nothing, PIECE_BYTES),
	   "%s: one byte that is not zero is data", kind);
	nothing[PIECE_BYTES - 1] = 0;
}

static void check_bounds(struct member *m, const char *kind)
{
	struct stat before, after;

	fstat(m->fd, &before);
	ok(mbr_write(m, (member_off){ MEMBER_BYTES - 512 }, pattern, 1024, false) == -EIO,
	   "%s: a write over the end is EIO", kind);
	ok(run(m, MBR_ZERO, 0, MEMBER_BYTES, 512, NULL) == -EIO, "%s: zeroes behind the end are EIO", kind);
	ok(mbr_read(m, (member_off){ MEMBER_BYTES - 512 }, found, 1024) == -EIO, "%s: a read over the end is EIO",
	   kind);
	ok(mbr_read(m, (member_off){ UINT64_MAX - 5 }, found, 512) == -EIO, "%s: an offset that wraps is EIO", kind);
	fstat(m->fd, &after);
	ok(before.st_size == after.st_size, "%s: the member did not grow", kind);
	ok(mbr_write(m, (member_off){ MEMBER_BYTES - 512 }, pattern, 512, false) == 0,
	   "%s: the last sector can be written", kind);
}

static void check_batches(struct member *m, const char *kind)
{
	struct mbr_part parts[3] = {
		{ .op = MBR_WRITE, .at = { 0 }, .len_bytes = 512, .data = pattern + 512 },
		{ .op = MBR_WRITE, .at = { MEMBER_BYTES }, .len_bytes = 512, .data = pattern },
		{ .op = MBR_WRITE, .at = { 0 }, .len_bytes = 512, .data = pattern + 1024 },
	};

	m->ops->run(m, parts, 3);
	ok(parts[0].rc == 0 && parts[1].rc == -EIO && parts[2].rc == -EIO,
	   "%s: after a failed part the rest fails alike", kind);
	ok(reads_as(m, 0, pattern + 512, 512), "%s: and was not tried", kind);
}

static void check_readonly(const char *path, const char *kind)
{
	struct member *m = NULL;
	struct err err;

	if (!ok(mbr_open(path, -1, MBR_LOCK_SHARED, &m, &err) == 0, "%s: opens read-only", kind))
		return;
	ok(mbr_write(m, (member_off){ 0 }, nothing, 512, false) == -EROFS &&
	   run(m, MBR_ZERO, 0, 0, 512, NULL) == -EROFS,
	   "%s: a read-only member refuses writes", kind);
	ok(reads_as(m, 0, pattern + 512, 512), "%s: and its bytes stay", kind);
	mbr_close(m);
}

static void check_all(const char *path, unsigned how, const char *kind)
{
	struct member *m = NULL;
	struct err err = { 0 };

	if (!ok(mbr_open(path, -1, MBR_LOCK_EXCLUSIVE | how, &m, &err) == 0, "%s: opens (%s)", kind, err.text))
		return;
	is_u64(m->size_bytes, MEMBER_BYTES, "%s: its size is known", kind);
	check_writes(m, kind);
	check_zero(m, kind, 0, "zero");
	check_zero(m, kind, MBR_MAY_PUNCH, "punch");
	check_zero(m, kind, MBR_MAY_PUNCH | MBR_DURABLE, "durable punch");
	check_holes(m, kind);
	check_bounds(m, kind);
	check_batches(m, kind);
	mbr_close(m);
	check_readonly(path, kind);
}

static void check_loop(void)
{
	char backing[] = "/var/tmp/umd-member-XXXXXX", path[64];
	int backing_fd = scratch_file(backing, MEMBER_BYTES), loop_fd = scratch_loop(backing_fd, path);

	if (loop_fd < 0) {
		ok(true, "block device # SKIP %s", path);
	} else {
		check_all(path, 0, "block device");
		check_all(path, MBR_DIRECT, "direct block device");
		scratch_loop_end(loop_fd);
	}
	close(backing_fd);
	unlink(backing);
}

int main(void)
{
	char disk[] = "/var/tmp/umd-member-XXXXXX", memory[] = "/dev/shm/umd-member-XXXXXX";

	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 7 + i / 512 + 1);
	close(scratch_file(disk, MEMBER_BYTES));
	check_all(disk, 0, "file");
	check_all(disk, MBR_DIRECT, "direct file");
	unlink(disk);
	if (access("/dev/shm", W_OK) < 0) {
		ok(true, "tmpfs # SKIP /dev/shm cannot be written");
	} else {
		close(scratch_file(memory, MEMBER_BYTES));
		check_all(memory, 0, "tmpfs");
		unlink(memory);
	}
	check_loop();
	return tap_end();
}
