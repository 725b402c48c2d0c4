/* Exclusion by the DLM of the kernel: the lockspace of an array, and its locks.
 *
 * Lockspace and resources are called what md-cluster calls them (the array's uuid; token, resync, bitmap0000), so nodes
 * that run Linux' md and nodes that run umd meet there and the DLM keeps them apart: value blocks of 64 and of 32 bytes
 * do not go together, whoever comes second is refused (EPROTO). Value blocks are not used. Modes are md-cluster's: PW
 * for bitmaps, EX for the rest.
 *
 * Every call into a lockspace blocks, and cannot be interrupted, while it recovers from a death: that waits for
 * fencing, and without quorum for ever. So calls are made by a *hand*, a thread of its own; nobody waits for it
 * without a limit. What the engine is asked for is noted as a wish, and the hand brings what is closer to it:
 *
 *	            wanted                       not wanted
 *	IDLE        request -> REQUESTED         -
 *	REQUESTED   -                            cancel, once; answered to the brain at once
 *	HELD        told, if not yet             unlock -> RELEASING
 *	RELEASING   -                            -
 *
 * The kernel's answers (0, EAGAIN, ECANCEL, EUNLOCK) come through the descriptor of the lockspace and are taken in by
 * the engine's thread. A grant of what is not wanted any more is given back and never told. A lock that was given up
 * is really given up before it is asked for again (must_release): whoever queued gets it between.
 *
 * Nobody takes answers in for a hand that was left behind at the end: it closes the descriptor as soon as it comes
 * back, and the locks go with that.
 *
 * Locks live as long as the descriptor, so a process that dies leaves none; the lockspace stays, and the next start
 * opens it instead of making it. The last process that leaves removes it.
 *
 * Law: C2 and C4 rest on it. Left out: value blocks, conversions, blocking callbacks, persistent locks. */
#include "engine/engine_dlm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- the lockspace ---- */

static bool path_exists(const char *format, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, format, name);
	return access(path, F_OK) == 0;
}

static int refuse_space(struct engine_dlm_locks *l, int code)
{
	const char *name = l->name;

	if (code == EPROTO)
		return err_set(&l->err, UMD_E_NOT_SUPPORTED, "another node has array %s running under Linux' own md: "
			       "its DLM lockspace does not let umd in; nothing was written; umd on every node, or "
			       "Linux on every node, would go on", name);
	if (code == EACCES || code == EPERM)
		return err_set(&l->err, -code, "the DLM lockspace of array %s may not be made: %s; nothing was "
			       "written; root (CAP_SYS_ADMIN) would go on", name, strerror(code));
	if (code == EUNATCH)
		return err_set(&l->err, -code, "the DLM lockspace of array %s cannot be made: dlm_controld does not "
			       "run on this node; nothing was written", name);
	return err_set(&l->err, code ? -code : -ENODEV, "the DLM lockspace of array %s cannot be made: %s; nothing was "
		       "written; `dlm_tool ls` and `dlm_tool dump` say more", name,
		       code ? strerror(code) : "the kernel's DLM does not answer");
}

/* A lockspace that has no device was made by the kernel itself: md runs the array here. */
static int open_space(struct engine_dlm_locks *l)
{
	if (path_exists("/sys/kernel/dlm/%s", l->name) && !path_exists("/dev/misc/dlm_%s", l->name))
		return err_set(&l->err, UMD_E_NOT_SUPPORTED, "array %s runs under Linux' own md on this node: it has "
			       "the DLM lockspace; nothing was written; after `mdadm --stop` umd would go on",
			       l->name);
	errno = 0;
	if (path_exists("/dev/misc/dlm_%s", l->name))
		l->space = dlm_open_lockspace(l->name);
	if (!l->space)
		l->space = dlm_new_lockspace(l->name, 0600, 0);
	if (!l->space)
		return refuse_space(l, errno);
	l->fd = dlm_ls_get_fd(l->space);
	return 0;
}

/* With force 1 the kernel keeps it while any process of this node holds a lock there. Its descriptor is nobody's
 * before it is closed: whoever waits for answers would read another file that got its number. Under the mutex, which
 * is left meanwhile. */
static void close_space(struct engine_dlm_locks *l)
{
	dlm_lshandle_t space = l->space;

	l->space = NULL;
	l->fd = -1;
	pthread_mutex_unlock(&l->mutex);
	if (space)
		dlm_release_lockspace(l->name, space, 1);
	pthread_mutex_lock(&l->mutex);
}

/* ---- the hand ---- */

void engine_dlm_wake(struct engine_dlm_locks *l)
{
	eventfd_write(l->wake_fd, 1);
}

static void fail(struct engine_dlm_locks *l, const struct engine_dlm_lock *k, const char *what, int code)
{
	if (l->rc == 0)
		l->rc = err_set(&l->err, -EIO, "the DLM would not %s lock %s of array %s: %s", what, k->name, l->name,
				strerror(code));
	engine_dlm_wake(l);
}

/* Called by libdlm inside dlm_dispatch(), under the mutex. */
static void answered(void *arg)
{
	struct engine_dlm_lock *k = arg;
	int status = k->lksb.sb_status;

	if (status == 0) {
		k->state = ENGINE_L_HELD;
	} else if (status == EAGAIN) {
		k->state = ENGINE_L_IDLE;
		k->owes_refused = k->is_wanted && !k->may_queue;
		k->is_wanted = k->is_wanted && k->may_queue;
	} else if (status == ECANCEL || status == EUNLOCK) {
		k->state = ENGINE_L_IDLE;
	} else {
		fail(k->all, k, "give", status);
	}
	pthread_cond_broadcast(&k->all->changed);
}

/* The mutex is let go while the kernel is asked; meanwhile only the kernel's answer changes .state of this lock. */
static void request(struct engine_dlm_locks *l, struct engine_dlm_lock *k)
{
	uint32_t flags = k->may_queue ? 0 : LKF_NOQUEUE;
	int rc;

	k->state = ENGINE_L_REQUESTED;
	k->was_asked_to_queue = k->may_queue;
	k->is_cancel_issued = k->must_release = k->is_told = false;
	memset(&k->lksb, 0, sizeof k->lksb);
	pthread_mutex_unlock(&l->mutex);
	rc = dlm_ls_lock(l->space, k->mode, &k->lksb, flags, k->name, (unsigned)strlen(k->name), 0, answered, k, NULL,
			 NULL);
	if (rc < 0)
		rc = errno;
	pthread_mutex_lock(&l->mutex);
	if (rc > 0)
		fail(l, k, "take", rc);
}

/* A grant may overtake the cancel: EBUSY or EINVAL, and then the grant is given back as not wanted. */
static void cancel(struct engine_dlm_locks *l, struct engine_dlm_lock *k)
{
	uint32_t id = k->lksb.sb_lkid;

	k->is_cancel_issued = true;
	pthread_mutex_unlock(&l->mutex);
	dlm_ls_unlock(l->space, id, LKF_CANCEL, &k->lksb, k);
	pthread_mutex_lock(&l->mutex);
}

static void release(struct engine_dlm_locks *l, struct engine_dlm_lock *k)
{
	uint32_t id = k->lksb.sb_lkid;
	int rc;

	k->state = ENGINE_L_RELEASING;
	pthread_mutex_unlock(&l->mutex);
	rc = dlm_ls_unlock(l->space, id, 0, &k->lksb, k);
	if (rc < 0)
		rc = errno;
	pthread_mutex_lock(&l->mutex);
	if (rc > 0)
		fail(l, k, "release", rc);
}

/* Nobody wants it any more, or wants it at once or not at all. */
static bool is_asked_in_vain(const struct engine_dlm_lock *k)
{
	return k->state == ENGINE_L_REQUESTED && k->was_asked_to_queue && (!k->is_wanted || !k->may_queue) &&
	       !k->is_cancel_issued;
}

/* One call for one lock; false: all is as wished. */
static bool work(struct engine_dlm_locks *l)
{
	for (uint32_t i = 0; i < l->count && l->rc == 0; i++) {
		struct engine_dlm_lock *k = &l->locks[i];

		if (k->state == ENGINE_L_IDLE && k->is_wanted && !l->is_closing) {
			request(l, k);
			return true;
		}
		if (is_asked_in_vain(k)) {
			cancel(l, k);
			return true;
		}
		if (k->state == ENGINE_L_HELD && (!k->is_wanted || k->must_release)) {
			release(l, k);
			return true;
		}
	}
	return false;
}

static bool is_quiet(const struct engine_dlm_locks *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (l->locks[i].state != ENGINE_L_IDLE)
			return false;
	return true;
}

void engine_dlm_locks_free(struct engine_dlm_locks *l)
{
	close(l->wake_fd);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->mutex);
	mem_free(l);
}

void *engine_dlm_hand(void *arg)
{
	struct engine_dlm_locks *l = arg;
	bool is_abandoned;
	int rc = open_space(l);

	pthread_mutex_lock(&l->mutex);
	l->rc = rc;
	l->is_open = true;
	pthread_cond_broadcast(&l->changed);
	while (!l->is_closing || (!l->is_abandoned && l->space && l->rc == 0 && !is_quiet(l)))
		if (!work(l))
			pthread_cond_wait(&l->changed, &l->mutex);
	close_space(l);
	l->is_finished = true;
	is_abandoned = l->is_abandoned;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
	if (is_abandoned)
		engine_dlm_locks_free(l);
	return NULL;
}

/* ---- the engine's thread ---- */

int engine_dlm_locks_hear(struct engine_dlm_locks *l, struct err *err)
{
	int rc;

	pthread_mutex_lock(&l->mutex);
	if (l->space && dlm_dispatch(l->fd) < 0 && l->rc == 0)
		l->rc = err_set(&l->err, -EIO, "the DLM lockspace of array %s is gone: %s", l->name, strerror(errno));
	rc = l->rc < 0 ? err_set(err, l->rc, "%s", l->err.text) : 0;
	pthread_mutex_unlock(&l->mutex);
	return rc;
}
