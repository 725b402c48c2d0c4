/* The 0.90 superblock: decode, check, and its facts in version 1's terms.
 *
 * Input: 8 bytes member size; 4096 the superblock; 256 a bitmap superblock. Properties: a refusal is a sentence; what
 * is believed has its areas on the member (laws I7, I9); the same superblock written by a host of the other byte order
 * is believed, or refused, alike and gives the same facts. */
#include <string.h>

#include "fuzz.h"
#include "sound.h"

#include "base/le.h"
#include "format/sb0.h"

enum { HEAD_BYTES = 8, CSUM_AT = 38 * 4, WORD_BYTES = 4 };

static void mend(uint8_t *record, size_t len)
{
	struct sb0 sb;

	if (len < FMT_SB0_BYTES)
		return;
	fmt_sb0_decode(record, &sb);
	sb.csum = fmt_sb0_checksum(record, sb.is_big_endian);
	le_put(record + CSUM_AT, WORD_BYTES, sb.is_big_endian ? __builtin_bswap32(sb.csum) : sb.csum);
}

size_t fuzz_find_records(const uint8_t *data, size_t size, struct fuzz_record ret[FUZZ_RECORDS_MAX])
{
	if (size < HEAD_BYTES + FMT_SB0_BYTES)
		return 0;
	ret[0] = (struct fuzz_record){ HEAD_BYTES, FMT_SB0_BYTES, fuzz_sb0_fields, fuzz_sb0_field_count, mend };
	if (size < HEAD_BYTES + FMT_SB0_BYTES + FMT_BITMAP_SB_BYTES)
		return 1;
	ret[1] = (struct fuzz_record){ HEAD_BYTES + FMT_SB0_BYTES, FMT_BITMAP_SB_BYTES, fuzz_bitmap_fields,
				       fuzz_bitmap_field_count, NULL };
	return 2;
}

static void turn_word(const uint8_t *from, uint8_t *to)
{
	for (int i = 0; i < WORD_BYTES; i++)
		to[i] = from[WORD_BYTES - 1 - i];
}

/* As the other kind of host would have written it: every word turned, and the halves of long numbers exchanged. */
static void turn(const uint8_t raw[FMT_SB0_BYTES], uint8_t ret[FMT_SB0_BYTES])
{
	for (unsigned at = 0; at < FMT_SB0_BYTES; at += WORD_BYTES)
		turn_word(raw + at, ret + at);
#define TURN_u(word)
#define TURN_s(word)
#define TURN_p(word)
#define TURN_d(word)
#define TURN_l(word)                                                                               \
	turn_word(raw + 4 * (word), ret + 4 * (word) + 4);                                         \
	turn_word(raw + 4 * (word) + 4, ret + 4 * (word));
#define F(kind, word, words, field, meaning) TURN_##kind(word)
#include "format/sb0.def"
#undef F
}

static void byte_order_does_not_matter(const uint8_t raw[FMT_SB0_BYTES], struct sb0 sb, member_off at,
				       uint64_t member_bytes)
{
	uint8_t turned[FMT_SB0_BYTES];
	struct sb0 other;
	struct err one = { 0 }, two = { 0 };

	turn(raw, turned);
	fmt_sb0_decode(turned, &other);
	FUZZ_MUST(fmt_sb0_check(&sb, raw, at, member_bytes, &one) ==
		  fmt_sb0_check(&other, turned, at, member_bytes, &two));
	FUZZ_MUST(!strcmp(one.text, two.text) && sb.is_big_endian != other.is_big_endian);
	other.is_big_endian = sb.is_big_endian;
	FUZZ_MUST(!memcmp(&sb, &other, sizeof sb));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint8_t raw[FMT_SB0_BYTES], bitmap_raw[FMT_BITMAP_SB_BYTES];
	uint64_t member_bytes = fuzz_take(&in, 8);
	static struct sb1 shown;
	struct err err = { 0 };
	struct bitmap_sb bm;
	struct sb0 sb;
	member_off at;

	fuzz_take_bytes(&in, raw, sizeof raw);
	fuzz_take_bytes(&in, bitmap_raw, sizeof bitmap_raw);
	if (!lay_super_090(member_bytes, &at))
		return 0;
	FUZZ_MUST(at.bytes < member_bytes && member_bytes - at.bytes >= FMT_SB0_BYTES);
	memset(&sb, 0, sizeof sb);
	fmt_sb0_decode(raw, &sb);
	if (sb.magic == FMT_SB1_MAGIC)
		byte_order_does_not_matter(raw, sb, at, member_bytes);
	if (fmt_sb0_check(&sb, raw, at, member_bytes, &err) < 0) {
		FUZZ_MUST(fuzz_is_sentence(&err));
		return 0;
	}
	fmt_sb0_as_sb1(&sb, at, &shown);
	FUZZ_MUST(shown.minor == SB_090 && shown.dev_number < shown.max_dev && shown.raid_disks <= FMT_SB0_DISKS_MAX);
	sound_superblock(&shown, member_bytes);
	fmt_bitmap_sb_decode(bitmap_raw, &bm);
	if (fmt_bitmap_sb_check(&bm, NULL, NULL) == 0 && lay_bitmap_fits(&shown, &bm, 1, member_bytes, NULL) == 0)
		sound_bitmap(&shown, &bm, 1, member_bytes);
	return 0;
}
