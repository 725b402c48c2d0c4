/* Which array has its bitmap in which file: superblocks cannot say it, so umd remembers it itself.
 *
 *	DIR/bitmap-files	{"ARRAY-UUID": "/absolute/path", ...}
 *
 * DIR is $UMD_STATE_DIR, else $XDG_STATE_HOME/umd, else /var/lib/umd (root), else ~/.local/state/umd. Like the run-time
 * directory it must be a real directory, ours, with mode 0700: nobody else can plant a path there. A change is a new
 * file that takes the old one's name when it is durable, so a cut leaves one of both; those who change it take a lock,
 * one after the other.
 *
 * It is a memory, no metadata: without it an array starts as Linux would start it. Left out: entries of arrays that are
 * gone for good (a line each). */
#include "run/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "format/sb1.h"
#include "run/json.h"

enum { DIR_BYTES = 4096, MEMORY_BYTES_MAX = 16 << 20 };

static const char memory_name[] = "bitmap-files", next_name[] = "bitmap-files.new", lock_name[] = "lock";

/* ---- the directory ---- */

static int find_dir(char ret[DIR_BYTES], struct err *err)
{
	const char *own = getenv("UMD_STATE_DIR"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len;

	if (own && own[0] && own[0] != '/')
		return err_set(err, -EINVAL, "UMD_STATE_DIR must be an absolute path");
	if (own && own[0])
		len = snprintf(ret, DIR_BYTES, "%s", own);
	else if (state && state[0] == '/')
		len = snprintf(ret, DIR_BYTES, "%s/umd", state);
	else if (geteuid() == 0)
		len = snprintf(ret, DIR_BYTES, "/var/lib/umd");
	else if (home && home[0] == '/')
		len = snprintf(ret, DIR_BYTES, "%s/.local/state/umd", home);
	else
		return err_set(err, -ENOENT, "HOME is not set, so nothing tells where umd remembers bitmap files: set "
			       "UMD_STATE_DIR");
	return len < DIR_BYTES ? 0 : err_set(err, -ENAMETOOLONG, "the path of the state directory is too long");
}

/* Every level above it too; what is there is left alone. */
static void make_dirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
}

static int check_dir(const char *dir, int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "cannot use the state directory %s: %s", dir, strerror(errno));
	if (st.st_uid != geteuid())
		return err_set(err, -EPERM, "the state directory %s belongs to uid %u, not to uid %u", dir,
			       (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 07777) != 0700)
		return err_set(err, -EPERM, "the state directory %s has mode %#o where 0700 is asked for", dir,
			       (unsigned)(st.st_mode & 07777));
	return 0;
}

/* The descriptor; -ENOENT without a sentence: there is none, and none is to be made. */
static int open_dir(bool make, struct err *err)
{
	char dir[DIR_BYTES];
	int fd, rc = find_dir(dir, err);

	if (rc < 0)
		return !make && rc == -ENOENT ? -ENOENT : rc;
	if (make)
		make_dirs(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !make)
		return -ENOENT;
	if (fd < 0)
		return err_set(err, -errno, "cannot use the state directory %s: %s; UMD_STATE_DIR names another", dir,
			       strerror(errno));
	rc = check_dir(dir, fd, err);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* ---- what is in it ---- */

static char *read_text(int dir, int *ret_rc)
{
	int fd = openat(dir, memory_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t len = 0;

	*ret_rc = fd < 0 && errno != ENOENT ? -errno : 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MEMORY_BYTES_MAX)
		*ret_rc = -EIO;
	else if (!(text = mem_new(1, (size_t)st.st_size + 1)))
		*ret_rc = -ENOMEM;	/* not the same as nothing remembered */
	if (text)
		len = pread(fd, text, (size_t)st.st_size, 0);
	if (text && len < 0)
		*ret_rc = -errno;
	close(fd);
	return text;
}

/* An empty object where nothing is remembered. */
static struct json_object *read_memory(int dir, struct err *err)
{
	int rc;
	char *text = read_text(dir, &rc);
	struct json_object *o = text ? json_tokener_parse(text) : rc ? NULL : json_object_new_object();

	mem_free(text);
	if (json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	err_set(err, rc ? rc : -EIO,
		"umd's memory of bitmap files (%s in its state directory) cannot be read%s: repair or remove it",
		memory_name, rc ? "" : ", it is no JSON object");
	return NULL;
}

int run_pairing_find(const uint8_t uuid[16], char **ret_path, struct err *err)
{
	struct json_object *o, *path;
	char key[36];
	int dir = open_dir(false, err), rc = 0;

	*ret_path = NULL;
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	o = read_memory(dir, err);
	close(dir);
	if (!o)
		return err->code;
	fmt_uuid_text(uuid, key);
	if (json_object_object_get_ex(o, key, &path) && json_object_is_type(path, json_type_string)) {
		const char *text = json_object_get_string(path);

		*ret_path = mem_new(1, strlen(text) + 1);
		if (*ret_path)
			strcpy(*ret_path, text);
		else
			rc = err_set(err, -ENOMEM, "no memory for the name of the array's bitmap file");
	}
	json_object_put(o);
	return rc;
}

/* ---- changing it ---- */

static int write_memory(int dir, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	int fd = openat(dir, next_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;
	size_t len = text ? strlen(text) : 0;

	if (fd < 0)
		return -errno;
	if (!text)
		rc = -ENOMEM;
	else if (write(fd, text, len) != (ssize_t)len || write(fd, "\n", 1) != 1)
		rc = errno ? -errno : -EIO;
	else if (fsync(fd) < 0)
		rc = -errno;
	close(fd);
	if (rc == 0 && (renameat(dir, next_name, dir, memory_name) < 0 || fsync(dir) < 0))
		rc = -errno;
	return rc;
}

/* The one that changes it now; let go of by closing. */
static int lock_memory(int dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dir, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && fcntl(fd, F_OFD_SETLKW, &lock) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int change_memory(int dir, const char *key, const char *path, struct err *err)
{
	struct json_object *o = read_memory(dir, err), *old = NULL;
	int rc = 0;

	if (!o)
		return err->code;
	json_object_object_get_ex(o, key, &old);
	if (path ? !old || !json_object_is_type(old, json_type_string) || strcmp(json_object_get_string(old), path) :
		   old != NULL) {
		if (path)
			json_object_object_add(o, key, json_object_new_string(path));
		else
			json_object_object_del(o, key);
		rc = write_memory(dir, o);
	}
	json_object_put(o);
	return rc < 0 ? err_set(err, rc, "umd cannot remember the array's bitmap file: %s", strerror(-rc)) : 0;
}

int run_pairing_set(const uint8_t uuid[16], const char *path, struct err *err)
{
	char key[36];
	int lock, rc, dir = open_dir(path != NULL, err);

	if (dir < 0)
		return dir == -ENOENT && !path ? 0 : dir;
	lock = lock_memory(dir);
	fmt_uuid_text(uuid, key);
	if (lock < 0)
		rc = err_set(err, -errno, "umd's state directory cannot be locked: %s", strerror(errno));
	else
		rc = change_memory(dir, key, path, err);
	if (lock >= 0)
		close(lock);
	close(dir);
	return rc;
}
