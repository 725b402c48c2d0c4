/* Errands: commands that wait for members. The control thread must not, since others ask meanwhile; so they go to a
 * thread of their own, in the order they came, and the client gets its answer later.
 *
 *	posted -> [waits in the queue] -> under way -> done -> answered by the control thread
 *
 * One at a time: a write of an attribute is decided, carried out and made true before the next is looked at. A client
 * that hangs up takes back what has not begun; what is under way is finished for nobody.
 *
 * Left out: what is done (hand.c, admit.c). */
#include "run/running.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/json.h"

struct run_errands {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wakes;
	struct list queue;
	bool is_ending;
};

struct errand {
	struct run_later later;
	struct list link;
	struct umd_array *u;
	run_errand_fn *carry_out;
	struct json_object *request;	/* our own copy: reference counts know nothing of threads */
	int fd;
	struct text reply;
	enum { QUEUED, UNDER_WAY, DONE } state;
	bool is_abandoned;
};

static void errand_free(struct errand *e)
{
	text_drop(&e->reply);
	json_object_put(e->request);
	if (e->fd >= 0)
		close(e->fd);
	mem_free(e);
}

static struct errand *of_later(struct run_later *later)
{
	return (struct errand *)(void *)((char *)later - offsetof(struct errand, later));
}

/* ---- the thread ---- */

/* Under the lock, which is left meanwhile. */
static void carry_out(struct run_errands *all, struct errand *e)
{
	struct umd_array *u = e->u;

	list_remove(&e->link);
	e->state = UNDER_WAY;
	pthread_mutex_unlock(&all->lock);
	e->carry_out(u, e->request, e->fd, &e->reply);
	pthread_mutex_lock(&all->lock);
	e->state = DONE;
	if (e->is_abandoned)
		errand_free(e);
	run_wake(u);
}

static void *work(void *opaque)
{
	struct run_errands *all = opaque;

	pthread_mutex_lock(&all->lock);
	while (!all->is_ending) {
		if (list_is_empty(&all->queue))
			pthread_cond_wait(&all->wakes, &all->lock);
		else
			carry_out(all, list_entry(all->queue.next, struct errand, link));
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

/* Signals are the front end's. */
static int start_thread(struct run_errands *all)
{
	sigset_t every, before;
	int rc;

	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&all->thread, NULL, work, all);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

int run_errands_start(struct umd_array *u, struct err *err)
{
	struct run_errands *all = mem_new(1, sizeof *all);
	int rc;

	if (!all)
		return err_set(err, -ENOMEM, "no memory");
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->wakes, NULL);
	list_init(&all->queue);
	rc = start_thread(all);
	if (rc < 0) {
		mem_free(all);
		return err_set(err, rc, "a thread for commands cannot be started: %s", err_sentence(rc));
	}
	u->errands = all;
	return 0;
}

/* ---- on the control thread ---- */

static void refuse_ending(struct text *reply)
{
	struct err err;

	err_set(&err, UMD_E_STOPPING, "the server is stopping: nothing is changed any more");
	run_control_refuse(reply, &err);
}

static bool ask(struct run_later *later, bool is_over, struct text *reply)
{
	struct errand *e = of_later(later);
	struct run_errands *all = e->u->errands;
	bool is_there = true;

	pthread_mutex_lock(&all->lock);
	if (e->state == DONE) {
		*reply = e->reply;
		e->reply = (struct text){ 0 };
	} else if (e->state == QUEUED && all->is_ending) {
		refuse_ending(reply);
	} else {
		is_there = false;
	}
	pthread_mutex_unlock(&all->lock);
	return is_there;
}

static void drop(struct run_later *later)
{
	struct errand *e = of_later(later);
	struct run_errands *all = e->u->errands;

	pthread_mutex_lock(&all->lock);
	e->is_abandoned = true;
	if (e->state != UNDER_WAY) {
		list_remove(&e->link);
		errand_free(e);
	}
	pthread_mutex_unlock(&all->lock);
}

static struct errand *errand_new(struct umd_array *u, run_errand_fn *fn, struct json_object *request, int fd)
{
	struct errand *e = mem_new(1, sizeof *e);

	if (!e)
		return NULL;
	*e = (struct errand){ .later = { UINT64_MAX, ask, drop }, .u = u, .carry_out = fn, .fd = -1 };
	list_init(&e->link);
	if (fd >= 0)
		e->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if ((fd >= 0 && e->fd < 0) || json_object_deep_copy(request, &e->request, NULL) < 0) {
		errand_free(e);
		return NULL;
	}
	return e;
}

struct run_later *run_errand(struct umd_array *u, run_errand_fn *fn, struct json_object *request, int fd,
			     struct text *reply)
{
	struct run_errands *all = u->errands;
	struct errand *e;
	bool is_ending;

	if (!all) {
		fn(u, request, fd, reply);
		return NULL;
	}
	e = errand_new(u, fn, request, fd);
	if (!e)
		return NULL;	/* nothing is written: the client is told of missing memory */
	pthread_mutex_lock(&all->lock);
	is_ending = all->is_ending;
	if (!is_ending)
		list_append(&all->queue, &e->link);
	pthread_cond_signal(&all->wakes);
	pthread_mutex_unlock(&all->lock);
	if (!is_ending)
		return &e->later;
	errand_free(e);
	refuse_ending(reply);
	return NULL;
}

/* ---- the end ---- */

/* The thread ends here; its memory stays for those who still ask, until run_errands_free(). */
void run_errands_end(struct umd_array *u)
{
	struct run_errands *all = u->errands;

	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	all->is_ending = true;
	pthread_cond_signal(&all->wakes);
	pthread_mutex_unlock(&all->lock);
	pthread_join(all->thread, NULL);
	run_wake(u);
}

void run_errands_free(struct umd_array *u)
{
	if (!u->errands)
		return;
	pthread_mutex_destroy(&u->errands->lock);
	pthread_cond_destroy(&u->errands->wakes);
	u->errands = mem_free(u->errands);
}
