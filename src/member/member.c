/* What every kind of member has in common.
 *
 * Closing, and the batches of one part that superblocks and examining want. Each kind has its own file and is reached
 * through its ops alone. */
#include "member/member.h"

struct member *mbr_close(struct member *m)
{
	if (m)
		m->ops->close(m);
	return NULL;
}

static int run_one(struct member *m, struct mbr_part part)
{
	m->ops->run(m, &part, 1);
	return part.rc;
}

int mbr_read(struct member *m, member_off at, void *data, size_t len_bytes)
{
	return run_one(m, (struct mbr_part){ .op = MBR_READ, .at = at, .len_bytes = len_bytes, .data = data });
}

int mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable)
{
	return run_one(m, (struct mbr_part){ .op = MBR_WRITE, .flags = is_durable ? MBR_DURABLE : 0, .at = at,
					     .len_bytes = len_bytes, .data = (void *)data });
}

int mbr_flush(struct member *m)
{
	return run_one(m, (struct mbr_part){ .op = MBR_FLUSH });
}
