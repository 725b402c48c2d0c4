/* The 0.90 md superblock: read in both byte orders, shown in version 1's terms, never written. */
#ifndef UMD_FORMAT_SB0_H
#define UMD_FORMAT_SB0_H

#include "format/sb1.h"

enum {
	FMT_SB0_BYTES = 4096,
	FMT_SB0_DISKS_MAX = 27,
	FMT_SB0_BITMAP_SECTORS = 8,		/* a bitmap lies this far behind the superblock's start... */
	FMT_SB0_BITMAP_ROOM_BYTES = 60 << 10,	/* ...and has this room */
};

/* state of the array */
enum { FMT_SB0_CLEAN = 1 << 0, FMT_SB0_BITMAP = 1 << 8 };

/* state of a disk */
enum {
	FMT_SB0_DISK_FAULTY = 1 << 0,
	FMT_SB0_DISK_ACTIVE = 1 << 1,
	FMT_SB0_DISK_SYNC = 1 << 2,
	FMT_SB0_DISK_REMOVED = 1 << 3,
	FMT_SB0_DISK_WRITE_MOSTLY = 1 << 9,
};

/* The word for one of these bits ("faulty", "sync", ...); NULL for a bit nobody has named. From sb0_disk_state.def. */
const char *fmt_sb0_disk_flag_name(uint32_t bit);

struct sb0_disk {
	uint32_t number, major, minor, raid_disk, state;
};

struct sb0 {
	bool is_big_endian;			/* not stored: what makes the magic right */
	uint32_t magic, major_version, minor_version, patch_version;
	uint32_t uuid[4];
	uint32_t ctime, utime;			/* seconds */
	int32_t level;
	uint32_t size_kib, nr_disks, raid_disks, md_minor;
	uint32_t state, active_disks, working_disks, failed_disks, spare_disks;
	uint32_t csum;
	uint64_t events;
	uint64_t checkpoint_events;		/* events when the checkpoint was written */
	uint32_t resync_checkpoint;		/* sectors in sync while not clean */
	uint64_t reshape_position_sectors;	/* this and the next four: minor 91 */
	int32_t new_level, delta_disks;
	uint32_t new_layout, new_chunk_bytes;
	uint32_t layout, chunk_bytes;
	struct sb0_disk disks[FMT_SB0_DISKS_MAX], this_disk;
};

/* Bytes to fields in the byte order whose magic is there (little-endian where neither is). Believes nothing. */
void fmt_sb0_decode(const uint8_t raw[FMT_SB0_BYTES], struct sb0 *ret_sb);

/* The sum over all words but the checksum's own, in the superblock's byte order; see the unit test for its vectors. */
uint32_t fmt_sb0_checksum(const uint8_t raw[FMT_SB0_BYTES], bool is_big_endian);

/**
 * fmt_sb0_check - may what it says be believed?
 * Returns 0; UMD_E_NO_SUPERBLOCK (magic or version, which may be 0.90 or 0.91), UMD_E_BAD_CHECKSUM,
 * UMD_E_BAD_SUPERBLOCK (no slot or more than 27 disks, own descriptor out of range, size larger than the room in front
 * of it). @err: one sentence with both values; may be NULL.
 */
int fmt_sb0_check(const struct sb0 *sb, const uint8_t raw[FMT_SB0_BYTES], member_off at, uint64_t member_bytes,
		  struct err *err);

/**
 * fmt_sb0_as_sb1 - the same facts in the struct the judgement reads; minor is SB_090
 * set_uuid: the words as mdadm prints them (most significant byte first). dev_roles and dev_number from the
 * descriptors (only a disk in sync has a slot). data_offset 0; a bitmap at +8 when the state says so; the reshape bit
 * for minor 91. resync_offset: all ones when the clean bit is set, else the checkpoint when it is of these events, else
 * 0. Fields 0.90 does not have are zero.
 */
void fmt_sb0_as_sb1(const struct sb0 *sb, member_off at, struct sb1 *ret_sb);

/* What a bitmap of this array carries as its uuid: the four words as the host had them in memory. */
void fmt_sb0_bitmap_uuid(const struct sb0 *sb, uint8_t ret_uuid[16]);

#endif
