/* The bitmap superblock: bytes to fields and back, and whether it may be used.
 *
 * The 256 bytes are the table bitmap_sb.def. There is no checksum, so every limit is checked on the way in, in md's
 * order. Where umd is deliberately kinder than Linux: a daemon_sleep of 0 (Linux writes it for periods below one second
 * and then refuses its own array) means 5 seconds, and the write-error flag of a torn or forged superblock is not
 * believed. Where umd is stricter, see lay_bitmap_fits().
 *
 * Version 6 (lockless) has the same superblock with the chunk in sectors, and one byte per chunk from byte 1024 on.
 * Until Linux first writes its superblock FIRST_USE is set: chunk and daemon_sleep are then what mdadm left there, and
 * the bytes behind are nobody's. Such a bitmap has no chunks here.
 *
 * Words: *chunk* is the range of one bit (or byte); *sync size* the range all of them cover.
 * Left out: staleness against the array's events, what umd starts with (assembly/), and everything about the bits'
 * meaning (bitmap/). */
#include "format/bitmap_sb.h"

#include "base/law.h"
#include "format/field.h"
#include "format/lockless.h"
#include "format/sb1.h"

#include <inttypes.h>

struct bitmap_on_disk {
#define F(kind, field, offset, bytes, meaning) uint8_t field[bytes];
#include "format/bitmap_sb.def"
#undef F
};
_Static_assert(sizeof(struct bitmap_on_disk) == FMT_BITMAP_SB_BYTES, "the fields do not fill the superblock");
#define F(kind, field, offset, bytes, meaning) \
	_Static_assert(offsetof(struct bitmap_on_disk, field) == (offset), #field " is not where the table says"); \
	FIELD_ASSERT_##kind(struct bitmap_sb, field, bytes)
#include "format/bitmap_sb.def"
#undef F

enum {
	VERSION_MIN = 3,
	VERSION_CLUSTERED = 5,
	VERSION_LOCKLESS = 6,
	CHUNK_MIN_BYTES = 512,
	DAEMON_SLEEP_DEFAULT_S = 5
};

void fmt_bitmap_sb_decode(const uint8_t raw[FMT_BITMAP_SB_BYTES], struct bitmap_sb *ret_sb)
{
	struct bitmap_sb *sb = ret_sb;

	memset(sb, 0, sizeof *sb);
#define F(kind, field, offset, bytes, meaning) FIELD_DECODE_##kind(sb, raw, field, offset, bytes)
#include "format/bitmap_sb.def"
#undef F
	if (sb->version == VERSION_CLUSTERED)
		return;
	/* Other versions leave garbage there (old dm-raid did). */
	sb->nodes = 0;
	memset(sb->cluster_name, 0, sizeof sb->cluster_name);
}

void fmt_bitmap_sb_encode(const struct bitmap_sb *sb, uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	struct bitmap_sb out = *sb;

	out.state &= ~(uint32_t)(FMT_BITMAP_WRITE_ERROR | FMT_BITMAP_DAEMON_BUSY);
	if (!out.daemon_sleep_s)
		out.daemon_sleep_s = DAEMON_SLEEP_DEFAULT_S;
	if (out.version != VERSION_CLUSTERED) {
		out.nodes = 0;
		memset(out.cluster_name, 0, sizeof out.cluster_name);
	}
#define F(kind, field, offset, bytes, meaning) FIELD_ENCODE_##kind(&out, raw, field, offset, bytes)
#include "format/bitmap_sb.def"
#undef F
}

#define REFUSE(err, code, format, ...)                                                                       \
	err_set(err, code, "the bitmap superblock is refused: " format "; the array does not start with it", \
		##__VA_ARGS__)

static int check_version(const struct bitmap_sb *sb, struct err *err)
{
	if (sb->magic != FMT_BITMAP_MAGIC)
		return REFUSE(err, UMD_E_BAD_BITMAP, "magic 0x%08" PRIx32 " instead of 0x%08x", sb->magic,
			      FMT_BITMAP_MAGIC);
	if (sb->version < VERSION_MIN || sb->version > VERSION_LOCKLESS)
		return REFUSE(err, UMD_E_BAD_BITMAP, "version %" PRIu32 " is not between %d and %d", sb->version,
			      VERSION_MIN, VERSION_LOCKLESS);
	return 0;
}

/* Linux compares chunks with the room in bytes and forgets the 1024 bytes in front, so the last states may lie behind
 * the room; whether they touch anything there is lay_bitmap_fits()'s question. */
static int check_limits_lockless(const struct bitmap_sb *sb, struct err *err)
{
	uint64_t room_bytes = (uint64_t)sb->sectors_reserved * SECTOR_BYTES;

	if (fmt_bitmap_is_uninitialised(sb))
		return 0;
	if (!is_power_of_two(sb->chunk_bytes))
		return REFUSE(err, UMD_E_BAD_BITMAP, "a chunk of %" PRIu32 " sectors is no power of two",
			      sb->chunk_bytes);
	if (room_bytes && fmt_bitmap_chunks(sb) > room_bytes)
		return REFUSE(err, UMD_E_BAD_BITMAP,
			      "%" PRIu64 " sectors in chunks of %" PRIu32 " need %" PRIu64
			      " states, and the room of %" PRIu32 " sectors holds %" PRIu64,
			      sb->sync_size_sectors, sb->chunk_bytes, fmt_bitmap_chunks(sb), sb->sectors_reserved,
			      room_bytes);
	return 0;
}

static int check_limits(const struct bitmap_sb *sb, struct err *err)
{
	if (sb->chunk_bytes < CHUNK_MIN_BYTES)
		return REFUSE(err, UMD_E_BAD_BITMAP, "a chunk of %" PRIu32 " bytes is below %d", sb->chunk_bytes,
			      CHUNK_MIN_BYTES);
	if (!is_power_of_two(sb->chunk_bytes))
		return REFUSE(err, UMD_E_BAD_BITMAP, "a chunk of %" PRIu32 " bytes is no power of two",
			      sb->chunk_bytes);
	if (sb->write_behind > FMT_BITMAP_WRITE_BEHIND_MAX)
		return REFUSE(err, UMD_E_BAD_BITMAP, "write_behind %" PRIu32 " is above %d", sb->write_behind,
			      FMT_BITMAP_WRITE_BEHIND_MAX);
	return 0;
}

int fmt_bitmap_sb_check(const struct bitmap_sb *sb, const uint8_t *array_uuid, struct err *err)
{
	char own[36], array[36];
	int rc;

	rc = check_version(sb, err);
	if (rc < 0)
		return rc;
	rc = fmt_bitmap_is_lockless(sb) ? check_limits_lockless(sb, err) : check_limits(sb, err);
	if (rc < 0)
		return rc;

	if (array_uuid && memcmp(sb->uuid, array_uuid, sizeof sb->uuid) != 0) {
		fmt_uuid_text(sb->uuid, own);
		fmt_uuid_text(array_uuid, array);
		return REFUSE(err, UMD_E_BAD_BITMAP, "it belongs to array %s, the member to array %s", own, array);
	}
	return 0;
}

bool fmt_bitmap_is_lockless(const struct bitmap_sb *sb)
{
	return sb->version == VERSION_LOCKLESS;
}

bool fmt_bitmap_is_clustered(const struct bitmap_sb *sb)
{
	return sb->version == VERSION_CLUSTERED && sb->nodes;
}

bool fmt_bitmap_is_uninitialised(const struct bitmap_sb *sb)
{
	return fmt_bitmap_is_lockless(sb) && (sb->state & FMT_BITMAP_FIRST_USE);
}

static uint64_t chunk_sectors(const struct bitmap_sb *sb)
{
	return fmt_bitmap_is_lockless(sb) ? sb->chunk_bytes : sb->chunk_bytes / SECTOR_BYTES;
}

uint64_t fmt_bitmap_chunk_bytes(const struct bitmap_sb *sb)
{
	return fmt_bitmap_is_lockless(sb) ? (uint64_t)sb->chunk_bytes * SECTOR_BYTES : sb->chunk_bytes;
}

uint64_t fmt_bitmap_chunks(const struct bitmap_sb *sb)
{
	if (fmt_bitmap_is_uninitialised(sb))
		return 0;
	MUST(chunk_sectors(sb) >= 1);
	return div_up(sb->sync_size_sectors, chunk_sectors(sb));
}

uint64_t fmt_bitmap_bytes(const struct bitmap_sb *sb)
{
	uint64_t chunks = fmt_bitmap_chunks(sb), bytes;

	if (!fmt_bitmap_is_lockless(sb))
		return FMT_BITMAP_SB_BYTES + div_up(chunks, 8);
	return add_fits(FMT_LOCKLESS_STATES_AT, chunks, &bytes) ? bytes : UINT64_MAX;
}
