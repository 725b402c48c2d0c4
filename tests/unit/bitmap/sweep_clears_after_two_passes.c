/* Goal: a bit leaves the image only in the second pass after its last write, and not when it is written again.
 * Method: chunks of different age swept side by side; a write slipped in between age and clear.
 * Law: I4, I8.
 * Source: md bitmap 4.6. */
#include "bm_help.h"

enum { CHUNK = 4096 };

static void write_chunk(struct bm *b, uint64_t i)
{
	bm_mark(b, at(i * CHUNK), 512);
	commit(b);
	bm_done(b, at(i * CHUNK), 512, false);
}

/* What was copied meanwhile is not flushed, though its counter stands at 1 again. */
static void copied_in_between(void)
{
	struct bm *b = a_bitmap(64 * CHUNK, CHUNK);

	write_chunk(b, 5);
	bm_age(b);
	ok(bm_age(b) && bm_is_ripe(b, chunk(5)), "a chunk is ripe, and the members are being flushed");
	bm_set_needed(b, at(5 * CHUNK), 512);
	bm_sync_start(b, at(5 * CHUNK), CHUNK, false);
	bm_sync_end(b, at(5 * CHUNK), CHUNK, at(6 * CHUNK), true);
	is_u64(bm_counter(b, chunk(5)), 1, "it is found in doubt, and copied");
	is_u64(bm_clear(b, false, true), 0, "that is not flushed: its bit stays");
	ok(bm_age(b) && bm_clear(b, false, true) == 1, "until the next pass");
	bm_free(b);
}

int main(void)
{
	struct bm *b = a_bitmap(64 * CHUNK, CHUNK);

	ok(!bm_wants_sweep(b), "an idle bitmap wants no sweep");
	write_chunk(b, 1);
	ok(bm_wants_sweep(b), "a write that ended wants one");
	ok(!bm_age(b), "first pass: nothing is ripe");
	is_u64(bm_clear(b, false, true), 0, "so nothing is cleared");
	write_chunk(b, 2);
	write_chunk(b, 3);
	ok(bm_age(b), "second pass: the older chunk is ripe");
	is_u64(bm_counter(b, chunk(2)), 1, "the younger ones have aged once");
	is_u64(bm_clear(b, false, false), 0, "not while clearing is forbidden");
	is_u64(bm_clear(b, false, true), 1, "exactly the older one is cleared");
	ok(!bm_bit(b, chunk(1)) && !bm_bit_is_durable(b, chunk(1)), "its bit left image and durable plane together");
	ok(bm_bit(b, chunk(2)) && bm_bit(b, chunk(3)), "the younger ones stay");
	ok(bm_wants_commit(b) && !bm_wants_commit_now(b), "the cleared page is wanted, but not before data");

	ok(bm_age(b), "third pass: both are ripe");
	bm_mark(b, at(2 * CHUNK), 512);
	is_u64(bm_clear(b, false, true), 1, "a write in between holds its bit");
	ok(bm_bit(b, chunk(2)) && !bm_bit(b, chunk(3)), "the written chunk stays, the idle one goes");
	ok(bm_is_stable(b, at(2 * CHUNK), 512), "and it is stable without a commit");
	bm_done(b, at(2 * CHUNK), 512, false);

	bm_age(b);
	write_chunk(b, 2);
	ok(!bm_age(b), "written and done between two passes: young again");
	is_u64(bm_clear(b, false, true), 0, "so it is kept");
	ok(bm_age(b), "and ripe one pass later");
	is_u64(bm_clear(b, false, true), 1, "then cleared");
	is_u64(bm_set_chunks(b), 0, "an idle healthy array has no bit set");
	is_u64(bm_page_allocations(b), 0, "and no counter page");
	bm_age(b);
	ok(!bm_wants_sweep(b), "the sweep may sleep");
	bm_free(b);
	copied_in_between();
	return tap_end();
}
