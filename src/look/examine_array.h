/* Between examine_array.c and examine_file.c. */
#ifndef UMD_LOOK_EXAMINE_ARRAY_H
#define UMD_LOOK_EXAMINE_ARRAY_H

#include "look/examine.h"

struct look_set {
	bool is_known;			/* the chunks could be counted */
	uint64_t chunks;		/* set, or due by their state, in any slot */
	uint64_t due_chunks;		/* of those in the slots that count for the start */
	uint64_t bytes;			/* of these, as far as they lie in the reach */
};

/* Count the set chunks of a member's bitmap, of all slots together. @first_due_slot: slots from this one on count for
 * the start; @reach: NULL, no bytes are wanted. 0 or a code. */
int look_count_set(struct look_examined *e, uint32_t first_due_slot, const struct asm_reach *reach,
		   struct look_set *ret_set);

/* Adds to a sentence about an array without bitmap what a bitmap file among @seen would change; nothing if none. */
void look_tell_bitmap_file(struct text *sentence, const struct asm_member *member, const struct asm_plan *plan,
			   const struct look_seen *seen, size_t count);

#endif
