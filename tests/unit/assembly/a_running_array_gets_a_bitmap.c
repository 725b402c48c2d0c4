/* Goal: a bitmap for a running array lies where mdadm would put it, on every member at the same distance, or is refused
 * with both values; a start finds its way whatever a cut left of it.
 * Method: mirrors of every minor version run, are planned for, changed, cut in the middle and judged again.
 * Law: I3, I7, I9.
 * Source: spec bitmap 2.6, 6.1, vectors V9, V12; array 6.4. */
#include "mirror.h"

#include <errno.h>

static struct asm_bitmap_plan wished;
static struct err why;

static int wish(int kind, uint64_t chunk)
{
	struct asm_bitmap_wish w = { .chunk_bytes = chunk };

	w.kind = (__typeof__(w.kind))kind;
	why = (struct err){ 0 };
	return asm_plan_bitmap(lineage, array, &w, &wished, &why);
}

static int change(void)
{
	struct bm *b = wished.has_bitmap ? bm_new(&wished.sb, NULL, 0) : NULL;
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap = b, .bitmap_at = wished.at };

	for (uint32_t i = 0; wished.has_bitmap && i < status()->member_count; i++)
		disks[entries[i] - 'a'].bitmap_at = wished.at[i];
	step(&ev);
	settle(0);
	return ev.rc ? ev.rc : status()->bitmap_change;
}

static void in_every_minor(enum sb1_minor minor, int32_t distance)
{
	create_as(minor, 2, false, 0x40);
	is_u64((uint64_t)judge("ab"), 0, "1.%d: no bitmap", minor);
	start("ab");
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 0), 0, "one is wished for %s", why.text);
	is_u64(wished.sb.chunk_bytes, 64 * MIB, "chunks are mdadm's");
	ok(wished.distance_sectors == distance, "its place too: %d", wished.distance_sectors);
	is_u64((uint64_t)change(), 0, "the array takes it");
	for (char name = 'a'; name <= 'b'; name++) {
		struct sb1 sb = super_of(name);

		ok(sb.feature_map & FMT_SB1_BITMAP && sb.bitmap_offset_sectors == distance, "%c says so", name);
	}
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 0), (uint64_t)-EEXIST, "%s", why.text);
	is_u64((uint64_t)wish(ASM_BITMAP_CHUNKS, MIB), 0, "other chunks");
	is_u64((uint64_t)change(), 0, "are taken");
	ok(wished.distance_sectors == distance, "at the same place");
	stop();
	is_u64((uint64_t)judge("ab"), 0, "it starts again %s", plan.refusal.text);
	ok(plan.has_bitmap && !plan.bitmap_is_stale && m[0].bitmap.chunk_bytes == MIB, "with one that is believed");
	start("ab");
	is_u64((uint64_t)wish(ASM_BITMAP_NONE, 0), 0, "none");
	is_u64((uint64_t)change(), 0, "is taken");
	is_u64(super_of('b').feature_map, 0, "and nobody names one");
	ok(super_of('b').bitmap_offset_sectors == distance, "the distance stays, as under Linux");
	stop();
	is_u64((uint64_t)judge("ab"), 0, "it starts without");
	ok(!plan.has_bitmap, "one");
}

static void what_does_not_fit(void)
{
	create_as(SB1_2, 2, false, 0x40);
	judge("ab");
	start("ab");
	is_u64((uint64_t)wish(ASM_BITMAP_CHUNKS, MIB), (uint64_t)-ENOENT, "%s", why.text);
	is_u64((uint64_t)wish(ASM_BITMAP_NONE, 0), (uint64_t)-ENOENT, "%s", why.text);
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 3 * MIB), (uint64_t)UMD_E_BAD_OPTION, "%s", why.text);
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 512), (uint64_t)UMD_E_BAD_OPTION, "%s", why.text);
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 1ull << 40), (uint64_t)UMD_E_BAD_OPTION, "%s", why.text);
	stop();

	create_as(SB1_2, 2, false, 0x40);
	EDIT('b', s->data_offset_sectors = 24; s->bblog_offset_sectors = 0);
	judge("ab");
	start("ab");
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 0), 0, "b has 4 KiB of room");
	ok(wished.distance_sectors == 8 && wished.at[1].bytes == 8192, "which it gets");
	stop();

	create_as(SB1_2, 2, false, 0x40);
	EDIT('b', s->data_offset_sectors = 16; s->bblog_offset_sectors = 0);
	judge("ab");
	start("ab");
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 0), (uint64_t)-ENOSPC, "%s", why.text);
	stop();
}

static void behind_the_log(void)
{
	create_as(SB1_2, 2, false, 0x40);
	EDIT('b', s->bblog_offset_sectors = 8);
	judge("ab");
	start("ab");
	is_u64((uint64_t)wish(ASM_BITMAP_INTERNAL, 0), 0, "b has its log where a bitmap would be");
	ok(wished.distance_sectors >= 24, "so it lies behind both logs: %d", wished.distance_sectors);
	is_u64((uint64_t)change(), 0, "there");
	stop();
	is_u64((uint64_t)judge("ab"), 0, "and is found");
}

/* a has it, b not yet. */
static void cut_while_it_was_named(void)
{
	static struct disk before;

	create_as(SB1_2, 2, false, 0x40);
	judge("ab");
	start("ab");
	write_at(0);
	memcpy(&before, &disks[1], sizeof before);
	wish(ASM_BITMAP_INTERNAL, MIB);
	change();
	cut();
	memcpy(disks[1].super, before.super, sizeof before.super);
	is_u64((uint64_t)judge("ab"), 0, "only a names it: the array starts %s", plan.refusal.text);
	is_verdict(0, ASM_IN_SYNC, "a is in sync");
	is_verdict(1, ASM_IN_SYNC, "b too");
	ok(plan.has_bitmap, "with the bitmap");
	start("ab");
	is_u64(status()->members[1].bitmap_at.bytes, 8192, "which b gets where a has it");
	settle(1000);
	ok(super_of('b').feature_map & FMT_SB1_BITMAP, "and b says so, too");
	stop();
}

/* b failed in mid-change, and that was not recorded. */
static void cut_with_two_kinds_of_chunks(void)
{
	create(2);
	EDIT_BITMAP('b', b->chunk_bytes = 2 * MIB);
	is_u64((uint64_t)judge("ab"), 0, "two kinds of chunks");
	start("ab");
	ok(bm_superblock(arr_bitmap(array))->state & FMT_BITMAP_STALE, "one replaces the other, STALE first");
	settle(20000);
	is_u64(bitmap_of('b').chunk_bytes, MIB, "then both have the same");
	is_u64(bitmap_of('b').state, 0, "and are believed");
	is_u64(bm_events_cleared(arr_bitmap(array)), 17, "nothing was lost, so events_cleared stays");
	stop();
}

int main(void)
{
	in_every_minor(SB1_0, -16);
	in_every_minor(SB1_1, 8);
	in_every_minor(SB1_2, 8);
	what_does_not_fit();
	behind_the_log();
	cut_while_it_was_named();
	cut_with_two_kinds_of_chunks();
	return tap_end();
}
