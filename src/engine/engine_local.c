/* The local engine: nodes are processes of one host, their cluster is a log file, locked bytes and sockets that wake.
 *
 * All work is done by one thread, in rounds: hear who pokes, read the log and deliver it, carry out what was asked
 * for in the order in which it was asked, bury the dead, try for the locks that are queued for. The door's functions
 * only put an ask into a list and wake the thread, so they never wait and may be called while an event is delivered.
 *
 * The right to append is never waited for inside a call: who does not get it tries again when poked (the one who had it
 * has appended, and so pokes) or after a while. So an ask that appends stops those behind it, and nothing else.
 *
 * Time is used where no event can be had: 5 ms, doubling to 200, while a lock is queued for, an append is due, or a
 * connection to a member is missing (it may have died while the locks of its process are still being let go). With
 * nothing pending the thread looks once a second whether its log is still there and all members live.
 *
 * A death is what the kernel says of locks: the dead node's byte is free. So a process that is stopped by a signal is
 * not dead; it holds everything (C5 needs no more here: whoever runs may write, as long as the log is the one that
 * the others read). An engine that is closed without a goodbye dies for the others.
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

enum { LATER_MS = 200, IDLE_MS = 1000 };

static struct engine_local *local_of(struct engine *e)
{
	return (struct engine_local *)e;		/* e is the first field */
}

uint64_t engine_local_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- asks: any thread ---- */

static void wake(struct engine_local *l)
{
	eventfd_write(l->wake_fd, 1);
}

static void ask(struct engine_local *l, const struct engine_command *wanted, const uint8_t *data)
{
	struct engine_command *c = mem_space(sizeof *c + wanted->len_bytes);

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
	ask(local_of(e), &(struct engine_command){ .kind = ENGINE_DO_GROUP }, NULL);
}

static void ask_lock(struct engine *e, struct clu_lock lock, bool may_queue)
{
	struct engine_command wanted = { .kind = ENGINE_DO_LOCK, .lock = lock, .may_queue = may_queue };

	ask(local_of(e), &wanted, NULL);
}

static void ask_cancel(struct engine *e, struct clu_lock lock)
{
	ask(local_of(e), &(struct engine_command){ .kind = ENGINE_DO_CANCEL, .lock = lock }, NULL);
}

static void ask_unlock(struct engine *e, struct clu_lock lock)
{
	ask(local_of(e), &(struct engine_command){ .kind = ENGINE_DO_UNLOCK, .lock = lock }, NULL);
}

static void ask_send(struct engine *e, const uint8_t *data, uint32_t len_bytes)
{
	if (len_bytes <= CLU_MESSAGE_BYTES_MAX)
		ask(local_of(e), &(struct engine_command){ .kind = ENGINE_DO_SEND, .len_bytes = len_bytes }, data);
}

static void ask_goodbye(struct engine *e)
{
	ask(local_of(e), &(struct engine_command){ .kind = ENGINE_DO_GOODBYE }, NULL);
}

/* A log without a name is read by no newcomer: whoever goes on writing then may write beside another group. */
static bool may_write(struct engine *e)
{
	struct engine_local *l = local_of(e);
	int fd = atomic_load(&l->watched_fd);
	struct stat st;

	return !atomic_load(&l->is_lost) && (fd < 0 || (fstat(fd, &st) == 0 && st.st_nlink > 0));
}

/* ---- rounds ---- */

static struct engine_command *first_command(struct engine_local *l)
{
	struct engine_command *c;

	pthread_mutex_lock(&l->mutex);
	c = l->first;
	pthread_mutex_unlock(&l->mutex);
	return c;
}

static void drop_first_command(struct engine_local *l)
{
	struct engine_command *c;

	pthread_mutex_lock(&l->mutex);
	c = l->first;
	l->first = c->next;
	if (!l->first)
		l->last = &l->first;
	pthread_mutex_unlock(&l->mutex);
	mem_free(c);
}

static void carry_out_all(struct engine_local *l)
{
	struct engine_command *c;

	while (!atomic_load(&l->is_lost) && (c = first_command(l)) && engine_local_carry_out(l, c))
		drop_first_command(l);
}

static void run_round(struct engine_local *l)
{
	bool has_more;

	engine_pokes_hear(&l->pokes);
	do {
		has_more = engine_local_read(l);
		l->is_append_due = l->has_appended = false;
		carry_out_all(l);
		engine_local_bury(l);
		engine_local_try_queue(l);
	} while ((has_more || l->has_appended) && !atomic_load(&l->is_lost));
}

static int wait_limit_ms(const struct engine_local *l)
{
	bool is_pending = l->queue_count || l->is_append_due || engine_local_misses_somebody(l);

	return atomic_load(&l->is_lost) || !is_pending ? IDLE_MS : l->wait_ms;
}

static void wait_for_news(struct engine_local *l)
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
		l->wait_ms = ENGINE_SOON_MS;
	else if (rc == 0 && l->wait_ms < LATER_MS)
		l->wait_ms *= 2;
	if (fds[0].revents & POLLIN)
		eventfd_read(l->wake_fd, &value);
}

static bool is_closing(struct engine_local *l)
{
	bool answer, is_broken;

	pthread_mutex_lock(&l->mutex);
	answer = l->is_closing;
	is_broken = l->is_out_of_memory;
	pthread_mutex_unlock(&l->mutex);
	if (is_broken && !answer)
		engine_local_lose(l, "no memory for what the cluster is asked");
	return answer;
}

/* What was asked before the close is still carried out, a goodbye above all. But somebody who stands still with the
 * right to append must not keep us for ever: then we are gone without a word. */
static bool is_over(struct engine_local *l, uint64_t *closing_ms)
{
	if (!is_closing(l))
		return false;
	if (!*closing_ms)
		*closing_ms = engine_local_now_ms();
	return atomic_load(&l->is_lost) || !first_command(l) || engine_local_now_ms() - *closing_ms > IDLE_MS;
}

static void *run_thread(void *opaque)
{
	struct engine_local *l = opaque;
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

static struct engine_local *drop(struct engine_local *l)
{
	struct engine_command *c;

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
	struct engine_local *l = local_of(e);

	if (!e)
		return NULL;
	pthread_mutex_lock(&l->mutex);
	l->is_closing = true;
	pthread_mutex_unlock(&l->mutex);
	wake(l);
	pthread_join(l->thread, NULL);
	engine_local_drop_all_locks(l);
	drop(l);
	return NULL;
}

static void forget(struct engine *e, int fd)
{
	engine_locks_forget(&local_of(e)->locks, fd);
}

static const struct engine_ops local_ops = {
	.group = ask_group, .lock = ask_lock, .cancel = ask_cancel, .unlock = ask_unlock, .send = ask_send,
	.goodbye = ask_goodbye, .forget = forget, .may_write = may_write, .close = close_engine,
};

/* The id is of chance: indexes and process ids come again. */
static int name_node(struct engine_local *l, struct err *err)
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
static int start_thread(struct engine_local *l, struct err *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&l->thread, NULL, run_thread, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? err_set(err, -rc, "cannot start the cluster's thread: %s", strerror(rc)) : 0;
}

static int open_parts(struct engine_local *l, struct err *err)
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
	struct engine_local *l = mem_new(1, sizeof *l);
	int rc;

	if (!l)
		return err_set(err, -ENOMEM, "no memory for the cluster's engine");
	l->config = *config;
	l->log.fd = l->log.dir_fd = l->wake_fd = l->pokes.listen_fd = -1;
	atomic_init(&l->is_lost, false);
	atomic_init(&l->watched_fd, -1);
	pthread_mutex_init(&l->mutex, NULL);
	l->last = &l->first;
	l->wait_ms = ENGINE_SOON_MS;
	rc = open_parts(l, err);
	if (rc < 0) {
		drop(l);
		return rc;
	}
	*ret_engine = &l->e;
	return 0;
}
