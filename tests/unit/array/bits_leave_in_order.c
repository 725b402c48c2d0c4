/* Goal: a bit leaves the disk after a flush of all members and after events_cleared is durable, also when a recovery
 * made it clearable; bits stay while a member is away.
 * Method: time passes over written chunks; scores, bits on the media and events_cleared are looked at.
 * Law: I4, I8.
 * Source: spec bitmap 4.6 and 8, P1 and its vector V3. */
#include "hands.h"

static void order(void)
{
	begin((struct setup){ 0 });
	write_now(3 * CHUNK, 4096, 'w');
	pass(300);
	score();
	pass(5000);
	is_score("", "first pass: a bit ages");
	ok(bit_on(0, 3) && bit_on(1, 3), "and is still there");
	hold(KIND(ARR_JOB_FLUSH));
	pass(5000);
	ok(waiting(ARR_JOB_FLUSH) == 1 && cleared_on(0) == 3, "second pass: first everybody is flushed");
	let_go(KIND(ARR_JOB_FLUSH));
	is_score("FLUSH01 bitmap01 bitmap01", "then events_cleared is written, then the bits");
	is_u64(cleared_on(1), status()->events, "events_cleared is the last durable event");
	ok(!bit_on(0, 3) && !bit_on(1, 3), "and the bit is gone");
	pass(60000);
	is_score("", "an idle healthy array does nothing more");
	is_u64(bm_set_chunks(w.bitmap), 0, "and has no bit set");
	end();
}

static void events_cleared_goes_first(void)
{
	begin((struct setup){ 0 });
	write_now(3 * CHUNK, 4096, 'w');
	pass(5400);
	hold(KIND(ARR_JOB_BITMAP));
	pass(5000);
	is_u64(waiting(ARR_JOB_BITMAP), 1, "the commit of events_cleared");
	ok(bm_bit(w.bitmap, (chunk_no){ 3 }), "goes out with the bit still set");
	w.held = 0;
	run_one();
	ok(bit_on(0, 3) && cleared_on(0) > FIRST_EVENTS, "so on disk events_cleared comes first");
	run();
	ok(!bit_on(0, 3), "the bit leaves with the next commit");
	end();
}

static void a_write_in_between(void)
{
	begin((struct setup){ 0 });
	write_now(3 * CHUNK, 4096, 'w');
	write_now(4 * CHUNK, 4096, 'w');
	pass(5400);
	hold(KIND(ARR_JOB_FLUSH));
	pass(5000);
	is_u64(write_now(3 * CHUNK, 512, 'x'), 0, "a write during the flush");
	let_go(KIND(ARR_JOB_FLUSH));
	ok(bit_on(0, 3) && !bit_on(0, 4), "keeps its bit, another one goes");
	pass(20000);
	ok(!bit_on(0, 3), "and loses it later");
	end();
}

static void a_flush_that_fails(void)
{
	begin((struct setup){ 0 });
	write_now(3 * CHUNK, 4096, 'w');
	pass(5400);
	w.hands[1].fails = FAILS_FLUSH;
	pass(30000);
	ok(state_of(1) == ARR_M_FAULTY && bit_on(0, 3),
	   "a member that does not flush is failed, and the bit stays for it");
	is_u64(cleared_on(0), 3, "events_cleared too");
	end();
}

static void while_degraded(void)
{
	begin((struct setup){ 0 });
	write_now(3 * CHUNK, 4096, 'w');
	fail(1);
	write_now(5 * CHUNK, 4096, 'x');
	pass(120000);
	ok(bit_on(0, 3) && bit_on(0, 5), "no bit leaves while a member is away");
	is_u64(cleared_on(0), 3, "and events_cleared stands still");
	end();
}

/* Linux forgets this: a member that left before the recovery would be taken back by a bitmap that has lost its bits. */
static void a_recovery_makes_bits_clearable(void)
{
	uint64_t left_at;

	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	pass(20000);
	fail(1);
	left_at = w.hands[1].super.events;
	write_now(5 * CHUNK, 4096, 'x');
	write_now(9 * CHUNK, 4096, 'x');
	take_out(1);
	join(ARR_M_SPARE, 0, false);	/* another device, recovered in full */
	run();
	is_u64(status()->degraded, 0, "a new member has taken the slot");
	ok(cleared_on(0) <= left_at, "events_cleared is where it was");
	score();
	pass(20000);
	ok(!bit_on(0, 5) && !bit_on(0, 9), "no write came since, and the bits are gone");
	ok(cleared_on(0) > left_at && cleared_on(1) > left_at,
	   "events_cleared went first: who left at event %llu is too late (%llu)",
	   (unsigned long long)left_at, (unsigned long long)cleared_on(0));
	end();
}

static void leftovers_of_a_clean_stop(void)
{
	begin((struct setup){ .set = 1 << 2 | 1 << 7 });
	pass(20000);
	is_u64(bm_set_chunks(w.bitmap), 0, "bits found in a clean array are swept away");
	is_u64(times("from"), 0, "and nothing is copied for them");
	end();
}

int main(void)
{
	order();
	events_cleared_goes_first();
	a_write_in_between();
	a_flush_that_fails();
	while_degraded();
	a_recovery_makes_bits_clearable();
	leftovers_of_a_clean_stop();
	return tap_end();
}
