/* May this superblock be believed?
 *
 * The checks are md's load checks in md's order (a member Linux refuses is refused here with the same reason), followed
 * by checks of our own: Linux looks at some overlaps only when it writes, by then data may be at risk (law I7). Each
 * check is one small function that knows one limit and makes one sentence with both values.
 *
 * Left out on purpose: what umd cannot start (levels, reshape, journals) and the comparison between members; that is
 * assembly's judgement, looking is always allowed. */
#include "base/law.h"
#include "format/layout.h"

#include <inttypes.h>
#include <string.h>

enum { DATA_SIZE_MIN_SECTORS = 10, BBLOG_SIZE_MAX_SECTORS = 8, BBLOG_SHIFT_MAX = 63, PAD3_AT = 228 };

struct look {
	const struct sb1 *sb;
	const uint8_t *raw;
	member_off at;
	uint64_t member_sectors;
	struct err *err;
};

#define REFUSE(l, format, ...)                                                                                      \
	err_set((l)->err, UMD_E_BAD_SUPERBLOCK,                                                                     \
		"the superblock at byte %" PRIu64 " is refused: " format "; the member is not used", (l)->at.bytes, \
		##__VA_ARGS__)

static int check_identity(const struct look *l)
{
	if (l->sb->magic != FMT_SB1_MAGIC)
		return err_set(l->err, UMD_E_NO_SUPERBLOCK,
			       "no md superblock at byte %" PRIu64 ": magic 0x%08" PRIx32 " instead of 0x%08x",
			       l->at.bytes, l->sb->magic, FMT_SB1_MAGIC);
	if (l->sb->major_version != 1)
		return REFUSE(l, "major version %" PRIu32 " instead of 1", l->sb->major_version);
	if (l->sb->max_dev > FMT_SB1_MAX_DEV)
		return REFUSE(l, "max_dev is %" PRIu32 ", at most %d fit", l->sb->max_dev, FMT_SB1_MAX_DEV);
	return 0;
}

static int check_place(const struct look *l)
{
	uint64_t found_sectors = l->at.bytes / SECTOR_BYTES;

	if (l->sb->super_offset_sectors != found_sectors)
		return REFUSE(l, "it says that it lies at sector %" PRIu64 " and was found at sector %" PRIu64,
			      l->sb->super_offset_sectors, found_sectors);
	return 0;
}

static int check_features(const struct look *l)
{
	uint32_t unknown = l->sb->feature_map & ~(uint32_t)FMT_SB1_ALL_FEATURES;

	if (unknown)
		return REFUSE(l, "feature map 0x%" PRIx32 " has unknown bits 0x%" PRIx32, l->sb->feature_map, unknown);
	return 0;
}

static int check_checksum(const struct look *l)
{
	uint32_t sum = fmt_sb1_checksum(l->raw);

	if (l->sb->csum != sum)
		return err_set(l->err, UMD_E_BAD_CHECKSUM,
			       "the superblock at byte %" PRIu64 " is refused: checksum 0x%08" PRIx32
			       " is stored, its bytes give 0x%08" PRIx32 "; the member is not used",
			       l->at.bytes, l->sb->csum, sum);
	return 0;
}

static int check_padding(const struct look *l)
{
	if (l->sb->pad0)
		return REFUSE(l, "padding at 12 is 0x%" PRIx32 " instead of 0", l->sb->pad0);
	for (uint32_t i = PAD3_AT; i < FMT_SB1_FIXED_BYTES; i++)
		if (l->raw[i])
			return REFUSE(l, "padding at %" PRIu32 " is 0x%x instead of 0", i, l->raw[i]);
	return 0;
}

static int check_data(const struct look *l)
{
	const struct sb1 *sb = l->sb;
	uint64_t valid_sectors = div_up(fmt_sb1_valid_bytes(sb), SECTOR_BYTES);

	if (sb->minor != SB1_0 && sb->data_offset_sectors < sb->super_offset_sectors + valid_sectors)
		return REFUSE(l, "data begins at sector %" PRIu64 ", the superblock ends at sector %" PRIu64,
			      sb->data_offset_sectors, sb->super_offset_sectors + valid_sectors);
	return 0;
}

static int check_bad_blocks(const struct look *l)
{
	const struct sb1 *sb = l->sb;
	struct span log, data = lay_data(sb);

	if (!(sb->feature_map & FMT_SB1_BAD_BLOCKS))
		return 0;
	if (!sb->bblog_offset_sectors)
		return REFUSE(l, "it has bad blocks and no place for their log");
	if (sb->bblog_size_sectors > BBLOG_SIZE_MAX_SECTORS || sb->bblog_shift > BBLOG_SHIFT_MAX)
		return REFUSE(l, "the bad-block log has %u sectors with shift %u, at most %d and %d are possible",
			      sb->bblog_size_sectors, sb->bblog_shift, BBLOG_SIZE_MAX_SECTORS, BBLOG_SHIFT_MAX);
	if (!lay_bad_blocks(sb, &log) || log.at.bytes + log.len_bytes > l->member_sectors * SECTOR_BYTES)
		return REFUSE(l,
			      "the bad-block log at %+" PRId32 " sectors is not on the member of %" PRIu64 " sectors",
			      sb->bblog_offset_sectors, l->member_sectors);
	if (ranges_overlap(log.at.bytes, log.len_bytes, data.at.bytes, data.len_bytes))
		return REFUSE(l, "the bad-block log at byte %" PRIu64 " lies in the data area at byte %" PRIu64,
			      log.at.bytes, data.at.bytes);
	return 0;
}

static int check_combination(const struct look *l)
{
	uint32_t features = l->sb->feature_map;

	if ((features & FMT_SB1_RAID0_LAYOUT) && l->sb->level != 0)
		return REFUSE(l, "it has a RAID0 layout and level %" PRId32, l->sb->level);
	/* The partial parity log keeps its place in the bytes of the bitmap's. */
	if ((features & (FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS)) && (features & (FMT_SB1_BITMAP | FMT_SB1_JOURNAL)))
		return REFUSE(l, "feature map 0x%" PRIx32 " has a partial parity log beside a bitmap or journal",
			      features);
	return 0;
}

/* Room for data_size where it must lie; then our own: the part in use within it, and for 1.0 in front of the
 * superblock. */
static int check_space(const struct look *l)
{
	const struct sb1 *sb = l->sb;
	uint64_t limit = sb->minor == SB1_0 ? sb->super_offset_sectors : l->member_sectors;
	uint64_t room;

	if (sb->data_offset_sectors > limit)
		return REFUSE(l, "data begins at sector %" PRIu64 " and must end before sector %" PRIu64,
			      sb->data_offset_sectors, limit);
	room = sb->minor == SB1_0 ? limit : limit - sb->data_offset_sectors;
	if (sb->data_size_sectors > room)
		return REFUSE(l, "it claims %" PRIu64 " sectors for data and there are %" PRIu64, sb->data_size_sectors,
			      room);
	if (sb->size_sectors > sb->data_size_sectors)
		return REFUSE(l, "the array uses %" PRIu64 " sectors and the data area has %" PRIu64, sb->size_sectors,
			      sb->data_size_sectors);
	if (sb->size_sectors > limit - sb->data_offset_sectors)
		return REFUSE(l,
			      "the array uses %" PRIu64 " sectors from sector %" PRIu64
			      " on and must end before sector %" PRIu64,
			      sb->size_sectors, sb->data_offset_sectors, limit);
	return 0;
}

static int check_data_size(const struct look *l)
{
	if (l->sb->data_size_sectors < DATA_SIZE_MIN_SECTORS)
		return REFUSE(l, "a data area of %" PRIu64 " sectors is below %d", l->sb->data_size_sectors,
			      DATA_SIZE_MIN_SECTORS);
	return 0;
}

int fmt_sb1_check(const struct sb1 *sb, const uint8_t raw[FMT_SB1_BYTES], member_off at, uint64_t member_bytes,
		  struct err *err)
{
	static int (*const checks[])(const struct look *) = {
		check_identity, check_place, check_features, check_checksum, check_data_size, check_padding,
		check_data, check_space, check_bad_blocks, check_combination,
	};
	struct look l = { sb, raw, at, member_bytes / SECTOR_BYTES, err };

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		int rc = checks[i](&l);

		if (rc < 0)
			return rc;
	}
	return 0;
}
