/* Goal: who has the token dies with its message half way: the next one reads superblocks before it claims, everybody
 * reads what the dead one left, and nobody waits for ever.
 * Method: three nodes; the first dies after its message was sent, after it reached some, and before anybody heard it.
 * Law: C6, I9.
 * Source: the cluster specification, section 8. */
#include "harness.h"

static void dies_when(unsigned heard_by)
{
	struct w *w = &the_world;
	unsigned reloads[3];

	ok(w_up(w, 3, 3), "three nodes are up");
	for (unsigned i = 0; i < 3; i++)
		reloads[i] = w->nodes[i].a.torn_reloads;
	w->nodes[1].is_deaf = w->nodes[2].is_deaf = true;
	w->nodes[0].a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w_said(w, 0, CLU_M_METADATA_UPDATED) == 1, "the first one has announced a claim");
	for (unsigned i = 1; i <= heard_by; i++) {
		w->nodes[i].is_deaf = false;
		ok(w_hear(w, i), "node %u hears it", i);
		w->nodes[i].is_deaf = true;
	}
	w->nodes[1].a.claims = w->nodes[2].a.claims = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	w_event(w, 2, CLU_EV_ARRAY);
	w_kill(w, 0);
	w->nodes[1].is_deaf = w->nodes[2].is_deaf = false;
	ok(w_run(w), "and dies; the others have claims of their own");
	ok(!w->nodes[1].a.announced && !w->nodes[2].a.announced, "nobody gets its token before it is fenced");
	w_fence(w, 0);
	ok(w_run(w), "fenced");
	for (unsigned i = 1; i < 3; i++) {
		is_u64(w->nodes[i].a.announced, 1, "node %u has recorded its own", i);
		is_u64(w->nodes[i].a.looks, 1, "after it read superblocks under the token");
		ok(w->nodes[i].a.torn_reloads > reloads[i], "and what a dead node may have left");
	}
	ok(w->locks[0].holder < 0, "the token is free");
	w_end(w);
}

int main(void)
{
	for (unsigned heard_by = 0; heard_by < 3; heard_by++)
		dies_when(heard_by);
	return tap_end();
}
