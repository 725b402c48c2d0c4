/* Where the data of a chunk lies on a member.
 *
 *   RAID1        the same bytes behind the data offset, on every member
 *   RAID10       the copies that the member's slot holds, by the address map; a bitmap's chunk may be many of RAID10's,
 *                or a part of one
 *   RAID4/5/6    the bitmap counts bytes of the members: the same bytes behind the data offset, data or parity
 *
 * Many neighbours become one piece. What a hostile geometry would scatter is told up to WHY_PIECES_MAX pieces, found in
 * at most COPIES_MAX steps. Left out: spares and members of other levels, which hold nothing of the chunk. */
#include "look/why_inside.h"

#include "format/raid10.h"

enum { COPIES_MAX = 1 << 20 };

bool look_why_is_of_members(const struct sb1 *sb)
{
	return sb->level >= 4 && sb->level <= 6;
}

/* The slot a superblock claims for its own device; false: none. */
static bool own_slot(const struct sb1 *sb, uint32_t *ret_slot)
{
	if (sb->dev_number >= min_u64(sb->max_dev, FMT_SB1_MAX_DEV) || sb->dev_roles[sb->dev_number] >= sb->raid_disks)
		return false;
	*ret_slot = sb->dev_roles[sb->dev_number];
	return true;
}

/* Joined to a piece that ends where it begins. False: no room. */
static bool add(struct why_data *d, uint64_t at, uint64_t len)
{
	for (uint32_t i = d->count; i--;)
		if (d->pieces[i].at.bytes + d->pieces[i].len_bytes == at) {
			d->pieces[i].len_bytes += len;
			return true;
		}
	d->is_truncated = d->count == WHY_PIECES_MAX;
	if (!d->is_truncated)
		d->pieces[d->count++] = (struct span){ { at }, len };
	return !d->is_truncated;
}

static void find_copies(const struct why *w, const struct raid10 *g, uint64_t data_at, uint32_t slot,
			struct why_data *d)
{
	uint64_t chunk_bytes = g->chunk_sectors * SECTOR_BYTES, at = w->first_byte, end = at + w->length_bytes;
	uint32_t copies = lay_raid10_copies(g), steps = 0;

	while (at < end && at / chunk_bytes < g->array_chunks) {
		uint64_t inside = at % chunk_bytes, len = min_u64(end - at, chunk_bytes - inside);

		for (uint32_t n = 0; n < copies; n++, steps++) {
			struct raid10_copy c = lay_raid10_copy(g, at / chunk_bytes, n);

			if (c.slot == slot && !add(d, data_at + c.chunk * chunk_bytes + inside, len))
				return;
		}
		d->is_truncated = steps >= COPIES_MAX;
		if (d->is_truncated)
			return;
		at += len;
	}
}

void look_why_find_data(const struct why *w, const struct sb1 *sb, struct why_member *m)
{
	const struct asm_member *look = &m->source.e.look;
	uint64_t data_at = look_sectors_bytes(look->sb.data_offset_sectors), end;
	struct raid10 g;
	uint32_t slot;

	if (!look->has_superblock || look->error.code || !own_slot(&look->sb, &slot))
		return;
	if (sb->level == 10) {
		if (lay_raid10(sb, &g))
			find_copies(w, &g, data_at, slot, &m->data);
	} else if ((sb->level == 1 || look_why_is_of_members(sb)) && add_fits(data_at, w->first_byte, &end) &&
		   add_fits(end, w->length_bytes, &end)) {
		m->data = (struct why_data){ .count = 1 };
		m->data.pieces[0] = (struct span){ { data_at + w->first_byte }, w->length_bytes };
	}
}
