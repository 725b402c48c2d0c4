/* Goal: a resync walks exactly the needed bytes, in windows that need not fit chunks, and forgets a chunk only when it
 * is whole.
 * Method: windows smaller and larger than a chunk, a failure, an abort, the short last chunk, a degraded pass.
 * Law: I8, I2.
 * Source: md bitmap 4.5, 4.7 (cond_end_sync). */
#include "bm_help.h"

enum { CHUNK = 65536 };
static const uint64_t size = 40ull * CHUNK - 5 * 512;

static void small_windows(void)
{
	struct bm *b = a_bitmap(size, CHUNK);
	array_off next;
	uint64_t len;

	bm_set_needed(b, at(7 * CHUNK + 100), 512);
	bm_set_needed(b, at(39ull * CHUNK), 512);
	is_u64(bm_needed_chunks(b), 2, "two chunks are needed");
	ok(bm_next_needed(b, at(0), &next, &len) && next.bytes == 7 * CHUNK && len == CHUNK, "the first whole chunk");
	bm_sync_start(b, next, 16384, false);
	is_u64(bm_counter(b, chunk(7)), BM_RESYNC | 2, "RESYNC from its first window on");
	bm_sync_end(b, next, 16384, at(next.bytes + 16384), true);
	is_u64(bm_counter(b, chunk(7)), BM_RESYNC | 2, "a chunk cut by the window keeps RESYNC");
	ok(bm_is_needed(b, at(7 * CHUNK), 512), "and reads there stay pinned");
	ok(bm_next_needed(b, at(next.bytes + 16384), &next, &len) && next.bytes == 7 * CHUNK + 16384,
	   "going on inside the chunk");
	is_u64(len, CHUNK - 16384, "to its end");
	bm_sync_start(b, next, len, false);
	bm_sync_end(b, next, len, at(8 * CHUNK), true);
	is_u64(bm_counter(b, chunk(7)), 2, "complete: idle");
	ok(bm_next_needed(b, at(8 * CHUNK), &next, &len) && next.bytes == 39ull * CHUNK, "the last chunk");
	is_u64(len, size - 39ull * CHUNK, "cut at the array's end");
	bm_sync_start(b, next, len, false);
	bm_sync_end(b, next, len, at(size), true);
	ok(!bm_next_needed(b, at(0), &next, &len), "nothing is left");
	is_u64(bm_needed_chunks(b), 0, "no flag");
	bm_free(b);
}

static void failures(void)
{
	struct bm *b = a_bitmap(size, CHUNK);
	array_off next;
	uint64_t len;

	bm_set_needed(b, at(2 * CHUNK), 3 * CHUNK);
	ok(bm_next_needed(b, at(100), &next, &len) && next.bytes == 2 * CHUNK && len == 3 * CHUNK,
	   "a run of three chunks");
	bm_sync_start(b, next, len, false);
	bm_sync_end(b, at(2 * CHUNK), CHUNK, at(3 * CHUNK), true);
	bm_sync_end(b, at(3 * CHUNK), CHUNK, at(4 * CHUNK), false);
	is_u64(bm_counter(b, chunk(3)), BM_NEEDED | 2, "a failed window is needed again");
	bm_sync_abort(b);
	is_u64(bm_counter(b, chunk(4)), BM_NEEDED | 2, "an aborted pass gives its RESYNC back");
	is_u64(bm_counter(b, chunk(2)), 2, "what was done stays done");
	ok(bm_next_needed(b, at(0), &next, &len) && next.bytes == 3 * CHUNK && len == 2 * CHUNK,
	   "the rest is found again");
	bm_sync_start(b, next, len, true);
	bm_sync_end(b, next, len, at(5 * CHUNK), true);
	is_u64(bm_needed_chunks(b), 2, "a degraded pass takes nothing off: it is owed to the missing member too");
	bm_free(b);
}

static void page_boundaries(void)
{
	struct bm *b = a_bitmap(6000ull * CHUNK, CHUNK);
	array_off next = { 0 };
	uint64_t len, total = 0, runs = 0;

	bm_set_needed(b, at(2000ull * CHUNK), 3000ull * CHUNK);
	for (; bm_next_needed(b, next, &next, &len); next.bytes += len, runs++)
		total += len;
	is_u64(total, 3000ull * CHUNK, "a run over counter pages is found whole");
	is_u64(runs, 3, "in one piece per counter page");
	bm_free(b);
}

int main(void)
{
	small_windows();
	failures();
	page_boundaries();
	return tap_end();
}
