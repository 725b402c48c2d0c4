/* Goal: a read-auto array serves reads and writes to no member until the first client write, which makes it writable;
 * an array that is made read-only becomes clean first, by superblocks or a flush, and is refused that while requests
 * are in flight; the way back goes on where it was.
 * Method: every mode into every other; scores; a resync that is interrupted; failures while still.
 * Law: I7, I10.
 * Source: spec array 9.1; steps 212-216 of the kernel's transcript ext-raid1-64k-live. */
#include "hands.h"

static bool is_shown(const char *state)
{
	if (!strcmp(shown(), state))
		return true;
	printf("# shown %s, wanted %s\n", shown(), state);
	return false;
}

static int set_mode(enum arr_mode mode)
{
	return tell(ARR_EV_SET_MODE, mode);
}

static void read_auto(void)
{
	begin((struct setup){ .is_read_auto = true, .is_dirty = true, .set = 5, .wants_record = true });
	pass(600000);
	ok(is_shown("read-auto") && !status()->is_readonly, "a read-auto array says so");
	is_u64(arr_next_timer_ms(w.a), UINT64_MAX, "and need not be woken");
	is_u64((uint64_t)read_now(0), 'a', "it is read");
	is_u64((uint64_t)flush_now(), 0, "a flush has nothing to do");
	is_score("read0", "and nothing else touches a member");
	is_u64((uint64_t)write_now(9 * CHUNK, 512, 'w'), 0, "a write is taken");
	ok(is_shown("active"), "by an array that is writable from then on");
	ok(times("active01 "), "whose superblocks say so");
	pass(60000);
	is_u64((uint64_t)byte_of(1, 0), 'a', "and whose resync has run");
	end();

	begin((struct setup){ .is_read_auto = true, .is_dirty = true, .set = 5 });
	is_u64((uint64_t)set_mode(ARR_MODE_WRITABLE), 0, "it is made writable by hand");
	is_u64((uint64_t)byte_of(1, 0), 'a', "which resyncs");
	end();

	begin((struct setup){ .is_read_auto = true, .is_external = true });
	submit(ARR_WRITE, 0, 512, 'a');
	run();
	ok(is_shown("write-pending") && !times("write"), "with an owner its first write waits for that one");
	end();

	begin((struct setup){ .is_read_auto = true });
	w.hands[0].fails = FAILS_READ;
	is_u64((uint64_t)read_now(0), 'b', "a read error is served elsewhere");
	is_u64((uint64_t)fail(1), 0, "a member that is failed makes it writable");
	run();
	ok(is_shown("clean") && w.hands[0].has_super, "so that this is recorded");
	end();
}

static void and_back(void)
{
	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'a');
	hold(KIND(ARR_JOB_CLAIM));
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), 0, "an active array is made read-only");
	ok(!status()->is_readonly, "it is not before its superblocks say clean");
	is_u64((uint64_t)write_now(CHUNK, 512, 'b'), (uint64_t)UMD_E_READ_ONLY, "but takes no write any more");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(status()->is_readonly && is_shown("readonly") && !w.hands[1].super.is_active, "then it is");
	ok(bit_on(0, 1), "its bits are not swept for that");
	score();
	pass(600000);
	is_u64((uint64_t)fail(0), (uint64_t)UMD_E_READ_ONLY, "nothing changes");
	is_score("", "and nothing is written");
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), (uint64_t)-ENXIO, "read-only twice");
	is_u64((uint64_t)set_mode(ARR_MODE_READ_AUTO), 0, "read-only becomes read-auto");
	ok(is_shown("read-auto"), "at once");
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), 0, "and back");
	is_u64((uint64_t)set_mode(ARR_MODE_WRITABLE), 0, "and writable");
	ok(is_shown("clean"), "which is clean");
	pass(60000);
	ok(!bit_on(0, 1), "and sweeps");
	is_u64((uint64_t)set_mode(7), (uint64_t)-EINVAL, "there is no other mode");
	end();

	begin((struct setup){ .is_external = true });
	write_now(CHUNK, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	score();
	set_mode(ARR_MODE_READONLY);
	ok(is_shown("readonly"), "with an owner it is asked nothing");
	is_score("FLUSH01", "but flushed");
	set_mode(ARR_MODE_WRITABLE);
	ok(is_shown("clean"), "and clean afterwards");
	end();
}

static void busy(void)
{
	struct arr_req *r;

	begin((struct setup){ 0 });
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, CHUNK, 512, 'a');
	run();
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), (uint64_t)-EBUSY, "a write is in flight");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done, "which ends");
	hold(KIND(ARR_JOB_CLAIM));
	set_mode(ARR_MODE_READ_AUTO);
	ok(status()->mode == ARR_MODE_WRITABLE && status()->mode_wanted == ARR_MODE_READ_AUTO, "it turns");
	r = submit(ARR_WRITE, CHUNK, 512, 'b');
	ok(status()->mode_wanted == ARR_MODE_WRITABLE, "until a write comes");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(r->is_done && !r->rc && is_shown("active"), "one that comes on the way to read-auto keeps it writable");
	end();

	begin((struct setup){ .is_dirty = true, .set = ~0ull });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	set_mode(ARR_MODE_READONLY);
	ok(!status()->is_readonly, "a window of a resync is waited for");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(status()->is_readonly && bit_on(0, 9), "the rest stays due");
	set_mode(ARR_MODE_WRITABLE);
	pass(60000);
	ok(status()->resync_offset == OFF_NONE && byte_of(1, 9 * CHUNK) == 'a', "until it is writable again");
	end();

	begin((struct setup){ .is_dirty = true, .set = ~0ull });
	hold(KIND(ARR_JOB_SYNC_READ) | KIND(ARR_JOB_REQUEST));
	run();
	set_mode(ARR_MODE_READONLY);
	submit(ARR_READ, 0, 512, 0);
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(!status()->is_readonly, "a read that came meanwhile is waited for");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(status()->is_readonly && !status()->is_active, "before the array is clean and read-only");
	end();

	begin((struct setup){ .is_external = true });
	submit(ARR_WRITE, 0, 512, 'a');
	run();
	owner(ARR_EV_OWNER_ACTIVE, 0);
	fail(1);
	run();
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), (uint64_t)-EBUSY, "a failure that is not recorded comes first");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 1);
	w.hands[0].fails = FAILS_FLUSH;
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), 0, "then it may turn");
	ok(is_shown("readonly"), "and is, though its last member cannot be flushed");
	is_u64((uint64_t)flush_now(), (uint64_t)-EIO, "but nobody is told that anything is durable");
	stop();
	run();
	ok(arr_is_stopped(w.a), "it can be stopped");
	end();

	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	w.hands[1].fails = FAILS_FLUSH;
	is_u64((uint64_t)set_mode(ARR_MODE_READONLY), 0, "a member fails on the way");
	ok(is_shown("write-pending") && status()->mode_wanted == ARR_MODE_WRITABLE,
	   "which its owner must record first");
	end();

	begin((struct setup){ 0 });
	write_now(0, 512, 'a');
	hold(KIND(ARR_JOB_FLUSH));
	set_mode(ARR_MODE_READONLY);
	stop();
	let_go(KIND(ARR_JOB_FLUSH));
	ok(arr_is_stopped(w.a) && !w.hands[0].super.is_active, "a stop on the way is a stop");
	is_u64((uint64_t)set_mode(ARR_MODE_WRITABLE), (uint64_t)UMD_E_STOPPING, "and nothing changes then");
	end();
}

int main(void)
{
	read_auto();
	and_back();
	busy();
	return tap_end();
}
