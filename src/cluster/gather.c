/* Gathering: before a member comes back by bitmap, the bits of all slots are merged into ours.
 *
 * A slot whose lock is had without queueing is nobody's: it is merged and cleared. One that is refused lives: it is
 * merged and keeps its bits. All nodes have acknowledged that the member is back, so what they write now reaches it.
 *
 * Bits may move while we read: a survivor takes a dead node's slot into its own. Had we read the survivor's before and
 * the dead one's after, they would be missed, and the member would be in sync without them. So we begin when all we
 * know of are settled, and end with a *barrier*: a synchronous message without news (RESYNCING of the range that
 * they know, mostly none). A survivor takes a
 * slot only after it heard of the death; before our barrier comes back we have heard of it, too, and then begin anew.
 *
 *     settled -> slot 0, 1, ... [lock -> take -> let go] -> barrier -> settled and nobody went? -> ARR_EV_GATHERED
 *
 * Laws: C1, I2, I8. */
#include "cluster/inside.h"

static void begin(struct clu *c)
{
	memset(&c->gather, 0, sizeof c->gather);
	c->gather.is_on = true;
	c->gather.lock = CLU_NO_SLOT;
	c->gather.departures = c->departures;
}

bool clu_gather_lock_came(struct clu *c, uint32_t slot, int rc)
{
	if (!c->gather.is_on || c->gather.lock != slot)
		return false;
	if (rc < 0)
		c->gather.lock = CLU_NO_SLOT;
	return true;
}

static void take(struct clu *c, bool is_ours)
{
	c->gather.is_taking = true;
	clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_TAKE_SLOT, .node = c->gather.next, .value = is_ours });
}

/* The array has read the slot, or could not. */
static void taken(struct clu *c)
{
	uint32_t slot = c->gather.lock;

	c->gather.is_taking = false;
	if (slot != CLU_NO_SLOT) {
		clu_ask_unlock(c, clu_slot_lock(slot));
		c->slots[slot].lock = CLU_L_NONE;
		c->gather.lock = CLU_NO_SLOT;
	}
	c->gather.is_lock_over = false;
	if (c->view.take == 0)
		c->gather.next++;
	else
		c->gather.again_ms = c->now_ms + CLU_TAKE_AGAIN_MS;
}

/* Next slot: without owner its lock is tried first. */
static bool go_on(struct clu *c)
{
	uint32_t slot = c->gather.next;

	if (c->slots[slot].state == CLU_P_US) {
		c->gather.next++;
		return true;
	}
	if (c->slots[slot].state == CLU_P_NONE && !c->gather.is_lock_over) {
		if (c->slots[slot].lock != CLU_L_NONE)
			return false;			/* a cancelled one: its answer comes */
		c->gather.is_lock_over = true;
		c->gather.lock = slot;
		c->slots[slot].lock = CLU_L_ASKED;
		clu_ask_lock(c, clu_slot_lock(slot), false);
		return true;
	}
	if (c->slots[slot].lock == CLU_L_ASKED && c->gather.lock == slot)
		return false;
	take(c, c->gather.lock == slot);
	return true;
}

static bool end(struct clu *c)
{
	struct clu_message m = { .type = CLU_M_RESYNCING, .low = c->range.low, .high = c->range.high };

	if (!c->gather.is_barrier_sent) {
		if (clu_is_saying(c) || c->is_telling_window)
			return false;
		c->is_window_told = false;
		c->gather.is_barrier_sent = true;
		clu_say(c, &m);
		return true;
	}
	if (!c->is_window_told)
		return false;
	c->is_window_told = false;
	c->gather.is_on = false;
	if (c->gather.departures == c->departures)
		clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_GATHERED });
	return true;
}

/* Not wanted any more, in the middle of it. */
static bool stop(struct clu *c)
{
	if (c->gather.lock != CLU_NO_SLOT && c->slots[c->gather.lock].lock == CLU_L_ASKED)
		return false;
	if (c->gather.is_barrier_sent && !c->is_window_told)
		return false;
	c->is_window_told = false;
	c->gather.lock = CLU_NO_SLOT;			/* a lock that it has is surplus now */
	c->gather.is_on = false;
	return true;
}

bool clu_pump_gather(struct clu *c)
{
	bool is_wanted = c->array_has_sync && c->view.wants.gather && !c->view.is_stopping;

	if (c->gather.is_taking) {
		if (c->view.is_there && c->view.take == ARR_CHANGE_RUNS)
			return false;
		taken(c);
		return true;
	}
	if (c->gather.is_on && !is_wanted)
		return stop(c);
	if (!is_wanted || c->taking != CLU_NO_SLOT || c->gather.again_ms > c->now_ms)
		return false;
	if (!c->gather.is_on) {
		if (!clu_is_settled(c))
			return false;
		begin(c);
	}
	return c->gather.next < c->config.nodes ? go_on(c) : end(c);
}
