/* Goal: when memory runs out nothing of another node's bits is merged, and none of the memory is kept.
 * Method: this program brings its own allocator, which fails from a chosen call on; bits on three pages of counters.
 * Law: C2, I9.
 * Source: md bitmap 4.2. */
#include "bm_help.h"
#include "unit/short_of_memory.h"

#include <errno.h>

enum { CHUNK = 4096, CHUNKS = 5003, BYTES = 8192 };

static uint8_t slot[BYTES];

static void set(uint64_t chunk)
{
	slot[FMT_BITMAP_SB_BYTES + chunk / 8] |= (uint8_t)(1 << chunk % 8);
}

int main(void)
{
	struct bitmap_sb sb = a_superblock((uint64_t)CHUNKS * CHUNK, CHUNK);
	struct bm *b = a_bitmap((uint64_t)CHUNKS * CHUNK, CHUNK);

	fmt_bitmap_sb_encode(&sb, slot);
	set(1);
	set(2500);
	set(4500);
	for (int left = 0; left < 3; left++) {
		allocations_left = left;
		is_u64((uint64_t)-bm_merge(b, slot), ENOMEM, "memory for %d of three pages of counters", left);
		ok(!bm_set_chunks(b) && !bm_page_allocations(b) && !bm_wants_commit_now(b), "nothing is kept");
	}
	allocations_left = 100000;
	is_u64((uint64_t)bm_merge(b, slot), 3, "with memory all of it");
	bm_free(b);
	return tap_end();
}
