/* The local engine: nodes are processes of one host, their cluster is a log file, locked bytes and sockets that wake.
 *
 * All work is done by one thread, in rounds: hear who pokes, read the log and deliver it, carry out what was asked for in
 * the order in which it was asked, bury the dead, try for the locks that are queued for. The door's functions only put
 * an ask into a list and wake the thread, so they never wait and may be called while an event is delivered.
 *
 * The right to append is never waited for inside a call: who does not get it tries again when poked (the one who had it
 * has appended, and so pokes) or after a while. So an ask that appends stops those behind it, and nothing else.
 *
 * Time is used where no event can be had: 5 ms, doubling to 200, while a lock is queued for, an append is due, or a
 * connection to a member is missing (it may have died while the locks of its process are still being let go). With
 * nothing pending the thread looks once a second whether its log is still there.
 *
 * A death is what the kernel says of locks: the dead node's byte is free. So a process that is stopped by a signal is not
 * dead; it holds everything (C5 needs no more here: whoever runs may write, as long as the log is the one that the
 * others read). An engine that is closed without a goodbye dies for the others.
 *
 * Left out: quorum, which one host always has; several user ids in one group. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "engine/engine_local.h"

enum { SOON_MS = 5, LATER_MS = 200, IDLE_MS = 1000, RECORDS_PER_ROUND = 64, QUEUE_MAX = CLU_NODES_MAX + 2 };

enum command_kind { DO_GROUP, DO_LOCK, DO_CANCEL, DO_UNLOCK, DO_SEND, DO_GOODBYE };

struct command {
	struct command *next;
	enum command_kind kind;
	struct clu_lock lock;
	bool may_queue;
	uint32_t len_bytes;
	uint8_t data[];
};

struct local {
	struct engine e;
	struct engine_config config;
	struct engine_log log;
	struct engine_locks locks;
	struct engine_pokes pokes;
	pthread_t thread;
	int wake_fd;
	atomic_bool is_lost;
	atomic_int watched_fd;		/* the log, once we are in the group; else -1 */

	pthread_mutex_t mutex;		/* for these three */
	struct command *first, **last;
	bool is_closing, is_out_of_memory;

	/* the thread's own */
	struct queued { struct clu_lock lock; uint64_t not_before_ms; } queue[QUEUE_MAX];
	uint32_t queue_count;
	struct clu_lock held[QUEUE_MAX];
	uint32_t held_count;
	bool is_append_due;		/* it was refused: somebody else appends */
	bool has_appended;		/* what we say comes back to us: read on */
	int wait_ms;
};

static struct local *local_of(struct engine *e)
{
	return (struct local *)e;		/* e is the first field */
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- asks: any thread ---- */

static void wake(struct local *l)
{
	eventfd_write(l->wake_fd, 1);
}

static void ask(struct local *l, const struct command *wanted, const uint8_t *data)
{
	struct command *c = mem_space(sizeof *c + wanted->len_bytes);

	if (c) {
		*c = *wanted;
		if (wanted->len_bytes)
			memcpy(c->data, data, wanted->len_bytes);
	}
	pthread_mutex_lock(&l->mutex);
	if (c) {
		*l->last = c;
		l->last = &c->next;
	}
	l->is_out_of_memory |= !c;
	pthread_mutex_unlock(&l->mutex);
	wake(l);
}

static void ask_group(struct engine *e)
{
	ask(local_of(e), &(struct command){ .kind = DO_GROUP }, NULL);
}

static void ask_lock(struct engine *e, struct clu_lock lock, bool may_queue)
{
	ask(local_of(e), &(struct command){ .kind = DO_LOCK, .lock = lock, .may_queue = may_queue }, NULL);
}

static void ask_cancel(struct engine *e, struct clu_lock lock)
{
	ask(local_of(e), &(struct command){ .kind = DO_CANCEL, .lock = lock }, NULL);
}

static void ask_unlock(struct engine *e, struct clu_lock lock)
{
	ask(local_of(e), &(struct command){ .kind = DO_UNLOCK, .lock = lock }, NULL);
}

static void ask_send(struct engine *e, const uint8_t *data, uint32_t len_bytes)
{
	if (len_bytes <= CLU_MESSAGE_BYTES_MAX)
		ask(local_of(e), &(struct command){ .kind = DO_SEND, .len_bytes = len_bytes }, data);
}

static void ask_goodbye(struct engine *e)
{
	ask(local_of(e), &(struct command){ .kind = DO_GOODBYE }, NULL);
}

/* A log without a name is read by no newcomer: whoever goes on writing then may write beside another group. */
static bool may_write(struct engine *e)
{
	struct local *l = local_of(e);
	int fd = atomic_load(&l->watched_fd);
	struct stat st;

	return !atomic_load(&l->is_lost) && (fd < 0 || (fstat(fd, &st) == 0 && st.st_nlink > 0));
}

/* ---- telling ---- */

static void tell(struct local *l, const struct clu_event *ev)
{
	l->config.deliver(l->config.opaque, ev);
}

static void tell_lock(struct local *l, struct clu_lock lock, int rc)
{
	tell(l, &(struct clu_event){ .kind = CLU_EV_LOCK, .lock = lock, .rc = rc });
}

/* What is held stays held until the end: parts may still be on their way to members. */
static void lose(struct local *l, const char *reason)
{
	if (atomic_exchange(&l->is_lost, true))
		return;
	tell(l, &(struct clu_event){ .kind = CLU_EV_LOST, .reason = reason });
}

static void lose_log(struct local *l)
{
	lose(l, l->log.lost);
}

static void tell_members(struct local *l)
{
	uint64_t nodes[ENGINE_NODES_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		if (l->log.ids[i])
			nodes[count++] = l->log.ids[i];
	tell(l, &(struct clu_event){ .kind = CLU_EV_CONFIG, .nodes = nodes, .node_count = count });
}

static void tell_record(struct local *l, const struct engine_record *r)
{
	if (r->kind == ENGINE_R_MESSAGE)
		tell(l, &(struct clu_event){ .kind = CLU_EV_MESSAGE, .from = r->node_id, .data = r->data,
					     .len_bytes = r->len_bytes });
	else if (r->is_news)
		tell_members(l);
}

static bool is_in_group(const struct local *l)
{
	return l->log.index != UINT32_MAX && !atomic_load(&l->is_lost);
}

/* True: there is more. */
static bool read_log(struct local *l)
{
	struct engine_record record;
	int rc = is_in_group(l) ? engine_log_check(&l->log) : 0;

	for (uint32_t i = 0; rc >= 0 && i < RECORDS_PER_ROUND && is_in_group(l); i++) {
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

/* 1: it may be appended; 0: not yet, or never. */
static bool begin(struct local *l)
{
	int rc = engine_log_begin(&l->log);

	l->is_append_due = rc == -EAGAIN;
	l->has_appended |= rc == 0;
	if (rc < 0 && rc != -EAGAIN)
		lose_log(l);
	return rc == 0;
}

static void finish(struct local *l, int rc)
{
	engine_log_finish(&l->log);
	if (rc < 0)
		lose_log(l);
	engine_pokes_all(&l->pokes);
}

static int join(struct local *l)
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

static bool do_group(struct local *l)
{
	if (atomic_load(&l->watched_fd) >= 0) {
		lose(l, "the engine was in its group before: a node that comes back is a new one");
		return true;
	}
	if (!begin(l))
		return false;
	finish(l, join(l));
	return true;
}

static bool do_send(struct local *l, const struct command *c)
{
	if (!is_in_group(l))
		return true;
	if (!begin(l))
		return false;
	finish(l, engine_log_message(&l->log, l->e.node_id, c->data, c->len_bytes));
	return true;
}

static void drop_all_locks(struct local *l)
{
	while (l->queue_count)
		engine_lock_wait(&l->locks, l->queue[--l->queue_count].lock, false);
	while (l->held_count)
		engine_lock_drop(&l->locks, l->held[--l->held_count]);
}

/* Our socket goes while nobody can take our index yet. */
static bool do_goodbye(struct local *l)
{
	int rc;

	if (!is_in_group(l))
		return true;
	if (!begin(l))
		return false;
	drop_all_locks(l);
	rc = engine_log_leave(&l->log, l->e.node_id);
	engine_pokes_all(&l->pokes);
	engine_pokes_close(&l->pokes);
	finish(l, rc);
	return true;
}

/* A connection ends before its process has let its locks go, so a missing one is asked about until it is explained. */
static bool misses_somebody(const struct local *l)
{
	uint32_t others = 0;

	for (uint32_t i = 0; i < ENGINE_NODES_MAX; i++)
		others += l->log.ids[i] && i != l->log.index;
	return is_in_group(l) && l->pokes.count < others;
}

static void bury(struct local *l)
{
	if (misses_somebody(l) && engine_log_has_dead(&l->log) && begin(l))
		finish(l, engine_log_bury(&l->log));
}

/* ---- locks ---- */

static bool is_same(struct clu_lock a, struct clu_lock b)
{
	return engine_lock_byte(a) == engine_lock_byte(b);
}

static void enqueue(struct local *l, struct clu_lock lock, uint64_t not_before_ms)
{
	if (l->queue_count == QUEUE_MAX)
		return;
	engine_lock_wait(&l->locks, lock, true);
	l->queue[l->queue_count++] = (struct queued){ lock, not_before_ms };
}

static void dequeue(struct local *l, struct clu_lock lock)
{
	for (uint32_t i = 0; i < l->queue_count; i++) {
		if (!is_same(l->queue[i].lock, lock))
			continue;
		engine_lock_wait(&l->locks, lock, false);
		l->queue[i] = l->queue[--l->queue_count];
		return;
	}
}

/* 0 told as granted; -EAGAIN: nothing was told. Granted means that what the former holder sent was delivered before. */
static int try_lock(struct local *l, struct clu_lock lock)
{
	char why[120];
	int rc = engine_lock_take(&l->locks, lock);

	if (rc == 0) {
		l->held[l->held_count++] = lock;
		while (read_log(l))
			;
		if (is_in_group(l))
			tell_lock(l, lock, 0);
	} else if (rc != -EAGAIN) {
		text_fit(why, sizeof why, "members cannot be locked any more: %s", strerror(-rc));
		lose(l, why);
	}
	return rc;
}

static bool is_held(const struct local *l, struct clu_lock lock)
{
	for (uint32_t i = 0; i < l->held_count; i++)
		if (is_same(l->held[i], lock))
			return true;
	return false;
}

static void do_lock(struct local *l, const struct command *c)
{
	bool is_legal = c->lock.kind != CLU_LOCK_SLOT || c->lock.slot < l->config.nodes;

	if (!is_in_group(l) || !is_legal || is_held(l, c->lock))
		tell_lock(l, c->lock, -EAGAIN);
	else if (c->may_queue && engine_lock_is_waited_for(&l->locks, c->lock))
		enqueue(l, c->lock, now_ms() + SOON_MS);
	else if (try_lock(l, c->lock) == -EAGAIN && c->may_queue)
		enqueue(l, c->lock, 0);
	else if (!c->may_queue && !is_held(l, c->lock) && is_in_group(l))
		tell_lock(l, c->lock, -EAGAIN);
}

static void do_unlock(struct local *l, struct clu_lock lock)
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
static void try_queue(struct local *l)
{
	uint64_t now = now_ms();

	for (uint32_t i = 0; i < l->queue_count && is_in_group(l);) {
		struct queued q = l->queue[i];

		if (q.not_before_ms > now || try_lock(l, q.lock) < 0)
			i++;
		else
			dequeue(l, q.lock);
	}
}

/* ---- rounds ---- */

static struct command *first_command(struct local *l)
{
	struct command *c;

	pthread_mutex_lock(&l->mutex);
	c = l->first;
	pthread_mutex_unlock(&l->mutex);
	return c;
}

static void drop_first_command(struct local *l)
{
	struct command *c;

	pthread_mutex_lock(&l->mutex);
	c = l->first;
	l->first = c->next;
	if (!l->first)
		l->last = &l->first;
	pthread_mutex_unlock(&l->mutex);
	mem_free(c);
}

/* False: it must be asked again, and those behind it wait. */
static bool carry_out(struct local *l, const struct command *c)
{
	switch (c->kind) {
	case DO_GROUP:
		return do_group(l);
	case DO_LOCK:
		do_lock(l, c);
		return true;
	case DO_CANCEL:
		dequeue(l, c->lock);
		return true;
	case DO_UNLOCK:
		do_unlock(l, c->lock);
		return true;
	case DO_SEND:
		return do_send(l, c);
	case DO_GOODBYE:
		return do_goodbye(l);
	}
	return true;
}

static void carry_out_all(struct local *l)
{
	struct command *c;

	while (!atomic_load(&l->is_lost) && (c = first_command(l)) && carry_out(l, c))
		drop_first_command(l);
}

static void run_round(struct local *l)
{
	bool has_more;

	engine_pokes_hear(&l->pokes);
	do {
		has_more = read_log(l);
		l->is_append_due = l->has_appended = false;
		carry_out_all(l);
		bury(l);
		try_queue(l);
	} while ((has_more || l->has_appended) && !atomic_load(&l->is_lost));
}

static int wait_limit_ms(const struct local *l)
{
	bool is_pending = l->queue_count || l->is_append_due || misses_somebody(l);

	return atomic_load(&l->is_lost) || !is_pending ? IDLE_MS : l->wait_ms;
}

static void wait_for_news(struct local *l)
{
	struct pollfd fds[ENGINE_CONNECTIONS_MAX + 2];
	uint32_t count = 0;
	eventfd_t value;
	int rc;

	fds[count++] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
	fds[count++] = (struct pollfd){ .fd = l->pokes.listen_fd, .events = POLLIN };
	for (uint32_t i = 0; i < l->pokes.count; i++)
		fds[count++] = (struct pollfd){ .fd = l->pokes.fds[i], .events = POLLIN };
	rc = poll(fds, count, wait_limit_ms(l));
	if (rc > 0)
		l->wait_ms = SOON_MS;
	else if (rc == 0 && l->wait_ms < LATER_MS)
		l->wait_ms *= 2;
	if (fds[0].revents & POLLIN)
		eventfd_read(l->wake_fd, &value);
}

static bool is_closing(struct local *l)
{
	bool answer, is_broken;

	pthread_mutex_lock(&l->mutex);
	answer = l->is_closing;
	is_broken = l->is_out_of_memory;
	pthread_mutex_unlock(&l->mutex);
	if (is_broken && !answer)
		lose(l, "no memory for what the cluster is asked");
	return answer;
}

/* What was asked before the close is still carried out, a goodbye above all. But somebody who stands still with the right
 * to append must not keep us for ever: then we are gone without a word. */
static bool is_over(struct local *l, uint64_t *closing_ms)
{
	if (!is_closing(l))
		return false;
	if (!*closing_ms)
		*closing_ms = now_ms();
	return atomic_load(&l->is_lost) || !first_command(l) || now_ms() - *closing_ms > IDLE_MS;
}

static void *run_thread(void *opaque)
{
	struct local *l = opaque;
	uint64_t closing_ms = 0;

	while (!is_over(l, &closing_ms)) {
		if (!atomic_load(&l->is_lost))
			run_round(l);
		else
			engine_pokes_hear(&l->pokes);
		if (!closing_ms || first_command(l))
			wait_for_news(l);
	}
	return NULL;
}

/* ---- opening and closing ---- */

static struct local *drop(struct local *l)
{
	struct command *c;

	engine_pokes_close(&l->pokes);
	engine_log_close(&l->log);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	while ((c = l->first)) {
		l->first = c->next;
		mem_free(c);
	}
	pthread_mutex_destroy(&l->mutex);
	return mem_free(l);
}

/* Members' descriptors may be closed by now: the kernel gave their locks away with them. */
static struct engine *close_engine(struct engine *e)
{
	struct local *l = local_of(e);

	if (!e)
		return NULL;
	pthread_mutex_lock(&l->mutex);
	l->is_closing = true;
	pthread_mutex_unlock(&l->mutex);
	wake(l);
	pthread_join(l->thread, NULL);
	drop_all_locks(l);
	drop(l);
	return NULL;
}

static const struct engine_ops local_ops = {
	.group = ask_group, .lock = ask_lock, .cancel = ask_cancel, .unlock = ask_unlock, .send = ask_send,
	.goodbye = ask_goodbye, .may_write = may_write, .close = close_engine,
};

/* The id is of chance: indexes and process ids come again. */
static int name_node(struct local *l, struct err *err)
{
	l->e.ops = &local_ops;
	l->e.kind = "local";
	do
		if (getrandom(&l->e.node_id, sizeof l->e.node_id, 0) != sizeof l->e.node_id)
			return err_set(err, -EIO, "cannot make an id for a node of a cluster: %s", strerror(errno));
	while (!l->e.node_id);
	if (l->config.node_name[0])
		text_fit(l->e.node_name, sizeof l->e.node_name, "%s", l->config.node_name);
	else
		text_fit(l->e.node_name, sizeof l->e.node_name, "pid-%d", (int)getpid());
	return 0;
}

/* Signals belong to the program's other threads. */
static int start_thread(struct local *l, struct err *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&l->thread, NULL, run_thread, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? err_set(err, -rc, "cannot start the cluster's thread: %s", strerror(rc)) : 0;
}

static int open_parts(struct local *l, struct err *err)
{
	int rc = name_node(l, err);

	if (rc == 0)
		rc = engine_log_open(&l->log, &l->config, err);
	if (rc == 0)
		rc = engine_locks_init(&l->locks, &l->config, err);
	if (rc < 0)
		return rc;
	engine_pokes_init(&l->pokes, l->log.dir_fd);
	l->locks.log_fd = l->log.fd;
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake_fd < 0)
		return err_set(err, -errno, "cannot open the cluster's engine: %s", strerror(errno));
	return start_thread(l, err);
}

int engine_open_local(const struct engine_config *config, struct engine **ret_engine, struct err *err)
{
	struct local *l = mem_new(1, sizeof *l);
	int rc;

	if (!l)
		return err_set(err, -ENOMEM, "no memory for the cluster's engine");
	l->config = *config;
	l->log.fd = l->log.dir_fd = l->wake_fd = l->pokes.listen_fd = -1;
	atomic_init(&l->is_lost, false);
	atomic_init(&l->watched_fd, -1);
	pthread_mutex_init(&l->mutex, NULL);
	l->last = &l->first;
	l->wait_ms = SOON_MS;
	rc = open_parts(l, err);
	if (rc < 0) {
		drop(l);
		return rc;
	}
	*ret_engine = &l->e;
	return 0;
}
