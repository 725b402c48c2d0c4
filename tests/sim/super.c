/* An own reader of superblocks and bitmaps.
 *
 * Written from the description of the formats with plain offsets, not through src/format: the oracle must not believe
 * what umd's own decoder makes of umd's own bytes. Little endian throughout.
 *
 *   superblock 1.x (one sector while there are at most 128 roles)      bitmap (first sector)
 *     0 magic a92b4efc    4 major version 1     8 feature map            0 magic 6d746962   4 version
 *    16 uuid            96 distance of the bitmap, signed                8 uuid   48 state   52 chunk bytes
 *   144 own place       152 recovery offset   160 device number         24 events          32 events_cleared
 *   200 events          208 resync offset     216 checksum             256 bits, the lowest first
 *   220 roles in use    256 roles, 16 bits each
 *
 * The checksum is the sum of the 32-bit words with its own field taken as zero (and of a last 16-bit word), the
 * carries above 32 bits added once.
 *
 * With external metadata what the owner has on record stands for superblocks, and bits begin at byte 0.
 *
 * These are asked for after every step, so each member remembers what was read from the content that lies there; a
 * content never changes under its number. Left out: more than 128 roles, more than one sector of bits: worlds are
 * small. */
#include "check.h"

#include <string.h>

#include "raw.h"

enum { ROLES = 128, BITS_AT = 256 };

static uint32_t bits_at(const struct sim_world *w)
{
	return w->setup->is_external ? 0 : BITS_AT;
}

_Static_assert(BITS_AT + SIM_CHUNKS_MAX / 8 <= SECTOR_BYTES, "all bits lie in the sector of the bitmap's superblock");

/* ---- superblocks ---- */

bool super_read(const struct sim_world *w, const uint8_t *raw, uint64_t len, struct super *ret)
{
	uint32_t max_dev;

	(void)w;
	if (len < BITS_AT || little(raw, 0, 4) != 0xa92b4efc || little(raw, 4, 4) != 1)
		return false;
	max_dev = (uint32_t)little(raw, 220, 4);
	if (max_dev > ROLES || 256 + 2 * max_dev > len || super_sum(raw, 256 + 2 * max_dev) != little(raw, 216, 4))
		return false;
	*ret = (struct super){
		.events = little(raw, 200, 8),
		.resync_offset_sectors = little(raw, 208, 8),
		.recovery_offset_sectors = little(raw, 152, 8),
		.feature_map = (uint32_t)little(raw, 8, 4),
		.dev_number = (uint32_t)little(raw, 160, 4),
		.max_dev = max_dev,
		.names_bitmap = little(raw, 8, 4) & 1,
		.bitmap_offset_sectors = (int32_t)(uint32_t)little(raw, 96, 4),
	};
	memcpy(ret->uuid, raw + 16, sizeof ret->uuid);
	for (uint32_t i = 0; i < ROLES; i++)
		ret->roles[i] = i < max_dev ? (uint16_t)little(raw, 256 + 2 * i, 2) : ARR_ROLE_SPARE;
	return ret->dev_number < max_dev;
}

const struct super *super_on(const struct sim_world *w, const struct sim_member *m)
{
	struct sim_seen *seen = (struct sim_seen *)&m->seen; /* remembering changes nothing that anybody could see */
	uint8_t raw[SECTOR_BYTES];
	content now;

	if (!m->place.is_used)
		return NULL;
	if (w->setup->is_external)
		return owner_super(w, &w->owner.record, m, &seen->super) ? &seen->super : NULL;
	now = disk_at(&m->disk, false, m->place.super_at.bytes);
	if (!seen->has_super || seen->super_of != now) {
		arena_get(w->arena, now, raw);
		seen->is_super = super_read(w, raw, sizeof raw, &seen->super) &&
				 little(raw, 144, 8) == m->place.super_at.bytes / SECTOR_BYTES;
		seen->super_of = now;
		seen->has_super = true;
	}
	return seen->is_super ? &seen->super : NULL;
}

bool super_of(const struct sim_world *w, const struct sim_member *m, struct super *ret)
{
	const struct super *s = super_on(w, m);

	if (s)
		*ret = *s;
	return s != NULL;
}

/* ---- bitmaps ---- */

void bits_read(const struct sim_world *w, const uint8_t *raw, struct sim_bits *ret)
{
	*ret = (struct sim_bits){
		.is_read = true,
		.is_bitmap = true,
	};
	if (!w->setup->is_external) {
		ret->is_bitmap = little(raw, 0, 4) == 0x6d746962;
		ret->events = little(raw, 24, 8);
		ret->events_cleared = little(raw, 32, 8);
		ret->state = (uint32_t)little(raw, 48, 4);
		ret->chunk_bytes = (uint32_t)little(raw, 52, 4);
		memcpy(ret->uuid, raw + 8, sizeof ret->uuid);
	}
	for (uint32_t i = 0; i < SIM_CHUNKS_MAX / 64; i++)
		ret->word[i] = little(raw, bits_at(w) + 8 * i, 8);
}

const struct sim_bits *bits_on(const struct sim_world *w, const struct sim_member *m, bool in_cache)
{
	static const struct sim_bits none;
	struct sim_bits *bits;
	uint8_t raw[SECTOR_BYTES];
	content now;

	if (w->is_on_file)
		m = &w->members[SIM_FILE];	/* one map for everybody */
	if (m->place.bitmap_at.bytes == OFF_NONE)
		return &none;
	bits = (struct sim_bits *)&m->seen.bits[in_cache];
	now = disk_at(&m->disk, in_cache, m->place.bitmap_at.bytes);
	if (bits->is_read && bits->of == now)
		return bits;
	arena_get(w->arena, now, raw);
	bits_read(w, raw, bits);
	bits->of = now;
	return bits;
}

bool bit_on(const struct sim_world *w, const struct sim_member *m, bool in_cache, uint64_t chunk)
{
	return bits_on(w, m, in_cache)->word[chunk / 64] >> chunk % 64 & 1;
}

uint64_t events_cleared_of(const struct sim_world *w, const struct sim_member *m)
{
	return bits_on(w, m, false)->events_cleared;
}

uint64_t chunk_len(const struct sim_world *w, uint64_t chunk)
{
	return min_u64(w->chunk_bytes, w->size_bytes - chunk * w->chunk_bytes);
}

uint64_t file_events(const struct sim_world *w)
{
	uint8_t raw[SECTOR_BYTES];

	disk_peek(&w->members[SIM_FILE].disk, true, 0, sizeof raw, raw);
	return little(raw, 24, 8);
}
