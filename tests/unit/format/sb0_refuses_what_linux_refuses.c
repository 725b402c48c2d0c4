/* Goal: a 0.90 superblock that cannot be true is refused with one sentence, whatever its other bytes are.
 * Method: one word changed at a time, checksum made right again, both byte orders; then random words.
 * Law: I7, I9.
 * Source: md's load checks (magic, version, checksum, slots, size); the sanitizers watch the random ones. */
#include "sb0_vectors.h"

#include "base/prng.h"

enum { ROUNDS = 20000, MEMBER_BYTES = 16 << 20 };

static uint8_t raw[FMT_SB0_BYTES];
static struct sb0 sb;
static struct sb1 shown;
static bool big;

static void verdict(int wanted, const char *in_sentence, const char *what)
{
	struct err err = { 0 };
	int rc;

	fmt_sb0_decode(raw, &sb);
	rc = fmt_sb0_check(&sb, raw, (member_off){ SB0_AT }, MEMBER_BYTES, &err);
	if (!ok(rc == wanted && strstr(err.text, in_sentence), "%s: %s", what, wanted ? "refused" : "believed"))
		printf("# %d %s: %s\n", rc, err_name(rc), err.text);
}

static void patched(unsigned word, uint32_t value, int wanted, const char *in_sentence, const char *what)
{
	sb0_load(sb0_crashed, big, raw);
	sb0_patch(raw, big, word, value);
	verdict(wanted, in_sentence, what);
}

static void one_word(void)
{
	patched(0, 0x12345678, UMD_E_NO_SUPERBLOCK, "instead of 0xa92b4efc", "another magic");
	patched(1, 1, UMD_E_NO_SUPERBLOCK, "version 1.90 instead of 0.90", "major version 1");
	patched(2, 89, UMD_E_NO_SUPERBLOCK, "version 0.89", "minor version 89");
	patched(2, 91, 0, "", "minor version 91");
	patched(2, 92, UMD_E_NO_SUPERBLOCK, "version 0.92", "minor version 92");
	patched(9, 28, UMD_E_BAD_SUPERBLOCK, "28 disks, at most 27", "28 disks");
	patched(10, 28, UMD_E_BAD_SUPERBLOCK, "28 slots, 1 to 27", "28 slots");
	patched(10, 0, UMD_E_BAD_SUPERBLOCK, "0 slots", "no slot");
	patched(10, 27, 0, "", "27 slots");
	patched(992, 27, UMD_E_BAD_SUPERBLOCK, "number 27, there are 27", "own descriptor 27");
	patched(992, 26, 0, "", "own descriptor 26");
	patched(8, 16320, 0, "", "all the room in front of it");
	patched(8, 16321, UMD_E_BAD_SUPERBLOCK, "16321 KiB and there are 16320", "a KiB more");
	patched(7, 0, 0, "", "RAID0");
	patched(7, UINT32_MAX, 0, "", "linear, level -1");
	sb0_load(sb0_crashed, big, raw);
	sb0_patch(raw, big, 7, 0);
	sb0_patch(raw, big, 8, UINT32_MAX);
	verdict(0, "", "RAID0, where the size means nothing");
	sb0_load(sb0_crashed, big, raw);
	word_put(raw, 100, 1, big);
	verdict(UMD_E_BAD_CHECKSUM, "checksum 0x8e131a63 is stored, its bytes give 0x8e131a64",
		"a word that was changed");
}

static void ends(void)
{
	sb0_load(sb0_crashed, false, raw);
	fmt_sb0_decode(raw, &sb);
	is_u64(fmt_sb0_check(&sb, raw, (member_off){ SB0_AT }, SB0_AT + 4095, NULL), UMD_E_BAD_SUPERBLOCK,
	       "a member that ends inside of it");
	is_u64(fmt_sb0_check(&sb, raw, (member_off){ SB0_AT }, SB0_AT + 4096, NULL), 0, "one that ends with it");
}

static bool is_sound(struct prng *r, uint64_t member_bytes)
{
	struct bitmap_sb bm = { .version = 3 + prng_below(r, 4), .chunk_bytes = 512u << prng_below(r, 20) };
	struct span data;

	fmt_sb0_as_sb1(&sb, (member_off){ SB0_AT }, &shown);
	lay_bitmap_fits(&shown, &bm, prng_next(r), member_bytes, NULL);
	lay_array_sectors(&shown);
	data = lay_data(&shown);
	return shown.dev_number < shown.max_dev && (shown.level < 1 || data.len_bytes <= SB0_AT);
}

static void random_words(void)
{
	struct prng r = prng_seed(90);
	unsigned unsound = 0, believed = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned changes = prng_below(&r, 6);
		struct err err = { 0 };

		big = prng_below(&r, 2);
		sb0_load(prng_below(&r, 2) ? sb0_crashed : sb0_degraded, big, raw);
		while (changes--)
			sb0_patch(raw, big, prng_below(&r, SB0_WORDS), prng_next(&r) >> prng_below(&r, 64));
		fmt_sb0_decode(raw, &sb);
		fmt_sb0_as_sb1(&sb, (member_off){ SB0_AT }, &shown);
		if (fmt_sb0_check(&sb, raw, (member_off){ SB0_AT }, MEMBER_BYTES, &err) < 0) {
			unsound += !err.text[0];
			continue;
		}
		believed++;
		unsound += !is_sound(&r, MEMBER_BYTES);
	}
	is_u64(unsound, 0, "every superblock is refused with a sentence or sound");
	ok(believed > ROUNDS / 20 && believed < ROUNDS, "some are believed: %u of %d", believed, ROUNDS);
}

int main(void)
{
	for (unsigned i = 0; i < 2; i++) {
		big = i;
		one_word();
	}
	ends();
	random_words();
	return tap_end();
}
