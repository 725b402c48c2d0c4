/* The last question before the kernel: is this node certainly counted in (C5)?
 *
 * A job's parts go to a member as one batch, and one slow part is enough for the others to give us up. So the question
 * is not the batch's but each part's: what is behind the slow one is not begun. It costs little where the answer is
 * yes: two numbers in memory and a clock, or one look at a file (engine.h, may_write()).
 *
 * Law: C5. Left out: a part that is in the kernel already; no program calls it back (docs/cluster.md). */
#include "run/gate.h"

#include <errno.h>

void run_gated(struct member *m, struct mbr_part *parts, uint32_t count, bool (*may_go)(void *), void *opaque)
{
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (rc == 0 && !may_go(opaque))
			rc = -EIO;
		if (rc == 0) {
			m->ops->run(m, &parts[i], 1);
			rc = parts[i].rc;
		}
		parts[i].rc = rc;
	}
}
