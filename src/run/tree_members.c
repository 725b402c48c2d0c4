/* The attribute tree of an array with superblocks: what they say becomes the tree's facts, and each member a device.
 *
 * The superblocks own what the tree shows here. Members that join and leave by command come and go in the tree as well.
 * A device's hand is the entry's; who lets go of the member does so by its entry.
 *
 * Left out: arrays that are set up by attributes, whose tree comes first (hand.c). */
#include "run/running.h"

#include <errno.h>
#include <string.h>

static const char *metadata_name(enum sb1_minor minor)
{
	static const char *const names[] = { [SB1_0] = "1.0", [SB1_1] = "1.1", [SB1_2] = "1.2", [SB_090] = "0.90" };

	return names[minor];
}

static struct att_facts facts_of(const struct asm_member *look, const struct asm_plan *plan)
{
	const struct sb1 *sb = &look->sb;
	bool has_bitmap = sb->feature_map & FMT_SB1_BITMAP;
	struct att_facts f = {
		.metadata = metadata_name(sb->minor),
		.level = sb->level,
		.layout = sb->layout,
		.chunk_bytes = (uint32_t)(sb->chunk_sectors * SECTOR_BYTES),
		.raid_disks = sb->raid_disks,
		.component_bytes = sb->size_sectors * SECTOR_BYTES,
		.bitmap_sectors = has_bitmap ? sb->bitmap_offset_sectors : 0,
		.bitmap_is_file = plan->bitmap_is_file,
		.bitmap_space_sectors = has_bitmap && look->has_bitmap ? look->bitmap.sectors_reserved : 0,
	};

	memcpy(f.uuid, sb->set_uuid, sizeof f.uuid);
	return f;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int run_tree_add(struct umd_array *u, uint32_t entry, const struct asm_member *look)
{
	const struct member *m = u->hands[entry];
	uint32_t at = att_bind(u->tree, last_part(m->path), m->size_bytes, u->hands[entry]);
	struct att_dev *dev = att_dev(u->tree, at);

	if (!dev)
		return -ENOMEM;
	dev->entry = entry;
	dev->offset_sectors = look->sb.data_offset_sectors;
	dev->size_kib = look->sb.data_size_sectors / 2;
	return 0;
}

void run_tree_remove(struct umd_array *u, uint32_t entry)
{
	uint32_t dev = att_dev_of_entry(u->tree, entry);

	if (dev != ATT_NO_DEV)
		att_unbind(u->tree, dev);
}

int run_tree_of_array(struct umd_array *u, const struct asm_member *looks, const uint32_t *look_of, uint32_t count,
		      const struct asm_plan *plan)
{
	int rc = 0;

	u->has_superblocks = true;
	u->facts = facts_of(&looks[plan->freshest], plan);
	att_free(u->tree);	/* of the run before */
	u->told_clock = 0;
	u->tree = att_of_array(&u->facts);
	if (!u->tree)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && rc == 0; i++)
		rc = run_tree_add(u, i, &looks[look_of[i]]);
	return rc;
}
