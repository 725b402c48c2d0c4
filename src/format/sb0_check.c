/* May this 0.90 superblock be believed? md's load checks, and limits of our own where a wrong number would lead out of
 * the member or the descriptors (I7, I9). What umd starts is assembly's judgement: looking is always allowed.
 *
 * There is no field that says where it was written: one copied to another place with the right distance from the end is
 * believed, as by Linux. A partition that ends where its disk ends shows the disk's superblock for its own; the size
 * limit finds that only when the array is larger than the partition. */
#include "format/sb0.h"

#include <inttypes.h>

enum { MINOR = 90, MINOR_RESHAPE = 91 };

struct look {
	const struct sb0 *sb;
	const uint8_t *raw;
	member_off at;
	uint64_t member_bytes;
	struct err *err;
};

#define REFUSE(l, format, ...)                                                                         \
	err_set((l)->err, UMD_E_BAD_SUPERBLOCK,                                                        \
		"the 0.90 superblock at byte %" PRIu64 " is refused: " format "; the member is not used", \
		(l)->at.bytes, ##__VA_ARGS__)

static int check_identity(const struct look *l)
{
	const struct sb0 *sb = l->sb;

	if (sb->magic != FMT_SB1_MAGIC)
		return err_set(l->err, UMD_E_NO_SUPERBLOCK,
			       "no 0.90 superblock at byte %" PRIu64 ": magic 0x%08" PRIx32 " instead of 0x%08x",
			       l->at.bytes, sb->magic, FMT_SB1_MAGIC);
	if (sb->major_version != 0 || sb->minor_version < MINOR || sb->minor_version > MINOR_RESHAPE)
		return err_set(l->err, UMD_E_NO_SUPERBLOCK,
			       "no 0.90 superblock at byte %" PRIu64 ": version %" PRIu32 ".%" PRIu32
			       " instead of 0.%d or 0.%d",
			       l->at.bytes, sb->major_version, sb->minor_version, MINOR, MINOR_RESHAPE);
	return 0;
}

static int check_checksum(const struct look *l)
{
	uint32_t sum = fmt_sb0_checksum(l->raw, l->sb->is_big_endian);

	if (l->sb->csum != sum)
		return err_set(l->err, UMD_E_BAD_CHECKSUM,
			       "the 0.90 superblock at byte %" PRIu64 " is refused: checksum 0x%08" PRIx32
			       " is stored, its bytes give 0x%08" PRIx32 "; the member is not used",
			       l->at.bytes, l->sb->csum, sum);
	return 0;
}

static int check_disks(const struct look *l)
{
	const struct sb0 *sb = l->sb;

	if (!sb->raid_disks || sb->raid_disks > FMT_SB0_DISKS_MAX)
		return REFUSE(l, "%" PRIu32 " slots, 1 to %d are possible", sb->raid_disks, FMT_SB0_DISKS_MAX);
	if (sb->nr_disks > FMT_SB0_DISKS_MAX)
		return REFUSE(l, "%" PRIu32 " disks, at most %d have descriptors", sb->nr_disks, FMT_SB0_DISKS_MAX);
	if (sb->this_disk.number >= FMT_SB0_DISKS_MAX)
		return REFUSE(l, "its own descriptor is number %" PRIu32 ", there are %d", sb->this_disk.number,
			      FMT_SB0_DISKS_MAX);
	return 0;
}

/* RAID0 and linear take what each member has, so that the field means nothing there. */
static int check_size(const struct look *l)
{
	uint64_t room_kib = l->at.bytes / 1024;

	if (l->at.bytes + FMT_SB0_BYTES > l->member_bytes)
		return REFUSE(l, "it ends at byte %" PRIu64 ", the member has %" PRIu64,
			      l->at.bytes + FMT_SB0_BYTES, l->member_bytes);
	if (l->sb->level >= 1 && l->sb->size_kib > room_kib)
		return REFUSE(l, "the array uses %" PRIu32 " KiB and there are %" PRIu64 " in front of it",
			      l->sb->size_kib, room_kib);
	return 0;
}

int fmt_sb0_check(const struct sb0 *sb, const uint8_t raw[FMT_SB0_BYTES], member_off at, uint64_t member_bytes,
		  struct err *err)
{
	static int (*const checks[])(const struct look *) = { check_identity, check_checksum, check_disks, check_size };
	struct look l = { sb, raw, at, member_bytes, err };

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		int rc = checks[i](&l);

		if (rc < 0)
			return rc;
	}
	return 0;
}
