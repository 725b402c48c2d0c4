/* What umd starts: RAID1 without anything half-done or kept elsewhere. Every other feature of the superblock is
 * recognised and refused by name, because starting without knowing it would write where it must not (I7); looking
 * is always allowed, also where this file refuses. Left out here: what the format itself forbids (format/sb1_check.c)
 * and what members must have in common (story.c). */
#include "assembly/inside.h"

static const char *unsupported_feature(const struct sb1 *sb)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} features[] = {
		{ FMT_SB1_RESHAPE | FMT_SB1_RESHAPE_BACKWARDS | FMT_SB1_NEW_OFFSET, "a reshape in progress" },
		{ FMT_SB1_BAD_BLOCKS, "known bad blocks" },
		{ FMT_SB1_REPLACEMENT, "a replacement in progress" },
		{ FMT_SB1_CLUSTERED, "a clustered bitmap" },
		{ FMT_SB1_JOURNAL, "a write journal" },
		{ FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS, "a partial parity log" },
		{ FMT_SB1_RAID0_LAYOUT, "a RAID0 layout" },
	};

	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		if (sb->feature_map & features[i].bit)
			return features[i].name;
	return NULL;
}

int asm_check_supported(const struct asm_member *m, struct err *err)
{
	const struct sb1 *sb = &m->sb;
	const char *feature = unsupported_feature(sb);

	if (sb->level != 1)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: level %d is not supported: umd starts RAID1", m->path,
			       sb->level);
	if (feature)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: %s (feature map 0x%x) is not supported yet: nothing is started", m->path, feature,
			       sb->feature_map);
	if (sb->raid_disks < 1 || sb->raid_disks > ARR_MEMBERS_MAX)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: %u slots are not supported: umd handles 1 to %d", m->path,
			       sb->raid_disks, ARR_MEMBERS_MAX);
	if (!sb->size_sectors || sb->size_sectors > sb->data_size_sectors)
		return err_set(err, UMD_E_BAD_SUPERBLOCK,
			       "%s: the array uses %llu sectors of each member, but its data area has %llu", m->path,
			       (unsigned long long)sb->size_sectors, (unsigned long long)sb->data_size_sectors);
	return 0;
}
