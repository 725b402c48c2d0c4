/* Goal: an array with external metadata stops when its owner is dead: requests that wait for an answer end with an
 * error, what they wrote stays in doubt by its bit, everything is flushed, and the state says whether something was
 * not recorded.
 * Method: stops while the owner is asked about a write, a failure, the end of a sync; with bits that may not be
 * cleared.
 * Law: I4, I9, I10.
 * Source: spec array 10; the door of the array, "the owner". */
#include "hands.h"

static bool is_shown(const char *state)
{
	if (!strcmp(shown(), state))
		return true;
	printf("# shown %s, wanted %s\n", shown(), state);
	return false;
}

static void quiet(void)
{
	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	stop();
	run();
	ok(arr_is_stopped(w.a) && is_shown("clean"), "an active array is flushed and found clean");
	ok(!w.hands[0].has_unflushed && !w.hands[1].has_unflushed, "which it is");
	ok(!bit_on(0, 0) && !bit_on(1, 0), "with its bits swept");
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), (uint64_t)UMD_E_STOPPING, "nobody says clean any more");
	end();
}

static void asked_about_a_write(void)
{
	struct arr_req *r;

	begin((struct setup){ .is_external = true });
	r = submit(ARR_WRITE, 0, 512, 'a');
	run();
	stop();
	run();
	ok(r->is_done && r->rc == UMD_E_STOPPING && !times("write"), "a write that waits is refused and never written");
	ok(arr_is_stopped(w.a) && is_shown("clean"), "the array is clean as before");
	end();
}

static void asked_about_a_failure(void)
{
	struct arr_req *r, *read;

	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	w.hands[1].fails = FAILS_WRITE;
	w.hands[1].fails_kinds = KIND(ARR_JOB_REQUEST);
	r = submit(ARR_WRITE, 2 * CHUNK, 512, 'b');
	run();
	read = submit(ARR_READ, 0, 512, 0);
	run();
	ok(!r->is_done && !read->is_done, "a write and a read wait for a failure to be recorded");
	stop();
	run();
	ok(r->is_done && r->rc == UMD_E_STOPPING && read->is_done && read->rc == UMD_E_STOPPING,
	   "they hear no success");
	ok(arr_is_stopped(w.a) && is_shown("write-pending"), "the failure is found unrecorded");
	ok(status()->members[1].is_blocked && !w.hands[0].has_unflushed, "and blocked, the rest flushed");
	ok(bit_on(0, 2) && bit_on(0, 0), "what it lacks keeps its bit");
	end();
}

static void asked_about_a_sync(void)
{
	begin((struct setup){ .is_external = true, .is_dirty = true, .set = 3 });
	run();
	ok(is_shown("write-pending"), "a resync has ended");
	stop();
	run();
	ok(arr_is_stopped(w.a) && is_shown("write-pending"), "its end is found unrecorded");
	ok(bm_bit(w.bitmap, (chunk_no){ 0 }), "and its bits are still there");
	end();
}

static void bits_that_are_held(void)
{
	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	tell(ARR_EV_CAN_CLEAR, 0);
	stop();
	run();
	ok(arr_is_stopped(w.a) && bit_on(0, 0) && bit_on(1, 0), "a stop waits for no can_clear, and takes no bit");
	end();

	begin((struct setup){ 0 });
	write_now(0, 512, 'a');
	tell(ARR_EV_CAN_CLEAR, 0);
	stop();
	run();
	ok(arr_is_stopped(w.a) && bit_on(0, 0) && bit_on(1, 0), "nor does one with superblocks");
	ok(!w.hands[0].super.is_active, "which is clean");
	end();
}

static void in_the_middle(void)
{
	begin((struct setup){ .is_external = true, .is_dirty = true, .set = ~0ull, .size = 4 << 20 });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	stop();
	ok(!arr_is_stopped(w.a), "a window that is being read is waited for");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(arr_is_stopped(w.a) && status()->action != ARR_SYNC_IDLE, "the rest of the resync stays due");
	ok(bm_bit(w.bitmap, (chunk_no){ 63 }), "by its bits");
	end();

	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	hold(KIND(ARR_JOB_FLUSH));
	owner(ARR_EV_OWNER_CLEAN, 0);
	stop();
	let_go(KIND(ARR_JOB_FLUSH));
	ok(arr_is_stopped(w.a) && status()->owner_clean != 1, "clean that was under way has an end");
	end();
}

int main(void)
{
	quiet();
	asked_about_a_write();
	asked_about_a_failure();
	asked_about_a_sync();
	bits_that_are_held();
	in_the_middle();
	return tap_end();
}
