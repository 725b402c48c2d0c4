/* The 256-byte bitmap superblock, versions 3 to 6; this door is shared by format/ and bitmap/. */
#ifndef UMD_FORMAT_BITMAP_SB_H
#define UMD_FORMAT_BITMAP_SB_H

#include "base/err.h"
#include "base/units.h"

enum {
	FMT_BITMAP_SB_BYTES = 256,
	FMT_BITMAP_MAGIC = 0x6d746962,
	FMT_BITMAP_CLUSTER_NAME_BYTES = 64,
	FMT_BITMAP_WRITE_BEHIND_MAX = 16383,
};

/* state bits */
enum {
	FMT_BITMAP_STALE = 1 << 1,
	FMT_BITMAP_WRITE_ERROR = 1 << 2,	/* never believed from disk, never written (P4) */
	FMT_BITMAP_FIRST_USE = 1 << 3,
	FMT_BITMAP_CLEAN = 1 << 4,
	FMT_BITMAP_DAEMON_BUSY = 1 << 5,	/* of a running lockless bitmap; never written */
	FMT_BITMAP_HOSTENDIAN = 1 << 15,
};

/* The word for one state bit ("stale", "first_use", ...); NULL for a bit nobody has named. From bitmap_state.def. */
const char *fmt_bitmap_state_name(uint32_t bit);

struct bitmap_sb {
	uint32_t magic, version;
	uint8_t uuid[16];
	uint64_t events, events_cleared;
	uint64_t sync_size_sectors;
	uint32_t state;
	uint32_t chunk_bytes;			/* version 6 stores sectors; decoded to the raw number */
	uint32_t daemon_sleep_s;
	uint32_t write_behind;
	uint32_t sectors_reserved;
	uint32_t nodes;				/* believed with version 5 only (P14) */
	char cluster_name[FMT_BITMAP_CLUSTER_NAME_BYTES + 1];
};

void fmt_bitmap_sb_decode(const uint8_t raw[FMT_BITMAP_SB_BYTES], struct bitmap_sb *ret_sb);
/* Padding is zero; WRITE_ERROR and DAEMON_BUSY are never written, daemon_sleep never as 0 (P3). */
void fmt_bitmap_sb_encode(const struct bitmap_sb *sb, uint8_t raw[FMT_BITMAP_SB_BYTES]);

/**
 * fmt_bitmap_sb_check - may this superblock be believed (versions 3 to 6)? What umd starts with is assembly's business.
 * @array_uuid: 16 bytes, or NULL when the array has none
 * @err: gets one sentence with both values compared; may be NULL
 * Returns 0 or UMD_E_BAD_BITMAP. Order and limits: spec 1.5; of version 6: spec 7.3. Unlike the kernel a
 * daemon_sleep of 0 is accepted (meaning 5) and WRITE_ERROR is ignored.
 */
int fmt_bitmap_sb_check(const struct bitmap_sb *sb, const uint8_t *array_uuid, struct err *err);

/* Version 6: one byte per chunk instead of a bit (lockless.h). Not initialised: the next start of Linux chooses the
 * chunk size and sets every state anew; what lies there now means nothing. */
bool fmt_bitmap_is_lockless(const struct bitmap_sb *sb);
bool fmt_bitmap_is_uninitialised(const struct bitmap_sb *sb);
bool fmt_bitmap_is_clustered(const struct bitmap_sb *sb);	/* version 5 with nodes: one bitmap for each of them */
uint64_t fmt_bitmap_chunk_bytes(const struct bitmap_sb *sb);	/* whatever the unit of the version */

/* chunks = ceil(sync size / chunk); bytes = 256 + ceil(chunks / 8), superblock included; version 6: 1024 + chunks, at
 * most UINT64_MAX, and no chunks where it is not initialised. Of a superblock that fmt_bitmap_sb_check() believed, or
 * whose chunk is at least one sector. */
uint64_t fmt_bitmap_chunks(const struct bitmap_sb *sb);
uint64_t fmt_bitmap_bytes(const struct bitmap_sb *sb);

/* ---- where the bit of a chunk lies (bitmap_bits.c) ---- */

struct bitmap_bit {
	uint64_t byte;		/* from the bitmap's start */
	uint8_t bit;		/* 0..7, 1 << bit */
};

/* @has_superblock: 256 bytes in front (internal, file); false: external. */
struct bitmap_bit fmt_bitmap_bit(chunk_no chunk, bool has_superblock);
uint64_t fmt_bitmap_page_of(chunk_no chunk, bool has_superblock);	/* 4096-byte page */
/* A version 3 bitmap written by a big-endian host with @word_bits (32 or 64). */
struct bitmap_bit fmt_bitmap_bit_big_endian(chunk_no chunk, bool has_superblock, unsigned word_bits);

#endif
