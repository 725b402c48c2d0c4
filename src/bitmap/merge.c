/* Another node's bitmap becomes part of ours (C1, C2).
 *
 * What lies in its slot       judged        merged as
 *   a head of this array      BITS          what is set, chunk 0 like any other; bits behind the last chunk are nothing
 *   the same, STALE           STALE         everything: its owner was just replacing it
 *   nothing but zeroes        EMPTY         nothing: the slot was never used
 *   anything else             GARBAGE       everything: who wrote there is not known, nor what it forgot to say
 *
 * Whoever died may have written anywhere below its bits, so each becomes NEEDED here; what is counted or NEEDED already
 * stays so. All memory is there before the first bit is set. The bits are urgent like a write's: the next commit takes
 * them, and only then may the other slot be emptied (array/takeover.c). Its head is kept, events_cleared included: that
 * tells who may not return by a bitmap.
 *
 * Left out: whose slot it is, and whether somebody still writes it; the caller holds its lock, or merges without
 * clearing. */
#include "bitmap/private.h"

#include <errno.h>
#include <string.h>

static bool is_zero(const uint8_t *bytes, uint64_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

enum bm_slot bm_judge_slot(const struct bm *b, const uint8_t *image)
{
	struct bitmap_sb sb;

	MUST(!bm_is_bare(b));
	if (is_zero(image, b->image_bytes))
		return BM_SLOT_EMPTY;
	fmt_bitmap_sb_decode(image, &sb);
	if (fmt_bitmap_sb_check(&sb, b->sb.uuid, NULL) || sb.version < 4 || sb.version > 5 ||
	    sb.chunk_bytes != b->sb.chunk_bytes || sb.sync_size_sectors != b->sb.sync_size_sectors)
		return BM_SLOT_GARBAGE;
	return sb.state & FMT_BITMAP_STALE ? BM_SLOT_STALE : BM_SLOT_BITS;
}

/* The next run of chunks in doubt at or after @from; false: none. */
static bool next_run(const struct bm *b, const uint8_t *image, bool is_all, uint64_t from, struct chunk_range *ret)
{
	const uint64_t head = b->head_bytes * 8ull, end = b->chunks + head;
	uint64_t first = is_all ? from + head : bm_find_bit(image, from + head, end, true);

	if (first >= end)
		return false;
	ret->first = first - head;
	ret->last = (is_all ? end : bm_find_bit(image, first, end, false)) - head - 1;
	return true;
}

static bool reserve(struct bm *b, const uint8_t *image, bool is_all)
{
	struct chunk_range r;

	for (uint64_t at = 0; next_run(b, image, is_all, at, &r); at = r.last + 1)
		if (!bm_counters_reserve(b, r)) {
			bm_counters_drop_unused(b);
			return false;
		}
	return true;
}

int64_t bm_merge(struct bm *b, const uint8_t *image)
{
	enum bm_slot slot = bm_judge_slot(b, image);
	bool is_all = slot == BM_SLOT_STALE || slot == BM_SLOT_GARBAGE;
	struct chunk_range r;
	int64_t bits = 0;

	if (slot == BM_SLOT_EMPTY)
		return 0;
	if (!reserve(b, image, is_all))
		return -ENOMEM;
	for (uint64_t at = 0; next_run(b, image, is_all, at, &r); at = r.last + 1) {
		for (uint64_t i = r.first; i <= r.last; i++) {
			bm_counter_act(b, i, BM_ACT_LOAD_NEEDED);
			bm_store_set(b, i);
		}
		bits += (int64_t)(r.last - r.first + 1);
	}
	return bits;
}

bool bm_is_merged(const struct bm *b, const uint8_t *image)
{
	enum bm_slot slot = bm_judge_slot(b, image);
	bool is_all = slot == BM_SLOT_STALE || slot == BM_SLOT_GARBAGE;
	struct chunk_range r;

	for (uint64_t at = 0; slot != BM_SLOT_EMPTY && next_run(b, image, is_all, at, &r); at = r.last + 1)
		for (uint64_t i = r.first; i <= r.last; i++)
			if (bm_store_bit(b, i) && !bm_store_is_durable(b, i))
				return false;
	return true;
}

void bm_empty_image(const struct bm *b, uint8_t *image)
{
	enum bm_slot slot = bm_judge_slot(b, image);
	struct bitmap_sb sb = b->sb;

	if (slot == BM_SLOT_BITS || slot == BM_SLOT_STALE)
		fmt_bitmap_sb_decode(image, &sb);
	else
		sb.events = sb.events_cleared = 0;
	sb.state &= ~(uint32_t)FMT_BITMAP_STALE;
	memset(image, 0, b->image_bytes);
	fmt_bitmap_sb_encode(&sb, image);
}
