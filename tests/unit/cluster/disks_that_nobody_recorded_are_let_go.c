/* Goal: a disk that was offered, and whose adder ends before a superblock knows it, is let go by all others; one
 * that is recorded stays.
 * Method: the adder dies and is fenced; it leaves; it records the disk first; another one offers a disk afterwards, and
 * while the last one is being let go; a joiner finds the disk's superblock.
 * Law: C6, I9.
 * Source: the cluster specification, section 7. */
#include "harness.h"

static struct w *w = &the_world;

static void tell(int node, bool is_removal)
{
	struct clu_message m = { .type = is_removal ? CLU_M_REMOVE : CLU_M_NEWDISK, .number = 2 };

	if (!is_removal)
		memcpy(m.path, "/disk", 6);
	w_step(w, node, (struct clu_event){ .kind = CLU_EV_TELL, .message = &m });
}

/* All others have seen it. */
static void offer(int node)
{
	w_event(w, node, CLU_EV_TAKE_TOKEN);
	w_run(w);
	for (int i = 0; i < 3; i++)
		w->nodes[i].a.has_offer = i != node;
	tell(node, false);
	ok(w_run(w) && w->nodes[node].told_rc == 0, "node %d offers a disk, and all others see it", node);
	w_event(w, 2, CLU_EV_ARRAY);
	ok(w_run(w) && !w->nodes[2].forgot, "they keep it while it is being added");
}

static void dies(void)
{
	ok(w_up(w, 3, 3), "three nodes are up");
	offer(0);
	w_kill(w, 0);
	ok(w_run(w) && !w->nodes[1].forgot && !w->nodes[2].forgot, "its adder is gone, but may still record it");
	w->nodes[2].a.keeps_reloading = true;
	w_fence(w, 0);
	ok(w_run(w) && !w->nodes[2].forgot, "dead for sure: superblocks are read first");
	w->nodes[2].a.keeps_reloading = false;
	ok(w_run(w), "they are");
	is_u64(w->nodes[1].forgot, 1, "one lets it go, once");
	is_u64(w->nodes[2].forgot, 1, "the other, too");
	w_end(w);
}

static void recorded(void)
{
	ok(w_up(w, 3, 3), "three nodes are up");
	offer(0);
	w_kill(w, 0);
	w_run(w);
	w->nodes[1].a.has_offer = w->nodes[2].a.has_offer = false;
	w_fence(w, 0);
	ok(w_run(w) && !w->nodes[1].forgot && !w->nodes[2].forgot, "what superblocks know stays");
	w_end(w);
}

static void leaves(void)
{
	ok(w_up(w, 3, 3), "three nodes are up");
	offer(0);
	w_leave(w, 0);
	ok(w_run(w), "its adder leaves without a word of it");
	is_u64(w->nodes[1].forgot + w->nodes[2].forgot, 2, "both let it go");
	w_end(w);
}

static void another(void)
{
	unsigned seen;

	ok(w_up(w, 3, 3), "three nodes are up");
	offer(0);
	w_event(w, 0, CLU_EV_GIVE_TOKEN);
	ok(w_run(w) && !w->nodes[2].forgot, "its adder gives up, and says nothing");
	seen = w->nodes[2].seen;
	w->nodes[2].keeps_seeing = true;
	w_event(w, 1, CLU_EV_TAKE_TOKEN);
	w_run(w);
	tell(1, false);
	ok(w_run(w) && w->nodes[2].forgot == 1 && w->nodes[2].seen == seen, "another one offers a disk: the first one "
		"goes before that one is looked at");
	w->nodes[2].keeps_seeing = w->nodes[2].a.has_offer = false;
	ok(w_run(w) && w->nodes[2].seen == seen + 1 && w->nodes[1].told_rc == 0, "then it is");
	tell(1, true);
	ok(w_run(w) && w->nodes[2].forgot == 2, "and its adder may take it back");
	w_end(w);
}

/* By the disk's own superblock it is a spare: by what the others know, it may be none any more. */
static void joiner(bool is_known)
{
	int node;

	ok(w_up(w, 3, 2), "two nodes are up");
	w->nodes[1].a.has_spare = is_known;
	node = w_start(w);
	w->nodes[node].a.has_spare = true;
	ok(w_run(w) && w->nodes[node].was_up, "a third joins, with a spare by its superblock");
	is_u64(w->nodes[node].forgot, !is_known, "it lets the spare go when no node that is up has it");
	is_u64(w->nodes[node].a.has_spare, is_known, "and keeps one that another one has");
	is_u64(w->nodes[0].forgot + w->nodes[1].forgot, 0, "the others have nothing to do");
	w_end(w);
}

static void first(void)
{
	int node;

	w_init(w, 3, 0);
	node = w_start(w);
	w->nodes[node].a.has_spare = true;
	ok(w_run(w) && w->nodes[node].was_up && w->nodes[node].a.has_spare && !w->nodes[node].forgot,
	   "where nobody is up the spare's superblock is believed");
	w_end(w);
}

int main(void)
{
	dies();
	recorded();
	leaves();
	another();
	joiner(false);
	joiner(true);
	first();
	return tap_end();
}
