/* Goal: the first writer of a clear chunk leads the commit, others of the chunk wait for it, and a chunk that is set
 * and durable costs no bitmap I/O.
 * Method: two writers into one chunk and a third into another with the commit held back; jobs and bits looked at.
 * Law: I3, I8.
 * Source: design 4, steps 2 and 3. */
#include "hands.h"

static struct arr_req *one, *two, *other;

static void warm_up(void)
{
	begin((struct setup){ 0 });
	write_now(9 * CHUNK, 512, 'w');		/* the array is active from here on */
	score();
}

static void sharing(void)
{
	warm_up();
	hold(KIND(ARR_JOB_BITMAP));
	one = submit(ARR_WRITE, 0, 4096, '1');
	ok(one->job && one->job->kind == ARR_JOB_BITMAP, "the first writer gets the commit as its own job");
	two = submit(ARR_WRITE, 8192, 4096, '2');
	ok(!two->job && bm_bit(w.bitmap, (chunk_no){ 0 }),
	   "the second finds the bit set in memory and waits all the same");
	other = submit(ARR_WRITE, 5 * CHUNK, 4096, '3');
	run();
	ok(byte_of(0, 0) == 'a' && byte_of(0, 8192) == 'a', "no data before the bit is durable");
	is_u64(waiting(ARR_JOB_BITMAP), 1, "one commit at a time");

	let_go(0);
	w.held = 0;
	run_one();
	is_score("bitmap01", "the commit of the first");
	ok(one->job && one->job->kind == ARR_JOB_REQUEST && two->job && two->job->kind == ARR_JOB_REQUEST,
	   "lets both writers of the chunk go on");
	ok(other->job && other->job->kind == ARR_JOB_BITMAP, "the bit set meanwhile needs the next one");
	ok(bit_on(0, 0) && bit_on(1, 0) && !bit_on(0, 5), "bits on the members are those of the snapshot");
	run();
	ok(one->is_done && two->is_done && other->is_done && !one->rc && !two->rc && !other->rc, "all are done");
	is_score("write01 write01 bitmap01 write01", "two commits for three writers");
	ok(byte_of(1, 8192) == '2' && byte_of(1, 5 * CHUNK) == '3', "with their data on every member");
	end();
}

static void set_and_durable(void)
{
	uint64_t commits;

	warm_up();
	write_now(0, 4096, 'x');
	commits = status()->counters.bitmap_commits;
	score();
	is_u64(write_now(4096, CHUNK - 4096, 'y'), 0, "the rest of the chunk");
	is_score("write01", "costs data and nothing else");
	is_u64(status()->counters.bitmap_commits, commits, "no commit is counted");
	is_u64(write_now(CHUNK - 512, 1024, 'z'), 0, "a write that leaves the chunk");
	is_score("bitmap01 write01", "pays for the next one");
	is_u64(status()->counters.bitmap_bits_set, 3, "three bits were set in all");
	end();
}

static void leader_is_served_when_a_member_fails_the_commit(void)
{
	warm_up();
	w.hands[1].fails = FAILS_WRITE;
	is_u64(write_now(0, 4096, 'x'), 0, "a member refuses the page");
	is_u64(state_of(1), ARR_M_FAULTY, "it has failed");
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "the other says so");
	ok(bit_on(0, 0) && byte_of(0, 0) == 'x', "and has bit and data");
	end();
}

int main(void)
{
	sharing();
	set_and_durable();
	leader_is_served_when_a_member_fails_the_commit();
	return tap_end();
}
