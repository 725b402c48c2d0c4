/* Goal: with external metadata a write waits until the owner has said active; then no superblock is ever written, the
 * array shows active-idle after a while and becomes clean only when the owner says so, over flushed members, with no
 * write in flight. `active` that nobody asked for changes nothing.
 * Method: the words of array_state along a day of an array; jobs held back while the owner speaks.
 * Law: I3, I10.
 * Source: spec array 9.1 and 10.2; steps 104-113 of the kernel's transcript ext-raid1-64k-live. */
#include "hands.h"

#define is_shown(wanted, ...)                                                                       \
	do {                                                                                        \
		if (!ok(!strcmp(shown(), wanted), __VA_ARGS__))                                     \
			printf("# %s:%d: shown %s, wanted %s\n", __FILE__, __LINE__, shown(), wanted); \
	} while (0)

static void a_day(void)
{
	struct arr_req *r;

	begin((struct setup){ .is_external = true });
	run();
	is_shown("clean", "an array that starts is clean");
	is_u64((uint64_t)owner(ARR_EV_OWNER_ACTIVE, 0), 0, "active that answers nothing is accepted");
	is_shown("clean", "and changes nothing");

	r = submit(ARR_WRITE, 3 * CHUNK, 4096, 'w');
	run();
	is_shown("write-pending", "the first write waits for its owner");
	is_score("", "and nothing is written");
	pass(10000);
	ok(!r->is_done, "however long that takes");
	score();
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), (uint64_t)-EBUSY, "clean is no answer to that");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(r->is_done && !r->rc, "active lets it go on");
	is_score("bitmap01 write01", "the bit comes before the data");
	is_shown("active", "the array is active");
	is_u64((uint64_t)arr_next_timer_ms(w.a), w.now_ms + 200, "it asks to be woken to show that it is idle");
	pass(199);
	is_shown("active", "not before safe_mode_delay");
	pass(1);
	is_shown("active-idle", "then it is idle");
	pass(30000);
	is_shown("active-idle", "and stays so: it is never clean by itself");
	score();

	is_u64((uint64_t)write_now(0, 512, 'x'), 0, "an idle array is still active: nobody is asked");
	is_shown("active", "which shows");
	pass(60000);
	score();
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), 0, "the owner says clean");
	is_score("FLUSH01", "the members are flushed");
	is_shown("clean", "and the array is clean");
	is_u64((uint64_t)status()->owner_clean, 0, "which is how that ended");
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), 0, "twice is once");
	is_score("", "without another flush");
	is_u64((uint64_t)write_now(0, 512, 'y'), 1, "the next write waits again");
	end();
}

/* A write that comes while the flush of clean is under way is not covered by it. */
static void a_write_comes_between(void)
{
	struct arr_req *r;

	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	hold(KIND(ARR_JOB_FLUSH));
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), 0, "clean begins");
	is_u64((uint64_t)status()->owner_clean, 1, "and is under way");
	is_shown("active", "the array is not clean before the flush is done");
	r = submit(ARR_WRITE, 5 * CHUNK, 512, 'b');
	run();
	ok(r->is_done && !r->rc, "a write goes on meanwhile");
	let_go(KIND(ARR_JOB_FLUSH));
	is_u64((uint64_t)status()->owner_clean, (uint64_t)-EBUSY, "then clean has failed");
	is_shown("active", "and the array is active");

	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 5 * CHUNK, 512, 'c');
	run();
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), (uint64_t)-EBUSY, "clean with a write in flight is refused");
	pass(1000);
	is_shown("active", "nor is the array idle while one is in flight");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done, "which ends");
	end();
}

static void a_flush_fails(void)
{
	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	w.hands[1].fails = FAILS_FLUSH;
	owner(ARR_EV_OWNER_CLEAN, 0);
	is_u64((uint64_t)status()->owner_clean, (uint64_t)-EBUSY, "a member fails under clean: the array is not clean");
	is_shown("write-pending", "the failure is asked about");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 1);
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), 0, "when that is recorded it can become clean");
	is_shown("clean", "degraded");

	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	w.hands[0].fails = FAILS_FLUSH;
	owner(ARR_EV_OWNER_CLEAN, 0);
	is_u64((uint64_t)status()->owner_clean, (uint64_t)-EIO, "not after the last member failed");
	is_shown("broken", "which has a word");
	is_u64((uint64_t)owner(ARR_EV_OWNER_CLEAN, 0), (uint64_t)-EIO, "and stays");
	is_u64((uint64_t)owner(ARR_EV_OWNER_ACTIVE, 0), 0, "active changes nothing any more");
	is_shown("broken", "of that");
	end();
}

static void delays(void)
{
	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	tell(ARR_EV_SAFE_MODE_DELAY, 5000);
	is_u64(status()->safe_mode_delay_ms, 5000, "the delay can be changed");
	pass(4999);
	is_shown("active", "at once");
	pass(1);
	is_shown("active-idle", "for the array that is active");
	tell(ARR_EV_SAFE_MODE_DELAY, 0);
	is_shown("active", "0: it is never idle");
	pass(3600000);
	is_shown("active", "at all");
	end();

	begin((struct setup){ 0 });
	write_now(0, 512, 'a');
	tell(ARR_EV_SAFE_MODE_DELAY, 0);
	pass(3600000);
	ok(w.hands[0].super.is_active, "with superblocks 0 means never clean");
	is_shown("active", "but active");
	tell(ARR_EV_SAFE_MODE_DELAY, 10);
	run();
	ok(!w.hands[0].super.is_active, "until it is allowed again");
	is_shown("clean", "which has the same word");
	is_u64((uint64_t)owner(ARR_EV_OWNER_ACTIVE, 0), (uint64_t)-EINVAL, "nobody owns superblocks");
	hold(KIND(ARR_JOB_CLAIM));
	submit(ARR_WRITE, 0, 512, 'b');
	run();
	is_shown("write-pending", "a write waits for them as well");
	let_go(KIND(ARR_JOB_CLAIM));
	end();
}

int main(void)
{
	a_day();
	a_write_comes_between();
	a_flush_fails();
	delays();
	return tap_end();
}
