/* Goal: without quorum nothing is asked of the engine and the array is held, at once; with it all goes on where it was.
 * Lost for good, nothing is written any more, whoever waits is told, and the locks stay until the array has stopped.
 * Method: quorum goes and returns in the middle of a claim, of a copy, of joining; the group goes on without a node.
 * Law: C5, I9.
 * Source: the cluster specification, section 12 (5). */
#include "harness.h"

static void turn(struct w *w, int node, bool value)
{
	w_step(w, node, (struct clu_event){ .kind = CLU_EV_QUORUM, .value = value });
}

/* It goes after so many events, stays away while others do what they can, and returns. */
static void goes_after(unsigned events)
{
	struct w *w = &the_world;
	unsigned asks;

	w_up(w, 3, 2);
	w->nodes[0].a.claims = 1;
	w->nodes[0].a.windows = 2;
	w_start(w);
	w_event(w, 0, CLU_EV_ARRAY);
	while (events-- && w_once(w))
		;
	for (int i = 0; i < 3; i++) {
		turn(w, i, false);
		if (w->nodes[i].a.is_there && !w->nodes[i].a.is_held)
			ok(false, "node %d is not held", i);
	}
	asks = w->nodes[0].asks + w->nodes[1].asks + w->nodes[2].asks;
	w_run(w);
	if (w->nodes[0].asks + w->nodes[1].asks + w->nodes[2].asks != asks)
		ok(false, "something was asked of the engine without quorum");
	for (int i = 0; i < 3; i++)
		turn(w, i, true);
	if (!w_run(w) || !w->nodes[2].was_up || w->nodes[0].a.announced != 1 || w->nodes[0].a.windows ||
	    w->nodes[0].a.is_held || w->nodes[2].a.is_held)
		ok(false, "it does not go on with quorum");
	w_end(w);
}

static void is_lost(void)
{
	struct w *w = &the_world;
	struct clu_message disk = { .type = CLU_M_NEWDISK, .path = "/disk" };
	struct w_node *n = &w->nodes[1];

	ok(w_up(w, 2, 2), "two nodes are up");
	w_event(w, 1, CLU_EV_TAKE_TOKEN);
	ok(w_run(w) && n->taken == 1 && n->taken_rc == 0, "one has the token for an errand");
	w->nodes[0].keeps_seeing = true;
	w_step(w, 1, (struct clu_event){ .kind = CLU_EV_TELL, .message = &disk });
	w_run(w);
	w_unmember(w, 1);
	n->is_member = true;				/* it hears that it is out */
	ok(w_run(w) && w_status(w, 1).state == CLU_LOST, "it hears that the group goes on without it");
	ok(n->is_failed && n->a.is_lost, "it has failed, its array is told");
	ok(strstr(w_status(w, 1).last_event, "n2") && strstr(w_status(w, 1).last_event, "1 others"), "in a sentence: "
		"%s",
		w_status(w, 1).last_event);
	ok(n->told == 1 && n->told_rc < 0, "who waited for answers is told");
	ok(w->locks[3].holder == 1 && !n->has_said_goodbye, "its locks stay: a write may still be under way");
	w_leave(w, 1);
	ok(n->has_said_goodbye, "until its array has stopped");
	w->nodes[0].keeps_seeing = false;
	ok(w_run(w) && w_status(w, 0).peers[1].state == CLU_P_NONE, "then the other one takes its slot");
	w_end(w);

	ok(w_up(w, 2, 1), "a node is up");
	w_step(w, 0, (struct clu_event){ .kind = CLU_EV_LOST, .reason = "the log is gone" });
	ok(w->nodes[0].is_failed && w->nodes[0].a.is_lost, "without engine it is lost, too");
	ok(strstr(w->nodes[0].err.text, "the log is gone"), "and says why: %s", w->nodes[0].err.text);
	w_event(w, 0, CLU_EV_TAKE_TOKEN);
	ok(w->nodes[0].taken == 1 && w->nodes[0].taken_rc < 0, "nothing begins any more");
	w_end(w);

	ok(w_up(w, 2, 1), "a node is up");
	w->nodes[0].a.is_broken = true;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w->nodes[0].is_failed, "a node whose array is broken leaves");
	ok(strstr(w->nodes[0].err.text, "cannot write all members"), "and says why: %s", w->nodes[0].err.text);
	w_end(w);
}

int main(void)
{
	for (unsigned events = 0; events < 60; events++)
		goes_after(events);
	is_u64(tap_failed, 0, "60 moments at which quorum goes and returns");
	is_lost();
	return tap_end();
}
