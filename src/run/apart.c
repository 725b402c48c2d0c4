/* What may hang on a disk, on a thread of its own: an open, a first look, a close.
 *
 * A call into the kernel about a disk that does not answer may never come back, and nothing can end it. Whoever must go
 * on all the same (the node's thread, which has other nodes' mail) gives it a thread and a time. After that the thread
 * is left behind with all it needs: it cleans up if it ever comes back, and ends with the process otherwise.
 *
 *	caller   makes it -> waits ------------------------> done in time: takes what is there, joins
 *	                           `-> not in time: leaves it behind, and touches nothing of it any more
 *	thread   works -> done -> nobody waits any more? drops what is there, and its own
 *
 * Left out: writes to members; those are the array's threads'. */
#include "run/apart.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/mem.h"

enum { CLOSE_MS = 5000 };

struct apart {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	void (*work)(void *), (*drop)(void *);
	void *what;
	bool is_done, is_left;
};

static void apart_free(struct apart *a)
{
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	mem_free(a);
}

static void *apart_main(void *opaque)
{
	struct apart *a = opaque;
	bool is_left;

	a->work(a->what);
	pthread_mutex_lock(&a->lock);
	a->is_done = true;
	is_left = a->is_left;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	if (!is_left)
		return NULL;
	a->drop(a->what);
	apart_free(a);
	return NULL;
}

/* Signals are the front end's. */
static struct apart *begin(void (*work)(void *), void (*drop)(void *), void *what)
{
	struct apart *a = mem_new(1, sizeof *a);
	sigset_t every, before;
	int rc;

	if (!a)
		return NULL;
	a->work = work;
	a->drop = drop;
	a->what = what;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&a->thread, NULL, apart_main, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		return a;
	apart_free(a);
	return NULL;
}

static struct timespec in_ms(int limit_ms)
{
	struct timespec end;
	long ns;

	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = end.tv_nsec + limit_ms % 1000 * 1000000l;
	end.tv_sec += limit_ms / 1000 + ns / 1000000000;
	end.tv_nsec = ns % 1000000000;
	return end;
}

bool run_apart(void (*work)(void *), void (*drop)(void *), void *what, int limit_ms)
{
	struct timespec end = in_ms(limit_ms);
	struct apart *a = begin(work, drop, what);
	bool is_done;

	if (!a) {
		work(what);
		return true;
	}
	pthread_mutex_lock(&a->lock);
	while (!a->is_done && pthread_cond_clockwait(&a->changed, &a->lock, CLOCK_MONOTONIC, &end) != ETIMEDOUT)
		;
	is_done = a->is_done;
	a->is_left = !is_done;
	if (!is_done)
		pthread_detach(a->thread);
	pthread_mutex_unlock(&a->lock);
	if (!is_done)
		return false;
	pthread_join(a->thread, NULL);
	apart_free(a);
	return true;
}

static void close_it(void *opaque)
{
	mbr_close(opaque);
}

static void drop_nothing(void *opaque)
{
	(void)opaque;
}

void run_close_apart(struct member *m)
{
	if (m)
		run_apart(close_it, drop_nothing, m, CLOSE_MS);
}
