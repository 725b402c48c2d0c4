/* Goal:   a seed gives the same numbers for ever, different seeds differ, bounds hold.
 * Method: two generators of one seed, neighbours of a seed, a histogram below a bound.
 * Law:    none (a failing simulation is replayed from its seed).
 * Source: base/prng.h. */
#include "base/prng.h"
#include "tap.h"

static void bounds_hold(void)
{
	struct prng r = prng_seed(5);
	unsigned seen[8] = { 0 }, least = -1u;

	for (int i = 0; i < 7000; i++) {
		uint64_t n = prng_below(&r, 7);

		seen[n < 7 ? n : 7]++;
	}
	is_u64(seen[7], 0, "7000 numbers stay below the bound");
	for (int i = 0; i < 7; i++)
		least = seen[i] < least ? seen[i] : least;
	ok(least > 800, "every value below the bound comes about as often (least: %u of 7000)", least);
}

int main(void)
{
	struct prng a = prng_seed(4711), b = prng_seed(4711), zero = { 0 };
	int same = 0, repeats = 0;

	for (int i = 0; i < 1000; i++)
		same += prng_next(&a) == prng_next(&b);
	is_u64(same, 1000, "one seed, one sequence");
	for (uint64_t seed = 0; seed < 1000; seed++) {
		a = prng_seed(seed);
		b = prng_seed(seed + 1);
		repeats += prng_next(&a) == prng_next(&b);
	}
	is_u64(repeats, 0, "neighbouring seeds begin differently");
	ok(prng_next(&zero) != 0 && prng_next(&zero) != prng_next(&zero), "a zeroed state does not get stuck");
	a = prng_seed(1);
	is_u64(prng_below(&a, 1), 0, "below one there is only zero");
	bounds_hold();
	return tap_end();
}
