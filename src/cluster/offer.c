/* Disks that others offer, until superblocks know them.
 *
 * Who adds a disk asks all others whether they see it (NEWDISK, RE_ADD), and records it when all have said yes. It is a
 * spare here meanwhile. An adder that dies, leaves, or goes on to something else in between has some nodes with that
 * spare, and some without: it is let go again, or its number would be refused when somebody adds it once more.
 *
 *     seen -> recorded (a superblock knows it), or removed by its adder: over
 *          -> its adder's errand has ended: superblocks are read -> not known: FORGET -> over
 *
 * There is one at a time, since the adder has the token: another offer says that the errand before has ended. A spare
 * that a joiner has by its superblock, and that no node that is up named in its answer, is let go in the same way: its
 * adder ended before we came, or it was taken out.
 *
 * Laws: C6 (who is in no superblock is used by nobody), I9. */
#include "cluster/inside.h"

void clu_offer_came(struct clu *c, const struct clu_mail *mail)
{
	c->offer.is_on = true;
	c->offer.is_over = c->offer.is_read_asked = false;
	c->offer.node_id = mail->from;
	c->offer.forget = (struct clu_message){ .type = CLU_M_REMOVE, .number = mail->m.number };
}

static bool is_adder_over(const struct clu *c)
{
	uint32_t slot = clu_slot_of(c, c->offer.node_id);
	const struct clu_slot *s = &c->slots[slot == CLU_NO_SLOT ? 0 : slot];

	return c->offer.is_over || slot == CLU_NO_SLOT || s->state == CLU_P_LEAVING || s->state == CLU_P_TAKING ||
	       (s->state == CLU_P_GONE && s->is_dead);
}

/* The hands look at one disk at a time. @or_seen: what they saw is not noted yet, either. */
static bool is_seeing(const struct clu *c, bool or_seen)
{
	const struct clu_mail *mail;

	list_for_each(mail, &c->mail, link)
		if (mail->is_seeing && (or_seen || !mail->is_seen))
			return true;
	return false;
}

/* One that nobody offers: superblocks call it a spare, and no node that was up when we joined did. */
static bool find_unknown(struct clu *c)
{
	if (!c->view.is_there || c->view.is_stopping || c->view.is_broken || is_seeing(c, true) ||
	    !arr_offered(c->a, &c->offer.forget.number))
		return false;
	c->offer.forget.type = CLU_M_REMOVE;
	c->offer.is_on = c->offer.is_over = true;
	c->offer.is_read_asked = false;
	c->offer.node_id = 0;
	return true;
}

bool clu_offer_is_open(struct clu *c)
{
	c->offer.is_over |= c->offer.is_on;
	return c->offer.is_on;
}

bool clu_pump_offer(struct clu *c)
{
	if (c->offer.is_forgetting || c->state != CLU_UP)
		return false;
	if (!c->offer.is_on)
		return find_unknown(c);
	if (!c->view.is_there || c->view.is_stopping || !arr_is_offered(c->a, c->offer.forget.number)) {
		c->offer.is_on = false;
		return true;
	}
	if (!is_adder_over(c))
		return false;
	if (!c->offer.is_read_asked) {
		c->offer.is_read_asked = true;
		clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_RELOAD, .value = true });
		return true;
	}
	if (c->view.is_reloading || is_seeing(c, false))
		return false;
	c->offer.is_forgetting = true;
	clu_ask(c, CLU_ASK_FORGET)->message = &c->offer.forget;
	clu_note(c, "device %u is let go: %s", c->offer.forget.number, c->offer.node_id ?
		"who added it has ended before it was recorded" : "by no other node is it a spare any more");
	return true;
}

bool clu_offer_forgotten(struct clu *c)
{
	bool was_forgetting = c->offer.is_forgetting;

	if (was_forgetting)
		c->offer.is_on = c->offer.is_forgetting = false;
	return was_forgetting;
}
