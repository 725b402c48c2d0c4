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

enum { MEMBERS = 2, MEMBER_BYTES = 8 << 20, FRONT_BYTES = 1 << 20, SLOT_BYTES = 4096 };

static const char *paths[MEMBERS];

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
		.bitmap_chunk_bytes = strcmp(bitmap, "none") ? 65536 : 0,
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
}

/* Chunk 5 of a slot, on every member or on one. */
UNUSED static void set_chunk(uint32_t slot, uint32_t first, uint32_t end)
{
	const uint8_t byte = 1 << 5;

	for (uint32_t i = first; i < end; i++)
		write_front(paths[i], &byte, 1, 8192 + slot * SLOT_BYTES + FMT_BITMAP_SB_BYTES);
}

UNUSED static void clear_slot(uint32_t slot, uint32_t member)
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
