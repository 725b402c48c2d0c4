/* One crash point: everything the media may hold after the power failed just now, and what umd makes of each.
 *
 *   on its way    a sector that a member has in its cache only, or that a job under way would write next there: nobody
 *                 can say whether it is on the medium. So the order in which the hands carry out the parts of the jobs
 *                 under way makes no difference to what is looked at.
 *   image         one choice for each of these, old or any newer version
 *   point         all images of a moment: each of them when few sectors are on their way; else nothing, everything and
 *                 a number of choices by lot
 *
 * From each image that is new in this workload every subset of the members is started that holds one whom nobody has
 * written off. The trusted members, all of them, must start; so must all members without being told to run degraded.
 * check_started() looks at the content. Then some images go on: the recovery is carried out hand action by hand action,
 * each of which is a crash point of its own, with fewer images; at last everything comes to rest and must be equal.
 *
 * Left out: members chosen from those written off alone (that forks the history; seeds do that). */
#include "exhaust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECTORS_MAX = 512,		/* on their way at one point */
	VERSIONS_MAX = 9,		/* of one sector: a digit in the text of a cut */
	LATER_POINTS = 24,		/* moments of one recovery at which the power fails again */
	ACTIONS_MAX = 400,
};

struct on_its_way {
	uint32_t member, versions;	/* choices: 0 .. versions */
	uint64_t worth[VERSIONS_MAX + 1];	/* what the choice adds to the image's hash */
};

struct point {
	struct exhaust *x;
	struct sim_world *w;
	uint32_t level;
	struct sim_disk disks[SIM_DISKS];	/* as if everything under way had been carried out, but not flushed */
	uint32_t count;
	struct on_its_way sectors[SECTORS_MAX];
	uint8_t choices[SIM_DISKS][SECTORS_MAX], *next[SIM_DISKS];
	uint64_t hash;				/* of what no image changes */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
	a ^= a >> 30;
	a *= 0xbf58476d1ce4e5b9u;
	a ^= a >> 27;
	a *= 0x94d049bb133111ebu;
	return a ^ a >> 31;
}

/* ---- what is on its way ---- */

static uint64_t worth_of(const struct sim_world *w, uint32_t member, uint32_t sector, content is)
{
	return mix(mix(member + 1, sector), arena_hash(w->arena, is));
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
	uint64_t h = mix(mix(mix(m->serial, m->acks), mix(m->losses, m->looks)), mix(m->ends, m->restart_serial));

	for (uint64_t i = 0; i < m->count; i++)
		h = mix(h, mix(m->sectors[i].durable_floor, m->sectors[i].live_floor));
	for (const struct sim_member *s = w->members; s < w->members + w->member_count; s++)
		h = mix(h, (uint64_t)s->state << 8 | s->is_behind << 4 | s->is_left << 3 | s->is_unchanged << 2 |
			   s->is_apart << 1 | s->is_corrupt);
	return mix(h, w->is_readonly);
}

/* ---- one image ---- */

/* The branch's cut, spelled out, so that its script leads here again. */
static void spell_cut(const struct point *p, struct sim_event *cut)
{
	size_t used = 0;

	cut->words[0] = '\0';
	for (uint32_t i = 0; i < p->w->member_count; i++) {
		size_t count = (size_t)(p->next[i] - p->choices[i]);

		if (!count || used + count + 4 > sizeof cut->words)
			continue;
		used += (size_t)snprintf(cut->words + used, sizeof cut->words - used, "%s%c=", used ? " " : "",
					 'a' + (int)i);
		for (size_t k = 0; k < count; k++)
			cut->words[used++] = (char)('0' + p->choices[i][k]);
		cut->words[used] = '\0';
	}
}

static void swap_disks(struct point *p)
{
	for (uint32_t i = 0; i < p->w->member_count; i++) {
		struct sim_disk d = p->w->members[i].disk;

		if (!p->w->members[i].is_there)
			continue;
		p->w->members[i].disk = p->disks[i];
		p->disks[i] = d;
	}
}

struct image {
	bool is_chosen;			/* the point's choices; else by these: */
	uint64_t lot;
	uint32_t flags;
};

static struct sim_world *branch(struct point *p, const struct image *image)
{
	struct sim_world *b = &p->x->worlds[p->level + 1];
	const uint8_t *choices[SIM_DISKS];

	for (uint32_t i = 0; i < SIM_DISKS; i++)
		choices[i] = p->choices[i];
	if (image->is_chosen)
		swap_disks(p);
	world_branch(p->w, b, image->is_chosen ? choices : NULL, image->lot, image->flags);
	p->x->open = p->level + 2;
	if (image->is_chosen) {
		swap_disks(p);
		if (b->script.count)
			spell_cut(p, &b->script.events[b->script.count - 1]);
	}
	return b;
}

static void leave(struct point *p, uint32_t mark)
{
	world_free(&p->x->worlds[p->level + 1]);
	p->x->open = p->level + 1;
	arena_release(p->w->arena, mark);
}

static uint32_t everybody(const struct sim_world *w)
{
	struct super sb;
	uint32_t mask = 0;

	for (uint32_t i = 0; i < w->member_count; i++)
		if (w->members[i].is_there && super_of(w, &w->members[i], &sb))
			mask |= 1u << i;
	return mask;
}

/* The rest of the story: the recovery, as far as wanted with its own crash points, then rest. */
static void go_on(struct point *p, struct sim_world *b, uint32_t points)
{
	uint32_t actions = 0;

	p->x->counts.carried_on++;
	for (; points && p->level + 2 <= SIM_DEPTH_MAX; points--) {
		exhaust_cut(p->x, p->level + 1);
		if (actions++ == ACTIONS_MAX || !exhaust_hand(p->x, b, true))
			break;
	}
	world_do(b, &(struct sim_event){ .kind = EV_IDLE });
}

static bool start(struct point *p, struct sim_world *b, uint32_t who)
{
	struct sim_event start = { .kind = EV_START, .flags = EVF_RUN, .members = who };

	if (!world_try_start(b, &start)) {
		p->x->counts.refused++;
		return false;
	}
	p->x->counts.starts++;
	b->stats->crash_points++;
	b->stats->crash_points_deep[p->level]++;
	return true;
}

/* Does a superblock of those given count somebody among the array who is not given? The youngest of them decides. */
static bool is_somebody_missing(const struct sim_world *b, uint32_t who)
{
	struct super sb, youngest = { .events = 0 };
	uint32_t here = 0, wanted = 0;

	for (uint32_t i = 0; i < b->member_count; i++) {
		if (!(who & 1u << i) || !super_of(b, &b->members[i], &sb))
			continue;
		here |= 1u << sb.dev_number;
		if (sb.events > youngest.events)
			youngest = sb;
	}
	for (uint32_t d = 0; d < youngest.max_dev && d < 32; d++)
		if (youngest.roles[d] < b->slots)
			wanted |= 1u << d;
	return wanted & ~here;
}

/* The user need not insist when all are here and trusted, and must when somebody is missing (I5: two halves do not start
 * apart). Between the two lies a member that was just being let in when the power failed: its number may be another's. */
static void check_insisting(struct sim_world *b, uint32_t who, bool is_all)
{
	struct asm_options o = { .is_readonly = false };
	bool is_missing = is_somebody_missing(b, who);

	world_judge(b, who, &o);
	if (b->plan->refusal.code && is_all)
		broken(b, LAW_I9, "all members together do not start: %s", b->plan->refusal.text);
	if (!b->plan->refusal.code && is_missing)
		broken(b, LAW_I5, "somebody the others count on is missing, and they start without being told to: %s",
		       b->plan->reason);
	at_stake(b, is_missing ? LAW_I5 : LAW_I9);
}

/* At how many moments of its recovery the power fails again; UINT32_MAX: the image does not go on at all. Short workloads
 * have more to spare. */
static uint32_t later_points(const struct point *p)
{
	const struct exhaust *x = p->x;
	uint64_t lot = mix(x->workload->number, x->counts.distinct + x->counts.later_images);

	if (p->level > 0)
		return lot % 256 == 0 ? LATER_POINTS : lot % 8 == 0 ? 0 : UINT32_MAX;
	if (x->workload->count < 2)
		return lot % (x->workload->from->setup.slots > 2 ? 24 : 8) == 0 ? LATER_POINTS : 0;
	return lot % 256 == 0 ? LATER_POINTS : lot % 16 == 0 ? 0 : UINT32_MAX;
}

static void judge(struct point *p, const struct image *image)
{
	uint32_t all = everybody(p->w), points = later_points(p);

	p->x->counts.distinct += p->level == 0;
	for (uint32_t who = 1; who <= all; who++) {
		uint32_t mark = arena_mark(p->w->arena), trusted;
		struct sim_world *b;

		if (who & ~all)
			continue;
		b = branch(p, image);
		trusted = trustworthy(b);
		if (!trusted)
			broken(b, LAW_I1, "after this cut no member can be trusted");
		if (who & trusted)
			check_insisting(b, who, who == all && who == trusted);
		if (who & trusted && (p->level == 0 || who == trusted || who == all) && start(p, b, who) &&
		    points != UINT32_MAX && (who == all || who == trusted))
			go_on(p, b, points);
		leave(p, mark);
	}
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
		judge(p, image);
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
	uint64_t begin = mix(p->x->workload->number, p->x->looked);

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
