/* Goal: wherever the power goes while a cluster is changed off line, what is left starts, no set chunk is lost, and the
 * change can be made again. Method: a cut after every write, unflushed writes lost or kept, or the last one kept alone,
 * or one torn; looked at, judged as a node or as a host alone; every slot read from every member. Law: I2, I9. Source:
 * spec cluster 2, 8.18. */
#include <errno.h>

#include "off_line.h"

enum { NEVER = 1 << 20 };

int __real_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int __wrap_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int __real_mbr_flush(struct member *m);
int __wrap_mbr_flush(struct member *m);

static int writes_left = NEVER;		/* then the power goes */
enum cache { KEPT, LOST, LAST_KEPT, TORN_BEHIND, TORN_BEFORE };
static enum cache how;
static const char *const caches[] = { "cache kept", "cache lost", "cache lost but for the last write",
				      "first sector of one more written", "one more written but for its first sector" };
static struct {				/* what a cache holds: the bytes before the writes since the last flush */
	char path[4096];
	uint8_t front[FRONT_BYTES];
	bool is_held;
	uint8_t last[FRONT_BYTES];
	size_t last_bytes;
	off_t last_at;
} cache;

static void keep_last(member_off at, const void *data, size_t len_bytes)
{
	memcpy(cache.last, data, len_bytes);
	cache.last_bytes = len_bytes;
	cache.last_at = (off_t)at.bytes;
}

int __wrap_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable)
{
	if (!cache.is_held) {
		snprintf(cache.path, sizeof cache.path, "%s", m->path);
		read_front(m->path, cache.front);
		cache.is_held = true;
		cache.last_bytes = 0;
	}
	if (writes_left > 0)
		keep_last(at, data, len_bytes);
	if (writes_left-- > 0)
		return __real_mbr_write(m, at, data, len_bytes, is_durable);
	if (how == LOST || how == LAST_KEPT)
		write_front(cache.path, cache.front, FRONT_BYTES, 0);
	if (how == LAST_KEPT)
		write_front(cache.path, cache.last, cache.last_bytes, cache.last_at);
	if (how == TORN_BEHIND && len_bytes > SECTOR_BYTES)
		write_front(cache.path, data, SECTOR_BYTES, (off_t)at.bytes);
	if (how == TORN_BEFORE && len_bytes > SECTOR_BYTES)
		write_front(cache.path, (const uint8_t *)data + SECTOR_BYTES, len_bytes - SECTOR_BYTES,
			    (off_t)(at.bytes + SECTOR_BYTES));
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
	uint64_t from_chunk, chunk;		/* 0: not asked for */
};

static int change_as(const struct row *row, struct umd_error *error)
{
	return row->chunk ? change_chunks(row->chunk, row->nodes, NULL, error) :
			    change(row->bitmap, row->nodes, row->name, error);
}

static bool is_chunk_lost(const struct row *row, const struct left *left)
{
	for (int slot = 0; row->has_chunk && slot < 2; slot++)
		if (!left->has_chunk[slot] || left->is_lost[slot])
			return true;
	return false;
}

static uint32_t cut_at(const struct row *row, int writes)
{
	struct umd_error error;
	struct left left;
	int rc;

	power_is_back();
	create_with_chunks(row->from, row->from_nodes, row->from_chunk ? row->from_chunk : CHUNK_BYTES);
	if (row->has_chunk)
		for (uint32_t slot = 0; slot < 2; slot++)
			set_chunk(slot, 0, MEMBERS);
	writes_left = writes;
	rc = change_as(row, &error);
	power_is_back();
	if (!rc)
		return 0;
	left = what_is_left();
	if (left.refused || is_chunk_lost(row, &left)) {
		ok(false, "%s, cut at write %d, %s: starts as a %s: %s", row->what, writes, caches[how],
		   left.is_node ? "node" : "host alone", left.why);
		return 1;
	}
	if (!row->nodes && !left.is_node)
		return 1;		/* done: the first start writes the other heads, too */
	rc = change_as(row, &error);
	left = what_is_left();
	if (rc || left.refused || !left.is_same || left.nodes != row->nodes || is_chunk_lost(row, &left) ||
	    (row->chunk && left.chunk_bytes != row->chunk))
		ok(false, "%s, cut at write %d, made again: %s%s", row->what, writes, error.text, left.why);
	return 1;
}

static void cuts(void)
{
	static const struct row rows[] = {
		{ "more nodes", "clustered", NULL, "new", 4, 7, true, 0, 0 },
		{ "fewer nodes", "clustered", NULL, NULL, 7, 3, true, 0, 0 },
		{ "a cluster is made", "internal", "clustered", "new", 0, 4, false, 0, 0 },
		{ "a cluster ends", "clustered", "internal", NULL, 4, 0, false, 0, 0 },
		{ "smaller chunks", "clustered", NULL, NULL, 2, 2, true, CHUNK_BYTES, 4096 },
		{ "larger chunks", "clustered", NULL, NULL, 2, 2, true, 4096, CHUNK_BYTES },
		{ "larger chunks, more nodes", "clustered", NULL, NULL, 2, 3, true, 4096, 1 << 20 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (how = KEPT; how <= TORN_BEFORE; how++) {
			uint32_t count = 0;

			while (cut_at(&rows[i], (int)count))
				count++;
			ok(count >= 4, "%s: %u cuts, %s", rows[i].what, count, caches[how]);
		}
}

int main(void)
{
	members_begin();
	cuts();
	members_end();
	return tap_end();
}
