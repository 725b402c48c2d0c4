/* Goal: wherever the power goes while a cluster is changed off line, what is left starts, no set chunk is lost, and the
 * change can be made again. Method: a cut after every write, unflushed writes lost or kept; looked at, judged as a node
 * or as a host alone. Law: I2, I9. Source: spec cluster 2, 8.18. */
#include <errno.h>

#include "off_line.h"

enum { NEVER = 1 << 20 };

int __real_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int __wrap_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int __real_mbr_flush(struct member *m);
int __wrap_mbr_flush(struct member *m);

static int writes_left = NEVER;		/* then the power goes */
static bool is_cache_lost;
static struct {				/* what a cache holds: the bytes before the writes since the last flush */
	char path[4096];
	uint8_t front[FRONT_BYTES];
	bool is_held;
} cache;

int __wrap_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable)
{
	if (!cache.is_held) {
		snprintf(cache.path, sizeof cache.path, "%s", m->path);
		read_front(m->path, cache.front);
		cache.is_held = true;
	}
	if (writes_left-- > 0)
		return __real_mbr_write(m, at, data, len_bytes, is_durable);
	if (is_cache_lost)
		write_front(cache.path, cache.front, FRONT_BYTES, 0);
	writes_left = 0;
	return -EIO;
}

int __wrap_mbr_flush(struct member *m)
{
	cache.is_held = false;
	return writes_left > 0 ? __real_mbr_flush(m) : -EIO;
}

static void power_is_back(void)
{
	writes_left = NEVER;
	cache.is_held = false;
}

struct row {
	const char *what, *from, *bitmap, *name;
	uint32_t from_nodes, nodes;
	bool has_chunk;
};

static uint32_t cut_at(const struct row *row, int writes)
{
	struct umd_error error;
	struct left left;
	int rc;

	power_is_back();
	create(row->from, row->from_nodes);
	if (row->has_chunk)
		set_chunk(1, 0, MEMBERS);
	writes_left = writes;
	rc = change(row->bitmap, row->nodes, row->name, &error);
	power_is_back();
	if (!rc)
		return 0;
	left = what_is_left();
	if (left.refused || (row->has_chunk && !left.has_chunk[1])) {
		ok(false, "%s, cut at write %d%s: starts as a %s: %s", row->what, writes,
		   is_cache_lost ? ", cache lost" : "", left.is_node ? "node" : "host alone", left.why);
		return 1;
	}
	if (!row->nodes && !left.is_node)
		return 1;		/* done: the first start writes the other heads, too */
	rc = change(row->bitmap, row->nodes, row->name, &error);
	left = what_is_left();
	if (rc || left.refused || !left.is_same || left.nodes != row->nodes || (row->has_chunk && !left.has_chunk[1]))
		ok(false, "%s, cut at write %d, made again: %s%s", row->what, writes, error.text, left.why);
	return 1;
}

static void cuts(void)
{
	static const struct row rows[] = {
		{ "more nodes", "clustered", NULL, "new", 4, 7, true },
		{ "fewer nodes", "clustered", NULL, NULL, 7, 3, true },
		{ "a cluster is made", "internal", "clustered", "new", 0, 4, false },
		{ "a cluster ends", "clustered", "internal", NULL, 4, 0, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int lost = 0; lost < 2; lost++) {
			uint32_t count = 0;

			is_cache_lost = lost;
			while (cut_at(&rows[i], (int)count))
				count++;
			ok(count >= 4, "%s: %u cuts, %s", rows[i].what, count, lost ? "caches lost" : "caches kept");
		}
}

int main(void)
{
	members_begin();
	cuts();
	members_end();
	return tap_end();
}
