/* A slow disk: preloaded into the server of a scenario that must be met in the middle of a sync (files.py).
 *
 * A write or zeroing of at least LARGE_BYTES, which only a sync does there, takes DELAY_MS longer; everything
 * else is as fast as ever. Sixteen megabytes then take seconds instead of milliseconds, so that a cut or a stop
 * right after the start comes before the sync's end, however slow the machine is.
 *
 * With SLOW_MEMBER=PATH it is that member instead which is slow, in all that is written there; with SLOW_OPEN=PATH
 * every open of that one; SLOW_MS says how slow.
 *
 * Not part of any installed build. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

enum { LARGE_BYTES = 256 << 10, DELAY_MS = 100 };

static bool is_slow(int fd, size_t bytes)
{
	const char *member = getenv("SLOW_MEMBER");
	struct stat one, other;

	if (!member && getenv("SLOW_OPEN"))
		return false;
	if (!member)
		return bytes >= LARGE_BYTES;
	return !stat(member, &one) && !fstat(fd, &other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void wait_a_while(void)
{
	const char *given = getenv("SLOW_MS");
	long ms = given ? atol(given) : DELAY_MS;
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void delay(int fd, size_t bytes)
{
	if (is_slow(fd, bytes))
		wait_a_while();
}

__attribute__((visibility("default"))) int open64(const char *path, int flags, ...)
{
	int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
	const char *slow = getenv("SLOW_OPEN");
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (slow && !strcmp(slow, path))
		wait_a_while();
	return next(path, flags, mode);
}

static size_t bytes_of(const struct iovec *iov, int count)
{
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += iov[i].iov_len;
	return bytes;
}

__attribute__((visibility("default"))) ssize_t pwritev64(int fd, const struct iovec *iov, int count, off64_t at)
{
	ssize_t (*next)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, "pwritev64");

	delay(fd, bytes_of(iov, count));
	return next(fd, iov, count, at);
}

__attribute__((visibility("default"))) ssize_t pwritev64v2(int fd, const struct iovec *iov, int count, off64_t at,
							   int flags)
{
	ssize_t (*next)(int, const struct iovec *, int, off64_t, int) = dlsym(RTLD_NEXT, "pwritev64v2");

	delay(fd, bytes_of(iov, count));
	return next(fd, iov, count, at, flags);
}

__attribute__((visibility("default"))) int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	int (*next)(int, int, off64_t, off64_t) = dlsym(RTLD_NEXT, "fallocate64");

	delay(fd, (size_t)len);
	return next(fd, mode, at, len);
}
