/* A branch: the power goes here and now, and what remains is looked at, while the history itself goes on.
 *
 *   trunk   ----o-------o----o------------o---->
 *               |       |    |            |
 *   branch      +- cut, start, judged     +- cut, start, some moments -+- cut, start, judged
 *
 * What a cut leaves is media and what clients were told, so these are copied: numbers only, since contents are shared
 * through the arena and those that a branch adds are forgotten with it. The array stays with the trunk; its jobs, parts
 * not yet executed, are looked at once, to tear them, and never touched.
 *
 * A branch is a world like any other: it records its own script behind the trunk's, and may have branches itself. */
#include "world.h"

#include <string.h>

static void copy_members(struct sim_world *to, const struct sim_world *from)
{
	EACH_MEMBER(to, m)
		disk_copy(&m->disk, &from->members[index_of(to, m)].disk);
	if (to->setup->is_file)
		disk_copy(&to->members[SIM_FILE].disk, &from->members[SIM_FILE].disk);
	model_copy(&to->model, &from->model);
	story_copy(to, from);
	world_take_desk(to);
}

/* The trunk's allocator waits for its fault; a branch has none. */
static void put_memory_aside(struct sim_world *w)
{
	if (w->memory_due != UINT64_MAX) {
		w->memory_due -= memory_allocations();
		memory_fail_after(UINT64_MAX);
	}
}

void branch_ends(struct sim_world *b)
{
	struct sim_world *w = b->trunk;

	w->branch_hash = w->branch_hash * 0x9e3779b97f4a7c15u + (b->hash ^ b->branch_hash);
	w->stats->steps += b->step - w->step;
	w->stats->simulated_ms += b->now_ms - w->now_ms;
	memory_fail_after(w->memory_due);	/* none of the branch's own stays behind */
	if (w->memory_due != UINT64_MAX)
		w->memory_due += memory_allocations();
}

static void choose(struct sim_world *w, const uint8_t *const *choices)
{
	EACH_MEMBER(w, m)
		disk_cut_to(&m->disk, choices[index_of(w, m)]);
	w->job_count = 0;	/* nothing is torn: a part under way is a part of a later cut */
}

void world_branch(struct sim_world *w, struct sim_world *ret, const uint8_t *const *choices, uint64_t lot,
		  uint32_t flags)
{
	struct sim_event cut = { .kind = EV_CUT, .flags = flags, .lot = lot };

	put_memory_aside(w);
	*ret = *w;
	ret->trunk = w;
	ret->depth = w->depth + 1;
	ret->script = (struct sim_script){ 0 };
	ret->trunk_events = w->script.count;
	ret->branch_hash = 0;
	ret->memory_due = UINT64_MAX;
	ret->story = NULL;
	ret->array = NULL;
	ret->lineage = NULL;
	/* The sync buffer, too, stays the trunk's until its jobs are torn. */
	uint8_t *buffer = ret->sync_buffer;
	copy_members(ret, w);
	uint8_t *own = ret->sync_buffer;

	ret->sync_buffer = buffer;
	if (choices)
		choose(ret, choices);
	world_do(ret, &cut);
	ret->sync_buffer = own;
}
