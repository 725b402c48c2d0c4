/* Goal: a spare takes the first slot that nobody works in and gets everything; while the array is whole it waits.
 * Method: spares that were there before a failure, that come after it, and more of them than slots.
 * Law: I2, I9.
 * Source: spec array 6.1. */
#include "hands.h"

int main(void)
{
	struct arr_event ev = { .kind = ARR_EV_ADD };
	int spare;

	begin((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	is_u64(state_of(2), ARR_M_SPARE, "a spare waits while the array is whole");
	ok(byte_of(2, 0) == 'c', "and gets no data");
	is_u64(told_role(0, 2), ARR_ROLE_SPARE, "superblocks call it a spare");
	ok(w.hands[2].has_super, "its own too");
	fail(0);
	run();
	ok(state_of(2) == ARR_M_IN_SYNC && status()->members[2].slot == 0, "it takes the slot of a member that fails");
	ok(!memcmp(w.hands[1].media + DATA_AT, w.hands[2].media + DATA_AT, SIZE),
	   "and gets everything, whatever the bitmap says");
	ok(strstr(status()->last.reason, "a spare took an empty slot"), "the report says why: %s",
	   status()->last.reason);
	ok(told_role(1, 0) == ARR_ROLE_FAULTY && told_role(1, 2) == 0 && told_role(2, 1) == 1,
	   "superblocks say who is who");

	is_u64((uint64_t)take_out(1), (uint64_t)UMD_E_MEMBER_STATE, "a member in sync cannot be removed");
	is_u64(take_out(0), 0, "a failed one can");
	spare = join(ARR_M_SPARE, 0, false);
	run();
	ok(spare == 0 && state_of(0) == ARR_M_SPARE, "a new spare uses its entry, and waits");
	is_u64((uint64_t)join(ARR_M_RECOVERING, 1, false), (uint64_t)UMD_E_NO_FREE_SLOT,
	       "nobody joins in a slot that is taken");
	is_u64(take_out((uint32_t)spare), 0, "a spare can be removed");
	run();
	is_u64(told_role(1, 3), ARR_ROLE_SPARE, "no trace of it is left");
	end();

	begin((struct setup){ .members = 1, .slots = 3, .set = 1 << 4 });
	join(ARR_M_SPARE, 0, false);
	run();
	ok(state_of(1) == ARR_M_IN_SYNC && status()->degraded == 1, "a spare for one of two empty slots");
	is_u64(bm_needed_chunks(w.bitmap), 1, "what the other slot is owed stays owed");
	join(ARR_M_SPARE, 0, false);
	run();
	is_u64(status()->degraded, 0, "and one for the last");
	is_u64(bm_needed_chunks(w.bitmap), 0, "nothing is owed");
	end();

	begin((struct setup){ .is_readonly = true });
	ev.new_member = &(struct arr_member){ .state = ARR_M_SPARE };
	is_u64((uint64_t)step(&ev), (uint64_t)UMD_E_READ_ONLY, "no member joins a read-only array");
	end();
	return tap_end();
}
