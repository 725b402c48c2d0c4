/* Goal: a node acknowledges an announcement when it has found what was announced, and goes on only where it uses the
 *	members that the others use: else it is broken, and none of them counts on it.
 * Method: announcements of an event number and a device, superblocks changed by hand, then RELOAD.
 * Law: C1, C6, I1, I5.
 * Source: histories of umd-csim 226, 778, 20075336, 880060985. */
#include "node.h"

static void told(uint64_t events, uint32_t number)
{
	say((struct arr_event){ .kind = ARR_EV_RELOAD, .events = events, .number = number });
}

static void what_is_announced_has_a_number(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_ANNOUNCE);
	fail(0);
	run();
	ok(wants().announce && wants().announce_number == 1, "a claim is announced with a device that has it");
	is_u64(wants().announce_events, w.disk.events, "and its number");
	end();
}

/* Who has the news could not be read just now: what was found is old. */
static void older_ones_are_no_answer(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_LOOK));
	mute(W_TOKEN);
	told(w.disk.events + 1, 1);
	run();
	run_one_of(ARR_JOB_LOOK);
	ok(status()->is_reloading && !status()->is_broken, "older superblocks were found: they are read again");
	others_write(2, ARR_ROLE_FAULTY, false);
	let_go(KIND(ARR_JOB_LOOK));
	ok(!status()->is_reloading && state_of(2) == ARR_M_FAULTY, "until they say what was announced");
	told(w.disk.events + 1, 1);
	run();
	ok(status()->is_broken, "a node that never finds it cannot follow");
	end();
}

/* Two nodes lost another member each: the device that was claimed on is the one that failed here. */
static void lost_what_others_go_on_with(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	fail(1);
	run();
	others_write(2, ARR_ROLE_FAULTY, false);
	told(w.disk.events, 0);
	run();
	ok(!status()->is_broken, "the others go on with a device that we have: so do we");
	told(w.disk.events, 1);
	ok(status()->is_broken, "with one that failed here: we could not read what they claim");
	end();
}

/* A node died with the number that another one has given since, to a member that the dead one had let go. */
static void another_story_of_that_number(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	others_write(1, ARR_ROLE_FAULTY, false);
	told(w.disk.events, 1);
	run();
	ok(status()->is_broken, "the device that has the claim is out by what was found under its number");
	end();
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	others_write(1, ARR_ROLE_FAULTY, false);
	told(w.disk.events - 1, 1);
	run();
	ok(!status()->is_broken && state_of(1) == ARR_M_FAULTY, "one that failed since is out by a later number");
	hold(KIND(ARR_JOB_LOOK));
	told(w.disk.events, 2);
	run();
	fail(2);
	let_go(KIND(ARR_JOB_LOOK));
	ok(!status()->is_broken, "nor does it matter that it fails here meanwhile");
	end();
}

/* Its last writes come to the member that the others let go: they may add it again only after that. */
static void what_is_under_way_ends_first(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 4096, 4096, 'x');
	run();
	fail(1);
	run();
	told(w.disk.events, 1);
	ok(status()->is_broken && status()->is_reloading, "a broken node does not answer while it has a write out");
	let_go(KIND(ARR_JOB_REQUEST));
	run();
	ok(!status()->is_reloading, "then it does");
	end();
}

/* A start that did not see a member leaves it without a role: nobody may go on using it. */
static void left_out_by_another_start(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	others_write(2, ARR_ROLE_SPARE, false);
	reload(false);
	is_u64(state_of(2), ARR_M_FAULTY, "a member that has no slot by another node's word has failed");
	end();
}

/* So does one that is recovering since our start, though we have claimed nothing yet: its slot may be another's now. */
static void left_out_in_mid_recovery(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3, .states = { 0, 0, ARR_M_RECOVERING } });
	mute(W_TOKEN);
	run();
	is_u64(state_of(2), ARR_M_RECOVERING, "a member is found in mid-recovery");
	others_write(2, ARR_ROLE_SPARE, false);
	reload(false);
	is_u64(state_of(2), ARR_M_FAULTY, "another node has gone on without it: it has failed");
	end();
}

/* A recovery that we have just begun, and not claimed, nobody can know. */
static void not_known_yet(void)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_CLAIM));
	fail(1);
	run();
	is_u64(state_of(2), ARR_M_RECOVERING, "a spare takes over, and that is not on record");
	w.disk.events++;
	reload(false);
	is_u64(state_of(2), ARR_M_RECOVERING, "superblocks that know it as a spare do not count");
	end();
}

static void let_go_here_and_used_there(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_CLAIM));
	fail(2);
	run();
	w.disk.events++;
	reload(true);
	ok(!status()->is_broken, "a failure that nobody has read yet: others use the member, of course");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(status()->is_recorded && w.disk.members[2].role == ARR_ROLE_FAULTY, "it is recorded");
	others_write(2, 2, true);
	reload(false);
	ok(status()->is_broken, "others use it later: what we write would lack there");
	end();
}

int main(void)
{
	what_is_announced_has_a_number();
	older_ones_are_no_answer();
	lost_what_others_go_on_with();
	another_story_of_that_number();
	what_is_under_way_ends_first();
	left_out_by_another_start();
	left_out_in_mid_recovery();
	not_known_yet();
	let_go_here_and_used_there();
	return tap_end();
}
