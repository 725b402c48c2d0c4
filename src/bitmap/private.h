/* What the files of this room share; nobody outside includes it (but unit tests of the parts).
 *
 * Words: *chunk* is always a chunk number here, *page* a page of the image (BM_PAGE_BYTES), *leaf* a page of
 * counters. A counter is non-zero exactly when the chunk's bit is set in the image (after bm_load). */
#ifndef UMD_BITMAP_PRIVATE_H
#define UMD_BITMAP_PRIVATE_H

#include "base/law.h"
#include "base/mem.h"
#include "bitmap/bitmap.h"
#include "bitmap/pageset.h"
#include "bitmap/states.h"

enum { LEAF_COUNTERS = 2048, BM_FLAGS = BM_NEEDED | BM_RESYNC };

struct leaf {
	uint16_t value[LEAF_COUNTERS];
	uint64_t ripe[LEAF_COUNTERS / 64];	/* stood at 1 before the last bm_age(), and ever since */
	uint32_t counted, flagged;		/* counters that are not 0; that carry a flag */
};

struct bm {
	struct bitmap_sb sb;
	unsigned chunk_shift;
	uint32_t head_bytes;			/* in front of the first bit: the superblock, or nothing */
	uint32_t daemon_sleep_ms;
	uint64_t chunks, sync_bytes, image_bytes, pages;

	/* counters.c */
	struct leaf **leaves;
	uint64_t leaf_range, leaf_count;	/* that may exist, that do */
	struct bm_pageset pending, flagged;	/* leaves with something to age; with flags */
	uint64_t needed_chunks;

	/* store.c */
	uint8_t *image, *durable;		/* pages * BM_PAGE_BYTES each */
	uint64_t set_chunks;
	/* pages to be written sometime; before data. urgent is part of wanted */
	struct bm_pageset wanted, urgent;
	bool is_events_cleared_durable;
	bool is_rewriting;			/* a stale image is being replaced: see load.c */
	bool is_carried;			/* by one that has lost nothing: see replace.c */
	struct bm_page_write *flight;		/* the commit in flight, ascending; NULL: none */
	uint8_t *flight_data;
	uint64_t flight_count;
	bool flight_is_whole;			/* it has every page */
	struct bm_page_write *reserve;		/* the same for the next one, for so many pages */
	uint8_t *reserve_data;
	uint64_t reserve_count;
};

/* ---- chunk ranges ---- */

struct chunk_range {
	uint64_t first, last;			/* inclusive */
};

static inline struct chunk_range chunks_of(const struct bm *b, array_off at, uint64_t len_bytes)
{
	MUST(len_bytes && at.bytes < b->sync_bytes && len_bytes <= b->sync_bytes - at.bytes);
	return (struct chunk_range){ at.bytes >> b->chunk_shift, (at.bytes + len_bytes - 1) >> b->chunk_shift };
}

/* One behind the last byte of the chunk, cut at the array's end. */
static inline uint64_t chunk_end(const struct bm *b, uint64_t chunk)
{
	return chunk + 1 >= b->chunks ? b->sync_bytes : (chunk + 1) << b->chunk_shift;
}

/* ---- counters.c ---- */

static inline struct leaf *leaf_of(const struct bm *b, uint64_t chunk)
{
	return b->leaves[chunk / LEAF_COUNTERS];
}

static inline uint16_t counter_of(const struct bm *b, uint64_t chunk)
{
	const struct leaf *leaf = leaf_of(b, chunk);

	return leaf ? leaf->value[chunk % LEAF_COUNTERS] : 0;
}

bool bm_counters_init(struct bm *b);
void bm_counters_free(struct bm *b);
/* Leaves for all of @r exist afterwards; without memory nothing has changed. */
bool bm_counters_reserve(struct bm *b, struct chunk_range r);
void bm_counters_drop_unused(struct bm *b);	/* leaves that were reserved and not used */
/* One step of states.def and all that follows from it. A leaf whose last counter became 0 is gone. */
void bm_counter_act(struct bm *b, uint64_t chunk, enum bm_action action);

/* ---- load.c ---- */

/* In any image: the first bit at or after @from and below @end that is @wanted, or @end; bits count from byte 0. */
uint64_t bm_find_bit(const uint8_t *image, uint64_t from, uint64_t end, bool wanted);

/* ---- store.c ---- */

static inline struct bitmap_bit bit_of(const struct bm *b, uint64_t chunk)
{
	return fmt_bitmap_bit((chunk_no){ chunk }, b->head_bytes);
}

bool bm_store_init(struct bm *b, const uint8_t *image, uint64_t image_bytes);
void bm_store_free(struct bm *b);
bool bm_store_bit(const struct bm *b, uint64_t chunk);
bool bm_store_is_durable(const struct bm *b, uint64_t chunk);
/* Set the bit; unless it is durable or on its way there, its page must go before data. */
void bm_store_set(struct bm *b, uint64_t chunk);
void bm_store_clear(struct bm *b, uint64_t chunk);
/* The superblock in the image := b->sb; page 0 wants to be written. Nothing where there is none. */
void bm_store_head(struct bm *b);

#endif
