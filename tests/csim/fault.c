/* What can happen to nodes and the network; members: fault_disk.c. Whom it strikes is by lot. */
#include "csim.h"

const char *const fault_names[CS_F_KINDS] = {
	"death", "pause", "partition", "power cut", "all nodes die", "error on one node", "member dies", "leave",
	"fail by a user", "member loses power", "machine with a member dies", "path lost", "slow on one node",
	"members changed",
};

/* ---- nodes ---- */

struct cs_node *some_node(struct cs_world *w, bool is_up)
{
	struct cs_node *chosen = NULL;
	uint32_t count = 0;

	EACH_NODE(w, n)
		if (n->life == CS_RUNS && (n->is_up || !is_up) && by_lot(w, ++count))
			chosen = n;
	return chosen;
}

static bool strike_death(struct cs_world *w)
{
	struct cs_node *n = some_node(w, false);

	if (n)
		node_dies(w, n);
	return n;
}

static bool strike_pause(struct cs_world *w)
{
	struct cs_node *n = some_node(w, false);

	if (n)
		node_pauses(w, n);
	return n;
}

void fault_resume(struct cs_world *w, struct cs_node *n)
{
	trace(w, "%u goes on", n->number);
	n->life = CS_RUNS;
	for (uint32_t k = 0; k < n->job_count; k++)
		memset(n->jobs[k].is_begun, 0, sizeof n->jobs[k].is_begun);
	if (n->is_evicted)
		n->is_fenced = true;	/* its engine knows at once that it was away for too long */
}

static bool strike_leave(struct cs_world *w)
{
	struct cs_node *n = some_node(w, false);

	if (!n || n->is_leaving)
		return false;
	node_leave(w, n);
	return true;
}

/* ---- the network ---- */

static bool strike_partition(struct cs_world *w)
{
	uint32_t cut = 0, runs = 0, all = 0, members = 0;

	EACH_NODE(w, n)
		if (n->life != CS_OFF) {
			all |= 1u << n->number;
			members += n->is_member;
			if (by_lot(w, 2))
				cut |= 1u << n->number;
		}
	runs = (uint32_t)__builtin_popcount(all);
	if (w->is_parted || runs < 2 || !members || !cut || cut == all)
		return false;
	if (2 * (uint32_t)__builtin_popcount(cut) > runs)
		cut = all & ~cut;
	trace(w, "the network parts: %x of %x", cut, all);
	engine_part(w, cut, !by_lot(w, 4));
	return true;
}

void fault_heal(struct cs_world *w)
{
	trace(w, "the network is whole again");
	engine_heal(w);
}

/* ---- power ---- */

static void end_at_once(struct cs_world *w, struct cs_node *n)
{
	if (n->life == CS_RUNS)
		node_dies(w, n);
	else
		n->life = CS_DYING;
	while (!n->is_fenced && hands_have_ghosts(n) && !by_lot(w, 2))
		hands_ghost(w, n);
	node_over(w, n);
}

static bool all_die(struct cs_world *w)
{
	bool was_anybody = false;

	w->is_parted = w->has_winner = false;
	EACH_NODE(w, n) {
		n->is_cut = false;
		was_anybody |= n->life != CS_OFF;
		if (n->life != CS_OFF)
			end_at_once(w, n);
	}
	return was_anybody;
}

void fault_cut(struct cs_world *w)
{
	trace(w, "---- the power is cut");
	all_die(w);
	EACH_DISK(w, d) {
		bool is_dead = d->disk.is_dead;

		disk_cut(&d->disk, &w->lots, FATE_BY_LOT);
		d->disk.is_dead = is_dead;
	}
	EACH_NODE(w, n)
		disks_heal(w, n);
	model_cut(&w->model);
}

/* ---- members ---- */

static bool strike_user_fail(struct cs_world *w)
{
	struct cs_node *n = some_node(w, true);
	struct cs_disk *d = disk_to_lose(w);
	struct arr_status s;

	if (!n || !d || !n->array)
		return false;
	arr_get_status(n->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (n->disk_of[i] == disk_index(w, d) && s.members[i].state == ARR_M_IN_SYNC) {
			trace(w, "%u: the user fails %s", n->number, d->disk.path);
			node_array(w, n, &(struct arr_event){ .kind = ARR_EV_FAIL, .member = i });
			return true;
		}
	return false;
}

/* A dead member is repaired, with what it holds; a failed one is removed; one that nobody uses is added. */
static bool change_members(struct cs_world *w)
{
	struct cs_disk *d = &w->disks[lot(w, w->disk_count)];
	struct cs_node *n = some_node(w, true);

	if (disk_returns(w, d))
		return true;
	return n && errand_begin(w, n, disk_index(w, d));
}

bool fault_strike(struct cs_world *w, enum cs_fault kind)
{
	bool is_struck = false;

	switch (kind) {
	case CS_F_DEATH:
		is_struck = strike_death(w);
		break;
	case CS_F_PAUSE:
		is_struck = strike_pause(w);
		break;
	case CS_F_PARTITION:
		is_struck = strike_partition(w);
		break;
	case CS_F_CUT:
		fault_cut(w);
		is_struck = true;
		break;
	case CS_F_ALL_DIE:
		is_struck = all_die(w);
		break;
	case CS_F_EIO:
	case CS_F_DISK:
	case CS_F_DISK_POWER:
	case CS_F_MACHINE:
	case CS_F_PATH:
	case CS_F_SLOW:
		is_struck = strike_disk(w, kind);
		break;
	case CS_F_LEAVE:
		is_struck = strike_leave(w);
		break;
	case CS_F_USER_FAIL:
		is_struck = strike_user_fail(w);
		break;
	case CS_F_MEMBERS:
		is_struck = change_members(w);
		break;
	case CS_F_KINDS:
		break;
	}
	if (is_struck) {
		w->stats->faults[kind]++;
		w->stats->fault_points += kind != CS_F_MEMBERS;
		law_stepped(w);
	}
	return is_struck;
}
