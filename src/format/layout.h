/* THE address book: superblock, data, bitmap, slot n, bad-block log -> byte on a member. */
#ifndef UMD_FORMAT_LAYOUT_H
#define UMD_FORMAT_LAYOUT_H

#include "format/bitmap_sb.h"
#include "format/sb1.h"

struct span {
	member_off at;
	uint64_t len_bytes;
};

/* Where a superblock of this minor lies on a member; false: the member is too small. */
bool lay_super(enum sb1_minor minor, uint64_t member_bytes, member_off *ret_at);

/* Where a version 0.90 superblock lies (4096 bytes); they are only looked for, never written. */
bool lay_super_090(uint64_t member_bytes, member_off *ret_at);

/* Areas of a member, from a checked superblock. */
struct span lay_data(const struct sb1 *sb);			/* size_sectors from data_offset */
/* Sectors of data the member can hold where its data area lies: in 1.0 it ends before the superblock. */
uint64_t lay_data_room_sectors(const struct sb1 *sb);
bool lay_bitmap(const struct sb1 *sb, member_off *ret_at);	/* false: no internal bitmap */
bool lay_bad_blocks(const struct sb1 *sb, struct span *ret_span);

/* Sectors the array offers, and sectors its bitmap covers; UINT64_MAX where level or geometry do not tell. RAID10 has
 * its own rule, for the other levels with a bitmap the bits cover the members' size. */
uint64_t lay_array_sectors(const struct sb1 *sb);
uint64_t lay_sync_sectors(const struct sb1 *sb);

/* Bytes of one cluster slot: blocks of 4096 holding 256 + ceil(chunks / 8). */
uint64_t lay_slot_bytes(uint64_t sync_size_sectors, uint32_t chunk_bytes);
/* Slot n of a clustered bitmap; slot 0 is the bitmap itself. OFF_NONE: beyond every address, which lay_bitmap_fits()
 * with more slots than @slot excludes. */
member_off lay_slot(member_off bitmap_at, uint64_t sync_size_sectors, uint32_t chunk_bytes, uint32_t slot);

/**
 * lay_bitmap_fits - does the bitmap keep clear of everything else on the member?
 * Superblock, bad-block log, data area, end of the member: nothing may be touched by its last page
 * (rounded up to a sector), for all @slots. Stricter than the kernel, which looks when it writes. Version 6: the bytes
 * up to the last state (the kernel may run up to 1024 of them over the room it has reserved); slots mean nothing.
 * Returns 0 or UMD_E_BAD_BITMAP with a sentence.
 */
int lay_bitmap_fits(const struct sb1 *sb, const struct bitmap_sb *bm, uint32_t slots, uint64_t member_bytes,
		    struct err *err);

/* Does the bad-block log lie inside the room of a lockless bitmap, reserved or in use (mdadm 4.6 makes such arrays), or
 * inside a slot of a clustered one (mdadm 4.2 on a member that is added later)? Then the log is not to be believed;
 * lay_bitmap_fits() does not refuse these bitmaps for it. */
bool lay_log_is_inside_bitmap(const struct sb1 *sb, const struct bitmap_sb *bm, struct span *ret_log);

/* Sectors mdadm sets aside for a bitmap on a member of this size: 0, 8, 128 or 256. */
uint32_t lay_bitmap_room_sectors(uint64_t member_sectors);

enum {
	LAY_SIZE_UNIT_SECTORS = 128,		/* a new mirror's size is a multiple of 64 KiB */
	LAY_CHUNK_MIN_BYTES = 4096,		/* of a new bitmap; md itself reads down to 512 */
};

/* What mdadm would choose when creating. */
struct lay_plan {
	uint64_t super_offset_sectors, data_offset_sectors, data_size_sectors;
	uint64_t usable_sectors;		/* upper limit for the component size */
	int32_t bitmap_offset_sectors;		/* from the superblock; 0: none */
	uint32_t bitmap_room_sectors;
	int32_t bblog_offset_sectors;
};
/**
 * lay_plan_create - geometry of one new RAID1 member (spec array 1.7, bitmap 2.6)
 * @data_offset_sectors: 0 = choose; else the first member's
 * @chunk_bytes, @sync_sectors: of the bitmap whose size decides its 1.0 place; chunk 0: no bitmap
 * Returns 0 or UMD_E_MEMBER_TOO_SMALL.
 */
int lay_plan_create(enum sb1_minor minor, uint64_t member_bytes, uint64_t data_offset_sectors, uint32_t chunk_bytes,
		    uint64_t sync_sectors, struct lay_plan *ret_plan, struct err *err);

/* Free sectors beside the superblock of a member, where a bitmap may lie: distances from it, @until the first that is
 * not free. Until may be below from: no room. The first room is the one that is preferred. */
enum { LAY_ROOMS = 2 };
struct lay_room {
	int64_t from_sectors, until_sectors;
};
void lay_rooms(const struct sb1 *sb, struct lay_room ret_rooms[LAY_ROOMS]);
/* What both have. */
void lay_common_rooms(struct lay_room rooms[LAY_ROOMS], const struct lay_room others[LAY_ROOMS]);
uint32_t lay_room_sectors(struct lay_room r);		/* whole blocks of 4096 bytes */
/* Where in the room a bitmap of so many sectors goes: near the superblock. @sectors at most lay_room_sectors(). */
int32_t lay_place_in_room(struct lay_room r, enum sb1_minor minor, uint32_t sectors);

/**
 * lay_choose_chunk - the bitmap chunk mdadm would choose
 * @wanted_bytes: 0 = choose (at least 64 MiB)
 * Returns 0, or UMD_E_BAD_OPTION when @wanted_bytes needs more bits than the room holds (the smallest that fits is
 * named), is no power of two, or is below 4096.
 */
int lay_choose_chunk(uint64_t sync_sectors, uint32_t room_sectors, uint64_t wanted_bytes, uint32_t *ret_chunk_bytes,
		     struct err *err);

#endif
