/* Goal: a client waits for the members in front only, and nothing that it may rely on is weaker for that.
 * Method: member 1 is write-mostly; its parts are held back while clients write, read, flush, stop, and members fail.
 * Law: I1, I4, I6, I11, I12.
 * Source: spec array 4.4; head of behind.c. */
#include "hands.h"

#define is_int(got, wanted, ...) is_u64((uint64_t)(int64_t)(got), (uint64_t)(int64_t)(wanted), __VA_ARGS__)
#define BEHIND KIND(ARR_JOB_BEHIND)

static void begin_behind(uint32_t backlog, uint32_t members)
{
	begin((struct setup){ .members = members, .mostly = 2, .write_behind = backlog });
}

static int backlog_of(uint64_t value)
{
	struct arr_event ev = { .kind = ARR_EV_BACKLOG, .value = value };

	step(&ev);
	return ev.rc;
}

static int make_mostly(uint32_t member, bool is_mostly)
{
	struct arr_event ev = { .kind = ARR_EV_WRITE_MOSTLY, .member = member, .value = is_mostly };

	step(&ev);
	return ev.rc;
}

static void answers(void)
{
	struct arr_req *third;

	begin_behind(2, 2);
	hold(BEHIND);
	is_int(write_now(0, 512, '1'), 0, "a write is answered before the slow member has it");
	ok(byte_of(0, 0) == '1' && byte_of(1, 0) == 'b', "the one in front has it, the other has not");
	is_int(write_now(4096, 512, '2'), 0, "so is the second");
	is_u64(status()->behind_now, 2, "two are behind");
	third = submit(ARR_WRITE, 8192, 512, '3');
	run();
	ok(third->is_done && byte_of(1, 8192) == '3', "beyond the backlog a write waits for all members");
	is_u64(bm_counter(w.bitmap, (chunk_no){ 0 }) & BM_COUNT_MAX, 4, "what is behind is counted in its chunk");
	let_go(BEHIND);
	ok(byte_of(1, 0) == '1' && byte_of(1, 4096) == '2', "the slow member has all in the end");
	is_u64(status()->behind_now, 0, "nothing is behind any more");
	is_u64(status()->behind_max_used, 2, "two were at most");
	step(&(struct arr_event){ .kind = ARR_EV_BACKLOG_RESET });
	is_u64(status()->behind_max_used, 0, "until somebody resets that");
	end();
}

/* The client's buffer is its own again when it has the answer. */
static void copies(void)
{
	struct arr_req *r;

	begin_behind(8, 2);
	hold(BEHIND);
	r = submit(ARR_WRITE, 0, 4096, '1');
	run();
	memset(r->data, 'x', 4096);
	submit(ARR_ZERO, 4096, 4096, 0);
	let_go(BEHIND);
	ok(byte_of(1, 0) == '1' && byte_of(1, 4095) == '1', "what is behind is a copy");
	ok(byte_of(1, 4096) == 0 && byte_of(1, 8191) == 0, "zeroes are behind without one");
	end();
}

static void order(void)
{
	struct arr_req *ordinary;

	begin_behind(8, 2);
	hold(BEHIND);
	write_now(0, 4096, '1');
	write_now(2048, 4096, '2');
	is_u64(waiting(ARR_JOB_BEHIND), 1, "of two that overlap the younger waits behind the older");
	let_go(BEHIND);
	ok(byte_of(1, 0) == '1' && byte_of(1, 2048) == '2' && byte_of(1, 6143) == '2', "both arrive in their order");
	end();

	begin_behind(1, 2);
	hold(BEHIND);
	write_now(0, 4096, '1');
	ordinary = submit(ARR_WRITE, 0, 512, '3');
	run();
	ok(!ordinary->is_done && byte_of(0, 0) == '1', "an ordinary write waits for what is behind in its range");
	is_int(write_now(8192, 512, '4'), 0, "not for anything else");
	let_go(BEHIND);
	ok(ordinary->is_done && byte_of(1, 0) == '3' && byte_of(1, 512) == '1', "and comes after it");
	end();
}

static void flushes(void)
{
	struct arr_req *flush, *r;

	begin_behind(8, 2);
	write_now(0, 512, 'w');
	hold(BEHIND);
	write_now(0, 512, '1');
	flush = submit(ARR_FLUSH, 0, 0, 0);
	run();
	ok(!flush->is_done, "a flush waits for what is behind");
	write_now(4096, 512, '2');
	run();
	is_u64(status()->behind_now, 2, "a later write goes behind meanwhile");
	score();
	r = &w.requests[w.request_count++];
	*r = (struct arr_req){ .op = ARR_WRITE, .is_fua = true, .at = { 8192 }, .len_bytes = 512, .data = flush->data };
	step(&(struct arr_event){ .kind = ARR_EV_SUBMIT, .req = r });
	run();
	ok(r->is_done && !r->rc, "a write with FUA is not behind");
	is_score("write01", "it goes to all");
	let_go(BEHIND);
	ok(flush->is_done && !flush->rc, "the flush ends");
	end();
}

static void reads(void)
{
	struct arr_req *r;

	begin_behind(8, 2);
	is_int(read_now(0), 'a', "reads go to the member in front");
	is_int(read_now(0), 'a', "all of them");
	hold(BEHIND);
	write_now(0, 512, '1');
	w.hands[0].fails = FAILS_READ;
	r = submit(ARR_READ, 0, 512, 0);
	run();
	ok(!r->is_done, "a read that only the slow member can answer waits until it has the write");
	is_int(read_now(CHUNK), 'b', "elsewhere it does not");
	let_go(BEHIND);
	ok(r->is_done && *(char *)r->data == '1', "then it is answered");
	end();
}

static void a_slow_member_fails(void)
{
	begin_behind(8, 2);
	hold(BEHIND);
	write_now(0, 512, '1');
	w.hands[1].fails = FAILS_WRITE;
	w.hands[1].fails_kinds = BEHIND;
	let_go(BEHIND);
	is_int(state_of(1), ARR_M_FAULTY, "a part behind that fails fails its member");
	is_int((int)told_role(0, 1), ARR_ROLE_FAULTY, "that is recorded");
	ok(bm_counter(w.bitmap, (chunk_no){ 0 }) & BM_NEEDED, "its chunk is needed");
	is_int(write_now(0, 512, '2'), 0, "the array goes on");
	end();

	begin_behind(8, 2);
	hold(BEHIND);
	write_now(0, 512, '1');
	write_now(0, 512, '2');		/* waits for its turn */
	fail(1);
	run();
	is_u64(status()->behind_now, 1, "who left is owed nothing that was not out");
	ok(bm_counter(w.bitmap, (chunk_no){ 0 }) & BM_NEEDED, "its chunk is needed");
	is_int(take_out(1), -EAGAIN, "but it is in use until what was out is back");
	let_go(BEHIND);
	is_int(take_out(1), 0, "and can be removed then");
	end();
}

static void those_in_front_fail(void)
{
	struct arr_req *r;

	begin_behind(8, 2);
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 0, 512, '1');
	run();
	w.hands[0].fails = FAILS_WRITE;
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done && !r->rc && byte_of(1, 0) == '1', "when those in front fail the slow one has it first");
	is_int(state_of(0), ARR_M_FAULTY, "they are failed");
	end();

	begin_behind(8, 2);
	write_now(CHUNK, 512, 'w');
	hold(BEHIND);
	write_now(0, 512, '1');
	fail(0);
	run();
	r = submit(ARR_READ, 0, 512, 0);
	run();
	ok(!r->is_done, "what only memory holds is read when a member has it");
	w.hands[1].fails = FAILS_WRITE;
	let_go(BEHIND);
	ok(status()->is_broken, "the last member does not take it");
	ok(r->is_done && r->rc == -EIO, "then it is lost, and a read says so");
	is_int(read_now(0), -EIO, "every read");
	is_int(read_now(CHUNK), 'w', "of these bytes");
	end();
}

/* Who had it in front leaves while the client still waits for a record. */
static void only_memory_has_it(void)
{
	struct arr_req *r;

	begin_behind(8, 3);
	write_now(CHUNK, 512, 'w');
	hold(BEHIND | KIND(ARR_JOB_CLAIM) | KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 0, 512, '1');
	run();
	fail(2);
	run_job_of(r);
	ok(!r->is_done, "the write waits until it is recorded that a member failed");
	fail(0);
	w.held &= ~KIND(ARR_JOB_CLAIM);
	run();
	ok(!r->is_done, "now that is, and the one in front has failed, too: only memory holds it, and nobody is told");
	let_go(BEHIND | KIND(ARR_JOB_REQUEST));
	ok(r->is_done && !r->rc && byte_of(1, 0) == '1', "until the slow member has it");
	end();
}

static void who_decides(void)
{
	struct arr_req *r, *read;

	begin((struct setup){ .mostly = 2, .write_behind = 8, .states = { ARR_M_RECOVERING },
			      .wants_record = true });
	hold(KIND(ARR_JOB_SYNC_READ));
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 0, 512, '1');
	run();
	ok(r->job && r->job->members == 3, "while a write-mostly member decides nothing is behind");
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_int(state_of(0), ARR_M_IN_SYNC, "another one has been recovered");
	read = submit(ARR_READ, 0, 512, 0);
	run();
	ok(read->job && read->job->members == 2, "it does not decide under a write");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done && read->is_done, "all end");
	hold(BEHIND);
	write_now(0, 512, '2');
	ok(byte_of(0, 0) == '2' && byte_of(1, 0) == '1', "when all is quiet it does, and writes are behind again");
	let_go(BEHIND);
	end();
}

static void stops(void)
{
	begin_behind(8, 2);
	hold(BEHIND);
	write_now(0, 512, '1');
	stop();
	pass(20000);
	ok(!arr_is_stopped(w.a), "a stop waits for what is behind");
	ok(!w.hands[1].has_super || w.hands[1].super.is_active, "nothing is called clean");
	let_go(BEHIND);
	pass(20000);
	ok(arr_is_stopped(w.a) && byte_of(1, 0) == '1', "and ends");
	end();
}

static void by_the_user(void)
{
	begin_behind(8, 2);
	is_int(backlog_of(16384), -EINVAL, "a backlog above 16383 is refused");
	is_int(backlog_of(5), 0, "another one is taken");
	run();
	is_u64(status()->write_behind_max, 5, "at once");
	is_u64(bm_superblock(w.bitmap)->write_behind, 5, "and the bitmap's superblock says it");
	is_int(make_mostly(1, false), 0, "a member is not write-mostly any more");
	is_int(backlog_of(7), -EINVAL, "then there is no backlog to be set");
	run();
	ok(!w.hands[0].super.members[1].is_write_mostly, "the superblocks say so");
	hold(BEHIND);
	write_now(0, 512, '1');
	is_int(byte_of(1, 0), '1', "no write is behind");
	is_int(make_mostly(0, true), 0, "the other one is");
	run();
	write_now(0, 512, '2');
	ok(byte_of(0, 0) == '1' && byte_of(1, 0) == '2', "and lags now, though it decided before");
	is_int(read_now(0), '2', "it is not read");
	let_go(BEHIND);
	end();

	begin((struct setup){ .mostly = 2, .write_behind = 8, .is_dirty = true, .set = 1 });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	is_int(make_mostly(0, true), -EBUSY, "while copies may differ who decides stays the same");
	end();

	begin((struct setup){ .mostly = 1, .write_behind = 8, .is_dirty = true, .set = 1 });
	run();
	pass(20000);
	is_int(byte_of(0, 0), 'b', "a resync copies from the member that is not write-mostly, whatever its slot");
	end();

	begin((struct setup){ .mostly = 3, .write_behind = 8 });
	hold(BEHIND);
	write_now(0, 512, '1');
	ok(byte_of(0, 0) == '1' && byte_of(1, 0) == '1', "where all are write-mostly nothing is special");
	end();
}

int main(void)
{
	answers();
	copies();
	order();
	flushes();
	reads();
	a_slow_member_fails();
	those_in_front_fail();
	only_memory_has_it();
	who_decides();
	stops();
	by_the_user();
	return tap_end();
}
