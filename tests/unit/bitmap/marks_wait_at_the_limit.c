/* Goal: the 16382nd writer of a chunk waits, and a mark that must wait has counted nothing anywhere.
 * Method: fill one chunk's counter, then mark it alone and in a range with neighbours.
 * Law: I4 (a count that wrapped would free the bit under a writer).
 * Source: md bitmap 4.1, overflow. */
#include "bm_help.h"

enum { CHUNK = 4096 };

int main(void)
{
	struct bm *b = a_bitmap(64 * CHUNK, CHUNK);
	uint32_t counted = 0;

	while (counted < 20000 && bm_mark(b, at(5 * CHUNK), 512) == BM_MARKED)
		counted++;
	is_u64(counted, 16381, "at most 16381 writers in one chunk");
	is_u64(bm_counter(b, chunk(5)), BM_COUNT_MAX, "the counter stands at its maximum");
	is_u64(bm_mark(b, at(4 * CHUNK), 3 * CHUNK), BM_MARK_WAIT, "a range over it waits as a whole");
	ok(!bm_counter(b, chunk(4)) && !bm_counter(b, chunk(6)), "its neighbours were not counted");
	ok(!bm_bit(b, chunk(4)) && !bm_bit(b, chunk(6)), "nor their bits set");
	commit(b);
	bm_done(b, at(5 * CHUNK), 512, false);
	is_u64(bm_mark(b, at(4 * CHUNK), 3 * CHUNK), BM_MARKED, "after one end there is room");
	is_u64(bm_counter(b, chunk(5)), BM_COUNT_MAX, "for exactly one");
	bm_need_all_counted(b);
	is_u64(bm_counter(b, chunk(5)), BM_NEEDED | BM_COUNT_MAX, "flags do not disturb the count");
	is_u64(bm_mark(b, at(5 * CHUNK), 512), BM_MARK_WAIT, "nor hide the limit");
	bm_free(b);
	return tap_end();
}
