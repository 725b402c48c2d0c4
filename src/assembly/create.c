/* Creating a mirror: from sizes and wishes to the bytes of every superblock and bitmap.
 *
 * The order of decisions: the first member gives the data offset, the smallest member the size (rounded down to 64
 * KiB), the size and the smallest room the bitmap's chunk, and the chunk the bitmap's place. A missing member takes its
 * slot but no entry of the role table, like a device that never came.
 *
 * A new array claims nothing (law I10): resync_offset is 0 and every bit is set, unless the caller vouches for equal
 * members; then it is clean and the map is empty. The logical block size is left 0, so that every kernel opens the
 * array.
 *
 * A clustered bitmap is one for each node, one behind the other. The first is filled like a single one, the others are
 * empty: they say which cluster they belong to and wait for their nodes. Unlike mdadm's, the first one is empty, too,
 * when the caller vouches. There is no bad-block log in a cluster. As many slots as there can be nodes end before the
 * data of every member: what one bitmap may take is a small part of the headroom.
 *
 * Left out: other levels, file bitmaps (asm_new_file()), spares. Nothing is written here; the hands write bitmap and
 * bad-block log first and the superblock last. */
#include "assembly/inside.h"

#include "base/law.h"

#include <inttypes.h>
#include <string.h>

enum {
	BLOCK_BYTES = 4096,
	MIRROR_MIN = 2,
	BITMAP_VERSION = 4,
	CLUSTERED_VERSION = 5,
	DAEMON_SLEEP_S = 5,
	BBLOG_SECTORS = 8,
	ROLES_PER_SECTOR = 256,
	ROLES_IN_FIRST_SECTOR = 128,
};

struct geometry {
	uint64_t size_sectors, data_offset_sectors;
	uint32_t room_sectors, chunk_bytes;
	struct lay_plan plans[ARR_MEMBERS_MAX];
};

static int check_behind(const struct asm_create *c, struct err *err)
{
	if (c->write_behind && !c->has_bitmap && !c->bitmap_is_file)
		return err_set(err, UMD_E_BAD_OPTION,
			       "write-behind of %" PRIu32 " writes needs a bitmap that remembers them, and none is "
			       "wanted; nothing has been written",
			       c->write_behind);
	if (c->write_behind > FMT_BITMAP_WRITE_BEHIND_MAX)
		return err_set(err, UMD_E_BAD_OPTION,
			       "write-behind of %" PRIu32 " writes is above the most a bitmap can say, %d; nothing "
			       "has been written",
			       c->write_behind, FMT_BITMAP_WRITE_BEHIND_MAX);
	return 0;
}

static int check_cluster(const struct asm_create *c, struct err *err)
{
	if (!c->nodes)
		return 0;
	if (c->nodes < ARR_NODES_MIN || c->nodes > ARR_NODES_MAX)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a cluster of %" PRIu32 " nodes is not possible: a bitmap has slots for %d to "
			       "%d; nothing has been written",
			       c->nodes, ARR_NODES_MIN, ARR_NODES_MAX);
	if (c->minor != SB1_2)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a clustered bitmap and metadata 1.%d do not go together: 1.2 "
			       "has room for it; nothing has been written",
			       c->minor == SB1_1);
	if (c->write_behind)
		return err_set(err, UMD_E_BAD_OPTION,
			       "write-behind of %" PRIu32 " writes is not possible in a cluster: nobody would know "
			       "what is behind when a node dies; nothing has been written",
			       c->write_behind);
	for (uint32_t i = 0; i < c->count; i++)
		if (c->members[i].is_write_mostly)
			return err_set(err, UMD_E_BAD_OPTION,
				       "%s: write-mostly is not possible in a cluster: all nodes read the same member; "
				       "nothing has been written",
				       c->members[i].is_missing ? "missing" : c->members[i].path);
	return 0;
}

static int check_count(const struct asm_create *c, struct err *err)
{
	uint32_t present = 0;

	if (c->count < MIRROR_MIN || c->count > ARR_MEMBERS_MAX)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a mirror has %d to %d members, %" PRIu32 " were given (\"missing\" may stand for one); "
			       "nothing has been written",
			       MIRROR_MIN, ARR_MEMBERS_MAX, c->count);
	for (uint32_t i = 0; i < c->count; i++)
		present += !c->members[i].is_missing;
	if (!present)
		return err_set(err, UMD_E_NO_MEMBER, "all %" PRIu32 " members are missing, at least one must be there",
			       c->count);
	return 0;
}

/* Puts the member's name in front of a sentence that does not know it. */
static int name_member(const struct asm_create *c, uint32_t i, const struct err *from, struct err *err)
{
	return err_set(err, from->code, "%s: %s", c->members[i].path, from->text);
}

static int plan_member(const struct asm_create *c, uint32_t i, struct geometry *g, struct err *err)
{
	struct err own = { 0 };

	if (lay_plan_create(c->minor, c->members[i].size_bytes, g->data_offset_sectors, g->chunk_bytes, g->size_sectors,
			    &g->plans[i], &own) < 0)
		return name_member(c, i, &own, err);
	return 0;
}

/* First pass: what every member could hold, and the data offset of the first for all. */
static int find_size(const struct asm_create *c, struct geometry *g, struct err *err)
{
	uint64_t usable = UINT64_MAX, wanted = round_down(c->size_bytes / SECTOR_BYTES, LAY_SIZE_UNIT_SECTORS);
	uint32_t smallest = 0;

	g->room_sectors = UINT32_MAX;
	for (uint32_t i = 0; i < c->count; i++) {
		int rc = c->members[i].is_missing ? 0 : plan_member(c, i, g, err);

		if (rc < 0)
			return rc;
		if (c->members[i].is_missing)
			continue;
		g->data_offset_sectors = g->plans[i].data_offset_sectors;
		g->room_sectors = min_u64(g->room_sectors, g->plans[i].bitmap_room_sectors);
		if (g->plans[i].usable_sectors < usable)
			smallest = i;
		usable = min_u64(usable, g->plans[i].usable_sectors);
	}
	if (c->size_bytes && !wanted)
		return err_set(err, UMD_E_BAD_OPTION,
			       "a size of %" PRIu64 " bytes is below the smallest, 65536; nothing has been written",
			       c->size_bytes);
	if (wanted > usable)
		return err_set(err, UMD_E_MEMBER_TOO_SMALL,
			       "%s offers %" PRIu64 " bytes for data and a size of %" PRIu64
			       " is wanted; nothing has been written",
			       c->members[smallest].path, usable * SECTOR_BYTES, c->size_bytes);
	g->size_sectors = wanted ?: round_down(usable, LAY_SIZE_UNIT_SECTORS);
	return 0;
}

/* Second pass: the bitmap's size is known now and moves what lies around it. */
static int place_bitmap(const struct asm_create *c, struct geometry *g, struct err *err)
{
	int rc;

	if (!c->has_bitmap)
		return 0;
	rc = lay_choose_chunk(g->size_sectors, g->room_sectors, c->bitmap_chunk_bytes, &g->chunk_bytes, err);
	for (uint32_t i = 0; rc == 0 && i < c->count; i++)
		if (!c->members[i].is_missing)
			rc = plan_member(c, i, g, err);
	return rc;
}

/* Whole sectors of roles: 128 entries beside the fixed part's half sector, 256 in every further one. */
static uint32_t role_table_entries(uint32_t count)
{
	uint32_t more = count > ROLES_IN_FIRST_SECTOR ? count - ROLES_IN_FIRST_SECTOR : 0;

	return ROLES_IN_FIRST_SECTOR + div_up(more, ROLES_PER_SECTOR) * ROLES_PER_SECTOR;
}

static void fill_superblock(const struct asm_create *c, uint32_t i, const struct geometry *g, struct sb1 *sb)
{
	const struct lay_plan *p = &g->plans[i];

	*sb = (struct sb1){
		.minor = c->minor,
		.magic = FMT_SB1_MAGIC,
		.major_version = 1,
		.feature_map = (c->has_bitmap ? FMT_SB1_BITMAP : 0) | (c->nodes ? FMT_SB1_CLUSTERED : 0),
		.ctime = c->ctime_s,
		.utime = c->ctime_s,
		.level = 1,
		.size_sectors = g->size_sectors,
		.raid_disks = c->count,
		.bitmap_offset_sectors = p->bitmap_offset_sectors,
		.data_offset_sectors = p->data_offset_sectors,
		.data_size_sectors = p->data_size_sectors,
		.super_offset_sectors = p->super_offset_sectors,
		.dev_number = i,
		.devflags = c->members[i].is_write_mostly ? FMT_SB1_WRITE_MOSTLY : 0,
		.bblog_size_sectors = c->nodes ? 0 : BBLOG_SECTORS,
		.bblog_offset_sectors = c->nodes ? 0 : p->bblog_offset_sectors,
		.resync_offset_sectors = c->is_assume_clean ? FMT_SB1_RESYNC_NONE : 0,
		.max_dev = role_table_entries(c->count),
	};
	memcpy(sb->set_uuid, c->uuid, sizeof sb->set_uuid);
	memcpy(sb->device_uuid, c->members[i].device_uuid, sizeof sb->device_uuid);
	memcpy(sb->set_name, c->name, strnlen(c->name, FMT_SB1_NAME_BYTES));
	memset(sb->dev_roles, 0xff, sizeof sb->dev_roles);
	for (uint32_t slot = 0; slot < c->count; slot++)
		sb->dev_roles[slot] = c->members[slot].is_missing ? FMT_ROLE_SPARE : slot;
}

static void fill_bitmap(const struct asm_create *c, const struct geometry *g, struct bitmap_sb *b)
{
	*b = (struct bitmap_sb){
		.magic = FMT_BITMAP_MAGIC,
		.version = c->nodes ? CLUSTERED_VERSION : BITMAP_VERSION,
		.sync_size_sectors = g->size_sectors,
		.chunk_bytes = g->chunk_bytes,
		.daemon_sleep_s = DAEMON_SLEEP_S,
		.write_behind = c->write_behind,
		.nodes = c->nodes,
	};
	memcpy(b->uuid, c->uuid, sizeof b->uuid);
	memcpy(b->cluster_name, c->cluster_name, FMT_BITMAP_CLUSTER_NAME_BYTES);
}

/* The pair of the checks on the way in: nothing leaves that umd itself would refuse. */
static void must_be_believed(const struct asm_created *r, uint64_t member_bytes)
{
	MUST(fmt_sb1_check(&r->sb, r->super_raw, r->super_at, member_bytes, NULL) == 0);
	if (!r->has_bitmap)
		return;
	MUST(fmt_bitmap_sb_check(&r->bitmap, r->sb.set_uuid, NULL) == 0);
	MUST(lay_bitmap_fits(&r->sb, &r->bitmap, asm_slots_of(&r->bitmap), member_bytes, NULL) == 0);
}

static void fill_member(const struct asm_create *c, uint32_t i, const struct geometry *g, struct asm_created *r)
{
	struct span log;

	memset(r, 0, sizeof *r);
	fill_superblock(c, i, g, &r->sb);
	fmt_sb1_encode(&r->sb, r->super_raw);
	fmt_sb1_decode(r->super_raw, c->minor, &r->sb);		/* with the checksum */
	r->super_at.bytes = r->sb.super_offset_sectors * SECTOR_BYTES;
	if (c->has_bitmap) {
		fill_bitmap(c, g, &r->bitmap);
		r->has_bitmap = lay_bitmap(&r->sb, &r->bitmap_at);
		r->bitmap_bytes = round_up(fmt_bitmap_bytes(&r->bitmap), BLOCK_BYTES);
		r->bitmap_fill = c->is_assume_clean ? 0 : 0xff;
		r->slots = asm_slots_of(&r->bitmap);
		r->slot_bytes = asm_slot_bytes(&r->bitmap);
	}
	r->has_bblog = lay_bad_blocks(&r->sb, &log);
	if (r->has_bblog)
		r->bblog_at = log.at;
	must_be_believed(r, c->members[i].size_bytes);
}

int asm_create_plan(const struct asm_create *c, struct asm_created *ret, struct err *err)
{
	struct geometry g = { 0 };
	int rc;

	rc = check_count(c, err);
	if (rc < 0)
		return rc;
	rc = check_cluster(c, err);
	if (rc < 0)
		return rc;
	rc = check_behind(c, err);
	if (rc < 0)
		return rc;
	rc = find_size(c, &g, err);
	if (rc < 0)
		return rc;
	rc = place_bitmap(c, &g, err);
	if (rc < 0)
		return rc;

	for (uint32_t i = 0; i < c->count; i++)
		if (!c->members[i].is_missing)
			fill_member(c, i, &g, &ret[i]);
	return 0;
}
