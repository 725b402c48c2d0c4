/* Connections to the array's NBD server, for the file `disk`.
 *
 * A request takes a connection that is free, or makes one; there are never more than requests at a time. The first
 * failure of a connection breaks the whole pool until everybody has closed the file: the server may be another one by
 * then, and a flush on a new connection would promise what only the old server could keep.
 *
 * The server announces that connections see each other's writes and that one flush covers all of them, so any
 * connection serves any request.
 *
 * Left out: what is asked (disk.c), and waiting with a limit: a server that hangs is a disk that hangs. */
#include <errno.h>
#include <libnbd.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

struct pool {
	char *uri;
	pthread_mutex_t lock;
	struct nbd_handle *free[TREE_THREADS_MAX];
	unsigned free_count, users;	/* users: how often the file is open */
	uint64_t size_bytes;		/* 0: no connection was made yet */
	bool is_broken;
};

struct pool *pool_new(const char *uri)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->uri = strdup(uri);
	if (!p->uri) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void close_free(struct pool *p)
{
	while (p->free_count)
		nbd_close(p->free[--p->free_count]);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	close_free(p);
	free(p->uri);
	free(p);
}

void pool_open(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->users++;
	pthread_mutex_unlock(&p->lock);
}

/* Nothing is under way on a file that nobody has open. */
void pool_close(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	if (--p->users == 0) {
		close_free(p);
		p->is_broken = false;
		p->size_bytes = 0;
	}
	pthread_mutex_unlock(&p->lock);
}

/* ---- one request ---- */

static int nbd_error(void)
{
	int number = nbd_get_errno();

	return number == ENOTCONN || number == EPIPE || number == ECONNRESET || !number ? -EIO : -number;
}

/* What a server that does not serve yet answers a client: the array does not run. */
static int connect_new(struct pool *p, struct nbd_handle **ret)
{
	struct nbd_handle *h = nbd_create();
	int64_t size;

	if (!h)
		return -ENOMEM;
	/* The server takes any byte range; the block size that it announces is what it likes. */
	nbd_set_strict_mode(h, nbd_get_strict_mode(h) & ~(uint32_t)LIBNBD_STRICT_ALIGN);
	nbd_set_uri_allow_local_file(h, true);
	if (nbd_connect_uri(h, p->uri) < 0) {
		nbd_close(h);
		return -ENXIO;
	}
	size = nbd_get_size(h);
	pthread_mutex_lock(&p->lock);
	if (size > 0)
		p->size_bytes = (uint64_t)size;
	pthread_mutex_unlock(&p->lock);
	*ret = h;
	return 0;
}

static int take_connection(struct pool *p, struct nbd_handle **ret)
{
	struct nbd_handle *h = NULL;
	bool is_broken;

	pthread_mutex_lock(&p->lock);
	is_broken = p->is_broken;
	if (p->free_count && !is_broken)
		h = p->free[--p->free_count];
	pthread_mutex_unlock(&p->lock);
	if (is_broken)
		return -EIO;
	if (!h)
		return connect_new(p, ret);
	*ret = h;
	return 0;
}

static void give_back(struct pool *p, struct nbd_handle *h)
{
	bool is_dead = nbd_aio_is_dead(h) || nbd_aio_is_closed(h);

	pthread_mutex_lock(&p->lock);
	p->is_broken |= is_dead;
	if (!p->is_broken && p->free_count < TREE_THREADS_MAX) {
		p->free[p->free_count++] = h;
		h = NULL;
	}
	pthread_mutex_unlock(&p->lock);
	if (h)
		nbd_close(h);
}

static int run(struct nbd_handle *h, const struct pool_request *r)
{
	uint32_t durable = r->is_durable ? LIBNBD_CMD_FLAG_FUA : 0;

	switch (r->action) {
	case POOL_READ:
		return nbd_pread(h, r->data, r->len, r->at, 0);
	case POOL_WRITE:
		return nbd_pwrite(h, r->data, r->len, r->at, durable);
	case POOL_ZERO:
		return nbd_zero(h, r->len, r->at, LIBNBD_CMD_FLAG_NO_HOLE);
	case POOL_PUNCH:
		return nbd_zero(h, r->len, r->at, 0);
	case POOL_FLUSH:
		return nbd_flush(h, 0);
	}
	return -1;
}

int pool_run(struct pool *p, const struct pool_request *r)
{
	struct nbd_handle *h;
	int rc = take_connection(p, &h);

	if (rc < 0)
		return rc;
	rc = run(h, r) < 0 ? nbd_error() : 0;
	give_back(p, h);
	return rc;
}

uint64_t pool_size(struct pool *p)
{
	struct nbd_handle *h;
	uint64_t size;

	pthread_mutex_lock(&p->lock);
	size = p->size_bytes;
	pthread_mutex_unlock(&p->lock);
	if (size || take_connection(p, &h) < 0)
		return size;
	give_back(p, h);
	pthread_mutex_lock(&p->lock);
	size = p->size_bytes;
	pthread_mutex_unlock(&p->lock);
	return size;
}
