/* One image of a crash point: who is started from it, and what happens then.
 *
 * Every subset of the members is started that holds one whom nobody has written off. The trusted members, all of them,
 * must start; so must all members, where all are trusted, without being told to run degraded; and nobody starts without
 * being told so while somebody is missing. check_started() looks at the content. Then some images go on: the recovery
 * is carried out hand action by hand action, each of which is a crash point of its own, with fewer images; at last
 * everything comes to rest and must be equal.
 *
 * Left out: members chosen from those written off alone (that forks the history; seeds do that). */
#include "exhaust_point.h"

#include <stdio.h>
#include <string.h>

enum {
	LATER_POINTS = 24,		/* moments of one recovery at which the power fails again */
	ACTIONS_MAX = 400,
};

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

/* Those of them who were looked at and left out. */
static uint32_t left_out(const struct sim_world *b)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < b->plan->member_count; i++)
		if (b->plan->verdicts[i] == ASM_DUPLICATE || b->plan->verdicts[i] == ASM_UNUSABLE)
			mask |= 1u << b->disk_of[i];
	return mask;
}

static bool is_named(const struct sim_world *b, uint32_t members)
{
	for (uint32_t i = 0; i < b->member_count; i++)
		if (members & 1u << i && strstr(b->plan->refusal.text, b->members[i].disk.path))
			return true;
	return false;
}

/* Everybody is here, so nobody can be fetched: only who is left out can be the reason, and is named. Where one missed
 * it that another was let back in, they are told as a fork: careful, and allowed. */
static void check_refused_all(struct sim_world *b, bool are_trusted)
{
	const struct err *refusal = &b->plan->refusal;
	uint32_t out = left_out(b);

	if (are_trusted)
		broken(b, LAW_I9, "all members together do not start: %s", refusal->text);
	if (refusal->code == UMD_E_FORKED)
		return;
	if (refusal->code != UMD_E_MEMBER_MISSING || !is_named(b, out))
		broken(b, LAW_I9, "all members are given, and who is left out is not named: %s", refusal->text);
}

/* The user need not insist when all are here and trusted, and must when somebody is missing (I5: two halves do not
 * start apart). Between the two lies a member that missed more than a round, since it was just being let in when
 * the power failed or a number was skipped: its number may be another's, so it is left out, by name. */
static void check_insisting(struct sim_world *b, uint32_t who, uint32_t all)
{
	struct asm_options o = { .is_readonly = false };
	bool is_missing = is_somebody_missing(b, who);

	world_judge(b, who, &o);
	if (b->plan->refusal.code && who == all)
		check_refused_all(b, who == trustworthy(b));
	if (!b->plan->refusal.code && is_missing)
		broken(b, LAW_I5, "somebody the others count on is missing, and they start without being told to: %s",
		       b->plan->reason);
	at_stake(b, is_missing ? LAW_I5 : LAW_I9);
}

/* At how many moments of its recovery the power fails again; UINT32_MAX: the image does not go on at all. Short
 * workloads have more to spare. */
static uint32_t later_points(const struct point *p)
{
	const struct exhaust *x = p->x;
	uint64_t lot = point_mix(x->workload->number, x->judged);

	if (p->level > 0)
		return lot % 256 == 0 ? LATER_POINTS : lot % 8 == 0 ? 0 : UINT32_MAX;
	if (x->workload->count < 2)
		return lot % (x->workload->from->setup.slots > 2 ? 24 : 8) == 0 ? LATER_POINTS : 0;
	return lot % 256 == 0 ? LATER_POINTS : lot % 16 == 0 ? 0 : UINT32_MAX;
}

void point_judge(struct point *p, const struct image *image)
{
	uint32_t all = everybody(p->w), points = later_points(p);

	p->x->judged++;
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
			check_insisting(b, who, all);
		if (who & trusted && (p->level == 0 || who == trusted || who == all) && start(p, b, who) &&
		    points != UINT32_MAX && (who == all || who == trusted))
			go_on(p, b, points);
		leave(p, mark);
	}
}
