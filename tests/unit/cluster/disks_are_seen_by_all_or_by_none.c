/* Goal: an errand changes members under the token; every other node is asked and has answered before it goes on; one
 * that says no is named.
 * Method: a disk that all see, one that a node does not see, a removal, two errands at once, an errand without token.
 * Law: C6.
 * Source: the cluster specification, section 7. */
#include "harness.h"

static void tell(struct w *w, int node, enum clu_message_type type)
{
	struct clu_message m = { .type = type, .number = 2, .path = "/disk", .uuid = { 7 } };

	if (type == CLU_M_REMOVE)
		m.path[0] = 0;
	w_step(w, node, (struct clu_event){ .kind = CLU_EV_TELL, .message = &m });
}

int main(void)
{
	struct w *w = &the_world;
	struct w_node *n = &w->nodes[0];

	ok(w_up(w, 3, 3), "three nodes are up");
	tell(w, 0, CLU_M_NEWDISK);
	ok(n->told == 1 && n->told_rc == -EINVAL, "without the token nobody is told: %s", n->err.text);
	n->a.keeps_reloading = true;
	w_event(w, 0, CLU_EV_TAKE_TOKEN);
	ok(w_run(w) && n->taken == 0, "an errand waits until superblocks were read under the token");
	n->a.keeps_reloading = false;
	n->a.keeps_unrecorded = true;
	ok(w_run(w) && n->taken == 0, "and until all is recorded: who is missing must be out before it comes back");
	n->a.keeps_unrecorded = false;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && n->taken == 1 && n->taken_rc == 0, "then it may begin");
	w_event(w, 1, CLU_EV_TAKE_TOKEN);
	w->nodes[2].keeps_seeing = true;
	tell(w, 0, CLU_M_NEWDISK);
	ok(w_run(w) && n->told == 1, "one node still looks at the disk");
	is_u64(w->nodes[1].seen + w->nodes[2].seen, 2, "both were asked");
	ok(w->nodes[1].taken == 0, "another errand waits for the token");
	w->nodes[2].keeps_seeing = false;
	ok(w_run(w) && n->told == 2 && n->told_rc == 0, "all have seen it");
	w->nodes[2].see_rc = -ENOENT;
	tell(w, 0, CLU_M_RE_ADD);
	ok(w_run(w) && n->told == 3 && n->told_rc == -ENOENT, "one does not see another");
	ok(strstr(n->err.text, "node n3"), "it is named: %s", n->err.text);
	w->nodes[2].see_rc = 0;
	tell(w, 0, CLU_M_REMOVE);
	ok(w_run(w) && n->told == 4 && n->told_rc == 0, "one is removed");
	is_u64(w->nodes[1].forgot + w->nodes[2].forgot, 2, "everywhere");
	n->a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	w_event(w, 0, CLU_EV_GIVE_TOKEN);
	ok(w_run(w) && n->a.announced == 1, "what changed is recorded before the token goes on");
	ok(w->nodes[1].taken == 1 && w->nodes[1].taken_rc == 0, "to the other errand");
	w_event(w, 1, CLU_EV_TAKE_TOKEN);
	ok(w->nodes[1].taken == 2 && w->nodes[1].taken_rc == -EBUSY, "a node has one at a time: %s",
		w->nodes[1].err.text);
	w_leave(w, 1);
	w_step(w, 2, (struct clu_event){ .kind = CLU_EV_QUORUM, .value = false });
	w_event(w, 2, CLU_EV_TAKE_TOKEN);
	ok(w->nodes[2].taken == 1 && w->nodes[2].taken_rc < 0, "none begins without quorum: %s", w->nodes[2].err.text);
	w_end(w);
	return tap_end();
}
