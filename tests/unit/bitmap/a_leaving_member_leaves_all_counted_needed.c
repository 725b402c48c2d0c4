/* Goal: when a member leaves, every chunk with a counter becomes NEEDED at once, in flight, idle or ageing alike.
 * Method: chunks in every state, one bm_need_all_counted(); then bm_forget_needed() with writes still in flight.
 * Law: I11, I4.
 * Source: the design, I11; md bitmap 4.5. */
#include "bm_help.h"

enum { CHUNK = 4096 };

int main(void)
{
	struct bm *b = a_bitmap(10000ull * CHUNK, CHUNK);

	bm_mark(b, at(0), 512);				/* 0: ends and ages to 1 */
	commit(b);
	bm_done(b, at(0), 512, false);
	bm_age(b);
	bm_mark(b, at(CHUNK), 512);			/* 1: idle at 2 */
	bm_mark(b, at(2 * CHUNK), 512);			/* 2: two in flight */
	bm_mark(b, at(2 * CHUNK), 512);
	bm_set_needed(b, at(9000ull * CHUNK), CHUNK);	/* 9000: being resynced */
	bm_sync_start(b, at(9000ull * CHUNK), CHUNK, false);
	commit(b);
	bm_done(b, at(CHUNK), 512, false);

	bm_need_all_counted(b);
	is_u64(bm_counter(b, chunk(0)), BM_NEEDED | 1, "ageing");
	is_u64(bm_counter(b, chunk(1)), BM_NEEDED | 2, "idle");
	is_u64(bm_counter(b, chunk(2)), BM_NEEDED | 4, "in flight");
	is_u64(bm_counter(b, chunk(9000)), BM_NEEDED | BM_RESYNC | 2, "in a window");
	is_u64(bm_counter(b, chunk(3)), 0, "an untouched chunk stays clean");
	is_u64(bm_needed_chunks(b), 4, "four chunks are owed");
	ok(!bm_age(b), "none of them is ripe");
	is_u64(bm_clear(b, false, true), 0, "none is cleared");
	is_u64(bm_set_chunks(b), 4, "all bits stay");

	bm_forget_needed(b);
	is_u64(bm_needed_chunks(b), 0, "all members agree again: nothing is owed");
	is_u64(bm_counter(b, chunk(2)), 4, "writes in flight are still counted");
	bm_age(b);
	bm_age(b);
	is_u64(clear_ripe(b), 3, "idle chunks age and go");
	ok(bm_bit(b, chunk(2)), "the one in flight stays");
	bm_done(b, at(2 * CHUNK), 512, false);
	bm_done(b, at(2 * CHUNK), 512, true);
	is_u64(bm_counter(b, chunk(2)), BM_NEEDED | 2, "and a failed end is owed again");
	bm_free(b);
	return tap_end();
}
