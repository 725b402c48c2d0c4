/* Scratch members for the tests of this room: a file, and a loop device on one where the machine has any. */
#ifndef TESTS_MEMBER_SCRATCH_H
#define TESTS_MEMBER_SCRATCH_H

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* @path ends in XXXXXX. Returns the descriptor of an empty file of @bytes. */
static inline int scratch_file(char *path, off_t bytes)
{
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, bytes) < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* Put a loop device on @backing_fd. Returns its descriptor, or -1 with the reason in @ret_path. */
static inline int scratch_loop(int backing_fd, char ret_path[64])
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), index, fd;

	index = control >= 0 ? ioctl(control, LOOP_CTL_GET_FREE) : -1;
	if (control >= 0)
		close(control);
	snprintf(ret_path, 64, "/dev/loop%d", index);
	fd = index >= 0 ? open(ret_path, O_RDWR | O_CLOEXEC) : -1;
	if (fd >= 0 && ioctl(fd, LOOP_SET_FD, backing_fd) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	snprintf(ret_path, 64, "no loop device can be made here");
	return -1;
}

static inline void scratch_loop_end(int loop_fd)
{
	ioctl(loop_fd, LOOP_CLR_FD, 0);
	close(loop_fd);
}

#endif
