/* The life of one chunk's counter, as the table states.def has it.
 *
 * Nothing but the next value is decided here. What follows from it (pages that appear and vanish, chunks
 * that are to be visited by the sweep or the resync) is bm_counter_put()'s business, so that the table
 * can be tested alone, over all 65536 values. */
#include "bitmap/states.h"

#include "bitmap/bitmap.h"

uint16_t bm_state_next(enum bm_action action, uint16_t c)
{
	uint16_t n = c & BM_COUNT_MAX;
	uint16_t flags = c & (BM_NEEDED | BM_RESYNC);

#define T(name, when, next)                                                                         \
	if (action == BM_ACT_##name && (when))                                                      \
		return (uint16_t)(next);
#include "bitmap/states.def"
#undef T
	return c;
}
