/* One crash point: everything the media may hold if the power failed just now.
 *
 *   on its way    a sector that a member has in its cache only, or that a job under way would write next there: nobody
 *                 can say whether it is on the medium. So the order in which the hands carry out the parts of the jobs
 *                 under way makes no difference to what is looked at.
 *   image         one choice for each of these, old or any newer version
 *   point         all images of a moment: each of them when few sectors are on their way; else nothing, everything and
 *                 a number of choices by lot
 *
 * Images are told apart by a hash of the media and of what clients were told: a sum over sectors, so that another
 * choice for one of them costs an addition. What was judged before in this workload is not judged again. */
#include "exhaust_point.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is on its way ---- */

static uint64_t worth_of(const struct sim_world *w, uint32_t member, uint32_t sector, content is)
{
	return point_mix(point_mix(member + 1, sector), arena_hash(w->arena, is));
}

/* What each choice would leave in each sector: asked of the disk itself, choice by choice for all sectors at once. */
static void take_worths(struct point *p, uint32_t member, const struct loose_sector *loose, uint32_t count)
{
	struct on_its_way *s = &p->sectors[p->count];
	uint32_t most = 0;

	for (uint32_t i = 0; i < count; i++)
		most = loose[i].versions > most ? loose[i].versions : most;
	for (uint32_t choice = 0; choice <= most && choice <= VERSIONS_MAX; choice++) {
		uint8_t choices[SECTORS_MAX];
		struct sim_disk probe;

		for (uint32_t i = 0; i < count; i++)
			choices[i] = (uint8_t)(choice <= loose[i].versions ? choice : 0);
		disk_copy(&probe, &p->disks[member]);
		disk_cut_to(&probe, choices);
		for (uint32_t i = 0; i < count; i++)
			if (choice <= loose[i].versions)
				s[i].worth[choice] = worth_of(p->w, member, loose[i].sector,
							      probe.medium[loose[i].sector]);
		disk_free(&probe);
	}
}

static void add_member(struct point *p, uint32_t member)
{
	static struct loose_sector loose[SECTORS_MAX];
	const struct sim_disk *d = &p->disks[member];
	uint32_t count = disk_loose(d, loose, SECTORS_MAX - p->count);

	if (count > SECTORS_MAX - p->count)
		count = SECTORS_MAX - p->count;
	for (uint64_t s = 0; s < d->size_bytes / SECTOR_BYTES; s++)
		if (d->medium[s])
			p->hash += worth_of(p->w, member, (uint32_t)s, d->medium[s]);
	take_worths(p, member, loose, count);
	for (uint32_t i = 0; i < count; i++) {
		struct on_its_way *s = &p->sectors[p->count++];

		s->member = member;
		s->versions = loose[i].versions < VERSIONS_MAX ? loose[i].versions : VERSIONS_MAX;
		p->hash -= s->worth[0];
	}
}

/* What else decides what is right after the cut. */
static uint64_t hash_of_story(const struct sim_world *w)
{
	const struct model *m = &w->model;
	uint64_t h = point_mix(point_mix(m->serial, m->acks), point_mix(m->losses, m->looks));

	h = point_mix(h, point_mix(m->ends, m->restart_serial));
	for (uint64_t i = 0; i < m->count; i++)
		h = point_mix(h, point_mix(m->sectors[i].durable_floor, m->sectors[i].live_floor));
	for (const struct sim_member *s = w->members; s < w->members + w->member_count; s++)
		h = point_mix(h, (uint64_t)s->state << 8 | s->is_behind << 4 | s->is_left << 3 | s->is_unchanged << 2 |
			   s->is_apart << 1 | s->is_corrupt);
	return point_mix(h, w->is_readonly);
}

/* ---- all images ---- */

static bool is_new(struct point *p, const struct image *image, uint64_t hash)
{
	if (p->level > 0)
		p->x->counts.later_images++;
	else
		p->x->counts.images++;
	return !image->is_chosen || p->level > 0 || seen_add(p->x->seen, hash);
}

static void look_at(struct point *p, const struct image *image, uint64_t hash)
{
	if (is_new(p, image, hash))
		point_judge(p, image);
}

static void set_choices(struct point *p, const uint8_t *choice)
{
	for (uint32_t i = 0; i < SIM_DISKS; i++)
		p->next[i] = p->choices[i];
	for (uint32_t i = 0; i < p->count; i++)
		*p->next[p->sectors[i].member]++ = choice[i];
}

/* Counts through all of them, the last sector fastest. */
static void every_image(struct point *p)
{
	uint8_t choice[SECTORS_MAX] = { 0 };
	uint32_t i;

	do {
		uint64_t hash = p->hash;

		for (i = 0; i < p->count; i++)
			hash += p->sectors[i].worth[choice[i]];
		set_choices(p, choice);
		look_at(p, &(struct image){ .is_chosen = true }, hash);
		for (i = p->count; i && choice[i - 1] == p->sectors[i - 1].versions; i--)
			choice[i - 1] = 0;
		if (i)
			choice[i - 1]++;
	} while (i);
}

static void some_images(struct point *p, uint32_t lots)
{
	uint64_t begin = point_mix(p->x->workload->number, p->x->looked);

	look_at(p, &(struct image){ .flags = EVF_LOSE, .lot = begin }, 0);
	look_at(p, &(struct image){ .flags = EVF_KEEP, .lot = begin }, 0);
	for (uint32_t i = 0; i < lots; i++)
		look_at(p, &(struct image){ .lot = begin + 1 + i }, 0);
	if (p->level == 0)
		p->x->counts.by_lot += 2 + lots;
}

static bool is_small(const struct point *p)
{
	uint64_t images = 1;

	for (uint32_t i = 0; i < p->count; i++) {
		images *= p->sectors[i].versions + 1;
		if (images > EXHAUST_IMAGES_MAX)
			return false;
	}
	return p->count <= EXHAUST_LOOSE_MAX;
}

void exhaust_cut(struct exhaust *x, uint32_t level)
{
	static struct point points[SIM_DEPTH_MAX];	/* one for each cut of a story; they nest */
	struct point *p = &points[level];

	if (level >= SIM_DEPTH_MAX)
		return;
	p->x = x;
	p->w = &x->worlds[level];
	p->level = level;
	p->count = 0;
	p->hash = hash_of_story(p->w);
	reach_disks(p->w, p->disks);
	for (uint32_t i = 0; i < p->w->member_count; i++)
		if (p->w->members[i].is_there)
			add_member(p, i);
	x->looked++;
	x->counts.points += level == 0;
	x->counts.later_points += level > 0;
	x->counts.deepest_cut = max_u64(x->counts.deepest_cut, level + 1);
	if (level > 0)
		some_images(p, 2);
	else if (is_small(p))
		every_image(p);
	else
		some_images(p, EXHAUST_LOTS);
	for (uint32_t i = 0; i < p->w->member_count; i++)
		if (p->w->members[i].is_there)
			disk_free(&p->disks[i]);
}
