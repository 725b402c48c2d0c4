/* Bounded exhaustive search: which workloads there are.
 *
 *   workload = a start state, then up to DEPTH letters; before each of them none, all, or any number of hand actions
 *
 * Start states are whole, never synced, degraded, interrupted, with and without bitmap, with two and three members. The
 * letters are few and meet each other: all writes lie around the border of chunks 0 and 1, side by side in one chunk
 * and on top of each other, and either member can fail. A letter that makes no sense where it stands (nobody to be
 * re-added) ends that workload and all that begin like it. Nothing runs after "stop": the letter behind it starts the
 * trusted members first.
 *
 *   for each start state, each workload      exhaust_run()
 *     for each hand action of its last letter    exhaust_cut()
 *       for each image the media may hold           judge()
 *         for each subset of the members                start, look; go on, cut again
 *
 * The whole can be divided: each part takes every n-th subtree below the second letter. */
#include "exhaust.h"

#include <string.h>

enum { MEMBER_A = 0, MEMBER_B = 1, VIOLATIONS_MAX = 10, PACES_MAX = 64, BORDER = 16 /* the first sector of chunk 1 */ };

#define A 1
#define B 2
#define C 4
#define LETTER(name, ...)                                                                           \
	{                                                                                           \
		name, sizeof((struct sim_event[]){ __VA_ARGS__ }) / sizeof(struct sim_event), { __VA_ARGS__ }      \
	}

static const struct letter letters[] = {
	LETTER("write", { .kind = EV_WRITE, .flags = EVF_ASYNC, .first = BORDER - 2, .count = 2 }),
	LETTER("overlap", { .kind = EV_WRITE, .flags = EVF_ASYNC, .first = BORDER - 1, .count = 2 }),
	LETTER("fua", { .kind = EV_WRITE, .flags = EVF_ASYNC | EVF_FUA, .first = BORDER - 4, .count = 1 }),
	LETTER("flush", { .kind = EV_FLUSH, .flags = EVF_ASYNC }),
	LETTER("trim", { .kind = EV_ZERO, .flags = EVF_ASYNC | EVF_PUNCH, .first = BORDER - 1, .count = 2 }),
	LETTER("read", { .kind = EV_READ, .flags = EVF_ASYNC, .first = BORDER - 2, .count = 3 }),
	LETTER("fail", { .kind = EV_FAIL, .member = MEMBER_B }),
	LETTER("fail-a", { .kind = EV_FAIL, .member = MEMBER_A }),
	LETTER("vanish", { .kind = EV_VANISH, .member = MEMBER_B, .lot = 7 }),	/* loses its whole cache */
	LETTER("vanish-a", { .kind = EV_VANISH, .member = MEMBER_A, .lot = 2 }),	/* half of it */
	LETTER("return", { .kind = EV_RETURN, .member = MEMBER_A }, { .kind = EV_RETURN, .member = MEMBER_B }),
	LETTER("re-add", { .kind = EV_REMOVE, .member = MEMBER_A, .lot = 1 }, { .kind = EV_READD, .member = MEMBER_A },
	       { .kind = EV_ADD, .member = MEMBER_A }, { .kind = EV_REMOVE, .member = MEMBER_B, .lot = 1 },
	       { .kind = EV_READD, .member = MEMBER_B }, { .kind = EV_ADD, .member = MEMBER_B }),
	/* the bitmap goes, or comes; other chunks */
	LETTER("bitmap", { .kind = EV_GROW, .lot = 1, .words = "none" },
	       { .kind = EV_GROW, .lot = 1, .words = "internal 8192" }),
	LETTER("chunks", { .kind = EV_GROW, .lot = 1, .words = "chunk 16384" }),
	LETTER("stop", { .kind = EV_STOP, .flags = EVF_ASYNC }),
	LETTER("idle", { .kind = EV_IDLE }),
	LETTER("due", { .kind = EV_DUE }),
};
enum { LETTERS = sizeof letters / sizeof *letters };

#define CHUNK 8192	/* the smallest array has 64 KiB: eight of them */
#define SETUP(slot_count, chunk, is_clean, ...)                                                     \
	{                                                                                           \
		.slots = slot_count, .chunk_bytes = chunk, .size_bytes = 65536, .is_assume_clean = is_clean, \
		.sleep_s = 1, .is_small = true, __VA_ARGS__                                         \
	}
#define STATE(name, setup, ...)                                                                     \
	{                                                                                           \
		name, setup, sizeof((struct sim_event[]){ __VA_ARGS__ }) / sizeof(struct sim_event), { __VA_ARGS__ } \
	}
/* The array is asked at once what it wants to do: a resync begins. */
#define START(who) { .kind = EV_START, .flags = EVF_RUN, .members = who }, { .kind = EV_TIME }
#define OLD_WRITE { .kind = EV_WRITE, .first = BORDER - 3, .count = 3 }

static const struct start_state states[] = {
	STATE("whole", SETUP(2, CHUNK, true), START(A | B)),
	STATE("fresh", SETUP(2, CHUNK, false), START(A | B)),
	STATE("mapless", SETUP(2, 0, true), START(A | B)),
	STATE("mapless-fresh", SETUP(2, 0, false), START(A | B)),
	/* b is write-mostly, and two writes may be behind there; one is. */
	STATE("behind", SETUP(2, CHUNK, true, .is_mostly = true, .behind = 2), START(A | B), OLD_WRITE),
	STATE("three", SETUP(3, CHUNK, true), START(A | B | C)),
	/* b was removed, and a chunk it lacks was written. */
	STATE("degraded", SETUP(2, CHUNK, true), START(A | B), OLD_WRITE, { .kind = EV_IDLE },
	      { .kind = EV_FAIL, .member = MEMBER_B }, { .kind = EV_REMOVE, .member = MEMBER_B },
	      { .kind = EV_WRITE, .first = BORDER, .count = 1 },
	      { .kind = EV_IDLE }),
	/* The power failed under two writes; the resync is about to begin. */
	STATE("interrupted", SETUP(2, CHUNK, true), START(A | B), OLD_WRITE,
	      { .kind = EV_WRITE, .flags = EVF_ASYNC, .first = BORDER - 1, .count = 2 },
	      { .kind = EV_WORK }, { .kind = EV_WORK }, { .kind = EV_CUT, .lot = 5 }, START(A | B)),
	/* b was away for a write, and comes back at the next start. */
	STATE("stale", SETUP(3, CHUNK, true), START(A | B | C), OLD_WRITE,
	      { .kind = EV_VANISH, .member = MEMBER_B, .lot = 3 }, OLD_WRITE, { .kind = EV_STOP },
	      { .kind = EV_RETURN, .member = MEMBER_B }, START(A | B | C)),
};
enum { STATES = sizeof states / sizeof *states };

/* ---- one after the other ---- */

static int run_one(struct exhaust *x, struct workload *l, bool looks)
{
	static jmp_buf jump;

	verdict_jump = &jump;
	if (setjmp(jump)) {
		exhaust_report(x);
		x->open = 0;	/* what the worlds held stays as it is: an array in mid-step cannot be freed */
		return -1;
	}
	return exhaust_run(x, l, looks);
}

static int run_orders(struct exhaust *x, struct workload *l, bool looks)
{
	int actions = 0;

	for (uint32_t order = x->orders; order-- && actions >= 0;) {
		x->is_backwards = order;
		actions = run_one(x, l, looks);
	}
	return actions;
}

static bool is_chosen(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = names; at && (at = strstr(at, name)); at++)
		if ((at == names || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
	return !names;
}

/* Of each path through the first two letters somebody is in charge, whatever others found on theirs. The number is
 * stirred, since it has factors in common with the parts. */
static bool is_mine(const struct exhaust *x, const struct workload *l)
{
	struct prng stirred = prng_seed(l->number);

	return l->count > 2 || prng_below(&stirred, x->parts) == x->part;
}

/* The place in the tree, so that a workload has the same number whatever else is searched. */
static uint64_t number_of(const struct workload *l)
{
	uint64_t number = ((uint64_t)(l->from - states) + 1) * PACES_MAX + l->lead % PACES_MAX;

	for (uint32_t i = 0; i < l->count; i++)
		number = (number * LETTERS + (uint64_t)(l->words[i].letter - letters)) * PACES_MAX +
			 (i + 1 < l->count ? l->words[i].pace % PACES_MAX : 0);
	return number;
}

static void every_workload(struct exhaust *x, struct workload *l, uint32_t count);

/* The word at @count stands; what may follow it, and when? */
static void every_pace(struct exhaust *x, struct workload *l, uint32_t count, uint32_t actions)
{
	for (uint32_t pace = 0; pace <= actions; pace++) {
		if (pace && pace < actions && !x->has_all_paces)
			continue;
		l->words[count].pace = pace;
		every_workload(x, l, count + 1);
	}
}

/* All workloads that begin with the first @count words. */
static void every_workload(struct exhaust *x, struct workload *l, uint32_t count)
{
	for (int i = 0; i < LETTERS && x->counts.violations < VIOLATIONS_MAX; i++) {
		bool looks;
		int actions;

		if (!is_chosen(x->letters, letters[i].name))
			continue;
		l->words[count].letter = &letters[i];
		l->count = count + 1;
		l->number = number_of(l);
		looks = is_mine(x, l);
		if (count && !looks)
			continue;
		actions = run_orders(x, l, looks);
		if (actions >= 0 && count + 1 < x->depth)
			every_pace(x, l, count, (uint32_t)actions);
	}
}

/* What the start itself gave the hands to do (a resync, a recovery) goes on before the first letter, or not yet. */
static void every_lead(struct exhaust *x, const struct start_state *from)
{
	struct workload l = { .from = from };
	int actions = run_one(x, &l, false);

	for (uint32_t lead = 0; actions >= 0 && lead <= (uint32_t)actions; lead++) {
		if (lead && lead < (uint32_t)actions && !x->has_all_leads)
			continue;
		l.lead = lead;
		every_workload(x, &l, 0);
	}
}

void exhaust_all(struct exhaust *x)
{
	for (int i = 0; i < STATES && x->counts.violations < VIOLATIONS_MAX; i++) {
		if (is_chosen(x->only, states[i].name))
			every_lead(x, &states[i]);
	}
}
