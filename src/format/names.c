/* Words for the bits and numbers of superblocks: features, device flags, 0.90 descriptors, states of a bitmap, layouts.
 *
 * The tables are the .def files. A bit or number without a line has no word, and whoever shows it shows the number: a
 * newer Linux may have given it a meaning that nobody here knows.
 *
 * RAID10's word holds numbers, so its text is made: "n2", "f2", "o2" (near, far, offset copies), "n2f2" for both;
 * "-sets1" and "-sets2" where the far copies stay within sets of disks. */
#include "base/text.h"
#include "format/bitmap_sb.h"
#include "format/sb0.h"

#include <string.h>

struct named {
	uint32_t value;
	const char *word;
};

static const struct named features[] = {
#define F(bit, NAME, word, meaning) { UINT32_C(1) << (bit), word },
#include "format/features.def"
#undef F
	{ 0, NULL },
};
#define F(bit, NAME, word, meaning) _Static_assert(FMT_SB1_##NAME == UINT32_C(1) << (bit), word " is another bit");
#include "format/features.def"
#undef F

static const struct named device_flags[] = {
#define F(bit, NAME, word, meaning) { UINT32_C(1) << (bit), word },
#include "format/devflags.def"
#undef F
	{ 0, NULL },
};
#define F(bit, NAME, word, meaning) _Static_assert(FMT_SB1_##NAME == UINT32_C(1) << (bit), word " is another bit");
#include "format/devflags.def"
#undef F

static const struct named bitmap_states[] = {
#define B(bit, NAME, word, meaning) { UINT32_C(1) << (bit), word },
#include "format/bitmap_state.def"
#undef B
	{ 0, NULL },
};
#define B(bit, NAME, word, meaning) _Static_assert(FMT_BITMAP_##NAME == UINT32_C(1) << (bit), word " is another bit");
#include "format/bitmap_state.def"
#undef B

static const struct named disk_flags[] = {
#define B(bit, NAME, word, meaning) { UINT32_C(1) << (bit), word },
#include "format/sb0_disk_state.def"
#undef B
	{ 0, NULL },
};
#define B(bit, NAME, word, meaning) _Static_assert(FMT_SB0_DISK_##NAME == UINT32_C(1) << (bit), word " is another bit");
#include "format/sb0_disk_state.def"
#undef B

static const struct {
	uint32_t number;
	int32_t level;
	const char *word;
} parity_layouts[] = {
#define P(number, level, word, meaning) { number, level, word },
#include "format/parity_layouts.def"
#undef P
};
#define P(number, level, word, meaning) \
	_Static_assert(sizeof(word) <= FMT_LAYOUT_TEXT_BYTES, word " does not fit its text");
#include "format/parity_layouts.def"
#undef P

static const char *name_of(const struct named *table, uint32_t value)
{
	for (; table->word; table++)
		if (table->value == value)
			return table->word;
	return NULL;
}

const char *fmt_feature_name(uint32_t bit)
{
	return name_of(features, bit);
}

const char *fmt_device_flag_name(uint32_t bit)
{
	return name_of(device_flags, bit);
}

const char *fmt_bitmap_state_name(uint32_t bit)
{
	return name_of(bitmap_states, bit);
}

const char *fmt_sb0_disk_flag_name(uint32_t bit)
{
	return name_of(disk_flags, bit);
}

static bool raid10_text(uint32_t layout, char ret[FMT_LAYOUT_TEXT_BYTES])
{
	unsigned near = layout & 255, far = layout >> 8 & 255, sets = layout >> 17;
	char near_text[8] = "", far_text[8] = "", sets_text[8] = "";

	if (!near || !far || sets > 2)
		return false;
	if (near > 1 || far == 1)
		text_fit(near_text, sizeof near_text, "n%u", near);
	if (far > 1)
		text_fit(far_text, sizeof far_text, "%c%u", layout & 1 << 16 ? 'o' : 'f', far);
	if (sets)
		text_fit(sets_text, sizeof sets_text, "-sets%u", sets);
	text_fit(ret, FMT_LAYOUT_TEXT_BYTES, "%s%s%s", near_text, far_text, sets_text);
	return true;
}

bool fmt_layout_text(int32_t level, uint32_t layout, char ret[FMT_LAYOUT_TEXT_BYTES])
{
	if (level == 10)
		return raid10_text(layout, ret);
	if (level != 5 && level != 6)
		return false;
	for (size_t i = 0; i < sizeof parity_layouts / sizeof *parity_layouts; i++)
		if (parity_layouts[i].number == layout && parity_layouts[i].level <= level) {
			text_fit(ret, FMT_LAYOUT_TEXT_BYTES, "%s", parity_layouts[i].word);
			return true;
		}
	return false;
}
