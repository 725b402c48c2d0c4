/* The JSON of a member's bitmaps: one, or one per node of a cluster.
 *
 * Fields are shown as stored. Bits are counted over the range that counts, the array's: the stored one is only a hint.
 * A bitmap superblock that is not believed is shown without bits, because nobody knows where they would end. */
#include "run/examine.h"

#include <string.h>

#include "run/bits.h"

enum { SLOTS_MAX = 256, VERSION_CLUSTERED = 5 };	/* more nodes than any cluster manager gives numbers to */

static void json_fields(struct text *t, const struct bitmap_sb *b, uint32_t slot, member_off at)
{
	char uuid[36];

	fmt_uuid_text(b->uuid, uuid);
	json_u64(t, "slot", slot);
	json_u64(t, "offset_bytes", at.bytes);
	json_u64(t, "version", b->version);
	json_str(t, "uuid", uuid);
	json_u64(t, "events", b->events);
	json_u64(t, "events_cleared", b->events_cleared);
	json_u64(t, "state", b->state);
	json_u64(t, "chunk_bytes", b->chunk_bytes);
	json_u64(t, "daemon_sleep_s", b->daemon_sleep_s);
	json_u64(t, "write_behind", b->write_behind);
	json_u64(t, "sync_size_bytes", run_sectors_bytes(b->sync_size_sectors));
	json_u64(t, "sectors_reserved", b->sectors_reserved);
	json_u64(t, "nodes", b->nodes);
	json_strn(t, "cluster_name", b->cluster_name, strlen(b->cluster_name));
}

static void json_no_bits(struct text *t)
{
	json_null(t, "chunks");
	json_null(t, "set_chunks");
	json_open(t, "set", '[');
	json_close(t, ']');
	json_bool(t, "set_truncated", false);
}

static void json_bits(struct text *t, const struct run_bits *b)
{
	json_u64(t, "chunks", b->chunks);
	json_u64(t, "set_chunks", b->set_chunks);
	json_open(t, "set", '[');
	for (uint64_t i = 0; i < b->range_count; i++) {
		json_open(t, NULL, '[');
		json_u64(t, NULL, b->ranges[i].first);
		json_u64(t, NULL, b->ranges[i].last);
		json_close(t, ']');
	}
	json_close(t, ']');
	json_bool(t, "set_truncated", b->is_truncated);
}

/* Returns the number of runs shown. */
static uint64_t json_slot(struct text *t, struct run_examined *e, const struct bitmap_sb *sb, uint32_t slot,
			  member_off at, uint64_t runs_max)
{
	struct run_bits bits = { .chunks = fmt_bitmap_chunks(&e->look.bitmap), .ranges_max = runs_max };
	uint64_t shown = 0;
	int rc;

	json_open(t, NULL, '{');
	json_fields(t, sb, slot, at);
	rc = run_bits_read(e->m, at, &bits);
	if (rc < 0) {
		err_set(&e->error, rc, "%s: the bitmap at byte %llu cannot be read: %s", e->shown,
			(unsigned long long)at.bytes, err_sentence(rc));
		json_no_bits(t);
	} else {
		json_bits(t, &bits);
		shown = bits.range_count;
	}
	run_bits_drop(&bits);
	json_close(t, '}');
	return shown;
}

static int read_fields(struct run_examined *e, member_off at, struct bitmap_sb *ret_sb)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	int rc = mbr_read(e->m, at, raw, sizeof raw);

	if (rc < 0)
		return err_set(&e->error, rc, "%s: the bitmap superblock at byte %llu cannot be read: %s", e->shown,
			       (unsigned long long)at.bytes, err_sentence(rc));
	fmt_bitmap_sb_decode(raw, ret_sb);
	return 0;
}

static void json_slots(struct text *t, struct run_examined *e, uint64_t runs_max)
{
	const struct bitmap_sb *first = &e->look.bitmap;
	uint32_t slots = first->version == VERSION_CLUSTERED ? (uint32_t)max_u64(1, first->nodes) : 1;
	struct bitmap_sb sb;

	if (slots > SLOTS_MAX)
		err_set(&e->error, UMD_E_NOT_SUPPORTED, "%s: the bitmap claims %u nodes, the first %d are shown",
			e->shown, slots, SLOTS_MAX);
	for (uint32_t slot = 0; slot < min_u64(slots, SLOTS_MAX); slot++) {
		member_off at = lay_slot(e->look.bitmap_at, first->sync_size_sectors, first->chunk_bytes, slot);

		if (read_fields(e, at, &sb) < 0)
			return;
		runs_max -= json_slot(t, e, &sb, slot, at, runs_max);
	}
}

void run_json_bitmaps(struct text *t, struct run_examined *e, uint64_t runs_max)
{
	json_open(t, "bitmaps", '[');
	if (e->look.has_bitmap && !e->look.bitmap_error.code) {
		json_slots(t, e, runs_max);
	} else if (e->look.has_bitmap) {
		json_open(t, NULL, '{');
		json_fields(t, &e->look.bitmap, 0, e->look.bitmap_at);
		json_no_bits(t);
		json_close(t, '}');
	}
	json_close(t, ']');
}
