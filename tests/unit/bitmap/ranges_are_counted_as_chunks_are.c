/* Goal: a range of chunks has as many set and needed ones as asking for each chunk gives, whatever its borders.
 * Method: random marks, writes that end well and badly; ranges with borders around words, pages and leaves, and any
 *         others; bm_next_set_below against the bits, too.
 * Law: none; a map must not show what is not there.
 * Source: bitmap.h. */
#include "base/prng.h"
#include "bm_help.h"

enum { CHUNK = 4096, CHUNKS = 70013, RANGES = 3000 };

static struct prng rng = { 5 };

static void scribble(struct bm *b)
{
	for (int i = 0; i < 400; i++) {
		uint64_t first = prng_below(&rng, CHUNKS), max = prng_below(&rng, 10) ? 5 : 4500;
		uint64_t count = 1 + prng_below(&rng, (uint32_t)min_u64(CHUNKS - first, max));

		bm_mark(b, at(first * CHUNK), count * CHUNK);
		if (prng_below(&rng, 3))
			bm_done(b, at(first * CHUNK), count * CHUNK, prng_below(&rng, 2));
	}
}

static uint64_t any_border(void)
{
	static const uint64_t borders[] = { 0, 64, 2048, 4096, 30720, 32768, 63488, 65536, CHUNKS };

	if (prng_below(&rng, 2))
		return prng_below(&rng, CHUNKS + 50);
	return borders[prng_below(&rng, sizeof borders / sizeof *borders)] + prng_below(&rng, 3);
}

/* Counted one by one. */
static void count(const struct bm *b, uint64_t first, uint64_t end, uint64_t *set, uint64_t *needed)
{
	*set = *needed = 0;
	for (uint64_t i = first; i < min_u64(end, CHUNKS); i++) {
		*set += bm_bit(b, chunk(i));
		*needed += !!(bm_counter(b, chunk(i)) & (BM_NEEDED | BM_RESYNC));
	}
}

/* The chunks of the runs below @end are those that are set there. */
static bool runs_are_right(const struct bm *b, uint64_t from, uint64_t end, uint64_t set)
{
	chunk_no first = { from }, last;

	for (; bm_next_set_below(b, first, chunk(end), &first, &last); first.index = last.index + 1) {
		if (last.index >= end || (first.index > from && bm_bit(b, chunk(first.index - 1))))
			return false;
		for (uint64_t i = first.index; i <= last.index; i++, set--)
			if (!bm_bit(b, chunk(i)))
				return false;
	}
	return !set;
}

static void check(struct bm *b)
{
	uint64_t wrong_set = 0, wrong_needed = 0, wrong_runs = 0, most_set = 0, most_needed = 0;

	is_u64(bm_chunks(b), CHUNKS, "a bitmap whose last chunk is cut");
	scribble(b);
	for (int i = 0; i < RANGES; i++) {
		uint64_t first = any_border(), end = i ? any_border() : CHUNKS, set, needed;

		first = i ? first : 0;
		count(b, first, end, &set, &needed);
		wrong_set += bm_count_set(b, chunk(first), chunk(end)) != set;
		wrong_needed += bm_count_needed(b, chunk(first), chunk(end)) != needed;
		wrong_runs += !runs_are_right(b, first, end, set);
		most_set = max_u64(most_set, set);
		most_needed = max_u64(most_needed, needed);
	}
	is_u64(wrong_set, 0, "%d ranges: set chunks", RANGES);
	is_u64(wrong_needed, 0, "needed chunks");
	is_u64(wrong_runs, 0, "runs, cut at the end of the range");
	ok(most_set > 1000 && most_needed > 1000, "there was something to count");
	is_u64(bm_count_set(b, chunk(0), chunk(OFF_NONE)), bm_set_chunks(b), "all of them: the sum that is kept");
	is_u64(bm_count_needed(b, chunk(0), chunk(OFF_NONE)), bm_needed_chunks(b), "needed ones as well");
	bm_free(b);
}

int main(void)
{
	check(a_bitmap((CHUNKS - 1) * (uint64_t)CHUNK + 512, CHUNK));
	check(a_bare_bitmap((CHUNKS - 1) * (uint64_t)CHUNK + 512, CHUNK));
	return tap_end();
}
