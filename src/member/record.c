/* The recorder: below file.c, at the system calls, so that file.c itself is under test.
 *
 * The linker sends pread, pwritev, pwritev2, fallocate and fdatasync of the recording plugin here (--wrap). Each write,
 * zeroing and flush is a pair of records, BEGIN before the call and END after it; the mutex around the file makes one
 * order of all threads. So whoever replays knows for each flush which writes had ended before it began (those it
 * covers), and for each moment what was in flight.
 *
 *	file.c ---> __wrap_pwritev64() --- BEGIN --- the kernel --- END ---> file.c
 *
 * Nothing is really made durable: an image in a page cache that nobody cuts off needs no disk, and what would
 * survive is worked out from the records. Instead every call lingers for a moment of chance, so that threads meet in
 * all ways.
 *
 * Faults are ordered by UMD_RECORD_FAULTS, "MEMBER:OP:N:HOW" separated by blanks: the N-th read, write (zeroes count),
 * durable write or flush of the member with that file name, counted from mbr_record_arm() on, is
 *
 *	eio		refused; a write leaves its first half, a flush gives up what was cached (page caches forget),
 *			and so does a durable write in its range
 *	short		half done, as the system calls may
 *	eintr		interrupted before it began
 *	unsupported	not known to this file system, from then on
 *	slow		answered late, while other threads go on
 *
 * Only the tests' recording plugin has this file. Left out: members that are block devices. */
#include "member/record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

ssize_t __real_pread64(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t at);
ssize_t __real_pwritev64(int fd, const struct iovec *iov, int count, off_t at);
ssize_t __wrap_pwritev64(int fd, const struct iovec *iov, int count, off_t at);
ssize_t __wrap_pwritev64v2(int fd, const struct iovec *iov, int count, off_t at, int flags);
int __real_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fdatasync(int fd);

enum { MEMBERS_MAX = 16, FAULTS_MAX = 32, NAME_BYTES = 40, LINGER_NS_MAX = 400000, SLOW_NS = 60000000 };

enum how { HOW_NONE, HOW_EIO, HOW_SHORT, HOW_EINTR, HOW_UNSUPPORTED, HOW_SLOW, HOW_COUNT };

static const char *const how_names[HOW_COUNT] = { "", "eio", "short", "eintr", "unsupported", "slow" };
static const char *const op_names[] = { "read", "write", "durable", "flush" };	/* that faults are ordered for */
enum { OP_DURABLE = MBR_REC_ZERO };	/* zeroes are writes to whoever orders a fault */

static struct {
	pthread_mutex_t lock;
	int fd;
	bool is_armed;
	uint64_t operations;
	uint32_t member_count;
	struct {
		dev_t device;
		ino_t inode;
		char name[NAME_BYTES];
		uint64_t unflushed;	/* writes since the last flush */
	} members[MEMBERS_MAX];
	uint32_t fault_count;
	struct fault {
		char member[NAME_BYTES];
		uint32_t op;		/* op_names[] */
		uint64_t left;		/* operations until it comes; 0: it has come */
		enum how how;
	} faults[FAULTS_MAX];
} rec = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* Of a client, for which this thread works. In the thread's own block, whose end no sanitizer takes for a race. */
static _Thread_local uint64_t request __attribute__((tls_model("initial-exec")));

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "recording plugin: %s\n", why);
	_exit(3);
}

/* ---- the file ---- */

static void put(struct mbr_record *r, const void *extra, size_t extra_bytes)
{
	static const uint8_t padding[8];
	struct iovec iov[3] = { { r, sizeof *r }, { (void *)extra, extra_bytes },
				{ (void *)padding, mbr_record_padded(extra_bytes) - extra_bytes } };

	r->extra_bytes = extra_bytes;
	if (writev(rec.fd, iov, 3) != (ssize_t)(sizeof *r + mbr_record_padded(extra_bytes)))
		give_up("the log cannot be written");
}

void mbr_record(struct mbr_record *r, const void *extra, size_t extra_bytes)
{
	pthread_mutex_lock(&rec.lock);
	put(r, extra, extra_bytes);
	pthread_mutex_unlock(&rec.lock);
}

static uint32_t op_named(const char *word)
{
	for (uint32_t i = 0; i < 4; i++)
		if (!strcmp(word, op_names[i]))
			return i;
	give_up("an ordered fault names no operation");
}

static enum how how_named(const char *word)
{
	for (uint32_t i = HOW_EIO; i < HOW_COUNT; i++)
		if (!strcmp(word, how_names[i]))
			return i;
	give_up("an ordered fault does not say how");
}

static void read_orders(const char *orders)
{
	char op[16], how[16];
	int used;

	for (; *(orders += strspn(orders, " ")); orders += used) {
		struct fault *f = &rec.faults[rec.fault_count++];
		unsigned long long nth;

		if (rec.fault_count > FAULTS_MAX ||
		    sscanf(orders, "%39[^: ]:%15[a-z]:%llu:%15[a-z]%n", f->member, op, &nth, how, &used) != 4)
			give_up("UMD_RECORD_FAULTS is not understood");
		f->op = op_named(op);
		f->how = how_named(how);
		f->left = nth;
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("UMD_RECORD_LOG"), *orders = getenv("UMD_RECORD_FAULTS");

	if (!path)
		give_up("UMD_RECORD_LOG names no file");
	rec.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (rec.fd < 0)
		give_up("the log cannot be made");
	read_orders(orders ? orders : "");
}

void mbr_record_arm(void)
{
	pthread_mutex_lock(&rec.lock);
	rec.is_armed = true;
	pthread_mutex_unlock(&rec.lock);
}

void mbr_record_request(uint64_t number)
{
	request = number;
}

void mbr_record_linger(void)
{
	static _Thread_local uint64_t lot __attribute__((tls_model("initial-exec")));
	struct timespec t = { 0 };

	if (!lot)
		lot = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15 ^ (uintptr_t)&lot;
	lot = lot * 6364136223846793005 + 1442695040888963407;
	t.tv_nsec = (long)((lot >> 33) % LINGER_NS_MAX);
	if (lot >> 62)
		nanosleep(&t, NULL);
}

/* ---- members ---- */

/* Its bytes before anybody wrote: every write comes by here first. */
static void record_image(uint32_t index, int fd, uint64_t size)
{
	struct mbr_record r = { .kind = MBR_REC_MEMBER, .member = index, .len = size };
	uint8_t *extra = calloc(1, NAME_BYTES + size);

	if (!extra)
		give_up("no memory for an image");
	memcpy(extra, rec.members[index].name, NAME_BYTES);
	if (__real_pread64(fd, extra + NAME_BYTES, size, 0) != (ssize_t)size)
		give_up("a member cannot be read");
	put(&r, extra, NAME_BYTES + size);
	free(extra);
}

static void name_member(uint32_t index, int fd)
{
	char link[40], path[4096];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (len < 0)
		give_up("a member has no name");
	path[len] = 0;
	snprintf(rec.members[index].name, NAME_BYTES, "%.39s", strrchr(path, '/') + 1);
}

static int find_member(int fd)
{
	struct stat st;
	uint32_t i;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	for (i = 0; i < rec.member_count; i++)
		if (rec.members[i].device == st.st_dev && rec.members[i].inode == st.st_ino)
			return (int)i;
	if (i == MEMBERS_MAX)
		give_up("too many members");
	rec.members[i].device = st.st_dev;
	rec.members[i].inode = st.st_ino;
	name_member(i, fd);
	rec.member_count++;
	record_image(i, fd, (uint64_t)st.st_size);
	return (int)i;
}

int mbr_record_member(int fd)
{
	int member;

	pthread_mutex_lock(&rec.lock);
	member = find_member(fd);
	pthread_mutex_unlock(&rec.lock);
	return member;
}

/* ---- faults ---- */

static bool is_counted(const struct fault *f, enum mbr_record_op op, bool is_durable)
{
	if (f->op == OP_DURABLE)
		return is_durable;
	return f->op == (op == MBR_REC_ZERO ? MBR_REC_WRITE : op);
}

/* A flush that fails shall have something to lose. */
static bool is_possible(const struct fault *f, uint32_t member, enum mbr_record_op op, bool is_durable, uint64_t len)
{
	if (f->op == MBR_REC_FLUSH && f->how == HOW_EIO && !rec.members[member].unflushed)
		return false;
	if (f->how == HOW_SHORT)
		return (op == MBR_REC_READ || op == MBR_REC_WRITE) && len >= 2 * SECTOR_BYTES;
	return f->how != HOW_UNSUPPORTED || op == MBR_REC_ZERO || (op == MBR_REC_WRITE && is_durable);
}

/* Under the lock. *@ret_is_flush: the fault is that of a flush. */
static enum how choose_fault(uint32_t member, enum mbr_record_op op, bool is_durable, uint64_t len, bool *ret_is_flush)
{
	struct mbr_record r = { .kind = MBR_REC_FAULT, .member = member, .op = op };

	for (uint32_t i = 0; rec.is_armed && i < rec.fault_count; i++) {
		struct fault *f = &rec.faults[i];

		if (!f->left || strcmp(f->member, rec.members[member].name) || !is_counted(f, op, is_durable) ||
		    !is_possible(f, member, op, is_durable, len) || --f->left)
			continue;
		f->left = f->how == HOW_UNSUPPORTED;	/* a file system does not learn */
		*ret_is_flush = f->op == MBR_REC_FLUSH || f->op == OP_DURABLE;
		put(&r, how_names[f->how], strlen(how_names[f->how]) + 1);
		return f->how;
	}
	return HOW_NONE;
}

/* ---- one operation ---- */

struct operation {
	struct mbr_record begin;
	enum how fault;
	bool is_flush_fault;
};

static bool begin_operation(struct operation *o, int fd, enum mbr_record_op op, bool is_durable, uint64_t at,
			    uint64_t len, const void *data)
{
	int member;

	pthread_mutex_lock(&rec.lock);
	member = find_member(fd);
	if (member >= 0) {
		o->begin = (struct mbr_record){ .kind = MBR_REC_BEGIN, .op = op, .member = (uint32_t)member, .at = at,
						.len = len, .flags = is_durable ? MBR_REC_DURABLE : 0,
						.number = ++rec.operations, .word = request };
		o->is_flush_fault = false;
		o->fault = choose_fault((uint32_t)member, op, is_durable, len, &o->is_flush_fault);
		if (o->fault != HOW_EINTR && o->fault != HOW_UNSUPPORTED && op != MBR_REC_READ)
			put(&o->begin, data, data ? len : 0);
	}
	pthread_mutex_unlock(&rec.lock);
	if (member >= 0 && o->fault == HOW_SLOW)
		nanosleep(&(struct timespec){ .tv_nsec = SLOW_NS }, NULL);
	mbr_record_linger();
	return member >= 0;
}

/* @rc: what the caller is told, or -errno. Returns it with errno set. */
static ssize_t end_operation(struct operation *o, ssize_t rc, uint64_t done_bytes)
{
	struct mbr_record r = { .kind = MBR_REC_END, .op = o->begin.op, .member = o->begin.member,
				.number = o->begin.number, .rc = rc, .len = done_bytes };

	if (o->is_flush_fault)
		r.flags = MBR_REC_GIVEN_UP;
	mbr_record_linger();
	pthread_mutex_lock(&rec.lock);
	put(&r, NULL, 0);
	rec.members[r.member].unflushed = r.op == MBR_REC_FLUSH ? 0 : rec.members[r.member].unflushed + 1;
	pthread_mutex_unlock(&rec.lock);
	errno = rc < 0 ? (int)-rc : 0;
	return rc < 0 ? -1 : rc;
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

static uint64_t half(uint64_t len)
{
	return len / 2 / SECTOR_BYTES * SECTOR_BYTES;
}

ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t at)
{
	struct operation o;

	if (!begin_operation(&o, fd, MBR_REC_READ, false, (uint64_t)at, len, NULL))
		return __real_pread64(fd, data, len, at);
	if (o.fault == HOW_EIO || o.fault == HOW_EINTR)
		return refuse(o.fault == HOW_EIO ? EIO : EINTR);
	return __real_pread64(fd, data, o.fault == HOW_SHORT ? half(len) : len, at);
}

/* ---- writes ---- */

static uint64_t gather(const struct iovec *iov, int count, uint8_t **ret_data)
{
	uint64_t len = 0;
	uint8_t *to;

	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	to = *ret_data = malloc(len);
	if (!to)
		give_up("no memory for a write");
	for (int i = 0; i < count; to += iov[i++].iov_len)
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
	return len;
}

static ssize_t write_plainly(int fd, const void *data, uint64_t len, off_t at)
{
	struct iovec iov = { (void *)data, len };
	ssize_t n = __real_pwritev64(fd, &iov, 1, at);

	return n < 0 ? -errno : n;
}

static ssize_t write_recorded(struct operation *o, int fd, const void *data, uint64_t len, off_t at)
{
	ssize_t n;

	if (o->fault == HOW_EINTR)
		return refuse(EINTR);
	if (o->fault == HOW_UNSUPPORTED)
		return refuse(EOPNOTSUPP);
	if (o->fault == HOW_SHORT || (o->fault == HOW_EIO && !o->is_flush_fault))
		len = half(len);
	n = write_plainly(fd, data, len, at);
	return end_operation(o, o->fault == HOW_EIO ? -EIO : n, n > 0 ? (uint64_t)n : 0);
}

static ssize_t write_vectors(int fd, const struct iovec *iov, int count, off_t at, bool is_durable)
{
	struct operation o;
	uint8_t *data;
	uint64_t len = gather(iov, count, &data);
	ssize_t n;

	if (begin_operation(&o, fd, MBR_REC_WRITE, is_durable, (uint64_t)at, len, data))
		n = write_recorded(&o, fd, data, len, at);
	else
		n = __real_pwritev64(fd, iov, count, at);
	free(data);
	return n;
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *iov, int count, off_t at)
{
	return write_vectors(fd, iov, count, at, false);
}

ssize_t __wrap_pwritev64v2(int fd, const struct iovec *iov, int count, off_t at, int flags)
{
	return write_vectors(fd, iov, count, at, flags & RWF_DSYNC);
}

int __wrap_fallocate64(int fd, int mode, off_t at, off_t len)
{
	struct operation o;
	int rc = 0;

	if (!begin_operation(&o, fd, MBR_REC_ZERO, false, (uint64_t)at, (uint64_t)len, NULL))
		return __real_fallocate64(fd, mode, at, len);
	if (o.fault == HOW_EINTR || o.fault == HOW_UNSUPPORTED)
		return refuse(o.fault == HOW_EINTR ? EINTR : EOPNOTSUPP);
	if (o.fault == HOW_EIO)
		return (int)end_operation(&o, -EIO, 0);
	if (__real_fallocate64(fd, mode, at, len) < 0)
		rc = -errno;
	return (int)end_operation(&o, rc, rc ? 0 : (uint64_t)len);
}

int __wrap_fdatasync(int fd)
{
	struct operation o;

	if (!begin_operation(&o, fd, MBR_REC_FLUSH, false, 0, 0, NULL))
		return 0;
	if (o.fault == HOW_EINTR)
		return refuse(EINTR);
	return (int)end_operation(&o, o.fault == HOW_EIO ? -EIO : 0, 0);
}
