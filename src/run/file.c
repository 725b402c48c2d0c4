/* The file that holds an array's bitmap: opened, made, filled.
 *
 * It is opened, judged and locked as members are (member/open.c), but must be a regular file: a block device has a
 * size of its own, and somebody else's data. It cannot lie on a file system that lies on a member: each write of the
 * array would wait for itself. That is seen where the member is the very device; through other layers it is not.
 *
 * All bits of a new one are set until the running array writes its own: whatever a cut leaves of it has too many at
 * worst. Left out: what is in it (assembly/file.c), when it is written (array/store.c). */
#include "run/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "look/look.h"

enum { PATH_SHOWN_BYTES = 256, FILE_MODE = 0600 };

static int check_kind(const char *shown, const struct stat *st, struct err *err)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return err_set(err, S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL,
		       "%.*s is %s: a bitmap file is a regular file; nothing was written", PATH_SHOWN_BYTES, shown,
		       S_ISDIR(st->st_mode) ? "a directory" :
		       S_ISBLK(st->st_mode) ? "a block device" : "not a regular file");
}

static int check_members(const char *shown, const struct stat *st, struct member *const *members, uint32_t count,
			 struct err *err)
{
	for (uint32_t i = 0; i < count; i++) {
		struct stat m;

		if (!members[i] || members[i]->fd < 0 || fstat(members[i]->fd, &m) < 0)
			continue;
		if (m.st_dev == st->st_dev && m.st_ino == st->st_ino)
			return err_set(err, UMD_E_MEMBER_BUSY,
				       "%.*s is a member of the array: it cannot be its bitmap file as well; nothing "
				       "was written", PATH_SHOWN_BYTES, shown);
		if (S_ISBLK(m.st_mode) && m.st_rdev == st->st_dev)
			return err_set(err, UMD_E_MEMBER_BUSY,
				       "%.*s lies on a member of the array: it cannot be its bitmap file; nothing was "
				       "written", PATH_SHOWN_BYTES, shown);
	}
	return 0;
}

static int check(const char *path, const char *shown, int fd, struct member *const *members, uint32_t count,
		 struct err *err)
{
	struct stat st;
	int rc;

	if ((fd < 0 ? stat(path, &st) : fstat(fd, &st)) < 0)
		return err_set(err, -errno, "cannot open the bitmap file %.*s: %s; nothing was written",
			       PATH_SHOWN_BYTES, shown, strerror(errno));
	rc = check_kind(shown, &st, err);
	return rc < 0 ? rc : check_members(shown, &st, members, count, err);
}

int run_file_open(const char *path, int fd, bool is_readonly, struct member *const *members, uint32_t count,
		  struct member **ret_file, struct err *err)
{
	char *shown = look_escaped(path);
	int rc = shown ? check(path, shown, fd, members, count, err) : err_set(err, -ENOMEM, "no memory");

	mem_free(shown);
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	return mbr_open(path, fd, is_readonly ? MBR_LOCK_SHARED : MBR_LOCK_EXCLUSIVE, ret_file, err);
}

/* ---- a new one ---- */

/* The name is durable, too. */
static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int rc = fd < 0 ? -errno : fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

int run_file_make(const char *path, bool force, struct member **ret_file, struct err *err)
{
	char *shown = look_escaped(path);
	int fd, rc;

	if (!shown)
		return err_set(err, -ENOMEM, "no memory");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (force ? 0 : O_EXCL), FILE_MODE);
	rc = fd < 0 ? -errno : sync_folder(path);
	if (rc == -EEXIST)
		err_set(err, rc, "%.*s exists: it does not become a bitmap file without --force; nothing was written",
			PATH_SHOWN_BYTES, shown);
	else if (rc < 0)
		err_set(err, rc, "cannot make the bitmap file %.*s: %s; nothing was written", PATH_SHOWN_BYTES, shown,
			strerror(-rc));
	mem_free(shown);
	if (rc == 0)
		return run_file_open(path, fd, false, NULL, 0, ret_file, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

int run_file_fill(struct member *file, const struct bitmap_sb *sb, uint8_t fill, struct err *err)
{
	uint64_t len_bytes = fmt_bitmap_bytes(sb);
	uint8_t *bytes = mem_new(1, len_bytes);
	int rc = bytes ? 0 : -ENOMEM;

	if (rc == 0) {
		memset(bytes, fill, len_bytes);
		fmt_bitmap_sb_encode(sb, bytes);
		rc = ftruncate(file->fd, (off_t)len_bytes) < 0 ? -errno : 0;
	}
	if (rc == 0) {
		file->size_bytes = len_bytes;
		rc = mbr_write(file, (member_off){ 0 }, bytes, len_bytes, false);
	}
	/* Its length as well, which fdatasync need not keep where only that has changed. */
	if (rc == 0 && fsync(file->fd) < 0)
		rc = -errno;
	mem_free(bytes);
	return rc == 0 ? 0 : err_set(err, rc, "the bitmap file of %llu bytes could not be written: %s",
				     (unsigned long long)len_bytes, err_sentence(rc));
}
