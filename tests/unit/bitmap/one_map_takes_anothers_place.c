/* Goal: a map with other chunks has every bit and flag of the one it replaces, and is never half believed.
 * Method: maps of several sizes are carried into each other, against a count byte by byte; the writes of a commit are
 *	looked at in their order.
 * Law: I3, I8.
 * Source: spec bitmap 6.1, 8: P6, P7, P8. */
#include "bm_help.h"

#include <errno.h>

enum { KIB = 1024, SIZE = 37 * 64 * KIB + 512 };

static bool covers(const struct bm *b, uint64_t byte, bool needed)
{
	chunk_no c = { byte / bm_chunk_bytes(b) };

	return needed ? (bm_counter(b, c) & BM_NEEDED) != 0 : bm_bit(b, c);
}

/* At every sector: set in the old one is set in the new one; in the new one only what shares a chunk with such. */
static void carried(uint32_t from_chunk, uint32_t to_chunk)
{
	struct bm *from = a_bitmap(SIZE, from_chunk), *to = a_bitmap(SIZE, to_chunk);
	uint64_t lost = 0, surplus = 0, larger = from_chunk > to_chunk ? from_chunk : to_chunk;

	bm_set_needed(from, at(0), 1);
	bm_mark(from, at(5 * 64 * KIB + 100), 9000);
	bm_done(from, at(5 * 64 * KIB + 100), 9000, false);
	bm_set_needed(from, at(SIZE - 512), 512);
	is_u64((uint64_t)bm_carry(to, from), 0, "%u to %u: carried", from_chunk, to_chunk);
	is_u64((uint64_t)bm_carry(to, from), 0, "and once more");
	for (uint64_t byte = 0; byte < SIZE; byte += 512) {
		uint64_t first = byte / larger * larger;
		bool is_near = false;

		lost += covers(from, byte, false) && !covers(to, byte, false);
		lost += covers(from, byte, true) && !covers(to, byte, true);
		for (uint64_t near = first; near < first + larger && near < SIZE; near += 512)
			is_near |= covers(from, near, false);
		surplus += covers(to, byte, false) && !is_near;
	}
	is_u64(lost, 0, "no bit and no flag is lost");
	is_u64(surplus, 0, "and none is set for nothing");
	is_u64(bm_events_cleared(to), bm_events_cleared(from), "events_cleared is the same");
	bm_free(from);
	bm_free(to);
}

static void head_apart(void)
{
	const uint64_t big = 8192ull * 64 * KIB;
	struct bitmap_sb sb = a_superblock(big, 4 * KIB), head;
	struct bm *b = bm_new(&sb, NULL, 0);
	const struct bm_page_write *writes;
	int count;

	bm_set_needed(b, at(0), big);
	commit(b);
	bm_rewrite(b);
	count = bm_commit_begin(b, &writes);
	is_u64((uint64_t)count, bm_pages(b) + 1, "every page, and one write more");
	ok(writes[0].at_bytes == 0 && writes[0].len_bytes == SECTOR_BYTES, "the first sector goes alone");
	ok(writes[1].at_bytes == SECTOR_BYTES && writes[1].len_bytes == BM_PAGE_BYTES - SECTOR_BYTES, "then its page");
	ok(writes[2].at_bytes == BM_PAGE_BYTES && writes[2].len_bytes == BM_PAGE_BYTES, "then the others");
	fmt_bitmap_sb_decode(writes[0].data, &head);
	ok(head.state & FMT_BITMAP_STALE, "it says STALE");
	bm_commit_end(b, true);
	ok(bm_bit_is_durable(b, chunk(0)) && bm_bit_is_durable(b, chunk(30719)) && bm_bit_is_durable(b, chunk(30720)),
	   "all bits are durable then");
	count = bm_commit_begin(b, &writes);
	is_u64((uint64_t)count, 1, "then page 0 once more");
	fmt_bitmap_sb_decode(writes[0].data, &head);
	is_u64(head.state, 0, "without STALE");
	bm_commit_end(b, true);
	is_u64((uint64_t)bm_commit_begin(b, &writes), 0, "and that is all");
	bm_free(b);
}

static void failed_pages(void)
{
	struct bm *b = a_bitmap(8192ull * 64 * KIB, 4 * KIB);
	const struct bm_page_write *writes;

	bm_rewrite(b);
	bm_commit_begin(b, &writes);
	bm_commit_end(b, false);
	is_u64((uint64_t)bm_commit_begin(b, &writes), bm_pages(b) + 1, "what nobody took goes out again, STALE first");
	bm_set_events(b, 99);
	is_u64(bm_events_cleared(b), 3, "events go on, and who could return still can");
	bm_commit_end(b, true);
	bm_free(b);
}

int main(void)
{
	static const uint32_t chunks[] = { 512, 4 * KIB, 64 * KIB, 1024 * KIB, 64 << 20 };

	for (unsigned i = 0; i < 5; i++)
		for (unsigned k = 0; k < 5; k++)
			carried(chunks[i], chunks[k]);
	head_apart();
	failed_pages();
	return tap_end();
}
