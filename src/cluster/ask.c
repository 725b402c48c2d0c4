/* Asks: how the machines put what they want into the step's out.
 *
 * A step asks for at most CLU_ASKS_MAX things and sends at most CLU_SENDS_BYTES. The pump looks whether there is room
 * before it asks a machine; where there is none, it stops and goes on with CLU_EV_TIMER at once (cluster.c). Once the
 * array was asked nothing follows: the hands step it, and what comes of that is the next step's business. */
#include "cluster/inside.h"

#include "base/law.h"

/* One machine asks for a lock of every slot, and for two things more, at the most. */
enum { ROOM_ASKS = CLU_NODES_MAX + 4 };

bool clu_has_room(const struct clu *c)
{
	return c->out->count + ROOM_ASKS <= CLU_ASKS_MAX &&
		c->sends_used + 2 * CLU_MESSAGE_BYTES_MAX <= CLU_SENDS_BYTES;
}

struct clu_ask *clu_ask(struct clu *c, enum clu_ask_kind kind)
{
	struct clu_ask *ask = &c->out->asks[c->out->count++];

	MUST(c->out->count <= CLU_ASKS_MAX);
	memset(ask, 0, sizeof *ask);
	ask->kind = kind;
	return ask;
}

void clu_ask_lock(struct clu *c, struct clu_lock lock, bool may_queue)
{
	struct clu_ask *ask = clu_ask(c, CLU_ASK_LOCK);

	ask->lock = lock;
	ask->may_queue = may_queue;
}

void clu_ask_unlock(struct clu *c, struct clu_lock lock)
{
	clu_ask(c, CLU_ASK_UNLOCK)->lock = lock;
}

void clu_ask_array(struct clu *c, struct arr_event ev)
{
	MUST(!c->is_array_asked);
	clu_ask(c, CLU_ASK_ARRAY)->array = ev;
	c->is_array_asked = true;
}

void clu_send(struct clu *c, struct clu_message *m)
{
	struct clu_ask *ask = clu_ask(c, CLU_ASK_SEND);

	m->slot = c->slot;
	m->seq = ++c->seq;
	ask->data = c->sends + c->sends_used;
	ask->len_bytes = clu_message_encode(m, c->sends + c->sends_used);
	c->sends_used += ask->len_bytes;
	c->messages_sent++;
}
