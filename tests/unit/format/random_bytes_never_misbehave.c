/* Goal: no bytes on a disk can make the format room crash, wrap or believe too much.
 * Method: random superblocks, with and without right magic and checksum, and single changes of good ones, are decoded,
 * checked, and when believed laid out; random fields go through encode and decode unchanged. Law: I7, I9. Source:
 * design 4. The sanitizers watch. */
#include "vectors.h"

#include "base/prng.h"

enum { ROUNDS = 20000 };

static uint8_t raw[FMT_SB1_BYTES];
static struct sb1 sb, sb_again;
static struct prng r;

static void fill(void *p, size_t len)
{
	uint8_t *bytes = p;

	for (size_t i = 0; i < len; i++)
		bytes[i] = prng_next(&r);
}

/* What a believed superblock promises to the rooms above. */
static bool is_sound(uint64_t member_bytes)
{
	struct span data = lay_data(&sb), log = { { 0 }, 0 };
	struct bitmap_sb bm = { .version = 3 + prng_below(&r, 4), .chunk_bytes = 512u << prng_below(&r, 20),
				.sync_size_sectors = prng_next(&r), .sectors_reserved = prng_next(&r),
				.state = prng_next(&r) };

	lay_bitmap_fits(&sb, &bm, prng_next(&r) >> prng_below(&r, 64), member_bytes, NULL);
	lay_slot((member_off){ prng_next(&r) }, bm.sync_size_sectors, bm.chunk_bytes, prng_next(&r));
	lay_log_is_inside_bitmap(&sb, &bm, &log);
	lay_array_sectors(&sb);
	if ((sb.feature_map & FMT_SB1_BAD_BLOCKS) &&
	    (!lay_bad_blocks(&sb, &log) || log.at.bytes + log.len_bytes > member_bytes))
		return false;
	return data.at.bytes + data.len_bytes >= data.at.bytes && data.at.bytes + data.len_bytes <= member_bytes;
}

static void random_superblocks(void)
{
	unsigned unsound = 0, accepted = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		static const struct vector_row *const vectors[] = { vector_a, vector_b, vector_c };
		static const uint64_t places[] = { 16769024, 0, 4096 };
		unsigned which = prng_below(&r, 3);
		unsigned changes = prng_below(&r, 4);
		struct err err = { 0 };

		vector_load(vectors[which], raw);
		if (prng_below(&r, 8) == 0)
			fill(raw, sizeof raw);
		while (changes--) {
			unsigned width = 1u << prng_below(&r, 4);

			le_put(raw + prng_below(&r, 252), width, prng_next(&r) >> prng_below(&r, 64));
		}
		if (le_get(raw + 220, 4) <= FMT_SB1_MAX_DEV && prng_below(&r, 8))
			le_put(raw + 216, 4, fmt_sb1_checksum(raw));
		fmt_sb1_decode(raw, (enum sb1_minor)which, &sb);
		if (fmt_sb1_check(&sb, raw, (member_off){ places[which] }, VECTOR_MEMBER_BYTES, &err) < 0) {
			unsound += !err.text[0];
			continue;
		}
		accepted++;
		unsound += !is_sound(VECTOR_MEMBER_BYTES);
	}
	is_u64(unsound, 0, "every superblock is refused with a sentence or sound");
	ok(accepted > ROUNDS / 20 && accepted < ROUNDS, "some are believed: %u of %d", accepted, ROUNDS);
}

static void superblocks_round_trip(void)
{
	unsigned differ = 0;

	for (unsigned round = 0; round < 2000; round++) {
		fill(raw, sizeof raw);
		le_put(raw + 220, 4, prng_below(&r, FMT_SB1_MAX_DEV + 1));
		fmt_sb1_decode(raw, SB1_2, &sb);
		fill(raw, sizeof raw);
		fmt_sb1_encode(&sb, raw);
		fmt_sb1_decode(raw, SB1_2, &sb_again);
		sb.csum = sb_again.csum;	/* made anew by the encoding */
		differ += memcmp(&sb, &sb_again, sizeof sb) != 0 || sb_again.csum != fmt_sb1_checksum(raw);
	}
	is_u64(differ, 0, "all fields of 2000 random superblocks survive encode and decode");
}

static void bitmap_superblocks(void)
{
	uint8_t bytes[FMT_BITMAP_SB_BYTES];
	struct bitmap_sb bm, again;
	unsigned differ = 0, unsound = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct err err = { 0 };

		fill(bytes, sizeof bytes);
		if (prng_below(&r, 2)) {
			le_put(bytes, 4, FMT_BITMAP_MAGIC);
			le_put(bytes + 4, 4, 2 + prng_below(&r, 6));
			le_put(bytes + 52, 4, UINT32_C(1) << prng_below(&r, 32));
			le_put(bytes + 60, 4, prng_below(&r, 20000));
		}
		fmt_bitmap_sb_decode(bytes, &bm);
		if (fmt_bitmap_sb_check(&bm, NULL, &err) == 0)
			unsound += fmt_bitmap_bytes(&bm) < FMT_BITMAP_SB_BYTES ||
				   fmt_bitmap_chunks(&bm) > bm.sync_size_sectors;
		else
			unsound += !err.text[0];
		bm.state &= ~(uint32_t)(FMT_BITMAP_WRITE_ERROR | 1 << 5);
		bm.daemon_sleep_s |= 1;
		fmt_bitmap_sb_encode(&bm, bytes);
		fmt_bitmap_sb_decode(bytes, &again);
		differ += memcmp(&bm, &again, sizeof bm) != 0;
	}
	is_u64(unsound, 0, "every bitmap superblock is refused with a sentence or sound");
	is_u64(differ, 0, "all fields survive encode and decode");
}

static void bad_block_logs(void)
{
	static uint8_t log_bytes[FMT_BAD_BLOCK_LOG_BYTES];
	static struct bad_block found[FMT_BAD_BLOCKS_MAX];
	unsigned unsound = 0;

	for (unsigned round = 0; round < 2000; round++) {
		uint32_t len = prng_below(&r, sizeof log_bytes + 1), count;

		fill(log_bytes, sizeof log_bytes);
		count = fmt_bad_blocks_decode(log_bytes, len, prng_next(&r), found);
		unsound += count > len / 8;
		for (uint32_t i = 0; i < count; i++)
			unsound += !found[i].len_sectors;
	}
	is_u64(unsound, 0, "random logs give at most their entries, none of length 0");
}

int main(void)
{
	r = prng_seed(20260724);
	random_superblocks();
	superblocks_round_trip();
	bitmap_superblocks();
	bad_block_logs();
	return tap_end();
}
