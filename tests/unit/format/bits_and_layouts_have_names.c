/* Goal: every bit and layout md knows has a word, and none that it does not know.
 * Method: all 32 bits of each field; the layouts as mdadm spells them; numbers around them.
 * Law: I9.
 * Source: md's layout words: n2 0x102, n3 0x103, f2 0x201, o2 0x10201, and the numbers of the parity layouts. */
#include "vectors.h"

#include "format/sb0.h"

static void named_bits(const char *what, const char *(*name)(uint32_t), const char *wanted)
{
	char all[400] = "";

	for (unsigned bit = 0; bit < 32; bit++) {
		const char *word = name(UINT32_C(1) << bit);
		size_t len = strlen(all);

		if (word)
			snprintf(all + len, sizeof all - len, "%s%u:%s", len ? " " : "", bit, word);
	}
	if (!ok(!strcmp(all, wanted), "%s: every bit with a meaning has its word", what))
		printf("# got    %s\n# wanted %s\n", all, wanted);
	ok(!name(0) && !name(3), "%s: only single bits have one", what);
}

static void layout(int32_t level, uint32_t number, const char *wanted)
{
	char text[FMT_LAYOUT_TEXT_BYTES] = "untouched";
	bool is_known = fmt_layout_text(level, number, text);

	ok(is_known == (wanted != NULL) && !strcmp(text, wanted ?: "untouched"), "level %d, layout 0x%x: %s", level,
	   number,
	   wanted ?: "has no name");
}

static void raid10(void)
{
	layout(10, 0x102, "n2");
	layout(10, 0x103, "n3");
	layout(10, 0x201, "f2");
	layout(10, 0x10201, "o2");
	layout(10, 0x101, "n1");
	layout(10, 0x202, "n2f2");
	layout(10, 0x1ffff, "n255o255");
	layout(10, 0x20201, "f2-sets1");
	layout(10, 0x40201, "f2-sets2");
	layout(10, 0x5ffff, "n255o255-sets2");
	layout(10, 0x60201, NULL);
	layout(10, 0x80201, NULL);
	layout(10, 0x100, NULL);
	layout(10, 0x2, NULL);
	layout(10, UINT32_MAX, NULL);
}

static void parity(void)
{
	static const char *const both[] = { "left-asymmetric", "right-asymmetric", "left-symmetric", "right-symmetric",
					    "parity-first", "parity-last" };
	static const char *const six[] = { [8] = "ddf-zero-restart", [9] = "ddf-N-restart", [10] = "ddf-N-continue",
					   [16] = "left-asymmetric-6", [17] = "right-asymmetric-6",
					   [18] = "left-symmetric-6", [19] = "right-symmetric-6",
					   [20] = "parity-first-6", [22] = NULL };

	for (unsigned i = 0; i < 6; i++) {
		layout(5, i, both[i]);
		layout(6, i, both[i]);
	}
	for (unsigned i = 6; i < 22; i++) {
		layout(5, i, NULL);
		layout(6, i, six[i]);
	}
	layout(4, 5, NULL);
	layout(1, 0, NULL);
	layout(-4, 2, NULL);
}

int main(void)
{
	named_bits("features", fmt_feature_name,
		   "0:bitmap 1:recovery_offset 2:reshape 3:bad_blocks 4:replacement 5:reshape_backwards 6:new_offset "
		   "7:recovery_bitmap 8:clustered 9:journal 10:ppl 11:multiple_ppls 12:raid0_layout");
	named_bits("device flags", fmt_device_flag_name, "0:writemostly 1:failfast");
	named_bits("bitmap state", fmt_bitmap_state_name,
		   "1:stale 2:write_error 3:first_use 4:clean 5:daemon_busy 15:host_endian");
	named_bits("0.90 descriptor", fmt_sb0_disk_flag_name, "0:faulty 1:active 2:sync 3:removed 9:writemostly");
	raid10();
	parity();
	return tap_end();
}
