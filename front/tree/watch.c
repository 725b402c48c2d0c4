/* The thread that follows the server, so that pollers wake.
 *
 *	ask "has anything changed since what I know?" -> the answer comes when something has, or after a while
 *	-> new generations go to the nodes, a new list where paths came or went -> pollers wake -> ask again
 *
 * All files that can notify are watched, polled or not: a poller that comes needs nothing to be begun anew, and a file
 * that was read before its poll is compared with what is known by then. Generations only rise, and a reader may be
 * ahead of this thread: nobody is woken for what it has read already.
 *
 * The end of the server breaks the question off. Whether it is the end, or this connection alone was closed, is told
 * by whether anybody is there then. main() learns it by a descriptor.
 *
 * Left out: reading values. A poller reads what it was woken for. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

enum { PAUSE_MS = 50 };

struct round {
	struct ask_watch *items;	/* paths are copies */
	size_t count;
	uint64_t number;		/* the tree's */
};

static void drop_round(struct round *r)
{
	for (size_t i = 0; i < r->count; i++)
		free((char *)r->items[i].path);
	free(r->items);
	*r = (struct round){ 0 };
}

static int fill_round(struct tree *t, struct round *r)
{
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	r->number = t->number;
	r->items = calloc(t->nodes.count, sizeof *r->items);
	for (size_t i = 0; r->items && rc == 0 && i < t->nodes.count; i++) {
		const struct node *node = t->nodes.items[i];
		char *path;

		if (!node->is_notifying || node->is_dead)
			continue;
		path = strdup(node->path);
		r->items[r->count] = (struct ask_watch){ .path = path, .generation = node->generation };
		r->count += path != NULL;
		rc = path ? 0 : -ENOMEM;
	}
	pthread_mutex_unlock(&t->lock);
	return r->items ? rc : -ENOMEM;
}

static void take_generation(struct tree *t, const struct ask_watch *item)
{
	for (size_t i = 0; i < t->nodes.count; i++) {
		struct node *node = t->nodes.items[i];

		if (!node->is_dead && !strcmp(node->path, item->path))
			node->generation = item->generation;
	}
}

static void take_round(struct tree *t, const struct round *r)
{
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].is_changed)
			take_generation(t, &r->items[i]);
	pthread_mutex_unlock(&t->lock);
	tree_wake(t);
}

/* One question and what follows from its answer. */
static int watch_once(struct tree *t)
{
	struct round r = { 0 };
	uint64_t number;
	int rc = fill_round(t, &r);

	number = r.number;
	if (rc == 0)
		rc = ask_watch(t->name, &number, r.items, r.count);
	if (rc == 0)
		take_round(t, &r);
	if (rc == 0 && number != r.number)
		rc = tree_refresh(t);
	drop_round(&r);
	return rc;
}

/* A server that could not answer may answer in a moment; one that is gone never will. */
static bool is_gone(struct tree *t)
{
	int rc = tree_refresh(t);

	if (rc != ASK_GONE)
		poll(NULL, 0, PAUSE_MS);
	return rc == ASK_GONE;
}

void *watch_run(void *opaque)
{
	struct watch *w = opaque;
	uint64_t one = 1;

	while (watch_once(w->tree) == 0 || !is_gone(w->tree))
		;
	if (write(w->gone_fd, &one, sizeof one) < 0)
		abort();	/* an eventfd of value 0 takes a 1 */
	return NULL;
}
