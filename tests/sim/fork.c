/* Two halves run apart and meet again (I5).
 *
 * From an array at rest two members are taken; each is started alone, written to and cut or stopped. Each
 * then holds acknowledged data that the other lacks, so there is no way to combine them that loses nothing:
 * offered together they must be refused, with and without --run. When the user prefers one, the array must come
 * to hold that one's story on every member. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void finish_requests(struct sim_world *w)
{
	for (uint32_t patience = 100000; world_requests(w); patience--) {
		if (!patience)
			broken(w, LAW_I9, "a request of a lone member does not end");
		if (world_work(w))
			continue;
		w->now_ms += 10;
		world_step(w, &(struct arr_event){ .kind = ARR_EV_TIMER });
	}
}

static void run_alone(struct sim_world *w, struct sim_member *m)
{
	struct asm_options o = { .may_run_degraded = true };
	uint64_t writes = 1 + prng_below(&w->rng, 3);

	trace(w, "%s runs alone", m->disk.path);
	world_judge(w, 1u << index_of(w, m), &o);
	if (w->plan.refusal.code || world_start(w, &o))
		broken(w, LAW_I9, "%s alone does not start, though the user insists: %s", m->disk.path,
		       w->plan.refusal.text);
	for (uint64_t i = 0; i < writes; i++)
		submit_write(w, prng_below(&w->rng, w->model.count), 1, false, true);
	finish_requests(w);
	if (prng_below(&w->rng, 2))
		settle(w);
	world_end(w, true);
}

/* The other half's story is none of this model's business: it gets one of its own. */
static void run_apart(struct sim_world *w, struct sim_member *m)
{
	struct model ours = w->model;

	model_init(&w->model, ours.count);
	w->model.serial = ours.serial + 1000000; /* its writes can be told from all others */
	for (uint64_t s = 0; s < ours.count; s++)
		model_begin(&w->model, s, model_content(data_of(w, m, m->disk.medium, s * SECTOR_BYTES)));
	m->is_behind = m->is_left = false;
	run_alone(w, m);
	model_free(&w->model);
	w->model = ours;
}

static bool bring_to_rest(struct sim_world *w)
{
	struct asm_options o = { .may_run_degraded = true };
	uint32_t all = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (w->members[i].place.is_used && !w->members[i].is_left && !w->members[i].is_behind)
			all |= 1u << i;
	world_judge(w, all, &o);
	if (w->plan.refusal.code || world_start(w, &o))
		broken(w, LAW_I9, "the members that trust each other do not start: %s", w->plan.refusal.text);
	settle(w);
	check_idle(w);
	world_end(w, true);
	return __builtin_popcount(all) >= 2;
}

static void must_be_refused(struct sim_world *w, uint32_t both, bool may_run)
{
	struct asm_options o = { .may_run_degraded = may_run };

	world_judge(w, both, &o);
	if (w->plan.refusal.code != UMD_E_FORKED)
		broken(w, LAW_I5, "two members that ran apart and wrote are offered together: %s",
		       w->plan.refusal.code ? w->plan.refusal.text : "they would be combined");
	w->stats->forks_refused++;
	at_stake(w, LAW_I5);
}

static void prefer(struct sim_world *w, struct sim_member *winner, uint32_t both)
{
	struct asm_options o = { .may_run_degraded = true, .prefer = winner->disk.path };

	world_judge(w, both, &o);
	if (w->plan.refusal.code || world_start(w, &o))
		broken(w, LAW_I5, "%s is preferred, and the array does not start: %s", winner->disk.path,
		       w->plan.refusal.text);
	settle(w);
	check_idle(w);
	world_end(w, true);
}

void fork_and_meet(struct sim_world *w)
{
	struct sim_member *first = NULL, *second = NULL;
	uint32_t both;

	if (!bring_to_rest(w))
		return;
	EACH_MEMBER(w, m) {
		if (!m->was_in_sync)
			continue;
		if (!first)
			first = m;
		else if (!second)
			second = m;
	}
	if (!second)
		return;
	both = 1u << index_of(w, first) | 1u << index_of(w, second);
	run_alone(w, first);
	run_apart(w, second);
	first->is_behind = first->is_left = false;
	second->is_behind = second->is_left = true;
	first->was_in_sync = true;
	must_be_refused(w, both, false);
	must_be_refused(w, both, true);
	prefer(w, first, both);
}
