/* The modelled engine: what a cluster manager promises, and nothing more.
 *
 *   a node's outbox --> one log for the group --> every node reads it at its own pace: messages and configurations in
 *                                                 one order
 *   a node's asks ----> locks with queues ------> answers on their way to it, beside that order
 *
 * A node whose process died, that is stopped, or that a partition cut off, is *evicted* at some time: a configuration
 * without it; and *fenced* at some time: only then its locks are let go, and nothing of it comes to a member any more.
 * After a death the two come in either order. A node that is cut off goes on until it is told that it has no quorum,
 * which may be late. One that was evicted is lost: when it is plugged in or goes on, it hears so.
 *
 * Left out: two sides of a partition that both go on; an engine that loses messages. */
#include "csim.h"

static struct cs_lock *lock_of(struct cs_world *w, struct clu_lock lock)
{
	return &w->locks[lock.kind == CLU_LOCK_TOKEN ? 0 : lock.kind == CLU_LOCK_RESYNC ? 1 : 2 + lock.slot];
}

static struct clu_lock name_of(const struct cs_world *w, const struct cs_lock *l)
{
	uint32_t i = (uint32_t)(l - w->locks);

	return i < 2 ? (struct clu_lock){ .kind = i ? CLU_LOCK_RESYNC : CLU_LOCK_TOKEN } :
		       (struct clu_lock){ .kind = CLU_LOCK_SLOT, .slot = i - 2 };
}

uint64_t engine_holder(const struct cs_world *w, struct clu_lock lock)
{
	return lock_of((struct cs_world *)w, lock)->holder;
}

void engine_note(struct cs_node *n, const struct cs_note *note)
{
	if (n->note_count == CS_NOTES)
		abort();
	n->notes[n->note_count++] = *note;
}

/* ---- who is connected ---- */

/* The side of a partition that a node is on may decide something. */
static bool is_quorate(const struct cs_world *w, const struct cs_node *n)
{
	return !w->is_parted || (w->has_winner && !n->is_cut);
}

static bool is_connected(const struct cs_world *w, const struct cs_node *n)
{
	return n->life == CS_RUNS && !n->is_evicted && is_quorate(w, n);
}

bool engine_may_write(const struct cs_node *n)
{
	return !n->is_fenced && !n->was_told_no_quorum && !n->was_told_lost;
}

bool engine_is_in_group(const struct cs_world *w, uint64_t id)
{
	for (uint32_t i = 0; i < w->group_count; i++)
		if (w->group[i] == id)
			return true;
	return false;
}

/* ---- the group ---- */

static uint8_t *keep_text(struct cs_world *w, const uint8_t *data, uint32_t len)
{
	uint8_t *at = w->text + w->text_count;

	if (w->text_count + len > w->text_room)
		abort();
	memcpy(at, data, len);
	w->text_count += len;
	return at;
}

static struct cs_entry *log_add(struct cs_world *w)
{
	if (w->log_count == CS_LOG)
		abort();
	w->log[w->log_count] = (struct cs_entry){ .is_config = true };
	return &w->log[w->log_count++];
}

static void log_config(struct cs_world *w)
{
	struct cs_entry *e = log_add(w);

	memcpy(e->nodes, w->group, sizeof e->nodes);
	e->node_count = w->group_count;
}

static void leave_group(struct cs_world *w, uint64_t id)
{
	uint32_t kept = 0;

	if (!engine_is_in_group(w, id))
		return;
	for (uint32_t i = 0; i < w->group_count; i++)
		if (w->group[i] != id)
			w->group[kept++] = w->group[i];
	w->group_count = kept;
	log_config(w);
}

static void joins(struct cs_world *w, struct cs_node *n)
{
	n->is_joining = false;
	n->is_member = true;
	n->log_at = w->log_count;
	n->log_end = UINT64_MAX;
	w->group[w->group_count++] = n->id;
	trace(w, "engine: %u is a member", n->number);
	log_config(w);
	engine_note(n, &(struct cs_note){ .kind = CS_NOTE_QUORUM, .value = true });
}

static void sequence(struct cs_world *w, struct cs_node *n)
{
	struct cs_entry *e = log_add(w);

	*e = n->outbox[0];
	memmove(n->outbox, n->outbox + 1, --n->outbox_count * sizeof *n->outbox);
}

/* ---- locks ---- */

static void answer(struct cs_node *n, struct clu_lock lock, int rc)
{
	engine_note(n, &(struct cs_note){ .kind = CS_NOTE_LOCK, .lock = lock, .rc = rc });
}

/* Whoever is cut off is granted nothing; it keeps its place until it is fenced. */
static void grant_next(struct cs_world *w, struct cs_lock *l)
{
	uint32_t i = 0;

	while (l->holder == CS_NOBODY && i < l->waiter_count) {
		struct cs_node *n = node_by_id(w, l->waiters[i]);

		if (n && n->life != CS_DYING && !is_quorate(w, n)) {
			i++;
			continue;
		}
		memmove(l->waiters + i, l->waiters + i + 1, (--l->waiter_count - i) * sizeof *l->waiters);
		if (!n || n->is_fenced || n->life == CS_DYING)
			continue;
		l->holder = n->id;
		answer(n, name_of(w, l), 0);
	}
}

/* True: it was one. */
static bool forget_waiter(struct cs_lock *l, uint64_t id)
{
	uint32_t kept = 0, before = l->waiter_count;

	for (uint32_t i = 0; i < l->waiter_count; i++)
		if (l->waiters[i] != id)
			l->waiters[kept++] = l->waiters[i];
	l->waiter_count = kept;
	return kept < before;
}

static void wait_for(struct cs_world *w, struct cs_lock *l, const struct cs_node *n)
{
	if (l->waiter_count == CS_WAITERS || l->holder == n->id)
		broken(w, "I9", "node %u asks for a lock again that it has, or too often", n->number);
	l->waiters[l->waiter_count++] = n->id;
	grant_next(w, l);
}

static void lock_goes_on(struct cs_world *w, struct cs_node *n)
{
	struct cs_lock_ask a = n->lock_asks[0];
	struct cs_lock *l = lock_of(w, a.lock);
	char name[16];

	memmove(n->lock_asks, n->lock_asks + 1, --n->lock_ask_count * sizeof *n->lock_asks);
	clu_lock_name(a.lock, name);
	trace(w, "engine: %u %s %s", n->number, (const char *[]){ "queues for", "tries", "cancels", "unlocks" }[a.kind],
	      name);
	if (a.kind == CS_ASK_LOCK) {
		wait_for(w, l, n);
	} else if (a.kind == CS_ASK_TRY) {
		if (l->holder == n->id)
			broken(w, "I9", "node %u tries %s, which it has", n->number, name);
		if (l->holder == CS_NOBODY && !l->waiter_count)
			l->holder = n->id;
		answer(n, a.lock, l->holder == n->id ? 0 : -EAGAIN);
	} else if (a.kind == CS_ASK_CANCEL) {
		if (forget_waiter(l, n->id))	/* else the grant is on its way */
			answer(n, a.lock, -ECANCELED);
	} else {
		if (l->holder != n->id)
			broken(w, "C4", "node %u unlocks %s, which it does not have", n->number, name);
		l->holder = CS_NOBODY;
		grant_next(w, l);
	}
}

static void let_go(struct cs_world *w, uint64_t id)
{
	for (struct cs_lock *l = w->locks; l < w->locks + CS_LOCKS; l++)
		forget_waiter(l, id);
	for (struct cs_lock *l = w->locks; l < w->locks + CS_LOCKS; l++) {
		if (l->holder == id)
			l->holder = CS_NOBODY;
		grant_next(w, l);
	}
}

/* ---- the end of a node ---- */

/* How it hears of it. A configuration without it comes after all that it was still to hear, and says nothing to a node
 * that never was a member. */
static enum cs_note_kind loss_of(struct cs_world *w, const struct cs_node *n)
{
	bool has_heard_all = n->is_member && n->log_at >= min_u64(w->log_count, n->log_end);

	return has_heard_all && by_lot(w, 3) ? CS_NOTE_EVICTED : CS_NOTE_LOST;
}

void engine_evict(struct cs_world *w, struct cs_node *n)
{
	trace(w, "engine: the others go on without %u", n->number);
	n->is_evicted = true;
	n->log_end = min_u64(n->log_end, w->log_count);
	n->outbox_count = n->lock_ask_count = 0;
	n->is_joining = false;
	leave_group(w, n->id);
	if (n->life == CS_PAUSED)
		engine_note(n, &(struct cs_note){ .kind = loss_of(w, n) });
}

void engine_fence(struct cs_world *w, struct cs_node *n)
{
	trace(w, "engine: %u is fenced", n->number);
	n->is_fenced = true;
	n->lock_ask_count = n->outbox_count = 0;
	let_go(w, n->id);
	if (n->life == CS_RUNS && by_lot(w, 2))
		node_dies(w, n);
	else if (n->life == CS_PAUSED)
		hands_drop(w, n);
	if (n->life == CS_DYING && n->is_evicted)
		node_over(w, n);
}

static void evicted(struct cs_world *w, struct cs_node *n)
{
	engine_evict(w, n);
	if (n->life == CS_DYING && n->is_fenced)
		node_over(w, n);
}

void engine_gone(struct cs_world *w, struct cs_node *n)
{
	while (n->outbox_count && n->is_member && is_connected(w, n))
		sequence(w, n);
	leave_group(w, n->id);
	n->lock_ask_count = n->outbox_count = n->note_count = 0;
	n->is_member = n->is_joining = false;
	let_go(w, n->id);
}

/* ---- partitions ---- */

void engine_part(struct cs_world *w, uint32_t cut, bool has_winner)
{
	w->is_parted = true;
	w->has_winner = has_winner;
	EACH_NODE(w, n) {
		n->is_cut = cut & 1u << n->number;
		if (n->life != CS_OFF && n->is_member && n->is_cut && has_winner)
			n->log_end = min_u64(n->log_end, w->log_count);
		if (n->life != CS_OFF && n->life != CS_DYING && !is_quorate(w, n))
			engine_note(n, &(struct cs_note){ .kind = CS_NOTE_QUORUM });
	}
}

void engine_heal(struct cs_world *w)
{
	EACH_NODE(w, n) {
		bool had_none = w->is_parted && !is_quorate(w, n);

		n->is_cut = false;
		if (n->life == CS_OFF || n->life == CS_DYING || !had_none)
			continue;
		if (n->is_evicted) {
			engine_note(n, &(struct cs_note){ .kind = loss_of(w, n) });
			continue;
		}
		n->log_end = UINT64_MAX;
		engine_note(n, &(struct cs_note){ .kind = CS_NOTE_QUORUM, .value = true });
	}
	w->is_parted = w->has_winner = false;
	for (struct cs_lock *l = w->locks; l < w->locks + CS_LOCKS; l++)
		grant_next(w, l);
}

/* ---- what a node asks, and hears ---- */

void engine_ask(struct cs_world *w, struct cs_node *n, const struct clu_ask *ask)
{
	struct cs_lock_ask *a = &n->lock_asks[n->lock_ask_count];

	if (n->lock_ask_count == CS_LOCK_ASKS || n->outbox_count == CS_OUTBOX)
		broken(w, "I9", "node %u asks the engine without end", n->number);
	if (n->is_evicted || n->is_fenced)
		return;		/* nobody hears it any more */
	switch (ask->kind) {
	case CLU_ASK_GROUP:
		n->is_joining = true;
		break;
	case CLU_ASK_SEND:
		n->outbox[n->outbox_count++] = (struct cs_entry){
			.from = n->id,
			.data = keep_text(w, ask->data, ask->len_bytes),
			.len_bytes = ask->len_bytes,
		};
		break;
	default:
		a->kind = ask->kind == CLU_ASK_UNLOCK ? CS_ASK_UNLOCK : ask->kind == CLU_ASK_CANCEL ? CS_ASK_CANCEL :
			  ask->may_queue ? CS_ASK_LOCK : CS_ASK_TRY;
		a->lock = ask->lock;
		n->lock_ask_count++;
	}
}

static void deliver(struct cs_world *w, struct cs_node *n)
{
	const struct cs_entry *e = &w->log[n->log_at++];

	if (e->is_config)
		node_hear(w, n, &(struct clu_event){
			.kind = CLU_EV_CONFIG,
			.nodes = e->nodes,
			.node_count = e->node_count,
		});
	else
		node_hear(w, n, &(struct clu_event){
			.kind = CLU_EV_MESSAGE,
			.from = e->from,
			.data = e->data,
			.len_bytes = e->len_bytes,
		});
}

static void tell(struct cs_world *w, struct cs_node *n)
{
	struct cs_note note = n->notes[0];
	struct clu_event ev = { .kind = CLU_EV_LOCK, .lock = note.lock, .rc = note.rc, .value = note.value };

	memmove(n->notes, n->notes + 1, --n->note_count * sizeof *n->notes);
	if (note.kind == CS_NOTE_QUORUM) {
		n->was_told_no_quorum = !note.value;
		ev.kind = CLU_EV_QUORUM;
	} else if (note.kind == CS_NOTE_LOST) {
		n->was_told_lost = true;
		ev.kind = CLU_EV_LOST;
		ev.reason = "the cluster went on without this node";
	} else if (note.kind == CS_NOTE_EVICTED) {
		n->was_told_lost = true;
		ev.kind = CLU_EV_CONFIG;
		ev.nodes = w->group;
		ev.node_count = w->group_count;
	}
	node_hear(w, n, &ev);
}

static bool may_be_evicted(const struct cs_world *w, const struct cs_node *n)
{
	bool is_out = n->life == CS_PAUSED || n->life == CS_DYING || (n->is_cut && w->has_winner);

	return n->life != CS_OFF && is_out && !n->is_evicted && (!w->is_parted || w->has_winner);
}

static bool may_be_fenced(const struct cs_world *w, const struct cs_node *n)
{
	return n->life != CS_OFF && !n->is_fenced && (n->is_evicted || n->life == CS_DYING) &&
	       (!w->is_parted || w->has_winner);
}

void engine_collect(struct cs_world *w, struct cs_choices *ret)
{
	bool is_patient = !w->is_settling && w->patience && !by_lot(w, w->patience);

	EACH_NODE(w, n) {
		bool is_there = is_connected(w, n);

		if (is_there && n->is_joining)
			choice_add(ret, joins, n);
		if (is_there && n->is_member && n->outbox_count)
			choice_add(ret, sequence, n);
		if (is_there && n->lock_ask_count)
			choice_add(ret, lock_goes_on, n);
		if (!is_patient && may_be_evicted(w, n))
			choice_add(ret, evicted, n);
		if (!is_patient && may_be_fenced(w, n))
			choice_add(ret, engine_fence, n);
		if (n->life != CS_RUNS)
			continue;
		if (n->is_member && n->log_at < min_u64(w->log_count, n->log_end))
			choice_add(ret, deliver, n);
		if (n->note_count)
			choice_add(ret, tell, n);
	}
}
