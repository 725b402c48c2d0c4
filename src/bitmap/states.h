/* The table states.def as a function. */
#ifndef UMD_BITMAP_STATES_H
#define UMD_BITMAP_STATES_H

#include <stdint.h>

enum bm_action {
	BM_ACT_START,
	BM_ACT_END_OK,
	BM_ACT_END_OWED,
	BM_ACT_AGE,
	BM_ACT_CLEAR,
	BM_ACT_SYNC_START,
	BM_ACT_SYNC_START_DEGRADED,
	BM_ACT_SYNC_DONE,
	BM_ACT_SYNC_FAILED,
	BM_ACT_LOAD_IDLE,
	BM_ACT_LOAD_NEEDED,
	BM_ACT_MEMBER_LEFT,
	BM_ACT_FORGET,
	BM_ACT_COUNT
};

uint16_t bm_state_next(enum bm_action action, uint16_t c);

#endif
