/* The laboratory's clients. libnbd speaks the protocol; it is loaded when a lab begins, so that no other command waits
 * for it and what it brings with it.
 *
 * A writer goes about its own part of the array, a few chunks for some time and then elsewhere: as a guest does, and so
 * that there is something to see. It asks nobody and knows nothing of the other nodes: no two of them write the same
 * place, which is what a cluster asks of those above it. */
#include <dlfcn.h>
#include <libnbd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster_lab.h"

enum {
	WRITE_BYTES = 64 << 10,
	NEAR_BYTES = 3 << 20,		/* one stay covers so much */
	STAY = 24,			/* writes of one stay */
	PAUSE_MS = 25,
	FLUSH_EVERY = 8,
};

#define FUNCTIONS(X) X(create) X(close) X(connect_uri) X(pread) X(pwrite) X(flush) X(get_error)

static struct {
#define X(name) __typeof__(nbd_##name) *name;
	FUNCTIONS(X)
#undef X
} nbd;

int lab_load_client(void)
{
	void *library = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);

#define X(name) nbd.name = library ? (__typeof__(nbd.name))dlsym(library, "nbd_" #name) : NULL;
	FUNCTIONS(X)
#undef X
#define X(name) &&nbd.name
	if (library FUNCTIONS(X))
		return CLI_DONE;
#undef X
	return cli_refuse("the lab's nodes are written through the library libnbd.so.0 (Debian: libnbd0), which is not "
			  "installed");
}

static struct nbd_handle *connect_to(const char *uri)
{
	struct nbd_handle *h = nbd.create();

	if (h && nbd.connect_uri(h, uri) == 0)
		return h;
	if (h)
		nbd.close(h);
	return NULL;
}

static bool done(struct nbd_handle *h, int rc, const char **ret_sentence)
{
	if (rc < 0)
		*ret_sentence = cli_print("%s", cli_shown(nbd.get_error() ?: "no reason given"));
	if (h)
		nbd.close(h);
	return rc == 0;
}

bool lab_put(const char *uri, const void *data, size_t len_bytes, uint64_t at, const char **ret_sentence)
{
	struct nbd_handle *h = connect_to(uri);

	return done(h, h ? nbd.pwrite(h, data, len_bytes, at, 0) : -1, ret_sentence);
}

bool lab_get(const char *uri, void *data, size_t len_bytes, uint64_t at, const char **ret_sentence)
{
	struct nbd_handle *h = connect_to(uri);

	return done(h, h ? nbd.pread(h, data, len_bytes, at, 0) : -1, ret_sentence);
}

/* Whole blocks, so that each has one writer. */
static uint64_t place(uint64_t at, uint64_t len_bytes, unsigned *random)
{
	uint64_t blocks = len_bytes / WRITE_BYTES;

	return at + (blocks ? (uint64_t)rand_r(random) % blocks : 0) * WRITE_BYTES;
}

static uint64_t round_up(uint64_t n)
{
	return (n + WRITE_BYTES - 1) / WRITE_BYTES * WRITE_BYTES;
}

void lab_write_on(const char *uri, uint64_t at, uint64_t end)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct nbd_handle *h = connect_to(uri);
	unsigned random = (unsigned)(at >> 16) + (unsigned)time(NULL);
	uint64_t first = round_up(at), near = first;
	static char data[WRITE_BYTES];
	int rc = h && first + WRITE_BYTES <= end ? 0 : -1;

	for (unsigned n = 0; rc == 0; n++) {
		uint64_t left;

		if (n % STAY == 0)
			near = place(first, end - first, &random);
		left = end - near < NEAR_BYTES ? end - near : NEAR_BYTES;
		memset(data, rand_r(&random), sizeof data);
		rc = nbd.pwrite(h, data, sizeof data, place(near, left, &random), 0);
		if (rc == 0 && n % FLUSH_EVERY == 0)
			rc = nbd.flush(h, 0);
		nanosleep(&pause, NULL);
	}
	if (h)
		nbd.close(h);
}
