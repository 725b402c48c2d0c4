/* The log's file: where it lies, whether it may be used, and whether it still is the one that newcomers find.
 *
 * The directory is one of the run-time kind: a real directory, ours, mode 0700, so that below it nobody else plants
 * anything. A file of the right name that was not made for this array, cluster name and version is refused and stays as
 * it is; an empty one, or one that begins with zeroes (a power failure), is new.
 *
 *	0 magic 8 | 8 version 4 | 16 array uuid 16 | 32 cluster name 64
 *
 * The last node to leave removes the file, and people may: so a node that is to use it looks whether the path still
 * leads to the file it opened. Why a log cannot be used any more is kept as one sentence, the first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/le.h"
#include "base/text.h"
#include "engine/engine_local.h"

enum { VERSION = 1, UUID_AT = 16, NAME_AT = 32, NAMES_BYTES = 96 };

static const uint8_t magic[8] = "umdlog\r\n";

int engine_log_lose(struct engine_log *log, int code, const char *what)
{
	if (!log->lost[0])
		text_fit(log->lost, sizeof log->lost, "the log %s %s", log->path, what);
	return code;
}

int engine_log_lose_errno(struct engine_log *log, const char *what)
{
	char why[160];
	int code = -errno;

	text_fit(why, sizeof why, "cannot be %s: %s", what, strerror(-code));
	return engine_log_lose(log, code, why);
}

int engine_log_open_file(struct engine_log *log, struct err *err)
{
	struct stat st;

	log->fd = openat(log->dir_fd, log->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return err_set(err, -errno, "cannot open the cluster's log %s: %s", log->path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return err_set(err, -EPERM, "the cluster's log %s is not a file of uid %u, so this user's umd did not "
			       "make it", log->path, (unsigned)geteuid());
	return 0;
}

void engine_log_put_names(const struct engine_log *log, uint8_t *head)
{
	memcpy(head, magic, sizeof magic);
	le_put(head + 8, 4, VERSION);
	memcpy(head + UUID_AT, log->uuid, 16);
	memcpy(head + NAME_AT, log->cluster_name, 64);
}

/* What another array or program left here is not overwritten. A file without a head is a new one. */
int engine_log_judge(struct engine_log *log, struct err *err)
{
	uint8_t head[NAMES_BYTES] = { 0 };
	ssize_t n = pread(log->fd, head, sizeof head, 0);

	if (n < 0)
		return err_set(err, -errno, "cannot read the cluster's log %s: %s", log->path, strerror(errno));
	if (n == 0 || (n == (ssize_t)sizeof head && !memcmp(head, (const uint8_t[8]){ 0 }, 8)))
		return 0;
	if (n < (ssize_t)sizeof head || memcmp(head, magic, sizeof magic))
		return err_set(err, -EPROTO, "the file %s is not the log of a cluster of umd: it begins with other "
			       "bytes; nothing was written", log->path);
	if (le_get(head + 8, 4) != VERSION)
		return err_set(err, UMD_E_NOT_SUPPORTED, "the cluster's log %s has version %u, where this umd knows "
			       "version %u: not supported; all nodes of a host run the same umd", log->path,
			       (unsigned)le_get(head + 8, 4), (unsigned)VERSION);
	if (memcmp(head + UUID_AT, log->uuid, 16))
		return err_set(err, UMD_E_FOREIGN_MEMBER, "the cluster's log %s belongs to an array of another uuid; "
			       "nothing was written", log->path);
	if (memcmp(head + NAME_AT, log->cluster_name, 64))
		return err_set(err, -EPROTO, "the cluster's log %s was made for another cluster name than this "
			       "array's; nothing was written", log->path);
	return 0;
}

static int check_directory(const char *path, struct err *err)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "cannot make the cluster's directory %s: %s", path, strerror(errno));
	if (lstat(path, &st) < 0)
		return err_set(err, -errno, "cannot use the cluster's directory %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 07777) != 0700)
		return err_set(err, -EPERM, "the cluster's directory %s has uid %u and mode %#o, where a directory of "
			       "uid %u with mode 0700 is asked for", path, (unsigned)st.st_uid, (unsigned)st.st_mode,
			       (unsigned)geteuid());
	return 0;
}

static void set_names(struct engine_log *log, const struct engine_config *config)
{
	size_t len = 0;

	for (int i = 0; i < 16; i++)
		len += (size_t)snprintf(log->name + len, sizeof log->name - len, "%02x", config->uuid[i]);
	snprintf(log->name + len, sizeof log->name - len, ".log");
	text_fit(log->path, sizeof log->path, "%s/%s", config->directory, log->name);
	memcpy(log->uuid, config->uuid, 16);
	memcpy(log->cluster_name, config->cluster_name, strnlen(config->cluster_name, 64));
}

int engine_log_open(struct engine_log *log, const struct engine_config *config, struct err *err)
{
	int rc = check_directory(config->directory, err);

	if (rc < 0)
		return rc;
	set_names(log, config);
	log->note = config->note;
	log->opaque = config->opaque;
	log->index = UINT32_MAX;
	log->dir_fd = open(config->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (log->dir_fd < 0)
		return err_set(err, -errno, "cannot open the cluster's directory %s: %s", config->directory,
			       strerror(errno));
	rc = engine_log_open_file(log, err);
	return rc < 0 ? rc : engine_log_judge(log, err);
}

void engine_log_close(struct engine_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	if (log->dir_fd >= 0)
		close(log->dir_fd);
	log->fd = log->dir_fd = -1;
}

bool engine_log_is_the_one(const struct engine_log *log)
{
	struct stat ours, there;

	return fstat(log->fd, &ours) == 0 && fstatat(log->dir_fd, log->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int engine_log_check(struct engine_log *log)
{
	struct stat st;

	if (!engine_log_is_the_one(log))
		return engine_log_lose(log, -ESTALE, "is gone: it was removed or replaced while its nodes ran");
	if (fstat(log->fd, &st) < 0 || (uint64_t)st.st_size < log->at)
		return engine_log_lose(log, -EIO, "has lost its end: it is shorter than what was read from it");
	return 0;
}
