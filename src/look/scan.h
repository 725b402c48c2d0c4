/* One pass over the chunks of a bitmap on a member, read in pieces: bounded memory whatever the bitmap claims, and
 * gigabytes a second where nobody asks for single runs. */
#ifndef UMD_LOOK_SCAN_H
#define UMD_LOOK_SCAN_H

#include "format/lockless.h"
#include "member/member.h"

struct look_range {
	uint64_t first, last;		/* chunks, both inclusive */
};

/* Where the chunks of one bitmap lie: bits (lowest first) or, in a lockless bitmap, bytes. */
struct look_bitmap {
	struct member *m;
	member_off at;			/* of the first bit or byte: behind the superblock, if there is one */
	bool is_lockless;
	uint64_t chunks;		/* what lies behind them means nothing */
};

/* "set" is a set bit, or a lockless state that is due (fmt_lockless_is_due). All counts are chunks. */
struct look_scan {
	/* set by the caller */
	uint64_t from, until;		/* what set_between counts: chunks from @from on, below @until (0: all) */
	uint64_t ranges_max;		/* how many runs are kept in @ranges; 0: none */
	uint64_t cell_chunks, cell_count; /* 0: no cells; else cell_count * cell_chunks >= chunks */
	int (*on_range)(void *opaque, struct look_range range);	/* NULL, or told every run in order */
	/* NULL, or told every run of equal states of a lockless bitmap, in order; answers 1 when it wants no more. */
	int (*on_state)(void *opaque, struct look_range range, enum lockless_state state);
	void *opaque;
	/* results */
	uint64_t set_chunks, set_between, run_count;
	bool is_from_set, is_until_set;	/* the first and the last chunk of those between */
	uint64_t states[LOCKLESS_STATES];	/* of a lockless bitmap */
	bool is_last_set;
	bool is_truncated;		/* there are more runs than @ranges holds */
	struct look_range *ranges;
	uint64_t range_count, range_room;
	uint64_t *cells;			/* set chunks per cell */
	uint64_t *state_cells[LOCKLESS_STATES];	/* of a lockless bitmap: chunks per cell and state */
};

/* 0, -errno, -ENOMEM, or what on_range or on_state answered below 0 (on_range: other than 0); look_scan_drop() in any
 * case. A bitmap that does not lie on its member is -EIO, cells that are too few -EINVAL. */
int look_scan(const struct look_bitmap *b, struct look_scan *s);

/* The same for what is set in any of @count bitmaps of bits for the same chunks: the slots of a cluster. */
int look_scan_union(const struct look_bitmap *slots, uint32_t count, struct look_scan *s);
void look_scan_drop(struct look_scan *s);

/* Two bitmaps of the same chunks compared: set chunks per cell that only one has. Cells by the caller, zeroed. */
struct look_compare {
	uint64_t cell_chunks, cell_count;
	uint64_t *only_a, *only_b;
	uint64_t only_a_chunks, only_b_chunks;
};
/* Answers as look_scan(). */
int look_compare(const struct look_bitmap *a, const struct look_bitmap *b, struct look_compare *c);

#endif
