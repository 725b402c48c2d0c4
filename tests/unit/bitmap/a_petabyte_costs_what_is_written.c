/* Goal: the cost of a write and of the search for work follows the chunks touched, not the size of the array.
 * Method: 1 PiB in chunks of 1 MiB (2^30 chunks, 128 MiB of bits); counter pages counted, many writes within the
 * test's time limit.
 * Law: the design's costs (section 5); md bitmap P17.
 * Source: performance facts A. */
#include "bm_help.h"

#include <time.h>

static const uint64_t size = 1ull << 50, unit = 1 << 20;

int main(void)
{
	struct bm *b = a_bitmap(size, 1 << 20);
	const struct bm_page_write *writes;
	array_off next;
	uint64_t len, wrong = 0;
	clock_t begun;

	is_u64(bm_chunks(b), 1ull << 30, "2^30 chunks");
	is_u64(bm_pages(b), 32769, "the bits of 128 MiB and their head");
	is_u64(bm_page_allocations(b), 0, "nothing is counted, no counter page exists");
	begun = clock();
	for (uint64_t i = 0; i < 20000; i++) {
		array_off a = at(i * 52428ull * unit % size);
		int pages;

		bm_mark(b, a, 4096);
		pages = bm_commit_begin(b, &writes);
		wrong += pages != 1;
		bm_commit_end(b, true);
		wrong += !bm_is_stable(b, a, 4096);
		bm_done(b, a, 4096, false);
		if (i % 100 == 99) {
			while (!bm_age(b))
				;
			while (bm_clear(b, false, true) && !bm_age(b))
				;
			commit(b);
		}
	}
	is_u64(wrong, 0, "20000 writes, each with a commit of exactly one page");
	ok((clock() - begun) / CLOCKS_PER_SEC < 20, "at a cost that does not see the array's size (%.2f s)",
	   (double)(clock() - begun) / CLOCKS_PER_SEC);
	bm_set_needed(b, at(size - 4096), 4096);
	is_u64(bm_needed_chunks(b), 1, "one chunk is needed, the last");
	ok(bm_next_needed(b, at(0), &next, &len) && next.bytes == size - unit && len == unit,
	   "and found from the very beginning");
	ok(bm_page_allocations(b) < 300, "counter pages exist only where something is counted (%llu)",
	   (unsigned long long)bm_page_allocations(b));
	bm_free(b);
	return tap_end();
}
