/* What a believed superblock promises to every room above, computed in 128 bits, where nothing wraps. */
#ifndef TESTS_FUZZ_SOUND_H
#define TESTS_FUZZ_SOUND_H

#include "format/layout.h"

typedef __uint128_t u128;

/* Data, log and superblock lie on the member, and the log beside the data. Ends the process where not. */
void sound_superblock(const struct sb1 *sb, uint64_t member_bytes);

/* lay_bitmap_fits() said yes: the bitmap lies on the member and touches nothing. */
void sound_bitmap(const struct sb1 *sb, const struct bitmap_sb *bm, uint32_t slots, uint64_t member_bytes);

/* Chunks and bytes of a believed bitmap superblock. */
void sound_bitmap_numbers(const struct bitmap_sb *bm);

#endif
