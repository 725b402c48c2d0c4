/* One workload: its letters happen, the hands work, and every moment of the last letter is a crash point.
 *
 * Moments of earlier letters are those of a shorter workload, which has been looked at. The last letter is carried out
 * to its end: hand action by hand action until no job is left; stop until the array has stopped; idle until nothing
 * falls due any more.
 *
 * The array cannot be copied, so each workload begins at the creation. That costs little beside its crash points.
 *
 * The hands take the oldest thing first, or, backwards, the youngest: then jobs and members answer in the opposite
 * order. */
#include "exhaust.h"

enum { ACTIONS_MAX = 3000, QUIET_TICKS = 6 };

/* The event's lot that makes the hands take the last of what they have; drawn as world_work() draws. */
static uint64_t lot_for_the_last(const struct sim_world *w)
{
	uint32_t jobs = world_jobs(w), parts;

	if (!jobs)
		return 0;
	parts = w->jobs[jobs - 1].job->part_count;
	for (uint64_t lot = 1;; lot++) {
		struct prng r = prng_seed(lot);

		if (prng_below(&r, jobs) == jobs - 1 && prng_below(&r, parts) == parts - 1)
			return lot;
	}
}

bool exhaust_hand(const struct exhaust *x, struct sim_world *w, bool may_wait)
{
	struct sim_event work = { .kind = EV_WORK };

	if (!w->array)
		return false;
	if (x->is_backwards)
		work.lot = lot_for_the_last(w);
	if (world_jobs(w) && world_do(w, &work))
		return true;
	return may_wait && arr_next_timer_ms(w->array) != UINT64_MAX &&
	       world_do(w, &(struct sim_event){ .kind = EV_DUE });
}

static void create(struct exhaust *x, const struct start_state *from)
{
	struct sim_world *w = &x->worlds[0];

	world_create(w, &from->setup, &x->stats, false);
	x->open = 1;
	for (uint32_t i = 0; i < from->count; i++)
		world_do(w, &from->events[i]);
}

/* Requests, administrators, time: does the letter make sense now? */
static bool happens(struct sim_world *w, const struct letter *letter)
{
	bool has_happened = false;

	if (!w->array)
		world_do(w, &(struct sim_event){ .kind = EV_START, .flags = EVF_RUN, .members = trustworthy(w) });
	for (uint32_t i = 0; i < letter->count; i++)
		has_happened |= world_do(w, &letter->events[i]);
	return has_happened;
}

static enum sim_kind kind_of(const struct letter *letter)
{
	return letter->events[letter->count - 1].kind;
}

/* Idle, but by hand: what waits is carried out, what falls due comes, until only time passes. */
static void come_to_rest(struct exhaust *x, struct sim_world *w, bool looks)
{
	uint32_t quiet = 0, actions = 0;

	while (looks && actions++ < ACTIONS_MAX && quiet < QUIET_TICKS) {
		bool has_jobs = world_jobs(w);

		exhaust_cut(x, 0);
		if (!exhaust_hand(x, w, true))
			break;
		quiet = has_jobs ? 0 : quiet + 1;
	}
	world_do(w, &(struct sim_event){ .kind = EV_IDLE });
}

/* Hand actions, to the end or so many; how many there were. */
static int hands_work(struct exhaust *x, struct sim_world *w, uint32_t most, bool may_wait, bool looks)
{
	for (uint32_t actions = 0;; actions++) {
		if (looks)
			exhaust_cut(x, 0);
		if (actions == most || !exhaust_hand(x, w, may_wait))
			return (int)actions;
	}
}

/* The letter and what the hands do for it. Negative: it makes no sense here. */
static int carry_out(struct exhaust *x, struct sim_world *w, const struct letter *letter, uint32_t most, bool looks)
{
	enum sim_kind kind = kind_of(letter);

	if (kind == EV_IDLE && w->array)
		come_to_rest(x, w, looks);
	else if (!happens(w, letter))
		return -1;
	return hands_work(x, w, most, kind == EV_STOP, looks);
}

int exhaust_run(struct exhaust *x, const struct workload *l, bool looks)
{
	struct sim_world *w = &x->worlds[0];
	int actions;

	x->workload = l;
	x->looked = x->judged = 0;
	seen_clear(x->seen);
	create(x, l->from);
	actions = hands_work(x, w, l->count ? l->lead : ACTIONS_MAX, false, false);
	for (uint32_t i = 0; actions >= 0 && i < l->count; i++) {
		const struct word *word = &l->words[i];
		bool is_last = i + 1 == l->count;

		actions = carry_out(x, w, word->letter, is_last ? ACTIONS_MAX : word->pace, is_last && looks);
	}
	x->counts.workloads += looks && l->count && actions >= 0;
	x->counts.useless += looks && actions < 0;
	world_free(w);
	x->open = 0;
	return actions;
}
