/* Goal: the transition table is right for every counter value there can be.
 * Method: all 65536 values times all actions against rules written down a second time, as plain sentences in code.
 * Law: I4, I11.
 * Source: md bitmap 4.5. */
#include "bitmap/states.h"
#include "bm_help.h"

static uint16_t wanted(enum bm_action action, uint16_t c)
{
	bool is_needed = c >= 0x8000, is_sync = c & 0x4000;
	uint16_t n = c % 0x4000;

	switch (action) {
	case BM_ACT_START:
		return n == 16383 ? c : n == 0 ? c + 3 : n == 1 ? c + 2 : c + 1;
	case BM_ACT_END_OK:
		return c - 1;
	case BM_ACT_END_OWED:
		return is_needed ? c - 1 : c + 0x8000 - 1;
	case BM_ACT_AGE:
		return c == 2 ? 1 : c;
	case BM_ACT_CLEAR:
		return c == 1 ? 0 : c;
	case BM_ACT_SYNC_START:
		return !is_needed ? c : is_sync ? c - 0x8000 : c - 0x4000;
	case BM_ACT_SYNC_START_DEGRADED:
		return c;
	case BM_ACT_SYNC_DONE:
		return is_sync ? c - 0x4000 : c;
	case BM_ACT_SYNC_FAILED:
		return !is_sync ? c : is_needed ? c - 0x4000 : c + 0x4000;
	case BM_ACT_LOAD_IDLE:
		return n == 0 ? c + 2 : c;
	case BM_ACT_LOAD_NEEDED:
		return (n == 0 ? c + 2 : c) | 0x8000;
	case BM_ACT_MEMBER_LEFT:
		return n == 0 || is_needed ? c : c + 0x8000;
	case BM_ACT_FORGET:
		return n;
	default:
		return 0;
	}
}

int main(void)
{
	for (enum bm_action action = 0; action < BM_ACT_COUNT; action++) {
		uint32_t wrong = 0;

		for (uint32_t c = 0; c <= 0xffff; c++) {
			/* An end without a start is the caller's bug, refused before the table is asked. */
			if ((action == BM_ACT_END_OK || action == BM_ACT_END_OWED) && c % 0x4000 < 3)
				continue;
			wrong += bm_state_next(action, c) != wanted(action, c);
		}
		is_u64(wrong, 0, "action %d: every value has the right successor", action);
	}
	return tap_end();
}
