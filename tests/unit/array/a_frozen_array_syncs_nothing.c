/* Goal: frozen, no resync or recovery runs or begins; idle interrupts one, which begins again by itself; both end a
 * freeze but `frozen`; a sync that a read error stopped is tried again when it is ordered. The period of the sweep
 * can be changed.
 * Method: orders at rest and in mid-window; what was copied.
 * Law: I8, I9.
 * Source: spec array 9.2, bitmap 5 (time_base). */
#include "hands.h"

static void freeze(void)
{
	begin((struct setup){ .is_dirty = true, .set = ~0ull });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	tell(ARR_EV_FREEZE, 1);
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(status()->is_frozen && status()->action == ARR_SYNC_IDLE, "a frozen resync stands still");
	ok(!status()->last.is_complete && status()->last.ended_ms, "and is reported as interrupted");
	is_u64((uint64_t)write_now(3 * CHUNK, 512, 'w'), 0, "clients go on");
	pass(600000);
	ok(status()->resync_offset != OFF_NONE, "nothing begins by itself");
	tell(ARR_EV_SYNC, 0);
	ok(!status()->is_frozen && status()->resync_offset == OFF_NONE, "idle ends that, and what is due begins again");
	is_u64((uint64_t)byte_of(1, 9 * CHUNK), 'a', "and ends");
	end();

	begin((struct setup){ .is_dirty = true, .set = ~0ull });
	tell(ARR_EV_FREEZE, 1);
	tell(ARR_EV_FREEZE, 0);
	ok(status()->resync_offset == OFF_NONE, "a thaw lets it run as well");
	end();

	begin((struct setup){ .is_dirty = true, .set = ~0ull });
	tell(ARR_EV_FREEZE, 1);
	stop();
	run();
	ok(arr_is_stopped(w.a), "a frozen array stops");
	end();
}

static void interrupt(void)
{
	begin((struct setup){ .is_dirty = true, .set = ~0ull });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	tell(ARR_EV_SYNC, 0);
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	ok(status()->last.is_complete && status()->resync_offset == OFF_NONE,
	   "what was interrupted begins again and ends");
	end();

	begin((struct setup){ 0 });
	is_u64((uint64_t)tell(ARR_EV_SYNC, 0), 0, "idle while nothing runs");
	is_score("", "does nothing");
	write_now(CHUNK, 512, 'a');
	ok(status()->action == ARR_SYNC_IDLE, "nor later");
	end();
}

static void try_again(void)
{
	begin((struct setup){ .members = 2, .states = { 0, ARR_M_RECOVERING }, .wants_full = { 0, true },
			      .wants_record = true });
	w.hands[0].fails = FAILS_READ;
	w.hands[0].fails_kinds = KIND(ARR_JOB_SYNC_READ);
	pass(60000);
	ok(state_of(1) == ARR_M_RECOVERING && status()->action == ARR_SYNC_IDLE, "the only source cannot be read");
	w.hands[0].fails = 0;
	pass(600000);
	ok(state_of(1) == ARR_M_RECOVERING, "it is not tried for ever");
	tell(ARR_EV_SYNC, 1);
	ok(state_of(1) == ARR_M_IN_SYNC, "but when it is ordered");
	end();
}

static void periods(void)
{
	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'a');
	is_u64((uint64_t)tell(ARR_EV_SET_TIME_BASE, 60000), 0, "the period of the sweep is changed");
	pass(59000);
	ok(bit_on(0, 1), "which holds at once");
	pass(120000);
	ok(!bit_on(0, 1), "and bits go");
	is_u64(bm_daemon_sleep_ms(w.bitmap), 60000, "the bitmap knows");
	end();

	begin((struct setup){ .has_no_bitmap = true });
	is_u64((uint64_t)tell(ARR_EV_SET_TIME_BASE, 60000), (uint64_t)-ENOENT, "without one there is no sweep");
	end();
}

int main(void)
{
	freeze();
	interrupt();
	try_again();
	periods();
	return tap_end();
}
