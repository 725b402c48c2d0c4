/* What happens in a simulated world: a seed becomes an array, and the array lives several lives.
 *
 * A life: some members are chosen and judged; the array starts; moments follow (moments.c), at many of which the power
 * fails in a branch (crash.c); at the end it fails for good, or the array is stopped (and the power may go in the
 * middle of that), or everything is let come to rest and looked at.
 *
 * Each seed has only some kinds of faults, and some seeds have none: what goes wrong together is found by a few,
 * and what goes wrong without any fault is not hidden by them.
 *
 * The one thing the driver avoids by itself is to start from members that a superblock in sync has written
 * off: that is allowed by md and forks the history. At the end of some seeds it is done on purpose (story.c). */
#include "life.h"

enum { ONE_IN_LARGE = 16, ONE_IN_FAULTLESS = 3, BLOCK_BYTES = 65536 };

/* ---- the array ---- */

static void make_large(struct sim_setup *s, struct prng *r)
{
	s->chunk_bytes = BLOCK_BYTES;		/* several resync windows */
	s->size_bytes = (17 + prng_below(r, 20)) * BLOCK_BYTES;
}

void setup_from_seed(struct sim_setup *ret, uint64_t seed)
{
	struct prng r = prng_seed(seed);

	*ret = (struct sim_setup){ 0 };		/* a draw per statement: their order is the same for all compilers */
	ret->slots = 2 + (prng_below(&r, 5) < 2);
	ret->metadata_minor = (uint32_t)prng_below(&r, 3);
	ret->chunk_bytes = 4096u << prng_below(&r, 3);
	ret->size_bytes = (1 + (prng_below(&r, 4) == 0)) * BLOCK_BYTES;
	ret->is_assume_clean = prng_below(&r, 2);
	ret->sleep_s = 1 + (uint32_t)prng_below(&r, 5);
	ret->is_small = prng_below(&r, 4) != 0;
	ret->lot = prng_next(&r);
	if (prng_below(&r, ONE_IN_LARGE) == 0)
		make_large(ret, &r);
	if (prng_below(&r, 6) == 0)
		ret->chunk_bytes = 0;
	ret->is_shifted = prng_below(&r, 3) == 0;
	ret->is_other_minor = prng_below(&r, 6) == 0;
	ret->is_mostly = prng_below(&r, 3) == 0;
	ret->behind = ret->is_mostly && ret->chunk_bytes ? (uint32_t)prng_below(&r, 6) : 0;
	ret->is_external = prng_below(&r, 6) == 0;
	if (ret->is_external)
		ret->is_shifted = ret->is_other_minor = false;
	ret->is_file = prng_below(&r, 6) == 0 && ret->chunk_bytes && !ret->is_external;
}

static uint32_t some_faults(struct prng *r)
{
	uint32_t mask = 0;

	if (prng_below(r, ONE_IN_FAULTLESS) == 0)
		return 0;
	for (uint64_t kinds = 1 + prng_below(r, 4); kinds--;)
		mask |= 1u << prng_below(r, FAULT_KINDS);
	return mask;
}

/* ---- starting ---- */

uint32_t trustworthy(const struct sim_world *w)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < w->member_count; i++) {
		const struct sim_member *m = &w->members[i];

		if (m->place.is_used && !m->is_left && !m->is_behind && !m->is_corrupt && !m->disk.is_gone)
			mask |= 1u << i;
	}
	return mask;
}

static uint32_t some_members(struct life *l)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < l->w->member_count; i++)
		if (l->w->members[i].place.is_used && below(l, 5))
			mask |= 1u << i;
	return mask;
}

static bool try_start(struct life *l, uint32_t members, uint32_t flags)
{
	struct sim_event e = { .kind = EV_START, .members = members, .flags = flags, .lot = prng_next(&l->r) | 1 };

	return world_try_start(l->w, &e);
}

bool start_somehow(struct life *l)
{
	uint32_t trusted = trustworthy(l->w), chosen = some_members(l), flags = below(l, 2) ? EVF_RUN : 0;

	if (below(l, 12) == 0)
		flags |= EVF_READONLY;
	if (l->w->setup->is_file && below(l, 10) == 0)
		flags |= EVF_NO_FILE;
	if (chosen & trusted && try_start(l, chosen, flags))
		return true;
	if (trusted && try_start(l, trusted, EVF_RUN | (flags & (EVF_READONLY | EVF_NO_FILE))))
		return true;
	return trusted && l->w->setup->is_file && try_start(l, trusted, EVF_RUN | EVF_NO_FILE);
}

/* ---- a life ---- */

static void stop(struct life *l)
{
	uint64_t patience = below(l, 60);

	if (below(l, 2)) {
		happen(l, (struct sim_event){ .kind = EV_STOP });
		return;
	}
	happen(l, (struct sim_event){ .kind = EV_STOP, .flags = EVF_ASYNC });
	while (l->w->array && patience--)
		one_moment(l);
	if (l->w->array)
		happen(l, (struct sim_event){ .kind = EV_CUT });
}

/* Between two lives metadata may rot, of a member that the others can do without. */
static void rot(struct life *l)
{
	uint32_t trusted = trustworthy(l->w), i = (uint32_t)below(l, l->w->member_count);

	if (!(l->faults & 1u << FAULT_CORRUPT) || below(l, 3) || !(trusted & ~(1u << i)))
		return;
	happen(l, (struct sim_event){ .kind = EV_CORRUPT, .member = i,
				      .flags = below(l, 2) ? EVF_SUPERBLOCK : EVF_BITMAP });
}

static bool live(struct life *l)
{
	uint64_t moments = 20 + below(l, 300), ending = below(l, 20);

	if (!start_somehow(l))
		return false;
	if (l->w->member_count < l->w->slots + 2 && below(l, 4) == 0)
		happen(l, (struct sim_event){ .kind = EV_NEW, .member = l->w->member_count,
					      .flags = below(l, 3) ? 0 : EVF_LARGE });
	while (moments-- && one_moment(l))
		;
	if (ending < 12) {
		happen(l, (struct sim_event){ .kind = EV_CUT });
	} else {
		if (ending < 17)
			happen(l, (struct sim_event){ .kind = EV_IDLE });
		stop(l);
	}
	rot(l);
	return true;
}

/* ---- a fork ---- */

static void run_alone(struct life *l, uint32_t member, uint32_t flags)
{
	uint64_t writes = 1 + below(l, 3);

	happen(l, (struct sim_event){ .kind = EV_START, .members = 1u << member, .flags = EVF_RUN | flags });
	while (writes--)
		write_somewhere(l, EVF_FUA);
	if (below(l, 2))
		happen(l, (struct sim_event){ .kind = EV_IDLE });
	happen(l, (struct sim_event){ .kind = EV_CUT });
}

static void meet(struct life *l, uint32_t both, uint32_t winner)
{
	uint32_t file = l->w->setup->is_file ? EVF_NO_FILE : 0;	/* a fork is ended without it */
	uint64_t moments = below(l, 2) ? below(l, 80) : 0;

	happen(l, (struct sim_event){ .kind = EV_REFUSED, .members = both });
	happen(l, (struct sim_event){ .kind = EV_REFUSED, .members = both, .flags = EVF_RUN });
	if (below(l, 2)) {
		happen(l, (struct sim_event){ .kind = EV_START, .members = both, .member = winner,
					      .flags = EVF_RUN | EVF_PREFER | file });
	} else {
		happen(l, (struct sim_event){ .kind = EV_START, .members = 1u << winner, .flags = EVF_RUN });
		happen(l, (struct sim_event){ .kind = below(l, 2) ? EV_READD : EV_ADD,
					      .member = (uint32_t)__builtin_ctz(both & ~(1u << winner)) });
	}
	while (moments-- && one_moment(l))
		;
	happen(l, (struct sim_event){ .kind = EV_IDLE });
	happen(l, (struct sim_event){ .kind = EV_CUT });
}

/* Two members in sync run apart and meet again. */
static void fork_and_meet(struct life *l)
{
	uint32_t trusted = trustworthy(l->w), in_sync = 0, first;

	if (!trusted || !try_start(l, trusted, EVF_RUN))
		return;
	happen(l, (struct sim_event){ .kind = EV_IDLE });
	happen(l, (struct sim_event){ .kind = EV_CUT });
	for (uint32_t i = 0; i < l->w->member_count; i++)
		in_sync |= (uint32_t)l->w->members[i].was_in_sync << i;
	in_sync &= trustworthy(l->w);
	if (__builtin_popcount(in_sync) < 2)
		return;
	first = (uint32_t)__builtin_ctz(in_sync);
	in_sync &= in_sync - 1;
	run_alone(l, first, 0);
	happen(l, (struct sim_event){ .kind = EV_MODEL, .member = (uint32_t)__builtin_ctz(in_sync) });
	/* The file went with the first: with it the other would be refused. */
	run_alone(l, (uint32_t)__builtin_ctz(in_sync), l->w->setup->is_file ? EVF_NO_FILE : 0);
	meet(l, 1u << first | (in_sync & -in_sync), first);
}

void live_seed(struct sim_world *w, uint64_t seed, bool has_branches)
{
	struct prng crashes = prng_seed(~seed);
	struct life l = { .w = w, .r = prng_seed(seed ^ 0x5eed), .crashes = &crashes, .haste = has_branches };
	uint64_t lives = 1 + below(&l, 5);

	l.faults = some_faults(&l.r);
	l.is_quiet = below(&l, 6) == 0;
	l.is_restless = !l.is_quiet && below(&l, 4) == 0;
	l.has_late_jobs = below(&l, 3) == 0;
	if (w->size_bytes > 4 * BLOCK_BYTES)
		l.haste *= 4;
	while (lives-- && live(&l))
		;
	if (!w->array && below(&l, 3) == 0 && !w->setup->is_external)
		fork_and_meet(&l);
	w->stats->seeds++;
}
