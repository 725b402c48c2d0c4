/* Rings, quorum, and how we know that we are still counted in.
 *
 * Partitions. A side without quorum is told so by corosync and holds (CLU_EV_QUORUM). When the cable is mended
 * corosync puts the sides together in one group again, as if those of the other side had left and come back: the brain
 * must not see that, since a node that others have counted out may have lost its slot and its locks. Hence the hello:
 * of two that meet again, who was in the older quorate ring was cut off and is LOST (it has to start again), and the
 * others hide it until it leaves. Where both name the same ring, nobody went on meanwhile; but the DLM never joins what
 * was parted either, so both are LOST. Sides that both had quorum (two_node without fencing) are told apart by the
 * number of their ring. A new member names none and harms nobody. Who did not come by a join was with us all the time.
 *
 * A ring is *accepted* when quorum and nodes were told for it and our own hello has come back in it: by the order of
 * the group, all that it changed among the members was told before.
 *
 *	since the last accepted ring       then it is accepted
 *	nobody left                        at once: a member that hangs does not stop the others
 *	members left                       when all who joined since have said hello: a node that slept goes from the
 *	                                   old ring into the new one in one step, and never hears that it had no quorum
 *	no quorum for a time; or nodes     when moreover a lock of ours was granted anew (probe): nodes without umd are
 *	left and joined in one step        the DLM's business, and dlm_controld lets nobody in whose state is older
 *
 * May a writer write? The ring we are in is accepted, and the lease runs: a beat that came back was ordered by the ring
 * after it was sent, so at that time all others still counted us in. They need at least one token timeout without us to
 * think otherwise (and as long again to agree): the shortest of all nodes', since the first that misses us is enough. A
 * token that becomes shorter shortens the lease that runs; one that becomes longer counts when every member of the
 * group has said so. A node that was stopped and goes on finds the lease over, whatever its sockets hold for it. Time
 * is that of the machine including sleep. What a clock that stood still, or a write that is in the kernel already, may
 * do then only fencing can prevent.
 *
 *	corosync ends, our node leaves dlm_controld's group, the group says that we left, an older ring: LOST
 *
 * Law: C5; C4 where a cut off node meets the others. Left out: a watchdog of our own (docs/cluster.md). */
#include "engine/engine_dlm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/le.h"

enum { BEAT_BYTES = 8, ABSENCES_MAX = 2 };

uint64_t engine_dlm_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void engine_dlm_lose(struct engine_dlm *d, const char *format, ...)
{
	va_list ap;

	d->may_write = false;
	if (d->lost[0])
		return;
	va_start(ap, format);
	vsnprintf(d->lost, sizeof d->lost, format, ap);
	va_end(ap);
}

/* ---- quorum, rings ---- */

static void tell_quorum(struct engine_dlm *d, bool value)
{
	if (d->is_quorum_told && d->told_quorum == value)
		return;
	d->is_quorum_told = true;
	d->told_quorum = value;
	engine_dlm_tell(d, &(struct clu_event){ .kind = CLU_EV_QUORUM, .value = value });
}

/* Only ever lowered elsewhere. */
static void allow_writes(struct engine_dlm *d)
{
	d->may_write = d->is_in && d->is_accepted && !d->is_left && !d->lost[0];
}

static void accept_ring(struct engine_dlm *d)
{
	d->is_accepted = true;
	d->needs_proof = d->has_lost_members = d->is_probing = false;
	d->proven = d->ring;
	tell_quorum(d, true);
	allow_writes(d);
}

/* All that corosync has to say about this ring was heard: what came before our own hello in it, and its nodes. */
static bool is_ring_known(const struct engine_dlm *d)
{
	return d->quorum_seq == d->ring.seq && d->nodes_seq == d->ring.seq && d->hello_seq == d->ring.seq;
}

void engine_dlm_judge_ring(struct engine_dlm *d)
{
	if (!d->is_joined || d->quorum_seq != d->ring.seq)
		return;
	if (!d->is_quorate) {
		d->may_write = d->is_accepted = d->is_probing = false;
		d->needs_proof = true;
		tell_quorum(d, false);
		return;
	}
	if (d->is_accepted) {
		allow_writes(d);
		return;
	}
	if (!is_ring_known(d) || ((d->needs_proof || d->has_lost_members) && engine_dlm_is_pending(d)))
		return;
	if (!d->needs_proof) {
		accept_ring(d);
	} else if (!d->is_probing) {
		d->is_probing = true;
		engine_dlm_probe(d->locks);
	}
}

void engine_dlm_group_probed(struct engine_dlm *d)
{
	if (d->is_probing && d->is_quorate && is_ring_known(d) && !engine_dlm_is_pending(d))
		accept_ring(d);
}

void engine_dlm_ring_changed(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t count, const uint32_t *nodes)
{
	struct engine_dlm *d;

	if (cpg_context_get(handle, (void **)&d) != CS_OK || (ring.seq == d->ring.seq && ring.nodeid == d->ring.node))
		return;
	d->may_write = false;
	d->is_accepted = d->is_probing = false;
	d->before = d->proven;
	d->ring = (struct engine_ring){ ring.seq, ring.nodeid };
	d->owes_hello = d->is_joined;
	engine_dlm_judge_ring(d);
}

/* Some left and some joined in one step: where they are the same, it was we who were away. */
static void nodes_changed(quorum_handle_t handle, struct quorum_ring_id ring, uint32_t count, const uint32_t *nodes,
			  uint32_t joined_count, const uint32_t *joined, uint32_t left_count, const uint32_t *left)
{
	struct engine_dlm *d;

	if (quorum_context_get(handle, (const void **)&d) != CS_OK)
		return;
	d->nodes_seq = ring.seq;
	d->needs_proof = d->needs_proof || (joined_count && left_count);
	engine_dlm_judge_ring(d);
}

static void quorum_changed(quorum_handle_t handle, uint32_t quorate, struct quorum_ring_id ring, uint32_t count,
			   const uint32_t *nodes)
{
	struct engine_dlm *d;

	if (quorum_context_get(handle, (const void **)&d) != CS_OK)
		return;
	d->is_quorate = quorate;
	d->quorum_seq = ring.seq;
	if (!quorate)
		d->may_write = false;
	engine_dlm_judge_ring(d);
}

/* ---- who meets whom again ---- */

static int compare_rings(struct engine_ring a, struct engine_ring b)
{
	if (a.seq != b.seq)
		return a.seq < b.seq ? -1 : 1;
	return a.node == b.node ? 0 : a.node > b.node ? -1 : 1;
}

/* One we were parted from, or that we have never met while we are new. */
void engine_dlm_meet(struct engine_dlm *d, struct engine_member *m, struct engine_ring before, bool is_new)
{
	int order = compare_rings(before, d->before);

	if (is_new || !d->is_in)
		return;
	if (order < 0) {
		m->is_hidden = true;
		return;
	}
	engine_dlm_lose(d, order > 0 ? "this node was cut off, and node %u and others went on without it": "this node "
			"and node %u were parted without quorum on either side, which the DLM does not mend", m->node);
}

/* ---- beats ---- */

/* dlm_controld of this node keeps the lockspace's membership in a group of its own; without it locks are never heard
 * of. */
static bool is_in_lockspace(struct engine_dlm *d)
{
	struct cpg_address members[CPG_MEMBERS_MAX];
	struct cpg_name group;
	int count = 0;

	/* Its name is counted with the zero behind it. */
	group.length = (uint32_t)snprintf(group.value, sizeof group.value, "dlm:ls:%s", d->uuid) + 1;
	if (cpg_membership_get(d->cpg, &group, members, &count) != CS_OK)
		return true;
	for (int i = 0; i < count; i++)
		if (members[i].nodeid == d->node)
			return true;
	return false;
}

void engine_dlm_group_beat(struct engine_dlm *d)
{
	uint8_t bytes[ENGINE_PACKET_HEAD_BYTES + BEAT_BYTES];
	uint64_t now = engine_dlm_now_ms();

	if (!d->is_joined || d->is_left || d->lost[0] || now < d->beat_due_ms)
		return;
	d->beat_due_ms = now + d->lease_ms / 4;
	d->absences = is_in_lockspace(d) ? 0 : d->absences + 1;
	if (d->absences > ABSENCES_MAX)
		engine_dlm_lose(d, "dlm_controld of this node has ended, or has left the array's lockspace");
	/* One under way is enough, unless it is lost. */
	if (d->beat_sent_ms && now < d->beat_sent_ms + d->lease_ms)
		return;
	engine_dlm_put_head(bytes, 'B');
	le_put(bytes + ENGINE_PACKET_HEAD_BYTES, 8, now);
	if (engine_dlm_cast(d, bytes, sizeof bytes))
		d->beat_sent_ms = now;
}

void engine_dlm_hear_beat(struct engine_dlm *d, uint64_t sent_ms)
{
	d->beat_sent_ms = 0;
	if (sent_ms > d->beat_heard_ms)
		d->beat_heard_ms = sent_ms;
	engine_dlm_set_lease(d);
}

/* Also of members that are hidden from the brain: they are in our ring. */
void engine_dlm_set_lease(struct engine_dlm *d)
{
	uint32_t before = d->lease_ms;

	d->lease_ms = d->token_ms;
	for (uint32_t i = 0; i < d->member_count; i++)
		if (d->members[i].token_ms && d->members[i].token_ms < d->lease_ms)
			d->lease_ms = d->members[i].token_ms;
	if (d->lease_ms < before)
		d->beat_due_ms = d->beat_sent_ms = 0;
	if (d->beat_heard_ms)
		d->lease_until_ms = d->beat_heard_ms + d->lease_ms;
}

void engine_dlm_token_changed(struct engine_dlm *d, uint32_t token_ms)
{
	uint32_t before = d->token_ms;

	if (token_ms == before)
		return;
	d->token_ms = token_ms;
	d->owes_hello = d->owes_hello || d->is_joined;
	engine_dlm_set_lease(d);
	engine_dlm_note(d, "corosync's token timeout is %u ms now, and was %u ms: writers go by the shortest of all "
			"nodes, %u ms", token_ms, before, d->lease_ms);
}

/* ---- opening ---- */

int engine_dlm_quorum_open(struct engine_dlm *d, struct err *err)
{
	quorum_model_v1_data_t model = { .model = QUORUM_MODEL_V1, .quorum_notify_fn = quorum_changed,
					 .nodelist_notify_fn = nodes_changed };
	uint32_t type = QUORUM_FREE;
	int is_quorate = 0;
	cs_error_t rc = quorum_model_initialize(&d->quorum, QUORUM_MODEL_V1, (quorum_model_data_t *)&model, &type, d);

	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "hear of quorum", rc);
	if (type != QUORUM_SET)
		return err_set(err, UMD_E_NOT_SUPPORTED, "corosync.conf names no quorum provider: without quorum "
			       "nobody knows which half of a cluster may write; nothing was written; with \"provider: "
			       "corosync_votequorum\" umd would go on");
	rc = quorum_getquorate(d->quorum, &is_quorate);
	if (rc != CS_OK)
		return engine_dlm_refuse_corosync(err, "hear of quorum", rc);
	if (!is_quorate)
		return err_set(err, -ENOTCONN, "this node has no quorum in cluster \"%.64s\"; nothing was written; "
			       "with quorum (corosync-quorumtool) umd would go on", d->config.cluster_name);
	rc = quorum_trackstart(d->quorum, CS_TRACK_CHANGES | CS_TRACK_CURRENT);
	return rc == CS_OK ? 0 : engine_dlm_refuse_corosync(err, "hear of quorum", rc);
}
