/* Goal: a recovery by bitmap gets every bit that was set anywhere when it began, whoever dies and whoever takes slots
 * over meanwhile.
 * Method: the slots are gathered; between two of them the owner of a later one dies, and the owner of an earlier one
 * takes its bits. Then: live slots keep theirs, free ones are cleared.
 * Law: C1, I2.
 * Source: the cluster specification, section 7 (re-add). */
#include "harness.h"

int main(void)
{
	struct w *w = &the_world;

	ok(w_up(w, 4, 3), "three nodes are up");
	w->slot_bits[0] = 1;
	w->slot_bits[1] = 2;
	w->slot_bits[2] = 4;
	w->slot_bits[3] = 8;
	w->nodes[1].a.recoveries = w->nodes[1].a.windows = 1;
	w->nodes[1].a.bits[0] = w->nodes[1].a.bits[2] = w->nodes[1].a.bits[3] = 0;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[1].a.gathers == 1, "the slots are gathered");
	is_u64(w->nodes[1].a.has_bits, 13, "the bits of all");
	is_u64(w->slot_bits[1], 15, "are in the slot of who gathered");
	is_u64(w->slot_bits[0], 1, "who lives has kept its own");
	is_u64(w->slot_bits[2], 4, "each");
	is_u64(w->slot_bits[3], 0, "nobody's slot is empty");
	is_u64(w->locks[5].holder + 1, 0, "and its lock free");
	is_u64(w->missed_bits, 0, "nothing was missed");
	w_end(w);

	ok(w_up(w, 3, 3), "three nodes are up");
	w->slot_bits[2] = 4;
	w->nodes[1].a.recoveries = w->nodes[1].a.windows = 1;
	w->nodes[1].a.bits[0] = 0;
	w_event(w, 1, CLU_EV_ARRAY);
	while (!w->nodes[1].a.bits[0] && w_once(w))
		;
	is_u64(w->nodes[1].a.bits[0], 1, "the first slot is gathered");
	w->nodes[1].is_deaf = true;
	w->nodes[1].a.keeps_taking = true;
	w_kill(w, 2);
	w_fence(w, 2);
	ok(w_run(w) && w->slot_bits[0] == 4 && w->slot_bits[2] == 0, "the third dies, the first takes its bits");
	w->nodes[1].is_deaf = false;
	w->nodes[1].a.keeps_taking = false;
	ok(w_run(w) && w->nodes[1].a.gathers == 1, "the gathering ends");
	is_u64(w->missed_bits, 0, "with the bits that moved");
	is_u64(w->nodes[1].a.copied, 1, "and the member is copied");
	w_end(w);
	return tap_end();
}
