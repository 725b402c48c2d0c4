/* Goal: a read-only array gives out no write and no flush, whatever state it is found in.
 * Method: dirty, degraded, recovering arrays with spares live for a while; every job but reads is a fault.
 * Law: I7.
 * Source: design 3, `serve --readonly`. */
#include "hands.h"

static void live(const char *found, struct setup s)
{
	s.is_readonly = true;
	begin(s);
	pass(60000);
	is_u64((uint64_t)write_now(0, 512, 'x'), (uint64_t)UMD_E_READ_ONLY, "%s: a write is refused", found);
	is_u64((uint64_t)submit(ARR_ZERO, 0, 512, 0)->rc, (uint64_t)UMD_E_READ_ONLY, "%s: so is zeroing", found);
	is_u64(flush_now(), 0, "%s: a flush is nothing", found);
	is_u64((uint64_t)fail(0), (uint64_t)UMD_E_READ_ONLY, "%s: nobody can be failed", found);
	ok(read_now(0) > 0, "%s: reads are served", found);
	w.hands[0].fails = FAILS_READ;
	read_now(CHUNK);
	pass(60000);
	is_u64(arr_next_timer_ms(w.a), UINT64_MAX, "%s: it never wants to wake up", found);
	stop();
	run();
	ok(arr_is_stopped(w.a), "%s: a stop ends at once", found);
	is_u64(status()->counters.member_writes + status()->counters.member_flushes, 0,
	       "%s: no write and no flush was given out", found);
	ok(!times("bitmap") && !times("clean") && !times("active") && !times("from") && !times("to"),
	   "%s: nor anything else", found);
	end();
}

int main(void)
{
	live("clean", (struct setup){ 0 });
	live("dirty", (struct setup){ .is_dirty = true, .set = 0xf0 });
	live("dirty without a bitmap", (struct setup){ .is_dirty = true, .has_no_bitmap = true });
	live("degraded", (struct setup){ .members = 1, .slots = 2, .set = 3, .wants_record = true });
	live("recovering", (struct setup){ .states = { 0, ARR_M_RECOVERING }, .set = 3, .wants_record = true });
	live("with a spare to take over", (struct setup){ .slots = 3, .members = 3, .states = { 0, 0, ARR_M_SPARE },
		.set = 3 });
	live("with leftovers", (struct setup){ .set = 0xff });
	return tap_end();
}
