/* Goal: one commit at a time serves all that waited for it, and nobody is stable before the commit that carries his
 * bit ends.
 * Method: marks before, during and after a commit in flight; a commit that fails; snapshots looked at byte by byte.
 * Law: I3.
 * Source: md bitmap 4.7 (unplug); the design's life of a write, step 3. */
#include "bm_help.h"


enum { CHUNK = 4096 };
static const struct bm_page_write *writes;

static bool snapshot_has(uint64_t i)
{
	return writes[0].data[256 + i / 8] >> i % 8 & 1;
}

static void second_writer_waits(struct bm *b)
{
	bm_mark(b, at(0), 512);
	ok(bm_wants_commit_now(b), "a new bit must go before data");
	ok(!bm_is_stable(b, at(0), 512), "the first writer is not stable");
	is_u64(bm_commit_begin(b, &writes), 1, "one page is written");
	is_u64(writes[0].at_bytes, 0, "page 0");
	ok(snapshot_has(0), "with the bit");
	ok(bm_commit_is_running(b), "in flight");

	bm_mark(b, at(512), 512);
	ok(!bm_is_stable(b, at(512), 512), "a second writer of the chunk is not stable, though the bit is set");
	ok(!bm_wants_commit_now(b), "but it needs no commit of its own");
	bm_mark(b, at(5 * CHUNK), 512);
	ok(bm_wants_commit_now(b), "a bit set behind the snapshot does");
	ok(!snapshot_has(5), "the snapshot is a snapshot");

	bm_commit_end(b, true);
	ok(bm_is_stable(b, at(0), 1024), "both writers of the chunk are stable together");
	ok(!bm_is_stable(b, at(5 * CHUNK), 512), "the late one waits for the next commit");
	ok(bm_wants_commit_now(b), "which is wanted");
	is_u64(bm_commit_begin(b, &writes), 1, "and written");
	ok(snapshot_has(0) && snapshot_has(5), "with both bits");
	bm_commit_end(b, true);
	ok(bm_is_stable(b, at(5 * CHUNK), 512), "now it is stable");
	bm_mark(b, at(5 * CHUNK), 512);
	ok(!bm_wants_commit(b), "a write into a set chunk costs no bitmap I/O");
}

static void failed_commit(struct bm *b)
{
	bm_mark(b, at(9 * CHUNK), 512);
	bm_commit_begin(b, &writes);
	bm_mark(b, at(9 * CHUNK), 512);
	bm_commit_end(b, false);
	ok(!bm_is_stable(b, at(9 * CHUNK), 512), "a failed commit makes nothing stable");
	ok(bm_wants_commit_now(b), "its page is wanted again, by all who waited");
	ok(bm_is_stable(b, at(0), 512), "what was durable stays durable");
	ok(commit(b) && bm_is_stable(b, at(9 * CHUNK), 512), "the next one does it");
}

static void several_pages(void)
{
	const uint64_t chunks = 3 * 32768;
	struct bm *b = a_bitmap(chunks * CHUNK, CHUNK);

	is_u64(bm_pages(b), 4, "four pages");
	bm_mark(b, at(90000ull * CHUNK), 512);
	bm_mark(b, at(30719ull * CHUNK), 2 * CHUNK);
	is_u64(bm_commit_begin(b, &writes), 3, "a range over a page boundary touches two pages, the other mark one");
	ok(writes[0].at_bytes == 0 && writes[1].at_bytes == 4096 && writes[2].at_bytes == 8192, "ascending");
	ok(writes[0].data[4095] == 0x80 && writes[1].data[0] == 0x01, "last bit of page 0, first of page 1");
	bm_commit_end(b, true);
	ok(bm_is_stable(b, at(30719ull * CHUNK), 2 * CHUNK), "stable over the boundary");
	bm_write_all(b);
	is_u64(bm_commit_begin(b, &writes), 4, "a joining member gets every page");
	is_u64(writes[3].len_bytes, 512, "the last one as long as its sectors");
	bm_commit_end(b, true);
	bm_free(b);
}

int main(void)
{
	struct bm *b = a_bitmap(64 * CHUNK, CHUNK);

	second_writer_waits(b);
	failed_commit(b);
	bm_free(b);
	several_pages();
	return tap_end();
}
