/* The JSON of a member's bitmaps: one, or one per node of a cluster, or one without superblock.
 *
 * Fields are shown as stored, in bytes where they are sizes. Chunks are counted over the range that counts, which is
 * the array's: the stored one is only a hint. A bitmap superblock that is not believed is shown without chunks, because
 * nobody knows where they would end. */
#include "look/examine.h"

#include <string.h>

static void json_fields(struct text *t, const struct bitmap_sb *b)
{
	json_u64(t, "version", b->version);
	look_json_uuid(t, "uuid", b->uuid);
	json_u64(t, "events", b->events);
	json_u64(t, "events_cleared", b->events_cleared);
	json_u64(t, "state", b->state);
	look_json_bit_names(t, "state_flags", b->state, fmt_bitmap_state_name);
	json_u64(t, "chunk_bytes", fmt_bitmap_chunk_bytes(b));
	json_u64(t, "daemon_sleep_s", b->daemon_sleep_s);
	json_u64(t, "write_behind", b->write_behind);
	json_u64(t, "sync_size_bytes", look_sectors_bytes(b->sync_size_sectors));
	json_u64(t, "sectors_reserved", b->sectors_reserved);
	json_u64(t, "nodes", b->nodes);
	json_strn(t, "cluster_name", b->cluster_name, strlen(b->cluster_name));
}

static void json_no_fields(struct text *t, const struct look_slot *s)
{
	static const char *const unknown[] = {
		"version", "uuid", "events", "events_cleared", "state", "daemon_sleep_s", "write_behind",
		"sectors_reserved", "nodes", "cluster_name"
	};

	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		json_null(t, unknown[i]);
	look_json_bit_names(t, "state_flags", 0, fmt_bitmap_state_name);
	json_u64(t, "chunk_bytes", s->chunk_bytes);
	json_u64(t, "sync_size_bytes", s->size_bytes);
}

static void json_slot(struct text *t, struct look_examined *e, const struct look_slot *s, uint64_t *runs_left)
{
	int rc;

	json_open(t, NULL, '{');
	json_u64(t, "slot", s->slot);
	json_str(t, "kind", s->kind);
	json_u64(t, "offset_bytes", s->at.bytes);
	if (s->has_superblock)
		json_fields(t, &s->sb);
	else
		json_no_fields(t, s);
	json_bool(t, "used", s->is_used);
	json_bool(t, "initialised", s->is_initialised);
	rc = look_json_chunks(t, s, runs_left);
	if (rc < 0)
		err_set(&e->error, rc, "%s: the bitmap at byte %llu cannot be read: %s", e->shown,
			(unsigned long long)s->at.bytes, err_sentence(rc));
	json_close(t, '}');
}

static void json_not_believed(struct text *t, const char *kind, uint32_t slot, member_off at, const struct bitmap_sb *b)
{
	json_open(t, NULL, '{');
	json_u64(t, "slot", slot);
	json_str(t, "kind", kind);
	json_u64(t, "offset_bytes", at.bytes);
	json_fields(t, b);
	json_bool(t, "used", slot || b->magic == FMT_BITMAP_MAGIC);
	json_bool(t, "initialised", !fmt_bitmap_is_uninitialised(b));
	look_json_no_chunks(t);
	json_close(t, '}');
}

static void json_slots(struct text *t, struct look_examined *e, uint64_t runs_left)
{
	uint32_t count = look_slot_count(&e->look);
	struct look_slot s;
	int rc;

	if (count == LOOK_SLOTS_MAX && e->look.bitmap.nodes > count)
		err_set(&e->error, UMD_E_NOT_SUPPORTED, "%s: the bitmap claims %u nodes, the first %d are shown",
			e->shown, e->look.bitmap.nodes, LOOK_SLOTS_MAX);
	for (uint32_t slot = 0; slot < count && !t->is_broken; slot++) {
		rc = look_slot_read(e->m, &e->look, slot, &s, &e->error);
		if (rc == UMD_E_BAD_BITMAP)
			json_not_believed(t, s.kind, slot, s.at, &s.sb);
		else if (rc < 0)
			return;
		else
			json_slot(t, e, &s, &runs_left);
	}
}

void look_json_bitmaps(struct text *t, struct look_examined *e, const struct look_external *external,
		       uint64_t runs_max)
{
	struct look_slot s;

	json_open(t, "bitmaps", '[');
	if (external) {
		if (e->m && look_slot_external(e->m, e->shown, external, &s, &e->error) == 0)
			json_slot(t, e, &s, &runs_max);
	} else if (e->look.has_bitmap && e->look.bitmap_error.code) {
		json_not_believed(t, look_slot_kind(&e->look), 0, e->look.bitmap_at, &e->look.bitmap);
	} else if (e->m) {
		json_slots(t, e, runs_max);
	}
	json_close(t, ']');
}
