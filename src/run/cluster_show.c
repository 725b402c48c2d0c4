/* What people see of a node: its part of `detail`, and the texts of its attributes.
 *
 * Under the array's lock, like all of that. The status is asked of the brain when it heard of something from outside,
 * not with every write of a client; so detail and attributes say the same. Names come from other nodes and from
 * superblocks: they are escaped. Left out: which attributes there are (the tree's table), words (front/cli). */
#include "run/cluster.h"

#include <inttypes.h>
#include <string.h>

/* ---- texts of attributes ---- */

/* Lines until the page is full; true: it is another text than before. */
static bool take_text(char *place, size_t room, struct text *t)
{
	const char *text = t->data && !t->is_broken ? t->data : "";
	bool differs = strncmp(place, text, room - 1) != 0;

	if (differs) {
		size_t len = strnlen(text, room - 1);

		memcpy(place, text, len);
		place[len] = 0;
	}
	text_drop(t);
	return differs;
}

static bool show_peers(struct run_cluster *c)
{
	const struct clu_status *s = &c->status;
	struct text t = { 0 };

	for (uint32_t i = 0; i < s->nodes && t.len_bytes < sizeof c->peers - 256; i++) {
		const struct clu_peer *p = &s->peers[i];

		text_add(&t, "%u %s ", i, clu_peer_state_name(p->state));
		text_add_escaped(&t, p->name[0] ? p->name : "-", strlen(p->name[0] ? p->name : "-"));
		if (p->resyncing.high)
			text_add(&t, " %" PRIu64 "-%" PRIu64, p->resyncing.low, p->resyncing.high);
		text_add(&t, "\n");
	}
	return take_text(c->peers, sizeof c->peers, &t);
}

static void show_suspended(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;
	struct text t = { 0 };

	for (uint32_t i = 0; u->arr && i < c->nodes; i++) {
		struct arr_range r = arr_suspended(u->arr, i);

		if (r.len)
			text_add(&t, "%u %" PRIu64 "-%" PRIu64 "\n", i, r.at, r.at + r.len);
	}
	take_text(c->suspended, sizeof c->suspended, &t);
}

static void show_waits(struct run_cluster *c)
{
	struct text t = { 0 };

	for (uint32_t i = 0; i < CLU_NODES_MAX; i++)
		if (c->status.waits_for & 1ull << i)
			text_add(&t, "%s%u", t.len_bytes ? " " : "", i);
	take_text(c->waits_for, sizeof c->waits_for, &t);
}

static void show_event(struct run_cluster *c)
{
	uint64_t number = ++c->view.event_news;
	struct run_event *newest = &c->events[number % RUN_EVENTS];
	struct text t = { 0 };

	newest->number = number;
	memcpy(newest->text, c->status.last_event, sizeof newest->text);
	for (uint64_t i = number < RUN_EVENTS ? 1 : number - RUN_EVENTS + 1; i <= number; i++) {
		const struct run_event *e = &c->events[i % RUN_EVENTS];

		text_add(&t, "%" PRIu64 " ", e->number);
		text_add_escaped(&t, e->text, strlen(e->text));
		text_add(&t, "\n");
	}
	take_text(c->events_text, sizeof c->events_text, &t);
}

void run_cluster_refresh(struct umd_array *u)
{
	struct run_cluster *c = u->cluster;
	enum clu_state before = c->status.state;
	char last_event[sizeof c->status.last_event];

	memcpy(last_event, c->status.last_event, sizeof last_event);
	clu_get_status(c->clu, &c->status);
	c->view.engine = c->is_dlm ? "dlm" : "local";
	c->view.cluster_name = c->cluster_name;
	c->view.node = c->node_name;
	c->view.state = clu_state_name(c->status.state);
	c->view.peers = c->peers;
	c->view.suspended = c->suspended;
	c->view.waits_for = c->waits_for;
	c->view.last_event = c->status.last_event;
	c->view.events = c->events_text;
	c->view.slot = c->status.slot;
	c->view.nodes = c->nodes;
	c->view.has_quorum = c->status.has_quorum;
	c->view.state_news += c->status.state != before;
	if (strcmp(last_event, c->status.last_event))
		show_event(c);
	c->view.peers_news += show_peers(c);
	show_suspended(u);
	show_waits(c);
}

/* ---- detail ---- */

static void put_slots(const char *key, uint64_t mask, struct text *t)
{
	json_open(t, key, '[');
	for (uint32_t i = 0; i < CLU_NODES_MAX; i++)
		if (mask & 1ull << i)
			json_u64(t, NULL, i);
	json_close(t, ']');
}

static void put_peer(const struct clu_status *s, uint32_t slot, struct text *t)
{
	const struct clu_peer *p = &s->peers[slot];

	json_open(t, NULL, '{');
	json_u64(t, "slot", slot);
	json_str(t, "state", clu_peer_state_name(p->state));
	json_str(t, "node", p->name);
	json_u64(t, "node_id", p->node_id);
	if (p->resyncing.high) {
		json_open(t, "resyncing", '{');
		json_u64(t, "low", p->resyncing.low);
		json_u64(t, "high", p->resyncing.high);
		json_close(t, '}');
	} else {
		json_null(t, "resyncing");
	}
	json_close(t, '}');
}

static void put_suspended(const struct arr *a, uint32_t nodes, struct text *t)
{
	json_open(t, "suspended", '[');
	for (uint32_t i = 0; a && i < nodes; i++) {
		struct arr_range r = arr_suspended(a, i);

		if (!r.len)
			continue;
		json_open(t, NULL, '{');
		json_u64(t, "slot", i);
		json_u64(t, "low", r.at);
		json_u64(t, "high", r.at + r.len);
		json_close(t, '}');
	}
	json_close(t, ']');
}

static void put_status(const struct umd_array *u, const struct clu_status *s, const struct arr_status *array,
		       struct text *t)
{
	json_str(t, "state", clu_state_name(s->state));
	if (s->slot == UINT32_MAX)
		json_null(t, "slot");
	else
		json_u64(t, "slot", s->slot);
	json_u64(t, "nodes", s->nodes);
	json_bool(t, "quorum", s->has_quorum);
	json_bool(t, "token", s->has_token);
	json_bool(t, "resync", s->has_resync);
	if (s->waits_for)
		json_str(t, "sending", clu_message_name(s->sending));
	else
		json_null(t, "sending");
	put_slots("waits_for", s->waits_for, t);
	json_open(t, "peers", '[');
	for (uint32_t i = 0; i < s->nodes; i++)
		put_peer(s, i, t);
	json_close(t, ']');
	put_suspended(u->arr, s->nodes, t);
	json_open(t, "taken", '{');
	json_u64(t, "slots", array->taken_slots);
	json_u64(t, "chunks", array->taken_bits);
	json_close(t, '}');
	json_u64(t, "messages_sent", s->messages_sent);
	json_u64(t, "messages_processed", s->messages_processed);
	json_str(t, "last_event", s->last_event);
}

void run_cluster_detail(struct umd_array *u, const struct arr_status *array, struct text *t)
{
	struct run_cluster *c = u->cluster;

	if (!c || !c->clu) {
		json_null(t, "cluster");
		return;
	}
	run_cluster_refresh(u);
	json_open(t, "cluster", '{');
	json_str(t, "engine", c->view.engine);
	json_str(t, "cluster_name", c->cluster_name);
	json_str(t, "node", c->node_name);
	put_status(u, &c->status, array, t);
	json_close(t, '}');
}
