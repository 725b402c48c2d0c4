/* Goal: what another node wrote into superblocks holds here as well, in the same order; own news stay; the word that we
 *	have read it is given when it is true.
 * Method: superblocks changed by hand, then RELOAD.
 * Law: I1, I6, I11, C6.
 * Source: md cluster specification 6, 8.9. */
#include "node.h"

static void a_failure(void)
{
	struct arr_req *req;

	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	req = submit(ARR_WRITE, 0, 4096, 'x');
	run();
	others_write(2, ARR_ROLE_FAULTY, false);
	score();
	mute(W_TOKEN);
	reload(false);
	is_score("look012 FLUSH01", "superblocks are read, and none is written; what was copied from it is flushed");
	is_u64(state_of(2), ARR_M_FAULTY, "what failed there has failed here");
	ok(bm_counter(w.bitmap, (chunk_no){ 0 }) & BM_NEEDED, "what is counted is NEEDED");
	ok(wants().token && status()->events == FIRST_EVENTS + 2, "others may not have read of it: we announce it");
	ok(status()->is_reloading, "a write is on the way to it: we have not read of it yet");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(!status()->is_reloading && !req->is_done, "when that has ended we have, and no client hears of it");
	mute(0);
	run();
	ok(req->is_done && req->rc == 0 && status()->is_recorded, "before all others know");
	score();
	write_now(0, 4096, 'y');
	is_score("write01", "nothing goes there any more");
	end();
}

/* What we copy just now, or have copied, from a member that failed elsewhere is flushed before another one answers. */
static void the_source_of_a_window(void)
{
	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3, .members = 3, .slots = 3 });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	is_u64(waiting(ARR_JOB_SYNC_WRITE), 1, "a window is being written");
	others_write(0, ARR_ROLE_FAULTY, false);
	reload(false);
	ok(status()->is_reloading && state_of(0) == ARR_M_FAULTY, "its source has failed elsewhere");
	score();
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	ok(!status()->is_reloading && strstr(w.score, "FLUSH12") && !strncmp(w.score, "to12 ", 5),
	   "what it leaves is flushed before we say that we know");
	end();
}

static void the_last_one(void)
{
	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	fail(1);
	run();
	others_write(0, ARR_ROLE_FAULTY, false);
	reload(false);
	ok(status()->is_broken && !status()->is_reloading, "each of two nodes failed another member: who "
	   "claimed first has an array, the other one has none");
	is_u64((uint64_t)flush_now(), (uint64_t)-EIO, "clients hear of it");
	ok(!wants().token && !wants().announce, "and it wants nothing any more");
	stop();
	run();
	ok(arr_is_stopped(w.a), "it stops");
	end();
}

static void own_news(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_TOKEN);
	fail(1);
	run();
	others_write(2, ARR_ROLE_FAULTY, false);
	reload(false);
	ok(state_of(1) == ARR_M_FAULTY && state_of(2) == ARR_M_FAULTY, "two nodes fail two members: here both have");
	ok(wants().token, "our own news are still to be claimed");
	mute(0);
	ok(told_role(0, 1) == ARR_ROLE_FAULTY && told_role(0, 2) == ARR_ROLE_FAULTY, "then superblocks say both");
	end();
}

static void a_recovery(void)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(3 * CHUNK, 4096, 'w');
	w_cluster.mute = W_SYNC | W_TOKEN;
	others_write(1, ARR_ROLE_FAULTY, false);
	reload(false);
	hold(KIND(ARR_JOB_BITMAP));
	others_write(2, 1, true);
	score();
	reload(false);
	is_u64(state_of(2), ARR_M_RECOVERING, "a spare that got a slot there has it here");
	ok(status()->is_reloading, "it has not our bitmap yet: we have not done what we were told");
	let_go(KIND(ARR_JOB_BITMAP));
	ok(!status()->is_reloading && bit_on(2, 3), "then it has");
	mute(W_SYNC);
	ok(wants().sync, "whoever gets the sync lock copies");
	score();
	write_now(6 * CHUNK, 4096, 'y');
	ok(times("write02"), "what we write goes there");
	w.disk.members[1].recovery_offset = 4 * CHUNK;
	for (uint32_t i = 0; i < w.disk.member_count; i++)
		w.disk.members[i].recovery_offset = w.disk.members[i].member == 2 ? 4 * CHUNK : 0;
	w.disk.events++;
	reload(false);
	is_u64(status()->members[2].recovery_offset, 4 * CHUNK, "how far another node is, we know");
	ok(bm_needed_chunks(w.bitmap) > 0, "what it lacked is NEEDED here");
	others_write(2, 1, false);
	reload(false);
	is_u64(state_of(2), ARR_M_IN_SYNC, "when it is in sync there it is here");
	ok(!wants().sync && !bm_needed_chunks(w.bitmap), "nothing is to be copied any more");
	pass(60000);
	ok(!bit_on(0, 5) && !bit_on(2, 5), "and our bits are swept");
	end();
}

/* The pin is who was in sync first, on every node. */
static void the_order(void)
{
	uint32_t pins[ARR_MEMBERS_MAX];

	begin_node((struct setup){ .members = 4, .slots = 3, .states = { 0, 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	w_cluster.mute = W_SYNC;
	others_write(0, ARR_ROLE_FAULTY, false);
	reload(false);
	is_u64(status()->pin, 1, "the next one is the pin");
	others_write(3, 0, true);
	reload(false);
	others_write(3, 0, false);
	reload(false);
	is_u64(status()->pin, 1, "who comes in sync later comes after it, whatever its slot");
	is_u64(arr_get_pins(w.a, pins), 3, "three are in sync");
	ok(pins[0] == 1 && pins[1] == 2 && pins[2] == 3, "in that order");
	pins[0] = 3;
	pins[1] = 2;
	arr_set_pins(w.a, pins, 2);
	is_u64(status()->pin, 3, "a joiner is told the order");
	is_u64(arr_get_pins(w.a, pins), 3, "who is not named");
	ok(pins[0] == 3 && pins[1] == 2 && pins[2] == 1, "comes last");
	end();
}

/* Broken, it keeps what it needs for jobs that are out. */
static void broken_with_jobs_out(void)
{
	begin_node((struct setup){ 0 });
	w_cluster.mute = W_ANNOUNCE;
	hold(KIND(ARR_JOB_CLAIM));
	submit(ARR_WRITE, 0, 4096, 'w');
	run();
	w.disk.strangers = 1 << 1;
	reload(true);
	ok(status()->is_broken && wants().token, "superblocks are on their way: the token stays ours");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_TOKEN }), (uint64_t)-EBUSY, "whoever wants it back");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(!wants().token && !wants().announce, "until they have arrived");
	end();

	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3 });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	w.disk.strangers = 1 << 1;
	reload(true);
	ok(status()->is_broken && wants().sync, "a window is on its way: the sync lock stays ours");
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_SYNC_LOCK }), (uint64_t)-EBUSY, "whoever asks for it");
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	ok(!wants().sync && !wants().window, "until it has arrived");
	end();
}

static void strangers(void)
{
	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	w.disk.strangers = 1 << 1;
	w.disk.events++;
	reload(false);
	ok(status()->is_broken && status()->strangers == 1 << 1, "a slot was given to a device we have not");
	end();
}

/* The writer is dead: what it wrote may be on one member, and nobody else may have heard of it. */
static void half_a_round(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	others_write(2, ARR_ROLE_FAULTY, false);
	w_cluster.mute = W_ANNOUNCE;
	reload(true);
	is_u64(told_role(0, 2), ARR_ROLE_FAULTY, "what a dead node left is claimed once more");
	ok(wants().announce && !status()->is_recorded, "and announced");
	mute(0);
	score();
	reload(true);
	is_score("look01", "without news there is nothing to claim");
	end();
}

/* Failures and joins are announced by every node; of the end of a recovery only its writer has told. */
static void half_an_end(bool is_left_by_dead)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	w_cluster.mute = W_SYNC;
	others_write(1, ARR_ROLE_FAULTY, false);
	reload(false);
	others_write(2, 1, true);
	reload(false);
	ok(state_of(2) == ARR_M_RECOVERING && status()->is_recorded, "another node brings a member back");
	w_cluster.mute = W_SYNC | W_ANNOUNCE;
	others_write(2, 1, false);
	reload(is_left_by_dead);
	is_u64(state_of(2), ARR_M_IN_SYNC, "and it is in sync");
	ok(wants().announce == is_left_by_dead && status()->is_recorded != is_left_by_dead, is_left_by_dead ?
	   "its writer is dead, and one superblock may still deny it: it is claimed once more" :
	   "its writer tells everybody: there is nothing to claim");
	end();
}

static void nobody_is_believed(void)
{
	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	score();
	w.disk.is_found = false;
	hold(KIND(ARR_JOB_LOOK));
	reload(false);
	run_one_of(ARR_JOB_LOOK);
	ok(status()->is_reloading && !status()->is_broken, "superblocks that are just being written are read again");
	w.disk.is_found = true;
	let_go(KIND(ARR_JOB_LOOK));
	ok(!status()->is_reloading && !status()->is_broken, "and believed then");
	w.disk.is_found = false;
	reload(false);
	ok(status()->is_broken, "if they stay like that the array is broken");
	end();
}

/* The next message comes while the first look is out. */
static void twice(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	score();
	mute(W_TOKEN);
	hold(KIND(ARR_JOB_LOOK));
	reload(false);
	reload(false);
	run_one_of(ARR_JOB_LOOK);
	others_write(2, ARR_ROLE_FAULTY, false);
	ok(status()->is_reloading, "what was read before the second message is not enough");
	let_go(KIND(ARR_JOB_LOOK));
	ok(!status()->is_reloading && state_of(2) == ARR_M_FAULTY, "it is read once more");
	is_score("look012 look012 FLUSH01", "twice for two messages");
	end();
}

/* A member that we bring back is FAULTY, or in sync, in superblocks that are older than that. */
static void older_than_the_entry(void)
{
	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	fail(1);
	run();
	mute(W_TOKEN | W_SYNC);
	say((struct arr_event){ .kind = ARR_EV_TOKEN, .value = true });
	run();
	take_out(1);
	run();
	hold(KIND(ARR_JOB_CLAIM));
	is_u64((uint64_t)join(ARR_M_RECOVERING, 1, false), 1, "a member comes back");
	w.disk.members[1] = (struct arr_reload_member){ .member = 1, .role = ARR_ROLE_FAULTY };
	w.disk.member_count = 2;
	reload(true);
	is_u64(state_of(1), ARR_M_RECOVERING, "superblocks from before call it faulty: that does not count");
	w.disk.members[1].role = 1;
	reload(true);
	is_u64(state_of(1), ARR_M_RECOVERING, "nor that they call it in sync");
	let_go(KIND(ARR_JOB_CLAIM));
	others_write(1, ARR_ROLE_FAULTY, false);
	reload(false);
	is_u64(state_of(1), ARR_M_FAULTY, "newer ones do");
	end();
}

/* Another node had it no more, and added the disk anew: under the old number it is no member. */
static void a_disk_with_a_new_number(void)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	w.disk.members[1].is_overwritten = w.disk.members[2].is_overwritten = true;
	score();
	reload(false);
	is_u64(state_of(1), ARR_M_IN_SYNC, "who is in sync is failed by roles alone");
	is_u64(state_of(2), ARR_M_FAULTY, "a spare whose disk is another device by now has failed");
	is_score("look012 TOKEN FLUSH01 look01 FLUSH01 bitmap01 active01 ANNOUNCE token", "it is not written any more");
	end();
}

int main(void)
{
	a_failure();
	the_source_of_a_window();
	the_last_one();
	own_news();
	a_recovery();
	the_order();
	strangers();
	broken_with_jobs_out();
	half_a_round();
	half_an_end(true);
	half_an_end(false);
	nobody_is_believed();
	twice();
	older_than_the_entry();
	a_disk_with_a_new_number();
	return tap_end();
}
