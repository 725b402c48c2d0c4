/* Goal: where copies may differ one member answers every read, until they were made equal; a pin that cannot be read
 * is failed, durably, before another one answers.
 * Method: dirty arrays with copies that differ, read many times before, during and behind the resync.
 * Law: I6.
 * Source: design 4; spec array 4.1, rule 2. */
#include "hands.h"

static bool always_reads(uint64_t at, int wanted)
{
	bool is_same = true;

	for (int i = 0; i < 6; i++)
		is_same &= read_now(at) == wanted;
	return is_same;
}

static void in_dirty_chunks(void)
{
	begin((struct setup){ .is_dirty = true, .set = 1 << 2 | 1 << 5 });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	ok(always_reads(2 * CHUNK, 'a') && always_reads(5 * CHUNK + 512, 'a'),
	   "dirty chunks are read from the lowest slot");
	score();
	for (int i = 0; i < 4; i++)
		read_now(3 * CHUNK);
	ok(times("read1") == 2, "clean ones from everybody");
	let_go(KIND(ARR_JOB_SYNC_READ));
	score();
	ok(always_reads(2 * CHUNK, 'a'), "after the resync the answer is the same");
	ok(times("read1") == 3, "and comes from everybody");
	end();
}

static void without_bitmap(void)
{
	begin((struct setup){ .is_dirty = true, .checkpoint = 4 * CHUNK, .has_no_bitmap = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	ok(always_reads(4 * CHUNK, 'a') && always_reads(SIZE - 512, 'a'),
	   "without a bitmap all behind the checkpoint is pinned");
	score();
	for (int i = 0; i < 4; i++)
		read_now(4 * CHUNK - 512);
	is_u64(times("read1"), 2, "what lies before it is not");
	let_go(KIND(ARR_JOB_SYNC_READ));
	end();
}

static void under_a_write(void)
{
	begin((struct setup){ 0 });
	write_now(0, 512, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 0, 4096, 'x');
	for (int i = 0; i < 4; i++) {
		struct arr_req *r = submit(ARR_READ, 512, 512, 0);

		ok(r->job && r->job->members == 1,
		   "a read under a write in flight goes to one member, or new bytes could turn old again");
	}
	let_go(KIND(ARR_JOB_REQUEST));
	end();
}

static void a_failing_pin(void)
{
	struct arr_req *r, *later;

	begin((struct setup){ .is_dirty = true, .set = 1 << 2 });
	hold(KIND(ARR_JOB_SYNC_READ) | KIND(ARR_JOB_CLAIM));
	run();
	w.hands[0].fails = FAILS_READ;
	r = submit(ARR_READ, 2 * CHUNK, 512, 0);
	run();
	is_u64(state_of(0), ARR_M_FAULTY, "a pin that cannot be read is failed");
	ok(!r->is_done, "nobody else's answer is given before that is on disk");
	later = submit(ARR_READ, 2 * CHUNK, 512, 0);
	run();
	ok(!later->is_done, "nor to those who ask later");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(r->is_done && !r->rc && *(uint8_t *)r->data == 'b', "then the other member answers");
	is_u64(told_role(1, 0), ARR_ROLE_FAULTY, "whose superblock says why");
	let_go(KIND(ARR_JOB_SYNC_READ));
	end();
}

/* A pin that was failed for another reason: its successor's answers wait as well. */
static void a_successor_waits_for_the_record(void)
{
	struct arr_req *r;

	begin((struct setup){ .members = 3, .is_dirty = true, .set = 1 << 2 });
	hold(KIND(ARR_JOB_SYNC_READ) | KIND(ARR_JOB_CLAIM));
	run();
	fail(0);
	r = submit(ARR_READ, 2 * CHUNK, 512, 0);
	run();
	ok(!r->is_done, "the pin was failed: what its successor says is told when a restart cannot go back");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(r->is_done && *(uint8_t *)r->data == 'b', "then it is told");
	let_go(KIND(ARR_JOB_SYNC_READ));
	end();
}

static void readonly(void)
{
	begin((struct setup){ .is_readonly = true, .is_dirty = true, .set = 1 << 2 });
	ok(always_reads(2 * CHUNK, 'a'), "a read-only array is pinned for ever");
	w.hands[0].fails = FAILS_READ;
	is_u64((uint64_t)read_now(2 * CHUNK), (uint64_t)-EIO, "and cannot fail its pin: an error");
	is_u64(read_now(3 * CHUNK), 'b', "clean chunks are served from elsewhere");
	end();
}

int main(void)
{
	in_dirty_chunks();
	without_bitmap();
	under_a_write();
	a_failing_pin();
	a_successor_waits_for_the_record();
	readonly();
	return tap_end();
}
