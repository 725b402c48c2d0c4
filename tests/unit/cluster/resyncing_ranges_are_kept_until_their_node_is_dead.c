/* Goal: a range that a node copies in is left alone until it says so, or its slot was taken over; a joiner leaves it
 * alone from the start.
 * No range opens before the slots of the dead were taken: who is copied to has them empty.
 * Method: three nodes; one copies and is stopped in the middle; a joiner comes; the copier dies. One copies while
 * another one is long in taking a slot.
 * Law: C3, C1.
 * Source: the cluster specification, section 5. */
#include "harness.h"

/* A member that came after the death has no bit of that slot: were it in sync before others have taken them over, they
 * would not be on every member in sync. */
static void while_a_slot_is_taken(struct w *w)
{
	ok(w_up(w, 3, 3), "three nodes are up");
	w->slot_bits[2] = 4;
	w->nodes[0].a.keeps_taking = true;
	w_kill(w, 2);
	w_fence(w, 2);
	ok(w_run(w) && w_status(w, 0).peers[2].state == CLU_P_TAKING, "one dies, another is long in taking its slot");
	w->nodes[1].a.windows = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && !w->nodes[1].a.copied, "the third copies nothing meanwhile");
	w->nodes[0].a.keeps_taking = false;
	ok(w_run(w) && w->nodes[1].a.copied == 1 && !w->slot_bits[2], "when it was taken, it does");
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;
	int joiner;

	ok(w_up(w, 4, 3), "three nodes are up");
	w->nodes[0].a.windows = 2;
	w->nodes[1].a.keeps_writing = true;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[2].a.suspended[0].len == 4096, "one copies, a range is left alone");
	is_u64(w->nodes[2].a.suspended[0].at, 8192, "that one");
	is_u64(w_status(w, 2).peers[0].resyncing.high, 12288, "it is shown");
	joiner = w_start(w);
	ok(w_run(w) && w->nodes[joiner].was_up, "another node joins");
	is_u64(w->nodes[joiner].a.suspended[0].len, 4096, "and leaves the range alone as well");
	w_kill(w, 0);
	ok(w_run(w) && w->nodes[2].a.suspended[0].len == 4096, "the copier is gone: it may still copy");
	is_u64(w->nodes[joiner].a.suspended[0].len, 4096, "for all");
	w->nodes[1].a.keeps_writing = false;
	w->nodes[1].a.keeps_taking = true;
	w_fence(w, 0);
	ok(w_run(w), "it is dead for sure");
	is_u64(w->nodes[2].a.suspended[0].len, 4096, "the bits of the range may be anywhere until its slot was looked "
		"at");
	w->nodes[1].a.keeps_taking = false;
	ok(w_run(w), "it was");
	for (int i = 1; i < 4; i++)
		is_u64(w->nodes[i].a.suspended[0].len, 0, "node %d lets writes in again", i);
	w_end(w);

	ok(w_up(w, 2, 2), "two nodes are up");
	w->nodes[0].a.windows = 1;
	w->nodes[1].is_deaf = true;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w_said(w, 0, CLU_M_RESYNCING) == 1, "one has just said that it copies");
	w_kill(w, 0);
	w_fence(w, 0);
	w->nodes[1].is_deaf = false;
	ok(w_run(w) && w_status(w, 1).peers[0].state == CLU_P_NONE, "its slot is taken");
	is_u64(w->nodes[1].a.suspended[0].len, 0, "and no range of a dead node is left");
	w_end(w);
	while_a_slot_is_taken(w);
	return tap_end();
}
