/* Members that run apart (I5): the other half of a fork tells its own story.
 *
 * One half runs, alone, and its story is that of the model: nothing special. The other half then runs without it. What
 * clients are told there is none of this model's business, so a model of its own stands in for that life, begun from
 * what its members hold; after that life ours goes on, and what the members apart believe about the others is taken
 * back: to us *they* are those that were left behind.
 *
 *     together ---- a runs alone ---------------------- a b offered: refused ---- a preferred ---- together
 *              \                 \- b runs alone (apart) /
 *
 * A fork is one when clients were told of writes on both sides, and until the superblock of the half apart says that it
 * is being recovered: then its story is given up. Left out: that the half apart is the preferred one. */
#include "world.h"

#include <stdlib.h>

struct sim_story {
	struct model model;
	uint32_t members;		/* that are apart in this life */
	struct {
		bool is_behind, is_left, was_in_sync;
	} kept[SIM_DISKS];
};

static struct sim_story *story_new(void)
{
	struct sim_story *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	return s;
}

static uint32_t apart(const struct sim_world *w)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (w->members[i].is_apart)
			mask |= 1u << i;
	return mask;
}

/* What each sector may hold: what it holds on one of them. */
static void begin_model(struct sim_world *w, const struct sim_story *s)
{
	model_init(&w->model, s->model.count);
	w->model.serial = s->model.serial + 1000000;	/* its writes can be told from all others */
	for (uint64_t i = 0; i < s->model.count; i++)
		EACH_MEMBER(w, m)
			if (s->members & 1u << index_of(w, m))
				model_begin(&w->model, i,
					    arena_word(w->arena,
						       disk_at(&m->disk, true,
							       m->place.data_at.bytes + i * SECTOR_BYTES)));
}

void story_begin(struct sim_world *w, uint32_t chosen)
{
	struct sim_story *s;

	if (!chosen || chosen & ~apart(w))
		return;
	s = story_new();
	s->model = w->model;
	s->members = chosen;
	EACH_MEMBER(w, m) {
		uint32_t i = index_of(w, m);

		s->kept[i].is_behind = m->is_behind;
		s->kept[i].is_left = m->is_left;
		s->kept[i].was_in_sync = m->was_in_sync;
		if (chosen & 1u << i)
			m->is_behind = m->is_left = false;
	}
	begin_model(w, s);
	w->story = s;
}

void story_end(struct sim_world *w)
{
	struct sim_story *s = w->story;
	bool is_told = w->model.acks;

	if (!s)
		return;
	EACH_MEMBER(w, m) {
		uint32_t i = index_of(w, m);

		if (!(s->members & 1u << i)) {
			m->is_behind = s->kept[i].is_behind;
			m->is_left = s->kept[i].is_left;
			m->was_in_sync = s->kept[i].was_in_sync;
			continue;
		}
		m->has_forked |= is_told && s->kept[i].is_behind;
		m->is_behind = m->is_left = true;
		m->was_in_sync = false;
	}
	model_free(&w->model);
	w->model = s->model;
	free(s);
	w->story = NULL;
}

bool story_is_fork(const struct sim_world *w, uint32_t chosen)
{
	bool is_other = false;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (chosen & 1u << i && w->members[i].has_forked)
			is_other = true;
	return is_other && chosen & trustworthy(w);
}

void story_note(struct sim_world *w)
{
	EACH_MEMBER(w, m) {
		const struct super *s;

		if (!m->is_apart || w->story || (m->state != ARR_M_RECOVERING && !is_in_sync(m)))
			continue;
		s = super_on(w, m);
		if (is_in_sync(m) || (s && s->feature_map & FMT_SB1_RECOVERY_OFFSET))
			m->is_apart = m->has_forked = false;
	}
}

void story_copy(struct sim_world *to, const struct sim_world *from)
{
	if (!from->story)
		return;
	to->story = story_new();
	*to->story = *from->story;
	model_copy(&to->story->model, &from->story->model);
}

void story_free(struct sim_world *w)
{
	if (!w->story)
		return;
	model_free(&w->story->model);
	free(w->story);
	w->story = NULL;
}
