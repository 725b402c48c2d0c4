/* Between the files that make a history from a seed. Nobody else includes it. */
#ifndef TESTS_SIM_LIFE_H
#define TESTS_SIM_LIFE_H

#include "world.h"

/* What a seed is like: the same for its trunk and all branches. */
struct life {
	struct sim_world *w;
	struct prng r;			/* what happens next, not what happens inside of it */
	struct prng *crashes;		/* where branches leave, and all that happens there; never touches @r */
	uint32_t faults;		/* kinds that this seed has: bit by enum sim_fault */
	uint32_t haste;			/* branches are that much rarer */
	bool is_quiet, is_restless;	/* no administrators; many */
	bool has_late_jobs, is_late;	/* some jobs wait while others pass them; one does now */
};

static inline uint64_t below(struct life *l, uint64_t n)
{
	return prng_below(&l->r, n);
}

/* One event with a lot of its own. */
bool happen(struct life *l, struct sim_event e);

/* moments.c: whatever comes next. False: no array runs any more. */
bool one_moment(struct life *l);
void write_somewhere(struct life *l, uint32_t flags);

/* life.c: some members, or all that can be trusted. False: nothing runs. */
bool start_somehow(struct life *l);

/* crash.c: perhaps a branch leaves here. */
void crash_perhaps(struct life *l);

#endif
