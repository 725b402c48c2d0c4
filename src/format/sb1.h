/* The version-1 md superblock (1.0, 1.1, 1.2) and its bad-block log. */
#ifndef UMD_FORMAT_SB1_H
#define UMD_FORMAT_SB1_H

#include "base/err.h"
#include "base/units.h"

enum {
	FMT_SB1_BYTES = 4096,			/* the area: fixed part and role table */
	FMT_SB1_FIXED_BYTES = 256,
	FMT_SB1_MAX_DEV = 1920,
	FMT_SB1_NAME_BYTES = 32,
};
#define FMT_SB1_MAGIC 0xa92b4efcu
#define FMT_SB1_RESYNC_NONE UINT64_MAX

/* feature_map */
enum {
	FMT_SB1_BITMAP = 1,
	FMT_SB1_RECOVERY_OFFSET = 2,
	FMT_SB1_RESHAPE = 4,
	FMT_SB1_BAD_BLOCKS = 8,
	FMT_SB1_REPLACEMENT = 16,
	FMT_SB1_RESHAPE_BACKWARDS = 32,
	FMT_SB1_NEW_OFFSET = 64,
	FMT_SB1_RECOVERY_BITMAP = 128,
	FMT_SB1_CLUSTERED = 256,
	FMT_SB1_JOURNAL = 512,
	FMT_SB1_PPL = 1024,
	FMT_SB1_MULTIPLE_PPLS = 2048,
	FMT_SB1_RAID0_LAYOUT = 4096,
	FMT_SB1_ALL_FEATURES = 8191,
};

/* The word for one feature bit ("reshape", "journal", ...); NULL for a bit nobody has named. From features.def. */
const char *fmt_feature_name(uint32_t bit);

/* devflags */
enum { FMT_SB1_WRITE_MOSTLY = 1, FMT_SB1_FAILFAST = 2 };

/* "writemostly", "failfast"; NULL for a bit nobody has named. From devflags.def. */
const char *fmt_device_flag_name(uint32_t bit);

enum { FMT_LAYOUT_TEXT_BYTES = 24 };

/* A layout as mdadm spells it: "n2", "f2", "o2" for RAID10, "left-symmetric", ... for RAID5 and 6. False, and @ret is
 * left alone, where the level has no layouts or the number no name. */
bool fmt_layout_text(int32_t level, uint32_t layout, char ret[FMT_LAYOUT_TEXT_BYTES]);

/* dev_roles */
enum { FMT_ROLE_SPARE = 0xffff, FMT_ROLE_FAULTY = 0xfffe, FMT_ROLE_JOURNAL = 0xfffd, FMT_ROLE_SLOT_MAX = 0xfeff };

/* SB_090: a 0.90 superblock shown in these terms (sb0.h); it is never encoded. */
enum sb1_minor { SB1_0, SB1_1, SB1_2, SB_090 };

struct sb1 {
	enum sb1_minor minor;			/* not stored: follows from the place */
	uint32_t magic, major_version, feature_map, pad0;
	uint8_t set_uuid[16];
	char set_name[FMT_SB1_NAME_BYTES + 1];	/* hostile text */
	uint64_t ctime;				/* low 40 bits: seconds */
	int32_t level;
	uint32_t layout;
	uint64_t size_sectors;			/* used of each member */
	uint32_t chunk_sectors, raid_disks;
	int32_t bitmap_offset_sectors;		/* from the superblock; valid with FMT_SB1_BITMAP */
	int32_t new_level;
	uint64_t reshape_position_sectors;
	int32_t delta_disks;
	uint32_t new_layout, new_chunk_sectors;
	int32_t new_offset_sectors;
	uint64_t data_offset_sectors, data_size_sectors, super_offset_sectors, recovery_offset_sectors;
	uint32_t dev_number, corrected_reads;
	uint8_t device_uuid[16];
	uint8_t devflags, bblog_shift;
	uint16_t bblog_size_sectors;
	int32_t bblog_offset_sectors;		/* from the superblock; 0: no log */
	uint64_t utime, events, resync_offset_sectors;
	uint32_t csum, max_dev;
	uint32_t logical_block_bytes;		/* newer kernels; kept as found, created as 0 */
	uint16_t dev_roles[FMT_SB1_MAX_DEV];	/* max_dev count; the rest 0xffff */
};

/* The checksum of a raw superblock whose max_dev is believed (<= FMT_SB1_MAX_DEV). */
uint32_t fmt_sb1_checksum(const uint8_t raw[FMT_SB1_BYTES]);

/* Bytes that count: 256 + 2 * max_dev. */
uint32_t fmt_sb1_valid_bytes(const struct sb1 *sb);

/* Raw bytes to fields; believes nothing, fails never (max_dev above the limit: no roles are read). */
void fmt_sb1_decode(const uint8_t raw[FMT_SB1_BYTES], enum sb1_minor minor, struct sb1 *ret_sb);

/* Fields to raw bytes, checksum included. Bytes behind the valid part are left as they are in @raw. */
void fmt_sb1_encode(const struct sb1 *sb, uint8_t raw[FMT_SB1_BYTES]);

/**
 * fmt_sb1_check - the kernel's load checks, in its order, on a superblock found at @at
 * @raw: for checksum and padding    @member_bytes: size of the member
 * @err: one sentence with both values; may be NULL
 * Returns 0; UMD_E_NO_SUPERBLOCK (magic), UMD_E_BAD_CHECKSUM, UMD_E_BAD_SUPERBLOCK. What umd cannot *start*
 * (levels, reshape, journal) passes here: looking is always allowed.
 */
int fmt_sb1_check(const struct sb1 *sb, const uint8_t raw[FMT_SB1_BYTES], member_off at, uint64_t member_bytes,
		  struct err *err);

/* ---- bad-block log (badblocks.c) ---- */

struct bad_block {
	uint64_t sector;	/* absolute on the member */
	uint32_t len_sectors;
};

enum { FMT_BAD_BLOCKS_MAX = 512, FMT_BAD_BLOCK_LOG_BYTES = 4096 };

/* Decode a log of @log_bytes; returns the number of entries stored in @ret, at most FMT_BAD_BLOCKS_MAX. */
uint32_t fmt_bad_blocks_decode(const uint8_t *log, uint32_t log_bytes, uint8_t shift, struct bad_block *ret);

/* uuids in md's 8:8:8:8 form; @ret has 36 bytes. */
void fmt_uuid_text(const uint8_t uuid[16], char ret[36]);
/* Accepts 32 hex digits with any of ":-. " between. */
bool fmt_uuid_parse(const char *text, uint8_t ret_uuid[16]);

#endif
