/* Goal: a node reads one member, the same on every node: what it says is not taken back; when it cannot be read
 *	it is out before another one answers.
 * Method: many reads, of places in doubt and others; a pin that fails them.
 * Law: I6.
 * Source: md cluster specification 5 (reads while a range is suspended, and while the dead are recovered). */
#include "node.h"

static void one_member(void)
{
	begin_node((struct setup){ .members = 3, .slots = 3 });
	for (unsigned i = 0; i < 8; i++)
		read_now(i * CHUNK);
	is_score("read0 read0 read0 read0 read0 read0 read0 read0", "all reads go to the pin");
	end();

	begin((struct setup){ .members = 3, .slots = 3 });
	for (unsigned i = 0; i < 8; i++)
		read_now(i * CHUNK);
	ok(times("read1") && times("read2"), "those of an array alone do not");
	end();
}

static void unreadable(void)
{
	struct arr_req *req;

	begin_node((struct setup){ .members = 3, .slots = 3 });
	write_now(0, 4096, 'w');
	w_cluster.mute = W_ANNOUNCE;
	w.hands[0].fails = FAILS_READ;
	w.hands[0].fails_kinds = KIND(ARR_JOB_REQUEST);
	req = submit(ARR_READ, 5 * CHUNK, 4096, 0);
	run();
	ok(!req->is_done && state_of(0) == ARR_M_FAULTY, "a pin that cannot be read has failed");
	is_u64(told_role(1, 0), ARR_ROLE_FAULTY, "on record");
	mute(0);
	ok(req->is_done && !req->rc && *(uint8_t *)req->data == 'b', "when all know, the next one answers");
	end();

	begin_node((struct setup){ .states = { 0, ARR_M_RECOVERING }, .wants_full = { false, true } });
	w_cluster.mute = W_SYNC;
	w.hands[0].fails = FAILS_READ;
	is_u64((uint64_t)read_now(0), (uint64_t)-EIO, "the last one in sync is not failed for it: an error");
	is_u64(state_of(0), ARR_M_IN_SYNC, "and stays");
	end();
}

int main(void)
{
	one_member();
	unreadable();
	return tap_end();
}
