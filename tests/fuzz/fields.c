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
const size_t fuzz_sb1_field_count = sizeof fuzz_sb1_fields / sizeof *fuzz_sb1_fields;
const size_t fuzz_bitmap_field_count = sizeof fuzz_bitmap_fields / sizeof *fuzz_bitmap_fields;
