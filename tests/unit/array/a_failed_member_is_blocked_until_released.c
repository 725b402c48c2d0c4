/* Goal: a failure is recorded by the owner before any client hears of a write the member lacks: state write-pending,
 * the member blocked, and both `active` and `-blocked` are needed, in any order; a failure that comes between the
 * owner's look and its answer is waited for. A member is not removed before.
 * Method: failures by the user and under a write; answers in both orders, and one too early.
 * Law: I1, I3.
 * Source: spec array 10.2; steps 134-145 and 166-173 of the kernel's transcript ext-raid1-64k-live. */
#include "hands.h"

static void active_array(void)
{
	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	score();
}

static bool is_shown(const char *state)
{
	if (!strcmp(shown(), state))
		return true;
	printf("# shown %s, wanted %s\n", shown(), state);
	return false;
}

static void in_both_orders(void)
{
	struct arr_req *r;

	active_array();
	is_u64((uint64_t)fail(1), 0, "the owner fails a member");
	run();
	ok(is_shown("write-pending") && status()->members[1].is_blocked,
	   "that is asked about at once, and it is blocked");
	ok(!status()->is_recorded, "nothing is recorded");
	r = submit(ARR_WRITE, 4 * CHUNK, 512, 'b');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(is_shown("active"), "active is shown");
	pass(5000);
	ok(!r->is_done && !times("write"), "while the write still waits");
	is_u64((uint64_t)take_out(1), (uint64_t)UMD_E_MEMBER_STATE, "a blocked member stays");
	owner(ARR_EV_UNBLOCK, 1);
	ok(r->is_done && !r->rc, "until it is released");
	ok(status()->is_recorded && !status()->members[1].is_blocked, "then all is recorded");
	is_score("bitmap0 write0", "and the other member alone is written");
	is_u64((uint64_t)owner(ARR_EV_UNBLOCK, 1), 0, "released twice is once");
	is_u64((uint64_t)take_out(1), 0, "now it can be removed");
	run();
	ok(is_shown("active"), "which asks for nothing");
	is_u64((uint64_t)owner(ARR_EV_UNBLOCK, 1), (uint64_t)-EINVAL, "and then it is not there");
	end();

	active_array();
	fail(1);
	r = submit(ARR_WRITE, 4 * CHUNK, 512, 'b');
	owner(ARR_EV_UNBLOCK, 1);
	ok(is_shown("write-pending") && !r->is_done && !times("write"), "released alone leaves write-pending");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(r->is_done && !r->rc && is_shown("active"), "until active");
	end();
}

static void under_a_write(void)
{
	struct arr_req *r, *other;

	active_array();
	w.hands[1].fails = FAILS_WRITE;
	w.hands[1].fails_kinds = KIND(ARR_JOB_REQUEST);
	r = submit(ARR_WRITE, 4 * CHUNK, 512, 'b');
	run();
	ok(!r->is_done && is_shown("write-pending"), "nobody hears of a write before its failure is recorded");
	is_u64((uint64_t)byte_of(0, 4 * CHUNK), 'b', "though it is there");
	other = submit(ARR_WRITE, 8 * CHUNK, 512, 'c');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(!r->is_done && !other->is_done, "active alone is not that");
	owner(ARR_EV_UNBLOCK, 1);
	ok(r->is_done && !r->rc && other->is_done && !other->rc, "then both go on");
	end();
}

/* The owner looked, the member fails, the owner's answer arrives. */
static void between_look_and_answer(void)
{
	struct arr_req *r, *read;

	begin((struct setup){ .is_external = true, .members = 3 });
	r = submit(ARR_WRITE, 0, 512, 'a');
	run();
	ok(is_shown("write-pending"), "the owner is asked about a write");
	fail(2);
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(!r->is_done && !times("write"), "an answer given before a failure was seen lets no write go");
	fail(1);
	run();
	ok(is_shown("write-pending"), "the next failure is asked about");
	owner(ARR_EV_UNBLOCK, 2);
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(!r->is_done, "one member is still blocked");
	read = submit(ARR_READ, 0, 512, 0);
	run();
	ok(!read->is_done, "a read does not tell the other's answer before a restart would");
	owner(ARR_EV_UNBLOCK, 1);
	ok(r->is_done && !r->rc && read->is_done && !read->rc, "when none is, they go on");
	is_score("bitmap01 read0 write0", "on the one that is left");
	end();
}

static void held_by_hand(void)
{
	struct arr_req *r;

	active_array();
	is_u64((uint64_t)owner(ARR_EV_BLOCK, 0), 0, "an owner may hold writes");
	r = submit(ARR_WRITE, 0, 512, 'z');
	run();
	ok(!r->is_done && status()->members[0].is_blocked && status()->members[0].state == ARR_M_IN_SYNC,
	   "of a member that is well");
	owner(ARR_EV_UNBLOCK, 0);
	ok(r->is_done && !r->rc, "and let them go");
	is_u64((uint64_t)owner(ARR_EV_BLOCK, 7), (uint64_t)-EINVAL, "a member that is not there cannot be held");
	end();

	begin((struct setup){ 0 });
	is_u64((uint64_t)owner(ARR_EV_BLOCK, 0), (uint64_t)-EINVAL, "nor one of an array with superblocks");
	end();
}

static void the_last_one(void)
{
	active_array();
	fail(1);
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 1);
	is_u64((uint64_t)fail(0), (uint64_t)UMD_E_LAST_MEMBER, "the last member cannot be failed");
	ok(is_shown("active") && !status()->members[0].is_blocked, "and nothing is asked");
	end();
}

int main(void)
{
	in_both_orders();
	under_a_write();
	between_look_and_answer();
	held_by_hand();
	the_last_one();
	return tap_end();
}
