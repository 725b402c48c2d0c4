/* What stops a node: no quorum, loss, a broken array, the end.
 *
 * Without quorum the array is held at once and nothing is asked of the engine; what comes meanwhile is noted, and done
 * when quorum is back: our locks never left us. LOST is for good: the array is told, so are the clients, and the locks
 * stay ours until the last write that is under way has ended and the hands say so (CLU_EV_LEAVE), or the others fence
 * us.
 *
 * Leaving in order: the array has stopped. With work undone the others are asked to take the slot as if we had died
 * (BITMAP_NEEDS_SYNC); else BYE, and they look at it all the same.
 *
 * Laws: C5, I9 (every state has a way to the end). */
#include "cluster/inside.h"

#include <errno.h>

void clu_lose(struct clu *c, const struct err *err)
{
	if (c->state == CLU_LOST || c->state == CLU_OUT)
		return;
	clu_errand_refuse(c, "this node has lost the cluster");
	clu_ask(c, CLU_ASK_FAILED)->err = *err;
	c->is_failed_told = true;
	c->state = CLU_LOST;
	clu_note(c, "%s", err->text);
}

/* The array cannot write everywhere from here: the others go on without this node. */
static void fail_if_broken(struct clu *c)
{
	struct clu_ask *ask;

	if (!c->view.is_broken || c->is_failed_told || c->state != CLU_UP)
		return;
	c->is_failed_told = true;
	clu_errand_refuse(c, "the array is broken here");
	ask = clu_ask(c, CLU_ASK_FAILED);
	err_set(&ask->err, -EIO, "node %s leaves the cluster: it cannot write all members that the array has now; the "
		"other nodes go on, and a start with working members joins again", c->config.name);
	clu_note(c, "%s", ask->err.text);
}

static bool is_held(const struct clu *c)
{
	return c->state != CLU_UP;
}

bool clu_pump_hold(struct clu *c)
{
	if (c->state == CLU_UP && c->is_without_quorum) {
		c->state = CLU_HELD;
		clu_note(c, "the cluster has no quorum: nothing is written until it is back");
	} else if (c->state == CLU_HELD && !c->is_without_quorum) {
		c->state = CLU_UP;
		clu_note(c, "the cluster has quorum again");
	}
	fail_if_broken(c);
	if (!c->view.is_there)
		return false;
	if (c->state == CLU_LOST) {
		if (!c->is_lost_told) {
			c->is_lost_told = true;
			clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_LOST });
			return true;
		}
		return false;
	}
	if (c->is_hold_told == is_held(c) || c->state == CLU_OUT)
		return false;
	c->is_hold_told = is_held(c);
	clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_HOLD, .value = c->is_hold_told });
	return true;
}

static void say_farewell(struct clu *c)
{
	struct clu_message m = { .type = c->leaves_work ? CLU_M_BITMAP_NEEDS_SYNC : CLU_M_BYE };

	clu_send(c, &m);
	for (uint32_t slot = 0; slot < c->config.nodes; slot++)
		if (c->slots[slot].lock == CLU_L_HELD)
			clu_ask_unlock(c, clu_slot_lock(slot));
	if (c->resync == CLU_L_HELD)
		clu_ask_unlock(c, (struct clu_lock){ .kind = CLU_LOCK_RESYNC });
	if (c->token == CLU_L_HELD)
		clu_ask_unlock(c, (struct clu_lock){ .kind = CLU_LOCK_TOKEN });
}

/* A stop that cannot end, since the array is held: what waits there ends as if all were lost. */
static void end_array(struct clu *c)
{
	if (c->state == CLU_LOST)
		return;
	clu_errand_refuse(c, "this node leaves");
	c->state = CLU_LOST;
	clu_note(c, "this node leaves at once: what was not written is not written any more");
}

void clu_leave(struct clu *c)
{
	if (c->is_over)
		return;
	if (c->view.is_there) {
		end_array(c);
		return;
	}
	c->is_over = true;
	clu_errand_refuse(c, "this node leaves");
	if (c->state == CLU_OUT)
		return;
	if (c->state == CLU_UP && !c->is_without_quorum)
		say_farewell(c);
	clu_ask(c, CLU_ASK_GOODBYE);
	if (c->state == CLU_LOST)
		return;
	c->state = CLU_OUT;
	clu_note(c, "this node has left%s", c->leaves_work ? " with work undone: its slot is taken over" : "");
}
