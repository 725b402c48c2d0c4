/* Another bitmap for a running array: which chunks, where on every member, and why not.
 *
 * md keeps one distance from the superblock for the whole array, and reads it from any member. So the place is one that
 * is free on all of them: between superblock and data, beside the bad-block log (format/layout_room.c). The room on the
 * side of the superblock is taken where it suffices, as mdadm does. A bitmap that has its place keeps it if the new
 * chunks fit there, since then only pages have to be replaced.
 *
 * Without a wish the chunk is mdadm's: 64 MiB, or more where the room is small. What umd would not start with is not
 * made either. A bitmap in a file has chunks of its own choice, and no place (file.c). Left out: order and safety of
 * the exchange (array/rebitmap.c). */
#include "assembly/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum {
	BITMAP_VERSION = 4, DAEMON_SLEEP_S = 5, BLOCK_BYTES = 4096, BLOCK_SECTORS = BLOCK_BYTES / SECTOR_BYTES,
	ROOM_SECTORS_MAX = ASM_BITMAP_BYTES_MAX / SECTOR_BYTES,
	UNASKED_SECTORS_MAX = 256,		/* what mdadm takes of a large room by itself */
};

static bool is_written(const struct arr_status *s, uint32_t entry)
{
	return entry < s->member_count && s->members[entry].state != ARR_M_NONE &&
	       s->members[entry].state != ARR_M_FAULTY;
}

/* A member's superblock as far as places go, with what is the array's. */
static struct sb1 line_of(const struct asm_lineage *l, uint32_t entry)
{
	struct sb1 sb = l->lines[entry].sb;

	sb.size_sectors = l->base.size_sectors;
	sb.max_dev = l->base.max_dev;
	return sb;
}

static void common_rooms(const struct asm_lineage *l, const struct arr_status *s, struct lay_room ret[LAY_ROOMS])
{
	struct lay_room own[LAY_ROOMS];
	bool is_first = true;

	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++) {
		struct sb1 sb;

		if (!is_written(s, i))
			continue;
		sb = line_of(l, i);
		lay_rooms(&sb, own);
		if (is_first)
			memcpy(ret, own, sizeof own);
		else
			lay_common_rooms(ret, own);
		is_first = false;
	}
}

static uint32_t capped(struct lay_room room, uint64_t wanted)
{
	uint32_t most = wanted ? ROOM_SECTORS_MAX : UNASKED_SECTORS_MAX;

	return (uint32_t)min_u64(lay_room_sectors(room), most);
}

/* The first room that holds the chunks that are wanted; else the sentence speaks of the largest. */
static int choose_room(const struct asm_lineage *l, const struct lay_room rooms[LAY_ROOMS], uint64_t wanted,
		       struct lay_room *ret_room, uint32_t *ret_chunk, struct err *err)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < LAY_ROOMS; i++) {
		struct err own = { 0 };

		if (lay_choose_chunk(l->base.size_sectors, capped(rooms[i], wanted), wanted, ret_chunk, &own) == 0) {
			*ret_room = rooms[i];
			return 0;
		}
		if (capped(rooms[i], wanted) > capped(rooms[best], wanted))
			best = i;
	}
	if (!lay_room_sectors(rooms[best]))
		return err_set(err, -ENOSPC, "there is no room for a bitmap: the members have no free sector in common "
			       "between superblock and data");
	return lay_choose_chunk(l->base.size_sectors, capped(rooms[best], wanted), wanted, ret_chunk, err);
}

/* All places at this distance. */
static void put_places(const struct asm_lineage *l, const struct arr_status *s, int32_t distance_sectors,
		       struct asm_bitmap_plan *p)
{
	p->distance_sectors = distance_sectors;
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++) {
		struct sb1 sb = l->lines[i].sb;

		sb.feature_map |= FMT_SB1_BITMAP;
		sb.bitmap_offset_sectors = distance_sectors;
		if (!is_written(s, i) || !lay_bitmap(&sb, &p->at[i]))
			p->at[i].bytes = OFF_NONE;
	}
}

static int plan_new(const struct asm_lineage *l, const struct arr_status *s, uint64_t wanted,
		    struct asm_bitmap_plan *p, struct err *err)
{
	struct lay_room rooms[LAY_ROOMS] = { 0 }, room;
	uint32_t sectors;
	int rc;

	common_rooms(l, s, rooms);
	rc = choose_room(l, rooms, wanted, &room, &p->sb.chunk_bytes, err);
	if (rc < 0)
		return rc;
	sectors = (uint32_t)(round_up(fmt_bitmap_bytes(&p->sb), BLOCK_BYTES) / SECTOR_BYTES);
	put_places(l, s, lay_place_in_room(room, l->base.minor, sectors), p);
	return 0;
}

/* ---- at a place that is given ---- */

static bool is_in(struct lay_room r, int64_t distance)
{
	return lay_room_sectors(r) && distance >= r.from_sectors && distance < r.until_sectors;
}

static int refuse_place(const struct lay_room rooms[LAY_ROOMS], int64_t distance, struct err *err)
{
	char places[128] = "none on all members";
	size_t len = 0;

	for (uint32_t i = 0; i < LAY_ROOMS; i++) {
		bool is_twice = i && !memcmp(&rooms[i], &rooms[0], sizeof rooms[i]);

		if (!lay_room_sectors(rooms[i]) || is_twice)
			continue;
		text_fit(places + len, sizeof places - len, "%s%+" PRId64 " to below %+" PRId64, len ? " and " : "",
			 rooms[i].from_sectors, rooms[i].until_sectors);
		len = strlen(places);
	}
	return err_set(err, -EINVAL, "%+" PRId64 " sectors from the superblock is no place for a bitmap; places are "
		       "multiples of %d, and free are: %s", distance, BLOCK_SECTORS, places);
}

/* As large as is wanted; without a wish, as the room behind the place allows. */
static int fit_at(const struct asm_lineage *l, const struct asm_bitmap_wish *wish, struct lay_room room,
		  struct asm_bitmap_plan *p, struct err *err)
{
	uint64_t bits, bytes;
	struct err own = { 0 };

	if (wish->kind == ASM_BITMAP_INTERNAL) {
		if (lay_choose_chunk(l->base.size_sectors, capped(room, wish->chunk_bytes), wish->chunk_bytes,
				     &p->sb.chunk_bytes, &own))
			return err_set(err, -EINVAL, "%+" PRId64 " sectors from the superblock: %s",
				       wish->distance_sectors, own.text);
		return 0;
	}
	bits = div_up(l->base.size_sectors * SECTOR_BYTES, wish->chunk_bytes);
	bytes = div_up(bits, 8);
	if (bytes <= (uint64_t)lay_room_sectors(room) * SECTOR_BYTES)
		return 0;
	return err_set(err, -EINVAL, "%+" PRId64 " sectors from the superblock %" PRIu32 " sectors are free, and the "
		       "bitmap has %" PRIu64, wish->distance_sectors, lay_room_sectors(room),
		       div_up(bytes, SECTOR_BYTES));
}

static int plan_at(const struct asm_lineage *l, const struct arr_status *s, const struct asm_bitmap_wish *wish,
		   struct asm_bitmap_plan *p, struct err *err)
{
	struct lay_room rooms[LAY_ROOMS] = { 0 };
	int64_t at = wish->distance_sectors;
	uint32_t i = 0;
	int rc;

	common_rooms(l, s, rooms);
	while (i < LAY_ROOMS && !is_in(rooms[i], at))
		i++;
	if (i == LAY_ROOMS || at % BLOCK_SECTORS)
		return refuse_place(rooms, at, err);
	rooms[i].from_sectors = at;
	rc = fit_at(l, wish, rooms[i], p, err);
	if (rc == 0)
		put_places(l, s, (int32_t)at, p);
	return rc;
}

/* ---- on a member that joins ---- */

/* The same everywhere (plan_at); one member in sync there always is. */
static int64_t distance_of_bare(const struct asm_lineage *l, const struct arr_status *s)
{
	uint32_t i = 0;

	while (i + 1 < s->member_count && s->members[i].state != ARR_M_IN_SYNC)
		i++;
	return (int64_t)(s->members[i].bitmap_at.bytes / SECTOR_BYTES) -
	       (int64_t)l->lines[i].sb.super_offset_sectors;
}

int asm_place_bare(const struct asm_lineage *l, const struct arr *a, const struct asm_member *m, const struct sb1 *sb,
		   member_off *ret_at, struct err *err)
{
	struct lay_room rooms[LAY_ROOMS] = { 0 };
	struct arr_status s;
	int64_t from, until;

	arr_get_status(a, &s);
	from = distance_of_bare(l, &s);
	until = from + (int64_t)div_up(bm_image_bytes(arr_bitmap(a)), SECTOR_BYTES);
	ret_at->bytes = (uint64_t)((int64_t)sb->super_offset_sectors + from) * SECTOR_BYTES;
	lay_rooms(sb, rooms);
	for (uint32_t i = 0; i < LAY_ROOMS; i++)
		if (is_in(rooms[i], from) && until <= rooms[i].until_sectors)
			return 0;
	return err_set(err, -ENOSPC, "%s cannot be added: the array's bitmap lies from %+" PRId64 " to below %+" PRId64
		       " sectors from each superblock, and on this member only %+" PRId64 " to below %+" PRId64
		       " are free", m->path, from, until, rooms[0].from_sectors, rooms[0].until_sectors);
}

/* ---- in place ---- */

/* Does the bitmap with these chunks fit where the old one lies, on every member? */
static bool fits_in_place(const struct asm_lineage *l, const struct arr_status *s, struct asm_bitmap_plan *p)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++) {
		struct sb1 sb;

		p->at[i].bytes = OFF_NONE;
		if (!is_written(s, i))
			continue;
		sb = line_of(l, i);
		sb.feature_map |= FMT_SB1_BITMAP;
		sb.bitmap_offset_sectors = (int32_t)((int64_t)(s->members[i].bitmap_at.bytes / SECTOR_BYTES) -
						     (int64_t)sb.super_offset_sectors);
		p->distance_sectors = sb.bitmap_offset_sectors;
		p->at[i] = s->members[i].bitmap_at;
		if (lay_bitmap_fits(&sb, &p->sb, 1, UINT64_MAX, NULL))
			return false;
	}
	return fmt_bitmap_bytes(&p->sb) <= ASM_BITMAP_BYTES_MAX;
}

static int check_chunk(uint64_t wanted, const struct bm *old, struct err *err)
{
	if (!is_power_of_two(wanted) || wanted < LAY_CHUNK_MIN_BYTES || wanted > UINT64_C(1) << 31)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a bitmap chunk of %" PRIu64 " bytes is no power of two between %d and %" PRIu64
			       "; nothing has been written", wanted, LAY_CHUNK_MIN_BYTES, UINT64_C(1) << 31);
	if (wanted == bm_chunk_bytes(old))
		return err_set(err, -EEXIST, "the bitmap's chunks have %" PRIu64 " bytes already; nothing has been "
			       "written", wanted);
	return 0;
}

static int plan_chunks(const struct asm_lineage *l, const struct arr_status *s, const struct bm *old, uint64_t wanted,
		       struct asm_bitmap_plan *p, struct err *err)
{
	int rc = check_chunk(wanted, old, err);

	if (rc < 0)
		return rc;
	p->sb = *bm_superblock(old);
	p->sb.chunk_bytes = (uint32_t)wanted;
	p->sb.state &= ~(uint32_t)FMT_BITMAP_STALE;
	if (!fits_in_place(l, s, p))
		rc = plan_new(l, s, wanted, p, err);
	if (p->sb.sectors_reserved && fmt_bitmap_bytes(&p->sb) > (uint64_t)p->sb.sectors_reserved * SECTOR_BYTES)
		p->sb.sectors_reserved = 0;		/* not known */
	return rc;
}

static void begin_superblock(const struct asm_lineage *l, struct bitmap_sb *sb)
{
	*sb = (struct bitmap_sb){
		.magic = FMT_BITMAP_MAGIC, .version = BITMAP_VERSION, .sync_size_sectors = l->base.size_sectors,
		.daemon_sleep_s = DAEMON_SLEEP_S,
	};
	memcpy(sb->uuid, l->base.set_uuid, sizeof sb->uuid);
}

static const char *kind_of(const struct arr_status *s)
{
	return s->names_bitmap ? "an internal bitmap" : s->bitmap_is_file ? "a bitmap in a file" :
	       "a bitmap without superblock, which its owner keeps";
}

/* Between a file and the members a bitmap moves in one go, with what is set in it. */
static bool changes_kind(const struct arr_status *s, int kind)
{
	return kind == ASM_BITMAP_IN_FILE ? s->names_bitmap : s->bitmap_is_file;
}

static void keep_settings(struct bitmap_sb *sb, const struct bm *old)
{
	if (!old)
		return;
	sb->daemon_sleep_s = bm_superblock(old)->daemon_sleep_s;
	sb->write_behind = bm_superblock(old)->write_behind;
}

static int plan_file(const struct asm_lineage *l, const struct bm *old, uint64_t wanted, struct asm_bitmap_plan *p,
		     struct err *err)
{
	int rc = asm_new_file(l->base.size_sectors, l->base.set_uuid, wanted, &p->sb, err);

	p->is_file = true;
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		p->at[i].bytes = OFF_NONE;
	if (rc == 0)
		keep_settings(&p->sb, old);
	return rc;
}

int asm_plan_bitmap(const struct asm_lineage *l, const struct arr *a, const struct asm_bitmap_wish *wish,
		    struct asm_bitmap_plan *ret_plan, struct err *err)
{
	const struct bm *old = arr_bitmap(a);
	struct arr_status s;

	arr_get_status(a, &s);
	memset(ret_plan, 0, sizeof *ret_plan);
	if (wish->kind == ASM_BITMAP_NONE) {
		if (!old)
			return err_set(err, -ENOENT, "the array has no bitmap that could be taken away");
		return 0;
	}
	ret_plan->has_bitmap = true;
	if (wish->kind == ASM_BITMAP_CHUNKS) {
		if (!old || !s.names_bitmap)
			return err_set(err, old ? -EBUSY : -ENOENT, "the array has %s: --bitmap=internal gives it one "
				       "with these chunks%s", old ? kind_of(&s) : "no bitmap",
				       old && !s.bitmap_is_file ? " when it has none" : "");
		return plan_chunks(l, &s, old, wish->chunk_bytes, ret_plan, err);
	}
	if (old && !changes_kind(&s, wish->kind))
		return err_set(err, -EEXIST, "the array has %s already (chunks of %" PRIu64 " bytes); nothing has been "
			       "written", kind_of(&s), bm_chunk_bytes(old));
	if (wish->kind == ASM_BITMAP_IN_FILE)
		return plan_file(l, old, wish->chunk_bytes, ret_plan, err);
	begin_superblock(l, &ret_plan->sb);
	keep_settings(&ret_plan->sb, old);
	if (wish->distance_sectors)
		return plan_at(l, &s, wish, ret_plan, err);
	return plan_new(l, &s, wish->chunk_bytes, ret_plan, err);
}
