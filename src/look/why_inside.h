/* Between the files of look_why(); nobody else includes this. */
#ifndef UMD_LOOK_WHY_INSIDE_H
#define UMD_LOOK_WHY_INSIDE_H

#include "look/map_source.h"

enum {
	WHY_PIECES_MAX = 16,		/* places of one chunk on one member that are told */
	WHY_NOBODY = ARR_MEMBERS_MAX,
};

/* What one bitmap says of the chunk. */
struct why_bit {
	uint32_t slot;
	bool is_used;			/* false: a slot no node ever used; nothing below means anything */
	uint64_t at;			/* byte on the member */
	uint8_t byte, bit;
	bool is_lockless;
	enum lockless_state state;
	bool is_set;			/* the bit is, or the state is due */
};

/* Where the chunk's data lies on one member. */
struct why_data {
	uint32_t count;
	struct span pieces[WHY_PIECES_MAX];
	bool is_truncated;		/* there are more */
};

struct why_member {
	struct look_source source;	/* closed; its strings are kept */
	bool has_chunk;			/* its bitmap has a chunk of this number */
	bool is_initialised;
	uint64_t chunk_bytes, chunks, size_bytes;
	struct why_bit *bits;		/* one per slot that could be read */
	uint32_t bit_count;
	bool is_set;			/* in any slot */
	struct why_data data;
	uint32_t judged;		/* its index in the judgement, or WHY_NOBODY */
};

struct why {
	const struct look_external *external;
	uint64_t chunk, first_byte, length_bytes;	/* of the range that the bitmap covers */
	struct why_member *members;
	size_t count;
	const struct why_member *reference;		/* whose chunks are meant, and whose bit counts */

	/* the judgement; judged[i] is a copy of the look of *who[i] */
	uint32_t judged_count;
	struct asm_member judged[ARR_MEMBERS_MAX];
	struct why_member *who[ARR_MEMBERS_MAX];
	struct asm_plan plan;

	/* the next start (why_next.c); members by index in the judgement */
	bool is_copied;
	uint32_t from;					/* WHY_NOBODY: several, or all of them together */
	uint64_t to;					/* mask */
	struct text reason, file_reason;		/* the second: what a bitmap file would change */
};

/* why_bits.c: open the member, read what its bitmaps say of @chunk, close it. -ENOMEM or 0; all else is the source's
 * error. */
int look_why_read(struct why_member *m, const char *path, const struct look_external *external, uint64_t chunk);
void look_why_drop(struct why_member *m);

/* why_data.c: where @m keeps the chunk; @sb: the superblock of the array that is believed */
void look_why_find_data(const struct why *w, const struct sb1 *sb, struct why_member *m);
/* Its bitmap covers bytes of the members, not of the array. */
bool look_why_is_of_members(const struct sb1 *sb);

/* why_next.c: is_copied, from, to, the reasons */
void look_why_next_start(struct why *w);

/* why_words.c: sentences */
void look_why_tell_paths(const struct why *w, uint64_t mask, struct text *t);	/* "a and b" */
void look_why_tell_bits(const struct why *w, struct text *t);			/* "chunk 65 is set on a, clear on b" */
void look_why_tell_reason(const struct why *w, struct text *t);	/* with what umd does not start in front */
void look_why_tell_answer(const struct why *w, struct text *t);
void look_why_tell_member(const struct why *w, const struct why_member *m, const struct why_bit *bit, struct text *t);

/* why_put.c */
void look_why_put(struct text *t, const struct why *w);

#endif
