/* Crash points: at moments of its own choosing the seed looks at what a power cut would leave right there.
 *
 * A branch is cut off, started from some of its members (where these are refused, from those that can be trusted, which
 * must start) and judged; sometimes it then comes to rest, or lives on for some moments, in which the power may fail
 * again, and a third time in that: a cut while recovering from a cut. More often than elsewhere the seed looks right
 * after a superblock, a bitmap page or a flush was carried out, since what is written before what is decided there.
 *
 * Branches draw from a generator of their own, so the history they leave is the same with and without them. */
#include "life.h"

enum { ONE_IN = 4, ONE_IN_AFTER_ORDER = 2, ONE_IN_BRANCHES = 6 };

static struct sim_world branches[SIM_DEPTH_MAX];

static bool is_after_order(const struct sim_world *w)
{
	return w->worked == ARR_JOB_BITMAP || w->worked == ARR_JOB_CLAIM || w->worked == ARR_JOB_FLUSH;
}

/* Members that lack what clients were told believe others active who are not given: without --run they must not start.
 * Two that ran apart may call each other faulty. */
static void refuse_stale(struct life *l)
{
	uint32_t stale = 0;

	for (uint32_t i = 0; i < l->w->member_count; i++) {
		const struct sim_member *m = &l->w->members[i];

		if (m->place.is_used && m->is_behind && !m->is_apart && below(l, 2))
			stale |= 1u << i;
	}
	if (stale)
		happen(l, (struct sim_event){ .kind = EV_REFUSED, .members = stale });
}

/* What becomes of it after its start: mostly nothing. */
static void go_on(struct life *l)
{
	uint64_t fate = below(l, 16), moments = 4 + below(l, 40);

	if (fate < 9)
		return;
	while (fate >= 12 && moments-- && one_moment(l))
		;
	if (fate % 2 && l->w->array)
		happen(l, (struct sim_event){ .kind = EV_IDLE });
}

static void look(struct life *l)
{
	static const uint32_t fates[] = { 0, 0, 0, EVF_KEEP, EVF_LOSE };
	struct sim_world *w = l->w, *branch = &branches[w->depth];
	uint32_t mark = arena_mark(w->arena), fate;
	struct life there = *l;

	there.w = branch;
	there.r = prng_seed(prng_next(l->crashes));
	fate = fates[below(&there, 5)]; /* a draw of its own: C does not say in which order arguments are drawn */
	world_branch(w, branch, NULL, prng_next(&there.r) | 1, fate);
	if (below(&there, 4) == 0)
		refuse_stale(&there);
	if (start_somehow(&there)) {
		w->stats->crash_points++;
		w->stats->crash_points_deep[branch->depth - 1]++;
		go_on(&there);
	}
	world_free(branch);
	arena_release(w->arena, mark);
	acting = w;
}

void crash_perhaps(struct life *l)
{
	uint64_t one_in = l->w->depth ? ONE_IN_BRANCHES : is_after_order(l->w) ? ONE_IN_AFTER_ORDER : ONE_IN;

	if (l->haste && l->w->depth < SIM_DEPTH_MAX && prng_below(l->crashes, one_in * l->haste) == 0)
		look(l);
}
