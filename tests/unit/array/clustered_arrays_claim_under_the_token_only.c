/* Goal: one of several nodes writes superblocks, and changes members but for failures, only with the token, and only
 *	after it has read what the node before it left.
 * Method: a token that is granted when the test says so; what superblocks say has changed meanwhile.
 * Law: I1, I5.
 * Source: md cluster specification 6, 8.7, 8.24. */
#include "node.h"

static void grant(void)
{
	say((struct arr_event){ .kind = ARR_EV_TOKEN, .value = true });
	run();
}

static void waits(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	mute(W_TOKEN);
	req = submit(ARR_WRITE, 0, 4096, 'w');
	run();
	pass(10000);
	ok(!req->is_done && wants().token, "a write on an array that is not active waits for the token");
	ok(!times("active") && !times("look") && !times("write"), "and no superblock is written");
	hold(KIND(ARR_JOB_LOOK));
	grant();
	ok(!req->is_done && !waiting(ARR_JOB_CLAIM), "with it superblocks are read first");
	is_u64(waiting(ARR_JOB_LOOK), 1, "once");
	let_go(KIND(ARR_JOB_LOOK));
	ok(req->is_done && !wants().token, "then it is claimed, and the token is of no use any more");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_TOKEN }), 0, "it can be given back");
	end();
}

static void is_kept_while_wanted(void)
{
	begin_node((struct setup){ 0 });
	w_cluster.mute = W_TOKEN | W_ANNOUNCE;
	submit(ARR_WRITE, 0, 4096, 'w');
	run();
	grant();
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_TOKEN }), (uint64_t)-EBUSY,
	       "while a claim is under way the token is not given back");
	mute(W_TOKEN);
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_TOKEN }), 0, "afterwards it is");
	fail(1);
	run();
	ok(wants().token && status()->degraded == 1, "a failure is in force at once, and waits for the token");
	is_u64(told_role(0, 1), 1, "superblocks do not know it yet");
	grant();
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "with it they do");
	end();
}

/* What it was wanted for has gone. */
static void unwanted(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	mute(W_TOKEN);
	req = submit(ARR_WRITE, 0, 4096, 'w');
	run();
	stop();
	ok(req->is_done && req->rc == UMD_E_STOPPING && !wants().token, "a stop ends what waited for it");
	grant();
	run();
	is_score("look01", "a token that comes all the same is good for a look");
	say((struct arr_event){ .kind = ARR_EV_TOKEN });
	ok(arr_is_stopped(w.a), "the array is stopped");
	end();
}

/* The node before us failed member 1, and died before it could say so. */
static void finds_what_was_left(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	mute(W_TOKEN);
	submit(ARR_WRITE, 0, 4096, 'w');
	run();
	others_write(1, ARR_ROLE_FAULTY, false);
	grant();
	is_u64(state_of(1), ARR_M_FAULTY, "a failure that another node left in superblocks is found");
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "and in the claim that follows");
	is_u64(w.disk.events, FIRST_EVENTS + 2, "which has a number of its own");
	run();
	is_score("look012 FLUSH02 FLUSH02 bitmap02 active02 ANNOUNCE bitmap02 write02", "and does not go to it");
	end();
}

static void news_are_claimed_again(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	others_write(1, ARR_ROLE_FAULTY, false);
	score();
	grant();
	ok(times("active02") == 1 && !wants().token, "what was found with the token is claimed once more: it may be on "
	   "some members only");
	end();
}

static void members(void)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	w_cluster.mute = W_TOKEN | W_SYNC;
	is_u64((uint64_t)take_out(2), (uint64_t)-EBUSY, "no spare is removed without it");
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), (uint64_t)-EBUSY, "and none joins");
	fail(1);
	run();
	is_u64(state_of(2), ARR_M_SPARE, "no spare takes a slot without it");
	ok(wants().token, "which it wants");
	grant();
	is_u64(state_of(2), ARR_M_RECOVERING, "with it, it does");
	end();
	begin_node((struct setup){ .members = 2, .slots = 2 });
	mute(W_TOKEN | W_SYNC);
	say((struct arr_event){ .kind = ARR_EV_TOKEN, .value = true });
	run();
	hold(KIND(ARR_JOB_LOOK));
	reload(true);
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), 2, "one joins while superblocks are read once more, too");
	let_go(KIND(ARR_JOB_LOOK));
	is_u64(state_of(2), ARR_M_SPARE, "which say nothing of it");
	end();
}

/* What another node adds is a spare here before any superblock says so. */
static void candidates(void)
{
	struct arr_member m = { .state = ARR_M_SPARE, .dev_number = 2, .data_at = { DATA_AT },
		.bitmap_at = { BITMAP_AT } };

	begin_node((struct setup){ .members = 2, .slots = 2 });
	write_now(0, 4096, 'w');
	fail(1);
	run();
	mute(W_TOKEN | W_SYNC);
	score();
	make_hand(2);
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_ADD, .new_member = &m, .is_by_peer = true }), 0,
	       "a spare that another node adds joins without the token");
	ok(!wants().token && state_of(2) == ARR_M_SPARE, "and makes nothing to be recorded");
	others_write(1, ARR_ROLE_FAULTY, false);
	reload(false);
	ok(!wants().token, "superblocks that know it not make it nobody's spare");
	ok(arr_is_offered(w.a, 2) && !arr_is_offered(w.a, 0) && !arr_is_offered(w.a, 9), "it is offered");
	w.disk.members[w.disk.member_count++] = (struct arr_reload_member){ .member = 2, .role = ARR_ROLE_SPARE };
	w.disk.events++;
	reload(false);
	ok(!wants().token && arr_is_offered(w.a, 2), "nor do later ones, while its own is what its adder prepared");
	others_write(2, ARR_ROLE_SPARE, false);
	reload(false);
	ok(wants().token && !arr_is_offered(w.a, 2), "those that do make it one that may take a slot");
	m.state = ARR_M_RECOVERING;
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_ADD, .new_member = &m, .is_by_peer = true }),
	       (uint64_t)-EINVAL, "another node brings spares only");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_REMOVE, .member = 1, .is_by_peer = true }), 0,
	       "what another node removes goes without the token");
	end();
}

/* Superblocks call it a spare, and it is in the table from the start; the nodes that are up know better. */
static void spares_of_a_joiner(void)
{
	static const uint32_t others[] = { 9, 2 };
	uint32_t numbers[ARR_MEMBERS_MAX], number = 0;

	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	ok(arr_get_spares(w.a, numbers) == 1 && numbers[0] == 2, "by superblocks there is a spare");
	arr_set_spares(w.a, others, 2);
	ok(arr_get_spares(w.a, numbers) == 1 && !arr_offered(w.a, &number), "one that others name stays one");
	w_cluster.mute = W_TOKEN | W_SYNC;
	arr_set_spares(w.a, others, 1);
	ok(!arr_get_spares(w.a, numbers) && arr_offered(w.a, &number) && number == 2,
	   "one that nobody names is offered");
	fail(1);
	run();
	score();
	grant();
	ok(state_of(2) == ARR_M_SPARE, "and takes no slot");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_REMOVE, .member = 2, .is_by_peer = true }), 0,
	       "it is let go");
	ok(!arr_offered(w.a, &number), "then there is none");
	end();
}

int main(void)
{
	waits();
	is_kept_while_wanted();
	unwanted();
	finds_what_was_left();
	news_are_claimed_again();
	members();
	candidates();
	spares_of_a_joiner();
	return tap_end();
}
