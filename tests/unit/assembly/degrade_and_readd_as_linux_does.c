/* Goal: a life of failing, writing, removing and re-adding leaves on disk what Linux leaves there, but for events,
 * which only go forward here.
 * Method: the measured sequence of the specification; after each step the superblocks and bitmaps on both disks.
 * Linux's numbers stand in the comments.
 * Law: I4, I8.
 * Source: spec array 12.4 (seen on Linux 6.1); docs/differences.md, events-forward. */
#include "mirror.h"

static void check(const char *step, char name, uint64_t events, uint64_t cleared, uint32_t role_of_b, uint64_t bits)
{
	struct sb1 sb = super_of(name);
	uint64_t set = 0;

	for (uint64_t c = 0; c < 63; c++)
		set += bit_of(name, c);
	is_u64(sb.events, events, "%s: %c at event", step, name);
	is_u64(bitmap_of(name).events, events, "%s: %c, its bitmap too", step, name);
	is_u64(bitmap_of(name).events_cleared, cleared, "%s: %c, bits last cleared at", step, name);
	is_u64(sb.dev_roles[1], role_of_b, "%s: %c, role of b", step, name);
	is_u64(set, bits, "%s: %c, bits", step, name);
}

static void life(void)
{
	create(2);
	EDIT_BITMAP('a', b->events_cleared = 0);
	EDIT_BITMAP('b', b->events_cleared = 0);
	judge("ab");
	start("ab");
	write_at(0);
	settle(300);
	check("one write", 'a', 19, 0, 1, 1);		/* Linux: 18 and back to 17 */
	settle(14000);
	check("+14 s", 'a', 19, 19, 1, 0);		/* 17, cleared 17 */
	check("+14 s", 'b', 19, 19, 1, 0);
	is_u64((uint64_t)control(ARR_EV_FAIL, 'b'), 0, "b is failed");
	check("failed", 'a', 20, 19, FMT_ROLE_FAULTY, 0);	/* 19 */
	check("failed", 'b', 19, 19, 1, 0);		/* untouched */
	is_u64((uint64_t)control(ARR_EV_REMOVE, 'b'), 0, "b is removed");
	check("removed", 'a', 21, 19, FMT_ROLE_SPARE, 0);	/* 20 */
	write_at(16 * MIB);
	settle(1000);
	check("written", 'a', 23, 19, FMT_ROLE_SPARE, 1);	/* 22 */
	write_at(32 * MIB);
	settle(15000);
	check("+15 s", 'a', 25, 19, FMT_ROLE_SPARE, 2);	/* 24: bits stay */
	is_u64((uint64_t)admit('b', ASM_ADMIT_READD), 0, "b is re-added: %s", sentence);
	settle(0);
	is_u64(status()->last.bytes_copied, 2 * MIB, "two chunks are copied");
	is_u64(status()->degraded, 0, "degraded 0");
	ok(super_of('b').feature_map == FMT_SB1_BITMAP && super_of('b').dev_roles[1] == 1, "b is in sync");
	settle(15000);
	ok(!bit_of('a', 16) && !bit_of('b', 16) && !bit_of('a', 32) && !bit_of('b', 32),
	   "+15 s: bits are gone on both");
	is_u64(super_of('a').events, super_of('b').events, "at one event");
	ok(bitmap_of('b').events_cleared > 25, "and events_cleared went first (Linux leaves it at 17)");
	stop();
	is_u64(judge("ab"), 0, "it starts again");
	ok(plan.action == ASM_NOTHING && !plan.degraded, "with nothing to do");
}

/* While a recovery by the bitmap runs the member says 0x83 and how far it is. */
static void in_the_middle(void)
{
	struct arr_event ev = { .kind = ARR_EV_STOP };
	uint64_t came_to;

	create(2);
	at_event("a", 20);
	told_by("a", 1, FMT_ROLE_FAULTY);
	for (unsigned c = 10; c < 20; c++)
		set_bit('a', c);
	EDIT_BITMAP('a', b->events_cleared = 17);
	judge("ab");
	start("ab");
	for (bool is_copying = false; !is_copying; is_copying = status()->sync_position >= 13 * MIB) {
		struct arr_event tick = { .kind = ARR_EV_TIMER };
		struct arr_job *job;

		step(&tick);
		job = list_entry(jobs.next, struct arr_job, link);
		list_remove(&job->link);
		execute(job);
		tick = (struct arr_event){ .kind = ARR_EV_JOB_DONE, .job = job };
		step(&tick);
	}
	is_u64(super_of('b').feature_map, 0x83, "in the middle b has feature map 0x83");
	is_u64(super_of('a').feature_map, 0x01, "a has 0x01");
	is_u64(super_of('b').dev_roles[1], 1, "b has its role");
	step(&ev);
	settle(0);
	ok(arr_is_stopped(array), "stopped in the middle");
	came_to = super_of('b').recovery_offset_sectors * SECTOR_BYTES;
	ok(came_to >= 13 * MIB && came_to <= 15 * MIB, "b says how far it came: byte %llu",
	   (unsigned long long)came_to);
	ok(bit_of('a', 12) && bit_of('b', 19), "bits are on both");
	cut();
	is_u64(judge("ab"), 0, "started again");
	is_verdict(1, ASM_RECOVERING, "it goes on");
	start("ab");
	settle(0);
	is_u64(status()->last.bytes_copied, 20 * MIB - came_to, "with the rest");
	is_u64(super_of('b').feature_map, 0x01, "and ends at 0x01");
	stop();
}

int main(void)
{
	life();
	in_the_middle();
	return tap_end();
}
