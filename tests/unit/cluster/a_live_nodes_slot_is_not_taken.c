/* Goal: a slot is taken under its lock only: not when its owner is merely out of the group, not by two survivors at
 * once. Method: an owner without fence; a slot whose owner the group does not know; three survivors of one death; a
 * joiner to whom nobody can say where a gone node copies.
 * Law: C2, C3, C4.
 * Source: the cluster specification, section 12 (4). */
#include "harness.h"

/* Whoever could tell where the gone one copies has stopped its array, and waits to leave. */
static void nobody_tells(struct w *w)
{
	int joiner;

	ok(w_up(w, 3, 2), "two nodes are up");
	w->nodes[0].a.windows = 2;
	w_event(w, 0, CLU_EV_ARRAY);
	while (!w->nodes[0].a.is_open && w_once(w))
		;
	w->nodes[1].a.is_stopped = true;
	w_event(w, 1, CLU_EV_ARRAY);
	w_kill(w, 0);
	joiner = w_start(w);
	ok(w_run(w) && w->nodes[joiner].was_up, "one is gone while it copies, the other one stops; a third comes up");
	is_u64(w->nodes[joiner].a.suspended[0].len, W_SIZE, "it writes nothing, for the gone one may copy anywhere");
	w_leave(w, 1);
	w_fence(w, 0);
	ok(w_run(w), "the one leaves, the other is dead for sure");
	is_u64(w->nodes[joiner].a.suspended[0].len + w->nodes[joiner].a.suspended[1].len, 0, "writes go on");
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;
	unsigned takes = 0;

	ok(w_up(w, 4, 4), "four nodes are up");
	for (int i = 0; i < 3; i++)
		w->nodes[i].a.bits[3] = 0;
	w->slot_bits[3] = 8;
	w_kill(w, 3);
	ok(w_run(w), "one is out of the group");
	for (int i = 0; i < 3; i++) {
		is_u64(w->nodes[i].a.bits[3], 0, "node %d does not touch its slot", i);
		ok(w_status(w, i).peers[3].state == CLU_P_GONE, "and calls it gone");
	}
	is_u64(w->slot_bits[3], 8, "the bits are where they were");
	w->nodes[0].a.keeps_taking = true;
	w_fence(w, 3);
	ok(w_run(w), "it is dead for sure; the first survivor is slow");
	for (int i = 0; i < 3; i++)
		takes += w->nodes[i].a.take == ARR_CHANGE_RUNS || w->nodes[i].a.bits[3];
	is_u64(takes, 1, "nobody else takes it meanwhile");
	w->nodes[0].a.keeps_taking = false;
	ok(w_run(w), "it ends");
	is_u64(w->slot_bits[0], 8, "the first has the bits");
	is_u64(w->slot_bits[1] | w->slot_bits[2] | w->slot_bits[3], 0, "nobody else");
	for (int i = 0; i < 3; i++)
		ok(w_status(w, i).peers[3].state == CLU_P_NONE, "node %d knows that nobody has it", i);
	is_u64(w->double_slots, 0, "no slot was cleared without its lock");
	w_end(w);

	w_init(w, 2, 0);
	w->locks[2].holder = 5;
	w_start(w);
	ok(w_run(w) && w->nodes[0].was_up, "slot 0 has an owner that is not in the group; a node is up with another");
	is_u64(w_status(w, 0).slot, 1, "slot 1");
	is_u64(w->nodes[0].a.bits[0], 0, "it does not touch slot 0");
	is_u64(w->nodes[0].a.suspended[0].len, W_SIZE, "and writes nothing, for who has it may copy anywhere");
	w->nodes[0].a.windows = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[0].a.copied == 0, "nor does it copy");
	w_fence(w, 5);
	ok(w_run(w) && w->nodes[0].a.bits[0] == 1, "granted, it is looked at");
	is_u64(w->nodes[0].a.suspended[0].len, 0, "writes go on");
	is_u64(w->nodes[0].a.copied, 1, "and copies");
	w_end(w);
	nobody_tells(w);
	return tap_end();
}
