/* Goal: what one member cannot read another one answers, the error is counted, nobody is failed for it; only when
 * none can read it the client sees the error.
 * Method: members that refuse reads; three members, a recovering one among them.
 * Law: I9.
 * Source: spec array 4.1 (umd does not rewrite: docs/differences.md, read-errors-not-rewritten). */
#include "hands.h"

int main(void)
{
	begin((struct setup){ .members = 3, .states = { 0, 0, ARR_M_RECOVERING }, .wants_full = { [2] = true },
		.wants_record = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	w.hands[0].fails = FAILS_READ;
	for (int i = 0; i < 4; i++)
		is_u64(read_now(4096), 'b', "read %d is answered by the member that can", i);
	ok(status()->members[0].errors > 0, "errors are counted");
	is_u64(state_of(0), ARR_M_IN_SYNC, "and the member stays");
	is_u64(status()->members[1].errors, 0, "the other has none");
	w.hands[1].fails = FAILS_READ;
	is_u64((uint64_t)read_now(4096), (uint64_t)-EIO, "none can: an error, though a member in mid-recovery could");
	ok(state_of(0) == ARR_M_IN_SYNC && state_of(1) == ARR_M_IN_SYNC, "nobody is failed");
	w.hands[0].fails = w.hands[1].fails = 0;
	ok(read_now(4096) == 'a' || read_now(4096) == 'a', "a later read asks everybody again");
	end();

	begin((struct setup){ 0 });
	score();
	for (int i = 0; i < 4; i++)
		read_now(0);
	ok(times("read0") == 2 && times("read1") == 2, "members take turns");
	is_u64((uint64_t)submit(ARR_READ, SIZE - 512, 1024, 0)->rc, (uint64_t)-EINVAL, "behind the end is refused");
	is_u64((uint64_t)submit(ARR_READ, UINT64_MAX - 511, 1024, 0)->rc, (uint64_t)-EINVAL,
	       "an end that wraps is refused");
	ok(submit(ARR_READ, SIZE, 0, 0)->is_done, "nothing at the end is done at once");
	end();
	return tap_end();
}
