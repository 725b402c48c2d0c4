/* Looking into the brain: one picture for people and tests. Nothing is decided here, and no machine goes by it; what is
 * no news to anybody (locks that are asked for, mail that waits) is left out. */
#include "cluster/inside.h"

static uint64_t waits_for(const struct clu *c)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < c->sending.wait_count; i++)
		if (c->sending.is_on && c->sending.waits[i].slot < CLU_NODES_MAX)
			mask |= 1ull << c->sending.waits[i].slot;
	return mask;
}

void clu_get_status(const struct clu *c, struct clu_status *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->state = c->state;
	ret->slot = c->slot;
	ret->nodes = c->config.nodes;
	ret->has_quorum = !c->is_without_quorum;
	ret->has_token = c->token == CLU_L_HELD;
	ret->has_resync = c->resync == CLU_L_HELD;
	ret->sending = c->sending.m.type;
	ret->waits_for = waits_for(c);
	ret->messages_sent = c->messages_sent;
	ret->messages_processed = c->messages_processed;
	for (uint32_t slot = 0; slot < c->config.nodes; slot++) {
		ret->peers[slot].state = c->slots[slot].state;
		ret->peers[slot].node_id = c->slots[slot].node_id;
		ret->peers[slot].resyncing = slot == c->slot ? c->range : c->slots[slot].range;
		memcpy(ret->peers[slot].name, c->slots[slot].name, sizeof ret->peers[slot].name);
	}
	memcpy(ret->last_event, c->last_event, sizeof ret->last_event);
}
