/* Goal: what another node's slot says is in doubt is in doubt here: every bit, chunk 0 and the last one included, and
 *	nothing behind the last; what says nothing counts as everything; an emptied slot keeps its head.
 * Method: slots made by hand over a bitmap with bits and writes of its own.
 * Law: C1, C2.
 * Source: md cluster specification 8.1, 8.16, 8.21; spec bitmap 3. */
#include "bm_help.h"

enum { CHUNK = 4096, CHUNKS = 5003, BYTES = 8192 };

static uint8_t slot[BYTES];

static struct bitmap_sb a_head(void)
{
	struct bitmap_sb sb = a_superblock((uint64_t)CHUNKS * CHUNK, CHUNK);

	sb.version = 5;
	sb.nodes = 4;
	sb.events = 2;
	sb.events_cleared = 1;
	memcpy(sb.uuid, "0123456789abcdef", 16);
	memcpy(sb.cluster_name, "lab", 4);
	return sb;
}

static struct bm *ours(void)
{
	struct bitmap_sb sb = a_head();
	struct bm *b = bm_new(&sb, NULL, 0);

	bm_load(b, BM_LOAD_CLEAN, at(OFF_NONE), false);
	commit(b);
	return b;
}

static void begin_slot(struct bitmap_sb sb)
{
	memset(slot, 0, sizeof slot);
	fmt_bitmap_sb_encode(&sb, slot);
}

static void set(uint64_t chunk)
{
	slot[FMT_BITMAP_SB_BYTES + chunk / 8] |= (uint8_t)(1 << chunk % 8);
}

static void judged(void)
{
	struct bm *b = ours();
	struct bitmap_sb sb;

	begin_slot(a_head());
	is_u64(bm_judge_slot(b, slot), BM_SLOT_BITS, "a head of this array: bits");
	sb = a_head();
	sb.state = FMT_BITMAP_STALE;
	begin_slot(sb);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_STALE, "one that says STALE");
	sb = a_head();
	sb.version = 4;
	sb.nodes = 0;
	begin_slot(sb);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_BITS, "a head without nodes, as mdadm --add left it over slot 0: bits");
	memset(slot, 0, sizeof slot);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_EMPTY, "nothing but zeroes: never used");
	slot[700] = 1;
	is_u64(bm_judge_slot(b, slot), BM_SLOT_GARBAGE, "bits without a head: garbage");
	sb = a_head();
	sb.uuid[3] ^= 1;
	begin_slot(sb);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_GARBAGE, "another array's");
	sb = a_head();
	sb.chunk_bytes *= 2;
	begin_slot(sb);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_GARBAGE, "one with other chunks");
	sb = a_head();
	sb.sync_size_sectors -= 8;
	begin_slot(sb);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_GARBAGE, "one of another size");
	bm_free(b);
}

static void merged(void)
{
	struct bm *b = ours();

	bm_mark(b, at(7 * CHUNK), 512);
	bm_mark(b, at(9 * CHUNK), 512);
	commit(b);
	bm_done(b, at(9 * CHUNK), 512, false);
	begin_slot(a_head());
	set(0);
	set(9);
	set(3000);
	set(CHUNKS - 1);
	set(CHUNKS);
	set(CHUNKS + 2);
	is_u64((uint64_t)bm_merge(b, slot), 4, "four bits; those behind the last chunk mean nothing");
	is_u64(bm_counter(b, chunk(0)), BM_NEEDED | 2, "chunk 0 is NEEDED");
	is_u64(bm_counter(b, chunk(9)), BM_NEEDED | 2, "so is one that was set here");
	is_u64(bm_counter(b, chunk(3000)), BM_NEEDED | 2, "one on the second page of counters");
	is_u64(bm_counter(b, chunk(CHUNKS - 1)), BM_NEEDED | 2, "and the last");
	is_u64(bm_counter(b, chunk(7)), 3, "a write of ours elsewhere goes on");
	is_u64(bm_set_chunks(b), 5, "the sum of bits is right");
	ok(bm_wants_commit_now(b) && !bm_bit_is_durable(b, chunk(0)), "they are not durable, and asked for at once");
	ok(!bm_is_merged(b, slot), "and the slot is not merged");
	commit(b);
	ok(!bm_wants_commit_now(b) && bm_bit_is_durable(b, chunk(0)) && bm_bit_is_durable(b, chunk(CHUNKS - 1)),
	   "one commit takes them");
	ok(bm_is_merged(b, slot), "then it is");
	is_u64((uint64_t)bm_merge(b, slot), 4, "once more");
	ok(!bm_wants_commit_now(b) && bm_set_chunks(b) == 5, "changes nothing");
	bm_free(b);
}

/* Bits that come while a commit is out are not in it. */
static void merged_under_a_commit(void)
{
	struct bm *b = ours();
	const struct bm_page_write *writes;

	bm_mark(b, at(0), 512);
	bm_commit_begin(b, &writes);
	begin_slot(a_head());
	set(0);
	set(1);
	bm_merge(b, slot);
	bm_commit_end(b, true);
	ok(bm_bit_is_durable(b, chunk(0)) && !bm_bit_is_durable(b, chunk(1)) && bm_wants_commit_now(b),
	   "what the commit on its way has not is asked for again");
	bm_free(b);
}

static void everything(void)
{
	struct bm *b = ours();
	struct bitmap_sb sb = a_head();

	memset(slot, 0xff, sizeof slot);
	is_u64((uint64_t)bm_merge(b, slot), CHUNKS, "of garbage every chunk is in doubt");
	is_u64(bm_needed_chunks(b), CHUNKS, "and NEEDED");
	bm_free(b);
	b = ours();
	sb.state = FMT_BITMAP_STALE;
	begin_slot(sb);
	is_u64((uint64_t)bm_merge(b, slot), CHUNKS, "of a stale one as well");
	bm_free(b);
	b = ours();
	memset(slot, 0, sizeof slot);
	is_u64((uint64_t)bm_merge(b, slot), 0, "of an empty one none");
	bm_free(b);
}

static void emptied(void)
{
	struct bm *b = ours();
	struct bitmap_sb sb = a_head(), left;

	sb.events = 55;
	sb.events_cleared = 44;
	begin_slot(sb);
	set(3);
	set(CHUNKS + 2);
	bm_empty_image(b, slot);
	fmt_bitmap_sb_decode(slot, &left);
	is_u64(left.events_cleared, 44, "an emptied slot still says who may not return by it");
	is_u64((uint64_t)bm_merge(b, slot), 0, "and has no bit");
	ok(!slot[FMT_BITMAP_SB_BYTES + CHUNKS / 8], "not even behind the last chunk");
	sb.state = FMT_BITMAP_STALE;
	begin_slot(sb);
	bm_empty_image(b, slot);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_BITS, "a stale one is not stale any more");
	memset(slot, 0xff, sizeof slot);
	bm_empty_image(b, slot);
	fmt_bitmap_sb_decode(slot, &left);
	is_u64(bm_judge_slot(b, slot), BM_SLOT_BITS, "garbage gets a head of this array");
	ok(!left.events && !left.events_cleared && left.nodes == 4 && !strcmp(left.cluster_name, "lab"),
	   "with events 0, the nodes and the cluster's name");
	is_u64((uint64_t)bm_merge(b, slot), 0, "and no bit");
	bm_free(b);
}

int main(void)
{
	judged();
	merged();
	merged_under_a_commit();
	everything();
	emptied();
	return tap_end();
}
