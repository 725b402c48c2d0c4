/* Goal: a member opened with MBR_DIRECT leaves nothing in the page cache, serves many threads with buffers from
 * anywhere, and is refused in one sentence where sectors cannot be written past the cache.
 * Method: mincore() looks for cached pages after reads and writes (and finds them without MBR_DIRECT); eight threads
 * write and read their own sectors from odd addresses; a loop device with blocks of 4096 bytes and a ramfs are tried.
 * Law: the contract in member/member.h; I7.
 * Source: design section 7 (members of clusters are read and written past every cache). */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "member/member.h"
#include "tap.h"

#include "scratch.h"

enum { MEMBER_BYTES = 8 << 20, THREADS = 8, ROUNDS = 200, AREA_BYTES = MEMBER_BYTES / THREADS };

static size_t cached_pages(const char *path)
{
	static unsigned char pages[MEMBER_BYTES / 4096];
	int fd = open(path, O_RDONLY);
	void *map = mmap(NULL, MEMBER_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	size_t count = 0;

	if (map == MAP_FAILED || mincore(map, MEMBER_BYTES, pages) < 0)
		return SIZE_MAX;
	for (size_t i = 0; i < sizeof pages; i++)
		count += pages[i] & 1;
	munmap(map, MEMBER_BYTES);
	close(fd);
	return count;
}

static size_t pages_after_use(const char *path, unsigned how)
{
	static uint8_t data[(1 << 20) + 1];
	struct member *m = NULL;
	struct err err;
	size_t count;
	int fd = open(path, O_RDWR);

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	if (mbr_open(path, -1, MBR_LOCK_EXCLUSIVE | how, &m, &err) < 0) {
		printf("# %s\n", err.text);
		return SIZE_MAX;
	}
	memset(data, 0xa5, sizeof data);
	mbr_write(m, (member_off){ 1 << 20 }, data + 1, 1 << 20, false);
	mbr_read(m, (member_off){ 2 << 20 }, data + 1, 1 << 20);
	mbr_write(m, (member_off){ 4 << 20 }, data, 512, true);
	count = cached_pages(path);
	mbr_close(m);
	return count;
}

static void check_cache(const char *path)
{
	size_t cached = pages_after_use(path, 0), direct;

	ok(cached > 0 && cached < SIZE_MAX, "the cache is seen: %zu pages after ordinary use", cached);
	direct = pages_after_use(path, MBR_DIRECT);
	is_u64(direct, 0, "a direct member leaves none");
}

struct worker {
	pthread_t thread;
	struct member *m;
	unsigned number, wrong;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t *out = malloc(70000), *in = malloc(70000);
	unsigned seed = w->number + 1;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned sectors = 1 + rand_r(&seed) % 128, odd = rand_r(&seed) % 600;
		uint64_t at = (uint64_t)w->number * AREA_BYTES + 512 * (rand_r(&seed) % (AREA_BYTES / 512 - 128));

		memset(out + odd, (int)(w->number * 31 + i), sectors * 512);
		if (mbr_write(w->m, (member_off){ at }, out + odd, sectors * 512, i % 7 == 0) < 0 ||
		    mbr_read(w->m, (member_off){ at }, in + odd / 2, sectors * 512) < 0 ||
		    memcmp(in + odd / 2, out + odd, sectors * 512) != 0)
			w->wrong++;
	}
	free(out);
	free(in);
	return NULL;
}

static void check_threads(const char *path)
{
	struct worker workers[THREADS];
	struct member *m = NULL;
	struct err err;
	unsigned wrong = 0;

	if (!ok(mbr_open(path, -1, MBR_LOCK_EXCLUSIVE | MBR_DIRECT, &m, &err) == 0, "opens for many threads"))
		return;
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .m = m, .number = i };
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
	}
	is_u64(wrong, 0, "%d threads read what they wrote, %d times each", THREADS, ROUNDS);
	mbr_close(m);
}

static void check_large_blocks(const char *path)
{
	char device[64];
	int backing_fd = open(path, O_RDWR | O_CLOEXEC), loop_fd = scratch_loop(backing_fd, device);
	struct member *m = NULL;
	struct err err = { 0 };

	if (loop_fd < 0 || ioctl(loop_fd, LOOP_SET_BLOCK_SIZE, 4096ul) < 0) {
		ok(true, "blocks of 4096 bytes # SKIP %s", device);
	} else {
		ok(mbr_open(device, -1, MBR_LOCK_EXCLUSIVE | MBR_DIRECT, &m, &err) == UMD_E_NOT_SUPPORTED &&
		   strstr(err.text, "larger than the 512 bytes of a sector"), "blocks of 4096 bytes are refused: %s",
		   err.text);
		ok(mbr_open(device, -1, MBR_LOCK_EXCLUSIVE, &m, &err) == 0, "and go on through the cache");
		mbr_close(m);
	}
	if (loop_fd >= 0)
		scratch_loop_end(loop_fd);
	close(backing_fd);
}

static void check_no_direct(void)
{
	char folder[] = "/var/tmp/umd-ramfs-XXXXXX", path[64];
	struct member *m = NULL;
	struct err err = { 0 };

	if (!mkdtemp(folder))
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("ramfs", folder, "ramfs", 0, NULL) < 0) {
		ok(true, "a file system without O_DIRECT # SKIP a ramfs cannot be mounted here: %s", strerror(errno));
	} else {
		snprintf(path, sizeof path, "%s/m-XXXXXX", folder);
		close(scratch_file(path, MEMBER_BYTES));
		ok(mbr_open(path, -1, MBR_LOCK_EXCLUSIVE | MBR_DIRECT, &m, &err) == UMD_E_NOT_SUPPORTED &&
		   strstr(err.text, "has no O_DIRECT"), "a file system without O_DIRECT is refused: %s", err.text);
		umount(folder);
	}
	rmdir(folder);
}

int main(void)
{
	char disk[] = "/var/tmp/umd-member-XXXXXX";
	int fd = scratch_file(disk, MEMBER_BYTES);
	static uint8_t bytes[MEMBER_BYTES];

	memset(bytes, 0x11, sizeof bytes);
	if (pwrite(fd, bytes, sizeof bytes, 0) != MEMBER_BYTES || fsync(fd) < 0)
		perror(disk);
	close(fd);
	check_cache(disk);
	check_threads(disk);
	check_large_blocks(disk);
	check_no_direct();
	unlink(disk);
	return tap_end();
}
