/* The JSON of what only a 0.90 superblock has: counts of disks, and descriptors instead of a role table.
 *
 * Descriptors that were never used are all zero; those behind the last used one are left out. Left out: everything that
 * version 1 has as well (examine_super.c). */
#include "look/examine.h"

static bool is_used(const struct sb0_disk *d)
{
	return d->number || d->major || d->minor || d->raid_disk || d->state;
}

static void json_disk(struct text *t, const struct sb0_disk *d)
{
	json_open(t, NULL, '{');
	json_u64(t, "number", d->number);
	json_u64(t, "major", d->major);
	json_u64(t, "minor", d->minor);
	json_u64(t, "slot", d->raid_disk);
	look_json_bit_names(t, "flags", d->state, fmt_sb0_disk_flag_name);
	json_close(t, '}');
}

void look_json_superblock_090(struct text *t, const struct sb0 *sb)
{
	uint32_t count = FMT_SB0_DISKS_MAX;

	while (count && !is_used(&sb->disks[count - 1]))
		count--;
	json_u64(t, "md_minor", sb->md_minor);
	json_u64(t, "active_disks", sb->active_disks);
	json_u64(t, "working_disks", sb->working_disks);
	json_u64(t, "failed_disks", sb->failed_disks);
	json_u64(t, "spare_disks", sb->spare_disks);
	json_open(t, "disks", '[');
	for (uint32_t i = 0; i < count; i++)
		json_disk(t, &sb->disks[i]);
	json_close(t, ']');
}
