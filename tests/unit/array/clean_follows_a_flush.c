/* Goal: superblocks say clean only after all members were flushed behind the last write, not with a write admitted
 * meanwhile; events only go forward.
 * Method: time passes with the flush or the superblocks held back while writes arrive.
 * Law: I10.
 * Source: spec array 3 (umd never counts back: docs/differences.md, events-forward). */
#include "hands.h"

static void order(void)
{
	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	score();
	pass(199);
	is_score("", "nothing happens for 199 ms");
	hold(KIND(ARR_JOB_FLUSH));
	pass(1);
	is_u64(waiting(ARR_JOB_FLUSH), 1, "then everybody is flushed");
	ok(w.hands[0].super.is_active && w.hands[1].super.is_active, "superblocks still say active");
	let_go(KIND(ARR_JOB_FLUSH));
	is_score("FLUSH01 bitmap01 clean01", "before they say clean");
	is_u64(w.hands[1].super.resync_offset, OFF_NONE, "all in sync");
	pass(60000);
	is_u64(times("clean"), 0, "once");
	end();
}

static void a_write_in_flight(void)
{
	struct arr_req *r;

	begin((struct setup){ 0 });
	write_now(0, 512, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 0, 4096, 'x');
	score();
	pass(5000);
	is_u64(times("clean") + times("FLUSH"), 0, "never while a write is in flight");
	w.held = 0;
	run();
	ok(r->is_done, "the write ends");
	pass(100);
	is_u64(times("clean"), 0, "the time counts from its end");
	pass(100);
	is_u64(times("clean"), 1, "and then clean");
	end();
}

static void a_write_admitted_meanwhile(void)
{
	struct arr_req *r;

	begin((struct setup){ 0 });
	write_now(0, 512, 'w');
	score();
	hold(KIND(ARR_JOB_FLUSH));
	pass(250);
	is_u64(waiting(ARR_JOB_FLUSH), 1, "during the flush");
	is_u64(write_now(0, 4096, 'x'), 0, "a write goes through");
	let_go(KIND(ARR_JOB_FLUSH));
	is_score("write01 FLUSH01", "and ends the claim: the flush does not cover it");
	pass(300);
	is_score("FLUSH01 bitmap01 clean01", "a later one does");

	write_now(0, 512, 'w');
	hold(KIND(ARR_JOB_CLAIM));
	pass(250);
	is_u64(waiting(ARR_JOB_CLAIM), 1, "when the superblocks are under way");
	score();
	r = submit(ARR_WRITE, 0, 4096, 'y');
	run();
	ok(!r->is_done && !r->job, "a write waits");
	let_go(KIND(ARR_JOB_CLAIM));
	is_score("clean01 bitmap01 active01 write01", "for clean, and then for active again");
	ok(r->is_done, "and is done");
	end();
}

static void a_flush_that_fails(void)
{
	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	w.hands[1].fails = FAILS_FLUSH;
	pass(250);
	is_u64(state_of(1), ARR_M_FAULTY, "a member that does not flush is failed");
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "which is recorded");
	ok(!w.hands[0].super.is_active && w.hands[1].super.is_active, "clean is said by the other one only");
	end();
}

static void events(void)
{
	uint64_t before = FIRST_EVENTS;
	bool is_forward = true;

	begin((struct setup){ 0 });
	for (int i = 0; i < 5; i++) {
		write_now((uint64_t)i * CHUNK, 512, 'w');
		is_forward &= status()->events == before + 1 && w.hands[0].super.events == before + 1;
		pass(300);
		is_forward &= status()->events == before + 2 && w.hands[1].super.events == before + 2;
		before += 2;
	}
	ok(is_forward, "every claim has the next event number, clean ones as well");
	is_u64(bm_events(w.bitmap), before, "the bitmap has it too");
	fail(1);
	run();
	is_u64(status()->events, before + 1, "a failure is one event");
	end();
}

/* A round that was given up behind its bitmap is begun again with the same number. */
static void a_round_begun_again(void)
{
	struct arr_req *r;

	begin((struct setup){ .members = 3 });
	hold(KIND(ARR_JOB_BITMAP));
	r = submit(ARR_WRITE, 0, 512, 'w');
	run();
	fail(2);
	let_go(KIND(ARR_JOB_BITMAP));
	ok(r->is_done && !r->rc, "a failure in the middle of a round: it is begun again and ends");
	is_u64(told_role(0, 2), ARR_ROLE_FAULTY, "with the failure in it");
	end();
}

int main(void)
{
	order();
	a_write_in_flight();
	a_write_admitted_meanwhile();
	a_flush_that_fails();
	events();
	a_round_begun_again();
	return tap_end();
}
