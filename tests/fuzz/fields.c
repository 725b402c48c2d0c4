/* The fields of md's structures for the mutator and the dictionary, from the tables that the product is made of. */
#include "fuzz.h"

#define F(kind, field, offset, bytes, meaning) { #field, offset, bytes },
const struct fuzz_field fuzz_sb1_fields[] = {
#include "format/sb1.def"
	{ "role 0", 256, 2 }, { "role 1", 258, 2 }, { "role 2", 260, 2 }, { "role 3", 262, 2 },
};
const struct fuzz_field fuzz_bitmap_fields[] = {
#include "format/bitmap_sb.def"
};
#undef F

/* Words of 0.90, in whichever byte order; the arrays of descriptors are given by hand, as their fields are. */
#define F(kind, word, words, field, meaning) { #field, 4 * (word), 4 * (words) },
const struct fuzz_field fuzz_sb0_fields[] = {
#include "format/sb0.def"
	{ "disk 0 number", 512, 4 }, { "disk 0 slot", 524, 4 }, { "disk 0 state", 528, 4 },
	{ "disk 1 number", 640, 4 }, { "disk 1 slot", 652, 4 }, { "disk 1 state", 656, 4 },
	{ "this number", 3968, 4 }, { "this slot", 3980, 4 }, { "this state", 3984, 4 },
};
#undef F
const size_t fuzz_sb0_field_count = sizeof fuzz_sb0_fields / sizeof *fuzz_sb0_fields;
const size_t fuzz_sb1_field_count = sizeof fuzz_sb1_fields / sizeof *fuzz_sb1_fields;
const size_t fuzz_bitmap_field_count = sizeof fuzz_bitmap_fields / sizeof *fuzz_bitmap_fields;
