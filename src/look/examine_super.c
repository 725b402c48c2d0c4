/* The JSON of a superblock. A superblock that is not believed is shown as well: its numbers may be anything, so nothing
 * is computed from them that could wrap, and bytes that do not fit 64 bits are shown as the largest number. */
#include "look/examine.h"

#include <string.h>

enum { SECONDS_BITS = 40 };
#define SECONDS_MASK ((UINT64_C(1) << SECONDS_BITS) - 1)

void look_json_bit_names(struct text *t, const char *key, uint32_t bits, const char *(*name_of)(uint32_t bit))
{
	char number[16];

	json_open(t, key, '[');
	for (uint32_t bit = 1; bit; bit <<= 1) {
		if (!(bits & bit))
			continue;
		text_fit(number, sizeof number, "0x%x", bit);
		json_str(t, NULL, name_of(bit) ? name_of(bit) : number);
	}
	json_close(t, ']');
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
	for (uint32_t bit = 1; bit <= UINT8_MAX; bit <<= 1)
		if (sb->devflags & bit && fmt_device_flag_name(bit))
			json_str(t, NULL, fmt_device_flag_name(bit));
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
		json_u64(t, "offset_bytes", look_sectors_bytes(bad_blocks[i].sector));
		json_u64(t, "length_bytes", look_sectors_bytes(bad_blocks[i].len_sectors));
		json_close(t, '}');
	}
	json_close(t, ']');
}

static void json_identity(struct text *t, const struct look_examined *e)
{
	static const char *const versions[] = { [SB1_0] = "1.0", [SB1_1] = "1.1", [SB1_2] = "1.2", [SB_090] = "0.90" };
	const struct sb1 *sb = &e->look.sb;
	bool is_090 = sb->minor == SB_090;
	char layout[FMT_LAYOUT_TEXT_BYTES];

	json_str(t, "metadata", versions[sb->minor]);
	json_str(t, "byte_order", is_090 && e->look.sb0.is_big_endian ? "big" : "little");
	look_json_uuid(t, "array_uuid", sb->set_uuid);
	if (is_090)
		json_null(t, "device_uuid");
	else
		look_json_uuid(t, "device_uuid", sb->device_uuid);
	json_strn(t, "name", sb->set_name, strlen(sb->set_name));
	json_i64(t, "level", sb->level);
	json_u64(t, "layout", sb->layout);
	json_str(t, "layout_name", fmt_layout_text(sb->level, sb->layout, layout) ? layout : NULL);
	json_u64(t, "chunk_bytes", look_sectors_bytes(sb->chunk_sectors));
	json_u64(t, "raid_devices", sb->raid_disks);
	json_u64(t, "created_s", sb->ctime & SECONDS_MASK);
	json_u64(t, "updated_s", sb->utime & SECONDS_MASK);
}

/* Signed sectors of 32 bits always fit. */
static int64_t signed_bytes(int32_t sectors)
{
	return (int64_t)sectors * SECTOR_BYTES;
}

static void json_geometry(struct text *t, const struct sb1 *sb, bool is_believed)
{
	uint64_t array = lay_array_sectors(sb);
	struct span log;

	json_u64(t, "component_bytes", look_sectors_bytes(sb->size_sectors));
	json_off(t, "array_bytes", array == UINT64_MAX ? OFF_NONE : look_sectors_bytes(array));
	json_u64(t, "super_offset_bytes", look_sectors_bytes(sb->super_offset_sectors));
	json_u64(t, "data_offset_bytes", look_sectors_bytes(sb->data_offset_sectors));
	json_u64(t, "data_bytes", look_sectors_bytes(sb->data_size_sectors));
	json_u64(t, "logical_block_bytes", sb->logical_block_bytes);
	if (sb->feature_map & FMT_SB1_BITMAP && sb->bitmap_offset_sectors)
		json_i64(t, "bitmap_offset_bytes", signed_bytes(sb->bitmap_offset_sectors));
	else
		json_null(t, "bitmap_offset_bytes");
	if (!is_believed || !lay_bad_blocks(sb, &log)) {
		json_null(t, "bad_block_log");
		return;
	}
	json_open(t, "bad_block_log", '{');
	json_u64(t, "offset_bytes", log.at.bytes);
	json_u64(t, "length_bytes", log.len_bytes);
	json_close(t, '}');
}

static void json_reshape(struct text *t, const struct sb1 *sb)
{
	if (!(sb->feature_map & FMT_SB1_RESHAPE)) {
		json_null(t, "reshape");
		return;
	}
	json_open(t, "reshape", '{');
	json_u64(t, "position_bytes", look_sectors_bytes(sb->reshape_position_sectors));
	json_i64(t, "delta_disks", sb->delta_disks);
	json_i64(t, "new_level", sb->new_level);
	json_u64(t, "new_layout", sb->new_layout);
	json_u64(t, "new_chunk_bytes", look_sectors_bytes(sb->new_chunk_sectors));
	json_i64(t, "new_offset_bytes",
		 sb->feature_map & FMT_SB1_NEW_OFFSET ? signed_bytes(sb->new_offset_sectors) : 0);
	json_close(t, '}');
}

/* 0.90 has no features: what its struct carries there is how the judgement is told. */
static void json_state(struct text *t, const struct sb1 *sb)
{
	bool is_clean = sb->resync_offset_sectors == FMT_SB1_RESYNC_NONE;
	bool has_recovery_offset = sb->feature_map & FMT_SB1_RECOVERY_OFFSET;
	uint32_t features = sb->minor == SB_090 ? 0 : sb->feature_map;

	json_u64(t, "feature_map", features);
	look_json_bit_names(t, "features", features, fmt_feature_name);
	json_u64(t, "events", sb->events);
	json_str(t, "state", is_clean ? "clean" : "active");
	json_off(t, "resync_offset_bytes", is_clean ? OFF_NONE : look_sectors_bytes(sb->resync_offset_sectors));
	json_off(t, "recovery_offset_bytes",
		 has_recovery_offset ? look_sectors_bytes(sb->recovery_offset_sectors) : OFF_NONE);
	json_u64(t, "device_number", sb->dev_number);
	json_u64(t, "corrected_reads", sb->corrected_reads);
}

static bool is_checksum_right(const struct asm_member *look)
{
	if (look->sb.minor == SB_090)
		return fmt_sb0_checksum(look->raw, look->sb0.is_big_endian) == look->sb0.csum;
	return look->sb.max_dev <= FMT_SB1_MAX_DEV && fmt_sb1_checksum(look->raw) == look->sb.csum;
}

void look_json_superblock(struct text *t, const struct look_examined *e, const struct bad_block *bad_blocks,
			  uint32_t bad_block_count)
{
	const struct sb1 *sb = &e->look.sb;
	uint32_t csum = sb->minor == SB_090 ? e->look.sb0.csum : sb->csum;
	char checksum[9];

	text_fit(checksum, sizeof checksum, "%08x", csum);
	json_open(t, "superblock", '{');
	json_identity(t, e);
	json_geometry(t, sb, e->look.error.code == 0);
	json_state(t, sb);
	json_reshape(t, sb);
	json_roles(t, sb);
	json_flags(t, sb);
	json_bad_blocks(t, bad_blocks, bad_block_count);
	if (sb->minor == SB_090)
		look_json_superblock_090(t, &e->look.sb0);
	json_str(t, "checksum", checksum);
	json_bool(t, "checksum_ok", is_checksum_right(&e->look));
	json_close(t, '}');
}
