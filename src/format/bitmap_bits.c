/* Where the bit of a chunk lies.
 *
 * Bits are counted from the bitmap's start: behind a superblock of 256 bytes the first bit is number 2048, without one
 * (externally managed metadata) number 0. Pages of 4096 bytes are counted from the same start, so page 0 behind a
 * superblock holds 30720 chunks and every other page 32768:
 *
 *   page 0                       page 1
 *   | superblock | 0 ... 30719   | 30720 ...
 *
 * Little-endian hosts store version 3 bitmaps the same way; a big-endian host stored whole words, most significant byte
 * first. Such a bitmap cannot be told from the other kind by looking, so nobody uses that order to start an array. */
#include "base/law.h"
#include "format/bitmap_sb.h"

enum { PAGE_BYTES = 4096, PAGE_BITS = 8 * PAGE_BYTES };

static uint64_t bit_number(chunk_no chunk, bool has_superblock)
{
	return chunk.index + (has_superblock ? 8 * FMT_BITMAP_SB_BYTES : 0);
}

struct bitmap_bit fmt_bitmap_bit(chunk_no chunk, bool has_superblock)
{
	uint64_t n = bit_number(chunk, has_superblock);

	return (struct bitmap_bit){ n / 8, n % 8 };
}

uint64_t fmt_bitmap_page_of(chunk_no chunk, bool has_superblock)
{
	return bit_number(chunk, has_superblock) / PAGE_BITS;
}

struct bitmap_bit fmt_bitmap_bit_big_endian(chunk_no chunk, bool has_superblock, unsigned word_bits)
{
	uint64_t n = bit_number(chunk, has_superblock);
	unsigned word_bytes = word_bits / 8;

	MUST(word_bits == 32 || word_bits == 64);
	return (struct bitmap_bit){ n / word_bits * word_bytes + (word_bytes - 1) - n % word_bits / 8, n % 8 };
}
