/* Goal: a node that the cluster has lost gives nothing out ever again, tells its clients so, and is stopped when what
 *	was out is back.
 * Method: lost with requests and jobs at each stage, held and not held.
 * Law: C5, I9.
 * Source: md cluster specification 8.22, 8.24. */
#include "node.h"

static void lose(void)
{
	say((struct arr_event){ .kind = ARR_EV_LOST });
}

static void requests_end(void)
{
	struct arr_req *queued, *out, *read;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	out = submit(ARR_WRITE, 0, 4096, 'x');
	read = submit(ARR_READ, 5 * CHUNK, 4096, 0);
	queued = submit(ARR_WRITE, 0, 4096, 'y');
	run();
	lose();
	ok(queued->is_done && queued->rc == -EIO, "what waits ends with an error");
	ok(!out->is_done && !read->is_done && !arr_is_stopped(w.a), "what is out is waited for");
	score();
	let_go(KIND(ARR_JOB_REQUEST));
	ok(out->is_done && out->rc == -EIO, "nobody can tell what it was good for: it ends with an error, too");
	ok(read->is_done && read->rc == -EIO, "so does a read: others may have written there since");
	ok(arr_is_stopped(w.a), "then the array is stopped");
	is_score("write01 read0", "nothing follows");
	ok(status()->is_lost && !wants().token && !wants().sync, "it wants nothing");
	is_u64((uint64_t)write_now(0, 4096, 'z'), (uint64_t)-EIO, "a later write fails");
	is_u64((uint64_t)flush_now(), (uint64_t)-EIO, "and a flush");
	is_u64((uint64_t)read_now(0), (uint64_t)-EIO, "and a read");
	is_u64((uint64_t)fail(1), (uint64_t)-EIO, "and an order");
	is_u64((uint64_t)tell(ARR_EV_HOLD, 0), (uint64_t)-EIO, "it is not taken back");
	stop();
	ok(arr_is_stopped(w.a) && arr_next_timer_ms(w.a) == UINT64_MAX, "and stays stopped");
	end();
}

static void after_a_hold(void)
{
	struct arr_req *req, *leader;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	tell(ARR_EV_HOLD, 1);
	req = submit(ARR_WRITE, 0, 4096, 'x');
	leader = submit(ARR_WRITE, 3 * CHUNK, 4096, 'x');
	take_slot(2, true);
	fail(1);
	score();
	lose();
	run();
	ok(req->is_done && req->rc == -EIO && leader->is_done && leader->rc == -EIO, "what was held ends");
	is_score("token", "and never was");
	ok(arr_is_stopped(w.a), "the array is stopped at once");
	end();
}

static void commits(void)
{
	struct arr_req *leader;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_BITMAP));
	leader = submit(ARR_WRITE, 3 * CHUNK, 4096, 'x');
	lose();
	ok(!leader->is_done && !arr_is_stopped(w.a), "who leads a commit that is out is waited for");
	let_go(KIND(ARR_JOB_BITMAP));
	ok(leader->is_done && leader->rc == -EIO && arr_is_stopped(w.a), "then it ends");
	is_u64((uint64_t)byte_of(0, 3 * CHUNK), 'a', "and its data stays here");
	end();
}

int main(void)
{
	requests_end();
	after_a_hold();
	commits();
	return tap_end();
}
