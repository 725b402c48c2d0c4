/* The version-1 superblock: decode, check, encode, and the address book on what is believed.
 *
 * Input: 8 bytes member size, 1 minor version, 3 unused, 4 slots; 256 bytes bitmap superblock; the superblock.
 * Properties: a refusal is a sentence; what is believed encodes to the very bytes it was read from, lies where it says,
 * and none of its areas leaves the member or touches another one (laws I7, I9); a bitmap that fits really does. */
#include <string.h>

#include "fuzz.h"
#include "sound.h"

#include "base/le.h"

enum { HEAD_BYTES = 16, SUPER_AT = HEAD_BYTES + FMT_BITMAP_SB_BYTES, MAX_DEV_AT = 220, CSUM_AT = 216 };

static void mend(uint8_t *record, size_t len)
{
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	memcpy(raw, record, len < sizeof raw ? len : sizeof raw);
	if (len >= FMT_SB1_FIXED_BYTES && le_get(raw + MAX_DEV_AT, 4) <= FMT_SB1_MAX_DEV)
		le_put(record + CSUM_AT, 4, fmt_sb1_checksum(raw));
}

size_t fuzz_find_records(const uint8_t *data, size_t size, struct fuzz_record ret[FUZZ_RECORDS_MAX])
{
	if (size < SUPER_AT + FMT_SB1_FIXED_BYTES)
		return 0;
	ret[0] = (struct fuzz_record){ SUPER_AT, size - SUPER_AT, fuzz_sb1_fields, fuzz_sb1_field_count, mend };
	ret[1] = (struct fuzz_record){ HEAD_BYTES, FMT_BITMAP_SB_BYTES, fuzz_bitmap_fields, fuzz_bitmap_field_count,
				       NULL };
	return 2;
}

static void encodes_to_itself(const struct sb1 *sb, const uint8_t raw[FMT_SB1_BYTES])
{
	uint8_t again[FMT_SB1_BYTES];

	memset(again, 0x5a, sizeof again);
	fmt_sb1_encode(sb, again);
	FUZZ_MUST(!memcmp(raw, again, fmt_sb1_valid_bytes(sb)));
	FUZZ_MUST(sb->csum == fmt_sb1_checksum(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint8_t raw[FMT_SB1_BYTES], bitmap_raw[FMT_BITMAP_SB_BYTES];
	uint64_t member_bytes = fuzz_take(&in, 8);
	enum sb1_minor minor = (enum sb1_minor)(fuzz_take(&in, 1) % 3);
	uint32_t slots = (fuzz_take(&in, 3), fuzz_take(&in, 4));
	struct err err = { 0 };
	struct bitmap_sb bm;
	static struct sb1 sb;
	member_off at;

	fuzz_take_bytes(&in, bitmap_raw, sizeof bitmap_raw);
	fuzz_take_bytes(&in, raw, sizeof raw);
	if (!lay_super(minor, member_bytes, &at))
		return 0;
	FUZZ_MUST(at.bytes < member_bytes);
	fmt_sb1_decode(raw, minor, &sb);
	if (fmt_sb1_check(&sb, raw, at, member_bytes, &err) < 0) {
		FUZZ_MUST(fuzz_is_sentence(&err));
		return 0;
	}
	FUZZ_MUST(sb.super_offset_sectors == at.bytes / SECTOR_BYTES);
	encodes_to_itself(&sb, raw);
	sound_superblock(&sb, member_bytes);
	fmt_bitmap_sb_decode(bitmap_raw, &bm);
	if (fmt_bitmap_sb_check(&bm, NULL, NULL) < 0)
		return 0;
	if (lay_bitmap_fits(&sb, &bm, slots, member_bytes, &err) == 0)
		sound_bitmap(&sb, &bm, slots, member_bytes);
	else
		FUZZ_MUST(fuzz_is_sentence(&err));
	return 0;
}
