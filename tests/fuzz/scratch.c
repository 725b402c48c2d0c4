/* Scratch members. They have names, since that is how a member is opened, and the names go when the process ends, also
 * by a signal: whoever starts clears what the dead left. */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 4 };

static struct {
	char path[64];
	int fd;
} files[FILES_MAX];

static void remove_all(void)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (files[i].path[0])
			unlink(files[i].path);
}

/* Files are named umd-fuzz-PID-INDEX. */
static void remove_of_the_dead(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512];
	int pid;

	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "umd-fuzz-%d-", &pid) != 1 || kill(pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
}

const char *scratch_file(unsigned index, int *ret_fd)
{
	const char *folder = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	FUZZ_MUST(index < FILES_MAX);
	if (!index && !files[0].path[0]) {
		remove_of_the_dead(folder);
		atexit(remove_all);
	}
	if (!files[index].path[0]) {
		snprintf(files[index].path, sizeof files[index].path, "%s/umd-fuzz-%d-%u", folder, getpid(), index);
		files[index].fd = open(files[index].path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		FUZZ_MUST(files[index].fd >= 0);
	}
	*ret_fd = files[index].fd;
	return files[index].path;
}

void scratch_empty(int fd, uint64_t size_bytes)
{
	FUZZ_MUST(ftruncate(fd, 0) == 0 && ftruncate(fd, (off_t)size_bytes) == 0);
}

void scratch_write(int fd, uint64_t at, const uint8_t *data, size_t len_bytes)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (at >= (uint64_t)size)
		return;
	if (len_bytes > (uint64_t)size - at)
		len_bytes = (uint64_t)size - at;
	FUZZ_MUST(!len_bytes || pwrite(fd, data, len_bytes, (off_t)at) == (ssize_t)len_bytes);
}
