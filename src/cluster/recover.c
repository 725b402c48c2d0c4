/* The slots of the dead: asked for, granted, looked at, let go.
 *
 * A slot without a live owner is asked for by every survivor, queueing. The grant, and nothing else, says that its
 * owner writes no more (fencing is the engine's business); the first who has it tells the others (DEAD), for whoever
 * merges bits may wait for a failure to be recorded, which may wait for the dead node's acknowledgement. Then
 *
 *     superblocks are read once (its last ones), then ARR_EV_TAKE_SLOT true, then the lock is let go: NONE
 *
 * one slot at a time. Later survivors find the slot empty; for them, too, its range ends. A newcomer that was faster
 * has the slot, and answers for the bits (receive.c): the request is cancelled.
 *
 * Nobody's slot that nobody we know has (UNKNOWN, after a start) is looked at in the same way. An array that is broken
 * or stopping takes nothing: it gives the lock to those who can.
 *
 * Laws: C2, C4. A slot is never taken without its lock, and never cleared by anything but the array's own order. */
#include "cluster/inside.h"

#include <errno.h>

#include "base/law.h"

static bool wants_lock(const struct clu *c, const struct clu_slot *s)
{
	if (s->lock != CLU_L_NONE || s->is_given_up)
		return false;
	return s->state == CLU_P_GONE || s->state == CLU_P_LEAVING ||
		(s->state == CLU_P_UNKNOWN && s->again_ms <= c->now_ms);
}

bool clu_is_settled(const struct clu *c)
{
	for (uint32_t slot = 0; slot < c->config.nodes; slot++) {
		const struct clu_slot *s = &c->slots[slot];

		if (s->state == CLU_P_UNKNOWN ? !s->is_given_up :
		    s->state == CLU_P_GONE || s->state == CLU_P_LEAVING || s->state == CLU_P_TAKING)
			return false;
	}
	return true;
}

/* ---- locks ---- */

static void granted(struct clu *c, uint32_t slot)
{
	struct clu_slot *s = &c->slots[slot];

	s->lock = CLU_L_HELD;
	if (s->state != CLU_P_UNKNOWN && s->state != CLU_P_GONE && s->state != CLU_P_LEAVING)
		return;					/* nobody needs it any more: let go by pump_dead() */
	s->is_read = s->state == CLU_P_UNKNOWN || s->is_read;
	s->drain_seq = 0;
	if (s->state != CLU_P_UNKNOWN)
		clu_wait_no_more(c, s->node_id);
	s->state = CLU_P_TAKING;
}

void clu_lock_came(struct clu *c, struct clu_lock lock, int rc)
{
	enum clu_hold *hold = lock.kind == CLU_LOCK_TOKEN ? &c->token : lock.kind == CLU_LOCK_RESYNC ? &c->resync :
		lock.slot < c->config.nodes ? &c->slots[lock.slot].lock : NULL;

	if (!hold || (*hold != CLU_L_ASKED && *hold != CLU_L_CANCELLED))
		return;
	if (lock.kind == CLU_LOCK_SLOT && rc == 0 && *hold == CLU_L_ASKED && c->state == CLU_UP &&
	    !clu_gather_lock_came(c, lock.slot, rc)) {
		granted(c, lock.slot);
		return;
	}
	if (lock.kind == CLU_LOCK_SLOT && rc < 0)
		clu_gather_lock_came(c, lock.slot, rc);
	*hold = rc == 0 ? CLU_L_HELD : CLU_L_NONE;
}

static bool is_surplus(const struct clu *c, uint32_t slot)
{
	const struct clu_slot *s = &c->slots[slot];

	return s->lock == CLU_L_HELD && s->state != CLU_P_US && s->state != CLU_P_TAKING && c->gather.lock != slot;
}

static void let_go(struct clu *c, uint32_t slot)
{
	clu_ask_unlock(c, clu_slot_lock(slot));
	c->slots[slot].lock = CLU_L_NONE;
}

/* ---- the dead ---- */

static void tell_dead(struct clu *c, uint32_t slot)
{
	struct clu_slot *s = &c->slots[slot];
	struct clu_message m = { .type = CLU_M_DEAD, .number = slot, .to_node = s->node_id };

	s->is_dead = true;
	clu_send(c, &m);
	if (s->node_id)
		clu_note(c, "node %s (slot %u) %s: its slot is taken over", clu_node_text(c, slot), slot,
			s->has_left ? "has left" : "is dead for sure");
}

/* Of a slot whose owner we never knew the others may know it, and wait for its death. */
static bool may_be_waited_for(const struct clu *c, const struct clu_slot *s)
{
	return s->state == CLU_P_TAKING && !s->is_dead && (s->node_id ? !s->is_read : c->group_count > 1);
}

/* Ask for what nobody has, let go what nobody needs, tell who is dead. */
bool clu_pump_dead(struct clu *c)
{
	bool has_done = false;

	if (c->state != CLU_UP)
		return false;
	for (uint32_t slot = 0; slot < c->config.nodes; slot++) {
		struct clu_slot *s = &c->slots[slot];

		if (is_surplus(c, slot)) {
			let_go(c, slot);
			has_done = true;
		} else if (wants_lock(c, s)) {
			clu_ask_lock(c, clu_slot_lock(slot), true);
			s->lock = CLU_L_ASKED;
			has_done = true;
		} else if (may_be_waited_for(c, s)) {
			tell_dead(c, slot);
			return true;
		}
	}
	return has_done;
}

/* ---- taking ---- */

/* Every survivor looks; the first one takes what is there. */
static void tell_taken(struct clu *c, uint32_t slot)
{
	unsigned long long bits = c->view.take_bits;

	if (bits)
		clu_note(c, "slot %u of node %s is taken over: %llu chunk%s in doubt", slot, clu_node_text(c, slot),
			bits, bits == 1 ? "" : "s");
	else
		clu_note(c, "slot %u of node %s is free: nothing was left in it", slot, clu_node_text(c, slot));
}

static void taken(struct clu *c, uint32_t slot, int rc)
{
	struct clu_slot *s = &c->slots[slot];

	let_go(c, slot);
	if (rc == 0) {
		s->state = CLU_P_NONE;
		if (s->node_id)
			tell_taken(c, slot);
		return;
	}
	s->state = CLU_P_UNKNOWN;
	s->writes_no_more = true;
	s->is_given_up = c->view.is_broken || c->view.is_stopping || !c->view.is_there;
	s->again_ms = c->now_ms + CLU_TAKE_AGAIN_MS;
	clu_note(c, "slot %u could not be taken over (%s)", slot, err_sentence(rc));
}

static bool may_take(const struct clu *c, uint32_t slot)
{
	return c->slots[slot].state == CLU_P_TAKING && c->slots[slot].is_read;
}

bool clu_pump_take(struct clu *c)
{
	uint32_t slot = c->taking;

	if (c->state != CLU_UP || !c->view.is_there || c->view.take == ARR_CHANGE_RUNS || c->gather.is_taking)
		return false;
	if (slot != CLU_NO_SLOT) {
		c->taking = CLU_NO_SLOT;
		taken(c, slot, c->view.take);
		return true;
	}
	for (slot = 0; slot < c->config.nodes; slot++)
		if (may_take(c, slot)) {
			if (c->view.is_broken || c->view.is_stopping) {
				taken(c, slot, -EIO);
				return true;
			}
			LAW(C4, c->slots[slot].lock == CLU_L_HELD);
			c->taking = slot;
			clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_TAKE_SLOT, .node = slot, .value = true });
			return true;
		}
	return false;
}
