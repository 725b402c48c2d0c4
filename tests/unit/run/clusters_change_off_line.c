/* Goal: the number of nodes, a cluster's name, a cluster made or ended off line: wherever the power goes, what is left
 * starts, no set chunk is lost, and the change can be made again; what would lose something is refused.
 * Method: members on files, changed once whole and then with a cut after every write, unflushed writes lost or kept;
 * looked at, judged as a node or as a host alone.
 * Law: I2, I7, I9.
 * Source: spec cluster 2, 8.18, 8.21; mdadm --update=nodes and home-cluster change the same fields. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "look/look.h"
#include "tap.h"
#include "umd/umd.h"

#include "place.h"

enum {
	MEMBERS = 2,
	MEMBER_BYTES = 8 << 20,
	FRONT_BYTES = 1 << 20,
	NEVER = 1 << 20,
	SLOT_BYTES = 4096,
	SUPER_AT = 4096
};

int __real_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int __wrap_mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int __real_mbr_flush(struct member *m);
int __wrap_mbr_flush(struct member *m);

static const char *paths[MEMBERS];
static int writes_left = NEVER;		/* then the power goes */
static bool is_cache_lost;
static struct {				/* what a cache holds: the bytes before the writes since the last flush */
	char path[4096];
	uint8_t front[FRONT_BYTES];
	bool is_held;
} cache;

static void read_front(const char *path, uint8_t front[FRONT_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, front, FRONT_BYTES, 0) != FRONT_BYTES)
		exit(2);
	close(fd);
}

static void write_front(const char *path, const uint8_t *bytes, size_t len, off_t at)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		exit(2);
	close(fd);
}

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

/* ---- members ---- */

static void create(const char *bitmap, uint32_t nodes)
{
	struct umd_create_options o = {
		.bitmap = bitmap,
		.nodes = nodes,
		.bitmap_chunk_bytes = strcmp(bitmap, "none") ? 65536 : 0,
		.assume_clean = true,
		.force = true,
		.cluster_name = nodes ? "lab" : NULL,
	};
	struct umd_error error;

	writes_left = NEVER;
	cache.is_held = false;
	for (int i = 0; i < MEMBERS; i++) {
		int fd = open(paths[i], O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

		if (fd < 0 || ftruncate(fd, MEMBER_BYTES))
			exit(2);
		close(fd);
	}
	if (umd_create(&o, paths, MEMBERS, NULL, &error))
		ok(false, "created: %s", error.text);
}

/* Chunk 5 of a slot, on every member or on one. */
static void set_chunk(uint32_t slot, uint32_t first, uint32_t end)
{
	const uint8_t byte = 1 << 5;

	for (uint32_t i = first; i < end; i++)
		write_front(paths[i], &byte, 1, 8192 + slot * SLOT_BYTES + FMT_BITMAP_SB_BYTES);
}

static void clear_slot(uint32_t slot, uint32_t member)
{
	static const uint8_t zeroes[SLOT_BYTES];

	write_front(paths[member], zeroes, sizeof zeroes, 8192 + slot * SLOT_BYTES);
}

static int change(const char *bitmap, uint32_t nodes, const char *name, struct umd_error *error)
{
	struct umd_cluster_options o = { .bitmap = bitmap, .nodes = nodes, .cluster_name = name };

	memset(error, 0, sizeof *error);
	return umd_change_cluster(&o, paths, MEMBERS, NULL, error);
}

/* ---- what is left ---- */

struct left {
	bool is_node;			/* starts as a node, else as a host alone */
	bool is_same;			/* both members say the same */
	int refused;
	char why[ERR_TEXT_BYTES];
	uint32_t nodes;
	char name[FMT_BITMAP_CLUSTER_NAME_BYTES + 1];
	bool has_chunk[8];		/* chunk 5 is set in this slot, where it is believed */
};

static struct asm_plan plan;

static void look(uint32_t slot, bool is_node, struct left *ret)
{
	struct asm_options options = { .is_node = is_node, .node_slot = slot };
	static struct asm_member looks[MEMBERS];
	struct member *m[MEMBERS];
	struct err err = { 0 };
	uint8_t *image;
	uint32_t read;
	uint64_t len;
	member_off at;

	for (int i = 0; i < MEMBERS; i++) {
		mbr_open(paths[i], -1, MBR_LOCK_SHARED, &m[i], &err);
		look_member(m[i], paths[i], &looks[i]);
		look_own_slot(m[i], slot, &looks[i]);
	}
	asm_judge(looks, MEMBERS, &options, &plan);
	ret->refused = plan.refusal.code;
	snprintf(ret->why, sizeof ret->why, "%s", plan.refusal.text);
	if (!ret->refused) {
		const struct bitmap_sb *b = &looks[plan.bitmap_member].bitmap;

		ret->nodes = b->nodes;
		memcpy(ret->name, b->cluster_name, sizeof ret->name);
		ret->is_same = looks[0].bitmap.nodes == looks[1].bitmap.nodes &&
			       looks[0].sb.feature_map == looks[1].sb.feature_map &&
			       looks[0].bitmap.version == looks[1].bitmap.version &&
			       !(looks[0].sb.feature_map & FMT_SB1_CLUSTERED) == !b->nodes;
		if (asm_bitmap_to_read(looks, &plan, &read, &at, &len) &&
		    !look_read_image(m[read], paths[read], at, len, &image, &err)) {
			ret->has_chunk[slot] = image[FMT_BITMAP_SB_BYTES] >> 5 & 1;
			mem_free(image);
		}
	}
	for (int i = 0; i < MEMBERS; i++)
		mbr_close(m[i]);
}

static struct left what_is_left(void)
{
	struct left left = { .is_node = true }, alone = { 0 };

	look(0, true, &left);
	if (left.refused) {
		look(0, false, &alone);
		return alone;
	}
	for (uint32_t slot = 1; slot < left.nodes && slot < 8; slot++)
		look(slot, true, &left);
	return left;
}

/* ---- whole changes ---- */

static void becomes(const char *bitmap, uint32_t nodes, const char *name, uint32_t wanted, const char *wanted_name)
{
	struct umd_error error;
	struct left left;

	if (!ok(!change(bitmap, nodes, name, &error), "changed to %u nodes %s", wanted, error.text))
		return;
	left = what_is_left();
	ok(!left.refused && left.is_same && left.nodes == wanted && left.is_node == !!wanted &&
		   !strcmp(left.name, wanted_name),
	   "it starts: %u nodes of \"%s\" %s", left.nodes, left.name, left.why);
}

static void refuses(const char *bitmap, uint32_t nodes, const char *name, const char *word, const char *also)
{
	static uint8_t before[MEMBERS][FRONT_BYTES], after[FRONT_BYTES];
	struct umd_error error;
	bool is_same = true;
	int rc;

	for (int i = 0; i < MEMBERS; i++)
		read_front(paths[i], before[i]);
	rc = change(bitmap, nodes, name, &error);
	ok(rc && strstr(error.text, word) && strstr(error.text, also), "%s", error.text);
	for (int i = 0; i < MEMBERS; i++) {
		read_front(paths[i], after);
		is_same &= !memcmp(before[i], after, FRONT_BYTES);
	}
	ok(is_same, "and nothing was written");
}

static void there_and_back(void)
{
	create("clustered", 4);
	becomes(NULL, 8, NULL, 8, "lab");
	becomes(NULL, 0, "other", 8, "other");
	becomes(NULL, 2, "lab", 2, "lab");
	becomes("internal", 0, NULL, 0, "");
	becomes("clustered", 3, "third", 3, "third");
	create("internal", 0);
	becomes("clustered", 0, NULL, 4, "");
}

static void refusals(void)
{
	create("clustered", 4);
	set_chunk(3, 0, MEMBERS);
	refuses(NULL, 3, NULL, "slot 3 holds 1 set chunk", "it can go");
	refuses("internal", 0, NULL, "slot 3 holds 1 set chunk", "leave the cluster");
	becomes(NULL, 5, NULL, 5, "lab");
	refuses(NULL, 1, NULL, "1 nodes", "2 to 64");
	refuses(NULL, 65, NULL, "65 nodes", "2 to 64");
	refuses(NULL, 0, "a name with blanks", "0x20", "printable");
	refuses("internal", 4, NULL, "neither nodes", "nothing has been");
	refuses("none", 0, NULL, "while the array runs", "nothing has been");
	create("internal", 0);
	refuses(NULL, 4, NULL, "not clustered", "--bitmap=clustered");
	refuses("internal", 0, NULL, "not clustered", "internal");
	create("none", 0);
	refuses("clustered", 4, NULL, "no internal bitmap", "umd grow NAME");
}

/* mdadm --add leaves slots out; what the other member has there is not lost by giving it the rest. */
static void a_slot_that_one_member_lacks(void)
{
	struct left left;

	create("clustered", 4);
	set_chunk(2, 1, MEMBERS);
	clear_slot(2, 0);
	becomes(NULL, 8, NULL, 8, "lab");
	left = what_is_left();
	ok(left.has_chunk[2] && plan.slot_state == ASM_SLOT_GOOD && plan.bitmap_member == 0,
	   "slot 2 is on the first member now, with its chunk");
}

/* ---- cuts ---- */

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

	create(row->from, row->from_nodes);
	if (row->has_chunk)
		set_chunk(1, 0, MEMBERS);
	writes_left = writes;
	rc = change(row->bitmap, row->nodes, row->name, &error);
	writes_left = NEVER;
	cache.is_held = false;
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
	place_make();
	for (int i = 0; i < MEMBERS; i++)
		paths[i] = strdup(place_of(i ? "b.img" : "a.img"));
	there_and_back();
	refusals();
	a_slot_that_one_member_lacks();
	cuts();
	for (int i = 0; i < MEMBERS; i++)
		unlink(paths[i]);
	rmdir(place);
	return tap_end();
}
