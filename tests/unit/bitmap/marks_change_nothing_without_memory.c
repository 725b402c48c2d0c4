/* Goal: when memory runs out a mark says so and nothing is counted, no bit set, no page kept.
 * Method: this program brings its own allocator, which fails from a chosen call on; a range over three counter pages.
 * Law: I9; md bitmap P7 (counters that stand for several chunks lose bits: umd refuses instead).
 * Source: md bitmap 4.2. */
#include "bm_help.h"
#include "unit/short_of_memory.h"

#include <errno.h>

enum { CHUNK = 4096 };

int main(void)
{
	struct bitmap_sb sb = a_superblock(8192ull * CHUNK, CHUNK);
	struct bm *b = a_bitmap(8192ull * CHUNK, CHUNK);
	const struct bm_page_write *writes;
	int made = 0;

	bm_mark(b, at(0), 512);
	allocations_left = 1;
	is_u64(bm_mark(b, at(1000ull * CHUNK), 4000ull * CHUNK), BM_MARK_NO_MEMORY,
	       "a range over three counter pages, memory for one");
	is_u64(bm_page_allocations(b), 1, "no page was kept but the one in use");
	is_u64(bm_set_chunks(b), 1, "no bit was set");
	is_u64(bm_counter(b, chunk(1000)), 0, "nothing was counted");
	is_u64((uint64_t)-bm_set_needed(b, at(2048ull * CHUNK), 4096ull * CHUNK), ENOMEM,
	       "the same holds for bm_set_needed");
	is_u64((uint64_t)-bm_commit_begin(b, &writes), ENOMEM, "a commit without memory does not begin");
	ok(!bm_commit_is_running(b) && bm_wants_commit_now(b), "and is still wanted");
	allocations_left = 1000;
	is_u64(bm_mark(b, at(1000ull * CHUNK), 4000ull * CHUNK), BM_MARKED, "with memory it works");
	is_u64(bm_set_chunks(b), 4001, "for every chunk");
	bm_free(b);

	for (; made < 100; made++) {
		allocations_left = made;
		b = bm_new(&sb, NULL, 0);
		if (b)
			break;
	}
	ok(b && made > 3, "bm_new survives a failure at each of its %d allocations", made);
	bm_free(b);
	return tap_end();
}
