/* The run-time directory: a checked path to every level, and names owned by locks.
 *
 * Others may write to the place above (/tmp), so every level is made with mkdir and then looked at with lstat: a real
 * directory, ours, mode 0700. Whoever passes that test is us, and below it nobody else can plant anything.
 *
 *	ROOT/NAME/pid		locked for the life of the server; its number is for people
 *	ROOT/NAME/control.sock	ROOT/NAME/nbd.sock
 *
 * A name is free when nobody holds the lock, whatever files are there: that is how a killed server's leftovers are
 * told from a living server's. The owner unlinks pid before it lets go of the lock, so whoever gets the lock looks
 * whether the file is still the one in the directory and begins anew where it is not. A lock without a number in the
 * file is no server yet: one that starts, or a dead server's keeper who tidies up. A start waits a second for that.
 *
 * Left out: cleaning behind servers whose name nobody asks for again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "run/public.h"
#include "run/rundir.h"

enum { NAME_BYTES = 65, ROOT_BYTES = 4096, NUMBERS_MAX = 99, WAIT_MS = 10, WAITS_MAX = 100 };

struct run_rundir {
	char name[NAME_BYTES];
	int dir_fd, pid_fd;
	char *path;
};

static const char *const leaves[] = { "control.sock", "nbd.sock", "pid" };

/* ---- paths ---- */

bool run_rundir_name_is_ok(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@-");

	return len > 0 && len < NAME_BYTES && !name[len] && name[0] != '.';
}

static int refuse_name(const char *name, struct err *err)
{
	struct text t = { 0 };
	char *shown;

	text_add_escaped(&t, name, strnlen(name, 200));
	shown = text_take(&t);
	err_set(err, UMD_E_BAD_NAME, "\"%s\" cannot be a run-time name: 1 to 64 of A-Z a-z 0-9 _ . : @ - are, "
		"without a leading dot", shown ? shown : "");
	mem_free(shown);
	return UMD_E_BAD_NAME;
}

static int find_root(char ret[ROOT_BYTES], struct err *err)
{
	const char *own = getenv("UMD_RUNTIME_DIR"), *session = getenv("XDG_RUNTIME_DIR");
	int len;

	if (own && own[0] && own[0] != '/')
		return err_set(err, -EINVAL, "UMD_RUNTIME_DIR must be an absolute path");
	if (own && own[0])
		len = snprintf(ret, ROOT_BYTES, "%s", own);
	else if (session && session[0] == '/')
		len = snprintf(ret, ROOT_BYTES, "%s/umd", session);
	else if (geteuid() == 0)
		len = snprintf(ret, ROOT_BYTES, "/run/umd");
	else
		len = snprintf(ret, ROOT_BYTES, "/tmp/umd-%u", (unsigned)geteuid());
	return len < ROOT_BYTES ? 0 : err_set(err, -ENAMETOOLONG, "the path of the run-time directory is too long");
}

/* One level: made when @make, then judged. One that is not there passes: whoever uses it finds that out. */
static int check_level(const char *path, bool make, struct err *err)
{
	struct stat st;

	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "cannot make the run-time directory %s: %s", path, strerror(errno));
	if (lstat(path, &st) < 0)
		return errno == ENOENT && !make ? 0 :
		       err_set(err, -errno, "cannot use the run-time directory %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, -EPERM, "the run-time directory %s is not a directory of its own", path);
	if (st.st_uid != geteuid())
		return err_set(err, -EPERM, "the run-time directory %s belongs to uid %u, not to uid %u", path,
			       (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 07777) != 0700)
		return err_set(err, -EPERM, "the run-time directory %s has mode %#o where 0700 is asked for", path,
			       (unsigned)(st.st_mode & 07777));
	return 0;
}

static char *join(const char *root, const char *name, const char *leaf)
{
	struct text t = { 0 };

	text_add(&t, "%s", root);
	if (name[0])
		text_add(&t, "/%s", name);
	if (leaf[0])
		text_add(&t, "/%s", leaf);
	return text_take(&t);
}

int run_rundir_path(const char *name, const char *leaf, bool make, char **ret_path, struct err *err)
{
	char root[ROOT_BYTES], *dir, *path;
	int rc;

	if (name[0] && !run_rundir_name_is_ok(name))
		return refuse_name(name, err);
	rc = find_root(root, err);
	if (rc == 0)
		rc = check_level(root, make, err);
	if (rc < 0)
		return rc;

	dir = join(root, name, "");
	path = join(root, name, leaf);
	if (!dir || !path)
		rc = err_set(err, -ENOMEM, "no memory for a path");
	else if (name[0])
		rc = check_level(dir, make, err);
	mem_free(dir);
	if (rc < 0) {
		mem_free(path);
		return rc;
	}
	*ret_path = path;
	return 0;
}

int umd_runtime_path(const char *name, const char *leaf, bool make, char **ret_path, struct umd_error *error)
{
	struct err err = { 0 };
	int rc = run_rundir_path(name, leaf, make, ret_path, &err);

	return rc < 0 ? run_public_error(rc, &err, error) : 0;
}

/* ---- owning a name ---- */

static struct run_rundir *rundir_free(struct run_rundir *r)
{
	if (!r)
		return NULL;
	if (r->pid_fd >= 0)
		close(r->pid_fd);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	mem_free(r->path);
	return mem_free(r);
}

/* The file we locked may have been unlinked by the owner before us: then it guards nothing. */
static bool is_still_there(const struct run_rundir *r)
{
	struct stat ours, there;

	return fstat(r->pid_fd, &ours) == 0 && fstatat(r->dir_fd, "pid", &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* 0: after a moment it may be free. */
static int refuse_in_use(const struct run_rundir *r, bool may_wait, struct err *err)
{
	char pid[16] = "";
	ssize_t len = pread(r->pid_fd, pid, sizeof pid - 1, 0);

	pid[len > 0 ? len : 0] = 0;
	pid[strspn(pid, "0123456789")] = 0;
	if (!pid[0] && may_wait) {
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_MS * 1000000L }, NULL);
		return 0;
	}
	return err_set(err, UMD_E_NAME_IN_USE,
		       "an array of the name \"%s\" runs already%s%s; --name chooses another name",
		       r->name, pid[0] ? ", in pid " : "", pid);
}

/* 1: locked; 0: the directory or the file vanished meanwhile, or will, begin anew; else a refusal. */
static int try_lock(struct run_rundir *r, bool may_wait, struct err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	r->dir_fd = open(r->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->dir_fd >= 0)
		r->pid_fd = openat(r->dir_fd, "pid", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->pid_fd < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "cannot open %s/pid: %s", r->path, strerror(errno));
	if (fcntl(r->pid_fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ? refuse_in_use(r, may_wait, err) :
		       err_set(err, -errno, "cannot lock %s/pid: %s", r->path, strerror(errno));
	return is_still_there(r);
}

static int claim_once(const char *name, bool may_wait, struct run_rundir **ret_rundir, struct err *err)
{
	struct run_rundir *r = mem_new(1, sizeof *r);
	int rc;

	if (!r)
		return err_set(err, -ENOMEM, "no memory for the run-time directory");
	r->dir_fd = r->pid_fd = -1;
	snprintf(r->name, sizeof r->name, "%s", name);
	rc = run_rundir_path(name, "", true, &r->path, err);
	if (rc == 0)
		rc = try_lock(r, may_wait, err);
	if (rc <= 0) {
		rundir_free(r);
		return rc;
	}
	*ret_rundir = r;
	return 1;
}

static void remove_leaf(struct run_rundir *r, const char *leaf)
{
	unlinkat(r->dir_fd, leaf, 0);
}

/* Beginning anew ends: each time somebody else got through its own claim and release in between, or a wait is over. */
static int claim(const char *name, uint32_t waits, struct run_rundir **ret_rundir, struct err *err)
{
	int rc;

	do {
		rc = claim_once(name, waits > 0, ret_rundir, err);
		waits -= waits > 0;
	} while (rc == 0);
	if (rc < 0)
		return rc;

	remove_leaf(*ret_rundir, "control.sock");
	remove_leaf(*ret_rundir, "nbd.sock");
	if (ftruncate((*ret_rundir)->pid_fd, 0) < 0) {
		rc = err_set(err, -errno, "cannot empty %s/pid: %s", (*ret_rundir)->path, strerror(errno));
		*ret_rundir = run_rundir_release(*ret_rundir);
		return rc;
	}
	return 0;
}

/* NAME, NAME-2, NAME-3, ...; a long NAME gives way to its number. */
static int claim_numbered(const char *name, struct run_rundir **ret_rundir, struct err *err)
{
	int rc = claim(name, WAITS_MAX, ret_rundir, err);

	for (int number = 2; rc == UMD_E_NAME_IN_USE && number <= NUMBERS_MAX; number++) {
		char numbered[NAME_BYTES];

		snprintf(numbered, sizeof numbered, "%.*s-%d", NAME_BYTES - 4, name, number);
		rc = claim(numbered, WAITS_MAX, ret_rundir, err);
	}
	return rc;
}

int run_rundir_claim(const struct run_rundir_wish *wish, struct run_rundir **ret_rundir, struct err *err)
{
	const char *name = wish->superblock_name;

	if (wish->name)
		return run_rundir_name_is_ok(wish->name) ? claim(wish->name, WAITS_MAX, ret_rundir, err) :
							   refuse_name(wish->name, err);
	if (!name || !run_rundir_name_is_ok(name))
		name = wish->uuid;
	return wish->may_number ? claim_numbered(name, ret_rundir, err) : claim(name, WAITS_MAX, ret_rundir, err);
}

const char *run_rundir_name(const struct run_rundir *r)
{
	return r->name;
}

int run_rundir_fd(const struct run_rundir *r)
{
	return r->dir_fd;
}

int run_rundir_publish(struct run_rundir *r)
{
	char line[16];
	int len = snprintf(line, sizeof line, "%d\n", (int)getpid());
	ssize_t n = pwrite(r->pid_fd, line, (size_t)len, 0);

	return n == len ? 0 : n < 0 ? -errno : -EIO;
}

struct run_rundir *run_rundir_release(struct run_rundir *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
		remove_leaf(r, leaves[i]);
	rmdir(r->path);
	return rundir_free(r);
}

void umd_runtime_sweep(const char *name)
{
	struct run_rundir *r = NULL;
	char *path = NULL;

	if (run_rundir_path(name, "", false, &path, NULL) < 0)
		return;
	if (access(path, F_OK) == 0 && claim(name, 0, &r, NULL) == 0)
		run_rundir_release(r);
	mem_free(path);
}
