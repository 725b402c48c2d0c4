/* Goal: bits are cleared only when the memory to write their pages is there: between the decision and the write
 * nobody could take it back.
 * Method: this program brings its own allocator, which fails from a chosen call on; ripe bits on three pages.
 * Law: I4.
 * Source: bitmap.h (bm_commit_reserve); design 6, can_clear. */
#include "bm_help.h"
#include "unit/short_of_memory.h"

#include <errno.h>

enum { CHUNK = 512 };

static struct bm *ripe_bitmap(void)
{
	static const uint64_t chunks[] = { 1, 2047, 40000, 40001, 80000 };
	struct bm *b = a_bare_bitmap(100000ull * CHUNK, CHUNK);

	for (unsigned i = 0; i < sizeof chunks / sizeof *chunks; i++)
		bm_mark(b, at(chunks[i] * CHUNK), 1);
	commit(b);
	for (unsigned i = 0; i < sizeof chunks / sizeof *chunks; i++)
		bm_done(b, at(chunks[i] * CHUNK), 1, false);
	bm_age(b);
	bm_age(b);
	return b;
}

int main(void)
{
	struct bm *b = ripe_bitmap();
	const struct bm_page_write *writes;

	for (int n = 0; n < 2; n++) {
		allocations_left = n;
		is_u64((uint64_t)bm_commit_reserve(b), (uint64_t)-ENOMEM, "%d allocations are not enough", n);
	}
	is_u64(bm_set_chunks(b), 5, "and nothing has changed");
	allocations_left = 2;
	is_u64((uint64_t)bm_commit_reserve(b), 3, "two are, for three pages");
	is_u64(bm_clear(b, false, true), 5, "bits are cleared");
	is_u64((uint64_t)bm_commit_begin(b, &writes), 3, "and their pages given out without any more");
	ok(writes[0].at_bytes == 0 && writes[1].at_bytes == 4096 && writes[2].at_bytes == 8192, "in order");
	bm_commit_end(b, true);
	allocations_left = 1000;
	is_u64((uint64_t)bm_commit_reserve(b), 0, "where nothing is wanted nothing is reserved");
	bm_mark(b, at(0), 1);
	is_u64((uint64_t)bm_commit_reserve(b), 1, "what is given back");
	bm_commit_unreserve(b);
	allocations_left = 0;
	is_u64((uint64_t)bm_commit_begin(b, &writes), (uint64_t)-ENOMEM, "is gone");
	bm_free(b);
	return tap_end();
}
