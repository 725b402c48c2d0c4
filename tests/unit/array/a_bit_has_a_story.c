/* Goal: of a set bit the array knows who set it, and names everything that keeps it and nothing else, with true
 * figures; what it cannot know it says. A bit that nothing but time keeps goes at the moment that was foretold.
 * Method: a world for each reason, looked at before, while and after it holds; more marks than are remembered; memory
 * that runs out under a mark.
 * Law: I4 (a bit is kept while any of these holds).
 * Source: head of src/array/why.c. */
#include "array/why.h"
#include "hands.h"
#include "unit/short_of_memory.h"

enum { SMALL = 512 };

static struct arr_why y;

static uint32_t why(uint64_t chunk)
{
	arr_why(w.a, (chunk_no){ chunk }, &y);
	return y.reasons;
}

#define is_kept(chunk, wanted, ...)                                                                 \
	do {                                                                                        \
		uint32_t got_ = why(chunk);                                                         \
		if (!ok(got_ == (wanted), __VA_ARGS__))                                             \
			printf("# %s:%d: got 0x%x, wanted 0x%x\n", __FILE__, __LINE__, got_, (unsigned)(wanted)); \
	} while (0)

static bool is_write(const struct arr_why_write *x, uint64_t number, uint64_t at, uint64_t len)
{
	return x->number == number && x->at.bytes == at && x->len_bytes == len;
}

static int set_bits(uint64_t at, uint64_t len)
{
	struct arr_event ev = { .kind = ARR_EV_SET_BITS, .at = { at }, .len_bytes = len };

	step(&ev);
	return ev.rc;
}

/* The first job of a kind that is held back, and what follows from it. */
static void run_held(enum arr_job_kind kind)
{
	struct arr_job *job, *next;

	list_for_each_safe(job, next, &w.jobs, link) {
		if (job->kind != kind)
			continue;
		list_remove(&job->link);
		execute(job);
		step(&(struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = job });
		break;
	}
	run();
}

/* ---- who ---- */

static void who_set_it(void)
{
	begin((struct setup){ .set = 1 << 7 });
	is_kept(2, 0, "a clear bit is kept by nothing");
	ok(!y.is_set && !y.setter && !y.counter && y.at.bytes == 2 * CHUNK, "and was set by nobody");
	why(10);
	is_u64(y.len_bytes, 4096, "the last chunk ends with the array");
	write_now(2 * CHUNK + 512, 1024, 'a');
	w.now_ms += 7;
	write_now(2 * CHUNK, 512, 'b');
	why(2);
	ok(y.is_set && y.is_durable && y.setter == ARR_SET_BY_WRITE && is_write(&y.set_by, 1, 2 * CHUNK + 512, 1024),
	   "the write that set it is named, not the one that found it set");
	is_u64(w.now_ms - y.set_ms, 7, "and when it did");
	submit(ARR_ZERO, 3 * CHUNK - 512, 1024, 0);
	run();
	why(3);
	ok(y.setter == ARR_SET_BY_ZERO && is_write(&y.set_by, 3, 3 * CHUNK - 512, 1024), "zeroes are told from writes");
	why(2);
	is_u64(y.set_by.number, 1, "they did not set their other chunk");
	why(7);
	is_u64(y.setter, ARR_SET_BEFORE, "a bit of the start was set before");
	pass(60000);
	why(2);
	ok(!y.is_set && !y.setter, "a bit that went has no setter any more");
	write_now(2 * CHUNK, 512, 'c');
	why(2);
	ok(y.setter == ARR_SET_BY_WRITE && y.set_by.number == 4, "and a new one when it comes back");
	end();
}

static void is_it_on_disk(void)
{
	begin((struct setup){ 0 });
	write_now(0, 512, 'a');
	hold(KIND(ARR_JOB_BITMAP));
	submit(ARR_WRITE, 5 * CHUNK, 512, 'b');
	run();
	why(5);
	ok(y.is_set && !y.is_durable, "a bit whose page is not written is not on disk");
	let_go(KIND(ARR_JOB_BITMAP));
	why(5);
	ok(y.is_durable, "until it is");
	pass(9999);
	hold(KIND(ARR_JOB_BITMAP));
	pass(20000);
	why(5);
	ok(y.is_set && y.reasons == ARR_KEPT_BY_SWEEP, "events_cleared is being written: the sweep is under way");
	run_one();
	while (waiting(ARR_JOB_BITMAP)) {
		let_go(KIND(ARR_JOB_BITMAP));
		why(5);
	}
	ok(!y.is_set && !y.is_clear_unwritten, "it is clear, and its page is written");
	end();

	begin((struct setup){ .is_external = true });
	write_now(0, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	hold(KIND(ARR_JOB_BITMAP));
	pass(20000);
	why(0);
	ok(!y.is_set && y.is_clear_unwritten && bit_on(0, 0), "clear in memory, and still set on disk");
	let_go(KIND(ARR_JOB_BITMAP));
	why(0);
	ok(!y.is_clear_unwritten && !bit_on(0, 0), "until its page is written");
	end();
}

static void what_is_forgotten(void)
{
	begin((struct setup){ .chunk = SMALL, .set = 1 });
	for (uint64_t i = 1; i <= ARR_WHY_MARKS; i++)
		write_now(i * SMALL, SMALL, 'a');
	why(0);
	is_u64(y.setter, ARR_SET_BEFORE, "as long as all marks are remembered, what is not among them was before");
	why(1);
	ok(y.setter == ARR_SET_BY_WRITE && y.set_by.number == 1, "the first mark is there");
	for (uint64_t i = 0; i < ARR_WHY_MARKS; i++)
		write_now(i * SMALL, SMALL, 'b');
	why(1);
	is_u64(y.set_by.number, 1, "writes into set chunks push nothing out");
	write_now((ARR_WHY_MARKS + 1) * SMALL, SMALL, 'a');
	why(1);
	ok(y.setter == ARR_SET_FORGOTTEN && y.marks == ARR_WHY_MARKS + 1, "one more mark, and the first is forgotten");
	why(0);
	is_u64(y.setter, ARR_SET_FORGOTTEN, "so nobody knows whether a bit was there before");
	why(2);
	ok(y.setter == ARR_SET_BY_WRITE && y.set_by.number == 2, "the second is not");
	end();

	begin((struct setup){ .chunk = SMALL, .set = 1 << 4 });
	write_now(2 * SMALL, 5 * SMALL, 'a');
	why(4);
	is_u64(y.setter, ARR_SET_BEFORE, "a chunk in the midst of a write was set before");
	why(3);
	ok(y.set_by.number == 1 && why(6) && y.set_by.number == 1, "those around it by the write");
	is_u64(y.marks, 2, "which left a mark on each side, and none between them");
	end();
}

static void another_bitmap(void)
{
	static const member_off at[ARR_MEMBERS_MAX] = { { BITMAP_AT }, { BITMAP_AT } };
	struct bitmap_sb sb = { .magic = FMT_BITMAP_MAGIC, .version = 4, .chunk_bytes = 2 * CHUNK,
				.daemon_sleep_s = 5 };
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap_at = at };

	begin((struct setup){ .set = 1 << 8 });
	write_now(4 * CHUNK, 512, 'a');
	sb.sync_size_sectors = w.size / SECTOR_BYTES;
	ev.bitmap = bm_new(&sb, NULL, 0);
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 4 * CHUNK, 512, 'b');
	run();
	is_kept(4, ARR_KEPT_BY_WRITES, "a write in flight");
	step(&ev);
	is_kept(4, ARR_KEPT_BY_WRITES | ARR_KEPT_BY_CHANGE, "and the bitmap is being changed");
	let_go(KIND(ARR_JOB_REQUEST));
	is_kept(2, ARR_KEPT_BY_PERIOD, "it is another one now");
	ok(y.setter == ARR_SET_IN_FORMER && y.set_ms == w.now_ms && y.len_bytes == 2 * CHUNK,
	   "the bit came along, and who set it in the former one is not told of this one");
	why(4);
	is_u64(y.setter, ARR_SET_IN_FORMER, "what had a chunk's number there set nothing here");
	write_now(0, 512, 'c');
	why(0);
	is_u64(y.setter, ARR_SET_BY_WRITE, "marks go on");
	end();
}

/* ---- what keeps it ---- */

static void time_alone(void)
{
	uint64_t foretold;

	begin((struct setup){ 0 });
	pass(20000);
	write_now(CHUNK, 512, 'a');
	is_kept(1, ARR_KEPT_BY_PERIOD, "nothing but time keeps an idle bit");
	is_u64(y.clear_ms - w.now_ms, 10000, "two sweeps");
	foretold = y.clear_ms;
	pass(6000);
	is_kept(1, ARR_KEPT_BY_PERIOD, "one has been");
	ok(y.counter == 1 && y.clear_ms == foretold, "what was foretold stands");
	pass(foretold - w.now_ms - 1);
	ok(why(1) && y.is_set, "a millisecond before it is there");
	pass(1);
	ok(!why(1) && !y.is_set, "then it goes");
	end();
}

static void writes(void)
{
	begin((struct setup){ 0 });
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, CHUNK - 512, 1024, 'a');
	for (uint64_t i = 0; i < 10; i++)
		submit(ARR_WRITE, 2 * CHUNK - 512 * (i + 1), 512, 'b');
	run();
	is_kept(1, ARR_KEPT_BY_WRITES, "writes in flight");
	ok(y.write_count == 11 && y.counter == 13, "all are counted");
	ok(is_write(&y.writes[0], 1, CHUNK - 512, 1024) && is_write(&y.writes[7], 8, 2 * CHUNK - 7 * 512, 512),
	   "the first eight are told");
	is_u64(y.writes[0].stage, ARR_S_IO, "they are at the members");
	is_kept(0, ARR_KEPT_BY_WRITES, "so is the neighbour, by the one write that reaches into it");
	is_u64(y.write_count, 1, "by that one");
	let_go(KIND(ARR_JOB_REQUEST));
	is_kept(1, ARR_KEPT_BY_PERIOD, "they have ended");
	end();

	begin((struct setup){ .is_external = true, .set = 2 });
	submit(ARR_WRITE, CHUNK, 512, 'a');
	run();
	is_kept(1, ARR_KEPT_BY_PERIOD, "one that still waits for the owner keeps nothing yet");
	end();
}

static void behind(void)
{
	begin((struct setup){ .mostly = 2, .write_behind = 4, .set = 1 });
	hold(KIND(ARR_JOB_BEHIND));
	write_now(CHUNK, 512, 'a');
	is_kept(1, ARR_KEPT_BY_BEHIND, "an answered write is behind");
	ok(y.behind_count == 1 && is_write(&y.behind[0], 1, CHUNK, 512) && y.behind[0].members == 2,
	   "it is owed to the slow member");
	is_kept(0, ARR_KEPT_BY_PERIOD, "and keeps no other chunk");
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, CHUNK + 512, 512, 'b');
	run();
	is_kept(1, ARR_KEPT_BY_BEHIND | ARR_KEPT_BY_WRITES, "one that is not answered is in flight");
	ok(y.behind_count == 1 && y.write_count == 1, "it is told once");
	let_go(~0u);
	is_kept(1, ARR_KEPT_BY_PERIOD, "they have ended");
	end();
}

static void degraded(void)
{
	uint64_t failed_ms;

	begin((struct setup){ .members = 3 });
	pass(1000);
	write_now(CHUNK, 512, 'a');
	pass(100);
	failed_ms = w.now_ms;
	is_u64(status()->events, FIRST_EVENTS + 1, "the array is at its second event");
	hold(KIND(ARR_JOB_CLAIM));
	fail(2);
	is_kept(1, ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_RECORD, "a failure keeps it, and superblocks do not have it yet");
	let_go(KIND(ARR_JOB_CLAIM));
	pass(60000);
	fail(1);
	run();
	is_kept(1, ARR_KEPT_BY_DEGRADED, "they have it");
	ok(y.degraded_events == FIRST_EVENTS + 1 && y.degraded_ms == failed_ms && !y.is_degraded_since_start,
	   "since the event and the time of the first failure");
	end();

	begin((struct setup){ .slots = 3, .set = 2 });
	w.now_ms += 500;
	write_now(3 * CHUNK, 512, 'a');
	is_kept(1, ARR_KEPT_BY_DEGRADED, "it was degraded when it started");
	ok(y.is_degraded_since_start && y.degraded_events == FIRST_EVENTS && y.degraded_ms == w.now_ms,
	   "at the event of the start, when the array was first asked for anything");
	end();
}

static void a_recovery(void)
{
	begin((struct setup){ 0 });
	fail(1);
	run();
	write_now(CHUNK, 512, 'a');
	take_out(1);
	hold(KIND(ARR_JOB_SYNC_READ));
	join(ARR_M_RECOVERING, 1, false);
	run();
	is_kept(1, ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_SYNC, "a recovery is to copy it");
	ok(y.is_being_copied, "just now");
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_kept(1, ARR_KEPT_BY_PERIOD, "it has ended, and so has its mark of doubt");
	fail(1);
	run();
	take_out(1);
	tell(ARR_EV_FREEZE, 1);
	join(ARR_M_RECOVERING, 1, false);
	run();
	is_kept(1, ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_SYNC | ARR_KEPT_BY_FREEZE, "a frozen one is told");
	ok(y.is_needed && !y.is_being_copied, "it only needs to be copied");
	tell(ARR_EV_FREEZE, 0);
	is_kept(1, ARR_KEPT_BY_PERIOD, "it goes on");
	tell(ARR_EV_FREEZE, 1);
	is_kept(1, ARR_KEPT_BY_PERIOD, "what is not to be copied is not kept by a freeze");
	end();
}

static void a_resync(void)
{
	begin((struct setup){ .is_dirty = true, .set = 1 << 5 });
	w.hands[0].fails = FAILS_READ;
	w.hands[0].fails_kinds = KIND(ARR_JOB_SYNC_READ);
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	is_kept(5, ARR_KEPT_BY_SYNC, "a resync is to copy it");
	ok(y.setter == ARR_SET_BEFORE && y.is_being_copied, "it was set before");
	let_go(KIND(ARR_JOB_SYNC_READ));
	ok(why(5) & ARR_KEPT_BY_DEGRADED && !(y.reasons & ARR_KEPT_BY_SYNC), "its source failed: nobody is left to "
	   "copy to");
	end();

	begin((struct setup){ .states = { ARR_M_IN_SYNC, ARR_M_RECOVERING }, .set = 1 << 5,
			      .wants_record = true });
	w.hands[0].fails = FAILS_READ;
	w.hands[0].fails_kinds = KIND(ARR_JOB_SYNC_READ);
	run();
	is_kept(5, ARR_KEPT_BY_SYNC | ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_BAD_SOURCE, "the only source cannot be read");
	end();
}

static void by_hand(void)
{
	uint64_t set_ms;

	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'a');
	w.now_ms += 9;
	set_ms = w.now_ms;
	hold(KIND(ARR_JOB_SYNC_READ));
	set_bits(CHUNK, 2 * CHUNK);
	run();
	is_kept(2, ARR_KEPT_BY_SYNC | ARR_KEPT_BY_HAND, "a resync is due for what was set by hand");
	ok(y.setter == ARR_SET_BY_HAND && y.set_ms == set_ms && y.hand_ms == set_ms && y.set_by.at.bytes == CHUNK &&
	   y.set_by.len_bytes == 2 * CHUNK, "it set the bit");
	is_kept(1, ARR_KEPT_BY_SYNC | ARR_KEPT_BY_HAND, "one that was set already is kept by it");
	ok(y.setter == ARR_SET_BY_WRITE && y.hand_ms == set_ms, "but was set by a write");
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_kept(1, ARR_KEPT_BY_PERIOD, "a resync has ended since");
	fail(1);
	run();
	is_kept(1, ARR_KEPT_BY_DEGRADED, "doubt that comes later is not by hand");
	end();

	begin((struct setup){ 0 });
	hold(KIND(ARR_JOB_SYNC_READ));
	set_bits(CHUNK, 512);
	set_bits(5 * CHUNK, 512);
	run();
	run_held(ARR_JOB_SYNC_READ);
	is_kept(1, ARR_KEPT_BY_PERIOD, "the resync has passed one");
	is_kept(5, ARR_KEPT_BY_SYNC | ARR_KEPT_BY_HAND, "and not the other");
	pass(20000);
	write_now(CHUNK, 512, 'a');
	fail(1);
	run();
	is_kept(1, ARR_KEPT_BY_DEGRADED, "what was set again since is not by hand");
	end();

	begin((struct setup){ 0 });
	fail(1);
	run();
	set_bits(CHUNK, 512);
	run();
	is_kept(1, ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_HAND, "alone nobody copies: by hand, and no resync is due");
	end();

	begin((struct setup){ .size = 3000 * SMALL, .chunk = SMALL });
	write_now(0, SMALL, 'a');
	fail(1);
	run();
	allocations_left = 0;
	is_u64((uint64_t)set_bits(0, 3000 * SMALL), (uint64_t)-ENOMEM, "without memory nothing is set by hand");
	allocations_left = MEMORY_ENOUGH;
	is_kept(0, ARR_KEPT_BY_DEGRADED, "and nothing kept");
	end();
}

static void can_clear(void)
{
	uint64_t said_ms;

	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'a');
	tell(ARR_EV_CAN_CLEAR, 0);
	said_ms = w.now_ms;
	is_kept(1, ARR_KEPT_BY_CAN_CLEAR | ARR_KEPT_BY_PERIOD, "can_clear is false, and the sweep has not come");
	pass(60000);
	is_kept(1, ARR_KEPT_BY_CAN_CLEAR, "it has come, and only can_clear keeps it");
	tell(ARR_EV_CAN_CLEAR, 0);
	why(1);
	ok(y.can_clear_word == ARR_CLEAR_BY_ORDER && y.can_clear_ms == said_ms, "by order, since it was said first");
	end();

	begin((struct setup){ .is_external = true });
	write_now(CHUNK, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 2 * CHUNK, 512, 'b');
	run();
	pass(5);
	fail(1);
	said_ms = w.now_ms;
	is_kept(1, ARR_KEPT_BY_CAN_CLEAR | ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_RECORD, "it falls under a write");
	ok(y.can_clear_word == ARR_CLEAR_BY_MISSED_WRITE && y.can_clear_ms == said_ms, "by itself");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(why(2) & ARR_KEPT_BY_WRITES && y.writes[0].stage == ARR_S_RECORD, "the write waits for the owner's record");
	owner(ARR_EV_OWNER_ACTIVE, 0);
	ok(why(1) & ARR_KEPT_BY_RECORD, "one answer is not both");
	owner(ARR_EV_UNBLOCK, 1);
	is_kept(1, ARR_KEPT_BY_CAN_CLEAR | ARR_KEPT_BY_DEGRADED, "the owner has answered");
	end();

	begin((struct setup){ .is_bare = true });
	write_now(CHUNK, 512, 'a');
	ok(why(1) & ARR_KEPT_BY_CAN_CLEAR && y.can_clear_word == ARR_CLEAR_BY_EVENTS, "or over events");
	end();
}

static void states(void)
{
	begin((struct setup){ .is_readonly = true, .set = 2 });
	is_kept(1, ARR_KEPT_BY_MODE, "read-only");
	end();
	begin((struct setup){ .is_read_auto = true, .set = 2 });
	is_kept(1, ARR_KEPT_BY_MODE, "read-auto");
	write_now(0, 512, 'a');
	is_kept(1, ARR_KEPT_BY_PERIOD, "until somebody writes");
	end();

	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'a');
	fail(1);
	run();
	w.hands[0].fails = FAILS_WRITE;
	write_now(CHUNK, 512, 'b');
	is_kept(1, ARR_KEPT_BY_DEGRADED | ARR_KEPT_BY_BREAK, "the last member is broken");
	end();
}

int main(void)
{
	who_set_it();
	is_it_on_disk();
	what_is_forgotten();
	another_bitmap();
	time_alone();
	writes();
	behind();
	degraded();
	a_recovery();
	a_resync();
	by_hand();
	can_clear();
	states();
	return tap_end();
}
