/* Goal: from the moment a clear is decided the bit counts as gone, whatever the disk still holds.
 * Method: clear, then mark again before, during and after the commit of the cleared page.
 * Law: I3, I4.
 * Source: the design's life of a write; bitmap.h on the durable plane. */
#include "bm_help.h"

enum { CHUNK = 4096 };

static struct bm *with_cleared_chunk(uint64_t i)
{
	struct bm *b = a_bitmap(64 * CHUNK, CHUNK);

	bm_mark(b, at(i * CHUNK), 512);
	commit(b);
	bm_done(b, at(i * CHUNK), 512, false);
	bm_age(b);
	bm_age(b);
	is_u64(clear_ripe(b), 1, "cleared in the image");
	return b;
}

int main(void)
{
	const struct bm_page_write *writes;
	struct bm *b = with_cleared_chunk(4);

	bm_mark(b, at(4 * CHUNK), 512);
	ok(!bm_is_stable(b, at(4 * CHUNK), 512), "marked before the cleared page was written: not stable");
	ok(bm_wants_commit_now(b), "its page must go before data");
	bm_commit_begin(b, &writes);
	ok(writes[0].data[256] & 0x10, "and is written with the bit set");
	bm_commit_end(b, true);
	ok(bm_is_stable(b, at(4 * CHUNK), 512), "then stable");
	bm_free(b);

	b = with_cleared_chunk(4);
	bm_commit_begin(b, &writes);
	ok(!(writes[0].data[256] & 0x10), "the cleared page is on its way");
	bm_mark(b, at(4 * CHUNK), 512);
	ok(!bm_is_stable(b, at(4 * CHUNK), 512), "marked meanwhile: not stable");
	ok(bm_wants_commit_now(b), "a commit of its own is wanted");
	bm_commit_end(b, true);
	ok(!bm_is_stable(b, at(4 * CHUNK), 512), "the end of the clearing commit does not make it stable");
	ok(bm_bit(b, chunk(4)) && !bm_bit_is_durable(b, chunk(4)), "set in the image, absent on disk");
	commit(b);
	ok(bm_is_stable(b, at(4 * CHUNK), 512), "its own commit does");
	bm_free(b);

	b = with_cleared_chunk(4);
	bm_commit_begin(b, &writes);
	bm_commit_end(b, false);
	ok(!bm_bit_is_durable(b, chunk(4)), "a failed clearing commit leaves the bit in doubt: not durable");
	ok(bm_wants_commit(b), "and the page wanted");
	bm_free(b);
	return tap_end();
}
