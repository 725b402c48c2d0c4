/* A mirror on two files for the tests of what umd_change_cluster() does: made, damaged, changed, and looked at as a
 * node or a host alone would start it. */
#ifndef TESTS_RUN_OFF_LINE_H
#define TESTS_RUN_OFF_LINE_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "look/look.h"
#include "tap.h"
#include "umd/umd.h"

#include "place.h"

#define UNUSED __attribute__((unused))

/* In chunks of 4 KiB a slot takes three blocks, in those of 64 KiB one. */
enum { MEMBERS = 2, MEMBER_BYTES = 256 << 20, FRONT_BYTES = 1 << 20, SLOTS_AT = 8192, CHUNK_BYTES = 65536 };
/* What the bit in doubt covers: one chunk of CHUNK_BYTES. In those of 4 KiB its bits lie in the slot's second block. */
enum { DOUBT_AT = 2048 * CHUNK_BYTES, DOUBT_END = DOUBT_AT + CHUNK_BYTES };

static const char *paths[MEMBERS];
static uint64_t chunk_bytes = CHUNK_BYTES, slot_bytes;	/* of what create() made */

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

/* ---- members ---- */

static void create(const char *bitmap, uint32_t nodes)
{
	struct umd_create_options o = {
		.bitmap = bitmap,
		.nodes = nodes,
		.bitmap_chunk_bytes = strcmp(bitmap, "none") ? chunk_bytes : 0,
		.assume_clean = true,
		.force = true,
		.cluster_name = nodes ? "lab" : NULL,
	};
	struct umd_error error;

	for (int i = 0; i < MEMBERS; i++) {
		int fd = open(paths[i], O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

		if (fd < 0 || ftruncate(fd, MEMBER_BYTES))
			exit(2);
		close(fd);
	}
	if (umd_create(&o, paths, MEMBERS, NULL, &error))
		ok(false, "created: %s", error.text);
	slot_bytes = lay_slot_bytes((MEMBER_BYTES - FRONT_BYTES) / SECTOR_BYTES, (uint32_t)chunk_bytes);
}

/* Chunks that are too small for a new array's slots come afterwards. */
UNUSED static void create_with_chunks(const char *bitmap, uint32_t nodes, uint64_t bytes)
{
	struct umd_cluster_options o = { .bitmap_chunk_bytes = bytes };
	struct umd_error error;

	chunk_bytes = CHUNK_BYTES;
	create(bitmap, nodes);
	if (bytes == chunk_bytes)
		return;
	if (umd_change_cluster(&o, paths, MEMBERS, NULL, &error))
		ok(false, "created: %s", error.text);
	chunk_bytes = bytes;
	slot_bytes = lay_slot_bytes((MEMBER_BYTES - FRONT_BYTES) / SECTOR_BYTES, (uint32_t)chunk_bytes);
}

/* What is in doubt, in a slot, on every member or on one. */
UNUSED static void set_chunk(uint32_t slot, uint32_t first, uint32_t end)
{
	uint64_t at = SLOTS_AT + slot * slot_bytes;

	for (uint64_t chunk = DOUBT_AT / chunk_bytes; chunk < DOUBT_END / chunk_bytes; chunk++) {
		struct bitmap_bit bit = fmt_bitmap_bit((chunk_no){ chunk }, true);
		static uint8_t front[FRONT_BYTES];

		for (uint32_t i = first; i < end; i++) {
			read_front(paths[i], front);
			front[at + bit.byte] |= (uint8_t)(1 << bit.bit);
			write_front(paths[i], front + at + bit.byte, 1, (off_t)(at + bit.byte));
		}
	}
}

UNUSED static void clear_slot(uint32_t slot, uint32_t member)
{
	static const uint8_t zeroes[FRONT_BYTES];

	write_front(paths[member], zeroes, slot_bytes, (off_t)(SLOTS_AT + slot * slot_bytes));
}

static int change(const char *bitmap, uint32_t nodes, const char *name, struct umd_error *error)
{
	struct umd_cluster_options o = { .bitmap = bitmap, .nodes = nodes, .cluster_name = name };

	memset(error, 0, sizeof *error);
	return umd_change_cluster(&o, paths, MEMBERS, NULL, error);
}

UNUSED static int change_chunks(uint64_t bytes, uint32_t nodes, const char *bitmap, struct umd_error *error)
{
	struct umd_cluster_options o = { .bitmap = bitmap, .nodes = nodes, .bitmap_chunk_bytes = bytes };

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
	uint64_t chunk_bytes;
	bool has_chunk[8];		/* what is in doubt is set in this slot, where it is believed */
	bool is_lost[8];		/* a member shows this slot, believable, without it */
};

static struct asm_plan plan;

static bool is_covered(const uint8_t *image, uint64_t chunk)
{
	for (uint64_t c = DOUBT_AT / chunk; c <= (DOUBT_END - 1) / chunk; c++) {
		struct bitmap_bit bit = fmt_bitmap_bit((chunk_no){ c }, true);

		if (!(image[bit.byte] >> bit.bit & 1))
			return false;
	}
	return true;
}

/* A slot is taken over from whichever member is the pin, where slots lie by the bitmap that the start has read. */
static bool is_lost_on(const char *path, const struct bitmap_sb *b, uint32_t slot)
{
	static uint8_t front[FRONT_BYTES];
	const uint8_t *image = front + SLOTS_AT + slot * asm_slot_bytes(b);
	struct bm *own = bm_new(b, NULL, 0);
	bool is_lost;

	read_front(path, front);
	is_lost = bm_judge_slot(own, image) == BM_SLOT_BITS && !is_covered(image, b->chunk_bytes);
	bm_free(own);
	return is_lost;
}

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
		ret->chunk_bytes = b->chunk_bytes;
		memcpy(ret->name, b->cluster_name, sizeof ret->name);
		ret->is_same = looks[0].bitmap.nodes == looks[1].bitmap.nodes &&
			       looks[0].bitmap.chunk_bytes == looks[1].bitmap.chunk_bytes &&
			       looks[0].sb.feature_map == looks[1].sb.feature_map &&
			       looks[0].bitmap.version == looks[1].bitmap.version &&
			       !(looks[0].sb.feature_map & FMT_SB1_CLUSTERED) == !b->nodes;
		if (asm_bitmap_to_read(looks, &plan, &read, &at, &len) &&
		    !look_read_image(m[read], paths[read], at, len, &image, &err)) {
			ret->has_chunk[slot] = is_covered(image, b->chunk_bytes);
			mem_free(image);
		}
		ret->has_chunk[slot] |= plan.bitmap_is_stale;
		for (int i = 0; is_node && i < MEMBERS; i++)
			ret->is_lost[slot] |= is_lost_on(paths[i], b, slot);
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

static void members_begin(void)
{
	place_make();
	for (int i = 0; i < MEMBERS; i++)
		paths[i] = strdup(place_of(i ? "b.img" : "a.img"));
}

static void members_end(void)
{
	for (int i = 0; i < MEMBERS; i++)
		unlink(paths[i]);
	rmdir(place);
}

#endif
