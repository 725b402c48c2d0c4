/* The door of the bitmap: counters, what must be written before what, when a bit may be cleared.
 *
 * Pure: no I/O, no clock, no threads. The array calls these under its lock.
 *
 * Words: a chunk has a 16-bit counter with the kernel's values (NEEDED | RESYNC | count: 0 clean,
 * 1 and 2 idle on the way to clean, 2 + n with n writes in flight). The *image* is what the bitmap
 * shall be on disk, in pages of 4096 bytes, superblock included; the *durable plane* is what is
 * known to be on every working member. A *bare* bitmap has no superblock: its bits begin at byte 0, everything else
 * is the same. A bit leaves the durable plane the moment its clearing is
 * decided, since from then on the cleared page may reach a disk.
 *
 * At most one bitmap I/O is in flight (bm_commit_begin .. bm_commit_end): pages are snapshots, two
 * writes of one page can never overtake each other, and writers share a commit.
 *
 * Sources: spec of the md bitmap 4.1-4.7; laws I3, I4, I8, I11. */
#ifndef UMD_BITMAP_BITMAP_H
#define UMD_BITMAP_BITMAP_H

#include "base/units.h"
#include "format/bitmap_sb.h"

enum { BM_PAGE_BYTES = 4096 };

/* Counter values. */
enum {
	BM_NEEDED = 0x8000,
	BM_RESYNC = 0x4000,
	BM_COUNT_MAX = 0x3fff,
};

struct bm;

/* What load makes of set bits. */
enum bm_load_mode {
	BM_LOAD_CLEAN,		/* harmless leftovers: count 2, swept away */
	BM_LOAD_NEEDED_FROM,	/* NEEDED where the chunk ends beyond @from (kernel: (i+1)*chunk >= from) */
};

/**
 * bm_new - the bitmap of one array, all counters zero
 * @sb: a checked superblock: chunk size, sync size, events, events_cleared, daemon sleep are taken
 *      from it and it is kept as the head of the image
 * @image: @image_bytes raw bytes as on disk, superblock included (copied); NULL: all bits clear.
 *      Bits behind the last chunk are kept as found and never looked at.
 * Nothing is NEEDED until bm_load(). Returns NULL without memory.
 */
struct bm *bm_new(const struct bitmap_sb *sb, const uint8_t *image, uint64_t image_bytes);
/**
 * bm_new_bare - a bitmap without superblock: bit 0 is the lowest bit of the first byte (externally managed metadata)
 * @chunk_bytes: a power of two from 512 to 2^31; @size_bytes: a multiple of 512; @daemon_sleep_ms: 0 counts as 1
 * events and events_cleared live in memory only, from 0, and are always durable. @image as above.
 */
struct bm *bm_new_bare(uint64_t size_bytes, uint64_t chunk_bytes, uint32_t daemon_sleep_ms, const uint8_t *image,
		       uint64_t image_bytes);
bool bm_is_bare(const struct bm *b);
struct bm *bm_free(struct bm *b);

/**
 * bm_load - give every set bit its counter, once, before the first mark
 * @is_stale: the image is not to be believed: every bit counts as set, every page needs writing,
 *      events_cleared := events (nothing older may return by the bitmap; bm_set_events() before the first
 *      whole commit moves both). The superblock says STALE until every page of it has been committed.
 * What was read came from one member: nothing is durable before the first commit, which is wanted.
 * Returns the number of chunks whose bit is set, or -ENOMEM.
 */
int64_t bm_load(struct bm *b, enum bm_load_mode mode, array_off from, bool is_stale);

/* ---- another one in its place (replace.c) ---- */

/* Set in @to, a new and empty one, what is set in @from, with its flags; events and events_cleared as well. Both have a
 * superblock and cover the same bytes. 0 or -ENOMEM: @to is of no use then. Once more at the exchange: it then finds
 * every counter in place. */
int bm_carry(struct bm *to, const struct bm *from);
/* It is written over another one: every page wants a commit, and the superblock says STALE until all of them have had
 * one. */
void bm_rewrite(struct bm *b);

/* ---- clusters (merge.c): another node's bitmap ---- */

enum bm_slot { BM_SLOT_BITS, BM_SLOT_EMPTY, BM_SLOT_STALE, BM_SLOT_GARBAGE };

/* What lies in another node's slot: bits to be believed; nothing that was ever used (all zeroes); a bitmap that says
 * STALE; or something that is no bitmap of this array (magic, uuid, chunks). @image: bm_image_bytes(@b). */
enum bm_slot bm_judge_slot(const struct bm *b, const uint8_t *image);
/* Its bits are set in ours, as NEEDED (STALE, GARBAGE: all of them are). Returns how many bits it had, or -ENOMEM: then
 * nothing is merged. They are durable when bm_wants_commit_now() is false and no commit runs. */
int64_t bm_merge(struct bm *b, const uint8_t *image);
/* Every bit of the image is durable in ours, or was cleared there since, as what it covered was copied (law C2). */
bool bm_is_merged(const struct bm *b, const uint8_t *image);
/* The same image without any bit; a superblock that cannot be believed is made anew from ours, with events 0. */
void bm_empty_image(const struct bm *b, uint8_t *image);

/* ---- geometry and numbers ---- */
uint64_t bm_chunk_bytes(const struct bm *b);
uint64_t bm_chunks(const struct bm *b);
uint64_t bm_image_bytes(const struct bm *b);	/* 256 (bare: 0) + ceil(chunks / 8) */
uint64_t bm_pages(const struct bm *b);
uint64_t bm_set_chunks(const struct bm *b);		/* bits set in the image */
uint64_t bm_needed_chunks(const struct bm *b);		/* chunks that carry NEEDED or RESYNC */
uint64_t bm_events(const struct bm *b);
uint64_t bm_events_cleared(const struct bm *b);
uint32_t bm_daemon_sleep_ms(const struct bm *b);
/* Whole seconds go to the superblock, rounded up; page 0 then wants a commit. */
void bm_set_daemon_sleep(struct bm *b, uint32_t ms);
/* Of a bare one: as it would be, with geometry and events; never on disk. */
const struct bitmap_sb *bm_superblock(const struct bm *b);
uint16_t bm_counter(const struct bm *b, chunk_no c);
bool bm_bit(const struct bm *b, chunk_no c);		/* in the image */
bool bm_bit_is_durable(const struct bm *b, chunk_no c);
bool bm_page_is_written(const struct bm *b, chunk_no c);	/* what its page shall be on disk is there */
uint64_t bm_page_allocations(const struct bm *b);	/* counter pages that exist */

/* Next run of set bits at or after @from: true and the run (inclusive), or false. */
bool bm_next_set(const struct bm *b, chunk_no from, chunk_no *ret_first, chunk_no *ret_last);
/* The same below @end, where a run is cut: whoever looks in pieces never keeps others waiting for long. */
bool bm_next_set_below(const struct bm *b, chunk_no from, chunk_no end, chunk_no *ret_first, chunk_no *ret_last);
/* Chunks from @first on and below @end: set in the image; carrying NEEDED or RESYNC. The last chunk is the last one. */
uint64_t bm_count_set(const struct bm *b, chunk_no first, chunk_no end);
uint64_t bm_count_needed(const struct bm *b, chunk_no first, chunk_no end);

/* ---- the life of a write ---- */

enum bm_mark { BM_MARKED, BM_MARK_WAIT, BM_MARK_NO_MEMORY };

/**
 * bm_mark - count a write in every chunk it touches, set bits where they are clear
 * All or nothing: BM_MARK_WAIT when a chunk already has BM_COUNT_MAX - 2 writers; ask again after
 * any bm_done(). @len_bytes > 0, the range lies inside the sync size.
 */
enum bm_mark bm_mark(struct bm *b, array_off at, uint64_t len_bytes);

/* Every bit of the range is durable on every working member. */
bool bm_is_stable(const struct bm *b, array_off at, uint64_t len_bytes);

/* The write ended. @leave_needed: it failed somewhere, or the array was degraded: chunks become NEEDED. */
void bm_done(struct bm *b, array_off at, uint64_t len_bytes, bool leave_needed);

/* I11: a member leaves or joins: every chunk with a non-zero counter becomes NEEDED. */
void bm_need_all_counted(struct bm *b);
/* All in-sync members agree and nobody is missing: no chunk is NEEDED or RESYNC any more; idle ones age. */
void bm_forget_needed(struct bm *b);
/* Set NEEDED (and the bit) on a range, e.g. a full resync ordered by the user. */
int bm_set_needed(struct bm *b, array_off at, uint64_t len_bytes);

/* ---- resync ---- */

/* Does any chunk of the range carry NEEDED or RESYNC? (reads there are pinned while a resync is due) */
bool bm_is_needed(const struct bm *b, array_off at, uint64_t len_bytes);

/**
 * bm_next_needed - the next byte range at or after @from that lies in NEEDED or RESYNC chunks
 * A run of neighbouring chunks, cut at the sync size and at the end of its counter page (2048 chunks). False: none
 * left. Skips absent counter pages fast.
 */
bool bm_next_needed(const struct bm *b, array_off from, array_off *ret_at, uint64_t *ret_len_bytes);

/* A window begins: NEEDED -> RESYNC in the chunks it touches, unless the array is degraded (then the
 * flags stay: they are owed to the missing member as well). */
void bm_sync_start(struct bm *b, array_off at, uint64_t len_bytes, bool is_degraded);
/* A window ended. Chunks that lie entirely below @done_below lose RESYNC on success; on failure RESYNC
 * turns back into NEEDED. A chunk cut by the window keeps RESYNC until a later window completes it. */
void bm_sync_end(struct bm *b, array_off at, uint64_t len_bytes, array_off done_below, bool is_ok);
/* The pass was interrupted: every RESYNC becomes NEEDED again. */
void bm_sync_abort(struct bm *b);

/* ---- the sweep ---- */

/* One pass of ageing: idle counters 2 -> 1. Returns true when some were at 1 *before* the pass (they are ripe), that
 * is when clearing may be prepared (flush the members, then bm_clear). Only pages pending are visited. */
bool bm_age(struct bm *b);
/* The last pass found it at 1, and nothing has touched it since: a clear would take it. */
bool bm_is_ripe(const struct bm *b, chunk_no c);
/* Something will age at the next pass: the daemon must run. */
bool bm_wants_sweep(const struct bm *b);
/**
 * bm_clear - after every in-sync member was flushed since bm_age() and events_cleared is durable:
 * ripe counters still exactly 1 become 0, their bits leave the image and the durable plane
 * Must not be called while a commit is in flight. Law I4 is asserted: events_cleared durable, not degraded. Without
 * @may_clear (can_clear) nothing is cleared.
 * Returns the number of bits cleared; their pages then want a commit.
 */
uint64_t bm_clear(struct bm *b, bool is_degraded, bool may_clear);

/* ---- superblock of the bitmap: events ---- */

/* Put @events (and events_cleared := min(events_cleared, events)) into the image; page 0 wants a commit. */
void bm_set_events(struct bm *b, uint64_t events);
/* Advance events_cleared (and events to at least it); page 0 wants a commit unless nothing changed. Never backwards. */
void bm_set_events_cleared(struct bm *b, uint64_t events);
bool bm_events_cleared_is_durable(const struct bm *b);
/* Every page wants writing (a member joined that has no bitmap yet). */
void bm_write_all(struct bm *b);

/* The backlog of write-behind, as the superblock says it; page 0 wants a commit. */
void bm_set_write_behind(struct bm *b, uint32_t writes);

/* ---- commits: one at a time ---- */

struct bm_page_write {
	uint64_t at_bytes;		/* from the bitmap's start (its superblock) */
	uint32_t len_bytes;		/* BM_PAGE_BYTES, the last: up to a sector; a head apart: replace.c */
	const uint8_t *data;		/* snapshot; valid until bm_commit_end() */
};

/* Bits that are set but not durable, or any page that must go before data. */
bool bm_wants_commit_now(const struct bm *b);
/* Any page at all that should be written sometime (cleared bits, events). */
bool bm_wants_commit(const struct bm *b);
bool bm_commit_is_running(const struct bm *b);
/**
 * bm_commit_begin - snapshot every page that wants writing, in ascending order
 * Every page goes to every working member, durably (FUA). Returns the number of writes, 0 when there is
 * nothing to write, -ENOMEM; *@ret_writes belongs to @b and lives until bm_commit_end().
 */
int bm_commit_begin(struct bm *b, const struct bm_page_write **ret_writes);
/* All memory for the next commit, whatever of the ripe is cleared before it: that cannot fail then. Returns how many
 * pages that may be, 0: none, or -ENOMEM. Not while a commit is in flight. */
int64_t bm_commit_reserve(struct bm *b);
void bm_commit_unreserve(struct bm *b);
/* @is_ok: at least one member has it and every member that does not was failed. Otherwise the pages
 * want writing again. */
void bm_commit_end(struct bm *b, bool is_ok);

#endif
