/* Goal: reading a bitmap in pieces finds every set chunk once, however the bits lie in pieces, words and holes.
 * Method: sparse files with random runs of bits (some around the borders of pieces) are read and compared with the
 *         runs that were written; then limits: how many runs are kept, the last chunk, bits behind it, a checkpoint.
 * Law: I8 (examine tells the bytes the next start copies).
 * Source: design 3: examine streams, whatever the image claims. */
#include <stdlib.h>
#include <unistd.h>

#include "base/prng.h"
#include "run/bits.h"
#include "tap.h"

enum { PIECE_BITS = 8 << 20, SUPERBLOCK_BYTES = 256, BITMAP_AT = 8192, CHUNKS = 5 * PIECE_BITS + 13 };

static char path[] = "/tmp/umd-bits.XXXXXX";
static int fd;
static struct member *m;

static void begin(uint64_t member_bytes)
{
	if (m)
		m = mbr_close(m);
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)member_bytes) < 0 || mbr_open_look(path, &m, NULL) < 0)
		ok(false, "a scratch member of %llu bytes", (unsigned long long)member_bytes);
}

/* Set the chunks @first to @last in the file. */
static void set(uint64_t first, uint64_t last)
{
	for (uint64_t byte = first / 8; byte <= last / 8; byte++) {
		off_t at = BITMAP_AT + SUPERBLOCK_BYTES + (off_t)byte;
		uint8_t bits = 0;

		if (pread(fd, &bits, 1, at) != 1)
			ok(false, "byte %llu can be read", (unsigned long long)byte);
		for (unsigned i = 0; i < 8; i++)
			if (8 * byte + i >= first && 8 * byte + i <= last)
				bits |= 1 << i;
		if (pwrite(fd, &bits, 1, at) != 1)
			ok(false, "byte %llu can be written", (unsigned long long)byte);
	}
}

static struct run_bits read_all(uint64_t chunks, uint64_t ranges_max, uint64_t from)
{
	struct run_bits b = { .chunks = chunks, .ranges_max = ranges_max, .from = from };

	is_u64(run_bits_read(m, (member_off){ BITMAP_AT }, &b), 0, "the bitmap is read");
	return b;
}

static void random_runs(uint64_t seed)
{
	struct prng r = prng_seed(seed);
	struct run_range wanted[200];
	uint64_t count = 0, set_chunks = 0, at = 0;
	struct run_bits b;

	begin(BITMAP_AT + SUPERBLOCK_BYTES + CHUNKS / 8 + 1);
	while (count < 200) {
		uint64_t first = at + (prng_below(&r, 3) ? prng_below(&r, 200) : prng_below(&r, 1 << 20));
		uint64_t last = first + prng_below(&r, prng_below(&r, 5) ? 5 : 500);

		if (prng_below(&r, 8) == 0) {
			first = (first / PIECE_BITS + 1) * PIECE_BITS - prng_below(&r, 70) - 1;
			first = max_u64(first, at);
			last = first + prng_below(&r, 140);
		}
		if (last >= CHUNKS)
			break;
		set(first, last);
		set_chunks += last - first + 1;
		wanted[count++] = (struct run_range){ first, last };
		at = last + 2;
	}
	b = read_all(CHUNKS, UINT64_MAX, 0);
	is_u64(b.range_count, count, "seed %llu: as many runs as were written", (unsigned long long)seed);
	ok(b.range_count == count && !memcmp(b.ranges, wanted, count * sizeof *wanted), "in the same places");
	is_u64(b.set_chunks, set_chunks, "and as many set chunks");
	ok(!b.is_truncated, "nothing was left out");
	run_bits_drop(&b);
}

static void limits(void)
{
	struct run_bits b;

	begin(1 << 20);
	set(0, 0);
	set(10, 20);
	set(30, 63);
	set(64, 70);
	set(99, 120);

	b = read_all(100, 2, 15);
	ok(b.range_count == 2 && b.is_truncated, "two runs are kept, and it says that there are more");
	is_u64(b.set_chunks, 1 + 11 + 41 + 1, "all chunks are counted, none behind the last one");
	is_u64(b.set_from, 6 + 41 + 1, "from the checkpoint on those that do not lie before it");
	ok(b.is_last_set, "the last chunk is set");
	run_bits_drop(&b);

	b = read_all(99, 100, 0);
	ok(!b.is_last_set && !b.is_truncated, "one chunk less: the last one is not set");
	ok(b.range_count == 3 && b.ranges[2].first == 30 && b.ranges[2].last == 70, "a run goes on from word to word");
	run_bits_drop(&b);

	b = read_all(0, 100, 0);
	is_u64(b.set_chunks, 0, "a bitmap without chunks has none set");
	run_bits_drop(&b);
}

static void bits_behind_the_member(void)
{
	struct run_bits b = { .chunks = UINT64_C(1) << 40, .ranges_max = 10 };

	begin(BITMAP_AT + SUPERBLOCK_BYTES + 100);
	set(799, 799);
	ok(run_bits_read(m, (member_off){ BITMAP_AT }, &b) < 0, "a bitmap longer than the member is an error");
	run_bits_drop(&b);
}

int main(void)
{
	fd = mkstemp(path);
	if (!ok(fd >= 0, "a scratch file"))
		return tap_end();
	for (uint64_t seed = 1; seed <= 8; seed++)
		random_runs(seed);
	limits();
	bits_behind_the_member();
	mbr_close(m);
	unlink(path);
	return tap_end();
}
