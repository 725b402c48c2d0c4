/* Goal: of several nodes a failure counts as recorded when all others have read it: no client hears of a write that a
 *	member lacks before, and none reads what another node may still copy over.
 * Method: announcements that are answered when the test says so; jobs that are late.
 * Law: I1, I6, C6.
 * Source: md cluster specification 6. */
#include "node.h"

static void announced(void)
{
	say((struct arr_event){ .kind = ARR_EV_ANNOUNCED });
	run();
}

static void writes_wait(void)
{
	struct arr_req *lacking, *next, *flush;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	mute(W_ANNOUNCE);
	w.hands[1].fails = FAILS_WRITE;
	lacking = submit(ARR_WRITE, 0, 4096, 'x');
	run();
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "a failure is in the superblock");
	ok(!lacking->is_done, "but the write that the member lacks is not answered");
	next = submit(ARR_WRITE, CHUNK, 4096, 'y');
	flush = submit(ARR_FLUSH, 0, 0, 0);
	run();
	ok(!next->is_done && byte_of(0, CHUNK) == 'a', "and the next one does not go out");
	ok(wants().announce && !status()->is_recorded, "all others are to read it");
	pass(100000);
	ok(!lacking->is_done && !flush->is_done, "time does not help");
	announced();
	ok(lacking->is_done && lacking->rc == 0 && next->is_done && flush->is_done, "then all go on");
	ok(!wants().announce && status()->is_recorded, "and nothing more is wanted");
	end();
}

static void reads_wait(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	mute(W_ANNOUNCE);
	fail(0);
	score();
	req = submit(ARR_READ, 5 * CHUNK, 4096, 0);
	run();
	ok(!req->is_done && !times("read"), "the pin has failed here: the next one is not asked before all know");
	announced();
	ok(req->is_done && req->rc == 0 && *(uint8_t *)req->data == 'b', "then it answers");
	end();
}

/* A write to it is still on its way: who has read of the failure relies on there being none. */
static void late_jobs(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	mute(W_ANNOUNCE);
	hold(KIND(ARR_JOB_REQUEST));
	req = submit(ARR_WRITE, 0, 4096, 'x');
	run();
	fail(1);
	run();
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "a member has failed under a write");
	ok(!wants().announce && wants().token, "it is announced when nothing of ours is on the way to it");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(wants().announce, "not before");
	announced();
	ok(req->is_done && req->rc == 0, "and the write is answered");
	end();
}

/* Another failure comes while the first is being announced. */
static void one_after_the_other(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	mute(W_ANNOUNCE);
	fail(2);
	run();
	ok(wants().announce, "a failure is to be announced");
	fail(1);
	run();
	is_u64(told_role(0, 1), 1, "the next one waits for that");
	announced();
	ok(told_role(0, 1) == ARR_ROLE_FAULTY && wants().announce && !status()->is_recorded,
	   "then it is claimed, and announced as well");
	announced();
	ok(status()->is_recorded && !wants().announce, "both are recorded");
	announced();
	ok(status()->is_recorded, "an answer to nothing changes nothing");
	end();
}

int main(void)
{
	writes_wait();
	reads_wait();
	late_jobs();
	one_after_the_other();
	return tap_end();
}
