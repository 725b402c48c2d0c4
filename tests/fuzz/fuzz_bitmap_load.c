/* A bitmap as found on a member, loaded and put to work beside a count that knows nothing of pages.
 *
 * Input: 1 byte mode, 7 unused, 8 resync checkpoint; the superblock; the bits; behind them writes of 8 bytes each.
 * Properties: set and needed chunks are those of a naive count, also when the image is stale; the walk over runs
 * visits exactly the set bits; after a mark and a commit the range is stable; nothing is needed that was never set. */
#include <string.h>

#include "fuzz.h"
#include "sound.h"

#include "bitmap/bitmap.h"

enum { IMAGE_MAX_BYTES = 1 << 16 };

static uint8_t image[IMAGE_MAX_BYTES];

static bool naive_bit(uint64_t chunk)
{
	return image[FMT_BITMAP_SB_BYTES + chunk / 8] >> chunk % 8 & 1;
}

static void counts_agree(const struct bm *b, int64_t loaded, bool is_stale, bool is_clean, uint64_t from)
{
	u128 chunk_bytes = bm_chunk_bytes(b);
	uint64_t set = 0, needed = 0;

	for (uint64_t i = 0; i < bm_chunks(b); i++) {
		bool is_set = is_stale || naive_bit(i);

		set += is_set;
		needed += is_set && !is_clean && (i + 1) * chunk_bytes >= from;
		FUZZ_MUST(bm_bit(b, (chunk_no){ i }) == is_set);
		FUZZ_MUST(!bm_bit_is_durable(b, (chunk_no){ i }));
	}
	FUZZ_MUST((uint64_t)loaded == set && bm_set_chunks(b) == set && bm_needed_chunks(b) == needed);
}

static void walk_visits_all(const struct bm *b)
{
	uint64_t seen = 0, next = 0;
	chunk_no first, last;

	for (; bm_next_set(b, (chunk_no){ next }, &first, &last); next = last.index + 1) {
		FUZZ_MUST(first.index >= next && last.index >= first.index && last.index < bm_chunks(b));
		FUZZ_MUST(first.index == 0 || first.index == next || !bm_bit(b, (chunk_no){ first.index - 1 }));
		seen += last.index - first.index + 1;
	}
	FUZZ_MUST(seen == bm_set_chunks(b));
}

static void commit(struct bm *b)
{
	const struct bm_page_write *writes;
	int count = bm_commit_begin(b, &writes);

	for (int i = 0; i < count; i++) {
		FUZZ_MUST(writes[i].at_bytes % BM_PAGE_BYTES == 0 && writes[i].len_bytes <= BM_PAGE_BYTES);
		FUZZ_MUST(writes[i].at_bytes + writes[i].len_bytes <= round_up(bm_image_bytes(b), SECTOR_BYTES));
		FUZZ_MUST(!i || writes[i].at_bytes > writes[i - 1].at_bytes);
	}
	if (count > 0)
		bm_commit_end(b, true);
}

static void writes_become_stable(struct bm *b, struct fuzz_input *in)
{
	uint64_t size = bm_superblock(b)->sync_size_sectors * SECTOR_BYTES;

	for (int i = 0; size && in->at < in->end && i < 64; i++) {
		uint64_t word = fuzz_take(in, 8), at = (word >> 16) % size, len = 1 + (word & 0xffff);

		len = min_u64(len, size - at);
		if (bm_mark(b, (array_off){ at }, len) != BM_MARKED)
			continue;
		commit(b);
		FUZZ_MUST(bm_is_stable(b, (array_off){ at }, len));
		bm_done(b, (array_off){ at }, len, word >> 63);
		FUZZ_MUST(!(word >> 63) || bm_is_needed(b, (array_off){ at }, len));
		if (bm_age(b) && bm_events_cleared_is_durable(b))
			bm_clear(b, false, true);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint8_t mode = fuzz_take(&in, 1);
	uint64_t from = (fuzz_take(&in, 7), fuzz_take(&in, 8)), bytes;
	bool is_stale;
	struct bitmap_sb sb;
	struct bm *b;

	fuzz_take_bytes(&in, image, FMT_BITMAP_SB_BYTES);
	fmt_bitmap_sb_decode(image, &sb);
	if (fmt_bitmap_sb_check(&sb, NULL, NULL) < 0 || fmt_bitmap_is_lockless(&sb))
		return 0;
	/* Above, nobody is believed whose range in bytes wraps or whose bits are not on the member. */
	bytes = fmt_bitmap_bytes(&sb);
	if (bytes > IMAGE_MAX_BYTES || sb.sync_size_sectors > UINT64_MAX / SECTOR_BYTES)
		return 0;
	fuzz_take_bytes(&in, image + FMT_BITMAP_SB_BYTES, bytes - FMT_BITMAP_SB_BYTES);
	b = bm_new(&sb, image, bytes);
	if (!b)
		return 0;
	is_stale = mode & 2 || sb.state & FMT_BITMAP_STALE;
	counts_agree(b, bm_load(b, mode & 1 ? BM_LOAD_NEEDED_FROM : BM_LOAD_CLEAN, (array_off){ from }, mode & 2),
		     is_stale, !(mode & 1), from);
	walk_visits_all(b);
	writes_become_stable(b, &in);
	walk_visits_all(b);
	bm_free(b);
	return 0;
}
