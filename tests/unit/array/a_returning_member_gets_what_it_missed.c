/* Goal: a member that comes back gets exactly the chunks it missed, one that never was here gets everything; writes
 * meanwhile reach it; it counts as in sync on disk only after everything was flushed; one that joins in the middle
 * gets all of it.
 * Method: members fail, are removed and return while windows, claims or flushes are held back.
 * Law: I2, I8, I10.
 * Source: spec array 6; bitmap 4.8, P12. */
#include "hands.h"

/* Member 1 left; three chunks were written since, or just before. */
static void away(void)
{
	begin((struct setup){ 0 });
	write_now(CHUNK, 4096, 'w');
	pass(20000);			/* its bit is gone again: both have it */
	fail(1);
	run();
	write_now(2 * CHUNK, 4096, 'x');
	write_now(10 * CHUNK, 4096, 'y');
	take_out(1);
	run();
	pass(1000);
	score();
}

static bool are_equal(uint64_t at, uint64_t len)
{
	return !memcmp(w.hands[0].media + DATA_AT + at, w.hands[1].media + DATA_AT + at, len);
}

static void by_the_bitmap(void)
{
	away();
	hold(KIND(ARR_JOB_SYNC_READ));
	is_u64((uint64_t)join(ARR_M_RECOVERING, 1, false), 1, "the member returns");
	run();
	is_score("FLUSH01 bitmap01 bitmap01 clean0 clean1", "it gets the bitmap and a superblock before any data");
	ok(bit_on(1, 2) && bit_on(1, 10), "with the bits of what it missed");
	hold(KIND(ARR_JOB_FLUSH));
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_score("from0 to1 from0 to1", "then the two chunks are copied");
	ok(are_equal(2 * CHUNK, CHUNK) && are_equal(10 * CHUNK, 4096) && byte_of(1, 0) == 'b', "and nothing else");
	is_u64(status()->last.bytes_copied, CHUNK + 4096, "one chunk and the cut one");
	ok(w.hands[0].super.members[1].is_recovering && w.hands[0].super.members[1].is_by_bitmap,
	   "on disk it is recovering by the bitmap");
	let_go(KIND(ARR_JOB_FLUSH));
	ok(times("FLUSH01") > 0, "until both were flushed");
	ok(!w.hands[1].super.members[1].is_recovering && told_role(1, 1) == 1, "then it is in sync");
	is_u64(status()->degraded, 0, "the array is whole");
	is_u64(bm_needed_chunks(w.bitmap), 0, "nothing is owed");
	end();
}

static void unchanged(void)
{
	begin((struct setup){ 0 });
	write_now(CHUNK, 4096, 'w');
	pass(20000);
	fail(1);
	run();
	take_out(1);
	join(ARR_M_RECOVERING, 1, false);
	score();
	run();
	is_u64(times("from"), 0, "a member that missed nothing gets nothing");
	is_u64(status()->degraded, 0, "and is in sync at once");
	end();
}

static void in_full(void)
{
	away();
	is_u64((uint64_t)join(ARR_M_RECOVERING, 1, true), 1, "a member whose past does not help");
	run();
	ok(are_equal(0, SIZE), "gets everything");
	is_u64(status()->last.bytes_copied, SIZE, "once");
	is_u64(status()->degraded, 0, "and is in sync");
	end();
}

static void without_a_bitmap(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	fail(1);
	run();
	take_out(1);
	join(ARR_M_RECOVERING, 1, false);
	run();
	ok(are_equal(0, SIZE) && !status()->degraded, "without a bitmap everything is copied, whatever was asked for");
	end();
}

static void writes_reach_it(void)
{
	struct arr_req *r;

	away();
	hold(KIND(ARR_JOB_SYNC_READ));
	join(ARR_M_RECOVERING, 1, true);
	run();
	r = submit(ARR_WRITE, 7 * CHUNK, 4096, 'z');
	run();
	ok(!r->is_done && byte_of(1, 7 * CHUNK) == 'b', "a write in the window waits");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(r->is_done && byte_of(1, 7 * CHUNK) == 'z', "and then reaches the member");
	ok(are_equal(0, SIZE), "which ends up equal");
	end();

	begin((struct setup){ .size = 3 << 20, .states = { 0, ARR_M_RECOVERING }, .wants_full = { false, true },
		.wants_record = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	r = submit(ARR_WRITE, 2 << 20, 4096, 'z');
	run();
	ok(r->is_done && byte_of(1, 2 << 20) == 'z', "a write ahead of the window reaches the member at once");
	is_u64(read_now(2 << 20), 'z', "though it is never read");
	for (int i = 0; i < 4; i++)
		is_u64(read_now(1 << 20), 'a', "as here, where it has other content");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(!memcmp(w.hands[0].media + DATA_AT, w.hands[1].media + DATA_AT, 3 << 20), "all is equal in the end");
	end();
}

/* A write that began before the member joined does not go there; its chunk is copied when it has ended (P12). */
static void a_write_from_before(void)
{
	struct arr_req *r;

	away();
	write_now(5 * CHUNK, 512, 'v');
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 5 * CHUNK, 4096, 'z');
	join(ARR_M_RECOVERING, 1, false);
	run();
	ok(!r->is_done && status()->degraded == 1, "a write from before is under way: the recovery waits for it");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done && byte_of(1, 5 * CHUNK) == 'z' && !status()->degraded, "and copies what it wrote");
	end();
}

static void one_that_joins_in_the_middle(void)
{
	begin((struct setup){ .members = 3, .size = 4 << 20, .states = { 0, ARR_M_RECOVERING }, .wants_full = { false,
		true }, .wants_record = true });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	fail(2);
	w.held = 0;
	run_one();
	run_one();
	take_out(2);
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	is_u64((uint64_t)join(ARR_M_RECOVERING, 2, true), 2,
	       "a second member joins while the first is being recovered");
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	is_u64(status()->degraded, 0, "the array is whole in the end");
	for (uint32_t m = 1; m < 3; m++)
		ok(!memcmp(w.hands[0].media + DATA_AT, w.hands[m].media + DATA_AT, 4 << 20),
		   "member %u got everything", m);
	end();
}

static void by_the_bitmap_in_the_middle(void)
{
	begin((struct setup){ .members = 3 });
	fail(1);
	fail(2);
	run();
	write_now(2 * CHUNK, 4096, 'x');
	write_now(8 * CHUNK, 4096, 'x');
	take_out(1);
	take_out(2);
	run();
	hold(KIND(ARR_JOB_SYNC_WRITE));
	join(ARR_M_RECOVERING, 1, false);
	run();
	join(ARR_M_RECOVERING, 2, false);
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	is_u64(status()->degraded, 0, "two members return, one after the other");
	for (uint32_t m = 1; m < 3; m++)
		ok(byte_of(m, 2 * CHUNK) == 'x' && byte_of(m, 8 * CHUNK) == 'x' && byte_of(m, 0) == 'a' + (int)m,
		   "member %u got the two chunks, also the one that was copied when it came", m);
	is_u64(bm_needed_chunks(w.bitmap), 0, "nothing is owed any more");
	end();
}

/* An offset in a superblock is a claim as well: no other reason to write superblocks may carry it out unflushed. */
static void progress_is_told_after_a_flush(void)
{
	const struct arr_claim *said;

	begin((struct setup){ .members = 3, .size = 40 << 20, .states = { 0, 0, ARR_M_RECOVERING },
		.wants_full = { [2] = true }, .wants_record = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	write_now(39 << 20, 512, 'w');		/* active, or every claim would flush */
	for (int i = 0; i < 2; i++) {
		w.held = 0;
		run_one();
		hold(KIND(ARR_JOB_SYNC_READ));
		run();
	}
	is_u64(status()->members[2].recovery_offset, 2 << 20, "two windows were copied to a member");
	score();
	fail(1);
	run();
	is_score("FLUSH02 bitmap02 active0 active2",
		 "another one fails: that goes to disk after a flush, since progress goes with it");
	said = &w.hands[0].super;
	ok(said->is_active && said->members[1].role == ARR_ROLE_FAULTY && said->members[2].recovery_offset <= 2 << 20,
	   "failure and progress together");
	let_go(KIND(ARR_JOB_SYNC_READ));
	end();
}

static void a_member_that_leaves_again(void)
{
	away();
	hold(KIND(ARR_JOB_SYNC_WRITE));
	join(ARR_M_RECOVERING, 1, false);
	run();
	fail(1);
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	is_u64(status()->degraded, 1, "a member that fails in the middle of its recovery is out");
	ok(!status()->last.is_complete && status()->action == ARR_SYNC_IDLE, "which is told as incomplete");
	is_u64(bm_needed_chunks(w.bitmap), 2, "and still owed what it missed");
	take_out(1);
	run();
	join(ARR_M_RECOVERING, 1, false);
	run();
	is_u64(status()->last.bytes_copied, CHUNK + 4096, "when it returns it gets just that");
	ok(are_equal(2 * CHUNK, CHUNK) && are_equal(10 * CHUNK, 4096) && !status()->degraded, "and is in sync");
	end();
}

/* The entry of one that was removed while its window was being read. */
static void in_another_s_place(void)
{
	begin((struct setup){ .members = 2, .size = 4 << 20, .states = { 0, ARR_M_RECOVERING },
		.wants_full = { false, true }, .wants_record = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	is_u64(waiting(ARR_JOB_SYNC_READ), 1, "a window for the first one is being read");
	fail(1);
	take_out(1);
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), 1, "it is removed, and another one gets its entry");
	hold(KIND(ARR_JOB_CLAIM));
	score();
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_u64(times("to1"), 0, "the window is not written to one whose superblock does not say that it is recovering");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(state_of(1) == ARR_M_IN_SYNC && are_equal(0, 4 << 20), "afterwards it gets everything");
	end();
}

static bool boasts(uint32_t member)
{
	const struct arr_claim *c = &w.hands[member].super;

	for (uint32_t i = 0; i < c->member_count; i++)
		if (c->members[i].member == member && c->members[i].recovery_offset > 0)
			return byte_of(member, 0) != 'a';
	return false;
}

/* The claim under way speaks of the one that had the entry before: of its progress, too. */
static void in_the_middle_of_a_claim(void)
{
	bool is_false = false;

	begin((struct setup){ .size = 4 << 20, .states = { 0, ARR_M_RECOVERING }, .wants_full = { false, true },
		.wants_record = true });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	w.held = 0;
	run_one();
	hold(KIND(ARR_JOB_SYNC_READ));
	submit(ARR_WRITE, 3 << 20, 512, 'w');
	hold(KIND(ARR_JOB_CLAIM));
	run();
	is_u64(status()->members[1].recovery_offset, 1 << 20, "one is recovered in part");
	is_u64(waiting(ARR_JOB_CLAIM), 1, "and a claim is being written that says so");
	fail(1);
	take_out(1);
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), 1, "it is removed, and another one gets its entry");
	w.held = KIND(ARR_JOB_SYNC_READ);
	while (run_one())
		is_false |= boasts(1);
	ok(!is_false, "no superblock gives the new one the other's progress");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(state_of(1) == ARR_M_IN_SYNC && are_equal(0, 4 << 20), "it gets everything");
	end();
}

/* It may come with another story (--prefer): a cut must not leave that story's superblock over this one's data. */
static void beside_a_resync(void)
{
	begin((struct setup){ .members = 3, .states = { 0, 0, ARR_M_RECOVERING }, .wants_full = { false, false, true },
		.wants_record = true, .is_dirty = true, .set = 6 });
	hold(KIND(ARR_JOB_CLAIM));
	run();
	is_u64(times("to"), 0, "a resync does not write to it before its superblock says that it is recovering");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(state_of(2) == ARR_M_IN_SYNC && !memcmp(w.hands[0].media + DATA_AT, w.hands[2].media + DATA_AT, SIZE) &&
	   are_equal(CHUNK, 2 * CHUNK) && byte_of(1, 0) == 'b', "afterwards both are brought up to date");
	end();
}

int main(void)
{
	by_the_bitmap();
	unchanged();
	in_full();
	without_a_bitmap();
	writes_reach_it();
	a_write_from_before();
	one_that_joins_in_the_middle();
	by_the_bitmap_in_the_middle();
	progress_is_told_after_a_flush();
	a_member_that_leaves_again();
	in_another_s_place();
	in_the_middle_of_a_claim();
	beside_a_resync();
	return tap_end();
}
