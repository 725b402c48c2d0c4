/* I3 and I4 at the moments the recorder saw: bits are on the media before data go out, and go when all is safe.
 *
 * A client's data write begins: the bit of each chunk it touches is on the medium of every member in sync, whatever the
 * hands believe. A bit that all of them have is about to be taken from one: nobody writes in the chunk, and what lies
 * there is the same and settled on all of them. The other half of I4 (nobody is missing, and nobody returns without the
 * chunk) is the brains' business and looked at in the simulator. */
#include "history.h"

static uint64_t data_at(const struct sim_member *m, uint64_t at)
{
	return m->place.data_at.bytes + at;
}

static void data_goes_out(struct history *h, const struct sim_member *m, const struct mbr_record *begin)
{
	struct sim_world *w = h->w;
	uint64_t at = begin->at - m->place.data_at.bytes;

	for (uint64_t c = at / w->chunk_bytes; c <= (at + begin->len - 1) / w->chunk_bytes; c++)
		EACH_MEMBER(w, other)
			if (is_in_sync(other) && !bit_on(w, other, false, c))
				broken_at(w, LAW_I3, c,
					  "data of chunk %llu goes out to %s, and its bit is not on the medium of %s",
					  (unsigned long long)c, m->disk.path, other->disk.path);
	at_stake(w, LAW_I3);
}

static bool is_written_to(const struct history *h, uint64_t at, uint64_t len)
{
	for (const struct flying *f = h->flying; f < h->flying + FLYING_MAX; f++) {
		const struct sim_member *m = f->begin ? &h->w->members[f->member] : NULL;

		if (m && !f->is_old && f->begin->word && f->begin->op != MBR_REC_FLUSH &&
		    ranges_overlap(f->begin->at, f->begin->len, data_at(m, at), len))
			return true;
	}
	return false;
}

static bool is_the_same(const struct sim_world *w, const struct sim_member *one, const struct sim_member *other,
			uint64_t at, uint64_t len)
{
	for (uint64_t done = 0; done < len; done += SECTOR_BYTES)
		if (!arena_same(w->arena, disk_at(&one->disk, false, data_at(one, at + done)),
				disk_at(&other->disk, false, data_at(other, at + done))))
			return false;
	return true;
}

static void bit_goes(struct history *h, const struct sim_member *writing, uint64_t c)
{
	struct sim_world *w = h->w;
	uint64_t at = c * w->chunk_bytes, len = chunk_len(w, c);

	if (is_written_to(h, at, len))
		broken_at(w, LAW_I4, c, "the bit of chunk %llu is cleared under a write in flight",
			  (unsigned long long)c);
	EACH_MEMBER(w, m)
		if (is_in_sync(m) && (!disk_is_settled(&m->disk, data_at(m, at), len, false) ||
				      !is_the_same(w, writing, m, at, len)))
			broken_at(w, LAW_I4, c,
				  "the bit of chunk %llu is cleared before its data is durable and equal on %s",
				  (unsigned long long)c, m->disk.path);
	at_stake(w, LAW_I4);
}

static void bits_go_out(struct history *h, const struct sim_member *m, const struct flying *f)
{
	uint64_t skip = f->begin->at - m->place.bitmap_at.bytes;

	for (uint64_t c = 0; c < h->w->chunks; c++) {
		uint64_t byte = FMT_BITMAP_SB_BYTES + c / 8;

		if (byte >= skip && byte < skip + f->begin->len && !(f->data[byte - skip] >> c % 8 & 1) &&
		    bit_on_all(h->w, c))
			bit_goes(h, m, c);
	}
}

void cover_begins(struct history *h, const struct sim_member *m, const struct flying *f)
{
	uint64_t bitmap_at = m->place.bitmap_at.bytes;

	if (!h->w->has_bitmap || f->begin->op == MBR_REC_FLUSH || !is_in_sync(m))
		return;
	if (f->begin->at >= bitmap_at && f->begin->at < bitmap_at + h->w->bitmap_bytes)
		bits_go_out(h, m, f);
	else if (f->begin->word && history_is_data(h->w, m, f->begin))
		data_goes_out(h, m, f->begin);
}
