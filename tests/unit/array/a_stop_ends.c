/* Goal: a stop ends: in the middle of a resync with its checkpoint on disk, with waiting requests answered, with bits
 * swept and superblocks clean; nobody turns in circles while it waits, and nothing is promised after it.
 * Method: stops at quiet and at busy moments; what a superblock says afterwards; when the array asks to be woken.
 * Law: I9, I10.
 * Source: spec array 3 and 5.3; design 2. */
#include "hands.h"

static void quiet(void)
{
	begin((struct setup){ 0 });
	write_now(2 * CHUNK, 4096, 'w');
	stop();
	run();
	ok(arr_is_stopped(w.a), "an active array is stopped without waiting for a timer");
	ok(!w.hands[0].super.is_active && !w.hands[1].super.is_active, "clean");
	ok(!bit_on(0, 2) && !bit_on(1, 2), "with its bits swept");
	is_u64(arr_next_timer_ms(w.a), UINT64_MAX, "and nothing left to wake up for");
	end();

	begin((struct setup){ 0 });
	stop();
	ok(arr_is_stopped(w.a), "a clean array stops at once");
	is_score("", "and writes nothing");
	is_u64((uint64_t)write_now(0, 512, 'x'), (uint64_t)UMD_E_STOPPING, "a request that comes later is refused");
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), (uint64_t)UMD_E_STOPPING, "and so is a member");
	end();
}

/* Its thread may be gone: what would have to be recorded would never be. */
static void no_member_changes_afterwards(void)
{
	begin((struct setup){ .members = 3 });
	fail(2);
	run();
	stop();
	run();
	ok(arr_is_stopped(w.a), "a degraded array is stopped");
	is_u64((uint64_t)fail(1), (uint64_t)UMD_E_STOPPING, "no member can be failed any more");
	is_u64((uint64_t)take_out(2), (uint64_t)UMD_E_STOPPING, "and none be removed");
	ok(status()->is_recorded && !waiting(ARR_JOB_FLUSH) && !waiting(ARR_JOB_CLAIM),
	   "nothing is left to be recorded");
	end();
}

static void without_turning_in_circles(void)
{
	struct arr_req *flush;

	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	flush = submit(ARR_FLUSH, 0, 0, 0);
	stop();
	w.now_ms += 1000;
	run();
	ok(!flush->is_done && !arr_is_stopped(w.a), "a stop waits for a slow flush");
	ok(arr_next_timer_ms(w.a) > w.now_ms, "and does not ask to be woken at once, over and over");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(flush->is_done && arr_is_stopped(w.a), "the flush's end is what wakes it");
	end();
}

static void in_mid_resync_without_a_bitmap(void)
{
	begin((struct setup){ .size = 64 << 20, .is_dirty = true, .has_no_bitmap = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	for (int i = 0; i < 5; i++) {
		w.held = 0;
		run_one();
		hold(KIND(ARR_JOB_SYNC_READ));
		run();
	}
	stop();
	run();
	ok(!arr_is_stopped(w.a), "a window under way is waited for");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(arr_is_stopped(w.a), "and no other begins");
	ok(!w.hands[0].super.is_active && !w.hands[1].super.is_active, "the superblocks are clean");
	is_u64(w.hands[0].super.resync_offset, 6 << 20, "with the checkpoint");
	is_u64(w.hands[1].super.resync_offset, 6 << 20, "on both");
	ok(!memcmp(w.hands[0].media + DATA_AT, w.hands[1].media + DATA_AT, 6 << 20), "below which they are equal");
	ok(!status()->last.is_complete && status()->last.bytes_copied == 6 << 20, "the report says incomplete");
	end();
}

static void in_mid_resync_by_the_bitmap(void)
{
	begin((struct setup){ .size = 8 << 20, .chunk = 1 << 20, .is_dirty = true, .set = 0x7e });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	w.held = 0;
	run_one();
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	stop();
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	ok(arr_is_stopped(w.a), "a stop in mid-resync");
	is_u64(w.hands[0].super.resync_offset, 3 << 20, "two of six chunks are done");
	for (unsigned c = 3; c < 7; c++)
		ok(bit_on(0, c) && bit_on(1, c), "chunk %u is still set", c);
	end();
}

static void in_mid_recovery(void)
{
	begin((struct setup){ .size = 16 << 20, .states = { 0, ARR_M_RECOVERING }, .wants_full = { false, true },
		.wants_record = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	w.held = 0;
	run_one();
	run_one();
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	stop();
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(arr_is_stopped(w.a), "a stop in mid-recovery");
	ok(w.hands[1].super.members[1].is_recovering && w.hands[1].super.members[1].recovery_offset == 2 << 20,
	   "its offset is on disk");
	end();
}

static void right_after_an_add(void)
{
	begin((struct setup){ .members = 1, .slots = 2, .set = 6 });
	write_now(0, 4096, 'w');
	join(ARR_M_SPARE, 0, false);
	stop();
	run();
	ok(arr_is_stopped(w.a), "a stop right behind an add");
	ok(w.hands[1].super.members[1].is_recovering && !w.hands[1].super.is_active,
	   "the member's superblock says how far it is");
	ok(bit_on(0, 1) && bit_on(0, 2) && bit_on(0, 0), "bits of a degraded array stay");
	end();
}

static void with_waiting_requests(void)
{
	struct arr_req *out, *overlapping, *marked, *read, *flush;

	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_REQUEST) | KIND(ARR_JOB_BITMAP));
	out = submit(ARR_WRITE, 0, 4096, 'x');
	overlapping = submit(ARR_WRITE, 512, 512, 'y');
	marked = submit(ARR_WRITE, 5 * CHUNK, 512, 'z');
	read = submit(ARR_READ, 0, 512, 0);
	flush = submit(ARR_FLUSH, 0, 0, 0);
	stop();
	ok(overlapping->is_done && overlapping->rc == UMD_E_STOPPING, "what only waits is answered: stopping");
	ok(!out->is_done && !marked->is_done && !read->is_done && !flush->is_done, "what has I/O under way is not");
	let_go(KIND(ARR_JOB_REQUEST) | KIND(ARR_JOB_BITMAP));
	ok(out->is_done && !out->rc && read->is_done && !read->rc && flush->is_done && !flush->rc, "that ends well");
	ok(marked->is_done && marked->rc == UMD_E_STOPPING && byte_of(0, 5 * CHUNK) == 'a',
	   "a write that only had its bit ends without data");
	ok(arr_is_stopped(w.a) && !bit_on(0, 5) && !w.hands[0].super.is_active,
	   "and the array is stopped, clean and swept");
	end();

	begin((struct setup){ 0 });
	hold(KIND(ARR_JOB_CLAIM));
	out = submit(ARR_WRITE, 0, 512, 'x');
	run();
	stop();
	ok(out->is_done && out->rc == UMD_E_STOPPING, "a write that waits for the array to be active");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(arr_is_stopped(w.a) && !w.hands[0].super.is_active, "and the array ends clean");
	end();
}

static void with_a_member_that_fails(void)
{
	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	w.hands[1].fails = FAILS_WRITE | FAILS_FLUSH;
	stop();
	run();
	ok(arr_is_stopped(w.a), "a member that fails during the stop");
	ok(told_role(0, 1) == ARR_ROLE_FAULTY && !w.hands[0].super.is_active && bit_on(0, 0),
	   "is recorded, and its bits stay");
	end();
}

int main(void)
{
	quiet();
	no_member_changes_afterwards();
	without_turning_in_circles();
	in_mid_resync_without_a_bitmap();
	in_mid_resync_by_the_bitmap();
	in_mid_recovery();
	right_after_an_add();
	with_waiting_requests();
	with_a_member_that_fails();
	return tap_end();
}
