/* The token: who has it may write superblocks and change members.
 *
 * The array wants it for a claim, an errand for a change of members; the lock is the same. Granted, the array reads
 * superblocks again first (ARR_EV_TOKEN): whoever had it before may have died between its writes and its message. What
 * the array has written is announced, and is recorded when all others have read it, and when nobody is left who was
 * gone before we came and may still write.
 *
 *     lock -> TOKEN true -> [ claim -> METADATA_UPDATED -> all have answered -> ANNOUNCED ]* -> TOKEN false -> unlock
 *
 * Deadlocks: who waits for the token here waits with nothing that others need but writes in a suspended range, and
 * these are no reason for anybody to keep the token: messages are processed meanwhile (receive.c). Nor does who asks
 * for a range have the token until it is left alone: it could not announce beside that message, and writes in the range
 * may wait for their node to have the token. So it is not asked for then, and given back if it comes all the same.
 *
 * Law: C6. */
#include "cluster/inside.h"

#include <errno.h>

static const struct clu_lock token_lock = { .kind = CLU_LOCK_TOKEN };

/* ---- errands ---- */

static void take_answer(struct clu *c, int rc, const char *why)
{
	struct clu_ask *ask = clu_ask(c, CLU_ASK_TOKEN_TAKEN);

	ask->rc = rc;
	if (rc < 0)
		err_set(&ask->err, rc, "members cannot be changed now: %s", why);
}

static void tell_answer(struct clu *c, int rc, const char *who, const char *why)
{
	struct clu_ask *ask = clu_ask(c, CLU_ASK_TOLD);

	ask->rc = rc;
	if (rc < 0)
		err_set(&ask->err, rc, "%s says: %s; nothing was changed", who, why);
}

void clu_errand_refuse(struct clu *c, const char *why)
{
	if (c->errand == CLU_E_WAITS)
		take_answer(c, -ESHUTDOWN, why);
	if (c->has_tell)
		tell_answer(c, -ESHUTDOWN, "this node", why);
	c->errand = CLU_E_NONE;
	c->has_tell = false;
}

static void take_came(struct clu *c)
{
	if (c->state != CLU_UP || c->is_without_quorum)
		take_answer(c, -EAGAIN, c->state == CLU_UP || c->state == CLU_HELD ? "the cluster has no quorum" :
			"this node is not up");
	else if (c->errand != CLU_E_NONE)
		take_answer(c, -EBUSY, "another change is under way");
	else
		c->errand = CLU_E_WAITS;
}

static void tell_came(struct clu *c, const struct clu_message *m)
{
	if (c->errand != CLU_E_HAS || c->has_tell || !m ||
	    (m->type != CLU_M_NEWDISK && m->type != CLU_M_RE_ADD && m->type != CLU_M_REMOVE)) {
		tell_answer(c, -EINVAL, "this node", "only who has the token tells others of disks");
		return;
	}
	c->is_tell_said = false;
	c->tell = *m;
	c->has_tell = true;
}

void clu_errand_came(struct clu *c, const struct clu_event *ev)
{
	if (ev->kind == CLU_EV_TAKE_TOKEN)
		take_came(c);
	else if (ev->kind == CLU_EV_TELL)
		tell_came(c, ev->message);
	else if (c->errand == CLU_E_WAITS)
		clu_errand_refuse(c, "it was called off");
	else
		c->errand = CLU_E_NONE;
}

void clu_told(struct clu *c)
{
	char who[CLU_NODE_NAME_BYTES + 8];

	text_fit(who, sizeof who, "node %s", c->sending.refused_by);
	c->has_tell = false;
	tell_answer(c, c->sending.rc, who, err_sentence(c->sending.rc));
}

/* ---- the machine ---- */

/* Of whom was gone before we came, and is not dead for sure, we know nothing: it may write to a member whose failure we
 * announce, and read from it what the others have written since. */
static bool may_somebody_not_know(const struct clu *c)
{
	for (uint32_t slot = 0; slot < c->config.nodes; slot++)
		if (c->slots[slot].state == CLU_P_UNKNOWN && !clu_writes_no_more(&c->slots[slot]))
			return true;
	return false;
}

static bool announce(struct clu *c)
{
	const struct clu_message m = {
		.type = CLU_M_METADATA_UPDATED,
		.low = c->view.wants.announce_events,
		.high = c->view.wants.announce_events,
		.number = c->view.wants.announce_number,
	};

	if (c->is_announced) {
		if (may_somebody_not_know(c))
			return false;
		c->is_announcing = c->is_announced = false;
		if (c->view.is_there)
			clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_ANNOUNCED });
		return true;
	}
	if (c->is_announcing || clu_is_saying(c))
		return false;
	c->is_announcing = true;
	clu_say(c, &m);
	return true;
}

/* Before members change all that is known of them is on record: one that is missing, and brought back, must not be
 * believed as it was. */
static bool begin_errand(struct clu *c)
{
	if (c->errand != CLU_E_WAITS || c->view.is_reloading || c->view.is_unrecorded)
		return false;
	c->errand = CLU_E_HAS;
	take_answer(c, 0, NULL);
	return true;
}

static bool tell_others(struct clu *c)
{
	if (!c->has_tell || c->is_tell_said || clu_is_saying(c))
		return false;
	c->is_tell_said = true;
	clu_say(c, &c->tell);
	return true;
}

static bool give_back(struct clu *c)
{
	if (c->array_has_token) {
		if (c->view.is_there && c->view.is_reloading)
			return false;
		c->array_has_token = false;
		if (c->view.is_there)
			clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_TOKEN, .value = false });
		return true;
	}
	c->token = CLU_L_NONE;
	clu_ask_unlock(c, token_lock);
	return true;
}

bool clu_pump_token(struct clu *c)
{
	bool is_needed = c->view.wants.token || c->errand != CLU_E_NONE || c->is_announcing;

	if (c->state != CLU_UP)
		return false;
	if (c->token == CLU_L_NONE && is_needed && !c->is_telling_window) {
		c->token = CLU_L_ASKED;
		clu_ask_lock(c, token_lock, true);
		return true;
	}
	if (c->token != CLU_L_HELD)
		return false;
	if (!is_needed || (c->is_telling_window && !c->array_has_token))
		return give_back(c);
	if (!c->array_has_token) {
		c->array_has_token = true;
		if (c->view.is_there)
			clu_ask_array(c, (struct arr_event){ .kind = ARR_EV_TOKEN, .value = true });
		return true;
	}
	if (c->view.wants.announce || c->is_announcing)
		return announce(c);
	return begin_errand(c) || tell_others(c);
}
