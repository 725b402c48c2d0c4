/* Goal: where another node copies nothing of ours is written: what was under way ends, what comes waits, also when the
 *	range moves, until it is taken back; and a write counts as under way until all know which member lacks it.
 * Method: suspended ranges over writes at each stage.
 * Law: C3, I1, I9.
 * Source: md cluster specification 5. */
#include "node.h"

static void writes_wait(void)
{
	struct arr_req *in, *across, *out, *later, *zero;

	begin_node((struct setup){ 0 });
	write_now(9 * CHUNK, 4096, 'w');
	is_u64((uint64_t)suspend(2, 2 * CHUNK, 2 * CHUNK), 0, "node 2 copies chunks 2 and 3");
	ok(arr_is_left_alone(w.a, 2), "nothing of ours is there");
	in = submit(ARR_WRITE, 3 * CHUNK, 4096, 'i');
	across = submit(ARR_WRITE, 4 * CHUNK - 4096, 8192, 'a');
	zero = submit(ARR_ZERO, 2 * CHUNK, 4096, 0);
	out = submit(ARR_WRITE, 4 * CHUNK + 4096, 4096, 'o');
	run();
	ok(!in->is_done && !across->is_done && !zero->is_done, "a write into it waits, one across its end, and a trim");
	ok(out->is_done, "one behind it does not");
	is_u64((uint64_t)read_now(3 * CHUNK), 'a', "reads go on");
	is_u64((uint64_t)flush_now(), 0, "and flushes");
	suspend(2, 4 * CHUNK, 2 * CHUNK);
	run();
	ok(in->is_done && zero->is_done && !across->is_done, "the range moves: who waited for the old one goes on");
	later = submit(ARR_WRITE, 5 * CHUNK, 4096, 'l');
	run();
	ok(!later->is_done, "and others wait");
	suspend(2, 0, 0);
	run();
	ok(across->is_done && later->is_done, "no range, nobody waits");
	is_u64(arr_suspended(w.a, 2).len, 0, "there is none");
	end();
}

static void under_way(void)
{
	struct arr_req *req, *other;

	begin_node((struct setup){ 0 });
	write_now(9 * CHUNK, 4096, 'w');
	hold(KIND(ARR_JOB_BITMAP));
	req = submit(ARR_WRITE, 0, 4096, 'x');
	suspend(0, 0, 4 * CHUNK);
	ok(!arr_is_left_alone(w.a, 0), "a write that waits for its bit will go out: the range is not left alone");
	hold(KIND(ARR_JOB_REQUEST));
	let_go(KIND(ARR_JOB_BITMAP));
	ok(!arr_is_left_alone(w.a, 0), "nor while it is on its way");
	other = submit(ARR_WRITE, CHUNK, 4096, 'y');
	suspend(3, CHUNK, CHUNK);
	ok(arr_is_left_alone(w.a, 3), "one that waits is no matter");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(req->is_done && arr_is_left_alone(w.a, 0), "when it has ended it is");
	suspend(0, 0, 0);
	run();
	ok(!other->is_done, "a write waits for every range that it touches");
	suspend(3, 0, 0);
	run();
	ok(other->is_done, "the last one lets it go");
	end();
}

/* The node that copies might copy from the very member that lacks it. */
static void until_all_know(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	w_cluster.mute = W_ANNOUNCE;
	w.hands[0].fails = FAILS_WRITE;
	req = submit(ARR_WRITE, 0, 4096, 'x');
	suspend(2, 0, CHUNK);
	run();
	ok(!req->is_done && wants().announce, "a write that the pin lacks is out, the failure is not announced");
	ok(!arr_is_left_alone(w.a, 2), "its range is not left alone");
	say((struct arr_event){ .kind = ARR_EV_ANNOUNCED });
	ok(req->is_done && arr_is_left_alone(w.a, 2), "it is when all others know");
	end();
}

static void ends(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	write_now(9 * CHUNK, 4096, 'w');
	suspend(2, 0, CHUNK);
	req = submit(ARR_WRITE, 0, 4096, 'x');
	put_slot(2, 0);
	take_slot(2, false);
	run();
	ok(!req->is_done, "whose slot is only read has its range");
	take_slot(2, true);
	run();
	ok(req->is_done && !arr_suspended(w.a, 2).len, "whose slot is taken has none any more");
	suspend(3, 0, CHUNK);
	req = submit(ARR_WRITE, 0, 4096, 'x');
	stop();
	run();
	ok(req->is_done && req->rc == UMD_E_STOPPING && arr_is_stopped(w.a), "a stop does not wait for them");
	end();
}

static void refused(void)
{
	begin_node((struct setup){ 0 });
	is_u64((uint64_t)suspend(NODE_SLOT, 0, CHUNK), (uint64_t)-EINVAL, "our own slot suspends nothing");
	is_u64((uint64_t)suspend(NODES, 0, CHUNK), (uint64_t)-EINVAL, "nor a slot that there is not");
	is_u64((uint64_t)suspend(0, CHUNK, UINT64_MAX), (uint64_t)-EINVAL, "nor a range beyond all numbers");
	end();
	begin((struct setup){ 0 });
	is_u64((uint64_t)suspend(0, 0, CHUNK), (uint64_t)-EINVAL, "an array alone is not asked");
	end();
}

int main(void)
{
	writes_wait();
	under_way();
	until_all_know();
	ends();
	refused();
	return tap_end();
}
