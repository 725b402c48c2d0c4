/* Goal: without quorum nothing is given out, no job of any kind; what was held goes out in its order when quorum is
 *	back.
 * Method: held at a moment when requests, a claim, a sweep, a resync, a look and a take-over all have something to do.
 * Law: C5, I9.
 * Source: md cluster specification 8.22. */
#include "node.h"

static void hold_all(bool is_held)
{
	say((struct arr_event){ .kind = ARR_EV_HOLD, .value = is_held });
	run();
}

static uint32_t jobs(void)
{
	const struct arr_job *job;
	uint32_t n = 0;

	list_for_each(job, &w.jobs, link)
		n++;
	return n;
}

static void in_order(void)
{
	struct arr_req *write, *read, *flush, *leader;

	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	score();
	hold_all(true);
	ok(status()->is_held, "it is held");
	write = submit(ARR_WRITE, 0, 4096, 'x');
	leader = submit(ARR_WRITE, 3 * CHUNK, 4096, 'y');
	read = submit(ARR_READ, 5 * CHUNK, 4096, 0);
	flush = submit(ARR_FLUSH, 0, 0, 0);
	pass(60000);
	is_score("", "nothing is done");
	ok(!jobs() && !write->job && !leader->job && !read->job && !flush->job, "and nothing given out");
	ok(!write->is_done && !read->is_done && !flush->is_done, "clients wait");
	hold_all(false);
	ok(write->is_done && leader->is_done && read->is_done && flush->is_done && !write->rc && !leader->rc,
	   "when that ends they are served");
	is_score("write01 bitmap01 read0 flush01 write01", "in the order in which they came");
	end();
}

/* What is out may end; what follows from it waits. */
static void what_is_out(void)
{
	struct arr_req *req;

	begin_node((struct setup){ 0 });
	hold(KIND(ARR_JOB_CLAIM));
	req = submit(ARR_WRITE, 0, 4096, 'x');
	run();
	is_u64(waiting(ARR_JOB_CLAIM), 1, "a claim is on its way");
	hold_all(true);
	let_go(KIND(ARR_JOB_CLAIM));
	ok(w.hands[0].super.is_active && !req->is_done, "it arrives, and the write that waited for it is held");
	hold_all(false);
	ok(req->is_done && req->rc == 0, "then it goes out");
	end();
}

static void machines(void)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	write_now(0, 4096, 'w');
	put_slot(2, 1 << 4);
	hold_all(true);
	score();
	fail(1);
	take_slot(2, true);
	reload(false);
	pass(60000);
	is_score("TOKEN", "failures, take-overs, looks, claims: nothing is given out");
	is_u64(arr_next_timer_ms(w.a) <= w.now_ms, 0, "and nobody turns in circles");
	hold_all(false);
	run();
	ok(status()->take == 0 && !slot_bits(0, 2) && state_of(2) == ARR_M_IN_SYNC &&
	   told_role(0, 1) == ARR_ROLE_FAULTY, "afterwards all of it is done");
	is_u64((uint64_t)byte_of(2, 4 * CHUNK), 'a', "to the last byte");
	end();
}

/* Its entry is not given to another device while a job that names it is kept. */
static void entries_are_kept(void)
{
	begin_node((struct setup){ 0 });
	write_now(0, 4096, 'w');
	hold_all(true);
	submit(ARR_WRITE, 0, 4096, 'x');
	fail(1);
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_REMOVE, .member = 1, .is_by_peer = true }),
	       (uint64_t)-EAGAIN, "a member that has failed is not removed while a held job names it");
	hold_all(false);
	is_u64((uint64_t)say((struct arr_event){ .kind = ARR_EV_REMOVE, .member = 1, .is_by_peer = true }), 0,
	       "then it is");
	end();
}

/* From the start on, until all others know us. */
static void from_the_start(void)
{
	begin_node((struct setup){ .is_dirty = true, .set = 1 << 3, .wants_record = true });
	say((struct arr_event){ .kind = ARR_EV_HOLD, .value = true });
	pass(60000);
	ok(!jobs() && !times("0"), "a start that is held gives out nothing");
	hold_all(false);
	pass(60000);
	ok(byte_of(1, 3 * CHUNK) == 'a' && !bit_on(0, 3), "then all is done");
	end();
}

int main(void)
{
	in_order();
	what_is_out();
	machines();
	entries_are_kept();
	from_the_start();
	return tap_end();
}
