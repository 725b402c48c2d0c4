/* Goal: at start a set bit means "copy" from the checkpoint on, "sweep" below it and on a clean array; a stale image
 * means all.
 * Method: the same raw image loaded clean, from checkpoints around a chunk's edge, and stale; junk behind the last
 * chunk.
 * Law: I8, I3.
 * Source: md bitmap 4.7 (load, stale), 2.2. */
#include "bm_help.h"

enum { CHUNK = 4096, CHUNKS = 20 };
static uint8_t image[4096];

static struct bm *load(enum bm_load_mode mode, uint64_t from, bool is_stale, int64_t *ret_set)
{
	struct bitmap_sb sb = a_superblock(CHUNKS * CHUNK - 1024, CHUNK);
	struct bm *b;

	memset(image, 0, sizeof image);
	image[256] = 0x08;			/* chunk 3 */
	image[257] = 0x20;			/* chunk 13 */
	image[258] = 0xf8;			/* chunk 19, and junk behind the end */
	b = bm_new(&sb, image, sizeof image);
	*ret_set = bm_load(b, mode, at(from), is_stale);
	return b;
}

static void loaded_clean(void)
{
	int64_t set;
	struct bm *b = load(BM_LOAD_CLEAN, 0, false, &set);
	const struct bm_page_write *writes;

	is_u64(set, 3, "three chunks are set; junk behind the last is not counted");
	is_u64(bm_counter(b, chunk(3)), 2, "clean array: idle");
	is_u64(bm_needed_chunks(b), 0, "nothing to copy");
	ok(bm_wants_sweep(b), "leftovers will be swept");
	ok(!bm_bit_is_durable(b, chunk(3)), "read from one member: not yet known to be on all");
	bm_mark(b, at(3 * CHUNK), 512);
	ok(!bm_is_stable(b, at(3 * CHUNK), 512) && bm_wants_commit_now(b), "so a write there asks for a commit first");
	is_u64(bm_commit_begin(b, &writes), 1, "which writes the page");
	is_u64(writes[0].data[258], 0xf8, "junk behind the end as it was found");
	is_u64(writes[0].len_bytes, 512, "as many sectors as the bitmap has");
	bm_commit_end(b, true);
	ok(bm_is_stable(b, at(3 * CHUNK), 512), "then it is stable");
	bm_free(b);
}

static void loaded_from(uint64_t from, uint64_t needed, const char *what)
{
	int64_t set;
	struct bm *b = load(BM_LOAD_NEEDED_FROM, from, false, &set);

	is_u64(bm_needed_chunks(b), needed, "%s", what);
	is_u64(set, 3, "all bits are set whatever is needed");
	bm_free(b);
}

static void loaded_stale(void)
{
	int64_t set;
	struct bm *b = load(BM_LOAD_NEEDED_FROM, 0, true, &set);
	const struct bm_page_write *writes;

	is_u64(set, CHUNKS, "stale: every bit counts as set");
	is_u64(bm_needed_chunks(b), CHUNKS, "and is needed");
	is_u64(bm_events_cleared(b), bm_events(b), "nothing older may return by the bitmap");
	ok(bm_superblock(b)->state & FMT_BITMAP_STALE, "the head says stale until all pages are there");
	bm_set_events(b, 12);
	is_u64(bm_events_cleared(b), 12, "also when the array's own count is told later");
	is_u64(bm_commit_begin(b, &writes), 1, "every page is written");
	ok(writes[0].data[256] == 0xff && writes[0].data[257] == 0xff && writes[0].data[258] == 0xff, "all ones");
	is_u64(writes[0].data[48], FMT_BITMAP_STALE, "under a head that says stale");
	bm_commit_end(b, true);
	is_u64(bm_superblock(b)->state, 0, "after the commit the flag goes");
	is_u64(bm_commit_begin(b, &writes), 1, "with a write of its own");
	is_u64(writes[0].data[48], 0, "of page 0");
	bm_commit_end(b, true);
	bm_free(b);
}

static void loaded_bare(void)
{
	const uint8_t bits[] = { 0x08, 0x20, 0xf8 };
	struct bm *b = bm_new_bare(CHUNKS * CHUNK, CHUNK, 1500, bits, sizeof bits);
	const struct bm_page_write *writes;

	is_u64((uint64_t)bm_load(b, BM_LOAD_NEEDED_FROM, at(15 * CHUNK), false), 3, "without superblock: three chunks");
	ok(bm_bit(b, chunk(3)) && bm_bit(b, chunk(13)) && bm_bit(b, chunk(19)), "the same ones");
	is_u64(bm_needed_chunks(b), 1, "one behind the checkpoint");
	is_u64(bm_daemon_sleep_ms(b), 1500, "a period in milliseconds");
	is_u64(bm_commit_begin(b, &writes), 1, "one page");
	ok(writes[0].at_bytes == 0 && !memcmp(writes[0].data, bits, sizeof bits) && !writes[0].data[3],
	   "that begins with the bits, junk behind the end as it was found");
	bm_commit_end(b, true);
	bm_set_events(b, 12);
	bm_set_events_cleared(b, 12);
	ok(!bm_wants_commit(b) && bm_events_cleared_is_durable(b) && bm_events_cleared(b) == 12,
	   "events are kept, but there is no place to write them to");
	bm_set_daemon_sleep(b, 0);
	ok(!bm_wants_commit(b) && bm_daemon_sleep_ms(b) == 1, "nor is a period");
	bm_free(b);

	b = bm_new_bare(CHUNKS * CHUNK, CHUNK, 1500, bits, sizeof bits);
	is_u64((uint64_t)bm_load(b, BM_LOAD_NEEDED_FROM, at(0), true), CHUNKS, "stale: every bit");
	is_u64(bm_commit_begin(b, &writes), 1, "is written");
	ok(writes[0].data[0] == 0xff && writes[0].data[1] == 0xff && writes[0].data[2] == 0xff && !writes[0].data[3],
	   "from the first byte on");
	bm_commit_end(b, true);
	bm_free(b);
}

static void runs_are_found(void)
{
	int64_t set;
	struct bm *b = load(BM_LOAD_CLEAN, 0, false, &set);
	chunk_no first, last;

	ok(bm_next_set(b, chunk(0), &first, &last) && first.index == 3 && last.index == 3, "first run 3-3");
	ok(bm_next_set(b, chunk(4), &first, &last) && first.index == 13 && last.index == 13, "then 13-13");
	ok(bm_next_set(b, chunk(14), &first, &last) && first.index == 19 && last.index == 19,
	   "then 19-19, cut at the end");
	ok(!bm_next_set(b, chunk(20), &first, &last), "then none");
	bm_free(b);
}

int main(void)
{
	loaded_clean();
	loaded_from(0, 3, "from 0: all three are copied");
	loaded_from(4 * CHUNK, 3, "a chunk that ends exactly at the checkpoint is copied");
	loaded_from(4 * CHUNK + 1, 2, "one that ends before it is not");
	loaded_from(15 * CHUNK, 1, "only the last chunk lies behind");
	loaded_from(OFF_NONE, 0, "no checkpoint: nothing is copied");
	loaded_stale();
	loaded_bare();
	runs_are_found();
	return tap_end();
}
