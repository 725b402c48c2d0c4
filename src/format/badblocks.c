/* The bad-block log: up to 512 little-endian entries of 8 bytes, (sector << 10) | length, ended by all ones.
 *
 * Sector and length count in units of 2^shift sectors; the sector is absolute on the member. Nothing fails here:
 * numbers that no member can have are cut to the largest there is, so that they stay visible and still mean
 * "unreadable". An entry of length 0 says nothing and is skipped, as md does. */
#include "base/le.h"
#include "format/sb1.h"

enum { ENTRY_BYTES = 8, LENGTH_BITS = 10 };

static uint64_t shift_up(uint64_t value, uint8_t shift, uint64_t most)
{
	if (value && (shift > 63 || value > most >> shift))
		return most;
	return value << (shift & 63);
}

uint32_t fmt_bad_blocks_decode(const uint8_t *log, uint32_t log_bytes, uint8_t shift, struct bad_block *ret)
{
	uint32_t entries = log_bytes / ENTRY_BYTES, stored = 0;

	for (uint32_t i = 0; i < entries && stored < FMT_BAD_BLOCKS_MAX; i++) {
		uint64_t entry = le_get(log + ENTRY_BYTES * i, ENTRY_BYTES);
		uint64_t len = entry & ((1 << LENGTH_BITS) - 1);

		if (entry == UINT64_MAX)
			break;
		if (!len)
			continue;
		ret[stored].sector = shift_up(entry >> LENGTH_BITS, shift, UINT64_MAX);
		ret[stored].len_sectors = shift_up(len, shift, UINT32_MAX);
		stored++;
	}
	return stored;
}
