/* The image and the durable plane: what the bitmap shall be on disk, and what it surely is (I3).
 *
 *   mark  -> bit in image, page urgent       commit begins -> pages copied (snapshots), no longer wanted
 *   clear -> bit out of image and durable,   commit ends   -> durable := snapshot (well), or wanted again
 *            page wanted
 *
 * At most one commit is in flight and nothing is cleared meanwhile, so a bit in a snapshot is a bit in the
 * image until the commit ends: durable := snapshot can never resurrect a cleared bit. A bit that is set
 * while its page is in flight is not in the snapshot and waits for the next commit; one that is in
 * the snapshot asks for no second write: writers share a commit.
 *
 * A page that failed to be written is urgent again: who waited for it still waits. While a map is replaced the first
 * sector of page 0 is a write of its own, before all others (replace.c).
 * Costs: every call touches what it names; a commit costs O(pages wanted), never a walk over all pages. */
#include "bitmap/private.h"

#include <errno.h>
#include <string.h>

bool bm_store_init(struct bm *b, const uint8_t *image, uint64_t image_bytes)
{
	bool has_sets = bm_pageset_init(&b->wanted, b->pages) & bm_pageset_init(&b->urgent, b->pages);

	b->image = mem_new(b->pages, BM_PAGE_BYTES);
	b->durable = mem_new(b->pages, BM_PAGE_BYTES);
	if (!has_sets || !b->image || !b->durable)
		return false;

	if (image)
		memcpy(b->image, image, min_u64(image_bytes, b->pages * BM_PAGE_BYTES));
	if (b->head_bytes)
		fmt_bitmap_sb_encode(&b->sb, b->image);
	return true;
}

void bm_store_free(struct bm *b)
{
	b->image = mem_free(b->image);
	b->durable = mem_free(b->durable);
	b->flight = mem_free(b->flight);
	b->flight_data = mem_free(b->flight_data);
	bm_commit_unreserve(b);
	bm_pageset_free(&b->wanted);
	bm_pageset_free(&b->urgent);
}

/* ---- bits ---- */

static bool plane_bit(const struct bm *b, const uint8_t *plane, uint64_t chunk)
{
	struct bitmap_bit at = bit_of(b, chunk);

	return plane[at.byte] >> at.bit & 1;
}

bool bm_store_bit(const struct bm *b, uint64_t chunk)
{
	return plane_bit(b, b->image, chunk);
}

bool bm_store_is_durable(const struct bm *b, uint64_t chunk)
{
	return plane_bit(b, b->durable, chunk);
}

/* The page's snapshot in flight, or NULL. */
static const uint8_t *snapshot_of(const struct bm *b, uint64_t page)
{
	uint64_t low = 0, high = b->flight_count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (b->flight[middle].at_bytes == page * BM_PAGE_BYTES)
			return b->flight[middle].data;
		if (b->flight[middle].at_bytes < page * BM_PAGE_BYTES)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void want(struct bm *b, uint64_t page, bool is_urgent)
{
	bm_pageset_add(&b->wanted, page);
	if (is_urgent)
		bm_pageset_add(&b->urgent, page);
}

void bm_store_set(struct bm *b, uint64_t chunk)
{
	struct bitmap_bit at = bit_of(b, chunk);
	uint64_t page = at.byte / BM_PAGE_BYTES;
	const uint8_t *snapshot;

	if (b->durable[at.byte] >> at.bit & 1)
		return;
	if (!(b->image[at.byte] >> at.bit & 1)) {
		b->image[at.byte] |= 1 << at.bit;
		b->set_chunks++;
	}
	snapshot = snapshot_of(b, page);
	if (!snapshot || !(snapshot[at.byte % BM_PAGE_BYTES] >> at.bit & 1))
		want(b, page, true);
}

void bm_store_clear(struct bm *b, uint64_t chunk)
{
	struct bitmap_bit at = bit_of(b, chunk);

	MUST(!b->flight && b->image[at.byte] >> at.bit & 1);
	b->image[at.byte] &= ~(1 << at.bit);
	b->durable[at.byte] &= ~(1 << at.bit);
	b->set_chunks--;
	want(b, at.byte / BM_PAGE_BYTES, false);
}

bool bm_bit(const struct bm *b, chunk_no c)
{
	MUST(c.index < b->chunks);
	return plane_bit(b, b->image, c.index);
}

bool bm_bit_is_durable(const struct bm *b, chunk_no c)
{
	MUST(c.index < b->chunks);
	return plane_bit(b, b->durable, c.index);
}

bool bm_page_is_written(const struct bm *b, chunk_no c)
{
	uint64_t page = bit_of(b, c.index).byte / BM_PAGE_BYTES, next;

	return !snapshot_of(b, page) && !(bm_pageset_next(&b->wanted, page, &next) && next == page);
}

/* ---- superblock ---- */

void bm_store_head(struct bm *b)
{
	if (!b->head_bytes)
		return;
	fmt_bitmap_sb_encode(&b->sb, b->image);
	want(b, 0, false);
}

void bm_set_write_behind(struct bm *b, uint32_t writes)
{
	if (b->sb.write_behind == writes)
		return;
	b->sb.write_behind = writes;
	bm_store_head(b);
}

void bm_set_events(struct bm *b, uint64_t events)
{
	uint64_t cleared = min_u64(b->sb.events_cleared, events);

	if (b->is_rewriting && !b->is_carried)
		cleared = events;		/* nothing older than the rewritten image may return by it */
	if (events == b->sb.events && cleared == b->sb.events_cleared)
		return;
	if (cleared != b->sb.events_cleared)
		b->is_events_cleared_durable = !b->head_bytes;
	b->sb.events = events;
	b->sb.events_cleared = cleared;
	bm_store_head(b);
}

void bm_set_events_cleared(struct bm *b, uint64_t events)
{
	if (events <= b->sb.events_cleared)
		return;
	b->sb.events_cleared = events;
	b->sb.events = max_u64(b->sb.events, events);	/* events_cleared is a moment of the array's past */
	b->is_events_cleared_durable = !b->head_bytes;
	bm_store_head(b);
}

bool bm_events_cleared_is_durable(const struct bm *b)
{
	return b->is_events_cleared_durable;
}

/* ---- commits ---- */

void bm_write_all(struct bm *b)
{
	bm_pageset_add_all(&b->wanted);
}

bool bm_wants_commit_now(const struct bm *b)
{
	return !bm_pageset_is_empty(&b->urgent);
}

bool bm_wants_commit(const struct bm *b)
{
	return !bm_pageset_is_empty(&b->wanted);
}

bool bm_commit_is_running(const struct bm *b)
{
	return b->flight != NULL;
}

static uint32_t page_len(const struct bm *b, uint64_t page)
{
	return (uint32_t)min_u64(round_up(b->image_bytes, SECTOR_BYTES) - page * BM_PAGE_BYTES, BM_PAGE_BYTES);
}

void bm_commit_unreserve(struct bm *b)
{
	b->reserve = mem_free(b->reserve);
	b->reserve_data = mem_free(b->reserve_data);
	b->reserve_count = 0;
}

static bool reserve(struct bm *b, uint64_t count)
{
	bm_commit_unreserve(b);
	b->reserve = mem_new(count, sizeof *b->reserve);
	b->reserve_data = mem_new(count, BM_PAGE_BYTES);
	if (b->reserve && b->reserve_data) {
		b->reserve_count = count;
		return true;
	}
	bm_commit_unreserve(b);
	return false;
}

/* STALE goes out alone, before the rest of its page: torn, a page that is being replaced must not be believed. */
static bool has_head_apart(const struct bm *b, uint64_t page)
{
	return !page && b->is_rewriting && page_len(b, 0) > SECTOR_BYTES;
}

static uint64_t writes_wanted(const struct bm *b, uint64_t *ret_pages)
{
	uint64_t count = 0;

	*ret_pages = 0;
	for (uint64_t page = 0; bm_pageset_next(&b->wanted, page, &page); page++) {
		++*ret_pages;
		count += has_head_apart(b, page) ? 2 : 1;
	}
	return count;
}

/* What may be cleared lies in leaves that are pending; the bits of a leaf lie in one page. */
int64_t bm_commit_reserve(struct bm *b)
{
	uint64_t pages, count = writes_wanted(b, &pages), last = UINT64_MAX;

	MUST(!b->flight);
	for (uint64_t leaf = 0; bm_pageset_next(&b->pending, leaf, &leaf); leaf++) {
		uint64_t page = bit_of(b, leaf * LEAF_COUNTERS).byte / BM_PAGE_BYTES;

		count += page != last;
		last = page;
	}
	if (!count)
		return 0;
	if (count > INT32_MAX || !reserve(b, count))
		return -ENOMEM;
	return (int64_t)count;
}

static bool flight_new(struct bm *b, uint64_t count)
{
	if (b->reserve_count < count && !reserve(b, count))
		return false;
	b->flight = b->reserve;
	b->flight_data = b->reserve_data;
	b->reserve = NULL;
	b->reserve_data = NULL;
	b->reserve_count = 0;
	return true;
}

/* A snapshot of the page as write number @n, or as two; returns the number of the next. */
static uint64_t add_write(struct bm *b, uint64_t page, uint64_t n)
{
	uint8_t *copy = b->flight_data + n * BM_PAGE_BYTES;
	uint32_t head = has_head_apart(b, page) ? SECTOR_BYTES : 0;

	memcpy(copy, b->image + page * BM_PAGE_BYTES, BM_PAGE_BYTES);
	if (head)
		b->flight[n++] = (struct bm_page_write){ 0, head, copy };
	b->flight[n] = (struct bm_page_write){ page * BM_PAGE_BYTES + head, page_len(b, page) - head, copy + head };
	bm_pageset_remove(&b->wanted, page);
	bm_pageset_remove(&b->urgent, page);
	return n + 1;
}

int bm_commit_begin(struct bm *b, const struct bm_page_write **ret_writes)
{
	uint64_t pages, count = writes_wanted(b, &pages), n = 0;

	MUST(!b->flight);
	if (!count)
		return 0;
	if (count > INT32_MAX || !flight_new(b, count))
		return -ENOMEM;

	for (uint64_t page = 0; bm_pageset_next(&b->wanted, page, &page); page++)
		n = add_write(b, page, n);
	b->flight_count = count;
	b->flight_is_whole = pages == b->pages;
	*ret_writes = b->flight;
	return (int)count;
}

/* The page is on every working member as the snapshot has it. */
static void landed(struct bm *b, const struct bm_page_write *w)
{
	struct bitmap_sb head;

	memcpy(b->durable + w->at_bytes, w->data, w->len_bytes);
	if (w->at_bytes || !b->head_bytes)
		return;
	fmt_bitmap_sb_decode(w->data, &head);
	if (head.events_cleared == b->sb.events_cleared)
		b->is_events_cleared_durable = true;
}

void bm_commit_end(struct bm *b, bool is_ok)
{
	bool is_whole = b->flight_is_whole;

	MUST(b->flight);
	for (uint64_t i = 0; i < b->flight_count; i++) {
		if (is_ok)
			landed(b, &b->flight[i]);
		else
			want(b, b->flight[i].at_bytes / BM_PAGE_BYTES, true);
	}
	b->flight = mem_free(b->flight);
	b->flight_data = mem_free(b->flight_data);
	b->flight_count = 0;

	if (is_ok && is_whole && b->is_rewriting) {
		b->is_rewriting = false;
		b->sb.state &= ~(uint32_t)FMT_BITMAP_STALE;
		bm_store_head(b);
	}
}
