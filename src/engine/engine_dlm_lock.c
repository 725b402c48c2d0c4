/* The locks of an array, as the engine is asked for them: wishes, and the answers to them.
 *
 * What the engine is asked for is noted, and the hand (engine_dlm_hand.c) brings the DLM closer to it. A cancel is
 * answered at once, whatever the kernel is busy with; a grant that comes all the same is given back and never told. A
 * lock that was given up is really given up before it is asked for again (must_release): whoever queued gets it
 * between.
 *
 * Opening and closing wait for the hand a bounded time. Where the DLM is stuck it is left behind: it owns what it
 * needs.
 *
 * Law: C2 and C4 rest on it. Left out: value blocks, conversions. */
#include "engine/engine_dlm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

/* Where in .locks what is; the probe is of a resource that nobody else has. */
enum { TOKEN, RESYNC, PROBE, FIRST_SLOT };

/* ---- opening and closing ---- */

void engine_dlm_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

struct timespec engine_dlm_in_ms(int limit_ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += limit_ms / 1000;
	end.tv_nsec += limit_ms % 1000 * 1000000l;
	if (end.tv_nsec >= 1000000000l) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000l;
	}
	return end;
}

static void wait_until(struct engine_dlm_locks *l, const bool *flag, int limit_ms)
{
	struct timespec end = engine_dlm_in_ms(limit_ms);

	while (!*flag)
		if (pthread_cond_timedwait(&l->changed, &l->mutex, &end) == ETIMEDOUT)
			break;
}

static void add_lock(struct engine_dlm_locks *l, struct clu_lock lock, const char *name, uint32_t mode)
{
	struct engine_dlm_lock *k = &l->locks[l->count++];

	*k = (struct engine_dlm_lock){ .all = l, .lock = lock, .mode = mode };
	if (name)
		snprintf(k->name, sizeof k->name, "%s", name);
	else
		clu_lock_name(lock, k->name);
}

static struct engine_dlm_locks *new_locks(const char *name, uint32_t nodes, int wake_fd)
{
	struct engine_dlm_locks *l = mem_new(1, sizeof *l);

	if (!l)
		return NULL;
	l->fd = -1;
	l->wake_fd = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
	snprintf(l->name, sizeof l->name, "%s", name);
	pthread_mutex_init(&l->mutex, NULL);
	engine_dlm_cond_init(&l->changed);
	add_lock(l, (struct clu_lock){ CLU_LOCK_TOKEN, 0 }, NULL, LKM_EXMODE);
	add_lock(l, (struct clu_lock){ CLU_LOCK_RESYNC, 0 }, NULL, LKM_EXMODE);
	add_lock(l, (struct clu_lock){ 0 }, "umd-alive", LKM_CRMODE);
	for (uint32_t i = 0; i < nodes && i < CLU_NODES_MAX; i++)
		add_lock(l, (struct clu_lock){ CLU_LOCK_SLOT, i }, NULL, LKM_PWMODE);
	return l;
}

int engine_dlm_locks_open(const char *name, uint32_t nodes, int wake_fd, int limit_ms,
			  struct engine_dlm_locks **ret_locks, struct err *err)
{
	struct engine_dlm_locks *l = new_locks(name, nodes, wake_fd);
	char left[ENGINE_REASON_BYTES];
	int rc;

	if (!l)
		return err_set(err, -ENOMEM, "no memory for the locks of array %s", name);
	rc = -pthread_create(&l->thread, NULL, engine_dlm_hand, l);
	if (rc < 0) {
		engine_dlm_locks_free(l);
		return err_set(err, rc, "no thread for the locks of array %s: %s", name, strerror(-rc));
	}
	pthread_mutex_lock(&l->mutex);
	wait_until(l, &l->is_open, limit_ms);
	if (!l->is_open)
		rc = err_set(err, -ETIMEDOUT, "the DLM lockspace of array %s is not there after %d s: the DLM waits "
			     "for quorum or for a dead node to be fenced (`dlm_tool ls`, `dlm_tool status`); nothing "
			     "was written", name, limit_ms / 1000);
	else if (l->rc < 0)
		rc = err_set(err, l->rc, "%s", l->err.text);
	pthread_mutex_unlock(&l->mutex);
	if (rc < 0)
		engine_dlm_locks_close(l, 1000, left);
	else
		*ret_locks = l;
	return rc;
}

/* Answers still come in while we wait: the engine's thread, which takes them in, has ended. */
static void hear_until_finished(struct engine_dlm_locks *l, int limit_ms)
{
	struct err err;

	for (int waited_ms = 0; waited_ms < limit_ms && !l->is_finished; waited_ms += 20) {
		struct pollfd fd = { .fd = l->space ? l->fd : -1, .events = POLLIN };

		pthread_mutex_unlock(&l->mutex);
		if (poll(&fd, 1, 0) > 0)
			engine_dlm_locks_hear(l, &err);
		pthread_mutex_lock(&l->mutex);
		wait_until(l, &l->is_finished, 20);
	}
}

/* What the DLM has not let go of yet, with names. Under the mutex. */
static void name_left(struct engine_dlm_locks *l, int limit_ms, char ret[ENGINE_REASON_BYTES])
{
	struct text t = { 0 };
	char *names;

	for (uint32_t i = 0; i < l->count; i++)
		if (l->locks[i].state != ENGINE_L_IDLE)
			text_add(&t, "%s%s", t.len_bytes ? ", " : "lock ", l->locks[i].name);
	names = text_take(&t);
	snprintf(ret, ENGINE_REASON_BYTES, "the DLM has not let go of %.120s within %d s: array %s is free for others "
		 "when it has, which may be at the end of this process or of this node",
		 names && names[0] ? names : "the lockspace", limit_ms / 1000, l->name);
	mem_free(names);
}

struct engine_dlm_locks *engine_dlm_locks_close(struct engine_dlm_locks *l, int limit_ms,
						char ret_left[ENGINE_REASON_BYTES])
{
	bool is_finished;

	ret_left[0] = 0;
	if (!l)
		return NULL;
	pthread_mutex_lock(&l->mutex);
	l->is_closing = true;
	for (uint32_t i = 0; i < l->count; i++)
		l->locks[i].is_wanted = false;
	pthread_cond_broadcast(&l->changed);
	hear_until_finished(l, limit_ms);
	is_finished = l->is_finished;
	l->is_abandoned = !is_finished;
	if (!is_finished) {
		name_left(l, limit_ms, ret_left);
		pthread_detach(l->thread);
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->mutex);
	if (is_finished) {
		pthread_join(l->thread, NULL);
		engine_dlm_locks_free(l);
	}
	return NULL;
}

/* ---- wishes ---- */

static struct engine_dlm_lock *find(struct engine_dlm_locks *l, struct clu_lock lock)
{
	if (lock.kind != CLU_LOCK_SLOT)
		return &l->locks[lock.kind == CLU_LOCK_TOKEN ? TOKEN : RESYNC];
	return lock.slot < l->count - FIRST_SLOT ? &l->locks[FIRST_SLOT + lock.slot] : NULL;
}

void engine_dlm_lock(struct engine_dlm_locks *l, struct clu_lock lock, bool may_queue)
{
	struct engine_dlm_lock *k = find(l, lock);

	pthread_mutex_lock(&l->mutex);
	if (k && !k->is_wanted) {
		k->is_wanted = true;
		k->may_queue = may_queue;
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->mutex);
}

void engine_dlm_cancel(struct engine_dlm_locks *l, struct clu_lock lock)
{
	struct engine_dlm_lock *k = find(l, lock);

	pthread_mutex_lock(&l->mutex);
	if (k && k->is_wanted && !k->is_told) {
		k->is_wanted = false;
		k->owes_cancelled = true;
		engine_dlm_wake(l);
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->mutex);
}

void engine_dlm_unlock(struct engine_dlm_locks *l, struct clu_lock lock)
{
	struct engine_dlm_lock *k = find(l, lock);

	pthread_mutex_lock(&l->mutex);
	if (k && k->is_wanted) {
		k->is_wanted = k->is_told = false;
		k->must_release = true;
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->mutex);
}

void engine_dlm_unlock_all(struct engine_dlm_locks *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		engine_dlm_unlock(l, l->locks[i].lock);
}

void engine_dlm_probe(struct engine_dlm_locks *l)
{
	struct engine_dlm_lock *k = &l->locks[PROBE];

	pthread_mutex_lock(&l->mutex);
	k->is_wanted = k->may_queue = true;
	k->is_told = false;
	k->must_release = k->state != ENGINE_L_IDLE;	/* what was granted before proves nothing */
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

/* ---- answers ---- */

static bool next_of(struct engine_dlm_lock *k, int *ret_rc)
{
	if (k->owes_cancelled || k->owes_refused) {
		*ret_rc = k->owes_cancelled ? -ECANCELED : -EAGAIN;
		k->owes_cancelled = k->owes_refused = false;
		return true;
	}
	if (k->state != ENGINE_L_HELD || !k->is_wanted || k->is_told || k->must_release)
		return false;
	*ret_rc = 0;
	return k->is_told = true;
}

bool engine_dlm_locks_next(struct engine_dlm_locks *l, struct clu_lock *ret_lock, int *ret_rc, bool *ret_is_probe)
{
	bool has_one = false;

	pthread_mutex_lock(&l->mutex);
	for (uint32_t i = 0; i < l->count && !has_one; i++) {
		has_one = next_of(&l->locks[i], ret_rc);
		if (!has_one)
			continue;
		*ret_lock = l->locks[i].lock;
		*ret_is_probe = i == PROBE;
		if (i == PROBE)
			l->locks[i].is_wanted = l->locks[i].is_told = false;
	}
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
	return has_one;
}
