/* From the bytes of a bitmap to a running one; looking at its numbers; the walk over set bits.
 *
 * Every set bit gets its counter: idle where the members agree anyway (a clean array: the sweep takes the bit
 * away), NEEDED from the resync checkpoint on. What was read came from one member; a cut in the middle of a
 * commit may have left the others behind. So nothing counts as durable yet, and every page with a set bit and
 * page 0 want to be written: a mark under them asks for that commit first (I3).
 *
 * A stale image is replaced by all ones. Until all of them are on disk the superblock keeps its STALE flag:
 * its page is written first, and a cut right behind it must not leave a believable head on old bits.
 *
 * Bits behind the last chunk mean nothing; they are kept as found and never looked at. */
#include "bitmap/private.h"

#include <errno.h>
#include <string.h>

static struct bm *new(const struct bitmap_sb *sb, uint32_t head_bytes, const uint8_t *image, uint64_t image_bytes)
{
	struct bm *b = mem_new(1, sizeof *b);

	if (!b)
		return NULL;
	b->sb = *sb;
	b->head_bytes = head_bytes;
	b->chunk_shift = (unsigned)__builtin_ctzll(sb->chunk_bytes);
	b->sync_bytes = sb->sync_size_sectors * SECTOR_BYTES;
	b->chunks = fmt_bitmap_chunks(sb);
	b->image_bytes = head_bytes + div_up(b->chunks, 8);
	b->pages = div_up(b->image_bytes, BM_PAGE_BYTES);
	if (!bm_counters_init(b) || !bm_store_init(b, image, image_bytes))
		return bm_free(b);
	return b;
}

struct bm *bm_new(const struct bitmap_sb *sb, const uint8_t *image, uint64_t image_bytes)
{
	uint64_t sleep_ms = (sb->daemon_sleep_s ? sb->daemon_sleep_s : 5) * 1000ull;
	struct bm *b = new(sb, FMT_BITMAP_SB_BYTES, image, image_bytes);

	if (b)
		b->daemon_sleep_ms = (uint32_t)min_u64(sleep_ms, UINT32_MAX);
	return b;
}

struct bm *bm_new_bare(uint64_t size_bytes, uint64_t chunk_bytes, uint32_t daemon_sleep_ms, const uint8_t *image,
		       uint64_t image_bytes)
{
	struct bitmap_sb sb = {
		.magic = FMT_BITMAP_MAGIC,
		.version = 4,
		.sync_size_sectors = size_bytes / SECTOR_BYTES,
		.chunk_bytes = (uint32_t)chunk_bytes,
	};
	struct bm *b;

	MUST(chunk_bytes >= SECTOR_BYTES && chunk_bytes <= 1u << 31 && !(chunk_bytes & (chunk_bytes - 1)));
	b = new(&sb, 0, image, image_bytes);
	if (!b)
		return NULL;
	b->is_events_cleared_durable = true;
	bm_set_daemon_sleep(b, daemon_sleep_ms);
	return b;
}

bool bm_is_bare(const struct bm *b)
{
	return !b->head_bytes;
}

struct bm *bm_free(struct bm *b)
{
	if (!b)
		return NULL;
	bm_counters_free(b);
	bm_store_free(b);
	return mem_free(b);
}

static void fill_with_ones(struct bm *b)
{
	struct bitmap_bit end = bit_of(b, b->chunks);

	memset(b->image + b->head_bytes, 0xff, end.byte - b->head_bytes);
	if (end.bit)
		b->image[end.byte] |= (1 << end.bit) - 1;
}

static void begin_rewrite(struct bm *b)
{
	fill_with_ones(b);
	b->is_rewriting = true;
	b->sb.state |= FMT_BITMAP_STALE;
	b->sb.events_cleared = b->sb.events;
	bm_store_head(b);
	bm_write_all(b);
}

static void load_chunk(struct bm *b, uint64_t chunk, bool is_needed)
{
	bm_counter_act(b, chunk, is_needed ? BM_ACT_LOAD_NEEDED : BM_ACT_LOAD_IDLE);
	bm_pageset_add(&b->wanted, bit_of(b, chunk).byte / BM_PAGE_BYTES);
}

int64_t bm_load(struct bm *b, enum bm_load_mode mode, array_off from, bool is_stale)
{
	chunk_no first = { 0 }, last;

	bm_pageset_add(&b->wanted, 0);
	if (is_stale || b->sb.state & FMT_BITMAP_STALE)
		begin_rewrite(b);

	for (; bm_next_set(b, first, &first, &last); first.index = last.index + 1) {
		if (!bm_counters_reserve(b, (struct chunk_range){ first.index, last.index }))
			return -ENOMEM;
		for (uint64_t i = first.index; i <= last.index; i++)
			load_chunk(b, i, mode == BM_LOAD_NEEDED_FROM && (i + 1) << b->chunk_shift >= from.bytes);
		b->set_chunks += last.index - first.index + 1;
	}
	return (int64_t)b->set_chunks;
}

/* ---- the walk over set bits ---- */

/* The first bit at or after @from, below @end, that equals @wanted; else @end. Whole bytes, and words of them,
 * that hold none are skipped. Positions count bits from the start of the image. */
uint64_t bm_find_bit(const uint8_t *image, uint64_t from, uint64_t end, bool wanted)
{
	const uint8_t skip = wanted ? 0x00 : 0xff;
	const uint64_t skip_word = wanted ? 0 : ~0ull;
	uint64_t at = from;

	while (at < end) {
		uint64_t word;

		if (at % 64 == 0 && end - at >= 64) {
			memcpy(&word, image + at / 8, sizeof word);
			if (word == skip_word) {
				at += 64;
				continue;
			}
		}
		if (at % 8 == 0 && image[at / 8] == skip) {
			at += 8;
			continue;
		}
		if ((image[at / 8] >> at % 8 & 1) == wanted)
			return at;
		at++;
	}
	return end;
}

bool bm_next_set_below(const struct bm *b, chunk_no from, chunk_no below, chunk_no *ret_first, chunk_no *ret_last)
{
	const uint64_t head = b->head_bytes * 8ull;
	uint64_t end = min_u64(b->chunks, below.index) + head, first;

	if (from.index >= end - head)
		return false;
	first = bm_find_bit(b->image, from.index + head, end, true);
	if (first >= end)
		return false;
	ret_first->index = first - head;
	ret_last->index = min_u64(bm_find_bit(b->image, first, end, false), end) - head - 1;
	return true;
}

bool bm_next_set(const struct bm *b, chunk_no from, chunk_no *ret_first, chunk_no *ret_last)
{
	return bm_next_set_below(b, from, (chunk_no){ b->chunks }, ret_first, ret_last);
}

/* ---- numbers ---- */

uint64_t bm_chunk_bytes(const struct bm *b)
{
	return b->sb.chunk_bytes;
}

uint64_t bm_chunks(const struct bm *b)
{
	return b->chunks;
}

uint64_t bm_image_bytes(const struct bm *b)
{
	return b->image_bytes;
}

uint64_t bm_pages(const struct bm *b)
{
	return b->pages;
}

uint64_t bm_set_chunks(const struct bm *b)
{
	return b->set_chunks;
}

uint64_t bm_events(const struct bm *b)
{
	return b->sb.events;
}

uint64_t bm_events_cleared(const struct bm *b)
{
	return b->sb.events_cleared;
}

uint32_t bm_daemon_sleep_ms(const struct bm *b)
{
	return b->daemon_sleep_ms;
}

void bm_set_daemon_sleep(struct bm *b, uint32_t ms)
{
	b->daemon_sleep_ms = ms ? ms : 1;
	b->sb.daemon_sleep_s = (uint32_t)div_up(b->daemon_sleep_ms, 1000);
	bm_store_head(b);
}

const struct bitmap_sb *bm_superblock(const struct bm *b)
{
	return &b->sb;
}
