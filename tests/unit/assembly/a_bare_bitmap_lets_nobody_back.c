/* Goal: beside superblocks a bitmap without one is named by nobody, lies at the same distance from the superblock of
 * everybody who joins, and lets nobody back: who left before it came would get what was marked since, and no more.
 * Method: mirrors with superblocks get such a bitmap while they run; members leave before and after, and are offered
 * again; places that are not free. Superblocks and bits are looked at where they lie.
 * Law: I2, I4, I7.
 * Source: issue "Externally managed metadata", item 3; spec bitmap 2.4, P8b. */
#include "mirror.h"

#include <errno.h>

static struct asm_bitmap_plan wished;
static struct err why;

static int wish(int64_t distance, uint64_t chunk)
{
	struct asm_bitmap_wish w = { .kind = ASM_BITMAP_BARE, .distance_sectors = distance, .chunk_bytes = chunk };

	why = (struct err){ 0 };
	return asm_plan_bitmap(lineage, array, &w, &wished, &why);
}

/* All bits clear, as on new disks. */
static void give(int64_t distance)
{
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap_at = wished.at };

	is_u64((uint64_t)wish(distance, MIB), 0, "%+d sectors are free %s", (int)distance, why.text);
	ev.bitmap = bm_new_bare(status()->size_bytes, MIB, 5000, NULL, 0);
	ok(ev.bitmap && bm_load(ev.bitmap, BM_LOAD_CLEAN, (array_off){ 0 }, false) == 0, "an empty bitmap");
	for (uint32_t i = 0; i < status()->member_count; i++)
		if (entries[i] != '-')
			disks[entries[i] - 'a'].bitmap_at = wished.at[i];
	is_u64((uint64_t)step(&ev), 0, "is set");
	settle(0);
	is_u64((uint64_t)status()->bitmap_change, 0, "and the array has it");
}

static void run(enum sb1_minor minor)
{
	create_as(minor, 2, false, 0x40);
	options = (struct asm_options){ 0 };
	is_u64((uint64_t)judge("ab"), 0, "1.%d: no bitmap", minor);
	start("ab");
}

static bool lacks_name(const char *names)
{
	for (; *names; names++)
		if (super_of(*names).feature_map & FMT_SB1_BITMAP)
			return false;
	return true;
}

static void leave(char name)
{
	is_u64((uint64_t)control(ARR_EV_FAIL, name), 0, "%c fails", name);
	is_u64((uint64_t)control(ARR_EV_REMOVE, name), 0, "and is removed");
}

static void takes_a_slot(char name)
{
	is_u64((uint64_t)admit(name, ASM_ADMIT_ADD), 0, "%c joins", name);
	settle(60000);
	is_u64(status()->degraded, 0, "and is recovered");
}

/* Its number of events is above events_cleared, which counts from 0: that must not be enough. */
static void one_that_left_before(void)
{
	run(SB1_2);
	leave('b');
	write_at(MIB);
	blank('c', MEMBER_BYTES);
	takes_a_slot('c');
	give(64);
	write_at(9 * (uint64_t)MIB);
	leave('c');
	is_u64((uint64_t)admit('b', ASM_ADMIT_READD), (uint64_t)UMD_E_READD_REFUSED, "b left before it: %s", said.text);
	ok(strstr(said.text, "no superblock") && strstr(said.text, "--add"), "and is told what would go on");
	is_u64((uint64_t)admit('c', ASM_ADMIT_READD), (uint64_t)UMD_E_READD_REFUSED, "c left after it: %s", said.text);
	is_u64((uint64_t)admit('b', ASM_ADMIT_ADD), 0, "as a new device b comes");
	ok(strstr(sentence, "everything is copied"), "%s", sentence);
	stop();
	ok(lacks_name("abc"), "no superblock names a bitmap");
}

static void one_that_joins(enum sb1_minor minor, int64_t distance)
{
	struct sb1 sb;

	run(minor);
	give(distance);
	leave('b');
	write_at(3 * (uint64_t)MIB);
	blank('c', MEMBER_BYTES);
	disks[2].made.sb.minor = minor;
	disks[2].super_at = disks[0].super_at;
	is_u64((uint64_t)admit('c', ASM_ADMIT_ADD), 0, "1.%d: c joins", minor);
	settle(0);
	sb = super_of('c');
	ok(disks[2].bitmap_at.bytes == (uint64_t)((int64_t)sb.super_offset_sectors + distance) * SECTOR_BYTES,
	   "and has the bitmap at the same distance");
	is_u64(disks[2].bitmap[0], 1 << 3, "with the bit of what was written");
	settle(60000);
	is_u64(status()->degraded, 0, "it is recovered");
	is_u64(disks[2].bitmap[0], 1 << 3, "no bit goes without its owner's word");
	ok(!status()->can_clear, "which is asked for");
	stop();
	ok(lacks_name("ac"), "no superblock names a bitmap");
	is_u64((uint64_t)judge("ac"), 0, "it starts %s", plan.refusal.text);
	ok(!plan.has_bitmap, "as a plain array");
}

static void what_is_not_free(void)
{
	static const int64_t wrong[] = { 1, 4, 20, -8, 2040, 1 << 20 };

	run(SB1_2);
	for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		is_u64((uint64_t)wish(wrong[i], MIB), (uint64_t)-EINVAL, "%s", why.text);
	is_u64((uint64_t)wish(2032, 512), (uint64_t)-EINVAL, "%s", why.text);
	stop();

	create_as(SB1_2, 2, false, 0x40);
	EDIT('a', s->data_offset_sectors = 8192; s->data_size_sectors = s->size_sectors = 40000);
	EDIT('b', s->data_offset_sectors = 8192; s->data_size_sectors = s->size_sectors = 40000);
	is_u64((uint64_t)judge("ab"), 0, "much room before the data");
	start("ab");
	give(4096);
	leave('b');
	blank('c', MEMBER_BYTES);
	is_u64((uint64_t)admit('c', ASM_ADMIT_ADD), (uint64_t)-ENOSPC, "%s", said.text);
	ok(strstr(said.text, "disk-c") && strstr(said.text, "+4096"), "with both places");
	stop();
}

int main(void)
{
	one_that_left_before();
	one_that_joins(SB1_2, 64);
	one_that_joins(SB1_1, 64);
	one_that_joins(SB1_0, -64);
	what_is_not_free();
	return tap_end();
}
