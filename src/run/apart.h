/* What may hang on a disk, on a thread of its own. Files of src/run only. */
#ifndef UMD_RUN_APART_H
#define UMD_RUN_APART_H

#include "member/member.h"

/* @work(what), waited for @limit_ms at most. True: it is done, @what is the caller's again. False: it hangs; @what is
 * its own now, and when it comes back after all @drop(what) is called there. Without a thread it is done here. */
bool run_apart(void (*work)(void *what), void (*drop)(void *what), void *what, int limit_ms);

/* Close a member; one that hangs meanwhile is left to itself. */
void run_close_apart(struct member *m);

#endif
