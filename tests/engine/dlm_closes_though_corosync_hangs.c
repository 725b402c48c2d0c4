/* Goal:   a corosync that hangs (stopped, swapped out) lets nobody write for longer than the lease, and holds no close:
 *         locks are given back, nobody is told anything afterwards, and what is left is said.
 * Method: the dlm engine as it is, on a corosync and a DLM played here; a call of libcpg does not return.
 * Law:    C5, C4.
 * Source: the engines' door (may_write, close). */
#include "fake_cluster.h"

int main(void)
{
	struct engine *e = fake_open();
	uint32_t told;

	e->ops->group(e);
	e->ops->lock(e, (struct clu_lock){ CLU_LOCK_SLOT, 0 }, false);
	ok(fake_until(fake.granted[0] == 1 && fake.quorum && e->ops->may_write(e)), "a node has a slot and may write");
	fake_set(&fake.corosync_hangs, true);
	fake_pass(500);
	ok(fake_until(fake.hanging), "corosync hangs");
	fake_pass(500);
	ok(!e->ops->may_write(e), "nothing is written when its lease is over");
	e->ops->goodbye(e);
	e->ops->close(e);
	told = fake.told_count;
	ok(strstr(fake.note, "corosync has not answered"), "a close ends all the same: %s", fake.note);
	ok(fake_until(!fake_is_held("bitmap0000")), "the slot is free");
	ok(fake_sees(fake.is_space_open), "the lockspace is left to the end of the process, or of the hanging");
	fake_set(&fake.corosync_hangs, false);
	ok(fake_until(!fake.is_space_open), "when corosync goes on, it goes");
	is_u64(fake.told_count, told, "nobody was told anything after the close");
	return tap_end();
}
