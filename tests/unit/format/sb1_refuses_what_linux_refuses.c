/* Goal: every limit of a superblock is checked, and the sentence names both values.
 * Method: recorded superblocks with one number changed and the checksum made right again.
 * Law: I7, I9.
 * Source: the same edits were offered to Linux 6.1, which answered EINVAL; the last ones are umd's own limits. */
#include "vectors.h"

static uint8_t raw[FMT_SB1_BYTES];
static struct sb1 sb;

/* One number put, the checksum made right with the table's length as it was. */
static void edit(const struct vector_row *vector, unsigned at, unsigned width, uint64_t value)
{
	vector_load(vector, raw);
	le_put(raw + at, width, value);
	le_put(raw + 216, 4, 0);
	if (le_get(raw + 220, 4) <= FMT_SB1_MAX_DEV)
		le_put(raw + 216, 4, fmt_sb1_checksum(raw));
}

static void is_refused(enum sb1_minor minor, uint64_t at, int code, const char *in_sentence, const char *what)
{
	struct err err = { 0 };
	int rc;

	fmt_sb1_decode(raw, minor, &sb);
	rc = fmt_sb1_check(&sb, raw, (member_off){ at }, VECTOR_MEMBER_BYTES, &err);
	if (!ok(rc == code && strstr(err.text, in_sentence), "%s is refused", what))
		printf("# %d %s: %s (wanted \"%s\")\n", rc, err_name(rc), err.text, in_sentence);
}

#define C_REFUSED(at, width, value, code, text, what)			\
	do {								\
		edit(vector_c, at, width, value);			\
		is_refused(SB1_2, 4096, code, text, what);		\
	} while (0)

static void what_linux_refuses(void)
{
	vector_load(vector_c, raw);
	raw[216] ^= 1;
	is_refused(SB1_2, 4096, UMD_E_BAD_CHECKSUM, "0x928cc6ef is stored, its bytes give 0x928cc6ee",
		   "a wrong checksum");
	C_REFUSED(0, 4, 0x6d746962, UMD_E_NO_SUPERBLOCK, "0x6d746962", "another magic");
	C_REFUSED(4, 4, 2, UMD_E_BAD_SUPERBLOCK, "major version 2", "another major version");
	C_REFUSED(12, 4, 1, UMD_E_BAD_SUPERBLOCK, "padding at 12", "non-zero pad0");
	C_REFUSED(228, 1, 1, UMD_E_BAD_SUPERBLOCK, "padding at 228", "the first byte of pad3");
	C_REFUSED(255, 1, 1, UMD_E_BAD_SUPERBLOCK, "padding at 255", "the last byte of pad3");
	C_REFUSED(8, 4, 0x2000, UMD_E_BAD_SUPERBLOCK, "unknown bits 0x2000", "an unknown feature");
	C_REFUSED(220, 4, 1921, UMD_E_BAD_SUPERBLOCK, "max_dev is 1921, at most 1920", "a role table that is too long");
	C_REFUSED(144, 8, 0, UMD_E_BAD_SUPERBLOCK, "sector 0 and was found at sector 8",
		  "a superblock of another place");
	C_REFUSED(136, 8, 9, UMD_E_BAD_SUPERBLOCK, "9 sectors is below 10", "a data area of 9 sectors");
	C_REFUSED(136, 8, 30721, UMD_E_BAD_SUPERBLOCK, "claims 30721 sectors for data and there are 30720",
		  "a data area beyond the member");
	C_REFUSED(136, 8, UINT64_MAX, UMD_E_BAD_SUPERBLOCK, "there are 30720", "a data area of all ones");
	C_REFUSED(128, 8, 8, UMD_E_BAD_SUPERBLOCK, "data begins at sector 8, the superblock ends at sector 9",
		  "data on the superblock");
	C_REFUSED(128, 8, UINT64_MAX, UMD_E_BAD_SUPERBLOCK, "must end before sector 32768", "data behind every member");
	edit(vector_c, 8, 4, FMT_SB1_RAID0_LAYOUT);
	is_refused(SB1_2, 4096, UMD_E_BAD_SUPERBLOCK, "RAID0 layout and level 1", "a RAID0 layout on a mirror");
	edit(vector_a, 136, 8, 32753);
	is_refused(SB1_0, 16769024, UMD_E_BAD_SUPERBLOCK, "claims 32753 sectors for data and there are 32752",
		   "1.0: data over the superblock");
}

static void bad_block_logs(void)
{
	vector_load(vector_c, raw);
	le_put(raw + 188, 4, 0);
	edit(vector_c, 8, 4, FMT_SB1_BAD_BLOCKS);
	le_put(raw + 188, 4, 0);
	le_put(raw + 216, 4, fmt_sb1_checksum(raw));
	is_refused(SB1_2, 4096, UMD_E_BAD_SUPERBLOCK, "no place for their log", "bad blocks without a log");
	edit(vector_c, 8, 4, FMT_SB1_BAD_BLOCKS);
	le_put(raw + 186, 2, 9);
	le_put(raw + 216, 4, fmt_sb1_checksum(raw));
	is_refused(SB1_2, 4096, UMD_E_BAD_SUPERBLOCK, "has 9 sectors with shift 0", "a log of nine sectors");
	edit(vector_c, 8, 4, FMT_SB1_BAD_BLOCKS);
	le_put(raw + 185, 1, 64);
	le_put(raw + 216, 4, fmt_sb1_checksum(raw));
	is_refused(SB1_2, 4096, UMD_E_BAD_SUPERBLOCK, "shift 64", "a shift of 64");
	edit(vector_c, 8, 4, FMT_SB1_BAD_BLOCKS);
	le_put(raw + 188, 4, (uint32_t)-9);
	le_put(raw + 216, 4, fmt_sb1_checksum(raw));
	is_refused(SB1_2, 4096, UMD_E_BAD_SUPERBLOCK, "at -9 sectors is not on the member", "a log before the member");
	edit(vector_c, 8, 4, FMT_SB1_BAD_BLOCKS);
	le_put(raw + 188, 4, 2040);
	le_put(raw + 216, 4, fmt_sb1_checksum(raw));
	is_refused(SB1_2, 4096, UMD_E_BAD_SUPERBLOCK, "lies in the data area at byte 1048576",
		   "a log in the data area");
}

static void umd_s_own_limits(void)
{
	C_REFUSED(80, 8, 30721, UMD_E_BAD_SUPERBLOCK, "uses 30721 sectors and the data area has 30720",
		  "an array larger than its data area");
	edit(vector_a, 128, 8, 200);
	is_refused(SB1_0, 16769024, UMD_E_BAD_SUPERBLOCK, "from sector 200 on",
		   "1.0: an array that runs into its superblock");
	C_REFUSED(8, 4, FMT_SB1_PPL | FMT_SB1_BITMAP, UMD_E_BAD_SUPERBLOCK, "partial parity log beside",
		  "a parity log beside a bitmap");
}

static void what_cannot_start_may_be_looked_at(void)
{
	struct err err = { 0 };

	edit(vector_c, 8, 4, FMT_SB1_RESHAPE | FMT_SB1_JOURNAL);
	le_put(raw + 72, 4, 5);
	le_put(raw + 216, 4, fmt_sb1_checksum(raw));
	fmt_sb1_decode(raw, SB1_2, &sb);
	is_u64(fmt_sb1_check(&sb, raw, (member_off){ 4096 }, VECTOR_MEMBER_BYTES, &err), 0,
	       "a reshaping RAID5 is readable (%s)", err.text);
}

int main(void)
{
	what_linux_refuses();
	bad_block_logs();
	umd_s_own_limits();
	what_cannot_start_may_be_looked_at();
	return tap_end();
}
