/* Goal: a joiner gets the lowest slot that nobody has, also one that was left, and never one that somebody has.
 * Method: four nodes join, one leaves, one dies and is fenced; others join.
 * Law: C4.
 * Source: the cluster specification, sections 2 and 12. */
#include "harness.h"

static uint32_t slot_of(const struct w *w, int node)
{
	return w_status(w, node).slot;
}

int main(void)
{
	struct w *w = &the_world;
	int node;

	ok(w_up(w, 4, 4), "four nodes are up");
	for (uint32_t i = 0; i < 4; i++)
		is_u64(slot_of(w, i), i, "node %u has slot %u", i, i);
	w_leave(w, 1);
	ok(w_run(w), "one has left");
	node = w_start(w);
	ok(w_run(w) && w->nodes[node].was_up, "another joins");
	is_u64(slot_of(w, node), 1, "it has the slot that was left");
	w_kill(w, 2);
	w_kill(w, 0);
	w_fence(w, 2);
	ok(w_run(w), "two have died, the one with slot 2 is fenced");
	node = w_start(w);
	ok(w_run(w) && w->nodes[node].was_up, "another joins");
	is_u64(slot_of(w, node), 2, "it has slot 2, since slot 0 may still have its owner");
	is_u64(w->double_slots, 0, "no slot was cleared without its lock");
	w_end(w);
	return tap_end();
}
