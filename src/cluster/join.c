/* Joining: from OUT to UP.
 *
 *     GROUP   a member of the group: all messages from here on are heard
 *     TOKEN   nobody joins beside us, nobody writes superblocks. Not queued for: granted to a joiner that has stopped,
 *             it would be wanting to all who are up
 *     SLOT    locks 0, 1, 2, ... without queueing: the first one granted is ours, for life
 *     LOAD    the hands judge the members (nobody changes what they say), read the slot, make the array; it is held
 *     HELLO   all others are told; their answers tell ranges that are left alone, pins, slots that need no look
 *     UP      the token is given back, the array is let go, other slots are looked at (recover.c)
 *
 * All slots refused: others are asked who has them (HELLO without a slot). As many owners as slots: the joiner is
 * refused. Fewer: somebody has a dead node's slot for the moment, and may need the token to finish: it is given back,
 * and asked for again a little later.
 *
 * Who has a slot that nobody in the group answers for, and copies there, is not known to a first node: nothing is
 * written until each slot was looked at (its range is the whole array). To a later one the answers say what the others
 * suspend; where all others have stopped their arrays, and wait to leave, they suspend nothing, and it is a first one.
 *
 * By its superblock a disk is a spare also when its adder died before it recorded it, or when it was taken out since: a
 * later node that gave it a slot would have all others leave, who have not got it. So the answers tell spares as well;
 * one that nobody names is let go (offer.c). Where nobody is up superblocks are believed.
 *
 * Laws: C3, C4 (C5: nothing is written to a member before UP). */
#include "cluster/inside.h"

#include <errno.h>

#include "base/law.h"

static const struct clu_lock token_lock = { .kind = CLU_LOCK_TOKEN };

void clu_join_begins(struct clu *c)
{
	if (c->state != CLU_OUT || c->is_over)
		return;
	c->state = CLU_GROUP;
	c->join_until_ms = c->now_ms + CLU_JOIN_MS;
	c->is_group_asked = false;
}

void clu_refuse(struct clu *c, const struct err *err)
{
	clu_ask(c, CLU_ASK_GOODBYE);
	clu_ask(c, CLU_ASK_REFUSED)->err = *err;
	clu_note(c, "%s", err->text);
	c->state = CLU_OUT;
	c->is_over = true;
}

/* ---- GROUP, TOKEN ---- */

static bool pump_group(struct clu *c)
{
	if (!c->is_group_asked) {
		c->is_group_asked = true;
		clu_ask(c, CLU_ASK_GROUP);
		return true;
	}
	if (!c->was_in_group)
		return false;
	c->state = CLU_TOKEN;
	return true;
}

static bool pump_token(struct clu *c)
{
	if (c->token == CLU_L_NONE && c->join_again_ms <= c->now_ms) {
		c->token = CLU_L_ASKED;
		c->join_again_ms = c->now_ms + CLU_JOIN_AGAIN_MS;
		clu_ask_lock(c, token_lock, false);
		return true;
	}
	if (c->token != CLU_L_HELD)
		return false;
	c->state = CLU_SLOT;
	c->try_slot = 0;
	return true;
}

/* ---- SLOT ---- */

static void ask_for_owners(struct clu *c)
{
	struct clu_message m = { .type = CLU_M_HELLO };

	text_fit(m.name, sizeof m.name, "%s", c->config.name);
	c->hello.is_over = false;
	c->hello.owners = 0;
	c->is_owners_asked = true;
	clu_say(c, &m);
}

static void all_slots_refused(struct clu *c)
{
	uint32_t owners = c->hello.owners;
	struct err err;

	c->is_owners_asked = false;
	if (owners >= c->config.nodes) {
		err_set(&err, -ERANGE, "node %s is not let in: %u nodes are up already, the bitmap has %u slots; one "
			"of them must leave, or the array be made with more", c->config.name, owners,
			c->config.nodes);
		clu_refuse(c, &err);
	} else if (c->now_ms >= c->join_until_ms) {
		err_set(&err, -ERANGE, "node %s is not let in: none of %u slots was free within %u s, though only %u "
			"nodes are up; a slot is free when its node is known to be dead",
			c->config.name,
			c->config.nodes, CLU_JOIN_MS / 1000, owners);
		clu_refuse(c, &err);
	} else {
		clu_ask_unlock(c, token_lock);
		c->token = CLU_L_NONE;
		c->state = CLU_TOKEN;
		c->join_again_ms = c->now_ms + CLU_JOIN_AGAIN_MS;
	}
}

static void load(struct clu *c, uint32_t slot)
{
	LAW(C4, c->slots[slot].lock == CLU_L_HELD);
	c->slot = slot;
	c->slots[slot].state = CLU_P_US;
	c->slots[slot].node_id = c->config.node_id;
	text_fit(c->slots[slot].name, sizeof c->slots[slot].name, "%s", c->config.name);
	c->state = CLU_LOAD;
	clu_ask(c, CLU_ASK_LOAD)->slot = slot;
	clu_note(c, "this node has slot %u", slot);
}

static bool pump_slot(struct clu *c)
{
	struct clu_slot *s;

	if (c->try_slot >= c->config.nodes) {
		if (c->is_owners_asked && !c->hello.is_over)
			return false;
		(c->is_owners_asked ? all_slots_refused : ask_for_owners)(c);
		return true;
	}
	s = &c->slots[c->try_slot];
	if (s->lock == CLU_L_HELD) {
		load(c, c->try_slot);
		return true;
	}
	if (s->lock == CLU_L_ASKED)
		return false;
	if (!c->is_try_asked) {
		c->is_try_asked = true;
		s->lock = CLU_L_ASKED;
		clu_ask_lock(c, clu_slot_lock(c->try_slot), false);
	} else {
		c->is_try_asked = false;
		c->try_slot++;
	}
	return true;
}

/* ---- LOAD, HELLO ---- */

void clu_loaded_came(struct clu *c, int rc)
{
	struct err err;

	if (c->state != CLU_LOAD)
		return;
	if (rc < 0) {
		err_set(&err, rc, "node %s does not join: its members cannot be started (%s)", c->config.name,
			err_sentence(rc));
		clu_refuse(c, &err);
		return;
	}
	c->state = CLU_HELLO;
}

/* What any node that is up counts among its spares. */
static void know_spare(struct clu *c, uint32_t number)
{
	for (uint32_t i = 0; i < c->hello.spare_count; i++)
		if (c->hello.spares[i] == number)
			return;
	if (c->hello.spare_count < ARR_MEMBERS_MAX)
		c->hello.spares[c->hello.spare_count++] = number;
}

void clu_hello_acked(struct clu *c, uint64_t from, const struct clu_message *ack)
{
	c->hello.owners += ack->slot < c->config.nodes;
	if (ack->slot < c->config.nodes)
		clu_said_hello(c, from);
	for (uint32_t i = 0; i < ack->silent_count; i++)
		clu_wait_no_more(c, ack->silent[i]);
	if (c->slot == CLU_NO_SLOT)
		return;
	if (ack->slot < c->config.nodes && ack->slot != c->slot && ack->rc == 0)
		clu_owner_came(c, ack->slot, from, ack->name);
	for (uint32_t i = 0; i < ack->range_count; i++) {
		uint32_t slot = ack->ranges[i].slot;

		if (slot < c->config.nodes && slot != c->slot && !c->hello.is_of_owner[slot])
			c->hello.ranges[slot] = ack->ranges[i];
		if (slot < c->config.nodes)
			c->hello.is_of_owner[slot] |= slot == ack->slot;
	}
	c->hello.looked |= ack->looked;
	c->hello.dead |= ack->dead;
	c->hello.is_told |= ack->pin_count != 0;
	if (ack->pin_count > c->hello.pin_count) {
		c->hello.pin_count = ack->pin_count;
		memcpy(c->hello.pins, ack->pins, sizeof c->hello.pins);
	}
	for (uint32_t i = 0; i < ack->spare_count; i++)
		know_spare(c, ack->spares[i]);
}

void clu_join_ends(struct clu *c)
{
	c->hello.is_over = true;
}

/* The next range that the array leaves alone from the start. False: that was the last. */
static bool suspend_next(struct clu *c)
{
	for (bool is_alone = !c->hello.is_told; c->hello.next_range < c->config.nodes;) {
		uint32_t slot = c->hello.next_range++;
		struct clu_range range = c->hello.ranges[slot];

		if (slot == c->slot)
			continue;
		if (is_alone && c->slots[slot].state == CLU_P_UNKNOWN)
			range = (struct clu_range){ slot, 0, c->view.size_bytes };
		if (!range.high)
			continue;
		clu_ask_array(c, (struct arr_event){
			.kind = ARR_EV_SUSPEND, .node = slot, .at = { range.low },
				.len_bytes = range.high - range.low });
		return true;
	}
	return false;
}

static void be_up(struct clu *c)
{
	struct clu_ask *ask;

	for (uint32_t slot = 0; slot < c->config.nodes; slot++) {
		struct clu_slot *s = &c->slots[slot];

		if (s->state != CLU_P_UNKNOWN)
			continue;
		s->writes_no_more |= c->hello.dead >> slot & 1;
		if (c->hello.looked >> slot & 1 && !c->hello.ranges[slot].high)
			s->state = CLU_P_NONE;
	}
	if (c->hello.pin_count) {
		ask = clu_ask(c, CLU_ASK_PINS);
		ask->pins = c->hello.pins;
		ask->pin_count = c->hello.pin_count;
		ask->spares = c->hello.spares;
		ask->spare_count = c->hello.spare_count;
	}
	clu_ask_unlock(c, token_lock);
	c->token = CLU_L_NONE;
	c->state = CLU_UP;
	clu_ask(c, CLU_ASK_UP);
	clu_note(c, "this node is up with slot %u of %u", c->slot, c->config.nodes);
}

static bool pump_hello(struct clu *c)
{
	struct clu_message m = { .type = CLU_M_HELLO };
	struct err err;

	if (!c->is_hello_said) {
		c->is_hello_said = true;
		c->hello.is_over = false;
		text_fit(m.name, sizeof m.name, "%s", c->config.name);
		clu_say(c, &m);
		return true;
	}
	if (!c->hello.is_over)
		return false;
	if (c->sending.rc < 0) {
		err_set(&err, c->sending.rc, "node %s is not let in: node %s refused it with slot %u of %u: %s",
			c->config.name, c->sending.refused_by, c->slot, c->config.nodes, err_sentence(c->sending.rc));
		clu_refuse(c, &err);
	} else if (!suspend_next(c)) {
		be_up(c);
	}
	return true;
}

bool clu_pump_join(struct clu *c)
{
	switch (c->state) {
	case CLU_GROUP:
		return pump_group(c);
	case CLU_TOKEN:
		return pump_token(c);
	case CLU_SLOT:
		return pump_slot(c);
	case CLU_HELLO:
		return pump_hello(c);
	default:
		return false;
	}
}
