/* The bitmap superblock, versions 3 to 6: decode, check, encode, and the numbers that follow from it.
 *
 * Input: the 256 bytes; 16 of an array's uuid; a chunk. Properties: a refusal is a sentence; what is believed has
 * chunks and bytes that do not wrap and cover the sync size exactly; encode and decode agree but for the flags that
 * are never written; a chunk's bit lies in the bitmap, and no two chunks share one (law I9). */
#include <string.h>

#include "fuzz.h"
#include "sound.h"

static void encodes_to_itself(const struct bitmap_sb *sb)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	struct bitmap_sb wanted = *sb, again;

	wanted.state &= ~(uint32_t)(FMT_BITMAP_WRITE_ERROR | 1 << 5);
	if (!wanted.daemon_sleep_s)
		wanted.daemon_sleep_s = 5;
	fmt_bitmap_sb_encode(sb, raw);
	fmt_bitmap_sb_decode(raw, &again);
	FUZZ_MUST(!memcmp(&wanted, &again, sizeof again));
}

static void bits_are_apart(const struct bitmap_sb *sb, uint64_t chunk)
{
	uint64_t chunks = fmt_bitmap_chunks(sb);
	struct bitmap_bit one, next;

	if (!chunks || fmt_bitmap_is_lockless(sb))
		return;
	chunk %= chunks;
	one = fmt_bitmap_bit((chunk_no){ chunk }, true);
	next = fmt_bitmap_bit((chunk_no){ chunk + 1 }, true);
	FUZZ_MUST(one.byte >= FMT_BITMAP_SB_BYTES && one.byte < fmt_bitmap_bytes(sb) && one.bit < 8);
	FUZZ_MUST((u128)one.byte * 8 + one.bit + 1 == (u128)next.byte * 8 + next.bit);
	FUZZ_MUST(fmt_bitmap_page_of((chunk_no){ chunk }, true) == one.byte / 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint8_t raw[FMT_BITMAP_SB_BYTES], uuid[16];
	struct err err = { 0 };
	struct bitmap_sb sb;

	fuzz_take_bytes(&in, raw, sizeof raw);
	fuzz_take_bytes(&in, uuid, sizeof uuid);
	fmt_bitmap_sb_decode(raw, &sb);
	if (fmt_bitmap_sb_check(&sb, uuid, &err) < 0)
		FUZZ_MUST(fuzz_is_sentence(&err));
	else
		FUZZ_MUST(!memcmp(sb.uuid, uuid, sizeof uuid));
	encodes_to_itself(&sb);
	if (fmt_bitmap_sb_check(&sb, NULL, NULL) < 0)
		return 0;
	sound_bitmap_numbers(&sb);
	bits_are_apart(&sb, fuzz_take(&in, 8));
	return 0;
}
