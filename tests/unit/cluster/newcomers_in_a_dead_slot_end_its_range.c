/* Goal: a newcomer that gets a dead node's slot before the survivors do answers for its bits; the dead one's range
 * ends, requests for its lock are called off, and its superblocks are read before the newcomer is let in.
 * Method: a survivor whose request is queued behind the newcomer's.
 * Law: C2, C3, C4.
 * Source: the cluster specification, section 12 (2). */
#include "harness.h"

int main(void)
{
	struct w *w = &the_world;
	unsigned torn;
	int newcomer;

	ok(w_up(w, 2, 2), "two nodes are up");
	w->slot_bits[0] = 1;
	w->nodes[0].a.windows = 2;
	w->nodes[0].a.keeps_taking = true;
	w_event(w, 0, CLU_EV_ARRAY);
	while (w_said(w, 0, CLU_M_RESYNCING) == 0 || w->nodes[1].a.suspended[0].len == 0)
		if (!w_once(w))
			break;
	is_u64(w->nodes[1].a.suspended[0].len, 4096, "one copies");
	torn = w->nodes[1].a.torn_reloads;
	w->nodes[1].is_deaf = true;
	w_kill(w, 0);
	w_fence(w, 0);
	newcomer = w_start(w);
	while (w->nodes[newcomer].slot != 0 && w_once(w))
		;
	is_u64(w->nodes[newcomer].slot, 0, "it dies; a newcomer has its slot before the survivor asks for it");
	w->nodes[1].is_deaf = false;
	ok(w_run(w) && w->nodes[newcomer].was_up, "the newcomer is up");
	ok(w_status(w, 1).peers[0].state == CLU_P_UP && w_status(w, 1).peers[0].node_id == w->nodes[newcomer].id,
		"the survivor knows whose slot it is now");
	is_u64(w->nodes[1].a.suspended[0].len, 0, "and that the dead one's range is ended");
	ok(w->nodes[1].a.torn_reloads > torn, "it has read what the dead one may have left in superblocks");
	is_u64(w->slot_bits[0], 1, "the bits are the newcomer's now");
	is_u64(w->nodes[newcomer].a.has_bits, 1, "and it knows");
	is_u64(w->locks[2].queued, 0, "nobody waits for the slot's lock any more");
	w_kill(w, newcomer);
	w_fence(w, newcomer);
	ok(w_run(w) && w->slot_bits[1] == 1, "when it dies as well the survivor takes the bits");
	w_end(w);
	return tap_end();
}
