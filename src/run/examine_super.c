/* The JSON of a superblock. A superblock that is not believed is shown as well: its numbers may be anything, so nothing
 * is computed from them that could wrap, and bytes that do not fit 64 bits are shown as the largest number. */
#include "run/examine.h"

#include <stdio.h>
#include <string.h>

uint64_t run_sectors_bytes(uint64_t sectors)
{
	uint64_t bytes;

	return mul_fits(sectors, SECTOR_BYTES, &bytes) ? bytes : UINT64_MAX;
}

static void json_uuid(struct text *t, const char *key, const uint8_t uuid[16])
{
	char text[36];

	fmt_uuid_text(uuid, text);
	json_str(t, key, text);
}

static void json_role(struct text *t, const char *key, uint32_t role)
{
	switch (role) {
	case FMT_ROLE_SPARE:
		json_str(t, key, "spare");
		break;
	case FMT_ROLE_FAULTY:
		json_str(t, key, "faulty");
		break;
	case FMT_ROLE_JOURNAL:
		json_str(t, key, "journal");
		break;
	default:
		json_u64(t, key, role);
	}
}

/* Entries behind the last one that ever had a device are left out; there are usually 126 of them. */
static void json_roles(struct text *t, const struct sb1 *sb)
{
	uint32_t count = sb->max_dev <= FMT_SB1_MAX_DEV ? sb->max_dev : 0;

	while (count && sb->dev_roles[count - 1] == FMT_ROLE_SPARE)
		count--;
	json_role(t, "role", sb->dev_number < FMT_SB1_MAX_DEV ? sb->dev_roles[sb->dev_number] : FMT_ROLE_SPARE);
	json_open(t, "roles", '[');
	for (uint32_t i = 0; i < count; i++)
		json_role(t, NULL, sb->dev_roles[i]);
	json_close(t, ']');
}

static void json_flags(struct text *t, const struct sb1 *sb)
{
	static const struct {
		uint32_t feature;
		const char *name;
	} features[] = {
		{ FMT_SB1_RESHAPE, "reshape" },
		{ FMT_SB1_REPLACEMENT, "replacement" },
		{ FMT_SB1_RECOVERY_BITMAP, "recovery_by_bitmap" },
		{ FMT_SB1_CLUSTERED, "clustered" },
		{ FMT_SB1_JOURNAL, "journal" },
		{ FMT_SB1_PPL | FMT_SB1_MULTIPLE_PPLS, "ppl" },
	};

	json_open(t, "flags", '[');
	if (sb->devflags & FMT_SB1_WRITE_MOSTLY)
		json_str(t, NULL, "writemostly");
	if (sb->devflags & FMT_SB1_FAILFAST)
		json_str(t, NULL, "failfast");
	for (size_t i = 0; i < sizeof features / sizeof *features; i++)
		if (sb->feature_map & features[i].feature)
			json_str(t, NULL, features[i].name);
	json_close(t, ']');
}

static void json_bad_blocks(struct text *t, const struct bad_block *bad_blocks, uint32_t count)
{
	json_open(t, "bad_blocks", '[');
	for (uint32_t i = 0; i < count; i++) {
		json_open(t, NULL, '{');
		json_u64(t, "offset_bytes", run_sectors_bytes(bad_blocks[i].sector));
		json_u64(t, "length_bytes", run_sectors_bytes(bad_blocks[i].len_sectors));
		json_close(t, '}');
	}
	json_close(t, ']');
}

static void json_identity(struct text *t, const struct sb1 *sb)
{
	static const char *const versions[] = { [SB1_0] = "1.0", [SB1_1] = "1.1", [SB1_2] = "1.2" };

	json_str(t, "metadata", versions[sb->minor]);
	json_uuid(t, "array_uuid", sb->set_uuid);
	json_uuid(t, "device_uuid", sb->device_uuid);
	json_strn(t, "name", sb->set_name, strlen(sb->set_name));
	json_i64(t, "level", sb->level);
	json_u64(t, "layout", sb->layout);
	json_u64(t, "chunk_bytes", run_sectors_bytes(sb->chunk_sectors));
	json_u64(t, "raid_devices", sb->raid_disks);
}

static void json_geometry(struct text *t, const struct sb1 *sb)
{
	uint64_t array = lay_array_sectors(sb);

	json_u64(t, "component_bytes", run_sectors_bytes(sb->size_sectors));
	json_off(t, "array_bytes", array == UINT64_MAX ? OFF_NONE : run_sectors_bytes(array));
	json_u64(t, "super_offset_bytes", run_sectors_bytes(sb->super_offset_sectors));
	json_u64(t, "data_offset_bytes", run_sectors_bytes(sb->data_offset_sectors));
	json_u64(t, "data_bytes", run_sectors_bytes(sb->data_size_sectors));
}

static void json_state(struct text *t, const struct sb1 *sb)
{
	bool is_clean = sb->resync_offset_sectors == FMT_SB1_RESYNC_NONE;

	json_u64(t, "feature_map", sb->feature_map);
	json_u64(t, "events", sb->events);
	json_str(t, "state", is_clean ? "clean" : "active");
	json_off(t, "resync_offset_bytes", is_clean ? OFF_NONE : run_sectors_bytes(sb->resync_offset_sectors));
	json_off(t, "recovery_offset_bytes",
		 sb->feature_map & FMT_SB1_RECOVERY_OFFSET ? run_sectors_bytes(sb->recovery_offset_sectors) : OFF_NONE);
	json_u64(t, "device_number", sb->dev_number);
}

void run_json_superblock(struct text *t, const struct run_examined *e, const struct bad_block *bad_blocks,
			 uint32_t bad_block_count)
{
	const struct sb1 *sb = &e->look.sb;
	char checksum[9];

	snprintf(checksum, sizeof checksum, "%08x", sb->csum);
	json_open(t, "superblock", '{');
	json_identity(t, sb);
	json_geometry(t, sb);
	json_state(t, sb);
	json_roles(t, sb);
	json_flags(t, sb);
	json_bad_blocks(t, bad_blocks, bad_block_count);
	json_str(t, "checksum", checksum);
	json_bool(t, "checksum_ok", sb->max_dev <= FMT_SB1_MAX_DEV && fmt_sb1_checksum(e->look.raw) == sb->csum);
	json_close(t, '}');
}
