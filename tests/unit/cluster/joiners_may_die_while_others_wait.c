/* Goal: a joiner that dies at any point of its way leaves nobody waiting, and its slot to the next.
 * Method: for every number of events that it gets, a joiner dies after that many; others claim and copy meanwhile.
 * Law: I9, C4.
 * Source: the cluster specification, section 8. */
#include "harness.h"

/* It lives for so many events. False: it was up by then. */
static bool dies_after(unsigned events)
{
	struct w *w = &the_world;
	int joiner, next;
	bool was_up;

	w_up(w, 3, 2);
	w->nodes[0].a.claims = w->nodes[1].a.claims = w->nodes[1].a.windows = 1;
	joiner = w_start(w);
	w_event(w, 0, CLU_EV_ARRAY);
	w_event(w, 1, CLU_EV_ARRAY);
	while (events--)
		if (!w_node_goes_on(w, joiner, 0) && !w_node_goes_on(w, 0, 0) && !w_node_goes_on(w, 1, 0) &&
		    !w_time(w))
			break;
	was_up = w->nodes[joiner].was_up;
	w_kill(w, joiner);
	w_run(w);
	w_fence(w, joiner);
	next = w_start(w);
	if (!w_run(w) || !w->nodes[next].was_up || w_status(w, next).slot != 2 || w->nodes[0].a.announced != 1 ||
	    w->nodes[1].a.announced != 1 || w->nodes[1].a.windows || w->locks[0].holder >= 0)
		ok(false, "somebody waits after the joiner died in state %s", clu_state_name(w_status(w,
			joiner).state));
	w_end(w);
	return !was_up;
}

int main(void)
{
	unsigned events = 0;

	while (dies_after(events) && events < 1000)
		events++;
	ok(events > 10 && events < 1000, "a joiner dies after any of %u events, and nobody waits", events);
	return tap_end();
}
