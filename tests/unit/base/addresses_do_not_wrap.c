/* Goal:   sums, products, roundings and overlaps of addresses are right up to the end of 64 bits.
 * Method: values at and around the limits; overlap against a count of shared bytes on small ranges.
 * Law:    none (I7 rests on it).
 * Source: base/units.h. */
#include "base/units.h"
#include "tap.h"

static void checked_arithmetic(void)
{
	uint64_t r = 7;

	ok(add_fits(UINT64_MAX - 1, 1, &r) && r == UINT64_MAX, "the largest sum fits");
	ok(!add_fits(UINT64_MAX, 1, &r), "one more does not");
	ok(mul_fits(1ull << 32, (1ull << 32) - 1, &r) && r == 0xffffffff00000000u, "a large product fits");
	ok(!mul_fits(1ull << 32, 1ull << 32, &r), "2^64 does not");
}

static void roundings(void)
{
	is_u64(div_up(0, 4096), 0, "nothing needs no chunk");
	is_u64(div_up(1, 4096), 1, "one byte needs a chunk");
	is_u64(div_up(4096, 4096), 1, "a full chunk needs one");
	is_u64(div_up(UINT64_MAX, 2), 1ull << 63, "division up does not wrap");
	is_u64(round_down(8191, 4096), 4096, "down to the page");
	is_u64(round_up(4097, 4096), 8192, "up to the page");
	is_u64(round_up(8192, 4096), 8192, "a multiple stays");
	ok(is_power_of_two(1) && is_power_of_two(1ull << 63) && !is_power_of_two(0) && !is_power_of_two(3),
	   "powers of two are known, 0 is none");
	ok(min_u64(1, UINT64_MAX) == 1 && max_u64(1, UINT64_MAX) == UINT64_MAX, "lesser and greater");
}

static void overlaps(void)
{
	int wrong = 0;

	for (unsigned a = 0; a < 6; a++)
		for (unsigned alen = 0; alen < 5; alen++)
			for (unsigned b = 0; b < 6; b++)
				for (unsigned blen = 0; blen < 5; blen++) {
					int shared = 0;

					for (unsigned byte = 0; byte < 12; byte++)
						shared += byte >= a && byte < a + alen && byte >= b && byte < b + blen;
					wrong += ranges_overlap(a, alen, b, blen) != (shared > 0);
				}
	is_u64(wrong, 0, "900 pairs of ranges overlap exactly when they share a byte");
}

int main(void)
{
	checked_arithmetic();
	roundings();
	overlaps();
	return tap_end();
}
