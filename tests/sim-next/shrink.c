/* From a history that ends in a broken law to one as short as possible that breaks the same law.
 *
 * Two turns, again and again until neither finds anything:
 *
 *   delete     halves of the history, quarters, ... single events; from the end, where little depends on an event.
 *              An event that lost what it needed is skipped when the history runs.
 *   simplify   one event at a time: no flag, no lot, fewer members, the first sector, one sector, a simpler kind;
 *              then the array: fewer slots, small, clean, smaller chunks and size
 *
 * Since every event draws its chances from its own lot, deleting one leaves the others what they were. Every question
 * costs a history; the answer of a child process that died, hung or broke another law is no.
 *
 * Left out: finding the shortest history there is. What is left is minimal in this sense: without any single event of
 * it the law holds. */
#include "scenario.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIES_MAX = 20000, CHILD_SECONDS = 5, BROKEN_STATUS = 64 };

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
	const struct sim_event *now = &k->s->script.events[i];
	struct scenario tried;

	if (e->kind == now->kind && e->flags == now->flags && e->member == now->member && e->members == now->members &&
	    e->first == now->first && e->count == now->count && e->lot == now->lot)
		return false;
	tried = copy(k->s);
	tried.script.events[i] = *e;
	return takes(k, &tried);
}

/* Each way in which one event can say less; @way counts from 0. False: there is no such way. */
static bool say_less(struct sim_event *e, uint32_t way)
{
	if (way < 32) {
		e->flags &= ~(1u << way);
		return true;
	}
	if (way < 32 + SIM_DISKS) {
		if (e->members & ~(1u << (way - 32)))
			e->members &= ~(1u << (way - 32));
		return true;
	}
	switch (way - 32 - SIM_DISKS) {
	case 0:
		e->lot = 0;
		return true;
	case 1:
		e->kind = e->kind == EV_ZERO ? EV_WRITE : e->kind;
		e->flags &= e->kind == EV_WRITE ? (unsigned)(EVF_FUA | EVF_ASYNC) : ~0u;
		return true;
	case 2:
		e->flags |= e->kind == EV_CUT && !e->words[0] ? EVF_KEEP : 0;
		e->lot = e->kind == EV_CUT && !e->words[0] ? 0 : e->lot;
		return true;
	case 3:
		e->first = 0;
		return true;
	case 4:
		e->count = min_u64(e->count, 1);
		return true;
	case 5:
		e->count /= e->count > 1 ? 2 : 1;
		return true;
	default:
		return false;
	}
}

static bool simplify_events(struct shrinking *k)
{
	bool is_simpler = false;

	for (uint32_t i = k->s->script.count; i-- && !is_over(k);)
		for (uint32_t way = 0;; way++) {
			struct sim_event e = k->s->script.events[i];

			if (!say_less(&e, way))
				break;
			is_simpler |= with_event(k, i, &e);
		}
	return is_simpler;
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
		is_going_on |= simplify_events(&k);
		is_going_on |= simplify_setup(&k);
	}
	return k.tries;
}

/* ---- asking ---- */

static _Noreturn void run_in_child(const struct scenario *s)
{
	static struct sim_stats stats;
	struct scenario_end end;

	alarm(CHILD_SECONDS);
	end = scenario_run(s, NULL, &stats, false);
	_exit(end.is_broken ? BROKEN_STATUS + (int)end.law : 0);
}

bool breaks_law(const struct scenario *s, void *user)
{
	const enum law_id *law = user;
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child < 0)
		return false;
	if (!child)
		run_in_child(s);
	return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == BROKEN_STATUS + (int)*law;
}

int shrink_verdict(const struct sim_verdict *v, const char *head, const char *path)
{
	struct scenario s = copy(&(struct scenario){ .setup = v->setup, .script = v->script });
	uint32_t before = s.script.count, tries;
	enum law_id law = v->law;

	if (!breaks_law(&s, &law)) {
		printf("the %u events that led there do not break %s again\n", before, law_name(law));
		scenario_free(&s);
		return 1;
	}
	tries = shrink(&s, breaks_law, &law, &(struct shrink_limits){ .seconds_max = 120 });
	printf("%u events shrunk to %u in %u tries", before, s.script.count, tries);
	if (scenario_write(path, head, &s))
		printf(": %s\n", path);
	else
		printf("; %s cannot be written, so here they are\n", path);
	scenario_print(stdout, NULL, &s);
	scenario_free(&s);
	return 0;
}
