/* Goal:   of a long history the shrinker leaves what its fault needs, and no more
 * Method: faults made up here (a few events in a certain order), histories of hundreds of events around them; how much
 *         is left, whether it still has the fault, how many questions it took; children that die or hang
 * Law:    none; a failure is worth what can be read of it
 * Source: tests/sim/scenario.h */
#include "scenario.h"

#include <signal.h>
#include <unistd.h>

#include "tap.h"

static uint32_t asked;

/* A write that b misses, a cut, and a start from b: in this order, whatever lies between. */
static bool is_lost(const struct scenario *s, void *user)
{
	uint32_t at = 0;

	(void)user;
	asked++;
	for (uint32_t i = 0; i < s->script.count; i++) {
		const struct sim_event *e = &s->script.events[i];

		at += at == 0 && e->kind == EV_FAIL && e->member == 1;
		at += at == 1 && (e->kind == EV_WRITE || e->kind == EV_ZERO) && e->first <= 40 &&
		      e->first + e->count > 40;
		at += at == 2 && e->kind == EV_CUT;
		at += at == 3 && e->kind == EV_START && e->members & 2;
	}
	return at == 4;
}

/* Two writes that overlap: the second's place may change only together with the first's. */
static bool is_overlap(const struct scenario *s, void *user)
{
	(void)user;
	asked++;
	for (uint32_t i = 0; i < s->script.count; i++)
		for (uint32_t k = 0; k < i; k++) {
			const struct sim_event *a = &s->script.events[k], *b = &s->script.events[i];

			if (a->kind == EV_WRITE && b->kind == EV_WRITE && a->first == b->first && a->lot == b->lot)
				return true;
		}
	return false;
}

/* A write that waits for its answer, or after which the hands do seven things. */
static bool is_answered(const struct scenario *s, void *user)
{
	(void)user;
	for (uint32_t i = 0; i < s->script.count; i++) {
		uint32_t works = 0;

		if (s->script.events[i].kind != EV_WRITE)
			continue;
		while (i + 1 + works < s->script.count && s->script.events[i + 1 + works].kind == EV_WORK)
			works++;
		if (works >= 7 || (!works && !(s->script.events[i].flags & EVF_ASYNC)))
			return true;
	}
	return false;
}

static bool is_anything(const struct scenario *s, void *user)
{
	(void)s;
	(void)user;
	return true;
}

static bool is_slow(const struct scenario *s, void *user)
{
	usleep(20000);
	return is_lost(s, user);
}

static struct scenario long_history(uint64_t seed, uint32_t count)
{
	static const enum sim_kind noise[] = { EV_WORK, EV_WORK,  EV_WORK, EV_FLUSH,
					       EV_READ, EV_TIME, EV_WRITE, EV_IDLE };
	struct sim_setup setup = { .slots = 3, .chunk_bytes = 65536, .size_bytes = 4 << 20, .sleep_s = 5, .lot = 9 };
	struct scenario s = { .setup = setup };
	struct sim_event wanted[] = {
		{ .kind = EV_FAIL, .member = 1, .lot = 3 },
		{ .kind = EV_ZERO, .first = 30, .count = 20, .flags = EVF_FUA | EVF_PUNCH, .lot = 4 },
		{ .kind = EV_CUT, .lot = 5 },
		{ .kind = EV_START, .members = 7, .flags = EVF_RUN | EVF_READONLY, .lot = 6 },
	};
	struct prng lots = prng_seed(seed);

	for (uint32_t i = 0; i < count; i++) {
		struct sim_event e = { .kind = noise[prng_below(&lots, 8)], .first = 41 + prng_below(&lots, 60),
				       .count = 1 + prng_below(&lots, 8), .lot = prng_next(&lots) };

		if (i % (count / 4) == count / 8)
			script_add(&s.script, &wanted[i / (count / 4)]);
		script_add(&s.script, &e);
	}
	return s;
}

static void only_the_fault_is_left(void)
{
	static const uint32_t counts[] = { 8, 40, 400, 1000 };

	for (int i = 0; i < 4; i++) {
		struct scenario s = long_history((uint64_t)i, counts[i]);
		uint32_t tries;

		asked = 0;
		tries = shrink(&s, is_lost, NULL, &(struct shrink_limits){ 0 });
		ok(s.script.count == 4 && is_lost(&s, NULL), "of %u events 4 are left, with the fault (%u)", counts[i],
		   s.script.count);
		ok(tries < 500 && asked == tries + 1, "that took %u questions, fewer than 500", tries);
		scenario_free(&s);
	}
}

static void what_is_left_says_little(void)
{
	struct scenario s = long_history(1, 400);
	const struct sim_event *e;

	shrink(&s, is_lost, NULL, &(struct shrink_limits){ 0 });
	e = s.script.events;
	ok(s.script.count == 4 && e[0].lot == 0 && e[1].lot == 0 && e[2].lot == 0 && e[3].lot == 0,
	   "no lot that does not matter");
	ok(e[1].kind == EV_WRITE && e[1].flags == 0, "a write is simpler than a zeroing with flags");
	ok(e[1].first <= 40 && e[1].first + e[1].count > 40 && e[1].count < 20, "its range is shorter: %llu %llu",
	   (unsigned long long)e[1].first, (unsigned long long)e[1].count);
	ok(e[2].flags == EVF_KEEP, "a cut that keeps is simpler than one by lot");
	ok(e[3].members == 2 && e[3].flags == 0, "the start is of the one member that matters");
	ok(s.setup.slots == 2 && s.setup.is_assume_clean && !s.setup.lot && s.setup.chunk_bytes == 4096 &&
		   s.setup.size_bytes <= 65536 && s.setup.size_bytes,
	   "the array is small and clean");
	scenario_free(&s);
}

static void events_change_together(void)
{
	struct scenario s = long_history(2, 100);
	struct sim_event e = { .kind = EV_WRITE, .first = 17, .count = 1, .lot = 1234 };

	script_add(&s.script, &e);
	script_add(&s.script, &e);
	shrink(&s, is_overlap, NULL, &(struct shrink_limits){ 0 });
	ok(s.script.count == 2 && s.script.events[0].first == 0 && s.script.events[1].first == 0 &&
		   s.script.events[0].lot == 0 && s.script.events[1].lot == 0,
	   "two events that hang together say less together");
	scenario_free(&s);
}

static void waiting_is_shorter_than_working(void)
{
	struct sim_event e = { .kind = EV_WRITE, .count = 1, .flags = EVF_ASYNC }, work = { .kind = EV_WORK };
	struct scenario s = { .setup = { .slots = 2, .size_bytes = 65536, .sleep_s = 1 } };

	script_add(&s.script, &e);
	for (int i = 0; i < 9; i++)
		script_add(&s.script, &work);
	shrink(&s, is_answered, NULL, &(struct shrink_limits){ 0 });
	ok(s.script.count == 1 && !s.script.events[0].flags, "a write that waits stands for one and all its work");
	scenario_free(&s);
}

static void limits_hold(void)
{
	struct scenario s = long_history(3, 400);

	asked = 0;
	is_u64(shrink(&s, is_lost, NULL, &(struct shrink_limits){ .tries_max = 7 }), 7, "seven questions are seven");
	is_u64(asked, 7, "and no more were asked");
	ok(is_lost(&s, NULL), "what is left then still has the fault");
	scenario_free(&s);

	s = long_history(3, 400);
	ok(shrink(&s, is_slow, NULL, &(struct shrink_limits){ .seconds_max = 1 }) < 110 && is_lost(&s, NULL),
	   "a second is a second");
	scenario_free(&s);

	s = long_history(3, 64);
	shrink(&s, is_anything, NULL, &(struct shrink_limits){ 0 });
	is_u64(s.script.count, 0, "a fault that needs no event leaves none");
	scenario_free(&s);
}

/* ---- children ---- */

static int returns(void *user)
{
	return *(int *)user;
}

static int dies(void *user)
{
	(void)user;
	raise(SIGKILL);
	return 0;
}

static int hangs(void *user)
{
	while (!user)
		pause();
	return 0;
}

static void children_are_asked(void)
{
	int status = 70;

	ok(status_of_child(returns, &status, 5) == 70, "a child's answer is its exit status");
	ok(status_of_child(dies, NULL, 5) == -1, "one that dies has none");
	ok(status_of_child(hangs, NULL, 1) == -1, "nor has one that hangs, and it is not waited for");
}

int main(void)
{
	only_the_fault_is_left();
	what_is_left_says_little();
	events_change_together();
	waiting_is_shorter_than_working();
	limits_hold();
	children_are_asked();
	return tap_end();
}
