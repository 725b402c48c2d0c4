/* A crash at one place of a recorded history: images are made, started and judged. */
#ifndef TESTS_RECORD_CRASH_H
#define TESTS_RECORD_CRASH_H

#include "history.h"

/* What happens at this place is decided by @lot alone. A broken law does not return. */
void crash_at(struct history *h, uint64_t lot);

/* The media of such a crash as files @folder/NAME, for other judges. Returns in how many sectors the members differ. */
uint64_t crash_save(struct history *h, uint64_t lot, const char *folder);

/**
 * crash_judge - such media after another judge has started, resynced and stopped them
 * The files must be equal in the data area, hold only what the model allows, and be unchanged outside of their areas.
 */
void crash_judge(struct history *h, uint64_t lot, const char *folder);

#endif
