/* Goal: a joiner that stops before it has said hello is waited for by nobody: what is claimed is announced, ranges open
 * and end, others join. One that has said hello with a slot is waited for.
 * Method: a joiner that does nothing any more from the moment it is a member; others record, copy and join; then it
 * goes on. One that stops with its hello on the way. One alone, who cannot know that the other is not up.
 * Law: I9, C3, C6.
 * Source: the cluster specification, section 4. */
#include "harness.h"

static struct w *w = &the_world;

static void deafen(int node, bool is_deaf)
{
	w->nodes[node].is_alive = w->nodes[node].is_member && !is_deaf;
}

/* It is a member, and has stopped. */
static int stops_at_once(void)
{
	int node = w_start(w);

	deafen(node, true);
	return node;
}

/* One records and copies. False: somebody is waited for. */
static bool work_goes_on(int node)
{
	unsigned announced = w->nodes[node].a.announced, copied = w->nodes[node].a.copied;

	w->nodes[node].a.claims = w->nodes[node].a.windows = 1;
	w_event(w, node, CLU_EV_ARRAY);
	return w_run(w) && w->nodes[node].a.announced == announced + 1 && w->nodes[node].a.copied == copied + 1;
}

static void before_its_hello(void)
{
	int joiner, other;

	ok(w_up(w, 4, 2), "two nodes are up");
	joiner = stops_at_once();
	ok(w_run(w) && w_status(w, 0).state == CLU_UP, "a third is a member, and stops");
	ok(work_goes_on(0), "the two record and copy meanwhile");
	is_u64(w_status(w, 0).waits_for, 0, "and wait for nobody");
	ok(w->locks[0].holder < 0 && !w->locks[0].queued, "the token is free");
	other = w_start(w);
	ok(w_run(w) && w->nodes[other].was_up, "a fourth joins: who is up tells it who is not");
	ok(work_goes_on(other), "it records and copies as well");
	deafen(joiner, false);
	ok(w_run(w) && w->nodes[joiner].was_up, "the third goes on, and is up");
	w->nodes[joiner].a.keeps_reloading = true;
	w->nodes[other].a.claims = 1;
	w_event(w, other, CLU_EV_ARRAY);
	ok(w_run(w) && w_status(w, other).waits_for == 1u << w->nodes[joiner].slot, "now it is waited for");
	w->nodes[joiner].a.keeps_reloading = false;
	ok(w_run(w) && !w_status(w, other).waits_for, "until it has answered");
	is_u64(w->broken_windows + w->unread_claims, 0, "nobody was left out who had to know");
	w_end(w);
}

/* The token is wanted by others when a joiner would queue for it. */
static void token(void)
{
	int joiner;

	ok(w_up(w, 3, 2), "two nodes are up");
	w->nodes[0].a.claims = 1;
	w->nodes[1].a.keeps_reloading = true;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w->locks[0].holder == 0, "one has the token for a while");
	joiner = w_start(w);
	while (w_once(w))
		;
	is_u64(w->locks[0].queued, 0, "a joiner does not queue for it");
	deafen(joiner, true);
	w->nodes[1].a.keeps_reloading = false;
	ok(w_run(w) && w->locks[0].holder < 0, "it stops, and is not given the token");
	ok(work_goes_on(1), "so the two go on");
	deafen(joiner, false);
	ok(w_run(w) && w->nodes[joiner].was_up, "it goes on, and joins");
	w_end(w);
}

static void with_its_hello_said(void)
{
	int joiner;

	ok(w_up(w, 3, 2), "two nodes are up");
	joiner = w_start(w);
	while (!w_said(w, joiner, CLU_M_HELLO) && w_once(w))
		;
	deafen(joiner, true);
	w->nodes[1].a.windows = 1;
	w_event(w, 1, CLU_EV_ARRAY);
	ok(w_run(w) && !w->nodes[1].a.copied && w_status(w, 1).sending == CLU_M_RESYNCING,
	   "one that has said hello may be up any time: no range opens without its answer");
	deafen(joiner, false);
	ok(w_run(w) && w->nodes[1].a.copied == 1 && w->nodes[joiner].was_up, "it answers when it is up");
	is_u64(w->broken_windows, 0, "and wrote nothing there");
	w_end(w);
}

/* All slots have owners, which are asked for who they are. */
static void no_slot_is_free(void)
{
	int stopped, third;

	ok(w_up(w, 2, 2), "two nodes are up, there are two slots");
	stopped = stops_at_once();
	third = w_start(w);
	ok(w_run(w) && w->nodes[third].is_refused, "one that comes after a joiner has stopped is refused: %s",
	   w->nodes[third].err.text);
	deafen(stopped, false);
	ok(w_run(w) && w->nodes[stopped].is_refused && w->locks[0].holder < 0, "so is that one when it goes on");
	w_end(w);
}

static void nobody_is_up(void)
{
	int stopped, first;

	w_init(w, 3, 0);
	stopped = stops_at_once();
	first = w_start(w);
	ok(w_run(w) && !w->nodes[first].was_up, "where nobody is up a joiner cannot tell who is not");
	deafen(stopped, false);
	ok(w_run(w) && w->nodes[first].was_up && w->nodes[stopped].was_up, "and waits for an answer");
	w_end(w);
}

int main(void)
{
	before_its_hello();
	token();
	with_its_hello_said();
	no_slot_is_free();
	nobody_is_up();
	return tap_end();
}
