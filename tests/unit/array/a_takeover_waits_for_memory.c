/* Goal: without memory a take-over does not begin, or waits and asks to be woken; no bit is lost by it.
 * Method: this program brings its own allocator, which fails when it is told to.
 * Law: C2, I9.
 * Source: md cluster specification 8.3. */
#include "node.h"
#include "unit/short_of_memory.h"

int main(void)
{
	begin_node((struct setup){ 0 });
	put_slot(2, 1 << 0 | 1 << 4);
	write_now(6 * CHUNK, 4096, 'w');
	allocations_left = 0;
	is_u64((uint64_t)take_slot(2, true), (uint64_t)-ENOMEM, "without memory it does not begin");
	allocations_left = MEMORY_ENOUGH;
	hold(KIND(ARR_JOB_SLOT_READ));
	take_slot(2, true);
	allocations_left = 0;
	run_one_of(ARR_JOB_SLOT_READ);
	ok(status()->take == ARR_CHANGE_RUNS, "without memory for the commit it waits");
	ok(arr_next_timer_ms(w.a) <= w.now_ms + 1000, "and asks to be woken");
	allocations_left = MEMORY_ENOUGH;
	let_go(KIND(ARR_JOB_SLOT_READ));
	pass(1000);
	ok(status()->take == 0 && !slot_bits(0, 2), "then it goes on");
	end();
	return tap_end();
}
