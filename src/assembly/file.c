/* A bitmap in a file: is it this array's, is it of this moment; and what a new one looks like.
 *
 * The file holds what an internal bitmap holds, superblock first, and ends with its last bit. No superblock of the
 * array speaks of it. It is believed by the array's uuid and by its events:
 *
 *   events of the file       what happened                                            it is
 *   below the array's        somebody wrote to the array without it                   out of date: every bit counts
 *   the same, one or two     as ever; the power went between the file and the         believed
 *   above                    superblocks (two: at a start that missed a member)
 *   higher                   the members were restored from a copy, or others of      refused: what was cleared since
 *                            the array went on with the file                          may be what these members lack
 *
 * Who starts without it does not write data under those numbers (first_number_for_data), so a file can be out of date
 * or far ahead, but never of another history that has the same number; see array/store.c. Where histories have forked
 * the file may hold either one's map, and numbers leap to the higher one's: forks are ended without it. Left to the
 * user are halves that ran apart, one of them with the file, and never meet: numbers may agree by chance there.
 *
 * Chunks of a new file are mdadm's: 4 KiB, or larger so that there are no more than 2^20. */
#include "assembly/inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum { AHEAD_MAX = 2, BITMAP_VERSION = 4, DAEMON_SLEEP_S = 5, CHUNK_MIN_BYTES = 4096, CHUNKS_CHOSEN_MAX = 1 << 20 };

bool asm_is_map_file(const struct asm_member *m)
{
	return m->kind == ASM_BITMAP_FILE && m->has_bitmap;
}

uint64_t asm_first_number_for_data(uint64_t events)
{
	return events + AHEAD_MAX + 1;
}

static int check_uuid(const struct asm_member *file, const struct asm_member *ref, struct err *err)
{
	uint8_t own[16], wanted[16];
	char one[36], other[36];

	asm_bitmap_uuid(file, own);
	asm_bitmap_uuid(ref, wanted);
	if (!memcmp(own, wanted, sizeof own))
		return 0;
	fmt_uuid_text(own, one);
	fmt_uuid_text(wanted, other);
	return err_set(err, UMD_E_BAD_BITMAP, "%s is the bitmap file of array %.35s, and %s belongs to array %.35s; "
		       "nothing is started with it", file->path, one, ref->path, other);
}

static int check_file(const struct asm_member *file, const struct asm_member *ref, struct err *err)
{
	uint64_t sectors = lay_sync_sectors(&ref->sb);
	int rc = file->bitmap_error.code;

	rc = rc ? err_set(err, rc, "%s", file->bitmap_error.text) : check_uuid(file, ref, err);

	if (rc < 0)
		return rc;
	if (ref->sb.feature_map & FMT_SB1_BITMAP)
		return err_set(err, UMD_E_BAD_BITMAP, "%s is a bitmap file, but %s names an internal bitmap: an array "
			       "has one or the other; start without the file", file->path, ref->path);
	if (file->bitmap.sync_size_sectors != sectors)
		return err_set(err, UMD_E_BAD_BITMAP, "%s covers %" PRIu64 " sectors, the array has %" PRIu64
			       "; nothing is started with it", file->path, file->bitmap.sync_size_sectors,
			       sectors);
	if (file->bitmap.events > ref->sb.events + AHEAD_MAX)
		return err_set(err, UMD_E_BAD_BITMAP,
			       "%s is at event %" PRIu64 ", %s at event %" PRIu64 ": the array went on with the file "
			       "and without these members; give those that are at that event, or start with "
			       "--bitmap=none",
			       file->path, file->bitmap.events, ref->path, ref->sb.events);
	return 0;
}

static uint32_t first_file(const struct asm_member *members, const struct asm_plan *plan)
{
	uint32_t i = 0;

	while (i < plan->member_count && !asm_is_map_file(&members[i]))
		i++;
	return i;
}

bool asm_find_file(const struct asm_member *members, struct asm_plan *plan)
{
	uint32_t at = first_file(members, plan);

	for (uint32_t i = at + 1; i < plan->member_count; i++)
		if (asm_is_map_file(&members[i]))
			return !err_set(&plan->refusal, UMD_E_BAD_BITMAP,
					"%s and %s are bitmap files: an array has one", members[at].path,
					members[i].path);
	if (at == plan->member_count)
		return true;
	if (check_file(&members[at], &members[plan->freshest], &plan->refusal))
		return false;
	plan->has_bitmap = plan->bitmap_is_file = true;
	plan->bitmap_member = at;
	SAY(plan, at, ASM_MAP_FILE, "%s holds the array's bitmap", members[at].path);
	return true;
}

bool asm_may_prefer(const struct asm_member *members, const struct asm_options *o, struct asm_plan *plan)
{
	if (!o->prefer || !plan->bitmap_is_file)
		return true;
	err_set(&plan->refusal, UMD_E_BAD_BITMAP,
		"%s is to be preferred, but whose writes the file %s knows is not certain where histories have forked: "
		"start with --bitmap=none, then umd grow gives the array a new file",
		o->prefer, members[plan->bitmap_member].path);
	return false;
}

/* ---- a new one ---- */

static uint32_t choose_chunk(uint64_t size_sectors)
{
	uint64_t chunk = CHUNK_MIN_BYTES;

	while (div_up(asm_bytes(size_sectors), chunk) > CHUNKS_CHOSEN_MAX)
		chunk *= 2;
	return (uint32_t)chunk;
}

int asm_new_file(uint64_t size_sectors, const uint8_t uuid[16], uint64_t chunk_bytes, struct bitmap_sb *ret_sb,
		 struct err *err)
{
	struct bitmap_sb sb = {
		.magic = FMT_BITMAP_MAGIC, .version = BITMAP_VERSION, .sync_size_sectors = size_sectors,
		.daemon_sleep_s = DAEMON_SLEEP_S,
	};

	if (chunk_bytes && (!is_power_of_two(chunk_bytes) || chunk_bytes < CHUNK_MIN_BYTES || chunk_bytes > 1u << 31))
		return err_set(err, UMD_E_BAD_OPTION,
			       "a bitmap chunk of %" PRIu64 " bytes is no power of two between %d and %u; nothing has "
			       "been written", chunk_bytes, CHUNK_MIN_BYTES, 1u << 31);
	sb.chunk_bytes = chunk_bytes ? (uint32_t)chunk_bytes : choose_chunk(size_sectors);
	memcpy(sb.uuid, uuid, sizeof sb.uuid);
	if (fmt_bitmap_bytes(&sb) > ASM_BITMAP_BYTES_MAX)
		return err_set(err, UMD_E_BAD_OPTION,
			       "chunks of %" PRIu32 " bytes make a bitmap of %" PRIu64 " bytes, umd starts with up to "
			       "%d: take larger ones; nothing has been written", sb.chunk_bytes, fmt_bitmap_bytes(&sb),
			       ASM_BITMAP_BYTES_MAX);
	*ret_sb = sb;
	return 0;
}
