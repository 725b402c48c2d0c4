/* Goal: with nobody else up, one node's array writes, fails a member, recovers it and takes a dead node's slot over, in
 *	the order that several nodes need.
 * Method: a cluster that answers every want at once; scores.
 * Law: I1, I2, C1, C2, C3.
 * Source: md cluster specification 5, 6. */
#include "node.h"

static void writes(void)
{
	begin_node((struct setup){ 0 });
	is_u64((uint64_t)write_now(2 * CHUNK, 4096, 'w'), 0, "a write goes through");
	is_score("TOKEN look01 bitmap01 active01 ANNOUNCE token bitmap01 write01",
		 "after a claim under the token, which all have read");
	is_u64((uint64_t)write_now(2 * CHUNK, 4096, 'v'), 0, "and the next one");
	is_score("write01", "goes out at once");
	ok(bit_on(0, 2) && !bit_in(0, 0, 2), "its bit is in the own slot");
	pass(60000);
	ok(status()->is_active, "the array stays active however long nobody writes");
	ok(!bit_on(0, 2) && !bit_on(1, 2), "its bit is swept all the same");
	stop();
	run();
	ok(arr_is_stopped(w.a) && w.hands[0].super.is_active, "a stop leaves it active, too");
	end();
}

static void fails_and_recovers(void)
{
	int back;

	begin_node((struct setup){ .members = 2, .slots = 2 });
	write_now(0, 4096, 'w');
	fail(1);
	run();
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "a failure is recorded");
	write_now(3 * CHUNK, 4096, 'x');
	mute(W_TOKEN);
	say((struct arr_event){ .kind = ARR_EV_TOKEN, .value = true });	/* for an errand */
	run();
	is_u64((uint64_t)take_out(1), 0, "the member is removed under the token");
	run();
	back = join(ARR_M_RECOVERING, 1, false);
	is_u64((uint64_t)back, 1, "and comes back by the bitmap");
	score();
	put_slot(0, 1 << 5);
	mute(W_TOKEN | W_WINDOW);
	is_score("bitmap01 bitmap01 active0 active1 ANNOUNCE SYNC slot0 bitmap01 slot0 slot0 GATHERED", "after the "
		 "claim the bits of all slots are gathered");
	mute(W_TOKEN);
	is_score("WINDOW0+10 from0 to1 FLUSH01 from0 bitmap01 to1 active0 from0 active1 ANNOUNCE to1 FLUSH01 FLUSH01 "
		 "bitmap01 active01 ANNOUNCE WINDOW0+0 sync",
		 "copying is done in a range that others leave alone, and its end is recorded before that ends");
	is_u64(state_of(1), ARR_M_IN_SYNC, "it is in sync");
	is_u64((uint64_t)byte_of(1, 3 * CHUNK), 'x', "what it missed of this node's writes was copied");
	is_u64((uint64_t)byte_of(1, 5 * CHUNK), 'a', "and what another node's bit says");
	is_u64(slot_bits(0, 0), 1 << 5, "whose slot stays as it is: it lives");
	end();
}

static void takes_over(void)
{
	begin_node((struct setup){ 0 });
	put_slot(2, 1 << 0 | 1 << 7);
	write_now(4 * CHUNK, 4096, 'w');
	score();
	w_cluster.mute = W_SYNC;
	is_u64((uint64_t)take_slot(2, true), 0, "a dead node's slot is taken");
	run();
	is_score("slot0 bitmap01 CLEAR01", "its bits are in ours before they leave the other");
	mute(0);
	is_score("SYNC WINDOW0+10 from0 to1 from0 to1 WINDOW0+0 sync", "and what they cover is copied");
	is_u64((uint64_t)status()->take, 0, "it is done");
	is_u64(status()->take_bits, 2, "with two bits");
	is_u64(slot_bits(0, 2) | slot_bits(1, 2), 0, "the slot is empty on both members");
	ok(bit_on(0, 0) && bit_on(1, 7), "chunk 0 like any other");
	is_u64((uint64_t)byte_of(1, 0), 'a', "it was copied");
	pass(60000);
	ok(!bit_on(0, 0) && !bit_on(0, 7), "then swept");
	end();
}

int main(void)
{
	writes();
	fails_and_recovers();
	takes_over();
	return tap_end();
}
