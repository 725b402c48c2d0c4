/* From a history that ends in a broken law to one as short as possible that breaks the same law.
 *
 * Three turns, again and again until none finds anything:
 *
 *   delete     halves of the history, quarters, ... single events; from the end, where little depends on an event.
 *              An event that lost what it needed is skipped when the history runs.
 *   wait       for a request's answer, instead of what the hands do after it one by one
 *   simplify   all events, then one at a time: no flag, no lot, fewer members, the first sector, one sector, a simpler
 *              kind; then the array: fewer slots, small, clean, smaller chunks and size
 *
 * Since every event draws its chances from its own lot, deleting one leaves the others what they were. Two events may
 * say less only together (writes that overlap), so each way is tried on all events at once first. Every question costs
 * a history (shrink_law.c).
 *
 * Left out: finding the shortest history there is. What is left is minimal in this sense: without any single event of
 * it the law holds. */
#include "scenario.h"

#include <string.h>
#include <time.h>

enum { TRIES_MAX = 20000, SMALL_LOTS = 4 };

struct shrinking {
	struct scenario *s;
	shrink_ask *ask;
	void *user;
	uint32_t tries, tries_max;
	time_t until;
};

static bool is_over(const struct shrinking *k)
{
	return k->tries >= k->tries_max || (k->until && time(NULL) >= k->until);
}

/* Takes @tried when the fault is still there; frees it else. */
static bool takes(struct shrinking *k, struct scenario *tried)
{
	if (!is_over(k)) {
		k->tries++;
		if (k->ask(tried, k->user)) {
			scenario_free(k->s);
			*k->s = *tried;
			return true;
		}
	}
	scenario_free(tried);
	return false;
}

/* All of it but @count events from @from on. */
static struct scenario copy_without(const struct scenario *s, uint32_t from, uint32_t count)
{
	struct scenario copy = *s;

	copy.script = (struct sim_script){ 0 };
	for (uint32_t i = 0; i < s->script.count; i++)
		if (i < from || i >= from + count)
			script_add(&copy.script, &s->script.events[i]);
	return copy;
}

static bool is_without(struct shrinking *k, uint32_t from, uint32_t count)
{
	struct scenario tried = copy_without(k->s, from, count);

	return takes(k, &tried);
}

/* ---- delete ---- */

/* One pass over the history in pieces of @size, the last first. */
static bool delete_pieces(struct shrinking *k, uint32_t size)
{
	bool is_shorter = false;

	for (uint32_t end = k->s->script.count; end; end = end > size ? end - size : 0) {
		uint32_t from = end > size ? end - size : 0;

		is_shorter |= is_without(k, from, end - from);
	}
	return is_shorter;
}

static bool delete_all(struct shrinking *k)
{
	bool is_shorter = false;

	for (uint32_t size = k->s->script.count / 2; size > 1; size /= 2)
		is_shorter |= delete_pieces(k, size);
	while (!is_over(k) && delete_pieces(k, 1))
		is_shorter = true;
	return is_shorter;
}

/* ---- simplify ---- */

/* The history with event @i or the setup changed; the caller changes the copy. */
static struct scenario copy(const struct scenario *s)
{
	return copy_without(s, 0, 0);
}

static bool with_event(struct shrinking *k, uint32_t i, const struct sim_event *e)
{
	struct scenario tried;

	if (!memcmp(e, &k->s->script.events[i], sizeof *e))
		return false;
	tried = copy(k->s);
	tried.script.events[i] = *e;
	return takes(k, &tried);
}

/* A cut by lot says more than one that keeps or loses everything. */
static void cut_plainly(struct sim_event *e, uint32_t flag)
{
	if (e->kind != EV_CUT || e->words[0] || e->flags)
		return;
	e->flags = flag;
	e->lot = 0;
}

static void be_a_write(struct sim_event *e)
{
	if (e->kind != EV_ZERO)
		return;
	e->kind = EV_WRITE;
	e->flags &= ~(unsigned)EVF_PUNCH;
}

static void keep_second_half(struct sim_event *e)
{
	e->first += e->count / 2;
	e->count -= e->count / 2;
}

/* Each way in which one event can say less; @way counts from 0. False: there is no such way. A way must never undo
 * another one, or there would be no end. */
static bool say_less(struct sim_event *e, uint32_t way)
{
	enum { FLAGS = 32, MEMBERS = FLAGS + SIM_DISKS, LOTS = MEMBERS + 7 };

	if (way < FLAGS)
		e->flags &= ~(e->kind == EV_CUT ? 0 : 1u << way);
	else if (way < MEMBERS)
		e->members &= e->members & ~(1u << (way - FLAGS)) ? ~(1u << (way - FLAGS)) : ~0u;
	else if (way == MEMBERS)
		e->lot = 0;
	else if (way == MEMBERS + 1)
		be_a_write(e);
	else if (way == MEMBERS + 2)
		cut_plainly(e, EVF_KEEP);
	else if (way == MEMBERS + 3)
		cut_plainly(e, EVF_LOSE);
	else if (way == MEMBERS + 4)
		e->first = 0;
	else if (way == MEMBERS + 5)
		e->count = min_u64(e->count, 1);
	else if (way == MEMBERS + 6)
		e->count -= e->count / 2;
	else if (way == MEMBERS + 7)
		keep_second_half(e);
	else if (way <= LOTS + SMALL_LOTS && e->lot > way - LOTS)
		e->lot = way - LOTS;
	return way <= LOTS + SMALL_LOTS;
}

/* 0: there is no such way; else whether it was taken: 1 no, 2 yes. */
static int simplify_all(struct shrinking *k, uint32_t way)
{
	struct scenario tried = copy(k->s);
	bool is_less = false;

	for (uint32_t i = 0; i < tried.script.count; i++) {
		struct sim_event *e = &tried.script.events[i], before = *e;

		if (!say_less(e, way)) {
			scenario_free(&tried);
			return 0;
		}
		is_less |= memcmp(e, &before, sizeof before) != 0;
	}
	if (is_less)
		return 1 + takes(k, &tried);
	scenario_free(&tried);
	return 1;
}

static bool simplify_events(struct shrinking *k)
{
	bool is_simpler = false;
	int taken;

	for (uint32_t way = 0; (taken = k->s->script.count ? simplify_all(k, way) : 0); way++)
		is_simpler |= taken == 2;

	for (uint32_t i = k->s->script.count; i-- && !is_over(k);)
		for (uint32_t way = 0;; way++) {
			struct sim_event e = k->s->script.events[i];

			if (!say_less(&e, way))
				break;
			is_simpler |= with_event(k, i, &e);
		}
	return is_simpler;
}

/* A request that waits for its answer instead of one after which the hands do a number of things. */
static bool wait_instead(struct shrinking *k)
{
	bool is_shorter = false;

	for (uint32_t i = k->s->script.count; i-- && !is_over(k);) {
		uint32_t works = 0;
		struct scenario tried;

		if (i >= k->s->script.count || !(k->s->script.events[i].flags & EVF_ASYNC))
			continue;
		while (i + 1 + works < k->s->script.count && k->s->script.events[i + 1 + works].kind == EV_WORK)
			works++;
		tried = copy_without(k->s, i + 1, works);
		tried.script.events[i].flags &= ~(unsigned)EVF_ASYNC;
		is_shorter |= takes(k, &tried);
	}
	return is_shorter;
}

static bool be_less(struct sim_setup *s, uint32_t way)
{
	switch (way) {
	case 0:
		s->slots = min_u64(s->slots, 2);
		return true;
	case 1:
		s->is_assume_clean = true;
		s->lot = 0;
		return true;
	case 2:
		s->lot = 0;
		return true;
	case 3:
		s->chunk_bytes = min_u64(s->chunk_bytes, 4096);
		return true;
	case 4:
		s->size_bytes = min_u64(s->size_bytes, 65536);
		return true;
	case 5:
		s->size_bytes = max_u64(s->size_bytes / 2 / SECTOR_BYTES, 1) * SECTOR_BYTES;
		return true;
	case 6:
		s->metadata_minor = 2;
		s->is_small = false;
		return true;
	case 7:
		s->is_shifted = false;
		return true;
	case 8:
		s->is_other_minor = false;
		return true;
	case 9:
		s->is_mostly = false;
		s->behind = 0;
		return true;
	case 10:
		s->behind = min_u64(s->behind, 1);
		return true;
	case 11:
		s->is_external = false;
		return true;
	case 12:
		s->is_file = false;
		return true;
	default:
		return false;
	}
}

static bool simplify_setup(struct shrinking *k)
{
	bool is_simpler = false;

	for (uint32_t way = 0;; way++) {
		struct scenario tried;
		struct sim_setup less = k->s->setup;

		if (!be_less(&less, way))
			return is_simpler;
		if (!memcmp(&less, &k->s->setup, sizeof less))
			continue;
		tried = copy(k->s);
		tried.setup = less;
		is_simpler |= takes(k, &tried);
	}
}

uint32_t shrink(struct scenario *s, shrink_ask *ask, void *user, const struct shrink_limits *limits)
{
	struct shrinking k = {
		.s = s,
		.ask = ask,
		.user = user,
		.tries_max = limits->tries_max ? limits->tries_max : TRIES_MAX,
		.until = limits->seconds_max ? time(NULL) + limits->seconds_max : 0,
	};
	bool is_going_on = true;

	while (is_going_on && !is_over(&k)) {
		is_going_on = delete_all(&k);
		is_going_on |= wait_instead(&k);
		is_going_on |= simplify_events(&k);
		is_going_on |= simplify_setup(&k);
	}
	return k.tries;
}
