/* I3, I4: a map that is believed tells the truth from the moment on in which it is.
 *
 * A start believes the map that the superblock in sync names, unless the map itself says STALE. So there are two such
 * moments: a superblock that names a map where the one before named none, or another place; and page 0 of a map that
 * loses its STALE. Then of each chunk whose bit is clear: all members in sync have the same on their media and nothing
 * cached, no write is under way, and nobody who is away lacks it and would be let back by the bitmap.
 *
 *   superblock names ......... the bitmap's superblock is on that medium, with the array's uuid
 *   data goes out ............ superblocks on all media in sync name the map that the array keeps, or none
 *   page 0, other chunks ..... STALE comes first, in a sector of its own, or no superblock names it: half written pages
 *                              must not have a head that is believed */
#include "check.h"

#include <string.h>

enum { FILE_AHEAD = 2 };	/* events above those of the members at which a file is still believed */

static bool is_stale(const struct sim_bits *bits)
{
	return bits->state & FMT_BITMAP_STALE;
}

static uint64_t named_at(const struct sim_member *m, const struct super *s)
{
	return m->place.super_at.bytes + (uint64_t)(int64_t)s->bitmap_offset_sectors * SECTOR_BYTES;
}

/* One chunk that the map calls clear. @writing has what all must have. */
static void clear_chunk(struct sim_world *w, const struct sim_member *writing, uint64_t c, uint64_t cleared)
{
	uint64_t at = c * w->chunk_bytes, len = chunk_len(w, c), first = at / SECTOR_BYTES;
	uint64_t sectors = len / SECTOR_BYTES;

	if (is_write_out(w, first, sectors))
		broken_at(w, LAW_I3, c, "a map without the bit of chunk %llu is believed, and a write is under way",
			  (ull)c);
	EACH_MEMBER(w, m) {
		bool differs = m->is_there && m->place.is_used && m != writing &&
			       first_difference(writing, m, false, first, sectors) != UINT64_MAX;

		if (is_in_sync(m) && !is_lost(m) && !is_lost(writing) &&
		    (differs || !disk_is_settled(&m->disk, m->place.data_at.bytes + at, len, false)))
			broken_at(w, LAW_I3, c,
				  "a map without the bit of chunk %llu is believed, and %s has not its data for sure",
				  (ull)c, m->disk.path);
		if (differs && may_return(w, m, cleared))
			broken_at(w, LAW_I4, c,
				  "a map without the bit of chunk %llu is believed, and events_cleared %llu lets %s "
				  "back", (ull)c, (ull)cleared, m->disk.path);
	}
}

static void is_true(struct sim_world *w, const struct sim_member *m, const struct sim_bits *map)
{
	for (uint64_t c = 0; c < w->chunks; c++)
		if (!(map->word[c / 64] >> c % 64 & 1))
			clear_chunk(w, m, c, map->events_cleared);
	at_stake(w, LAW_I3);
}

/* A superblock is about to reach a member in sync. */
void names_claim(struct sim_world *w, const struct sim_member *m, const struct super *before, const struct super *now)
{
	const struct sim_bits *bits;

	if (!now->names_bitmap || !is_in_sync(m) || m->is_corrupt)
		return;
	if (!w->has_bitmap || w->is_on_file || named_at(m, now) != m->place.bitmap_at.bytes)
		broken(w, LAW_I7, "the superblock of %s names a bitmap at %llu, where the array has none", m->disk.path,
		       (ull)named_at(m, now));
	bits = bits_on(w, m, false);
	if (!bits->is_bitmap || memcmp(bits->uuid, now->uuid, sizeof bits->uuid))
		broken(w, LAW_I3, "the superblock of %s names a bitmap, and none is on its medium", m->disk.path);
	if (before && before->names_bitmap && before->bitmap_offset_sectors == now->bitmap_offset_sectors)
		return;
	if (!is_stale(bits))
		is_true(w, m, bits);
}

/* A page of the bitmap is about to reach a member in sync. True: it replaces a map, and no bit is cleared by it. */
bool names_page(struct sim_world *w, const struct sim_member *m, const struct arr_part *p)
{
	const struct sim_bits *old = bits_on(w, m, false);
	const struct super *s = super_on(w, m);
	bool is_named = s && s->names_bitmap && named_at(m, s) == m->place.bitmap_at.bytes;
	struct sim_bits new;

	if (p->at.bytes != m->place.bitmap_at.bytes)
		return false;
	bits_read(w, p->data, &new);
	if (is_named && old->is_bitmap && old->chunk_bytes != new.chunk_bytes && !is_stale(old) && !m->is_corrupt &&
	    !(is_stale(&new) && p->len_bytes == SECTOR_BYTES))
		broken(w, LAW_I3, "chunks of %u bytes become %u on %s under a superblock that is believed",
		       old->chunk_bytes, new.chunk_bytes, m->disk.path);
	if (is_stale(&new) || !is_named)
		return true;
	if (!is_stale(old) && old->chunk_bytes == new.chunk_bytes)
		return false;
	is_true(w, m, &new);
	return true;
}

bool names_file(struct sim_world *w, const struct arr_part *p)
{
	const struct sim_bits *old = bits_on(w, &w->members[SIM_FILE], false);
	struct sim_bits new;

	if (p->at.bytes)
		return false;
	bits_read(w, p->data, &new);
	if (is_stale(&new))
		return true;
	if (!is_stale(old))
		return false;
	is_true(w, pin_of(w), &new);
	return true;
}

static void is_not_believed(struct sim_world *w, const struct sim_member *m, const struct super *s)
{
	for (int in_cache = 0; in_cache < 2; in_cache++) {
		struct sim_bits bits;
		uint8_t raw[SECTOR_BYTES];

		disk_peek(&w->members[SIM_FILE].disk, in_cache, 0, sizeof raw, raw);
		bits_read(w, raw, &bits);
		if (!is_stale(&bits) && bits.events >= s->events && bits.events <= s->events + FILE_AHEAD)
			broken(w, LAW_I3, "data goes out without the map, and the file at event %llu would be believed "
			       "with %s at event %llu", (ull)bits.events, m->disk.path, (ull)s->events);
	}
	at_stake(w, LAW_I3);
}

/* A member that was recovered and whose superblock does not say so yet: nobody starts from that one. */
static bool is_to_be_recovered(const struct super *s)
{
	return s->feature_map & FMT_SB1_RECOVERY_OFFSET;
}

/* Data that the file does not know of goes out: the file, as it is on its medium or may come to it, must be out of date
 * for these members, or so far ahead that it is refused. */
void names_without_file(struct sim_world *w)
{
	if (!w->setup->is_file || w->has_bitmap || w->story)
		return;
	EACH_MEMBER(w, m)
		if (is_in_sync(m) && !m->is_corrupt && super_on(w, m) && !is_to_be_recovered(super_on(w, m)))
			is_not_believed(w, m, super_on(w, m));
}

/* Data goes out: what a start would believe is what the array keeps. */
void names_issued(struct sim_world *w)
{
	bool names = w->has_bitmap && !w->is_on_file;

	EACH_MEMBER(w, m) {
		const struct super *s = is_in_sync(m) && !m->is_corrupt ? super_on(w, m) : NULL;

		if (!s || (s->names_bitmap == names && (!names || named_at(m, s) == m->place.bitmap_at.bytes)))
			continue;
		/* One that broke in mid-change goes on as it can: without a map a start copies everything. */
		if (w->is_broken && !s->names_bitmap)
			continue;
		broken(w, LAW_I3, "data goes out, the array has %s, and the superblock of %s names %s",
		       names ? "a bitmap" : "no bitmap", m->disk.path, s->names_bitmap ? "one" : "none");
	}
}
