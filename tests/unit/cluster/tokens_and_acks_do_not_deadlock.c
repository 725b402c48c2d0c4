/* Goal: the two circles that could close stay open. One copies and waits until another's writes have ended; these wait
 * for a failure to be recorded, and that for the first one's answer. And: who takes a dead node's slot waits for a
 * failure to be recorded; who has the token waits for the dead node.
 * Method: arrays whose work ends only when the other's did.
 * Law: I9.
 * Source: the cluster specification, section 6 (lock order). */
#include "harness.h"

/* Node 0 tells a range, which node 1 writes in; that write waits for node 1 to have the token. */
static void a_range_goes_before_the_token(struct w *w)
{
	ok(w_up(w, 3, 3), "three nodes are up");
	w->nodes[1].a.keeps_writing = true;
	w->nodes[0].a.windows = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w_status(w, 0).waits_for == 2, "one waits for another's writes in its range");
	w->nodes[0].a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w->locks[0].holder < 0, "and has something to record: it does not ask for the token");
	w->nodes[1].a.claims = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[1].a.announced == 1, "so the other one can record what its writes wait for");
	w->nodes[1].a.keeps_writing = false;
	ok(w_run(w) && w->nodes[0].a.announced == 1 && w->nodes[0].a.copied == 1, "then the first one goes on");
	w_end(w);

	ok(w_up(w, 3, 3), "three nodes are up");
	w->nodes[1].a.keeps_writing = w->nodes[2].a.keeps_reloading = true;
	w->nodes[1].a.claims = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && w->locks[0].holder == 1, "one has the token");
	w->nodes[0].a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w->locks[0].queued == 1, "another one queues for it");
	w->nodes[0].a.windows = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w_said(w, 0, CLU_M_RESYNCING) == 1, "and tells a range meanwhile");
	w->nodes[2].a.keeps_reloading = false;
	ok(w_run(w) && w->nodes[1].a.announced >= 1, "the first one has recorded");
	w->nodes[1].a.claims = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && !w->nodes[1].a.claims, "and can once more, though the token was granted to the other meanwhile");
	w->nodes[1].a.keeps_writing = false;
	ok(w_run(w) && w->nodes[0].a.announced == 1 && w->nodes[0].a.copied == 1, "which goes on then");
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;

	ok(w_up(w, 2, 2), "two nodes are up");
	w->nodes[1].a.keeps_writing = true;
	w->nodes[0].a.windows = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w_status(w, 0).waits_for == 2, "one waits for the other's writes in its range");
	w->nodes[1].a.claims = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[1].a.announced == 1, "these need a failure recorded: it is, the first one answers");
	is_u64(w->nodes[0].a.copied, 0, "and still waits");
	w->nodes[1].a.keeps_writing = false;
	ok(w_run(w) && w->nodes[0].a.copied == 1, "until they have ended");
	w->nodes[1].a.keeps_writing = w->nodes[0].a.keeps_writing = true;
	w->nodes[0].a.windows = w->nodes[1].a.windows = 1;
	w->nodes[0].a.claims = w->nodes[1].a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[0].a.announced == 1 && w->nodes[1].a.announced == 2, "both record while both have "
		"writes");
	w_end(w);

	ok(w_up(w, 3, 3), "three nodes are up");
	w->nodes[0].a.keeps_taking = true;
	w->nodes[1].a.claims = 1;
	w_kill(w, 2);
	ok(w_run(w), "one is gone");
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && w_status(w, 1).waits_for == 4, "another has the token and waits for it");
	w_fence(w, 2);
	ok(w_run(w) && w_status(w, 0).peers[2].state == CLU_P_TAKING, "the third takes its slot, and that does not "
		"end");
	ok(w->nodes[1].a.announced == 1 && w->locks[0].holder < 0, "before the token is free, which it is");
	w->nodes[0].a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w->nodes[0].a.announced == 1, "so who takes the slot can record as well");
	w->nodes[0].a.keeps_taking = false;
	ok(w_run(w) && w_status(w, 1).peers[2].state == CLU_P_NONE, "it is taken");
	w_end(w);
	a_range_goes_before_the_token(w);
	return tap_end();
}
