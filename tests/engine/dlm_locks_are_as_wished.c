/* Goal:   locks of the DLM are taken, cancelled and given back as wished, whatever it is busy with, and a close ends
 *         and names what a DLM that hangs has not let go of.
 * Method: the dlm engine as it is, on a corosync and a DLM played here, whose calls hang when the test says so.
 * Law:    C2, C4 (a slot's lock has one holder, who knows that it has it).
 * Source: the engines' door; design, section 7. */
#include "fake_cluster.h"

static const struct clu_lock slots[FAKE_SLOTS] = {
	{ CLU_LOCK_SLOT, 0 }, { CLU_LOCK_SLOT, 1 }, { CLU_LOCK_SLOT, 2 }, { CLU_LOCK_SLOT, 3 },
};

static struct engine *e;

static uint32_t requests_of(const char *name)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < FAKE_LOCKS_MAX; i++)
		count += !strcmp(fake.locks[i].name, name);
	return count;
}

static void are_taken_or_refused(void)
{
	e->ops->lock(e, slots[0], false);
	ok(fake_until(fake.granted[0] == 1), "a free lock is granted");
	fake_set(&fake.keeps_locks, true);
	e->ops->lock(e, slots[2], false);
	ok(fake_until(fake.refused[2] == 1), "one that somebody has is refused to who does not queue");
	ok(fake_sees(!fake.granted[2]), "and not granted");
}

/* A cancel is answered at once; the grant that overtakes it is nobody's. */
static void cancels_do_not_wait(void)
{
	e->ops->lock(e, slots[1], true);
	ok(fake_until(requests_of("bitmap0001") == 1), "one queues for a lock");
	fake_set(&fake.dlm_hangs, true);
	e->ops->cancel(e, slots[1]);
	ok(fake_until(fake.cancelled[1] == 1), "and cancels that, while the DLM hangs: it is answered");
	ok(fake_until(fake.hanging), "the cancel itself hangs in the DLM");
	fake_grant_queued();
	ok(fake_until(fake_is_held("bitmap0001")), "the grant overtakes it");
	fake_set(&fake.dlm_hangs, false);
	ok(fake_until(!fake_is_held("bitmap0001")), "which is given back");
	ok(fake_sees(!fake.granted[1] && fake.cancelled[1] == 1), "and never told");
}

static void who_queued_comes_between(void)
{
	e->ops->lock(e, slots[3], true);
	ok(fake_until(fake.granted[3] == 1), "a lock is granted");
	fake_set(&fake.dlm_hangs, true);
	e->ops->lock(e, slots[2], true);
	ok(fake_until(fake.hanging), "the DLM is busy with another one");
	e->ops->unlock(e, slots[3]);
	e->ops->lock(e, slots[3], true);
	fake_set(&fake.dlm_hangs, false);
	ok(fake_until(fake.granted[3] == 2), "given back and wanted again, it is granted again");
	is_u64(requests_of("bitmap0003"), 2, "by a second request: whoever queued had its turn");
}

static void close_ends(void)
{
	uint32_t told;

	fake_set(&fake.dlm_hangs, true);
	e->ops->close(e);
	told = fake.told_count;
	ok(strstr(fake.note, "bitmap0000") && strstr(fake.note, "bitmap0003"),
	   "a close ends while the DLM hangs, and says what that has not let go of: %s", fake.note);
	ok(fake_sees(fake.is_space_open), "which it has not");
	fake_set(&fake.dlm_hangs, false);
	ok(fake_until(!fake.is_space_open), "when the DLM answers the lockspace goes, and all locks with it");
	is_u64(fake.told_count, told, "nobody was told anything after the close");
}

int main(void)
{
	e = fake_open();
	are_taken_or_refused();
	cancels_do_not_wait();
	who_queued_comes_between();
	close_ends();
	return tap_end();
}
