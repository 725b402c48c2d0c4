/* Where a bitmap can be put on members that exist already: the free sectors beside the superblock.
 *
 *   1.1, 1.2   super | 4 KiB of its own | free | log | free | data          near: before the log, far: behind it
 *   1.0        data | free | log | free | super | 4 KiB of its own          near: behind the log, far: before it
 *
 * md keeps one distance from the superblock for the whole array, so a room is one that all members have: distances are
 * signed sectors from the superblock, and rooms of several members are cut to what they have in common. The near room
 * is taken where it is large enough, since that is where tools expect a bitmap.
 *
 * Left out: how large the bitmap is (lay_choose_chunk). */
#include "format/layout.h"

enum { SUPER_SECTORS = 8, BLOCK_SECTORS = 8 };
#define DISTANCE_MAX (INT64_C(1) << 30)		/* the field has 32 bits, with a sign */

static struct lay_room cut(struct lay_room r, int64_t from, int64_t until)
{
	r.from_sectors = r.from_sectors > from ? r.from_sectors : from;
	r.until_sectors = r.until_sectors < until ? r.until_sectors : until;
	return r;
}

static struct lay_room whole(const struct sb1 *sb)
{
	int64_t super = (int64_t)sb->super_offset_sectors, data = (int64_t)sb->data_offset_sectors;
	struct lay_room r = { SUPER_SECTORS, data - super };

	if (sb->minor == SB1_0)
		r = (struct lay_room){ data + (int64_t)sb->size_sectors - super, 0 };
	return cut(r, -DISTANCE_MAX, DISTANCE_MAX);
}

void lay_rooms(const struct sb1 *sb, struct lay_room ret_rooms[LAY_ROOMS])
{
	struct lay_room all = whole(sb);
	int64_t log = sb->bblog_offset_sectors, log_end = log + sb->bblog_size_sectors;
	bool has_log = log && sb->bblog_size_sectors;

	ret_rooms[0] = ret_rooms[1] = all;
	if (!has_log)
		return;
	ret_rooms[sb->minor == SB1_0] = cut(all, INT64_MIN, log);
	ret_rooms[sb->minor != SB1_0] = cut(all, log_end, INT64_MAX);
}

void lay_common_rooms(struct lay_room rooms[LAY_ROOMS], const struct lay_room others[LAY_ROOMS])
{
	for (int i = 0; i < LAY_ROOMS; i++)
		rooms[i] = cut(rooms[i], others[i].from_sectors, others[i].until_sectors);
}

/* A multiple of whole blocks, at or below @sectors. */
static int64_t block_below(int64_t sectors)
{
	const int64_t far = DISTANCE_MAX * 2;

	return (int64_t)round_down((uint64_t)(sectors + far), BLOCK_SECTORS) - far;
}

static int64_t first_block(struct lay_room r)
{
	return block_below(r.from_sectors + BLOCK_SECTORS - 1);
}

uint32_t lay_room_sectors(struct lay_room r)
{
	int64_t sectors = block_below(r.until_sectors) - first_block(r);

	return sectors > 0 ? (uint32_t)sectors : 0;
}

int32_t lay_place_in_room(struct lay_room r, enum sb1_minor minor, uint32_t sectors)
{
	if (minor == SB1_0)
		return (int32_t)block_below(r.until_sectors - sectors);
	return (int32_t)first_block(r);
}
