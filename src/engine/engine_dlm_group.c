/* Membership and messages: corosync's group (CPG).
 *
 * The group "umd:<uuid>" gives every member the same messages and the same joins and leaves in the same order. Three
 * kinds of packets travel in it:
 *
 *	M  a message of the brain
 *	H  hello: my node id; the last accepted ring I was in before this one; am I new; the ring I am in; the time
 *	   of my corosync's token. Sent whenever the ring changes, somebody joins, or that time changes
 *	B  beat: to ourselves, with the time it was sent (engine_dlm_ring.c)
 *
 * A joiner is shown to the brain when its H has come, so all see it at the same place in the order; and it sees the
 * group when every member's H has come: what it hears between its own H and that is kept for it. Who returns from
 * beyond a partition is hidden until it leaves; what that means is engine_dlm_ring.c's business.
 *
 * Law: C4, C5. Left out: pieces (a packet is shorter than what corosync sends at once); packets of other versions and
 * strangers' are passed over. */
#include "engine/engine_dlm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/le.h"
#include "base/mem.h"

enum { VERSION = 2, HELLO_BYTES = 36, BEAT_BYTES = 8 };
static const char magic[5] = "umde";

/* ---- queues ---- */

int engine_dlm_queue(struct engine_queue *q, const void *head, uint32_t head_bytes, const void *data,
		     uint32_t len_bytes, uint64_t from)
{
	struct engine_packet *p = mem_new(1, sizeof *p + head_bytes + len_bytes);

	if (!p)
		return -ENOMEM;
	p->from = from;
	p->len_bytes = head_bytes + len_bytes;
	memcpy(p->bytes, head, head_bytes);
	memcpy(p->bytes + head_bytes, data, len_bytes);
	*q->last = p;
	q->last = &p->next;
	return 0;
}

struct engine_packet *engine_dlm_unqueue(struct engine_queue *q)
{
	struct engine_packet *p = q->first;

	if (!p)
		return NULL;
	q->first = p->next;
	if (!q->first)
		q->last = &q->first;
	return p;
}

/* ---- sending ---- */

void engine_dlm_put_head(uint8_t head[ENGINE_PACKET_HEAD_BYTES], char kind)
{
	memset(head, 0, ENGINE_PACKET_HEAD_BYTES);
	memcpy(head, magic, 4);
	head[4] = VERSION;
	head[5] = (uint8_t)kind;
}

/* True: it is on its way, or need not go any more. */
bool engine_dlm_cast(struct engine_dlm *d, const uint8_t *bytes, uint32_t len_bytes)
{
	struct iovec iov = { (void *)bytes, len_bytes };
	cs_error_t rc = cpg_mcast_joined(d->cpg, CPG_TYPE_AGREED, &iov, 1);

	if (rc == CS_ERR_TRY_AGAIN)
		return false;
	if (rc != CS_OK)
		engine_dlm_lose(d, "corosync took no message from us (%s)", cs_strerror(rc));
	return true;
}

/* In front of everything that waits: it is about now. */
static void say_hello(struct engine_dlm *d)
{
	uint8_t bytes[ENGINE_PACKET_HEAD_BYTES + HELLO_BYTES] = { 0 }, *body = bytes + ENGINE_PACKET_HEAD_BYTES;

	engine_dlm_put_head(bytes, 'H');
	le_put(body, 8, d->e.node_id);
	le_put(body + 8, 8, d->before.seq);
	le_put(body + 16, 4, d->before.node);
	le_put(body + 20, 4, !d->is_in);
	le_put(body + 24, 8, d->ring.seq);
	le_put(body + 32, 4, d->token_ms);
	d->owes_hello = !engine_dlm_cast(d, bytes, sizeof bytes);
}

void engine_dlm_group_send(struct engine_dlm *d)
{
	bool is_going = d->is_joined && !d->is_left && !d->lost[0];

	if (is_going && d->owes_hello)
		say_hello(d);
	is_going = is_going && !d->owes_hello;
	while (is_going) {
		struct engine_packet *p;

		pthread_mutex_lock(&d->mutex);
		p = d->out.first;
		pthread_mutex_unlock(&d->mutex);
		if (!p || !engine_dlm_cast(d, p->bytes, p->len_bytes))
			return;
		pthread_mutex_lock(&d->mutex);
		engine_dlm_unqueue(&d->out);
		pthread_mutex_unlock(&d->mutex);
		mem_free(p);
	}
}

/* ---- what the brain is told ---- */

void engine_dlm_tell(struct engine_dlm *d, const struct clu_event *event)
{
	if (!d->lost[0])
		engine_dlm_deliver(d, event);
}

bool engine_dlm_is_pending(const struct engine_dlm *d)
{
	for (uint32_t i = 0; i < d->member_count; i++)
		if (!d->members[i].id)
			return true;
	return false;
}

static struct engine_member *find(struct engine_dlm *d, uint32_t node, uint32_t pid)
{
	for (uint32_t i = 0; i < d->member_count; i++)
		if (d->members[i].node == node && d->members[i].pid == pid)
			return &d->members[i];
	return NULL;
}

static void tell_config(struct engine_dlm *d)
{
	uint64_t now[ENGINE_MEMBERS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < d->member_count; i++)
		if (d->members[i].id && !d->members[i].is_hidden)
			now[count++] = d->members[i].id;
	if (count == d->told_count && !memcmp(now, d->told, count * sizeof now[0]))
		return;
	memcpy(d->told, now, count * sizeof now[0]);
	d->told_count = count;
	engine_dlm_tell(d, &(struct clu_event){ .kind = CLU_EV_CONFIG, .nodes = d->told, .node_count = count });
}

static bool is_shown(const struct engine_dlm *d, uint64_t id)
{
	for (uint32_t i = 0; i < d->told_count; i++)
		if (d->told[i] == id)
			return true;
	return false;
}

static void tell_message(struct engine_dlm *d, uint64_t from, const uint8_t *data, uint32_t len_bytes)
{
	if (is_shown(d, from))
		engine_dlm_tell(d, &(struct clu_event){ .kind = CLU_EV_MESSAGE, .from = from, .data = data,
							.len_bytes = len_bytes });
}

/* Members changed, or one of them said hello. */
static void look_around(struct engine_dlm *d)
{
	struct engine_packet *p;

	if (!d->is_in && (!d->has_own_hello || engine_dlm_is_pending(d)))
		return;
	d->is_in = true;
	tell_config(d);
	while ((p = engine_dlm_unqueue(&d->early))) {
		tell_message(d, p->from, p->bytes, p->len_bytes);
		mem_free(p);
	}
}

/* ---- members come and go ---- */

static bool is_ours(const struct engine_dlm *d, uint32_t node, uint32_t pid)
{
	return node == d->node && pid == d->pid;
}

static void forget_members(struct engine_dlm *d, const struct cpg_address *left, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct engine_member *m = find(d, left[i].nodeid, left[i].pid);

		if (is_ours(d, left[i].nodeid, left[i].pid) && !d->is_left)
			engine_dlm_lose(d, "corosync counts this node out of the array's group (reason %u)",
					left[i].reason);
		d->has_lost_members = d->has_lost_members || left[i].reason == CPG_REASON_NODEDOWN;
		if (m)
			*m = d->members[--d->member_count];
	}
}

/* Who is listed and unknown to us has joined, or was there before we did. */
static void know_members(struct engine_dlm *d, const struct cpg_address *listed, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (find(d, listed[i].nodeid, listed[i].pid))
			continue;
		if (d->member_count == ENGINE_MEMBERS_MAX) {
			engine_dlm_lose(d, "more than %d processes are in the array's group", ENGINE_MEMBERS_MAX);
			return;
		}
		d->members[d->member_count++] = (struct engine_member){ .node = listed[i].nodeid,
									.pid = listed[i].pid };
		d->owes_hello = true;
	}
}

static void members_changed(cpg_handle_t handle, const struct cpg_name *group, const struct cpg_address *listed,
			    size_t listed_count, const struct cpg_address *left, size_t left_count,
			    const struct cpg_address *joined, size_t joined_count)
{
	struct engine_dlm *d;

	if (cpg_context_get(handle, (void **)&d) != CS_OK)
		return;
	forget_members(d, left, left_count);
	know_members(d, listed, listed_count);
	if (d->is_left || d->lost[0])
		return;
	engine_dlm_group_send(d);
	look_around(d);
	engine_dlm_judge_ring(d);
}

/* ---- packets come in ---- */

static void hear_hello(struct engine_dlm *d, struct engine_member *m, const uint8_t *body)
{
	struct engine_ring before = { le_get(body + 8, 8), (uint32_t)le_get(body + 16, 4) };

	m->token_ms = (uint32_t)le_get(body + 32, 4);
	engine_dlm_set_lease(d);
	if (le_get(body + 24, 8) != d->ring.seq)
		return;
	if (is_ours(d, m->node, m->pid)) {
		d->has_own_hello = true;
		d->hello_seq = d->ring.seq;
		engine_dlm_judge_ring(d);
	}
	if (m->id)
		return;
	if (!is_ours(d, m->node, m->pid))
		engine_dlm_meet(d, m, before, le_get(body + 20, 4));
	if (d->lost[0])
		return;
	m->id = le_get(body, 8);
	look_around(d);
	engine_dlm_judge_ring(d);
}

static void hear_message(struct engine_dlm *d, const struct engine_member *m, const uint8_t *data, uint32_t len_bytes)
{
	if (!m->id || !d->has_own_hello)
		return;
	if (d->is_in)
		tell_message(d, m->id, data, len_bytes);
	else if (engine_dlm_queue(&d->early, NULL, 0, data, len_bytes, m->id) < 0)
		engine_dlm_lose(d, "there is no memory for the messages of other nodes");
}

static void message_came(cpg_handle_t handle, const struct cpg_name *group, uint32_t node, uint32_t pid, void *data,
			 size_t len_bytes)
{
	const uint8_t *bytes = data, *body = bytes + ENGINE_PACKET_HEAD_BYTES;
	struct engine_member *m;
	struct engine_dlm *d;

	if (cpg_context_get(handle, (void **)&d) != CS_OK || d->lost[0] || d->is_left)
		return;
	m = find(d, node, pid);
	if (!m || len_bytes < ENGINE_PACKET_HEAD_BYTES || len_bytes > ENGINE_PACKET_BYTES_MAX ||
	    memcmp(bytes, magic, 4) != 0 || bytes[4] != VERSION)
		return;
	len_bytes -= ENGINE_PACKET_HEAD_BYTES;
	if (bytes[5] == 'H' && len_bytes == HELLO_BYTES)
		hear_hello(d, m, body);
	else if (bytes[5] == 'B' && len_bytes == BEAT_BYTES && is_ours(d, node, pid))
		engine_dlm_hear_beat(d, le_get(body, 8));
	else if (bytes[5] == 'M')
		hear_message(d, m, body, (uint32_t)len_bytes);
}

/* ---- joining and leaving ---- */

static void set_group(const struct engine_dlm *d, struct cpg_name *group)
{
	memset(group, 0, sizeof *group);
	group->length = (uint32_t)snprintf(group->value, sizeof group->value, "umd:%s", d->uuid);
}

void engine_dlm_group_join(struct engine_dlm *d)
{
	struct cpg_name group;
	cs_error_t rc;

	set_group(d, &group);
	rc = cpg_join(d->cpg, &group);
	if (rc == CS_ERR_TRY_AGAIN)
		return;
	if (rc == CS_OK)
		d->is_joined = true;
	else
		engine_dlm_lose(d, "corosync does not let us into the array's group (%s)", cs_strerror(rc));
}

void engine_dlm_group_leave(struct engine_dlm *d)
{
	struct cpg_name group;

	set_group(d, &group);
	d->may_write = false;
	d->is_left = true;
	if (d->is_joined)
		cpg_leave(d->cpg, &group);
}

void engine_dlm_group_hear(struct engine_dlm *d, bool cpg, bool quorum, bool cmap)
{
	cs_error_t rc = cpg ? cpg_dispatch(d->cpg, CS_DISPATCH_ALL) : CS_OK;

	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN)
		engine_dlm_lose(d, "corosync has ended on this node (%s)", cs_strerror(rc));
	rc = quorum ? quorum_dispatch(d->quorum, CS_DISPATCH_ALL) : CS_OK;
	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN)
		engine_dlm_lose(d, "corosync tells no quorum any more (%s)", cs_strerror(rc));
	rc = cmap ? cmap_dispatch(d->cmap, CS_DISPATCH_ALL) : CS_OK;
	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN)
		engine_dlm_lose(d, "corosync tells no token timeout any more (%s)", cs_strerror(rc));
}

int engine_dlm_group_open(struct engine_dlm *d, struct err *err)
{
	cpg_model_v1_data_t model = { .model = CPG_MODEL_V1, .cpg_deliver_fn = message_came,
				      .cpg_confchg_fn = members_changed,
				      .cpg_totem_confchg_fn = engine_dlm_ring_changed,
				      .flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF };
	unsigned node;
	cs_error_t rc = cpg_model_initialize(&d->cpg, CPG_MODEL_V1, (cpg_model_data_t *)&model, d);

	if (rc == CS_OK)
		rc = cpg_local_get(d->cpg, &node);
	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "join the array's group", rc);
	d->node = node;
	return engine_dlm_quorum_open(d, err);
}

void engine_dlm_group_close(struct engine_dlm *d)
{
	struct engine_packet *p;

	if (d->cmap)
		cmap_finalize(d->cmap);
	if (d->cpg)
		cpg_finalize(d->cpg);
	if (d->quorum)
		quorum_finalize(d->quorum);
	while ((p = engine_dlm_unqueue(&d->out)) || (p = engine_dlm_unqueue(&d->early)))
		mem_free(p);
}
