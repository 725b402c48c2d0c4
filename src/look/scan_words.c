/* Counting in words of 64 bits.
 *
 * A hostile bitmap may hold gigabytes of alternating bits. Set bits are counted by population count, and runs by the
 * same on those bits whose lower neighbour is clear, so that 64 chunks cost a few instructions however they look. x86
 * processors have had an instruction for it since 2008, but a compiler that builds for all of them may not use it: it
 * is asked for at run time.
 *
 * Left out: what the bits mean, where they come from. */
#include "look/scan_inside.h"

static uint64_t mask_from(uint64_t bit)
{
	return UINT64_MAX << bit % SCAN_WORD_CHUNKS;
}

static inline __attribute__((always_inline)) uint64_t count_set(const uint64_t *words, uint64_t count)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++)
		sum += (uint64_t)__builtin_popcountll(words[i]);
	return sum;
}

static inline __attribute__((always_inline)) uint64_t count_starts(const uint64_t *words, uint64_t count,
								    bool is_before_set)
{
	uint64_t sum = 0, carry = is_before_set;

	for (uint64_t i = 0; i < count; i++) {
		sum += (uint64_t)__builtin_popcountll(words[i] & ~(words[i] << 1 | carry));
		carry = words[i] >> 63;
	}
	return sum;
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static uint64_t count_set_fast(const uint64_t *words, uint64_t count)
{
	return count_set(words, count);
}

__attribute__((target("popcnt"))) static uint64_t count_starts_fast(const uint64_t *words, uint64_t count, bool before)
{
	return count_starts(words, count, before);
}

static bool is_fast(void)
{
	return __builtin_cpu_supports("popcnt");
}
#else
#define count_set_fast count_set
#define count_starts_fast count_starts

static bool is_fast(void)
{
	return false;
}
#endif

static uint64_t set_in_words(const uint64_t *words, uint64_t count)
{
	return is_fast() ? count_set_fast(words, count) : count_set(words, count);
}

uint64_t look_words_set(const uint64_t *words, uint64_t lo, uint64_t hi)
{
	uint64_t first = lo / SCAN_WORD_CHUNKS, last = hi / SCAN_WORD_CHUNKS, sum;

	if (lo >= hi)
		return 0;
	if (first == last)
		return (uint64_t)__builtin_popcountll(words[first] & mask_from(lo) & ~mask_from(hi));
	sum = (uint64_t)__builtin_popcountll(words[first] & mask_from(lo));
	sum += set_in_words(words + first + 1, last - first - 1);
	if (hi % SCAN_WORD_CHUNKS)
		sum += (uint64_t)__builtin_popcountll(words[last] & ~mask_from(hi));
	return sum;
}

uint64_t look_words_starts(const uint64_t *words, uint64_t count, bool is_before_set)
{
	return is_fast() ? count_starts_fast(words, count, is_before_set) : count_starts(words, count, is_before_set);
}

uint64_t look_words_find(const uint64_t *words, uint64_t lo, uint64_t hi, bool wanted)
{
	uint64_t flip = wanted ? 0 : UINT64_MAX, i = lo / SCAN_WORD_CHUNKS, found;

	if (lo >= hi)
		return hi;
	found = (words[i] ^ flip) & mask_from(lo);
	while (!found) {
		if (++i * SCAN_WORD_CHUNKS >= hi)
			return hi;
		found = words[i] ^ flip;
	}
	return min_u64(hi, i * SCAN_WORD_CHUNKS + (uint64_t)__builtin_ctzll(found));
}
