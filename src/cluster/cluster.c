/* The step: one event is noted, then every machine goes on as far as it can.
 *
 * The order of the machines is the order of urgency: stop what must stop, process what others wait for, finish what we
 * said, then our own wishes. Each asks for little at a time; the pump ends when none can go on, when the array was
 * asked (CLU_EV_ARRAY goes on), or when there is no more room in the step (CLU_EV_TIMER at once goes on).
 *
 *     hold -> acks kept aside -> mail -> offers -> our message -> join -> the dead -> token -> taking -> gathering
 *          -> sync
 *
 * Law: I9 (no machine waits for anything but an event that is bound to come). */
#include "cluster/inside.h"

#include "base/mem.h"

#include <errno.h>

struct clu *clu_new(const struct clu_config *config)
{
	struct clu *c = mem_new(1, sizeof *c);

	if (!c)
		return NULL;
	c->config = *config;
	for (char *p = c->config.name; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';			/* it goes to other people's terminals */
	c->slot = c->taking = c->gather.lock = CLU_NO_SLOT;
	for (uint32_t slot = 0; slot < CLU_NODES_MAX; slot++)
		c->slots[slot].state = slot < config->nodes ? CLU_P_UNKNOWN : CLU_P_NONE;
	list_init(&c->mail);
	return c;
}

struct clu *clu_free(struct clu *c)
{
	struct clu_mail *mail, *next;

	if (c)
		list_for_each_safe(mail, next, &c->mail, link)
			clu_mail_drop(c, mail);
	return mem_free(c);
}

/* ---- events ---- */

static void lost_came(struct clu *c, const char *reason)
{
	struct err err;

	err_set(&err, -ESHUTDOWN, "node %s has lost the cluster: %s; nothing is written by it any more, a new start "
		"joins again", c->config.name, reason ? reason : "the engine is gone");
	clu_lose(c, &err);
}

static void note_event(struct clu *c, const struct clu_event *ev)
{
	switch (ev->kind) {
	case CLU_EV_JOIN:
		clu_join_begins(c);
		break;
	case CLU_EV_LEAVE:
		clu_leave(c);
		break;
	case CLU_EV_TAKE_TOKEN:
	case CLU_EV_GIVE_TOKEN:
	case CLU_EV_TELL:
		clu_errand_came(c, ev);
		break;
	case CLU_EV_LOCK:
		clu_lock_came(c, ev->lock, ev->rc);
		break;
	case CLU_EV_CONFIG:
		clu_config_came(c, ev->nodes, ev->node_count);
		break;
	case CLU_EV_MESSAGE:
		if (c->state != CLU_OUT && c->state != CLU_LOST)
			clu_message_came(c, ev->from, ev->data, ev->len_bytes);
		break;
	case CLU_EV_QUORUM:
		c->is_without_quorum = !ev->value;
		break;
	case CLU_EV_LOST:
		lost_came(c, ev->reason);
		break;
	case CLU_EV_LOADED:
		clu_loaded_came(c, ev->rc);
		break;
	case CLU_EV_SEEN:
		clu_seen_came(c, ev->rc);
		break;
	case CLU_EV_ARRAY:
		c->is_array_asked = false;
		break;
	case CLU_EV_TIMER:
		break;
	}
}

/* ---- the pump ---- */

static bool pump_once(struct clu *c)
{
	if (clu_pump_hold(c))
		return true;
	if (c->is_without_quorum || c->state == CLU_OUT || c->state == CLU_LOST)
		return false;
	if (c->state == CLU_UP && !c->is_first_round_over)
		c->is_first_round_over = clu_is_settled(c);
	return clu_pump_drains(c) || clu_pump_mail(c) || clu_pump_offer(c) || clu_pump_send(c) || clu_pump_join(c) ||
		clu_pump_dead(c) || clu_pump_token(c) || clu_pump_take(c) || clu_pump_gather(c) || clu_pump_sync(c);
}

static void pump(struct clu *c)
{
	c->is_unfinished = false;
	while (!c->is_array_asked) {
		if (!clu_has_room(c)) {
			c->is_unfinished = true;
			return;
		}
		if (!pump_once(c))
			return;
	}
}

void clu_step(struct clu *c, const struct arr *a, const struct clu_event *ev, uint64_t now_ms, struct clu_out *out)
{
	c->a = a;
	c->now_ms = now_ms;
	c->out = out;
	out->count = 0;
	c->sends_used = 0;
	clu_view_take(c);
	note_event(c, ev);
	pump(c);
	c->a = NULL;
	c->out = NULL;
}

/* ---- time ---- */

static uint64_t earlier(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

uint64_t clu_next_timer_ms(const struct clu *c)
{
	uint64_t next = c->is_unfinished ? 0 : UINT64_MAX;

	if (c->is_without_quorum || c->state == CLU_OUT || c->state == CLU_LOST)
		return UINT64_MAX;
	if (c->state == CLU_TOKEN && c->token == CLU_L_NONE)
		next = earlier(next, c->join_again_ms);
	if (c->gather.is_on && c->gather.again_ms > c->now_ms)
		next = earlier(next, c->gather.again_ms);
	for (uint32_t slot = 0; slot < c->config.nodes && c->state == CLU_UP; slot++)
		if (c->slots[slot].state == CLU_P_UNKNOWN && c->slots[slot].lock == CLU_L_NONE &&
			!c->slots[slot].is_given_up)
			next = earlier(next, c->slots[slot].again_ms);
	return next;
}
