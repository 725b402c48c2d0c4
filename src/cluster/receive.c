/* Messages of others: in the order in which they came, one after the other.
 *
 * Noted at once, whatever is being processed: answers to our own message, who leaves, who is dead for sure. Everything
 * else waits for its turn, and is acknowledged after it was processed: superblocks were read, a disk was seen. One
 * thing must not hold up the next: that writes in a range end (RESYNCING). These may wait for a failure to be recorded,
 * and so for answers to a later message; the acknowledgement is kept aside until the range is left alone (pump_drains).
 *
 * What came before our HELLO is *old*: superblocks were read under the token since, ranges come with the answers, and
 * whoever joined then and waits for us is dead or has given up (we have the token). It is acknowledged, no more. What
 * comes between HELLO and UP waits for UP; nothing that a joiner waits for waits for that.
 *
 * Before a newcomer is acknowledged superblocks are read: it has done so, and what a dead node left there must not be
 * known to some only. Messages that cannot be decoded are noted and have no effect: no answer, no write.
 *
 * Laws: C2 (a newcomer in a dead node's slot answers for its bits), C3, C4, C6. */
#include "cluster/inside.h"

#include "base/mem.h"

#include <errno.h>

/* ---- as they come ---- */

static void keep(struct clu *c, uint64_t from, const struct clu_message *m)
{
	struct clu_mail *mail = c->mail_count < CLU_MAIL_MAX ? mem_new(1, sizeof *mail) : NULL;
	struct err err;

	if (!mail) {
		err_set(&err, -ENOMEM, "a message %s cannot be kept beside %u that wait: this node leaves the "
			"cluster, the others go on", clu_message_name(m->type), c->mail_count);
		clu_lose(c, &err);
		return;
	}
	mail->from = from;
	mail->is_old = !c->is_hello_delivered;
	mail->m = *m;
	list_append(&c->mail, &mail->link);
	c->mail_count++;
}

void clu_mail_drop(struct clu *c, struct clu_mail *mail)
{
	list_remove(&mail->link);
	c->mail_count--;
	mem_free(mail);
}

static void leaver_came(struct clu *c, uint64_t from)
{
	struct clu_group_member *member = clu_member(c, from);
	uint32_t slot = clu_slot_of(c, from);

	if (member)
		member->has_left = true;
	if (slot != CLU_NO_SLOT)
		c->slots[slot].has_left = true;
	clu_wait_no_more(c, from);
}

/* Does it speak of the slot's owner as we know it? Who came after that one's death names nobody (0): in the order of
 * messages that node had left before. */
static bool is_of_owner(const struct clu_slot *s, const struct clu_message *m)
{
	if (m->to_node)
		return s->node_id == m->to_node;
	return s->state == CLU_P_GONE || s->state == CLU_P_LEAVING || s->state == CLU_P_TAKING;
}

static void note_dead(struct clu *c, const struct clu_message *m)
{
	struct clu_slot *s = &c->slots[m->number];

	if (!is_of_owner(s, m) || (s->state != CLU_P_GONE && s->state != CLU_P_UP && s->state != CLU_P_LEAVING))
		return;
	s->is_dead = true;
	clu_wait_no_more(c, s->node_id);
}

static void dead_came(struct clu *c, const struct clu_message *m)
{
	struct clu_slot *s = &c->slots[m->number];

	if (s->state == CLU_P_UNKNOWN)		/* a newer owner would have said hello to us */
		s->writes_no_more |= c->is_hello_delivered;
	note_dead(c, m);
}

void clu_message_came(struct clu *c, uint64_t from, const uint8_t *data, size_t len_bytes)
{
	struct clu_message m;
	struct err err;

	if (clu_message_decode(data, len_bytes, &m, &err) < 0) {
		clu_note(c, "%s", err.text);
		return;
	}
	if (m.type == CLU_M_ACK) {
		clu_ack_came(c, from, &m);
		return;
	}
	if (m.type == CLU_M_DEAD)
		dead_came(c, &m);
	if (m.type == CLU_M_HELLO && m.slot != CLU_NO_SLOT)
		clu_said_hello(c, from);
	if (from == c->config.node_id) {
		clu_own_came(c, &m);
		if (m.type != CLU_M_DEAD)
			return;
	}
	if (m.type == CLU_M_BYE || m.type == CLU_M_BITMAP_NEEDS_SYNC)
		leaver_came(c, from);
	keep(c, from, &m);
}

/* ---- in their turn ---- */

static void done(struct clu *c, struct clu_mail *mail)
{
	c->messages_processed++;
	clu_mail_drop(c, mail);
}

static void acknowledge(struct clu *c, uint64_t to_node, uint64_t to_seq, int rc)
{
	struct clu_message m = { .type = CLU_M_ACK, .to_node = to_node, .to_seq = to_seq, .rc = rc };

	text_fit(m.name, sizeof m.name, "%s", c->config.name);
	clu_send(c, &m);
}

static bool answer(struct clu *c, struct clu_mail *mail, int rc)
{
	acknowledge(c, mail->from, mail->m.seq, rc);
	done(c, mail);
	return true;
}

/* Members that are not up: a newcomer, who has not heard who said hello, need not wait for them. */
static uint32_t list_silent(const struct clu *c, uint64_t newcomer, uint64_t ret[CLU_SILENT_MAX])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->group_count && count < CLU_SILENT_MAX; i++)
		if (!c->group[i].has_hello && c->group[i].node_id != newcomer &&
		    c->group[i].node_id != c->config.node_id)
			ret[count++] = c->group[i].node_id;
	return count;
}

static void answer_hello(struct clu *c, struct clu_mail *mail)
{
	struct clu_message m = { .type = CLU_M_ACK, .to_node = mail->from, .to_seq = mail->m.seq };

	text_fit(m.name, sizeof m.name, "%s", c->config.name);
	for (uint32_t slot = 0; slot < c->config.nodes && c->view.is_there; slot++) {
		const struct clu_range *range = slot == c->slot ? &c->range : &c->slots[slot].range;

		if (range->high)
			m.ranges[m.range_count++] = (struct clu_range){ slot, range->low, range->high };
		if (c->slots[slot].state == CLU_P_NONE)
			m.looked |= 1ull << slot;
		if (clu_writes_no_more(&c->slots[slot]))
			m.dead |= 1ull << slot;
	}
	if (c->view.is_there) {
		m.pin_count = arr_get_pins(c->a, m.pins);
		m.spare_count = arr_get_spares(c->a, m.spares);
	}
	m.silent_count = list_silent(c, mail->from, m.silent);
	clu_send(c, &m);
	done(c, mail);
}

/* Superblocks were read since this message came. Asks for that; false: not yet. @is_left_by_dead: what is new there was
 * never announced. */
static bool is_reloaded(struct clu *c, struct clu_mail *mail, bool is_left_by_dead)
{
	if (!c->view.is_there)
		return true;
	if (mail->is_reload_asked)
		return !c->view.is_reloading;
	mail->is_reload_asked = true;
	clu_ask_array(c, (struct arr_event){
		.kind = ARR_EV_RELOAD,
		.value = is_left_by_dead,
		.events = mail->m.type == CLU_M_METADATA_UPDATED ? mail->m.low : 0,
		.number = mail->m.number,
	});
	return false;
}

/* A range ends whose node is dead: the slot has a new owner. False: the array was asked. */
static bool is_range_ended(struct clu *c, uint32_t slot)
{
	if (!c->view.is_there || !c->slots[slot].range.high)
		return true;
	clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_SUSPEND, .node = slot });
	return false;
}

static bool process_hello(struct clu *c, struct clu_mail *mail)
{
	uint32_t slot = mail->m.slot;
	struct err err;

	if (slot == CLU_NO_SLOT) {			/* it found none, and asks who has them */
		answer_hello(c, mail);
		return true;
	}
	if (slot >= c->config.nodes)
		return answer(c, mail, -ERANGE);
	if (slot == c->slot) {
		err_set(&err, -ESHUTDOWN, "node %s has slot %u now, which was this node's: nothing is written by this "
			"one any more", mail->m.name, slot);
		clu_lose(c, &err);
		return true;
	}
	if (c->slots[slot].lock == CLU_L_HELD)		/* it is away again, and its lock was granted to us */
		return answer(c, mail, -EBUSY);
	if (!is_reloaded(c, mail, true) || !is_range_ended(c, slot))
		return c->is_array_asked;
	if (c->slots[slot].lock == CLU_L_ASKED && c->gather.lock != slot) {	/* that one does not queue */
		clu_ask(c, CLU_ASK_CANCEL)->lock = clu_slot_lock(slot);
		c->slots[slot].lock = CLU_L_CANCELLED;
	}
	clu_note(c, "node %s joins with slot %u", mail->m.name, slot);
	clu_owner_came(c, slot, mail->from, mail->m.name);
	answer_hello(c, mail);
	return true;
}

/* Whose range is it? Of a dead node, whose slot was looked at since, none is taken any more. */
static bool may_suspend(struct clu *c, const struct clu_mail *mail)
{
	uint32_t slot = mail->m.slot;
	const struct clu_slot *s;

	if (slot >= c->config.nodes || slot == c->slot)
		return false;
	s = &c->slots[slot];
	if (s->state == CLU_P_UNKNOWN)
		return true;
	return s->node_id == mail->from && (s->state == CLU_P_UP || s->state == CLU_P_GONE);
}

static bool process_resyncing(struct clu *c, struct clu_mail *mail)
{
	const struct clu_message *m = &mail->m;
	struct clu_slot *s;

	if (!c->view.is_there || !may_suspend(c, mail))
		return answer(c, mail, 0);
	s = &c->slots[m->slot];
	if (s->state == CLU_P_UNKNOWN)			/* it was up before us, and gone before it answered our HELLO */
		clu_owner_came(c, m->slot, mail->from, m->name);
	s->drain_seq = m->seq;
	clu_ask_array(c, (struct arr_event){
		.kind = ARR_EV_SUSPEND, .node = m->slot, .at = { m->low }, .len_bytes = m->high - m->low });
	done(c, mail);
	return true;
}

static bool process_disk(struct clu *c, struct clu_mail *mail)
{
	bool is_offer = mail->m.type != CLU_M_REMOVE;

	if (!c->view.is_there || c->view.is_stopping)
		return answer(c, mail, 0);
	if (mail->is_seen) {
		if (is_offer && !mail->seen_rc)
			clu_offer_came(c, mail);
		return answer(c, mail, mail->seen_rc);
	}
	if (mail->is_seeing || c->offer.is_forgetting || (is_offer && clu_offer_is_open(c)))
		return false;
	mail->is_seeing = true;
	clu_ask(c, mail->m.type == CLU_M_REMOVE ? CLU_ASK_FORGET : CLU_ASK_SEE)->message = &mail->m;
	return true;
}

static bool process_leaver(struct clu *c, struct clu_mail *mail)
{
	uint32_t slot = clu_slot_of(c, mail->from);

	if (slot != CLU_NO_SLOT && c->slots[slot].state == CLU_P_UP)
		clu_owner_went(c, slot, CLU_P_LEAVING);
	done(c, mail);
	return true;
}

/* Once more in its turn: when it came, the hello of whom it speaks may have waited to be processed. */
static bool process_dead(struct clu *c, struct clu_mail *mail)
{
	struct clu_slot *s = &c->slots[mail->m.number];

	note_dead(c, &mail->m);
	if (is_of_owner(s, &mail->m) && !s->is_read) {
		if (!is_reloaded(c, mail, true))
			return c->is_array_asked;
		s->is_read = true;
	}
	done(c, mail);
	return true;
}

static bool process(struct clu *c, struct clu_mail *mail)
{
	switch (mail->m.type) {
	case CLU_M_METADATA_UPDATED:
		if (!is_reloaded(c, mail, false))
			return c->is_array_asked;
		return answer(c, mail, 0);
	case CLU_M_RESYNCING:
		return process_resyncing(c, mail);
	case CLU_M_NEWDISK:
	case CLU_M_RE_ADD:
	case CLU_M_REMOVE:
		return process_disk(c, mail);
	case CLU_M_BITMAP_NEEDS_SYNC:
	case CLU_M_BYE:
		return process_leaver(c, mail);
	case CLU_M_HELLO:
		return process_hello(c, mail);
	case CLU_M_DEAD:
		return process_dead(c, mail);
	default:
		clu_note(c, "a message %s is not supported: it was answered so", clu_message_name(mail->m.type));
		return answer(c, mail, -EOPNOTSUPP);
	}
}

/* Has it an answer at all? */
static bool is_answered(enum clu_message_type type)
{
	return type != CLU_M_BITMAP_NEEDS_SYNC && type != CLU_M_BYE && type != CLU_M_DEAD;
}

bool clu_pump_mail(struct clu *c)
{
	struct clu_mail *mail;

	if (list_is_empty(&c->mail))
		return false;
	mail = list_entry(c->mail.next, struct clu_mail, link);
	if (!mail->is_old)
		return c->state == CLU_UP && process(c, mail);
	if (is_answered(mail->m.type))
		return answer(c, mail, 0);
	done(c, mail);
	return true;
}

void clu_seen_came(struct clu *c, int rc)
{
	struct clu_mail *mail;

	if (clu_offer_forgotten(c))
		return;
	list_for_each(mail, &c->mail, link)
		if (mail->is_seeing && !mail->is_seen) {
			mail->is_seen = true;
			mail->seen_rc = rc < 0 ? -err_errno(rc) : 0;
		}
}

/* Ranges that are left alone by now: their nodes may copy there. */
bool clu_pump_drains(struct clu *c)
{
	for (uint32_t slot = 0; slot < c->config.nodes; slot++) {
		struct clu_slot *s = &c->slots[slot];

		if (!s->drain_seq || (c->view.is_there && !arr_is_left_alone(c->a, slot)))
			continue;
		acknowledge(c, s->node_id, s->drain_seq, 0);
		s->drain_seq = 0;
		return true;
	}
	return false;
}
