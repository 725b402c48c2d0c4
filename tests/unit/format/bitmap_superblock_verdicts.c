/* Goal: a bitmap superblock is refused for what Linux refuses, except where Linux is wrong.
 * Method: one field patched at a time, as it was done on disk before Linux was asked.
 * Law: I9.
 * Source: verdicts of Linux 6.1 on the same patched bytes (EINVAL, or accepted). */
#include "vectors.h"

static uint8_t raw[FMT_BITMAP_SB_BYTES];
static uint8_t array_uuid[16];

static int verdict(unsigned at, unsigned width, uint64_t value, struct err *err)
{
	struct bitmap_sb sb;

	memset(raw, 0, sizeof raw);
	bytes_of_hex("6269746d 04000000 11223344 55667788 99aabbcc ddeeff00 02000000 00000000"
		     " 00000000 00000000 00f80300 00000000 00000000 00004000 05000000 00000000 00000000 00000000", raw);
	memcpy(array_uuid, raw + 8, 16);
	le_put(raw + at, width, value);
	fmt_bitmap_sb_decode(raw, &sb);
	return fmt_bitmap_sb_check(&sb, array_uuid, err);
}

static void patched(unsigned at, unsigned width, uint64_t value, int wanted, const char *in_sentence, const char *what)
{
	struct err err = { 0 };
	int rc = verdict(at, width, value, &err);

	if (!ok(rc == wanted && strstr(err.text, in_sentence), "%s: %s", what, wanted ? "refused" : "may be used"))
		printf("# %d %s: %s\n", rc, err_name(rc), err.text);
}

int main(void)
{
	patched(0, 1, 0, UMD_E_BAD_BITMAP, "magic 0x6d746900 instead of 0x6d746962", "another magic");
	patched(4, 4, 2, UMD_E_BAD_BITMAP, "version 2", "version 2");
	patched(4, 4, 3, 0, "", "version 3");
	patched(4, 4, 5, 0, "", "version 5");
	patched(4, 4, 6, 0, "", "version 6, where the chunk counts sectors (what starts with it is assembly's matter)");
	patched(4, 4, 7, UMD_E_BAD_BITMAP, "version 7", "version 7");
	patched(8, 1, 0xff, UMD_E_BAD_BITMAP, "array ff223344:55667788:99aabbcc:ddeeff00, the member to array 11223344",
		"another array's uuid");
	patched(24, 8, 0, 0, "", "old events (a matter of loading)");
	patched(24, 8, 65535, 0, "", "events of the future");
	patched(48, 4, FMT_BITMAP_STALE, 0, "", "the stale flag (a matter of loading)");
	patched(48, 4, FMT_BITMAP_WRITE_ERROR, 0, "", "the write-error flag, which Linux believes");
	patched(48, 4, FMT_BITMAP_FIRST_USE, 0, "", "the first-use flag");
	patched(52, 4, 256, UMD_E_BAD_BITMAP, "256 bytes is below 512", "chunk 256");
	patched(52, 4, 768, UMD_E_BAD_BITMAP, "768 bytes is no power of two", "chunk 768");
	patched(52, 4, 512, 0, "", "chunk 512");
	patched(52, 4, 0, UMD_E_BAD_BITMAP, "0 bytes is below", "chunk 0");
	patched(56, 4, 0, 0, "", "daemon_sleep 0, which Linux writes and refuses");
	patched(60, 4, 16383, 0, "", "write_behind 16383");
	patched(60, 4, 16384, UMD_E_BAD_BITMAP, "16384 is above 16383", "write_behind 16384");
	patched(40, 8, 0, 0, "", "sync size 0");
	patched(68, 4, 2, 0, "", "nodes in a version 4 bitmap");
	patched(64, 4, 1, 0, "", "one reserved sector");
	verdict(8, 1, 0xff, NULL);
	is_u64(verdict(8, 1, 0xff, NULL), UMD_E_BAD_BITMAP, "nobody has to want the sentence");
	return tap_end();
}
