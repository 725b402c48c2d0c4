/* The JSON of umd create: what was, or with a dry run would be, written and where.
 *
 * Everything comes from the plan, which is also what create_write.c writes. Array-wide values stand once at the top;
 * a missing member has only its slot. */
#include "run/create.h"

#include <string.h>

static void json_member(struct text *t, const struct run_creating *c, uint32_t slot)
{
	const struct run_creating_member *member = &c->members[slot];
	const struct asm_created *made = &c->made[slot];
	char uuid[36];

	json_open(t, NULL, '{');
	json_u64(t, "slot", slot);
	json_strn(t, "path", member->path ? member->path : "missing", strlen(member->path ? member->path : "missing"));
	json_bool(t, "missing", !member->path);
	json_bool(t, "write_mostly", c->plan.members[slot].is_write_mostly);
	if (member->path) {
		fmt_uuid_text(made->sb.device_uuid, uuid);
		json_str(t, "device_uuid", uuid);
		json_u64(t, "size_bytes", member->m->size_bytes);
		json_u64(t, "super_offset_bytes", made->super_at.bytes);
		json_u64(t, "data_offset_bytes", lay_data(&made->sb).at.bytes);
		json_u64(t, "data_bytes", made->sb.data_size_sectors * SECTOR_BYTES);
		json_off(t, "bitmap_offset_bytes", made->has_bitmap ? made->bitmap_at.bytes : OFF_NONE);
		json_off(t, "bad_block_log_offset_bytes", made->has_bblog ? made->bblog_at.bytes : OFF_NONE);
	}
	json_close(t, '}');
}

const struct asm_created *run_create_any(const struct run_creating *c)
{
	uint32_t i = 0;

	while (c->plan.members[i].is_missing)
		i++;
	return &c->made[i];
}

void run_create_json(struct text *t, const struct run_creating *c, bool is_dry_run)
{
	static const char *const versions[] = { [SB1_0] = "1.0", [SB1_1] = "1.1", [SB1_2] = "1.2" };
	const struct asm_created *any = run_create_any(c);
	const struct bitmap_sb *bitmap = c->file ? &c->file_sb : any->has_bitmap ? &any->bitmap : NULL;
	char uuid[36];

	fmt_uuid_text(c->plan.uuid, uuid);
	json_open(t, NULL, '{');
	json_u64(t, "output_version", 1);
	json_bool(t, "dry_run", is_dry_run);
	json_str(t, "array_uuid", uuid);
	json_strn(t, "name", c->plan.name, strlen(c->plan.name));
	json_str(t, "metadata", versions[c->plan.minor]);
	json_u64(t, "level", 1);
	json_u64(t, "raid_devices", c->plan.count);
	json_u64(t, "array_bytes", lay_data(&any->sb).len_bytes);
	json_bool(t, "assume_clean", c->plan.is_assume_clean);
	json_off(t, "bitmap_chunk_bytes", bitmap ? bitmap->chunk_bytes : OFF_NONE);
	json_off(t, "bitmap_chunks", bitmap ? fmt_bitmap_chunks(bitmap) : OFF_NONE);
	if (c->plan.nodes) {
		json_u64(t, "nodes", c->plan.nodes);
		json_strn(t, "cluster_name", c->plan.cluster_name, strlen(c->plan.cluster_name));
	}
	if (c->file)
		json_strn(t, "bitmap_file", c->file, strlen(c->file));
	json_u64(t, "write_behind", c->plan.write_behind);
	json_open(t, "members", '[');
	for (uint32_t i = 0; i < c->plan.count; i++)
		json_member(t, c, i);
	json_close(t, ']');
	json_close(t, '}');
}
