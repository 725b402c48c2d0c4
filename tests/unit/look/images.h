/* Members made by hand for the tests of looking: version 1.2, the bitmap of any version at byte 8192, data at 1 MiB. */
#ifndef TESTS_UNIT_LOOK_IMAGES_H
#define TESTS_UNIT_LOOK_IMAGES_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "format/layout.h"
#include "format/lockless.h"
#include "run/json.h"
#include "tap.h"
#include "umd/umd.h"

#define UNUSED __attribute__((unused))

enum { IMAGE_BITMAP_AT = 8192, IMAGE_DATA_AT = 1 << 20, IMAGE_COUNT_MAX = 8 };

struct shape {
	int32_t level;				/* 0: 1 */
	uint32_t layout, raid_chunk_bytes, slots;	/* slots 0: 2 */
	uint64_t size_bytes;			/* of each member's data */
	uint32_t version, chunk_bytes, nodes;	/* version 0: no bitmap; nodes with 5 */
	uint64_t events, bitmap_events;
	bool is_dirty;
};

static char image_paths[IMAGE_COUNT_MAX][64];
static const char *image_list[IMAGE_COUNT_MAX];

UNUSED static void image_put(uint32_t i, uint64_t at, const void *data, size_t len)
{
	int fd = open(image_paths[i], O_WRONLY);

	if (fd < 0 || pwrite(fd, data, len, (off_t)at) != (ssize_t)len)
		ok(false, "byte %llu of image %u can be written", (unsigned long long)at, i);
	close(fd);
}

UNUSED static uint8_t image_byte(uint32_t i, uint64_t at)
{
	int fd = open(image_paths[i], O_RDONLY);
	uint8_t byte = 0;

	if (fd < 0 || pread(fd, &byte, 1, (off_t)at) != 1)
		ok(false, "byte %llu of image %u can be read", (unsigned long long)at, i);
	close(fd);
	return byte;
}

/* Where the bits or states of @slot begin. */
UNUSED static uint64_t image_bits_at(const struct shape *s, uint32_t slot)
{
	if (s->version == 6)
		return IMAGE_BITMAP_AT + FMT_LOCKLESS_STATES_AT;
	return IMAGE_BITMAP_AT + FMT_BITMAP_SB_BYTES +
	       (slot ? slot * lay_slot_bytes(s->size_bytes / SECTOR_BYTES, s->chunk_bytes) : 0);
}

UNUSED static void image_set(uint32_t i, const struct shape *s, uint32_t slot, uint64_t chunk)
{
	uint64_t at = image_bits_at(s, slot) + chunk / 8;
	uint8_t byte = image_byte(i, at) | 1 << chunk % 8;

	image_put(i, at, &byte, 1);
}

UNUSED static void image_state(uint32_t i, const struct shape *s, uint64_t chunk, uint8_t state)
{
	image_put(i, image_bits_at(s, 0) + chunk, &state, 1);
}

static struct sb1 image_superblock(const struct shape *s, uint32_t i)
{
	struct sb1 sb = {
		.minor = SB1_2, .magic = FMT_SB1_MAGIC, .major_version = 1,
		.feature_map = s->version ? FMT_SB1_BITMAP : 0,
		.set_uuid = "sixteen letters", .set_name = "images", .ctime = 1, .level = s->level ? s->level : 1,
		.layout = s->layout, .size_sectors = s->size_bytes / SECTOR_BYTES,
		.chunk_sectors = s->raid_chunk_bytes / SECTOR_BYTES, .raid_disks = s->slots ? s->slots : 2,
		.bitmap_offset_sectors = s->version ? 8 : 0, .data_offset_sectors = IMAGE_DATA_AT / SECTOR_BYTES,
		.data_size_sectors = s->size_bytes / SECTOR_BYTES, .super_offset_sectors = 8, .dev_number = i,
		.device_uuid = { (uint8_t)(i + 1) }, .utime = 2, .events = s->events,
		.resync_offset_sectors = s->is_dirty ? 0 : FMT_SB1_RESYNC_NONE, .max_dev = 16,
	};

	if (s->nodes)
		sb.feature_map |= FMT_SB1_CLUSTERED;
	for (uint32_t d = 0; d < FMT_SB1_MAX_DEV; d++)
		sb.dev_roles[d] = d < sb.raid_disks ? (uint16_t)d : FMT_ROLE_SPARE;
	return sb;
}

/* For members that differ from what their shape says. */
UNUSED static void image_put_superblock(uint32_t i, const struct sb1 *sb)
{
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	fmt_sb1_encode(sb, raw);
	image_put(i, 4096, raw, sizeof raw);
}

UNUSED static void image_put_bitmap_superblock(uint32_t i, const struct shape *s, uint32_t slot)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	struct bitmap_sb sb = {
		.magic = FMT_BITMAP_MAGIC, .version = s->version, .uuid = "sixteen letters", .events = s->bitmap_events,
		.sync_size_sectors = s->size_bytes / SECTOR_BYTES, .daemon_sleep_s = 5, .nodes = s->nodes,
		.chunk_bytes = s->version == 6 ? s->chunk_bytes / SECTOR_BYTES : s->chunk_bytes,
	};

	fmt_bitmap_sb_encode(&sb, raw);
	image_put(i, image_bits_at(s, slot) - (s->version == 6 ? FMT_LOCKLESS_STATES_AT : FMT_BITMAP_SB_BYTES), raw,
		  sizeof raw);
}

/* Members 0 to slots - 1, no chunk set. */
UNUSED static void images_make(const struct shape *s)
{
	for (uint32_t i = 0; i < (s->slots ? s->slots : 2); i++) {
		struct sb1 sb = image_superblock(s, i);

		if (!*image_paths[i]) {
			strcpy(image_paths[i], "/tmp/umd-image.XXXXXX");
			close(mkstemp(image_paths[i]));
			image_list[i] = image_paths[i];
		}
		if (truncate(image_paths[i], 0) < 0 ||
		    truncate(image_paths[i], IMAGE_DATA_AT + (off_t)s->size_bytes) < 0)
			ok(false, "image %u is made", i);
		image_put_superblock(i, &sb);
		for (uint32_t slot = 0; s->version && slot < (s->nodes ? s->nodes : 1); slot++)
			image_put_bitmap_superblock(i, s, slot);
	}
}

UNUSED static void images_remove(void)
{
	for (uint32_t i = 0; i < IMAGE_COUNT_MAX; i++)
		if (*image_paths[i])
			unlink(image_paths[i]);
}

/* ---- what was answered ---- */

UNUSED static int image_sink(void *opaque, const char *data, size_t len)
{
	text_add(opaque, "%.*s", (int)len, data);
	return 0;
}

/* "maps.0.cells": NULL where there is no such thing. */
UNUSED static struct json_object *image_get(struct json_object *o, const char *path)
{
	char step[64];

	while (o && *path) {
		size_t len = strcspn(path, ".");

		snprintf(step, sizeof step, "%.*s", (int)len, path);
		path += len + (path[len] == '.');
		if (json_object_is_type(o, json_type_array))
			o = json_object_array_get_idx(o, strtoul(step, NULL, 10));
		else if (!json_object_object_get_ex(o, step, &o))
			o = NULL;
	}
	return o;
}

UNUSED static uint64_t image_u64(struct json_object *o, const char *path)
{
	o = image_get(o, path);
	return o ? json_object_get_uint64(o) : UINT64_MAX;
}

UNUSED static const char *image_text(struct json_object *o, const char *path)
{
	o = image_get(o, path);
	return o ? json_object_get_string(o) : "(null)";
}

#endif
