/* Goal: two nodes join and see each other; one dies; the other takes its slot, when its lock is granted and not before.
 * Method: brains on a modelled engine; the array is asked, and answers.
 * Law: C2, C4.
 * Source: the cluster specification, section 8. */
#include "harness.h"

/* Every survivor gets the lock, and the second one finds nothing: it has not taken anything over. */
static void nothing_was_left(void)
{
	struct w *w = &the_world;
	unsigned takers = 0, finders = 0;

	w_up(w, 3, 3);
	w->slot_bits[2] = 1;
	w_kill(w, 2);
	w_fence(w, 2);
	ok(w_run(w), "one of three dies, and two come to rest");
	for (int i = 0; i < 2; i++) {
		takers += strstr(w_status(w, i).last_event, "taken over: 1 chunk") != NULL;
		finders += strstr(w_status(w, i).last_event, "nothing was left") != NULL;
	}
	is_u64(takers, 1, "one says that it took the slot over");
	is_u64(finders, 1, "the other one that nothing was left in it");
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;
	int one, two;

	w_init(w, 2, 0);
	one = w_start(w);
	two = w_start(w);
	ok(w_run(w), "two nodes come to rest");
	ok(w->nodes[one].was_up && w->nodes[two].was_up, "both are up");
	is_u64(w_status(w, one).slot, 0, "the first has slot 0");
	is_u64(w_status(w, two).slot, 1, "the second has slot 1");
	ok(w_status(w, one).peers[1].state == CLU_P_UP && w_status(w, two).peers[0].state == CLU_P_UP, "they know of "
		"each other");
	ok(!strcmp(w_status(w, two).peers[0].name, "n1"), "by name");
	ok(!w->nodes[one].a.is_held && !w->nodes[two].a.is_held, "their arrays are let go");

	w->slot_bits[1] = 5;
	w->nodes[one].a.bits[1] = 0;
	w_kill(w, two);
	ok(w_run(w), "the survivor comes to rest");
	ok(w_status(w, one).peers[1].state == CLU_P_GONE, "a node without fence is gone, not dead for sure");
	is_u64(w->nodes[one].a.bits[1], 0, "its slot is not touched");
	w->nodes[one].a.keeps_reloading = true;
	w_fence(w, two);
	ok(w_run(w), "fenced");
	is_u64(w->nodes[one].a.bits[1], 0, "superblocks that it may have left are read first");
	w->nodes[one].a.keeps_reloading = false;
	ok(w_run(w), "they are");
	is_u64(w->nodes[one].a.bits[1], 1, "its slot is taken once");
	is_u64(w->nodes[one].a.has_bits, 5, "with its bits");
	is_u64(w->slot_bits[1], 0, "and cleared");
	ok(w->nodes[one].a.torn_reloads >= 1, "what was read there is recorded once more");
	ok(w_status(w, one).peers[1].state == CLU_P_NONE, "nobody has it now");
	ok(strstr(w_status(w, one).last_event, "taken over: 2 chunks"), "so it is told: %s",
	   w_status(w, one).last_event);
	is_u64(w->double_slots, 0, "no slot was cleared without its lock");
	w_end(w);
	nothing_was_left();
	return tap_end();
}
