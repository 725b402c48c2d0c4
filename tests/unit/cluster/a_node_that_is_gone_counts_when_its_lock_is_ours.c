/* Goal: a message waits for a node that left the group without a word until that is dead for sure, by our lock or by
 * the word of who has the lock; who said goodbye is not waited for.
 * Method: three nodes; one stops answering, leaves the group, and is fenced; newcomers who never knew it.
 * Law: C6.
 * Source: the cluster specification, section 12 (3). */
#include "harness.h"

static void claim(struct w *w, int node)
{
	w->nodes[node].a.claims++;
	w_event(w, node, CLU_EV_ARRAY);
}

/* It never knew whose slot it was, and has its lock. */
static void newcomer_has_the_lock(struct w *w)
{
	int newcomer;

	ok(w_up(w, 3, 2), "two nodes are up");
	w->nodes[1].is_deaf = true;
	newcomer = w_start(w);
	ok(w_run(w) && !w->nodes[newcomer].was_up, "a newcomer waits for one that does not answer");
	w->nodes[0].is_deaf = true;
	w->nodes[newcomer].a.keeps_taking = true;
	w_kill(w, 1);
	w_fence(w, 1);
	ok(w_run(w) && w->nodes[newcomer].was_up, "that one dies, and the newcomer is up before all know");
	is_u64(w_status(w, newcomer).peers[1].state, CLU_P_TAKING, "it takes the slot, whosever it was");
	w->nodes[0].is_deaf = false;
	claim(w, 0);
	ok(w_run(w) && w->nodes[0].a.announced == 1, "the survivor need not wait for that to record something");
	w->nodes[newcomer].a.keeps_taking = false;
	ok(w_run(w) && w_status(w, 0).peers[1].state == CLU_P_NONE, "the slot is taken");
	w_end(w);
}

/* It was gone before the newcomer came, who has never heard of it. */
static void newcomer_records(struct w *w)
{
	int newcomer;

	ok(w_up(w, 4, 3), "three nodes are up");
	w_kill(w, 2);
	newcomer = w_start(w);
	ok(w_run(w) && w->nodes[newcomer].was_up, "one is gone, and may still write; another one joins");
	claim(w, newcomer);
	ok(w_run(w) && !w->nodes[newcomer].a.announced, "what that one records does not count, though all it knows "
	   "have answered");
	w_fence(w, 2);
	ok(w_run(w) && w->nodes[newcomer].a.announced == 1, "until the gone one is dead for sure");
	w_end(w);

	ok(w_up(w, 4, 3), "three nodes are up");
	w->nodes[0].a.keeps_taking = w->nodes[1].a.keeps_taking = true;
	w_kill(w, 2);
	w_fence(w, 2);
	ok(w_run(w) && w->locks[4].holder >= 0, "one is dead, its slot is being taken, which lasts");
	newcomer = w_start(w);
	ok(w_run(w) && w->nodes[newcomer].was_up, "another one joins");
	claim(w, newcomer);
	ok(w_run(w) && w->nodes[newcomer].a.announced == 1, "and was told of the death: it records");
	w_end(w);

	ok(w_up(w, 4, 3), "three nodes are up");
	w->nodes[0].a.keeps_taking = w->nodes[1].a.keeps_taking = true;
	w_kill(w, 2);
	newcomer = w_start(w);
	claim(w, newcomer);
	ok(w_run(w) && w->nodes[newcomer].was_up && !w->nodes[newcomer].a.announced, "one is gone, another records");
	w_fence(w, 2);
	ok(w_run(w) && w->nodes[newcomer].a.announced == 1, "it hears of the death from who has the slot's lock");
	w_end(w);
}

/* Its hello waits to be processed when the word of its death comes. */
static void died_before_its_hello_was_read(struct w *w)
{
	int newcomer;

	ok(w_up(w, 3, 2), "two nodes are up");
	w->nodes[0].a.keeps_reloading = true;
	newcomer = w_start(w);
	ok(w_run(w) && !w->nodes[newcomer].was_up, "one is slow to read what a newcomer's hello makes it read");
	w->nodes[1].a.keeps_taking = true;
	w_kill(w, newcomer);
	w_fence(w, newcomer);
	ok(w_run(w) && w_status(w, 1).peers[2].state == CLU_P_TAKING, "that one dies, and the other takes its slot");
	w->nodes[0].a.keeps_reloading = false;
	claim(w, 0);
	ok(w_run(w) && w->nodes[0].a.announced == 1, "the slow one knows of the death: it records meanwhile");
	w->nodes[1].a.keeps_taking = false;
	ok(w_run(w) && w_status(w, 0).peers[2].state == CLU_P_NONE, "the slot is taken");
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;
	unsigned told;

	newcomer_has_the_lock(w);
	newcomer_records(w);
	died_before_its_hello_was_read(w);

	ok(w_up(w, 3, 3), "three nodes are up");
	told = w_said(w, 0, CLU_M_DEAD) + w_said(w, 1, CLU_M_DEAD);
	w->nodes[2].is_deaf = true;
	claim(w, 0);
	ok(w_run(w) && w_status(w, 0).waits_for == 4, "a deaf node is waited for");
	w_kill(w, 2);
	ok(w_run(w) && w_status(w, 0).waits_for == 4, "also when it is out of the group");
	is_u64(w->nodes[0].a.announced, 0, "nothing is announced");
	w->nodes[1].a.keeps_taking = w->nodes[0].a.keeps_taking = true;
	w_fence(w, 2);
	ok(w_run(w) && w->nodes[0].a.announced == 1, "fenced, it counts, whoever has its lock, and for how long");
	is_u64(w_said(w, 0, CLU_M_DEAD) + w_said(w, 1, CLU_M_DEAD) - told, 1, "who got the lock has told the others");
	claim(w, 1);
	ok(w_run(w) && w->nodes[1].a.announced == 1, "the other one can record as well while the slot is being taken");
	w->nodes[1].a.keeps_taking = w->nodes[0].a.keeps_taking = false;
	ok(w_run(w) && w_status(w, 0).peers[2].state == CLU_P_NONE, "the slot is taken");
	w_end(w);

	ok(w_up(w, 3, 3), "three nodes are up");
	w_kill(w, 2);
	ok(w_run(w), "one is gone, not dead for sure");
	claim(w, 0);
	ok(w_run(w) && w_status(w, 0).waits_for == 4, "a message said afterwards waits for it, too: it may still "
		"write");
	w_fence(w, 2);
	ok(w_run(w) && w->nodes[0].a.announced == 1, "until it is fenced");
	w_end(w);

	ok(w_up(w, 3, 3), "three nodes are up");
	w->nodes[2].a.keeps_reloading = true;
	claim(w, 0);
	ok(w_run(w) && w_status(w, 0).waits_for == 4, "one reads for ever");
	w->nodes[1].is_deaf = true;
	w_leave(w, 2);
	ok(w_run(w) && w->nodes[0].a.announced == 1, "it leaves in order: nobody waits for it");
	w_end(w);
	return tap_end();
}
