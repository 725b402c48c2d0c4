/* The n-th allocation and the n-th operation of a member fail, for every n.
 *
 * One history that touches everything, in four lives:
 *
 *   1  start, writes, flush, zeroes, reads, sweep; a member fails, is removed, re-added and recovered; a spare comes,
 *      another member fails, the spare takes its place; the power goes under writes
 *   2  resync, a write into it, a member vanishes and returns; a clean stop
 *   3  read-only, reads; stopped
 *   4  writes, stop
 *
 * It is run once without a fault, to count. Then once for each n: of the allocations of one life; of the operations of
 * one member in one life, each failing in three ways. With the fault the history takes another course: what makes no
 * sense any more is left out. After each hand action that follows the fault, some dozens, the power fails, too, in
 * branches. Whatever happens, the laws hold; and at the end faults are over, the trusted members start, everything
 * comes to rest and is equal, and the array stops. */
#include "exhaust.h"

#include <stdio.h>
#include <string.h>

#include "../tap.h"
#include "scenario.h"

enum { A = 1, B = 2, C = 4, LIVES = 4, REST_ACTIONS = 3000, REST_TICKS = 8, TOLD_MAX = 5, LOOKS = 36 };
#define NEVER (1ll << 40)

#define RUNS(who) { .kind = EV_START, .flags = EVF_RUN, .members = who }
#define WRITES(at, n, ...) { .kind = EV_WRITE, .first = at, .count = n, .flags = __VA_ARGS__ }
#define READS(at, n) { .kind = EV_READ, .first = at, .count = n }
#define FLUSHES { .kind = EV_FLUSH }
#define MEMBER(what, who) { .kind = EV_##what, .member = who }
#define RESTS { .kind = EV_KINDS }	/* what waits is carried out and what falls due comes, but no fault is lifted */

static const struct sim_event first_life[] = {
	RUNS(A | B), WRITES(0, 2, 0), WRITES(9, 3, EVF_ASYNC), WRITES(10, 8, EVF_ASYNC), FLUSHES,
	{ .kind = EV_ZERO, .first = 6, .count = 4, .flags = EVF_PUNCH }, READS(0, 8), RESTS,
	WRITES(0, 2, EVF_FUA), MEMBER(FAIL, 1), WRITES(16, 2, 0), MEMBER(REMOVE, 1), MEMBER(READD, 1), MEMBER(ADD, 1),
	WRITES(17, 2, EVF_ASYNC), RESTS, READS(14, 6), MEMBER(NEW, 2), MEMBER(ADD, 2), RESTS, MEMBER(FAIL, 0),
	WRITES(30, 4, 0), RESTS, MEMBER(REMOVE, 0), MEMBER(ADD, 0), RESTS, WRITES(3, 6, EVF_ASYNC),
	WRITES(20, 2, EVF_ASYNC | EVF_FUA), { .kind = EV_WORK }, { .kind = EV_WORK }, { .kind = EV_WORK },
	{ .kind = EV_CUT, .lot = 11 },
};
static const struct sim_event second_life[] = {
	RUNS(A | B | C), READS(0, 32), WRITES(2, 4, EVF_ASYNC), RESTS, WRITES(2, 4, 0), FLUSHES, MEMBER(VANISH, 1),
	WRITES(8, 2, 0), RESTS, MEMBER(RETURN, 1), MEMBER(REMOVE, 1), MEMBER(READD, 1), MEMBER(ADD, 1), RESTS,
	{ .kind = EV_STOP },
};
static const struct sim_event third_life[] = {
	{ .kind = EV_START, .flags = EVF_RUN | EVF_READONLY, .members = A | B | C }, READS(0, 32), READS(32, 8),
	{ .kind = EV_STOP },
};
static const struct sim_event fourth_life[] = {
	RUNS(A | B | C), WRITES(5, 2, 0), FLUSHES, WRITES(40, 1, EVF_ASYNC), { .kind = EV_STOP },
};

static const struct life {
	const struct sim_event *events;
	uint32_t count;
} lives[LIVES] = {
	{ first_life, sizeof first_life / sizeof *first_life },
	{ second_life, sizeof second_life / sizeof *second_life },
	{ third_life, sizeof third_life / sizeof *third_life },
	{ fourth_life, sizeof fourth_life / sizeof *fourth_life },
};

#define SETUP(chunk, is_clean, ...)                                                                 \
	{                                                                                           \
		.slots = 2, .chunk_bytes = chunk, .size_bytes = 65536, .is_assume_clean = is_clean, \
		.sleep_s = 1, .is_small = true, __VA_ARGS__                                         \
	}
static const struct sim_setup setups[] = {
	SETUP(8192, true), SETUP(8192, false), SETUP(0, true), SETUP(8192, true, .is_mostly = true, .behind = 2),
};
enum { SETUPS = sizeof setups / sizeof *setups };

/* What goes wrong in one run. */
struct fault_run {
	const struct sim_setup *setup;
	uint32_t life;
	struct sim_event fault;		/* EV_EIO, EV_NO_MEMORY, ...; EV_KINDS: none */
	bool is_counting;
	uint64_t allocations[LIVES];	/* counted */
	int64_t operations[LIVES][SIM_DISKS];
};

static struct sim_world world;
static struct sim_stats stats;
static uint64_t struck;			/* runs in which the fault bit */
static uint64_t faults_before;		/* this run */
static uint32_t looks_left;
static uint64_t cuts;			/* after a fault */

/* ---- a run ---- */

static uint64_t faults_so_far(const struct sim_world *w)
{
	uint64_t sum = stats.faults[FAULT_NO_MEMORY];

	for (uint32_t i = 0; i < w->member_count; i++)
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			sum += kind == FAULT_VANISH ? 0 : w->members[i].disk.faults[kind];
	return sum;
}

/* The power fails as well, soon after the fault: the trusted members start, and all comes to rest. */
static void cut_and_start(struct sim_world *w, uint32_t flags)
{
	static struct sim_world branch;
	uint32_t mark = arena_mark(w->arena);

	world_branch(w, &branch, NULL, looks_left, flags);
	world_do(&branch, &(struct sim_event){ .kind = EV_START, .flags = EVF_RUN, .members = trustworthy(&branch) });
	if (!world_do(&branch, &(struct sim_event){ .kind = EV_IDLE }))
		broken(&branch, LAW_I9, "after a fault and a cut nothing runs");
	world_free(&branch);
	arena_release(w->arena, mark);
	cuts++;
}

/* A hand action; after each that follows the fault, some of them, the power is cut. */
static bool act(struct sim_world *w)
{
	bool has_worked = world_do(w, &(struct sim_event){ .kind = EV_WORK });

	if (!has_worked || !w->array || !looks_left || faults_so_far(w) == faults_before)
		return has_worked;
	looks_left--;
	cut_and_start(w, EVF_LOSE);
	cut_and_start(w, EVF_KEEP);
	cut_and_start(w, 0);
	return true;
}

static void rest(struct sim_world *w)
{
	uint32_t quiet = 0;

	for (uint32_t actions = 0; w->array && actions < REST_ACTIONS && quiet < REST_TICKS; actions++) {
		if (act(w)) {
			quiet = 0;
			continue;
		}
		if (arr_next_timer_ms(w->array) == UINT64_MAX)
			return;
		world_do(w, &(struct sim_event){ .kind = EV_DUE });
		quiet++;
	}
}

/* Wait for the answer, hand action by hand action, while nothing has to fall due for it. */
static void ask(struct sim_world *w, const struct sim_event *e)
{
	struct sim_event asked = *e;

	asked.flags |= EVF_ASYNC;
	if (!world_do(w, &asked) || e->flags & EVF_ASYNC)
		return;
	for (uint32_t actions = 0; world_requests(w) && actions < REST_ACTIONS && act(w); actions++)
		;
}

/* Whoever is trusted now, instead of those who would be without a fault. */
static void start(struct sim_world *w, uint32_t flags)
{
	struct sim_event start = { .kind = EV_START, .flags = flags, .members = trustworthy(w) };

	/* The fault may strike here, once. */
	world_do(w, &start);
	if (!w->array && !world_do(w, &start))
		broken(w, LAW_I9, "the members that trust each other do not start");
}

static void do_one(struct sim_world *w, const struct sim_event *e)
{
	if (e->kind == EV_KINDS)
		rest(w);
	else if (e->kind == EV_START)
		start(w, e->flags);
	else if (e->kind == EV_WRITE || e->kind == EV_ZERO || e->kind == EV_READ || e->kind == EV_FLUSH)
		ask(w, e);
	else
		world_do(w, e);
}

/* A member that is made in mid-life has its operations counted from then on; a fault waits for it as long. */
static void count(struct sim_world *w, struct fault_run *r, uint32_t life)
{
	EACH_MEMBER(w, m) {
		int64_t *counted = &r->operations[life][index_of(w, m)];

		if (m->disk.operations_to_fault > 0)
			*counted = NEVER - m->disk.operations_to_fault;
		m->disk.operations_to_fault = NEVER - *counted;
	}
}

static void live(struct sim_world *w, struct fault_run *r, uint32_t life)
{
	bool is_due = !r->is_counting && r->life == life && r->fault.kind != EV_KINDS;
	uint64_t before = memory_allocations();

	for (uint32_t i = 0; i < lives[life].count; i++) {
		if (is_due)
			is_due = !world_do(w, &r->fault);
		if (r->is_counting)
			count(w, r, life);
		do_one(w, &lives[life].events[i]);
		if (r->is_counting && i + 2 == lives[life].count)
			count(w, r, life);
	}
	r->allocations[life] = memory_allocations() - before;
}

/* Faults are over: everything is as it should be, once in the life that was left, once in another. */
static void end_well(struct sim_world *w)
{
	for (int i = 0; i < 2; i++) {
		if (!w->array)
			start(w, EVF_RUN);
		if (!world_do(w, &(struct sim_event){ .kind = EV_IDLE }))
			broken(w, LAW_I9, "a running array is not let come to rest");
		if (!world_do(w, &(struct sim_event){ .kind = EV_STOP }))
			broken(w, LAW_I9, "a running array cannot be stopped");
	}
}

static void tell_violation(void)
{
	struct scenario s = { .setup = verdict.setup, .script = verdict.script };
	char line[200];
	FILE *text = tmpfile();

	printf("# LAW %s BROKEN: %s\n# %s\n", law_name(verdict.law), law_sentence(verdict.law), verdict.text);
	if (text) {
		scenario_print(text, NULL, &s);
		rewind(text);
		while (fgets(line, sizeof line, text))
			printf("#   %s", line);
		fclose(text);
	}
	script_free(&verdict.script);
}

static bool run(struct fault_run *r, uint64_t *violations)
{
	static jmp_buf jump;

	faults_before = stats.faults[FAULT_NO_MEMORY];
	looks_left = r->is_counting ? 0 : LOOKS;
	verdict_jump = &jump;
	if (setjmp(jump)) {
		/* What the world held stays as it is: an array in mid-step cannot be freed. */
		if ((*violations)++ < TOLD_MAX)
			tell_violation();
		return false;
	}
	world_create(&world, r->setup, &stats, false);
	for (uint32_t i = 0; i < LIVES; i++)
		live(&world, r, i);
	struck += faults_so_far(&world) > faults_before;
	end_well(&world);
	world_free(&world);
	return true;
}

/* ---- every n ---- */

static void every_allocation(const struct fault_run *counted, uint32_t setup)
{
	uint64_t runs = 0, violations = 0;

	struck = 0;
	for (uint32_t life = 0; life < LIVES; life++)
		for (uint64_t n = 0; n < counted->allocations[life]; n++, runs++)
			run(&(struct fault_run){ .setup = &setups[setup], .life = life,
						 .fault = { .kind = EV_NO_MEMORY, .count = n } },
			    &violations);
	ok(!violations && runs && struck == runs,
	   "setup %u: each of %llu allocations fails; %llu did, no law is broken, and it comes to rest", setup,
	   (unsigned long long)runs, (unsigned long long)struck);
	if (violations)
		printf("# %llu of %llu runs broke a law\n", (unsigned long long)violations, (unsigned long long)runs);
}

static void every_operation(const struct fault_run *counted, uint32_t setup, const char *how, struct sim_event fault)
{
	uint64_t runs = 0, violations = 0;

	struck = 0;
	for (uint32_t life = 0; life < LIVES; life++)
		for (fault.member = 0; fault.member < SIM_DISKS; fault.member++) {
			int64_t end = counted->operations[life][fault.member];

			for (fault.count = 0; (int64_t)fault.count < end; fault.count++, runs++)
				run(&(struct fault_run){ .setup = &setups[setup], .life = life, .fault = fault },
				    &violations);
		}
	ok(!violations && runs && struck == runs,
	   "setup %u: each of %llu operations of members fails %s; %llu did, no law is broken, and it comes to rest",
	   setup, (unsigned long long)runs, how, (unsigned long long)struck);
	if (violations)
		printf("# %llu of %llu runs broke a law\n", (unsigned long long)violations, (unsigned long long)runs);
}

int exhaust_fault_main(int argc, char **argv)
{
	for (uint32_t setup = 0; setup < SETUPS; setup++) {
		struct fault_run counted = { .setup = &setups[setup], .is_counting = true,
					     .fault = { .kind = EV_KINDS } };
		uint64_t violations = 0;

		if (!ok(run(&counted, &violations), "setup %u: without a fault nothing breaks", setup))
			continue;
		every_allocation(&counted, setup);
		every_operation(&counted, setup, "once", (struct sim_event){ .kind = EV_EIO, .lot = 1 });
		every_operation(&counted, setup, "short",
				(struct sim_event){ .kind = EV_EIO, .flags = EVF_SHORT, .lot = 2 });
		every_operation(&counted, setup, "for ever",
				(struct sim_event){ .kind = EV_EIO, .flags = EVF_FOR_EVER });
	}
	ok(cuts, "the power failed %llu times soon after a fault, and no law is broken", (unsigned long long)cuts);
	return tap_end();
}
