/* 0.90 superblocks as Linux 6.1 and mdadm 4.2 left them on members of 16 MiB, at byte 16711680: their words that are
 * not zero. No big-endian host was at hand; what one would have written is made of them. */
#ifndef TESTS_FORMAT_SB0_VECTORS_H
#define TESTS_FORMAT_SB0_VECTORS_H

#include "vectors.h"

#include "format/sb0.h"

struct word_value {
	uint16_t word;
	uint32_t value;
};

static const struct word_value sb0_crashed[] = {		/* member 1 */
	{ 0, 0xa92b4efc }, { 2, 90 }, { 5, 0x712be926 }, { 6, 0x6b00e194 }, { 7, 1 }, { 8, 0x3fc0 }, { 9, 2 },
	{ 10, 2 }, { 13, 0xdcf17909 }, { 14, 0xaf426dc0 }, { 15, 0x1185f5b5 }, { 32, 0x6b00e199 }, { 33, 0x100 },
	{ 34, 2 }, { 35, 2 }, { 38, 0x8e131a63 }, { 39, 0x14 }, { 129, 0x62 }, { 132, 6 }, { 160, 1 }, { 161, 0x62 },
	{ 162, 0x10 }, { 163, 1 }, { 164, 6 }, { 992, 1 }, { 993, 0x62 }, { 994, 0x10 }, { 995, 1 }, { 996, 6 }, { 0 },
};

static const struct word_value sb0_degraded[] = {		/* member 0, stopped cleanly after member 1 went */
	{ 0, 0xa92b4efc }, { 2, 90 }, { 5, 0x9c582dd5 }, { 6, 0x6b00e21d }, { 7, 1 }, { 8, 0x3fc0 }, { 9, 1 },
	{ 10, 2 }, { 13, 0x04aeea05 }, { 14, 0xb08b5ddb }, { 15, 0x9107f89f }, { 32, 0x6b00e22f }, { 33, 0x101 },
	{ 34, 1 }, { 35, 1 }, { 36, 1 }, { 38, 0x61c7c3ce }, { 39, 0x19 }, { 41, 0x19 }, { 43, 0xffffffff },
	{ 129, 0x62 }, { 132, 6 }, { 160, 1 }, { 163, 1 }, { 164, 9 }, { 993, 0x62 }, { 996, 6 }, { 0 },
};

enum { SB0_AT = 16711680, SB0_WORDS = FMT_SB0_BYTES / 4 };

static inline void word_put(uint8_t *raw, unsigned word, uint32_t value, bool is_big_endian)
{
	for (unsigned i = 0; i < 4; i++)
		raw[4 * word + i] = value >> 8 * (is_big_endian ? 3 - i : i);
}

/* Numbers of two words have their halves in the other order on a big-endian host. */
static inline unsigned word_of_host(unsigned word, bool is_big_endian)
{
	static const unsigned doubles[] = { 39, 41, 44 };

	for (unsigned i = 0; is_big_endian && i < 3; i++)
		if (word == doubles[i] || word == doubles[i] + 1)
			return 2 * doubles[i] + 1 - word;
	return word;
}

static inline void sb0_load(const struct word_value *words, bool is_big_endian, uint8_t raw[FMT_SB0_BYTES])
{
	memset(raw, 0, FMT_SB0_BYTES);
	for (; words->value; words++)
		word_put(raw, word_of_host(words->word, is_big_endian), words->value, is_big_endian);
}

/* Change one word and make the checksum right again. */
static inline void sb0_patch(uint8_t raw[FMT_SB0_BYTES], bool is_big_endian, unsigned word, uint32_t value)
{
	word_put(raw, word, value, is_big_endian);
	word_put(raw, 38, fmt_sb0_checksum(raw, is_big_endian), is_big_endian);
}

#endif
