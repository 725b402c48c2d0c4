/* What the tests of this room share: a bitmap of a given shape, and a commit that ends at once. */
#ifndef TESTS_UNIT_BITMAP_BM_HELP_H
#define TESTS_UNIT_BITMAP_BM_HELP_H

#include "bitmap/bitmap.h"
#include "tap.h"

#define UNUSED __attribute__((unused))

UNUSED static struct bitmap_sb a_superblock(uint64_t size_bytes, uint32_t chunk_bytes)
{
	return (struct bitmap_sb){
		.magic = FMT_BITMAP_MAGIC, .version = 4, .events = 7, .events_cleared = 3,
		.sync_size_sectors = size_bytes / SECTOR_BYTES, .chunk_bytes = chunk_bytes, .daemon_sleep_s = 5,
	};
}

/* No bit set, loaded clean, and everything it wants committed. */
UNUSED static bool commit(struct bm *b);
UNUSED static struct bm *a_bitmap(uint64_t size_bytes, uint32_t chunk_bytes)
{
	struct bitmap_sb sb = a_superblock(size_bytes, chunk_bytes);
	struct bm *b = bm_new(&sb, NULL, 0);

	bm_load(b, BM_LOAD_CLEAN, (array_off){ OFF_NONE }, false);
	commit(b);
	return b;
}

/* The same without superblock. */
UNUSED static struct bm *a_bare_bitmap(uint64_t size_bytes, uint32_t chunk_bytes)
{
	struct bm *b = bm_new_bare(size_bytes, chunk_bytes, 5000, NULL, 0);

	bm_load(b, BM_LOAD_CLEAN, (array_off){ OFF_NONE }, false);
	commit(b);
	return b;
}

/* One commit from begin to end; false when there was nothing to write. */
static bool commit(struct bm *b)
{
	const struct bm_page_write *writes;
	int count = bm_commit_begin(b, &writes);

	if (count <= 0)
		return false;
	bm_commit_end(b, true);
	return true;
}

UNUSED static array_off at(uint64_t bytes)
{
	return (array_off){ bytes };
}

UNUSED static chunk_no chunk(uint64_t index)
{
	return (chunk_no){ index };
}

/* A clear as the array does it: events_cleared durable first. */
UNUSED static uint64_t clear_ripe(struct bm *b)
{
	if (!bm_events_cleared_is_durable(b))
		commit(b);
	return bm_clear(b, false, true);
}

#endif
