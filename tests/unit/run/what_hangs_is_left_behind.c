/* Goal:   what hangs on a disk holds nobody for longer than was said, and cleans up by itself when it comes back.
 * Method: work that ends when the test says so; who owns what it made is counted.
 * Law:    I9.
 * Source: src/run/apart.c. */
#include "run/apart.h"

#include <pthread.h>

#include "tap.h"

enum { SHORT_MS = 20, LONG_MS = 60000 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hangs;
	uint32_t worked, dropped, closed;
} world = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void work(void *what)
{
	pthread_mutex_lock(&world.lock);
	while (world.hangs)
		pthread_cond_wait(&world.changed, &world.lock);
	world.worked++;
	*(int *)what += 1;
	pthread_mutex_unlock(&world.lock);
}

static void drop(void *what)
{
	pthread_mutex_lock(&world.lock);
	world.dropped += (uint32_t)*(int *)what;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static void let_go_on(void)
{
	pthread_mutex_lock(&world.lock);
	world.hangs = false;
	pthread_cond_broadcast(&world.changed);
	while (!world.dropped)
		pthread_cond_wait(&world.changed, &world.lock);
	pthread_mutex_unlock(&world.lock);
}

static void close_one(struct member *m)
{
	(void)m;
	world.closed++;
}

int main(void)
{
	static const struct member_ops ops = { .close = close_one };
	struct member m = { .ops = &ops };
	static int what;

	ok(run_apart(work, drop, &what, LONG_MS), "what ends in time is waited for");
	ok(what == 1 && world.worked == 1 && !world.dropped, "and is the caller's: nothing is dropped");
	world.hangs = true;
	ok(!run_apart(work, drop, &what, SHORT_MS), "what hangs is left behind");
	pthread_mutex_lock(&world.lock);
	ok(what == 1 && !world.dropped, "nothing of it is dropped while it is under way");
	pthread_mutex_unlock(&world.lock);
	let_go_on();
	ok(what == 2 && world.dropped == 2, "when it comes back, it drops what it has made");
	run_close_apart(&m);
	run_close_apart(NULL);
	is_u64(world.closed, 1, "a member is closed once, none not at all");
	return tap_end();
}
