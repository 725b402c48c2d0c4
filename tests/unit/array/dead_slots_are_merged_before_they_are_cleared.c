/* Goal: the bits of a dead node's slot are durable in ours, on whoever a start may believe, before they leave it; no
 *	failure in between loses one, and what is no bitmap says that everything is in doubt.
 * Method: slots made by hand; members that fail at each step of a take-over; slots that are torn, stale or empty.
 * Law: C1, C2, I9.
 * Source: md cluster specification 8.1, 8.3, 8.20, 8.21. */
#include "node.h"

enum { BITS = 1 << 0 | 1 << 4 | 1 << 10, ALL = (1 << 11) - 1 };

static void begin_taking(struct setup s, uint64_t bits)
{
	begin_node(s);
	put_slot(2, bits);
	write_now(6 * CHUNK, 4096, 'w');
	w_cluster.mute = W_SYNC;
	score();
}

static void in_order(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	hold(KIND(ARR_JOB_BITMAP));
	is_u64((uint64_t)take_slot(2, true), 0, "a slot is taken");
	run();
	ok(!waiting(ARR_JOB_SLOT_CLEAR) && slot_bits(0, 2) == BITS, "it is not cleared before ours is durable");
	is_u64((uint64_t)status()->take, ARR_CHANGE_RUNS, "that is not the end");
	is_u64((uint64_t)take_slot(3, true), (uint64_t)-EBUSY, "one after the other");
	ok(status()->resync_offset == 0 && wants().sync, "what it covers is in doubt from the moment we know");
	hold(KIND(ARR_JOB_SLOT_CLEAR));
	let_go(KIND(ARR_JOB_BITMAP));
	ok((slot_bits(0, NODE_SLOT) & BITS) == BITS && (slot_bits(1, NODE_SLOT) & BITS) == BITS,
	   "ours has them on every member");
	is_u64(waiting(ARR_JOB_SLOT_CLEAR), 1, "then it is cleared");
	is_u64((uint64_t)status()->take, ARR_CHANGE_RUNS, "and that is waited for");
	let_go(KIND(ARR_JOB_SLOT_CLEAR));
	ok(status()->take == 0 && !slot_bits(0, 2) && !slot_bits(1, 2), "done");
	ok(status()->taken_slots == 1 && status()->taken_bits == 3 && status()->take_bits == 3, "one slot, three bits");
	mute(0);
	ok(byte_of(1, 0) == 'a' && byte_of(1, 10 * CHUNK) == 'a' && byte_of(1, CHUNK) == 'b', "just these are copied");
	pass(60000);
	is_u64(slot_bits(0, NODE_SLOT), 0, "and swept");
	end();
}

static void chunk_0_alone(void)
{
	begin_taking((struct setup){ 0 }, 1);
	take_slot(2, true);
	mute(0);
	ok(status()->take_bits == 1 && byte_of(1, 0) == 'a' && byte_of(1, CHUNK) == 'b', "chunk 0 alone counts");
	end();
}

static void nothing_to_take(void)
{
	begin_taking((struct setup){ 0 }, 0);
	take_slot(2, true);
	run();
	is_score("slot0", "a slot without bits is read, and nothing is written");
	ok(status()->take == 0 && !wants().sync && !status()->taken_slots, "nothing is in doubt");
	memset(w.hands[0].media + BITMAP_AT + 3 * SLOT_BYTES, 0, SLOT_BYTES);
	memset(w.hands[1].media + BITMAP_AT + 3 * SLOT_BYTES, 0, SLOT_BYTES);
	take_slot(3, true);
	run();
	is_score("slot0 slot1", "one that was never used is looked for everywhere");
	ok(status()->take == 0 && !wants().sync, "and is empty");
	end();
}

static void only_read(void)
{
	begin_taking((struct setup){ .states = { 0, ARR_M_RECOVERING } }, BITS);
	mute(W_SYNC);
	score();
	take_slot(2, false);
	run();
	is_score("slot0 bitmap01", "while somebody is recovered the slot of a node that lives is merged, durably");
	ok(slot_bits(0, 2) == BITS && bm_needed_chunks(w.bitmap), "and stays");
	end();

	begin_taking((struct setup){ 0 }, BITS);
	take_slot(2, false);
	run();
	is_score("slot0", "who came in sync meanwhile lacks nothing of it");
	ok(!bm_needed_chunks(w.bitmap) && !wants().sync, "between those in sync nothing is in doubt");
	end();
}

static void not_believed(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	memset(w.hands[0].media + BITMAP_AT + 2 * SLOT_BYTES, 0, FMT_BITMAP_SB_BYTES);
	take_slot(2, true);
	run();
	is_score("slot0 slot1 bitmap01 CLEAR01", "where the pin has no head another member's is read");
	is_u64(status()->take_bits, 3, "with its bits");
	is_u64(slot_bits(0, 2) | slot_bits(1, 2), 0, "and cleared on all");
	end();

	begin_taking((struct setup){ 0 }, BITS);
	memset(w.hands[0].media + BITMAP_AT + 2 * SLOT_BYTES, 'x', 64);
	memset(w.hands[1].media + BITMAP_AT + 2 * SLOT_BYTES, 0, SLOT_BYTES);
	take_slot(2, true);
	run();
	is_u64(status()->take_bits, 11, "where nobody has a bitmap, and somebody has something else, all is in doubt");
	mute(0);
	is_u64((uint64_t)byte_of(1, CHUNK), 'a', "and copied");
	end();

	begin_taking((struct setup){ 0 }, BITS);
	w.hands[0].media[BITMAP_AT + 2 * SLOT_BYTES + 48] = FMT_BITMAP_STALE;
	take_slot(2, true);
	run();
	is_u64(status()->take_bits, 11, "one that was just being replaced says all is in doubt");
	end();
}

static void unreadable(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	w.hands[0].fails = FAILS_READ;
	w.hands[0].fails_kinds = KIND(ARR_JOB_SLOT_READ);
	take_slot(2, true);
	run();
	ok(status()->take == 0 && status()->take_bits == 3, "where the pin cannot be read another member is");
	is_u64(state_of(0), ARR_M_IN_SYNC, "which is no reason to do without it");
	w.hands[1].fails = FAILS_READ;
	w.hands[1].fails_kinds = KIND(ARR_JOB_SLOT_READ);
	take_slot(3, true);
	run();
	is_u64(status()->take_bits, 11, "where none can be read all is in doubt");
	end();
}

/* The pin fails while its slot is being read. */
static void fails_in_mid_read(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	hold(KIND(ARR_JOB_SLOT_READ));
	take_slot(2, true);
	fail(0);
	w.hands[0].fails = FAILS_READ;
	let_go(KIND(ARR_JOB_SLOT_READ));
	ok(status()->take == 0 && status()->take_bits == 3, "the pin fails in mid-read: the next one is read");
	ok(!slot_bits(1, 2) && (slot_bits(1, NODE_SLOT) & BITS) == BITS, "and the slot is taken there");
	end();
}

/* Who did not take our bits may still be believed by a start: it must be out first. */
static void fails_in_mid_commit(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	w_cluster.mute = W_SYNC | W_ANNOUNCE;
	w.hands[0].fails = FAILS_WRITE;
	take_slot(2, true);
	run();
	ok(slot_bits(1, 2) == BITS && !waiting(ARR_JOB_SLOT_CLEAR), "a member fails our commit: no clear");
	ok(status()->take == ARR_CHANGE_RUNS && wants().announce, "before all know that");
	say((struct arr_event){ .kind = ARR_EV_ANNOUNCED });
	run();
	ok(status()->take == 0 && !slot_bits(1, 2), "then it is");
	end();
}

static void fails_in_mid_clear(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	w.hands[1].fails = FAILS_WRITE;
	w.hands[1].fails_kinds = KIND(ARR_JOB_SLOT_CLEAR);
	take_slot(2, true);
	run();
	ok(status()->take == 0 && !slot_bits(0, 2), "a member that does not take the clear");
	is_u64(state_of(1), ARR_M_FAULTY, "has failed");
	end();

	begin_taking((struct setup){ 0 }, BITS);
	w.hands[0].fails = w.hands[1].fails = FAILS_WRITE;
	suspend(2, 0, CHUNK);
	take_slot(2, true);
	run();
	ok(status()->is_broken && status()->take == -EIO, "without a member that takes ours nothing is taken");
	is_u64(slot_bits(0, 2), BITS, "the slot keeps its bits");
	is_u64(arr_suspended(w.a, 2).len, CHUNK, "and its range");
	is_u64((uint64_t)take_slot(2, true), (uint64_t)-EIO, "and no other one is begun");
	end();
}

static void joins_meanwhile(void)
{
	struct arr_member m = { .state = ARR_M_SPARE, .dev_number = 3, .data_at = { DATA_AT },
		.bitmap_at = { BITMAP_AT } };

	begin_taking((struct setup){ .members = 2, .slots = 3 }, BITS);
	make_hand(2);
	put_slot_on(2, 2, 0);
	hold(KIND(ARR_JOB_BITMAP));
	take_slot(2, true);
	run();
	say((struct arr_event){ .kind = ARR_EV_ADD, .new_member = &m, .is_by_peer = true });
	w.disk.member_count = 3;
	others_write(2, 2, true);
	reload(false);
	let_go(KIND(ARR_JOB_BITMAP));
	ok(status()->take == 0 && !status()->is_reloading, "a member that joins does not hold it up");
	is_u64(slot_bits(2, NODE_SLOT) & BITS, BITS, "and has our bits");
	mute(0);
	run();
	is_u64(state_of(2), ARR_M_IN_SYNC, "it is recovered");
	end();
}

static void stops(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	hold(KIND(ARR_JOB_SLOT_READ) | KIND(ARR_JOB_BITMAP));
	take_slot(2, true);
	stop();
	let_go(KIND(ARR_JOB_SLOT_READ));
	ok(!arr_is_stopped(w.a) && status()->take == ARR_CHANGE_RUNS, "a stop waits for the end");
	let_go(KIND(ARR_JOB_BITMAP));
	ok(arr_is_stopped(w.a) && !slot_bits(0, 2), "of what has been merged");
	is_u64(slot_bits(0, NODE_SLOT) & BITS, BITS, "whose bits stay: nothing was copied");
	is_u64((uint64_t)take_slot(3, true), (uint64_t)UMD_E_STOPPING, "and begins nothing");
	end();
}

static void refused(void)
{
	begin_taking((struct setup){ 0 }, 0);
	is_u64((uint64_t)take_slot(NODE_SLOT, true), (uint64_t)-EINVAL, "our own slot is not taken");
	is_u64((uint64_t)take_slot(NODES, true), (uint64_t)-EINVAL, "nor one that there is not");
	end();
}

/* One member only: nobody is there to compare with, and whoever returns needs the bits. */
static void degraded(void)
{
	begin_taking((struct setup){ 0 }, BITS);
	fail(1);
	run();
	take_slot(2, true);
	run();
	ok(status()->take == 0 && !wants().sync, "degraded to one member nothing can be copied");
	pass(60000);
	is_u64(slot_bits(0, NODE_SLOT) & BITS, BITS, "and the bits stay");
	end();
}

/* A window is out when the bits come: they lie behind it. */
static void behind_a_window(void)
{
	begin_node((struct setup){ .is_dirty = true, .set = 1 << 9 });
	put_slot(2, 1 << 2);
	hold(KIND(ARR_JOB_SYNC_READ));
	mute(0);
	is_u64(waiting(ARR_JOB_SYNC_READ), 1, "chunk 9 is being copied");
	take_slot(2, true);
	run();
	ok(!slot_bits(0, 2), "a slot with chunk 2 is taken meanwhile");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(byte_of(1, 9 * CHUNK) == 'a' && byte_of(1, 2 * CHUNK) == 'a' && byte_of(1, 3 * CHUNK) == 'b',
	   "both are copied, and nothing else");
	ok(!wants().sync && !w_cluster.has_sync, "then the lock is given back");
	end();
}

int main(void)
{
	in_order();
	chunk_0_alone();
	nothing_to_take();
	only_read();
	not_believed();
	unreadable();
	fails_in_mid_read();
	fails_in_mid_commit();
	fails_in_mid_clear();
	joins_meanwhile();
	stops();
	refused();
	degraded();
	behind_a_window();
	return tap_end();
}
