/* What can happen to members, for all nodes or for one.
 *
 *   error           the next operation of one node fails, once
 *   dies            every operation of everybody fails, until it is repaired; what it holds it keeps
 *   loses power     what it had not flushed is lost, of each sector one version stays; whoever had it open never
 *                   reaches it again, even when it is back: such a node starts anew, or adds it again
 *   machine         the same, at once with a node: the member was in it
 *   path            one machine does not reach it, whoever runs there, until the path is back
 *   slow            nothing comes back from it for one node, for a while
 *
 * A member with power again is offered to nodes when superblocks say that it was let go, or when nobody runs: until
 * then a node that starts could read there what the others, who cannot, have in newer form elsewhere. If nobody has
 * noticed and all nodes ended, what was in its cache alone is lost as by a power cut.
 *
 * Left out: a member that has lost its cache and says nothing. */
#include "csim.h"

static uint32_t bit_of(const struct cs_world *w, const struct cs_disk *d)
{
	return 1u << disk_index(w, d);
}

bool can_reach(const struct cs_world *w, const struct cs_node *n, const struct cs_disk *d)
{
	return !is_absent(d) && !((n->closed_disks | n->lost_paths) & bit_of(w, d));
}

bool node_opens(struct cs_world *w, struct cs_node *n, struct cs_disk *d)
{
	if (is_absent(d) || n->lost_paths & bit_of(w, d))
		return false;
	disk_open(&d->disk);
	n->closed_disks &= ~bit_of(w, d);
	return true;
}

/* Or is about to be: two nodes that each lose what the other has kept end with two arrays, or with none. */
static bool is_lost_by_anybody(struct cs_world *w, const struct cs_disk *d)
{
	EACH_NODE(w, n)
		if (!can_reach(w, n, d) || n->fails_next & bit_of(w, d))
			return true;
	return false;
}

/* Another one is left for all nodes. */
static bool may_lose_a_member(struct cs_world *w)
{
	uint32_t in_sync = members_in_sync(w), alive = 0;

	EACH_DISK(w, d)
		alive += in_sync & bit_of(w, d) && !is_lost_by_anybody(w, d) && !d->left_by && !d->is_out;
	return alive >= 2;
}

static struct cs_disk *some_disk(struct cs_world *w)
{
	struct cs_disk *d = &w->disks[lot(w, w->disk_count)];

	return d->is_used && !is_absent(d) ? d : NULL;
}

struct cs_disk *disk_to_lose(struct cs_world *w)
{
	struct cs_disk *d = some_disk(w);

	return d && may_lose_a_member(w) ? d : NULL;
}

/* ---- for all nodes ---- */

static void loses_power(struct cs_world *w, struct cs_disk *d)
{
	trace(w, "%s loses its power", d->disk.path);
	EACH_NODE(w, n)
		hands_tear(w, n, d);
	disk_vanish(&d->disk, &w->lots);
	EACH_NODE(w, n)
		if (n->life != CS_OFF)
			n->closed_disks |= bit_of(w, d);
	model_lost_member(&w->model);	/* reads may have shown what is lost */
}

static bool is_anybody_alive(struct cs_world *w)
{
	EACH_NODE(w, n)
		if (n->life != CS_OFF)
			return true;
	return false;
}

static bool power_returns(struct cs_world *w, struct cs_disk *d)
{
	bool is_in_sync = members_in_sync(w) & bit_of(w, d);

	if (is_in_sync && is_anybody_alive(w))
		return false;
	trace(w, "%s has power again", d->disk.path);
	d->disk.is_gone = false;
	disk_open(&d->disk);
	if (is_in_sync)
		model_cut(&w->model);
	w->stats->events[CS_RETURNED]++;
	return true;
}

/* ---- for one ---- */

static bool strike_eio(struct cs_world *w, struct cs_disk *d)
{
	struct cs_node *n = some_node(w, true);

	if (!n)
		return false;
	trace(w, "%u: the next operation on %s fails", n->number, d->disk.path);
	n->fails_next |= bit_of(w, d);
	return true;
}

static bool strike_path(struct cs_world *w, struct cs_disk *d)
{
	struct cs_node *n = &w->nodes[lot(w, w->setup.nodes)];

	trace(w, "%u does not reach %s any more", n->number, d->disk.path);
	n->lost_paths |= bit_of(w, d);
	return true;
}

static bool strike_slow(struct cs_world *w, struct cs_disk *d)
{
	struct cs_node *n = some_node(w, false);

	if (!n || n->slow_disks & bit_of(w, d))
		return false;
	trace(w, "%u: nothing comes back from %s", n->number, d->disk.path);
	n->slow_disks |= bit_of(w, d);
	hands_begin(w, n, d);
	return true;
}

static bool strike_machine(struct cs_world *w, struct cs_disk *d)
{
	struct cs_node *n = some_node(w, false);

	if (!n)
		return false;
	loses_power(w, d);
	node_dies(w, n);
	return true;
}

bool strike_disk(struct cs_world *w, enum cs_fault kind)
{
	struct cs_disk *d = kind == CS_F_SLOW ? some_disk(w) : disk_to_lose(w);

	if (!d)
		return false;
	switch (kind) {
	case CS_F_EIO:
		return strike_eio(w, d);
	case CS_F_PATH:
		return strike_path(w, d);
	case CS_F_SLOW:
		return strike_slow(w, d);
	case CS_F_MACHINE:
		return strike_machine(w, d);
	case CS_F_DISK_POWER:
		loses_power(w, d);
		return true;
	default:
		trace(w, "%s dies", d->disk.path);
		d->disk.is_dead = true;
		return true;
	}
}

/* ---- the end of it ---- */

bool disk_returns(struct cs_world *w, struct cs_disk *d)
{
	if (d->disk.is_gone)
		return power_returns(w, d);
	if (!d->disk.is_dead)
		return false;
	trace(w, "%s is repaired", d->disk.path);
	d->disk.is_dead = false;
	return true;
}

void disks_heal(struct cs_world *w, struct cs_node *n)
{
	if (n->lost_paths | n->slow_disks)
		trace(w, "%u reaches all members again, and at once", n->number);
	n->lost_paths = n->slow_disks = n->fails_next = 0;
}
