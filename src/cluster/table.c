/* Who is who: members of the group, owners of slots.
 *
 * The group is what the engine says; a slot's owner is who said so (HELLO, or its answer to ours). Both are noted at
 * once, in whatever order messages are processed. An owner that is no member any more is GONE, and stays so until
 * somebody is granted its lock (dead for sure). Whom we never gave a slot need not be waited for: a joiner writes
 * nothing before all have acknowledged its HELLO.
 *
 *     UNKNOWN --lock granted--> TAKING --looked at--> NONE --HELLO--> UP --BYE--> LEAVING --lock granted--> TAKING
 *        ^ not taken                                                   `-CONFIG-> GONE -----lock granted--> TAKING
 *
 * Left out: what a message means (receive.c). */
#include "cluster/inside.h"

#include "base/err.h"

#include <errno.h>

struct clu_group_member *clu_member(struct clu *c, uint64_t node_id)
{
	for (uint32_t i = 0; i < c->group_count; i++)
		if (c->group[i].node_id == node_id)
			return &c->group[i];
	return NULL;
}

void clu_said_hello(struct clu *c, uint64_t node_id)
{
	struct clu_group_member *member = clu_member(c, node_id);

	if (member)
		member->has_hello = true;
}

static bool has_owner(const struct clu_slot *slot)
{
	return slot->state == CLU_P_UP || slot->state == CLU_P_LEAVING || slot->state == CLU_P_GONE ||
		slot->state == CLU_P_US || slot->state == CLU_P_TAKING;
}

uint32_t clu_slot_of(const struct clu *c, uint64_t node_id)
{
	for (uint32_t slot = 0; slot < c->config.nodes; slot++)
		if (has_owner(&c->slots[slot]) && c->slots[slot].node_id == node_id)
			return slot;
	return CLU_NO_SLOT;
}

const char *clu_node_text(const struct clu *c, uint32_t slot)
{
	return c->slots[slot].name[0] ? c->slots[slot].name : "of unknown name";
}

void clu_owner_came(struct clu *c, uint32_t slot, uint64_t node_id, const char *name)
{
	struct clu_slot *s = &c->slots[slot];

	if (has_owner(s) && s->node_id != node_id)
		clu_wait_no_more(c, s->node_id);
	s->state = CLU_P_UP;
	s->node_id = node_id;
	s->is_dead = s->is_read = s->is_given_up = s->has_left = s->writes_no_more = false;
	s->drain_seq = 0;
	text_fit(s->name, sizeof s->name, "%s", name);
	if (!clu_member(c, node_id))
		clu_owner_went(c, slot, CLU_P_GONE);
}

void clu_owner_went(struct clu *c, uint32_t slot, enum clu_peer_state state)
{
	struct clu_slot *s = &c->slots[slot];

	if (s->state != CLU_P_UP)
		return;
	s->state = state;
	s->is_dead = s->is_read = false;
	c->departures++;
	clu_note(c, state == CLU_P_GONE ? "node %s (slot %u) is gone: its slot is taken over when its lock is granted" :
		"node %s (slot %u) leaves", clu_node_text(c, slot), slot);
}

static void note_group(struct clu *c, const uint64_t *nodes, uint32_t count)
{
	struct clu_group_member old[CLU_GROUP_MAX];
	uint32_t old_count = c->group_count;

	memcpy(old, c->group, sizeof old);
	c->group_count = count < CLU_GROUP_MAX ? count : CLU_GROUP_MAX;
	for (uint32_t i = 0; i < c->group_count; i++) {
		c->group[i] = (struct clu_group_member){ .node_id = nodes[i] };
		for (uint32_t k = 0; k < old_count; k++)
			if (old[k].node_id == nodes[i])
				c->group[i] = old[k];
	}
}

void clu_config_came(struct clu *c, const uint64_t *nodes, uint32_t count)
{
	struct err err;

	note_group(c, nodes, count);
	if (clu_member(c, c->config.node_id)) {
		c->was_in_group = true;
	} else if (c->was_in_group) {
		err_set(&err, -ESHUTDOWN, "node %s is out of the cluster, which goes on with %u others: nothing is "
			"written by it any more; a new start joins again", c->config.name, count);
		clu_lose(c, &err);
		return;
	}
	for (uint32_t slot = 0; slot < c->config.nodes; slot++)
		if (c->slots[slot].state == CLU_P_UP && !clu_member(c, c->slots[slot].node_id))
			clu_owner_went(c, slot, c->slots[slot].has_left ? CLU_P_LEAVING : CLU_P_GONE);
	clu_wait_review(c);
}
