/* Goal: the bitmap of the believed member is read, or that of an equal one when it is broken; with none the array
 * does not start; nobody gets a bitmap at a place that its own superblock does not name.
 * Method: bitmap superblocks broken in turn, members without the bitmap's feature bit, bitmaps that reach into data.
 * Law: I7, I9.
 * Source: design 4; docs/differences.md, bad-bitmap-copy. */
#include "mirror.h"

static void one_is_broken(void)
{
	uint32_t member;
	member_off at;
	uint64_t len;

	create(2);
	ok(judge("ab") == 0 && asm_bitmap_to_read(m, &plan, &member, &at, &len), "there is a bitmap to read");
	ok(member == 0 && at.bytes == disks[0].bitmap_at.bytes && len == 256 + 8,
	   "of the first, 63 bits behind 256 bytes");
	disks[0].bitmap[0] ^= 1;
	is_u64(judge("ab"), 0, "the believed member's copy is broken");
	is_u64(plan.bitmap_member, 1, "so the other's is read");
	at_event("a", 18);
	judge("ab");
	REFUSED(UMD_E_BAD_BITMAP, "but not an older one", "disk-a");
	create(2);
	disks[0].bitmap[0] ^= 1;
	disks[1].bitmap[0] ^= 1;
	judge("ab");
	REFUSED(UMD_E_BAD_BITMAP, "both are broken", "disk-a");
	create(2);
	disks[1].bitmap[0] ^= 1;
	is_u64(judge("ab"), 0, "the other's copy does not matter");

	create(2);
	disks[0].bitmap[0] ^= 1;
	told_by("a", 1, FMT_ROLE_SPARE);
	told_by("b", 0, FMT_ROLE_SPARE);
	options.prefer = "disk-a";
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_BAD_BITMAP, "a copy of another story is no help");

	create(2);
	disks[0].bitmap[0] ^= 1;
	EDIT('b', s->size_sectors = 9);
	is_u64((uint64_t)judge("ab"), (uint64_t)UMD_E_BAD_BITMAP, "nor one whose bits cover less (found by fuzzing)");
}

static void no_place_for_it(void)
{
	create(2);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_FAULTY);
	EDIT('b', s->feature_map &= ~(uint32_t)FMT_SB1_BITMAP);
	is_u64(judge("ab"), 0, "a member from before the array had a bitmap");
	is_verdict(1, ASM_STALE_BITMAP, "gets it where the others have it");
	start("ab");
	is_u64(status()->members[1].bitmap_at.bytes, 8192, "at the reference's distance from the superblock");
	is_u64((uint64_t)admit('b', ASM_ADMIT_READD), (uint64_t)UMD_E_READD_REFUSED, "it cannot be re-added");
	stop();

	create(2);
	EDIT('b', s->feature_map &= ~(uint32_t)FMT_SB1_BITMAP; s->data_offset_sectors = 16);
	judge("ab");
	is_verdict(1, ASM_UNUSABLE, "where the others have it this member has its data: it is not written");
	ok(strstr(plan.reasons[1], "data"), "%s", plan.reasons[1]);

	create(2);
	EDIT('b', s->bitmap_offset_sectors = (int32_t)s->data_offset_sectors - 8);
	judge("ab");
	is_verdict(1, ASM_UNUSABLE, "a place inside the data area is not written");
	ok(strstr(plan.reasons[1], "data"), "%s", plan.reasons[1]);

	create(2);
	disks[2] = disks[1];
	EDIT('c', s->dev_number = 2; s->feature_map = 0; memset(s->device_uuid, 9, 16));
	is_u64(judge("abc"), 0, "a spare whose superblock names none");
	is_verdict(2, ASM_SPARE, "gets it there as well");
}

static void stale_ones(void)
{
	create(2);
	set_bit('a', 5);
	EDIT_BITMAP('a', b->events = 16);
	EDIT('a', s->resync_offset_sectors = 0);
	EDIT('b', s->resync_offset_sectors = 0);
	ok(judge("ab") == 0 && plan.bitmap_is_stale, "a bitmap older than the array is out of date");
	is_u64(asm_bytes_in_full(m, &plan), 63 * MIB, "a dirty array is copied whole");
	ok(strstr(plan.reason, "out of date"), "%s", plan.reason);
	start("ab");
	settle(0);
	is_u64(status()->last.bytes_copied, 63 * MIB, "as it is");
	ok(bitmap_of('b').events_cleared >= 17, "nobody older may return by this bitmap");
	stop();

	create(2);
	EDIT_BITMAP('a', b->events = 16);
	judge("ab");
	ok(plan.bitmap_is_stale && plan.action == ASM_NOTHING,
	   "a clean array has nothing to copy, whatever its bitmap");
}

int main(void)
{
	one_is_broken();
	no_place_for_it();
	stale_ones();
	return tap_end();
}
