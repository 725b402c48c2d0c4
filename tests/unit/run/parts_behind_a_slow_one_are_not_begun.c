/* Goal:   no part goes to a member after the others have stopped counting this node in, also within one batch.
 * Method: a member made here that takes parts; whether they may go is changed by the part before, as a slow one does.
 * Law:    C5.
 * Source: design, sections 4 and 7; the engines' door (may_write). */
#include "run/gate.h"

#include <errno.h>

#include "tap.h"

enum { PARTS = 5 };

static struct {
	struct member m;
	uint32_t begun;			/* parts that the member has seen */
	uint32_t closes_after;		/* so many parts */
	uint32_t fails_at;		/* this part */
	bool is_closed;
	uint32_t asked;
} world;

static void take(struct member *m, struct mbr_part *parts, uint32_t count)
{
	(void)m;
	for (uint32_t i = 0; i < count; i++) {
		parts[i].rc = world.begun == world.fails_at ? -ENOSPC : 0;
		world.begun++;
		world.is_closed = world.is_closed || world.begun >= world.closes_after;
	}
}

static const struct member_ops ops = { .run = take };

static bool may_go(void *opaque)
{
	(void)opaque;
	world.asked++;
	return !world.is_closed;
}

static void go(struct mbr_part parts[PARTS], uint32_t closes_after, uint32_t fails_at)
{
	memset(&world, 0, sizeof world);
	world.m.ops = &ops;
	world.closes_after = closes_after;
	world.fails_at = fails_at;
	world.is_closed = closes_after == 0;
	for (int i = 0; i < PARTS; i++)
		parts[i] = (struct mbr_part){ .op = MBR_WRITE, .rc = 1 };
	run_gated(&world.m, parts, PARTS, may_go, NULL);
}

int main(void)
{
	struct mbr_part parts[PARTS];

	go(parts, UINT32_MAX, UINT32_MAX);
	is_u64(world.begun, PARTS, "who is counted in has all parts carried out");
	is_u64(world.asked, PARTS, "after a question for each");
	ok(!parts[0].rc && !parts[PARTS - 1].rc, "and all of them have succeeded");

	go(parts, 2, UINT32_MAX);
	is_u64(world.begun, 2, "counted out during the second part, no third is begun");
	ok(!parts[0].rc && !parts[1].rc, "what was under way keeps its own result");
	ok(parts[2].rc == -EIO && parts[PARTS - 1].rc == -EIO, "the others are errors");

	go(parts, 0, UINT32_MAX);
	is_u64(world.begun, 0, "who is counted out begins nothing");
	ok(parts[0].rc == -EIO && parts[PARTS - 1].rc == -EIO, "and is told so of each part");

	go(parts, UINT32_MAX, 1);
	is_u64(world.begun, 2, "after a part that failed nothing is tried");
	ok(!parts[0].rc && parts[1].rc == -ENOSPC && parts[PARTS - 1].rc == -ENOSPC, "those behind it get its error");
	return tap_end();
}
