/* Erasing what an earlier life left on a member. */
#ifndef UMD_RUN_WIPE_H
#define UMD_RUN_WIPE_H

#include "base/err.h"
#include "member/member.h"

/**
 * run_wipe_superblocks - erase every md superblock on @m, of whatever array, and flush it
 * @shown: its path, escaped. A cut anywhere leaves the superblock that was believed before, or none.
 * Returns 0, or a code with a sentence; then some may be erased, and nothing else was written.
 */
int run_wipe_superblocks(struct member *m, const char *shown, struct err *err);

#endif
