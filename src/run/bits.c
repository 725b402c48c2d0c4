/* Reading a bitmap's bits without holding the bitmap.
 *
 * A member is hostile: a sparse file of a petabyte may claim a bitmap of gigabytes. So the bits are read in pieces of
 * at most 1 MiB, holes are stepped over where the file system can tell them, and runs of set chunks are kept only up to
 * a limit, while counting goes on.
 *
 *   byte 0        256                                  256 + ceil(chunks / 8)
 *   | superblock  | bits, in words of 64, lowest first  |
 *
 * Left out: version 6 bitmaps (bytes instead of bits) and big-endian version 3 ones, which nobody believes. */
#include "run/bits.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/le.h"
#include "base/mem.h"
#include "format/bitmap_sb.h"

enum { PIECE_BYTES = 1 << 20, WORD_BYTES = 8, ROOM_FIRST = 64 };

static int keep(struct run_bits *b, struct run_range range)
{
	uint64_t room = b->range_room ? 2 * b->range_room : ROOM_FIRST;
	struct run_range *ranges;

	if (b->range_count == b->ranges_max) {
		b->is_truncated = true;
		return 0;
	}
	if (b->range_count == b->range_room) {
		ranges = reallocarray(b->ranges, room, sizeof *ranges);
		if (!ranges)
			return -ENOMEM;
		b->ranges = ranges;
		b->range_room = room;
	}
	b->ranges[b->range_count++] = range;
	return 0;
}

static int add_range(struct run_bits *b, uint64_t first, uint64_t last)
{
	struct run_range *before = b->range_count ? &b->ranges[b->range_count - 1] : NULL;

	b->set_chunks += last - first + 1;
	if (last >= b->from)
		b->set_from += last - max_u64(first, b->from) + 1;
	b->is_last_set |= last == b->chunks - 1;
	if (before && before->last + 1 == first) {
		before->last = last;
		return 0;
	}
	return keep(b, (struct run_range){ first, last });
}

/* @word: the bits of chunk @first and up to 63 behind it. */
static int add_word(struct run_bits *b, uint64_t first, uint64_t word)
{
	int rc = 0;

	while (rc == 0 && word && first < b->chunks) {
		unsigned skip = (unsigned)__builtin_ctzll(word);
		unsigned len = ~(word >> skip) ? (unsigned)__builtin_ctzll(~(word >> skip)) : 64;

		if (first + skip >= b->chunks)
			break;
		rc = add_range(b, first + skip, min_u64(first + skip + len, b->chunks) - 1);
		if (skip + len >= 64)
			break;
		word >>= skip + len;
		first += skip + len;
	}
	return rc;
}

static int add_piece(struct run_bits *b, uint64_t first, const uint8_t *data, uint64_t len_bytes)
{
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < len_bytes; i += WORD_BYTES)
		rc = add_word(b, first + 8 * i, le_get(data + i, (unsigned)min_u64(WORD_BYTES, len_bytes - i)));
	return rc;
}

/* The next byte from @at on that may be other than zero; @end: none. Who cannot tell (block devices) says "here". */
static uint64_t next_data(const struct member *m, uint64_t at, uint64_t end)
{
	off_t found;

	if (m->fd < 0)
		return at;
	found = lseek(m->fd, (off_t)at, SEEK_DATA);
	if (found < 0)
		return errno == ENXIO ? end : at;
	return min_u64((uint64_t)found, end);
}

static int read_pieces(struct member *m, uint64_t start, uint64_t end, uint8_t *piece, struct run_bits *b)
{
	uint64_t at = next_data(m, start, end), len;
	int rc = 0;

	for (; rc == 0 && at < end; at = next_data(m, at + len, end)) {
		len = min_u64(PIECE_BYTES, end - at);
		rc = mbr_read(m, (member_off){ at }, piece, len);
		if (rc == 0)
			rc = add_piece(b, 8 * (at - start), piece, len);
	}
	return rc;
}

int run_bits_read(struct member *m, member_off bitmap_at, struct run_bits *b)
{
	uint64_t start = bitmap_at.bytes + FMT_BITMAP_SB_BYTES;
	uint8_t *piece = mem_new(1, PIECE_BYTES);
	int rc = -ENOMEM;

	if (piece)
		rc = read_pieces(m, start, start + div_up(b->chunks, 8), piece, b);
	mem_free(piece);
	return rc;
}

void run_bits_drop(struct run_bits *b)
{
	free(b->ranges);
	b->ranges = NULL;
	b->range_count = b->range_room = 0;
}
