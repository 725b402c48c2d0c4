/* Goal: can_clear false holds every bit: also one whose clearing is being prepared; true is refused while a member is
 * missing; a bare bitmap falls by itself, counted once, when a write ended that some member lacks, when a member
 * failed under a write, and with superblocks when bits would go under a later event. Nothing falls where nobody would
 * raise it.
 * Method: false at every step of the sweep; each cause of a fall, and its absence.
 * Law: I4.
 * Source: spec bitmap 4.4 and 5, array 10.3; md's document of can_clear. */
#include "hands.h"

static int say(bool value)
{
	return tell(ARR_EV_CAN_CLEAR, value);
}

static void by_hand(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	is_u64((uint64_t)say(true), (uint64_t)-ENOENT, "without a bitmap there is nothing to clear");
	is_u64((uint64_t)say(false), (uint64_t)-ENOENT, "or to hold");
	end();

	for (int internal = 0; internal < 2; internal++) {
		begin((struct setup){ .is_external = !internal });
		ok(status()->can_clear, "bits may be cleared at the start");
		write_now(CHUNK, 512, 'a');
		if (!internal)
			owner(ARR_EV_OWNER_ACTIVE, 0);
		is_u64((uint64_t)say(false), 0, "until they may not");
		pass(600000);
		ok(bit_on(0, 1) && bit_on(1, 1), "then they stay, however long");
		is_u64(status()->can_clear_falls, 0, "what was said is no fall");
		say(true);
		pass(60000);
		ok(!bit_on(0, 1) && !bit_on(1, 1), "until they may go again");
		end();
	}
}

/* The n-th job of the sweep is the one during which the word comes. Returns whether the bit went. */
static bool goes_when_held_at(uint32_t n, bool is_external)
{
	bool went;

	begin((struct setup){ .is_external = is_external });
	write_now(CHUNK, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	pass(9999);
	hold(~0u);
	w.now_ms += 10000;
	run();
	for (uint32_t i = 0; i < n; i++) {
		struct arr_job *job = list_is_empty(&w.jobs) ? NULL : list_entry(w.jobs.next, struct arr_job, link);

		if (!job)
			break;
		list_remove(&job->link);
		execute(job);
		step(&(struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = job });
	}
	step(&(struct arr_event){ .kind = ARR_EV_CAN_CLEAR, .value = 0 });
	ok(bit_on(0, 1) || !status()->is_clearing, "a word that comes while pages are out is told of them");
	went = status()->is_clearing || !bit_on(0, 1);
	let_go(~0u);
	ok(bit_on(0, 1) == bit_on(1, 1) && bit_on(0, 1) != went, "only a page that was out already goes");
	pass(600000);
	ok(bit_on(0, 1) != went, "and none afterwards");
	end();
	return went;
}

static void while_it_is_prepared(void)
{
	ok(!goes_when_held_at(0, true), "before the flush of the sweep");
	ok(goes_when_held_at(1, true), "the flush is done, and pages go out in the same step");
	ok(!goes_when_held_at(0, false), "with superblocks: before the flush");
	ok(!goes_when_held_at(1, false), "before events_cleared");
	ok(goes_when_held_at(2, false), "behind it");
}

static void degraded_writes(void)
{
	begin((struct setup){ .is_external = true });
	write_now(CHUNK, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	fail(1);
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_UNBLOCK, 1);
	is_u64(status()->can_clear_falls, 0, "a failure without a write is no fall");
	is_u64((uint64_t)say(true), (uint64_t)-EBUSY, "true is refused while a member is missing");
	ok(status()->can_clear, "and changes nothing");
	write_now(2 * CHUNK, 512, 'b');
	ok(!status()->can_clear && status()->can_clear_falls == 1, "a degraded write is one");
	write_now(3 * CHUNK, 512, 'c');
	is_u64(status()->can_clear_falls, 1, "the next one finds it false");
	take_out(1);
	join(ARR_M_RECOVERING, 1, false);
	run();
	owner(ARR_EV_OWNER_ACTIVE, 0);
	pass(600000);
	ok(!status()->degraded && bit_on(0, 2) && bit_on(1, 3), "bits wait for their owner when all is whole again");
	say(true);
	pass(60000);
	ok(!bit_on(0, 2) && !bit_on(1, 3), "who lets them go");
	is_u64(status()->can_clear_falls, 1, "a write that all have is no fall");
	end();

	begin((struct setup){ .is_external = true });
	write_now(CHUNK, 512, 'a');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 2 * CHUNK, 512, 'b');
	run();
	fail(1);
	ok(!status()->can_clear && status()->can_clear_falls == 1, "a failure under a write is a fall");
	let_go(KIND(ARR_JOB_REQUEST));
	is_u64(status()->can_clear_falls, 1, "one");
	end();
}

static void later_events(void)
{
	begin((struct setup){ .is_bare = true });
	write_now(CHUNK, 512, 'a');
	ok(!status()->can_clear && status()->can_clear_falls == 1,
	   "bare beside superblocks: the first write is a fall");
	pass(600000);
	ok(bit_on(0, 1), "bits wait");
	say(true);
	pass(60000);
	ok(!bit_on(0, 1) && !bit_on(1, 1), "for the word");
	is_u64(status()->can_clear_falls, 1, "the array was clean meanwhile, which is a later event");
	write_now(2 * CHUNK, 512, 'b');
	is_u64(status()->can_clear_falls, 2, "that the next write brings");
	say(true);
	is_u64((uint64_t)status()->can_clear, true, "it is true again");
	end();

	begin((struct setup){ .is_bare = true });
	write_now(CHUNK, 512, 'a');
	fail(1);
	run();
	write_now(2 * CHUNK, 512, 'b');
	take_out(1);
	join(ARR_M_RECOVERING, 1, false);
	run();
	say(true);
	pass(60000);
	ok(!status()->can_clear && bit_on(0, 2), "bits that a recovery made clearable go under a later event: a fall");
	say(true);
	pass(60000);
	ok(!bit_on(0, 2) && !bit_on(1, 2), "and go when it is said");
	end();

	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'a');
	fail(1);
	run();
	write_now(2 * CHUNK, 512, 'b');
	ok(status()->can_clear && !status()->can_clear_falls,
	   "a bitmap with a superblock never falls: nobody would raise it");
	end();
}

int main(void)
{
	by_hand();
	while_it_is_prepared();
	degraded_writes();
	later_events();
	return tap_end();
}
