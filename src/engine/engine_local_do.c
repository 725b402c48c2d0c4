/* What the local engine's thread does: tell events, append what was asked for, take locks and give them away.
 *
 * An append takes the right to it, and where that is refused returns "again": the thread comes back when it was poked.
 * Whatever was appended comes back through the log like everybody else's, so a node hears itself in the order that all
 * hear. A grant is told after the log was read to its end: what the former holder sent arrives before its lock.
 *
 * A wish for a lock that somebody else waits for goes to the queue untried, for 5 ms: whoever gives a lock away and
 * wants it again at once would else always be faster than the one who has to wake up first.
 *
 * When the engine is lost, all that is held stays held until the end: parts may still be on their way to members. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "engine/engine_local.h"

enum { RECORDS_PER_ROUND = 64 };

/* ---- telling ---- */

static void tell(struct engine_local *l, const struct clu_event *ev)
{
	l->config.deliver(l->config.opaque, ev);
}

static void tell_lock(struct engine_local *l, struct clu_lock lock, int rc)
{
	tell(l, &(struct clu_event){ .kind = CLU_EV_LOCK, .lock = lock, .rc = rc });
}

void engine_local_lose(struct engine_local *l, const char *reason)
{
	if (atomic_exchange(&l->is_lost, true))
		return;
	tell(l, &(struct clu_event){ .kind = CLU_EV_LOST, .reason = reason });
}

static void lose_log(struct engine_local *l)
{
	engine_local_lose(l, l->log.lost);
}

static void tell_members(struct engine_local *l)
{
	uint64_t nodes[ENGINE_NODES_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		if (l->log.ids[i])
			nodes[count++] = l->log.ids[i];
	tell(l, &(struct clu_event){ .kind = CLU_EV_CONFIG, .nodes = nodes, .node_count = count });
}

static void tell_record(struct engine_local *l, const struct engine_record *r)
{
	if (r->kind == ENGINE_R_MESSAGE)
		tell(l, &(struct clu_event){ .kind = CLU_EV_MESSAGE, .from = r->node_id, .data = r->data,
					     .len_bytes = r->len_bytes });
	else if (r->is_news)
		tell_members(l);
}

bool engine_local_is_in_group(const struct engine_local *l)
{
	return l->log.index != UINT32_MAX && !atomic_load(&l->is_lost);
}

/* True: there is more. */
bool engine_local_read(struct engine_local *l)
{
	struct engine_record record;
	int rc = engine_local_is_in_group(l) ? engine_log_check(&l->log) : 0;

	for (uint32_t i = 0; rc >= 0 && i < RECORDS_PER_ROUND && engine_local_is_in_group(l); i++) {
		rc = engine_log_read(&l->log, &record);
		if (rc == 0)
			return false;
		if (rc > 0)
			tell_record(l, &record);
	}
	if (rc < 0)
		lose_log(l);
	return rc > 0;
}

/* ---- appending ---- */

/* True: it may be appended; else not yet, or never. */
static bool begin(struct engine_local *l)
{
	int rc = engine_log_begin(&l->log);

	l->is_append_due = rc == -EAGAIN;
	l->has_appended |= rc == 0;
	if (rc < 0 && rc != -EAGAIN)
		lose_log(l);
	return rc == 0;
}

static void finish(struct engine_local *l, int rc)
{
	engine_log_finish(&l->log);
	if (rc < 0)
		lose_log(l);
	engine_pokes_all(&l->pokes);
}

static int join(struct engine_local *l)
{
	int rc = engine_log_join(&l->log, l->e.node_id);

	if (rc == 0) {
		rc = engine_pokes_listen(&l->pokes, l->log.name, l->log.index);
		if (rc < 0)
			text_fit(l->log.lost, sizeof l->log.lost, "cannot make the socket %s.%u: %s", l->log.path,
				 l->log.index, strerror(-rc));
	}
	if (rc < 0)
		return rc;
	engine_pokes_connect(&l->pokes, l->log.name, l->log.ids, l->log.index);
	l->locks.log_fd = l->log.fd;
	atomic_store(&l->watched_fd, l->log.fd);
	return 0;
}

static bool do_group(struct engine_local *l)
{
	if (atomic_load(&l->watched_fd) >= 0) {
		engine_local_lose(l, "the engine was in its group before: a node that comes back is a new one");
		return true;
	}
	if (!begin(l))
		return false;
	finish(l, join(l));
	return true;
}

static bool do_send(struct engine_local *l, const struct engine_command *c)
{
	if (!engine_local_is_in_group(l))
		return true;
	if (!begin(l))
		return false;
	finish(l, engine_log_message(&l->log, l->e.node_id, c->data, c->len_bytes));
	return true;
}

void engine_local_drop_all_locks(struct engine_local *l)
{
	while (l->queue_count)
		engine_lock_wait(&l->locks, l->queue[--l->queue_count].lock, false);
	while (l->held_count)
		engine_lock_drop(&l->locks, l->held[--l->held_count]);
}

/* Our socket goes while nobody can take our index yet. */
static bool do_goodbye(struct engine_local *l)
{
	int rc;

	if (!engine_local_is_in_group(l))
		return true;
	if (!begin(l))
		return false;
	engine_local_drop_all_locks(l);
	rc = engine_log_leave(&l->log, l->e.node_id);
	engine_pokes_all(&l->pokes);
	engine_pokes_close(&l->pokes);
	finish(l, rc);
	return true;
}

/* A connection ends before its process has let its locks go, so a missing one is asked about until it is explained. */
bool engine_local_misses_somebody(const struct engine_local *l)
{
	uint32_t others = 0;

	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		others += l->log.ids[i] && i != l->log.index;
	return engine_local_is_in_group(l) && l->pokes.count < others;
}

void engine_local_bury(struct engine_local *l)
{
	if (engine_local_is_in_group(l) && engine_log_has_dead(&l->log) && begin(l))
		finish(l, engine_log_bury(&l->log));
}

/* ---- locks ---- */

static bool is_same(struct clu_lock a, struct clu_lock b)
{
	return engine_lock_byte(a) == engine_lock_byte(b);
}

static void enqueue(struct engine_local *l, struct clu_lock lock, uint64_t not_before_ms)
{
	if (l->queue_count == ENGINE_QUEUE_MAX)
		return;
	engine_lock_wait(&l->locks, lock, true);
	l->queue[l->queue_count++] = (struct engine_queued){ lock, not_before_ms };
}

/* False: it is not in the queue, so it was answered. */
static bool dequeue(struct engine_local *l, struct clu_lock lock)
{
	for (uint32_t i = 0; i < l->queue_count; i++) {
		if (!is_same(l->queue[i].lock, lock))
			continue;
		engine_lock_wait(&l->locks, lock, false);
		l->queue[i] = l->queue[--l->queue_count];
		return true;
	}
	return false;
}

/* 0 told as granted; -EAGAIN: nothing was told. Granted means that what the former holder sent was delivered before. */
static int try_lock(struct engine_local *l, struct clu_lock lock)
{
	char why[120];
	int rc = engine_lock_take(&l->locks, lock);

	if (rc == 0) {
		l->held[l->held_count++] = lock;
		while (engine_local_read(l))
			;
		if (engine_local_is_in_group(l))
			tell_lock(l, lock, 0);
	} else if (rc != -EAGAIN) {
		text_fit(why, sizeof why, "members cannot be locked any more: %s", strerror(-rc));
		engine_local_lose(l, why);
	}
	return rc;
}

static bool is_held(const struct engine_local *l, struct clu_lock lock)
{
	for (uint32_t i = 0; i < l->held_count; i++)
		if (is_same(l->held[i], lock))
			return true;
	return false;
}

static void do_lock(struct engine_local *l, const struct engine_command *c)
{
	bool is_legal = c->lock.kind != CLU_LOCK_SLOT || c->lock.slot < l->config.nodes;

	if (!engine_local_is_in_group(l) || !is_legal || is_held(l, c->lock))
		tell_lock(l, c->lock, -EAGAIN);
	else if (c->may_queue && engine_lock_is_waited_for(&l->locks, c->lock))
		enqueue(l, c->lock, engine_local_now_ms() + ENGINE_SOON_MS);
	else if (try_lock(l, c->lock) == -EAGAIN && c->may_queue)
		enqueue(l, c->lock, 0);
	else if (!c->may_queue && !is_held(l, c->lock) && engine_local_is_in_group(l))
		tell_lock(l, c->lock, -EAGAIN);
}

static void do_unlock(struct engine_local *l, struct clu_lock lock)
{
	for (uint32_t i = 0; i < l->held_count; i++) {
		if (!is_same(l->held[i], lock))
			continue;
		engine_lock_drop(&l->locks, lock);
		l->held[i] = l->held[--l->held_count];
		engine_pokes_all(&l->pokes);
		return;
	}
}

/* A grant is told while the queue is looked at, and what is told may ask: asks only change the list of commands. */
void engine_local_try_queue(struct engine_local *l)
{
	uint64_t now = engine_local_now_ms();

	for (uint32_t i = 0; i < l->queue_count && engine_local_is_in_group(l);) {
		struct engine_queued q = l->queue[i];

		if (q.not_before_ms > now || try_lock(l, q.lock) < 0)
			i++;
		else
			dequeue(l, q.lock);
	}
}

/* False: it must be asked again, and those behind it wait. */
bool engine_local_carry_out(struct engine_local *l, const struct engine_command *c)
{
	switch (c->kind) {
	case ENGINE_DO_GROUP:
		return do_group(l);
	case ENGINE_DO_LOCK:
		do_lock(l, c);
		return true;
	case ENGINE_DO_CANCEL:
		if (dequeue(l, c->lock))
			tell_lock(l, c->lock, -ECANCELED);
		return true;
	case ENGINE_DO_UNLOCK:
		do_unlock(l, c->lock);
		return true;
	case ENGINE_DO_SEND:
		return do_send(l, c);
	case ENGINE_DO_GOODBYE:
		return do_goodbye(l);
	}
	return true;
}
