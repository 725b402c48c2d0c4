/* Who holds a member: answers for sentences, and the kernel's own users that no lock shows.
 *
 * A lock query (F_OFD_GETLK) tells no process, so the fdinfo files of all processes that we may read are searched for
 * a lock line with the member's device and inode. The kernel's users: loop devices take no lock on their file, device
 * mapper and md show up as holders in sysfs, file systems in the mount table, swap in its own.
 *
 * Left out: what another mount namespace shows under another path; where nothing can be told the answer is
 * "another process". */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.h"
#include "member/inside.h"

const char *mbr_shown(const char *path, char ret[MBR_SHOWN_BYTES])
{
	struct text t = { 0 };
	char *shown;
	int len;

	text_add_escaped(&t, path, strlen(path));
	shown = text_take(&t);
	len = snprintf(ret, MBR_SHOWN_BYTES, "%s", shown ? shown : "(a path)");
	if (len >= MBR_SHOWN_BYTES)
		memcpy(ret + MBR_SHOWN_BYTES - 4, "...", 4);
	free(shown);
	return ret;
}

static bool is_number(const char *s)
{
	return isdigit((unsigned char)s[0]) && strspn(s, "0123456789") == strlen(s);
}

/* One line of at most @bytes - 1 characters without its newline; "" where it cannot be read. */
static void read_line(const char *path, char *ret, size_t bytes)
{
	FILE *f = fopen(path, "re");

	ret[0] = 0;
	if (!f)
		return;
	if (fgets(ret, (int)bytes, f))
		ret[strcspn(ret, "\n")] = 0;
	fclose(f);
}

/* ---- locks ---- */

/* "lock:	1: OFDLCK  ADVISORY  WRITE -1 08:01:12345 0 EOF"; the device is in hexadecimal. */
static bool line_locks(const char *line, const struct stat *st)
{
	unsigned dev_major, dev_minor;
	unsigned long inode;
	char kind[16];

	return sscanf(line, "lock: %*d: %15s %*s %*s %*d %x:%x:%lu", kind, &dev_major, &dev_minor, &inode) == 4 &&
	       (!strcmp(kind, "OFDLCK") || !strcmp(kind, "POSIX")) &&
	       dev_major == major(st->st_dev) && dev_minor == minor(st->st_dev) && inode == st->st_ino;
}

static bool fdinfo_locks(int dir, const char *name, const struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	bool found = false;
	char line[256];

	if (!f) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && fgets(line, sizeof line, f))
		found = line_locks(line, st);
	fclose(f);
	return found;
}

static bool process_locks(const char *pid, const struct stat *st)
{
	char path[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = is_number(entry->d_name) && fdinfo_locks(dirfd(dir), entry->d_name, st);
	closedir(dir);
	return found;
}

static int find_process(const struct stat *st)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int pid = 0;

	if (!proc)
		return 0;
	while (!pid && (entry = readdir(proc)))
		if (is_number(entry->d_name) && process_locks(entry->d_name, st))
			pid = atoi(entry->d_name);
	closedir(proc);
	return pid;
}

int mbr_lock_holder(const struct stat *st, char *ret, size_t ret_bytes)
{
	int pid = find_process(st);
	char path[64], comm[32], shown[MBR_SHOWN_BYTES];

	if (!pid) {
		snprintf(ret, ret_bytes, "another process");
		return 0;
	}
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	read_line(path, comm, sizeof comm);
	snprintf(ret, ret_bytes, "pid %d (%s)", pid, mbr_shown(comm, shown));
	return pid;
}

void mbr_holder(const char *path, char *ret, size_t ret_bytes)
{
	struct stat st;

	if (stat(path, &st) < 0)
		snprintf(ret, ret_bytes, "another process");
	else
		mbr_lock_holder(&st, ret, ret_bytes);
}

/* ---- the kernel's users ---- */

static bool is_same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static bool loop_holds(const struct stat *st, char *ret, size_t ret_bytes)
{
	char path[300], backing[4096];
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir("/sys/block");

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof path, "/sys/block/%s/loop/backing_file", entry->d_name);
		read_line(path, backing, sizeof backing);
		found = backing[0] && is_same_file(backing, st);
		if (found)
			snprintf(ret, ret_bytes, "it backs /dev/%.40s", entry->d_name);
	}
	closedir(dir);
	return found;
}

static bool stacked_device_holds(dev_t device, char *ret, size_t ret_bytes)
{
	struct dirent *entry;
	bool found = false;
	char path[80];
	DIR *dir;

	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/holders", major(device), minor(device));
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		found = entry->d_name[0] != '.';
		if (found)
			snprintf(ret, ret_bytes, "/dev/%.60s is built on it", entry->d_name);
	}
	closedir(dir);
	return found;
}

static bool mount_holds(dev_t device, char *ret, size_t ret_bytes)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192], where[61];
	unsigned dev_major, dev_minor;
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof line, f)) {
		found = sscanf(line, "%*d %*d %u:%u %*s %60s", &dev_major, &dev_minor, where) == 3 &&
			dev_major == major(device) && dev_minor == minor(device);
		if (found)
			snprintf(ret, ret_bytes, "it is mounted on %s", where);
	}
	fclose(f);
	return found;
}

static bool swap_holds(const struct stat *st, char *ret, size_t ret_bytes)
{
	FILE *f = fopen("/proc/swaps", "re");
	char line[4096];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof line, f)) {
		line[strcspn(line, " \t\n")] = 0;
		found = line[0] == '/' && is_same_file(line, st);
	}
	fclose(f);
	if (found)
		snprintf(ret, ret_bytes, "the kernel swaps to it");
	return found;
}

bool mbr_kernel_holds(const struct stat *st, char *ret, size_t ret_bytes)
{
	if (S_ISBLK(st->st_mode) &&
	    (stacked_device_holds(st->st_rdev, ret, ret_bytes) || mount_holds(st->st_rdev, ret, ret_bytes)))
		return true;
	return loop_holds(st, ret, ret_bytes) || swap_holds(st, ret, ret_bytes);
}

/* A read lock would be refused by writers alone: other readers are nobody's concern. */
bool mbr_is_in_use(const struct member *m, char *ret, size_t ret_bytes)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	char who[MBR_HOLDER_BYTES];
	struct stat st;

	if (m->fd < 0 || fstat(m->fd, &st) < 0)
		return false;
	if (fcntl(m->fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return mbr_kernel_holds(&st, ret, ret_bytes);
	mbr_lock_holder(&st, who, sizeof who);
	snprintf(ret, ret_bytes, "it is in use by %s", who);
	return true;
}
