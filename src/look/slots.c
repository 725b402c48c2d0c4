/* Where the chunks of each bitmap of a member lie, for whoever scans them (examine, map, why).
 *
 * A believed bitmap's own superblock is only a hint about the range: what counts is the array's, which the look
 * has put in its place. The slots of a cluster follow each other at equal distances; only the first was checked
 * when the member was looked at, the others are read here. One of zeroes was never used by any node: it has no set
 * chunk. One that holds something else must be a superblock of the same bitmap, or its bits mean nothing and
 * nobody knows what they were. Left out: whether anything starts with these bitmaps (assembly). */
#include "look/slots.h"

#include <string.h>

enum { CHUNK_MIN_BYTES = 512 };

const char *look_slot_kind(const struct asm_member *look)
{
	if (look->kind == ASM_BITMAP_FILE)
		return "file";
	if (fmt_bitmap_is_lockless(&look->bitmap))
		return "lockless";
	return asm_bitmap_is_clustered(&look->bitmap) ? "clustered" : "internal";
}

uint32_t look_slot_count(const struct asm_member *look)
{
	if (!look->has_bitmap || look->bitmap_error.code)
		return 0;
	if (look->kind == ASM_BITMAP_FILE || !asm_bitmap_is_clustered(&look->bitmap))
		return 1;
	return (uint32_t)min_u64(look->bitmap.nodes, LOOK_SLOTS_MAX);
}

/* @known: the believed superblock, whose range and chunk size hold for every slot. */
static void place_bits(struct member *m, const struct bitmap_sb *known, struct look_slot *s)
{
	s->is_initialised = !fmt_bitmap_is_uninitialised(known);
	s->chunk_bytes = fmt_bitmap_chunk_bytes(known);
	s->chunks = fmt_bitmap_chunks(known);
	if (!mul_fits(known->sync_size_sectors, SECTOR_BYTES, &s->size_bytes))
		s->size_bytes = UINT64_MAX;
	s->bits = (struct look_bitmap){ .m = m, .is_lockless = fmt_bitmap_is_lockless(known) };
	s->bits.at.bytes = s->at.bytes + (s->bits.is_lockless ? FMT_LOCKLESS_STATES_AT : FMT_BITMAP_SB_BYTES);
	s->bits.chunks = s->is_used && s->is_initialised ? s->chunks : 0;
}

static bool is_zero(const uint8_t *raw, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		if (raw[i])
			return false;
	return true;
}

/* The first slot was checked with the member. */
static int check_slot(const struct bitmap_sb *known, const struct look_slot *s, const char *path, struct err *err)
{
	struct err why;

	if (!s->slot || !s->is_used)
		return 0;
	if (fmt_bitmap_sb_check(&s->sb, known->uuid, &why) < 0)
		return err_set(err, UMD_E_BAD_BITMAP, "%s: slot %u at byte %llu: %s", path, s->slot,
			       (unsigned long long)s->at.bytes, why.text);
	if (s->sb.version != known->version || s->sb.chunk_bytes != known->chunk_bytes)
		return err_set(err, UMD_E_BAD_BITMAP,
			       "%s: slot %u has version %u and chunks of %u bytes, slot 0 has version %u and %u: its "
			       "bits are not believed", path, s->slot, s->sb.version, s->sb.chunk_bytes, known->version,
			       known->chunk_bytes);
	return 0;
}

int look_slot_read(struct member *m, const struct asm_member *look, uint32_t slot, struct look_slot *ret_slot,
		   struct err *err)
{
	const struct bitmap_sb *known = &look->bitmap;
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	struct look_slot s = { .slot = slot, .kind = look_slot_kind(look), .has_superblock = true };
	int rc;

	s.at = slot ? lay_slot(look->bitmap_at, known->sync_size_sectors, known->chunk_bytes, slot) : look->bitmap_at;
	rc = mbr_read(m, s.at, raw, sizeof raw);
	if (rc < 0)
		return err_set(err, rc, "%s: the bitmap superblock at byte %llu cannot be read: %s", look->path,
			       (unsigned long long)s.at.bytes, err_sentence(rc));
	fmt_bitmap_sb_decode(raw, &s.sb);
	s.is_used = !is_zero(raw, sizeof raw);
	place_bits(m, known, &s);
	*ret_slot = s;
	return check_slot(known, &s, look->path, err);
}

int look_slot_external(struct member *m, const char *path, const struct look_external *external,
		       struct look_slot *ret_slot, struct err *err)
{
	struct look_slot s = { .kind = "external", .is_used = true, .is_initialised = true,
			       .at = { external->location_bytes }, .chunk_bytes = external->chunk_bytes,
			       .size_bytes = external->size_bytes };
	uint64_t end;

	if (!is_power_of_two(s.chunk_bytes) || s.chunk_bytes < CHUNK_MIN_BYTES)
		return err_set(err, UMD_E_BAD_OPTION, "%s: a chunk of %llu bytes is no power of two from %d on", path,
			       (unsigned long long)s.chunk_bytes, CHUNK_MIN_BYTES);
	s.chunks = div_up(s.size_bytes, s.chunk_bytes);
	s.bits = (struct look_bitmap){ .m = m, .at = s.at, .chunks = s.chunks };
	if (!add_fits(s.at.bytes, div_up(s.chunks, 8), &end) || end > m->size_bytes)
		return err_set(err, UMD_E_BAD_BITMAP,
			       "%s: %llu chunks need %llu bytes of bits from byte %llu on, and there are %llu bytes",
			       path, (unsigned long long)s.chunks, (unsigned long long)div_up(s.chunks, 8),
			       (unsigned long long)s.at.bytes, (unsigned long long)m->size_bytes);
	*ret_slot = s;
	return 0;
}
