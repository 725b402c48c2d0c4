/* Goal:   integers on disk are little-endian at any alignment, and writing touches only their own bytes.
 * Method: known bytes; round trips of random values at odd places with guards around them.
 * Law:    I7 (no byte outside is changed).
 * Source: base/le.h. */
#include "base/le.h"
#include "base/prng.h"
#include "tap.h"

static void round_trips(void)
{
	struct prng r = prng_seed(8);
	int wrong = 0, spilled = 0;

	for (int i = 0; i < 4000; i++) {
		unsigned width = 1 + (unsigned)prng_below(&r, 8), at = 1 + (unsigned)prng_below(&r, 7);
		uint64_t v = prng_next(&r) >> (64 - 8 * width);
		uint8_t raw[17];

		memset(raw, 0xa5, sizeof raw);
		le_put(raw + at, width, v);
		wrong += le_get(raw + at, width) != v;
		for (unsigned b = 0; b < sizeof raw; b++)
			spilled += (b < at || b >= at + width) && raw[b] != 0xa5;
	}
	is_u64(wrong, 0, "4000 values come back");
	is_u64(spilled, 0, "no neighbour byte changed");
}

int main(void)
{
	static const uint8_t magic[] = { 0xfc, 0x4e, 0x2b, 0xa9, 0x01, 0, 0, 0x80 };
	uint8_t raw[4];

	is_u64(le_get(magic, 4), 0xa92b4efc, "the lowest byte comes first");
	is_u64(le_get(magic, 8), 0x80000001a92b4efcu, "eight bytes, the top bit kept");
	is_u64(le_get(magic, 1), 0xfc, "one byte");
	le_put(raw, 4, 0x11223344);
	ok(!memcmp(raw, "\x44\x33\x22\x11", 4), "writing puts the lowest byte first");
	round_trips();
	return tap_end();
}
