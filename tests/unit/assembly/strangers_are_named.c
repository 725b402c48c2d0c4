/* Goal: a member without a version-1 superblock is refused with a sentence that says what is there instead.
 * Method: 0.90 superblocks in both byte orders, a bitmap file, zeroes, and a broken superblock that must keep its
 * reason. Law: I9. Source: words 0 to 2 of a 0.90 superblock are magic, 0 and 90 in the host's order. */
#include "assembly/assembly.h"
#include "base/le.h"
#include "tap.h"

static uint8_t place[4096], first[4096];

static void named(int code, const char *wanted)
{
	struct asm_member m = { .path = "m", .size_bytes = 16 << 20 };

	asm_take_superblock_090(&m, (member_off){ 0 }, place);
	asm_name_the_stranger(&m, first);
	if (!ok(m.error.code == code && strstr(m.error.text, wanted) && !strncmp(m.error.text, "m: ", 3) &&
			!m.has_superblock,
		"%s", m.error.text))
		printf("# wanted \"%s\" with %s, got %s\n", wanted, err_name(code), err_name(m.error.code));
}

static void put_090(bool is_big)
{
	static const uint32_t words[] = { FMT_SB1_MAGIC, 0, 90 };

	for (int i = 0; i < 3; i++)
		le_put(place + 4 * i, 4, is_big ? __builtin_bswap32(words[i]) : words[i]);
}

int main(void)
{
	struct asm_member m = { .path = "m", .size_bytes = 16 << 20 };
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	named(UMD_E_NO_SUPERBLOCK, "no md superblock was found");
	le_put(first, 4, FMT_BITMAP_MAGIC);
	le_put(first + 4, 4, 4);
	named(UMD_E_NO_SUPERBLOCK, "a bitmap file of version 4");
	put_090(false);
	named(UMD_E_NOT_SUPPORTED, "0.90 (little-endian)");
	put_090(true);
	named(UMD_E_NOT_SUPPORTED, "0.90 (big-endian)");
	le_put(place + 8, 4, 91);
	le_put(first, 4, 0);
	named(UMD_E_NO_SUPERBLOCK, "no md superblock was found");

	asm_name_the_stranger(&m, NULL);
	is_u64(m.error.code, UMD_E_NO_SUPERBLOCK, "a member too small to read has no superblock");

	le_put(raw, 4, FMT_SB1_MAGIC);
	le_put(raw + 4, 4, 2);
	asm_take_superblock(&m, SB1_1, (member_off){ 0 }, raw);
	put_090(false);
	asm_take_superblock_090(&m, (member_off){ 0 }, place);
	asm_name_the_stranger(&m, first);
	ok(m.error.code == UMD_E_BAD_SUPERBLOCK && strstr(m.error.text, "major version 2"),
	   "a broken superblock keeps its reason: %s", m.error.text);
	return tap_end();
}
