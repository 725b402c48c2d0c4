/* Mounting and unmounting, so that whatever ends leaves nothing behind.
 *
 *	a place that we make -> a dead mount on it is taken away -> mounted -> threads serve it -> exit, unmount,
 *	wait for the threads a moment -> the place is removed
 *
 * A mount whose process was killed answers every access with ENOTCONN; it is unmounted first, as often as such mounts
 * lie on each other. One that is alive may be an earlier tree's that is just ending (its server was restarted): it gets
 * two seconds, then it is refused as somebody's.
 *
 * The order at the end matters: libfuse's threads sit in a read that only the unmount ends, and not even that while a
 * file is open. A thread may also wait for the server. They get a moment to answer what is under way; then the process
 * ends without them, and the kernel tells whoever asked or polled that the connection is gone.
 *
 * libfuse and fusermount3 speak to stderr; what they say last is kept instead and becomes part of the one sentence.
 *
 * Left out: letting other users in (allow_other): the run-time directory is private. */
#include <errno.h>
#include <fcntl.h>
#include <fuse_log.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tree.h"

enum { FUSE_MAGIC = 0x65735546, WAIT_MS = 20, WAITS_MAX = 100, JOIN_MS = 300 };

static char last_words[TREE_TEXT_BYTES / 2];

static void keep_words(enum fuse_log_level level, const char *format, va_list ap)
{
	vsnprintf(last_words, sizeof last_words, format, ap);
	last_words[strcspn(last_words, "\n")] = 0;
}

__attribute__((format(printf, 2, 3)))
static int refuse(char ret_sentence[TREE_TEXT_BYTES], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret_sentence, TREE_TEXT_BYTES, format, ap);
	va_end(ap);
	return -1;
}

int mount_is_possible(char ret_sentence[TREE_TEXT_BYTES])
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	fuse_set_log_func(keep_words);
	if (fd < 0)
		return refuse(ret_sentence, "/dev/fuse cannot be used (%s): umd get, set and monitor do the same "
			      "without files", strerror(errno));
	close(fd);
	return 0;
}

/* ---- the place ---- */

/* Only fusermount3 may unmount what an ordinary user mounted. */
static bool unmount_dead(const char *place)
{
	const char *argv[] = { "fusermount3", "-u", "-q", "-z", "--", place, NULL };
	const char *nothing[] = { NULL };	/* of our environment: a program with more rights than ours */
	pid_t pid;
	int status;

	if (umount2(place, MNT_DETACH) == 0)
		return true;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv,
			 (char *const *)nothing) != 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_mounted(const char *place)
{
	char above[4096];
	struct stat here, there;
	struct statfs fs;

	snprintf(above, sizeof above, "%s", place);
	*strrchr(above, '/') = 0;
	return stat(place, &here) == 0 && stat(above[0] ? above : "/", &there) == 0 && here.st_dev != there.st_dev &&
	       statfs(place, &fs) == 0 && fs.f_type == FUSE_MAGIC;
}

static bool is_dead(const char *place)
{
	struct stat st;

	return stat(place, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

static int clear_place(const char *place, char *ret_sentence)
{
	struct timespec pause = { .tv_nsec = WAIT_MS * 1000000 };

	for (unsigned waits = 0; waits < WAITS_MAX; waits++) {
		if (is_dead(place)) {
			if (!unmount_dead(place))
				return refuse(ret_sentence, "a dead mount lies on %s and cannot be unmounted: %s",
					      place, strerror(errno));
		} else if (!is_mounted(place)) {
			return 0;
		} else {
			nanosleep(&pause, NULL);
		}
	}
	return refuse(ret_sentence, "%s is mounted already: another umd-tree serves it; fusermount3 -u ends it", place);
}

static int make_place(const struct mount *m, char *ret_sentence)
{
	int fd = -1, rc;

	if (!m->is_made)
		return 0;
	rc = m->is_file ? fd = open(m->place, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : mkdir(m->place, 0700);
	if (fd >= 0)
		close(fd);
	if (rc < 0 && errno != EEXIST)
		return refuse(ret_sentence, "cannot make %s: %s", m->place, strerror(errno));
	return 0;
}

static int check_kind(const struct mount *m, char *ret_sentence)
{
	struct stat st;

	if (stat(m->place, &st) < 0)
		return refuse(ret_sentence, "cannot mount on %s: %s", m->place, strerror(errno));
	if (m->is_file ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
		return refuse(ret_sentence, "cannot mount on %s: it is no %s", m->place,
			      m->is_file ? "file" : "folder");
	return 0;
}

static void remove_place(const struct mount *m)
{
	if (!m->is_made)
		return;
	if (m->is_file)
		unlink(m->place);
	else
		rmdir(m->place);
}

int mount_clean(const struct mount *m, char ret_sentence[TREE_TEXT_BYTES])
{
	if (!is_dead(m->place))
		return 0;
	if (clear_place(m->place, ret_sentence) < 0)
		return -1;
	remove_place(m);
	return 0;
}

/* ---- the session ---- */

static void *serve(void *opaque)
{
	struct mount *m = opaque;
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	uint64_t one = 1;

	fuse_loop_cfg_set_max_threads(config, TREE_THREADS_MAX);
	fuse_session_loop_mt(m->session, config);
	fuse_loop_cfg_destroy(config);
	if (write(m->ended_fd, &one, sizeof one) < 0)
		abort();	/* an eventfd takes a 1 */
	return NULL;
}

/* fusermount3 speaks to our stderr; while it runs that is a file in memory, whose words become last_words. */
static int mount_quietly(struct mount *m)
{
	int words = memfd_create("umd-tree", MFD_CLOEXEC), kept = fcntl(2, F_DUPFD_CLOEXEC, 3), rc;
	char line[sizeof last_words];
	ssize_t len;

	if (words >= 0 && kept >= 0)
		dup2(words, 2);
	rc = fuse_session_mount(m->session, m->place);
	if (words >= 0 && kept >= 0)
		dup2(kept, 2);
	len = words >= 0 ? pread(words, line, sizeof line - 1, 0) : 0;
	if (rc && len > 0) {
		line[len] = 0;
		line[strcspn(line, "\n")] = 0;
		memcpy(last_words, line, sizeof line);
	}
	if (words >= 0)
		close(words);
	if (kept >= 0)
		close(kept);
	return rc;
}

static int open_session(struct mount *m, char *ret_sentence)
{
	const char *argv[] = { "umd-tree", "-o", "fsname=umd,subtype=umd,nosuid,nodev", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, (char **)argv);

	last_words[0] = 0;
	m->session = fuse_session_new(&args, m->ops, sizeof *m->ops, m->userdata);
	fuse_opt_free_args(&args);
	if (m->session && mount_quietly(m) == 0)
		return 0;
	if (m->session)
		fuse_session_destroy(m->session);
	m->session = NULL;
	return refuse(ret_sentence, "cannot mount on %s: %s", m->place,
		      last_words[0] ? last_words : "fusermount3 of the package fuse3 may be missing");
}

static int start(struct mount *m, char *ret_sentence)
{
	int rc;

	if (check_kind(m, ret_sentence) < 0 || open_session(m, ret_sentence) < 0)
		return -1;
	rc = pthread_create(&m->thread, NULL, serve, m);
	if (rc == 0) {
		m->is_running = true;
		return 0;
	}
	fuse_session_unmount(m->session);
	fuse_session_destroy(m->session);
	return refuse(ret_sentence, "cannot start a thread: %s", strerror(rc));
}

int mount_start(struct mount *m, char ret_sentence[TREE_TEXT_BYTES])
{
	if (clear_place(m->place, ret_sentence) < 0 || make_place(m, ret_sentence) < 0)
		return -1;
	if (start(m, ret_sentence) == 0)
		return 0;
	remove_place(m);
	return -1;
}

/* CLOCK_REALTIME, which is what a timed join takes. */
static struct timespec in_a_moment(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += JOIN_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

void mounts_end(struct mount *mounts, size_t count)
{
	struct timespec until;

	for (size_t i = count; i-- > 0;) {
		if (!mounts[i].is_running)
			continue;
		fuse_session_exit(mounts[i].session);
		fuse_session_unmount(mounts[i].session);
	}
	until = in_a_moment();
	for (size_t i = count; i-- > 0;) {
		if (!mounts[i].is_running)
			continue;
		if (pthread_timedjoin_np(mounts[i].thread, NULL, &until) == 0)
			fuse_session_destroy(mounts[i].session);
		remove_place(&mounts[i]);
	}
}
