/* What is written to new_dev, opened.
 *
 * The server opens no path that a client names: it is opened here, with the rights of whoever mounted, and the
 * descriptor goes along with the value. A path must be absolute: a relative one would be looked for in this process's
 * working directory, which is nobody's. MAJOR:MINOR is md's own way to name a block device.
 *
 * Left out: whether the member fits. That is the server's to say. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

enum { DEVICE_BYTES = 64 + NAME_MAX };

/* "MAJOR:MINOR" has its node in /dev/block where there is a udev, else under the name that the kernel gave it. */
static int find_block_device(const char *text, char ret_path[DEVICE_BYTES])
{
	unsigned major, minor;
	char line[DEVICE_BYTES], after;
	FILE *f;
	int rc = -ENXIO;

	if (sscanf(text, "%u:%u%c", &major, &minor, &after) != 2)
		return -EINVAL;
	snprintf(ret_path, 64, "/dev/block/%u:%u", major, minor);
	if (access(ret_path, F_OK) == 0)
		return 0;
	snprintf(line, sizeof line, "/sys/dev/block/%u:%u/uevent", major, minor);
	f = fopen(line, "re");
	while (f && rc < 0 && fgets(line, sizeof line, f)) {
		if (strncmp(line, "DEVNAME=", 8))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(ret_path, DEVICE_BYTES, "/dev/%s", line + 8);
		rc = 0;
	}
	if (f)
		fclose(f);
	return rc;
}

/* Without O_EXCL: the server claims a block device for itself, and would find us in its way. */
static int open_member(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -EINVAL;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int member_open(const char *value, size_t len)
{
	char text[PATH_MAX], device[DEVICE_BYTES];
	int rc;

	if (len && value[len - 1] == '\n')
		len--;
	if (!len || len >= sizeof text || memchr(value, 0, len))
		return -EINVAL;
	memcpy(text, value, len);
	text[len] = 0;
	if (text[0] == '/')
		return open_member(text);
	rc = find_block_device(text, device);
	return rc < 0 ? rc : open_member(device);
}
