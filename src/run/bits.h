/* The set bits of a bitmap on a member, read in pieces: bounded memory and time whatever the bitmap claims. */
#ifndef UMD_RUN_BITS_H
#define UMD_RUN_BITS_H

#include "member/member.h"

struct run_range {
	uint64_t first, last;		/* chunks, both inclusive */
};

struct run_bits {
	/* set by the caller */
	uint64_t chunks;		/* bits behind them mean nothing */
	uint64_t from;			/* set_from counts from this chunk on */
	uint64_t ranges_max;		/* how many are kept */
	/* results */
	uint64_t set_chunks, set_from;
	bool is_last_set, is_truncated;
	struct run_range *ranges;
	uint64_t range_count, range_room;
};

/* Read the bits behind the superblock at @bitmap_at. 0, -errno or -ENOMEM; run_bits_drop() in any case. */
int run_bits_read(struct member *m, member_off bitmap_at, struct run_bits *b);
void run_bits_drop(struct run_bits *b);

#endif
