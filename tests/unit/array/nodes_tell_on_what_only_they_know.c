/* Goal: between the moment at which one node knows something and that at which all do, nothing is done that needs all:
 *	no copying to who joined, no pin that only one knows, no flag taken that somebody else's bits need, no end.
 * Method: joins told by others, failures not recorded, slots taken before a window; answers when the test says so.
 * Law: C1, I2, I6.
 * Source: histories of umd-csim 1011903, 9595, 31104. */
#include "node.h"

/* A third node may not have read of the join, and writes without the newcomer: its bits come later. */
static void a_join_is_told_on(void)
{
	struct arr_member m = { .state = ARR_M_SPARE, .dev_number = 2, .data_at = { DATA_AT },
		.bitmap_at = { BITMAP_AT } };

	begin_node((struct setup){ .slots = 3 });
	write_now(0, 4096, 'w');
	make_hand(2);
	put_slot_on(2, 0, 0);
	say((struct arr_event){ .kind = ARR_EV_ADD, .new_member = &m, .is_by_peer = true });
	w.disk.member_count = 3;
	mute(W_ANNOUNCE);
	ok(status()->is_recorded, "nothing of ours is to be recorded");
	others_write(2, 2, true);
	w.disk.members[2] = (struct arr_reload_member){ .member = 2, .role = 2, .is_recovering = true,
		.is_by_bitmap = true };
	reload(false);
	ok(state_of(2) == ARR_M_RECOVERING && wants().announce, "a join is told: we announce it, too");
	ok(!wants().gather && !wants().window && !w_cluster.next_slot, "and gather no bits before all know");
	put_slot(0, 1 << 5);
	mute(0);
	is_u64(state_of(2), ARR_M_IN_SYNC, "then it is recovered");
	is_u64((uint64_t)byte_of(2, 5 * CHUNK), 'a', "by what the others' slots say then");
	end();
}

/* Of three in slots one is to be copied to, when a write there has ended; a dead node's bits come meanwhile: they are
 * owed to the one in sync as well. */
static void bits_that_come_before_a_window(void)
{
	struct arr_req *req;

	begin_node((struct setup){ .members = 3, .slots = 3, .states = { 0, 0, ARR_M_RECOVERING },
				   .wants_full = { false, false, true }, .wants_record = true });
	put_slot(0, 1 << 3);
	mute(W_SYNC);
	hold(KIND(ARR_JOB_REQUEST));
	req = submit(ARR_WRITE, 5 * CHUNK, 4096, 'w');
	run();
	mute(0);
	ok(w_cluster.has_sync && status()->open.len && !waiting(ARR_JOB_SYNC_READ), "a window waits for a write");
	is_u64((uint64_t)take_slot(0, true), 0, "a node is dead, its slot is taken");
	run();
	ok(status()->take == 0 && !slot_bits(0, 0), "and cleared");
	mute(W_TOKEN);		/* how far it is, superblocks say at the end */
	let_go(KIND(ARR_JOB_REQUEST));
	mute(0);
	ok(req->is_done && state_of(2) == ARR_M_IN_SYNC, "the write and the recovery end");
	ok(byte_of(1, 3 * CHUNK) == 'a' && byte_of(2, 3 * CHUNK) == 'a', "what the dead node left is copied to both");
	end();
}

/* It dies with us: the others count that member in sync, and so will the next start. */
static void a_secret_failure(void)
{
	uint32_t pins[ARR_MEMBERS_MAX];

	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	fail(0);
	run();
	is_u64(status()->pin, 1, "the pin has failed here");
	is_u64(arr_get_pins(w.a, pins), 3, "while nobody else knows a joiner is told of all three");
	is_u64(pins[0], 0, "the same pin as everybody");
	mute(0);
	is_u64(arr_get_pins(w.a, pins), 2, "when all know, of two");
	is_u64(pins[0], 1, "the next one first");
	end();
}

/* What was copied from a member that failed elsewhere is being flushed: a stop waits for that. */
static void a_stop_meets_the_flush(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	pass(60000);
	hold(KIND(ARR_JOB_FLUSH));
	others_write(2, ARR_ROLE_FAULTY, false);
	w_cluster.mute = W_TOKEN;
	reload(false);
	is_u64(waiting(ARR_JOB_FLUSH), 1, "a failure is told, and a flush is on its way");
	ok(status()->is_reloading, "before it has ended we have not done what we were told");
	stop();
	run();
	ok(!arr_is_stopped(w.a), "nor have we stopped");
	mute(0);
	let_go(KIND(ARR_JOB_FLUSH));
	ok(arr_is_stopped(w.a), "then we have");
	end();
}

/* Its job is still out, whatever has become of the array. */
static void a_broken_one_waits_for_its_flush(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	pass(60000);
	hold(KIND(ARR_JOB_FLUSH));
	others_write(2, ARR_ROLE_FAULTY, false);
	w_cluster.mute = W_TOKEN;
	reload(false);
	say((struct arr_event){ .kind = ARR_EV_RELOAD, .events = w.disk.events + 1, .number = 2 });
	stop();
	run();
	ok(status()->is_broken && waiting(ARR_JOB_FLUSH) == 1, "broken, and a flush is on its way");
	ok(!arr_is_stopped(w.a), "it has not stopped before that is back");
	let_go(KIND(ARR_JOB_FLUSH));
	ok(arr_is_stopped(w.a), "then it has");
	end();
}

int main(void)
{
	a_join_is_told_on();
	bits_that_come_before_a_window();
	a_secret_failure();
	a_stop_meets_the_flush();
	a_broken_one_waits_for_its_flush();
	return tap_end();
}
