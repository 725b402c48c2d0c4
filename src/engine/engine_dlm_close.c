/* The end of a dlm engine, whatever hangs; and what its opener is told until then.
 *
 * Nothing is written any more when close() is called, so that all may go. But corosync may hang inside a call of the
 * thread, and the DLM inside one of the hand, in the kernel, where nothing can interrupt it. close() waits a bounded
 * time for each. Who does not come back stays behind, tells nobody anything, owns what it uses, and lets go of it
 * later; what that is is noted in a sentence. What the kernel does not give back before the DLM goes on ends with the
 * process, whose end may have to wait for that, too.
 *
 *	thread             close()                         then
 *	ends               joins it                        group left, locks let go, lockspace released by the hand
 *	hangs              locks are wished away, and      the thread, when corosync answers, lets the rest go
 *	                   the thread is left behind
 *	hand hangs         it is left behind               the hand closes the lockspace when the DLM answers
 *
 * Who is being told something when it is given up on is waited for: after close() nobody is told anything.
 *
 * Law: C2, C4 (a slot is let go by whoever writes no more). Left out: the hand (engine_dlm_hand.c). */
#include "engine/engine_dlm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

enum { CLOSE_LIMIT_MS = 5000 };

/* ---- the opener is told ---- */

static bool begin_telling(struct engine_dlm *d)
{
	bool is_on;

	pthread_mutex_lock(&d->mutex);
	is_on = d->is_telling = !d->is_abandoned;
	pthread_mutex_unlock(&d->mutex);
	return is_on;
}

static void end_telling(struct engine_dlm *d)
{
	pthread_mutex_lock(&d->mutex);
	d->is_telling = false;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->mutex);
}

void engine_dlm_deliver(struct engine_dlm *d, const struct clu_event *event)
{
	if (!begin_telling(d))
		return;
	d->config.deliver(d->config.opaque, event);
	end_telling(d);
}

void engine_dlm_note(struct engine_dlm *d, const char *format, ...)
{
	char sentence[ENGINE_REASON_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof sentence, format, ap);
	va_end(ap);
	if (!d->config.note || !begin_telling(d))
		return;
	d->config.note(d->config.opaque, sentence);
	end_telling(d);
}

/* ---- closing ---- */

struct engine *engine_dlm_free(struct engine_dlm *d)
{
	char left[ENGINE_REASON_BYTES];

	engine_dlm_group_close(d);
	engine_dlm_locks_close(d->locks, CLOSE_LIMIT_MS, left);
	if (left[0])
		engine_dlm_note(d, "%s", left);
	if (d->wake_fd >= 0)
		close(d->wake_fd);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->mutex);
	return mem_free(d);
}

void engine_dlm_end_thread(struct engine_dlm *d)
{
	bool is_abandoned;

	pthread_mutex_lock(&d->mutex);
	d->has_ended = true;
	is_abandoned = d->is_abandoned;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->mutex);
	if (is_abandoned)
		engine_dlm_free(d);
}

/* Under the mutex: until the thread has ended, or is not back in time. */
static bool await_thread(struct engine_dlm *d)
{
	struct timespec end = engine_dlm_in_ms(CLOSE_LIMIT_MS);
	int rc = 0;

	while (!d->has_ended && (d->is_telling || rc != ETIMEDOUT)) {
		if (rc == ETIMEDOUT)
			pthread_cond_wait(&d->changed, &d->mutex);
		else
			rc = pthread_cond_timedwait(&d->changed, &d->mutex, &end);
	}
	if (!d->has_ended)
		d->is_abandoned = true;
	return d->has_ended;
}

struct engine *engine_dlm_close(struct engine *e)
{
	struct engine_dlm *d = (struct engine_dlm *)e;		/* e is the first field */
	struct engine_config config = d->config;
	char sentence[ENGINE_REASON_BYTES];

	snprintf(sentence, sizeof sentence, "corosync has not answered for %d s: the group of array %s is left, and "
		 "its DLM lockspace, when it does or when this process ends", CLOSE_LIMIT_MS / 1000, d->uuid);
	pthread_mutex_lock(&d->mutex);
	d->wants_close = true;
	eventfd_write(d->wake_fd, 1);
	if (await_thread(d)) {
		pthread_mutex_unlock(&d->mutex);
		pthread_join(d->thread, NULL);
		return engine_dlm_free(d);
	}
	engine_dlm_unlock_all(d->locks);
	pthread_detach(d->thread);
	pthread_mutex_unlock(&d->mutex);
	if (config.note)
		config.note(config.opaque, sentence);
	return NULL;
}
