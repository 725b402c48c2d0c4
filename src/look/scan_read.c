/* Reading chunks of one bitmap: as words of bits, or as state bytes of a lockless one.
 *
 * Holes of a sparse file are stepped over (SEEK_DATA), because a bitmap may claim petabytes and hold nothing. How long
 * a piece is follows what was found: behind a hole a short one, doubled while data follows data. So scattered pages
 * cost little more than themselves, and a file of many tiny extents no more than reading it from end to end.
 *
 * Words: a *reader* remembers the last answer about holes, so that many slots of a cluster can be asked for the nearest
 * data without a system call each. Left out: what is counted (scan.c). */
#include "look/scan_inside.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static uint64_t chunks_per_byte(const struct look_bitmap *b)
{
	return b->is_lockless ? 1 : 8;
}

bool look_bitmap_is_on_member(const struct look_bitmap *b)
{
	uint64_t end;

	return add_fits(b->at.bytes, div_up(b->chunks, chunks_per_byte(b)), &end) && end <= b->m->size_bytes;
}

void look_reader_begin(struct scan_reader *r, const struct look_bitmap *b)
{
	*r = (struct scan_reader){ .b = b, .asked = UINT64_MAX, .knows_holes = b->m->fd >= 0 };
}

/* The first byte from @at on that may be other than zero; @end: none. Who cannot tell says "here". */
static uint64_t next_data(struct scan_reader *r, uint64_t at, uint64_t end)
{
	off_t found;

	if (!r->knows_holes)
		return at;
	found = lseek(r->b->m->fd, (off_t)at, SEEK_DATA);
	if (found >= 0)
		return min_u64((uint64_t)found, end);
	if (errno == ENXIO)
		return end;
	r->knows_holes = false;
	return at;
}

uint64_t look_reader_next(struct scan_reader *r, uint64_t chunk)
{
	const struct look_bitmap *b = r->b;
	uint64_t start = b->at.bytes, per_byte = chunks_per_byte(b), end = start + div_up(b->chunks, per_byte), byte;

	if (chunk >= b->chunks)
		return b->chunks;
	if (r->asked <= chunk && chunk <= r->next)
		return r->next;
	byte = next_data(r, start + chunk / per_byte, end);
	r->asked = chunk;
	r->next = byte == end ? b->chunks : max_u64(chunk, round_down((byte - start) * per_byte, SCAN_WORD_CHUNKS));
	return r->next;
}

/* Bits behind the last chunk read, and of a last byte those behind the last chunk, mean nothing: they are cleared. */
static void tidy_words(const struct look_bitmap *b, uint64_t count, uint64_t len_bytes, uint64_t *words)
{
	uint64_t full = div_up(len_bytes, sizeof *words);

	memset((uint8_t *)words + len_bytes, 0, full * sizeof *words - len_bytes);
	if (b->is_lockless)
		return;
	for (uint64_t i = 0; i < full; i++)
		words[i] = le64toh(words[i]);
	if (count % SCAN_WORD_CHUNKS)
		words[count / SCAN_WORD_CHUNKS] &= ~(UINT64_MAX << count % SCAN_WORD_CHUNKS);
}

int look_reader_read(struct scan_reader *r, uint64_t first, uint64_t count, uint64_t words[SCAN_WORDS])
{
	uint64_t per_byte = chunks_per_byte(r->b), len_bytes = div_up(count, per_byte);
	int rc = mbr_read(r->b->m, (member_off){ r->b->at.bytes + first / per_byte }, words, len_bytes);

	if (rc == 0)
		tidy_words(r->b, count, len_bytes, words);
	return rc;
}

uint64_t look_scan_pace(struct scan_pace *p, uint64_t next, uint64_t chunks, bool is_lockless)
{
	uint64_t per_byte = is_lockless ? 1 : 8, least = SCAN_FIRST_BYTES * per_byte, most = SCAN_READ_BYTES * per_byte;

	p->len_chunks = next == p->at && p->len_chunks ? min_u64(most, 2 * p->len_chunks) : least;
	p->len_chunks = min_u64(p->len_chunks, most);
	p->at = next + p->len_chunks;
	return min_u64(p->len_chunks, chunks - next);
}
