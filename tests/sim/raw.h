/* Bytes as the oracles read them, here and in tests/csim: numbers by plain offsets, little endian, and the sum that a
 * superblock carries. The oracle must not believe what umd's own decoder makes of umd's own bytes, so nothing of
 * src/format is in it. */
#ifndef TESTS_SIM_RAW_H
#define TESTS_SIM_RAW_H

#include <stdint.h>

static inline uint64_t little(const uint8_t *raw, uint32_t at, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | raw[at + bytes];
	return value;
}

/* Of the first @len bytes of a superblock. */
static inline uint32_t super_sum(const uint8_t *raw, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t at;

	for (at = 0; at + 4 <= len; at += 4)
		sum += at == 216 ? 0 : little(raw, at, 4);
	if (at + 2 <= len)
		sum += little(raw, at, 2);
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

#endif
