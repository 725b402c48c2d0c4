/* Goal: what the owner of external metadata may see of a resync or a recovery (positions, a member in sync) was
 * flushed before: it records whatever it sees, at any time. At the end the array is write-pending. Nothing begins by
 * itself: no spare takes a slot, a member joins with one. A resync begins where the owner said, by the bits behind
 * it.
 * Method: the hands compare status and unflushed copies after every step (hands.h); jobs held back; failures.
 * Law: I2, I8, I10.
 * Source: spec array 10.1 and 10.2; steps 152-161 and 176-184 of the kernel's transcript ext-raid1-64k-live. */
#include "hands.h"

enum { MIB = 1 << 20 };

static void recovery_by_bits(void)
{
	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	fail(1);
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 1);
	take_out(1);
	write_now(5 * CHUNK, 512, 'b');
	pass(60000);
	ok(bit_on(0, 5), "bits stay while the member is away");
	score();
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), (uint64_t)-EINVAL, "no spare joins");
	hold(KIND(ARR_JOB_FLUSH));
	is_u64((uint64_t)join(ARR_M_RECOVERING, 1, false), 1, "a member joins with its slot");
	run();
	ok(state_of(1) == ARR_M_RECOVERING, "until the flush it recovers");
	ok(!strcmp(shown(), "active-idle"), "and nothing is asked");
	is_score("bitmap01 from0 to1", "it gets the map and what it missed");
	let_go(KIND(ARR_JOB_FLUSH));
	ok(state_of(1) == ARR_M_IN_SYNC, "then it is in sync");
	is_score("FLUSH01 from0 to1 FLUSH01", "flushed for a position that is told, and for the end");
	ok(!strcmp(shown(), "write-pending"), "and the owner is asked to record that");
	ok(!status()->is_recorded, "which is not recorded");
	pass(60000);
	ok(bit_on(0, 5), "no bit goes before it is");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	tell(ARR_EV_CAN_CLEAR, 1);
	pass(60000);
	ok(!bit_on(0, 5) && !bit_on(1, 5), "then bits go");
	is_u64((uint64_t)byte_of(1, 5 * CHUNK), 'b', "the content is there");
	end();
}

static void positions(void)
{
	uint64_t told;

	begin((struct setup){ .is_external = true, .states = { 0, ARR_M_RECOVERING }, .wants_full = { 0, true },
			      .size = 64 * MIB, .chunk = MIB });
	hold(KIND(ARR_JOB_FLUSH));
	run();
	is_u64(status()->members[1].recovery_offset, 0, "nothing is told before it was flushed");
	let_go(KIND(ARR_JOB_FLUSH));
	ok(state_of(1) == ARR_M_IN_SYNC, "a full recovery ends");
	end();

	begin((struct setup){ .is_external = true, .is_dirty = true, .checkpoint = 32 * MIB, .size = 64 * MIB,
			      .chunk = MIB, .set = ~0ull });
	is_u64(status()->resync_offset, 32 * MIB, "a resync begins where its owner said");
	told = status()->resync_offset;
	for (int i = 0; run_one(); i++) {
		ok(status()->resync_offset >= told, "what is told never goes back");
		told = status()->resync_offset;
	}
	run();
	is_u64(status()->resync_offset, OFF_NONE, "until none is due");
	is_u64((uint64_t)byte_of(1, 31 * MIB - 1), 'b', "what lies before it is not copied");
	is_u64((uint64_t)byte_of(1, 32 * MIB), 'a', "what lies behind it is");
	ok(!strcmp(shown(), "write-pending"), "the owner is asked to record the end");
	end();
}

/* The owner may answer before it has seen the end of a sync: then it knows less than is true. */
static void a_flush_that_fails(void)
{
	begin((struct setup){ .is_external = true, .is_dirty = true, .members = 3, .set = 7 });
	w.hands[2].fails = FAILS_FLUSH;
	run();
	ok(state_of(2) == ARR_M_FAULTY && status()->members[2].is_blocked, "a member that cannot be flushed fails");
	ok(!strcmp(shown(), "write-pending") && status()->resync_offset != OFF_NONE, "and that is asked about first");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 2);
	ok(status()->resync_offset == OFF_NONE, "then the others are done");
	ok(!strcmp(shown(), "write-pending"), "and that is asked about");
	end();
}

/* What was copied from a member that has failed is flushed before anybody else answers for it: an answer that was
 * given before is not enough. */
static void a_source_fails(void)
{
	static struct arr_status as_shown;
	struct arr_req *r;

	begin((struct setup){ .is_external = true, .is_dirty = true, .members = 3, .set = ~0ull, .size = 4 * MIB });
	hold(KIND(ARR_JOB_SYNC_READ));
	r = submit(ARR_WRITE, 3 * MIB, 512, 'w');
	run();
	ok(!strcmp(shown(), "write-pending"), "a write waits for its owner");
	hold(KIND(ARR_JOB_FLUSH));
	fail(0);
	run();
	ok(!strcmp(shown(), "clean"), "the member that decides fails in mid-resync: nothing is asked before a flush");
	arr_get_shown(w.a, &as_shown);
	ok(as_shown.members[0].state == ARR_M_IN_SYNC && !as_shown.members[0].is_blocked && !as_shown.degraded,
	   "and the failure is not shown");
	ok(state_of(0) == ARR_M_FAULTY && status()->degraded == 1, "to those who record it");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 0);
	ok(!r->is_done && !status()->is_recorded, "the answer to what was asked before is none");
	let_go(KIND(ARR_JOB_FLUSH));
	ok(!strcmp(shown(), "write-pending") && !r->is_done, "then it is asked again");
	arr_get_shown(w.a, &as_shown);
	ok(as_shown.members[0].state == ARR_M_FAULTY && as_shown.degraded == 1, "about what is shown by then");
	let_go(KIND(ARR_JOB_SYNC_READ));
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(r->is_done && !r->rc, "and what waits goes on");
	end();
}

/* The owner looks, a recovery ends, its answer arrives. By its record the bits still bring back who was there. */
static void an_end_that_was_not_seen(void)
{
	uint64_t asks;

	begin((struct setup){ .is_external = true, .states = { 0, ARR_M_RECOVERING }, .wants_full = { 0, true },
			      .set = 1 << 3 });
	hold(KIND(ARR_JOB_SYNC_READ));
	submit(ARR_WRITE, 0, 512, 'w');
	run();
	asks = status()->asks;
	ok(!strcmp(shown(), "write-pending") && asks == 1, "the owner is asked about a write");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(state_of(1) == ARR_M_IN_SYNC && status()->asks == 1, "a recovery ends before it answers");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	is_u64((uint64_t)byte_of(1, 0), 'w', "the write goes on");
	ok(!strcmp(shown(), "write-pending") && status()->asks == 2, "but the end is asked about again");
	tell(ARR_EV_CAN_CLEAR, 1);
	pass(60000);
	ok(bm_bit(w.bitmap, (chunk_no){ 3 }), "no bit goes meanwhile");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	pass(60000);
	ok(!strcmp(shown(), "active-idle") && !bm_bit(w.bitmap, (chunk_no){ 3 }), "until that is answered, too");
	end();
}

int main(void)
{
	recovery_by_bits();
	positions();
	a_flush_that_fails();
	a_source_fails();
	an_end_that_was_not_seen();
	return tap_end();
}
