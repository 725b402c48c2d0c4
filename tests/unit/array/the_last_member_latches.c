/* Goal: the last member in sync is never failed; an error of a write, a flush or a commit there latches until a
 * restart: flush and FUA say EIO, nothing clean is claimed and no bit is cleared. A read error latches nothing.
 * Method: one member is failed, then the other refuses this and that.
 * Law: I1, I4.
 * Source: design 4, "more rules"; spec array 4.3. */
#include "hands.h"

static void alone(void)
{
	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	fail(1);
	run();
	score();
}

static void check_latched(const char *why)
{
	struct arr_req *fua;

	ok(status()->is_broken, "%s: broken", why);
	is_u64(state_of(0), ARR_M_IN_SYNC, "%s: the member stays", why);
	w.hands[0].fails = 0;
	is_u64((uint64_t)flush_now(), (uint64_t)-EIO, "%s: a flush says EIO, also when the member works again", why);
	fua = submit(ARR_WRITE, 0, 512, 'f');
	fua->is_fua = true;
	run();
	score();
	pass(60000);
	is_u64(times("clean"), 0, "%s: nothing clean is claimed", why);
	is_u64(times("bitmap"), 0, "%s: no bit is cleared", why);
	ok(bit_on(0, 0), "%s: the bit is there", why);
	ok(w.hands[0].super.is_active, "%s: the superblock says active", why);
	ok(read_now(9 * CHUNK) == 'a', "%s: reads are served", why);
	stop();
	run();
	ok(arr_is_stopped(w.a), "%s: it can be stopped", why);
	ok(w.hands[0].super.is_active, "%s: and is still active on disk", why);
	end();
}

static void by_a_write(void)
{
	alone();
	w.hands[0].fails = FAILS_WRITE;
	w.hands[0].fails_kinds = KIND(ARR_JOB_REQUEST);
	is_u64((uint64_t)write_now(0, 4096, 'x'), (uint64_t)-EIO, "a write that the last member refuses is an error");
	ok(bm_counter(w.bitmap, (chunk_no){ 0 }) & BM_NEEDED, "and its chunk stays owed");
	check_latched("write");
}

static void by_a_flush(void)
{
	alone();
	w.hands[0].fails = FAILS_FLUSH;
	is_u64((uint64_t)flush_now(), (uint64_t)-EIO, "a flush that the last member refuses is an error");
	check_latched("flush");
}

static void by_a_commit(void)
{
	alone();
	w.hands[0].fails = FAILS_WRITE;
	w.hands[0].fails_kinds = KIND(ARR_JOB_BITMAP);
	is_u64((uint64_t)write_now(5 * CHUNK, 4096, 'x'), (uint64_t)-EIO,
	       "a commit that the last member refuses: the write is an error");
	ok(byte_of(0, 5 * CHUNK) == 'a', "and never went out");
	check_latched("commit");
}

static void by_fua(void)
{
	struct arr_req *r;

	alone();
	w.hands[0].fails = FAILS_FLUSH;
	flush_now();
	w.request_count = 0;
	r = &w.requests[0];
	*r = (struct arr_req){ .op = ARR_WRITE, .is_fua = true, .len_bytes = 512, .data = w.sync_buffer };
	step(&(struct arr_event){ .kind = ARR_EV_SUBMIT, .req = r });
	run();
	ok(r->is_done && r->rc == -EIO, "FUA says EIO as well");
	end();
}

static void by_hand(void)
{
	alone();
	is_u64((uint64_t)fail(0), (uint64_t)UMD_E_LAST_MEMBER, "the user is refused");
	ok(!status()->is_broken, "and nothing is broken by asking");
	is_u64(flush_now(), 0, "flushes go on");
	end();
}

static void a_read_error_latches_nothing(void)
{
	struct arr_req *r;

	alone();
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 0, 4096, 'x');	/* in flight: reads of these bytes are pinned */
	r = submit(ARR_READ, 0, 512, 0);
	w.hands[0].fails = FAILS_READ;
	run_job_of(r);
	ok(r->is_done && r->rc == -EIO, "what the last member cannot read is an error");
	ok(!status()->is_broken, "of that read alone");
	let_go(KIND(ARR_JOB_REQUEST));
	is_u64(flush_now(), 0, "flushes go on");
	pass(1000);
	ok(!w.hands[0].super.is_active, "and the array becomes clean");
	end();
}

static void both_at_once(void)
{
	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	w.hands[0].fails = w.hands[1].fails = FAILS_WRITE;
	w.hands[0].fails_kinds = w.hands[1].fails_kinds = KIND(ARR_JOB_REQUEST);
	is_u64((uint64_t)write_now(0, 4096, 'x'), (uint64_t)-EIO, "both refuse the same write: an error");
	ok(status()->is_broken && status()->degraded == 1, "one is failed, the last one stays");
	w.hands[0].fails = w.hands[1].fails = 0;
	is_u64((uint64_t)write_now(0, 4096, 'y'), (uint64_t)-EIO,
	       "a failure that cannot be recorded any more lets no write succeed");
	end();
}

int main(void)
{
	by_a_write();
	by_a_flush();
	by_a_commit();
	by_fua();
	by_hand();
	a_read_error_latches_nothing();
	both_at_once();
	return tap_end();
}
