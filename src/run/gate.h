/* The last question before the kernel: may this part go to the member? Files of src/run only. */
#ifndef UMD_RUN_GATE_H
#define UMD_RUN_GATE_H

#include "member/member.h"

/* Carry out parts on one member in order; @may_go is asked right before each, and may wait. The first that may not go
 * (-EIO), or that fails, ends it: those behind it get the same and are not tried. */
void run_gated(struct member *m, struct mbr_part *parts, uint32_t count, bool (*may_go)(void *), void *opaque);

#endif
