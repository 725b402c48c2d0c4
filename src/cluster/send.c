/* Our one synchronous message: until all have processed it.
 *
 * It is done when every node that was a member when it was delivered has acknowledged it, or left in order, or is dead
 * for sure. That it was delivered we hear as everybody does: it comes back. Who was gone by then but is not dead for
 * sure may still write, so it is waited for as well.
 *
 * Who has not said hello by then is not: it has nothing open, will write nothing before all have answered it, and what
 * it must know of our message comes with these answers, or is on the members when it reads them. It may have stopped
 * for hours before its first word. Our own hello waits for everybody, since we cannot tell who was up before us, until
 * one who is up has told who is not.
 *
 *     say -> sent -> came back: who must answer -> ACK, BYE, DEAD, granted lock of the gone -> over
 *
 * Laws: C6 (a failure is acknowledged by all before anybody hears of success), C3 (a range is left alone by all).
 * Left out: time. A node that hangs holds the others up until the engine takes it out of the group. */
#include "cluster/inside.h"

#include "base/law.h"

void clu_say(struct clu *c, const struct clu_message *m)
{
	struct clu_sending *s = &c->sending;

	MUST(!s->is_on);
	memset(s, 0, sizeof *s);
	s->is_on = true;
	s->m = *m;
	clu_send(c, &s->m);
}

static void wait_for(struct clu_sending *s, uint64_t node_id, uint32_t slot)
{
	for (uint32_t i = 0; i < s->wait_count; i++)
		if (s->waits[i].node_id == node_id)
			return;
	s->waits[s->wait_count++] = (struct clu_wait){ node_id, slot };
}

static void is_delivered(struct clu *c)
{
	struct clu_sending *s = &c->sending;

	s->is_delivered = true;
	for (uint32_t i = 0; i < c->group_count; i++)
		if (c->group[i].node_id != c->config.node_id && !c->group[i].has_left &&
		    (c->group[i].has_hello || s->m.type == CLU_M_HELLO))
			wait_for(s, c->group[i].node_id, clu_slot_of(c, c->group[i].node_id));
	for (uint32_t slot = 0; slot < c->config.nodes; slot++)
		if (c->slots[slot].state == CLU_P_GONE && !c->slots[slot].is_dead && c->slots[slot].node_id)
			wait_for(s, c->slots[slot].node_id, slot);
	c->is_hello_delivered |= s->m.type == CLU_M_HELLO && c->slot != CLU_NO_SLOT;
	if (s->m.type == CLU_M_RESYNCING)
		c->range = (struct clu_range){ c->slot, s->m.low, s->m.high };
}

void clu_own_came(struct clu *c, const struct clu_message *m)
{
	if (c->sending.is_on && !c->sending.is_delivered && m->seq == c->sending.m.seq)
		is_delivered(c);
}

void clu_wait_no_more(struct clu *c, uint64_t node_id)
{
	struct clu_sending *s = &c->sending;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->wait_count; i++)
		if (s->waits[i].node_id != node_id)
			s->waits[kept++] = s->waits[i];
	s->wait_count = kept;
}

void clu_wait_review(struct clu *c)
{
	struct clu_sending *s = &c->sending;

	for (uint32_t i = s->wait_count; i-- > 0;) {
		uint64_t node_id = s->waits[i].node_id;
		uint32_t slot = clu_slot_of(c, node_id);

		if (!clu_member(c, node_id) && (slot == CLU_NO_SLOT || c->slots[slot].is_dead))
			clu_wait_no_more(c, node_id);
	}
}

void clu_ack_came(struct clu *c, uint64_t from, const struct clu_message *m)
{
	struct clu_sending *s = &c->sending;

	if (m->to_node != c->config.node_id || !s->is_on || !s->is_delivered || m->to_seq != s->m.seq)
		return;
	if (m->rc < 0 && s->rc == 0) {
		s->rc = m->rc;
		text_fit(s->refused_by, sizeof s->refused_by, "%s", m->name);
	}
	if (s->m.type == CLU_M_HELLO)
		clu_hello_acked(c, from, m);
	clu_wait_no_more(c, from);
}

/* It is over: whoever said it goes on. */
static void is_over(struct clu *c)
{
	struct clu_sending *s = &c->sending;

	s->is_on = false;
	switch (s->m.type) {
	case CLU_M_HELLO:
		clu_join_ends(c);
		break;
	case CLU_M_METADATA_UPDATED:
		c->is_announced = true;
		break;
	case CLU_M_RESYNCING:
		c->is_window_told = true;
		break;
	case CLU_M_NEWDISK:
	case CLU_M_RE_ADD:
	case CLU_M_REMOVE:
		clu_told(c);
		break;
	default:
		break;
	}
}

bool clu_pump_send(struct clu *c)
{
	struct clu_sending *s = &c->sending;

	if (!s->is_on || !s->is_delivered || s->wait_count)
		return false;
	is_over(c);
	return true;
}
