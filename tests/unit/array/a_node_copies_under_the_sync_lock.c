/* Goal: of several nodes one copies, with the bits of all, in ranges that the others have left alone one after the
 *	other; the end is on record before they are let in again.
 * Method: locks and ranges that are given when the test says so; a stop, a freeze, a joining member in each phase.
 * Law: C3, I2, I8, I9.
 * Source: md cluster specification 5, 8.2, 8.4, 8.6. */
#include "node.h"

enum { MIB = 1 << 20 };

static const struct setup full_recovery = {
	.states = { 0, ARR_M_RECOVERING }, .wants_full = { false, true }, .wants_record = true,
};

static void lock(bool has)
{
	say((struct arr_event){ .kind = ARR_EV_SYNC_LOCK, .value = has });
	run();
}

static void open_range(uint64_t at, uint64_t len)
{
	say((struct arr_event){ .kind = ARR_EV_WINDOW, .at = { at }, .len_bytes = len });
	run();
}

static void waits_for_the_lock(void)
{
	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	mute(W_SYNC | W_WINDOW);
	pass(20000);
	ok(wants().sync && !wants().window, "a resync is due, and waits for the lock");
	is_u64((uint64_t)byte_of(1, 3 * CHUNK), 'b', "nothing is copied");
	lock(true);
	ok(wants().window && wants().window_at == 3 * CHUNK && !wants().gather, "with it a range is asked for");
	is_u64((uint64_t)byte_of(1, 3 * CHUNK), 'b', "nothing is copied");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_WINDOW, .len_bytes = CHUNK }), (uint64_t)-EINVAL,
	       "another range is no answer");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_SYNC_LOCK }), (uint64_t)-EBUSY,
	       "and the lock is not given back in between");
	score();
	open_range(3 * CHUNK, SIZE - 3 * CHUNK);
	is_score("from0 to1", "when the others have left it, it is copied");
	ok(wants().window && wants().window_len == 0 && wants().sync, "at the end they are let in");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_SYNC_LOCK }), (uint64_t)-EBUSY, "before the lock goes");
	open_range(0, 0);
	ok(!wants().window && !wants().sync, "then it may");
	lock(false);
	ok(!status()->has_sync_lock && !status()->open.len, "and does");
	end();
}

static void range_after_range(void)
{
	begin_node((struct setup){ .size = 70 * MIB, .chunk = 8 * MIB, .is_dirty = true,
				   .set = 1 << 0 | 1 << 5 | 1 << 8 });
	mute(W_WINDOW | W_SYNC);
	lock(true);
	ok(wants().window_at == 0 && wants().window_len == ARR_SUSPEND_BYTES, "the first range has 32 MiB");
	open_range(0, 32 * MIB);
	is_u64(status()->open.len, 0, "the next one is asked for: the others may be in either");
	ok(wants().window_at == 40 * MIB && wants().window_len == 30 * MIB, "it begins where the next work is");
	ok(byte_of(1, 8 * MIB - 1) == 'a' && byte_of(1, 40 * MIB) == 'b', "chunk 0 is copied, chunk 5 is not");
	open_range(40 * MIB, 30 * MIB);
	ok(byte_of(1, 40 * MIB) == 'a' && byte_of(1, 48 * MIB) == 'b' && byte_of(1, 70 * MIB - 1) == 'a', "all is");
	ok(wants().window && !wants().window_len, "and no range is wanted any more");
	end();
}

static void gathers(void)
{
	begin_node((struct setup){ .states = { 0, ARR_M_RECOVERING }, .wants_record = true });
	put_slot(0, 1 << 2);
	put_slot(3, 1 << 6);
	w_cluster.dead = 1 << 3;
	mute(W_GATHER);
	ok(wants().gather && !wants().window, "a recovery by the bitmap wants the bits of all nodes first");
	mute(0);
	is_u64(state_of(1), ARR_M_IN_SYNC, "with them it is done");
	ok(byte_of(1, 2 * CHUNK) == 'a' && byte_of(1, 6 * CHUNK) == 'a' && byte_of(1, 3 * CHUNK) == 'b',
	   "what they say is copied, and nothing else");
	ok(slot_bits(0, 0) == 1 << 2 && !slot_bits(0, 3), "the dead one's slot is clear, the living one's is not");
	end();

	begin_node(full_recovery);
	mute(W_GATHER | W_WINDOW);
	ok(!wants().gather && wants().window, "who is copied to in full needs nobody's bits");
	end();
}

/* Until another one that joins is on record the other nodes write past it: their bits come later. */
static void gathers_when_all_write_there(void)
{
	struct arr_member m = { .state = ARR_M_SPARE, .dev_number = 2, .data_at = { DATA_AT },
		.bitmap_at = { BITMAP_AT } };

	begin_node((struct setup){ .slots = 3, .states = { 0, ARR_M_RECOVERING }, .wants_record = true, .set = 8 });
	mute(W_GATHER | W_WINDOW);
	say((struct arr_event){ .kind = ARR_EV_GATHERED });
	run();
	ok(!wants().gather && wants().window, "bits were gathered for one");
	make_hand(2);
	put_slot_on(2, 0, 0);
	hold(KIND(ARR_JOB_CLAIM));
	say((struct arr_event){ .kind = ARR_EV_ADD, .new_member = &m, .is_by_peer = true });
	w.disk.member_count = 3;
	others_write(2, 2, true);
	for (uint32_t i = 0; i < w.disk.member_count; i++)
		w.disk.members[i].is_by_bitmap = true;
	reload(false);
	run();
	ok(state_of(2) == ARR_M_RECOVERING && !wants().gather, "another one joins: not before that is on record");
	let_go(KIND(ARR_JOB_CLAIM));
	run();
	ok(wants().gather, "they are gathered again for it");
	say((struct arr_event){ .kind = ARR_EV_GATHERED });
	run();
	ok(!wants().gather, "once");
	end();
}

/* What was read before it joined does not say what it missed. */
static void gathers_again(void)
{
	struct arr_member m = { .state = ARR_M_SPARE, .dev_number = 2, .data_at = { DATA_AT },
		.bitmap_at = { BITMAP_AT } };

	begin_node((struct setup){ .slots = 3, .states = { 0, ARR_M_RECOVERING }, .wants_record = true, .set = 8 });
	mute(W_GATHER | W_WINDOW);
	ok(wants().gather, "bits are being gathered");
	make_hand(2);
	put_slot_on(2, 0, 0);
	say((struct arr_event){ .kind = ARR_EV_ADD, .new_member = &m, .is_by_peer = true });
	w.disk.member_count = 3;
	others_write(2, 2, true);
	for (uint32_t i = 0; i < w.disk.member_count; i++)
		w.disk.members[i].is_by_bitmap = true;
	reload(false);
	say((struct arr_event){ .kind = ARR_EV_GATHERED });
	run();
	ok(wants().gather && !wants().window, "a member joins meanwhile: they are gathered once more");
	say((struct arr_event){ .kind = ARR_EV_GATHERED });
	run();
	ok(!wants().gather && wants().window, "that is enough for both");
	end();
}

static void end_is_recorded(void)
{
	begin_node(full_recovery);
	run();
	is_u64(state_of(1), ARR_M_IN_SYNC, "a recovery");
	end();

	begin_node(full_recovery);
	mute(W_WINDOW);
	w_cluster.mute = W_ANNOUNCE;
	run();
	ok(state_of(1) == ARR_M_IN_SYNC && wants().announce, "a recovery has ended, which is being announced");
	ok(!wants().window && wants().sync, "until then the others stay away, and the lock is ours");
	mute(0);
	ok(!wants().sync && !w_cluster.has_sync && !status()->open.len, "then they come back, and it goes");
	end();
}

static void others_did_it(void)
{
	begin_node(full_recovery);
	mute(W_SYNC);
	ok(wants().sync, "a recovery is due");
	others_write(1, 1, false);
	reload(false);
	ok(!wants().sync, "another node has done it: the lock is of no use");
	lock(true);
	ok(!wants().sync && !wants().window, "also when it comes");
	lock(false);
	end();
}

static void interrupted(void)
{
	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	hold(KIND(ARR_JOB_SYNC_READ));
	mute(0);
	stop();
	ok(!arr_is_stopped(w.a) && wants().sync, "a stop in the middle of a window waits for it");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(arr_is_stopped(w.a) && !status()->open.len && !w_cluster.has_sync, "lets the others in, and the lock go");
	end();

	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	mute(W_WINDOW);
	stop();
	run();
	ok(!arr_is_stopped(w.a) && wants().window_len, "a stop while a range is asked for waits for the answer");
	mute(0);
	ok(arr_is_stopped(w.a) && !status()->open.len && !w_cluster.has_sync, "and takes it back");
	end();

	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	hold(KIND(ARR_JOB_SYNC_READ));
	mute(0);
	tell(ARR_EV_FREEZE, 1);
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(!status()->open.len && !w_cluster.has_sync, "a freeze lets the others in, and the lock go");
	tell(ARR_EV_FREEZE, 0);
	ok(byte_of(1, 3 * CHUNK) == 'a' && status()->resync_offset == OFF_NONE, "afterwards it goes on to the end");
	end();
}

/* Whoever copied from it may not have flushed that; nor may another node that is dead by now. */
static void a_failure_is_flushed(void)
{
	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	score();
	fail(0);
	run();
	is_score("TOKEN look1 FLUSH1 bitmap1 active1 ANNOUNCE token", "before a failure is on record, what was copied "
		 "from it is flushed");
	end();
}

/* A resync is nobody else's matter: nothing is written into superblocks for it. */
static void no_record_of_a_resync(void)
{
	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	mute(0);
	is_score("SYNC WINDOW3+7 from0 to1 WINDOW0+0 sync", "a resync writes no superblock");
	end();
	begin_node((struct setup){ .is_dirty = true });
	run();
	ok(!wants().sync && status()->resync_offset == OFF_NONE, "without a bit in our slot nothing is due");
	end();
}

/* Our own write waits for our window, as ever, and others' for theirs. */
static void own_writes(void)
{
	struct arr_req *req;

	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	hold(KIND(ARR_JOB_SYNC_READ));
	mute(0);
	is_u64((uint64_t)write_now(7 * CHUNK, 4096, 'x'), 0, "in our own range we may write, beside the window");
	req = submit(ARR_WRITE, 3 * CHUNK, 4096, 'y');
	run();
	ok(!req->is_done, "but not in it");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(req->is_done && byte_of(1, 3 * CHUNK) == 'y' && byte_of(0, 3 * CHUNK) == 'y', "then there, too");
	end();
}

int main(void)
{
	waits_for_the_lock();
	range_after_range();
	gathers();
	gathers_when_all_write_there();
	gathers_again();
	end_is_recorded();
	others_did_it();
	interrupted();
	no_record_of_a_resync();
	own_writes();
	a_failure_is_flushed();
	return tap_end();
}
