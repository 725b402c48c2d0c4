/* What umd starts: RAID1 with version 1 metadata and without anything half-done or kept elsewhere. Everything else is
 * recognised and refused by name, because starting without knowing it would write where it must not (I7). Looking is
 * always allowed: the judgement goes on behind such a refusal and says what Linux would do. Where numbers are
 * impossible it ends. Left out here: what the format itself forbids (format/sb1_check.c) and what members must have in
 * common (story.c). */
#include "assembly/inside.h"

/* The pair of lay_bitmap_fits(): what a cluster is made of beside room. One sentence each. */
static int check_clustered(const struct asm_member *m, const struct sb1 *array, bool is_node, struct err *err)
{
	const struct bitmap_sb *b = &m->bitmap;

	if (b->nodes < ARR_NODES_MIN || b->nodes > ARR_NODES_MAX)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: a clustered bitmap of %u nodes is not supported: %d to %d can start", m->path,
			       b->nodes, ARR_NODES_MIN, ARR_NODES_MAX);
	if (array->minor != SB1_2)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: a clustered bitmap beside metadata 1.%d is not supported: with 1.2 it starts",
			       m->path, array->minor == SB1_1);
	if (b->write_behind)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: write-behind of %u writes in a clustered bitmap is not supported: with 0 it starts",
			       m->path, b->write_behind);
	if (!is_node)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: a clustered bitmap of %u nodes is started by nodes of a cluster only: serve "
			       "--cluster=local or --cluster=dlm starts it",
			       m->path, b->nodes);
	return 0;
}

static const char *unsupported_feature(const struct sb1 *sb)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} features[] = {
		{ FMT_SB1_RESHAPE | FMT_SB1_RESHAPE_BACKWARDS | FMT_SB1_NEW_OFFSET, "a reshape in progress" },
		{ FMT_SB1_BAD_BLOCKS, "known bad blocks" },
		{ FMT_SB1_REPLACEMENT, "a replacement in progress" },
		{ FMT_SB1_JOURNAL, "a write journal" },
		{ FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS, "a partial parity log" },
		{ FMT_SB1_RAID0_LAYOUT, "a RAID0 layout" },
	};

	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		if (sb->feature_map & features[i].bit)
			return features[i].name;
	return NULL;
}

int asm_check_possible(const struct asm_member *m, struct err *err)
{
	const struct sb1 *sb = &m->sb;

	if (sb->raid_disks < 1 || sb->raid_disks > ARR_MEMBERS_MAX)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: %u slots are not supported: umd handles 1 to %d", m->path,
			       sb->raid_disks, ARR_MEMBERS_MAX);
	if (asm_has_copies(sb) && (!sb->size_sectors || sb->size_sectors > sb->data_size_sectors))
		return err_set(err, UMD_E_BAD_SUPERBLOCK,
			       "%s: the array uses %llu sectors of each member, but its data area has %llu", m->path,
			       (unsigned long long)sb->size_sectors, (unsigned long long)sb->data_size_sectors);
	return 0;
}

int asm_check_supported(const struct asm_member *m, bool is_node, struct err *err)
{
	const struct sb1 *sb = &m->sb;
	const char *feature = unsupported_feature(sb);

	if (sb->minor == SB_090)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: the superblock has version 0.90 (%s-endian), versions 1.0 to 1.2 can be used: "
			       "nothing is started",
			       m->path, m->sb0.is_big_endian ? "big" : "little");
	if (sb->level != 1)
		return err_set(err, UMD_E_NOT_SUPPORTED, "%s: level %d is not supported: umd starts RAID1", m->path,
			       sb->level);
	if (feature)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: %s (feature map 0x%x) is not supported yet: nothing is started", m->path, feature,
			       sb->feature_map);
	if (sb->feature_map & FMT_SB1_CLUSTERED && !is_node)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: the array is clustered (feature map 0x%x), nodes of a cluster start it: serve "
			       "--cluster=local or --cluster=dlm does",
			       m->path, sb->feature_map);
	if (is_node && sb->feature_map & FMT_SB1_CLUSTERED && sb->devflags & FMT_SB1_WRITE_MOSTLY)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: a write-mostly member of a clustered array is not supported: nothing is started",
			       m->path);
	return asm_check_possible(m, err);
}

/* Running, a bitmap is held in memory with a counter for every set bit: what an image claims must not decide how long
 * a start takes. 4 MiB are 32 times the largest bitmap that mdadm or umd makes with a new array, and 2 PiB in chunks of
 * 64 MiB; mdadm can add larger ones to an array that runs, when small chunks are asked for. */
int asm_check_bitmap_supported(const struct asm_member *m, const struct sb1 *array, bool is_node, struct err *err)
{
	if (fmt_bitmap_is_lockless(&m->bitmap))
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: the bitmap's version 6 is lockless, versions 3 to 5 can be used: nothing is "
			       "started",
			       m->path);
	if (asm_bitmap_is_clustered(&m->bitmap) && check_clustered(m, array, is_node, err))
		return err->code;
	if (fmt_bitmap_bytes(&m->bitmap) > ASM_BITMAP_BYTES_MAX)
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "%s: the bitmap has %llu bytes for %llu chunks, umd starts with up to %d: larger chunks "
			       "would start",
			       m->path, (unsigned long long)fmt_bitmap_bytes(&m->bitmap),
			       (unsigned long long)fmt_bitmap_chunks(&m->bitmap), ASM_BITMAP_BYTES_MAX);
	return 0;
}
