/* Goal:   after one failed flush no flush and no durable write of that member succeeds any more.
 * Method: the program brings its own fdatasync, which fails once and then succeeds, as a page cache does.
 * Law:    I1.
 * Source: design, section 4: a failed flush fails the member, page caches forget after one error. */
#include <errno.h>
#include <stdlib.h>

#include "member/member.h"
#include "scratch.h"
#include "tap.h"

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static unsigned failures_left;

int __wrap_fdatasync(int fd)
{
	if (!failures_left)
		return __real_fdatasync(fd);
	failures_left--;
	errno = EIO;
	return -1;
}

int main(void)
{
	char path[] = "/tmp/umd-lost.XXXXXX", data[4096] = "data";
	struct member *m = NULL;
	struct err err = { 0 };

	close(scratch_file(path, 1 << 20));
	if (!ok(mbr_open(path, -1, MBR_LOCK_EXCLUSIVE, &m, &err) == 0, "open %s", err.text))
		return tap_end();
	ok(mbr_write(m, (member_off){ 0 }, data, sizeof data, true) == 0 && mbr_flush(m) == 0,
	   "a sound member is written and flushed");
	failures_left = 1;
	ok(mbr_flush(m) == -EIO, "the flush that meets the lost write fails");
	ok(failures_left == 0 && mbr_flush(m) == -EIO, "so does the next one, although the kernel has forgotten");
	ok(mbr_write(m, (member_off){ 0 }, data, sizeof data, true) == -EIO, "and a durable write");
	ok(mbr_read(m, (member_off){ 0 }, data, sizeof data) == 0, "reads go on");
	mbr_close(m);
	unlink(path);
	return tap_end();
}
