/* Goal: who leaves says so, and whether work is left; the others look at its slot in both cases, and wait for nothing.
 * Method: a node leaves with and without a resync due, with locks held, while joining, and without quorum.
 * Law: C1, I9.
 * Source: the cluster specification, section 5 (leave). */
#include "harness.h"

static void leaves(bool has_work)
{
	struct w *w = &the_world;

	ok(w_up(w, 2, 2), "two nodes are up");
	w->slot_bits[1] = 2;
	w->nodes[0].a.bits[1] = 0;
	w->nodes[0].a.keeps_reloading = true;
	w->nodes[1].a.windows = w->nodes[1].a.claims = has_work;
	w_event(w, 1, CLU_EV_ARRAY);
	w_run(w);
	ok(w_status(w, 1).has_resync == has_work && w_status(w, 1).has_token == has_work, "one has locks: %d",
		has_work);
	w_leave(w, 1);
	is_u64(w_said(w, 1, has_work ? CLU_M_BITMAP_NEEDS_SYNC : CLU_M_BYE), 1, "it says how it leaves");
	is_u64(w_said(w, 1, has_work ? CLU_M_BYE : CLU_M_BITMAP_NEEDS_SYNC), 0, "and nothing else");
	ok(w->nodes[1].has_said_goodbye && w_status(w, 1).state == CLU_OUT, "it is out at once");
	ok(w->locks[0].holder != 1 && w->locks[1].holder != 1 && w->locks[3].holder != 1, "its locks are free");
	w->nodes[0].a.keeps_reloading = false;
	w->nodes[0].a.keeps_taking = true;
	w_run(w);
	ok(strstr(w_status(w, 0).last_event, "n2 (slot 1) has left"), "the other one says so: %s",
		w_status(w, 0).last_event);
	w->nodes[0].a.keeps_taking = false;
	ok(w_run(w) && w->nodes[0].a.bits[1] == 1, "and looks at its slot");
	is_u64(w->slot_bits[0], 2, "and has its bits");
	ok(w_status(w, 0).peers[1].state == CLU_P_NONE, "nobody has it");
	w_end(w);
}

static void leaves_on_its_way(unsigned events)
{
	struct w *w = &the_world;
	int joiner;

	w_up(w, 3, 2);
	joiner = w_start(w);
	while (events-- && w_once(w))
		;
	if (w->nodes[joiner].a.is_there && !w->nodes[joiner].was_up) {
		w_event(w, joiner, CLU_EV_LEAVE);	/* held: its stop cannot end before this */
		ok(w->nodes[joiner].a.is_lost && !w->nodes[joiner].has_said_goodbye, "a held array is let go first");
	}
	w_leave(w, joiner);
	ok(w->nodes[joiner].has_said_goodbye && w_run(w) && w->locks[0].holder < 0, "a joiner may leave in state %s",
		clu_state_name(w_status(w, joiner).state));
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;

	leaves(false);
	leaves(true);
	for (unsigned events = 0; events < 20; events++)
		leaves_on_its_way(events);
	ok(w_up(w, 2, 2), "two nodes are up");
	w_step(w, 1, (struct clu_event){ .kind = CLU_EV_QUORUM, .value = false });
	w_event(w, 1, CLU_EV_LEAVE);
	ok(w->nodes[1].a.is_lost && !w->nodes[1].is_failed, "without quorum a stop ends as well");
	w_leave(w, 1);
	is_u64(w_said(w, 1, CLU_M_BYE) + w_said(w, 1, CLU_M_BITMAP_NEEDS_SYNC), 0, "with no farewell");
	ok(w->nodes[1].has_said_goodbye, "it lets everything go");
	ok(w_run(w) && w_status(w, 0).peers[1].state == CLU_P_NONE, "and is looked after like a dead one");
	w_end(w);
	return tap_end();
}
