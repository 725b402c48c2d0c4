/* Goal:   a node writes only while it is certain that all others count it in: in a ring with quorum that it has proven,
 *         and no longer after its last sign of that than the shortest token timeout of all nodes, also when somebody
 *         changes that timeout.
 * Method: the dlm engine as it is, on a corosync and a DLM played here, with a clock that the test turns.
 * Law:    C5.
 * Source: the engines' door (may_write); the cluster specification, sections 8 (22) and 12; corosync-cfgtool -R. */
#include "fake_cluster.h"

static struct engine *e;

static bool may(void)
{
	return e->ops->may_write(e);
}

/* A beat is sent and comes back at this very time; from now on none does. Returns when it may write by that one. */
static void last_sign(void)
{
	fake_set(&fake.swallows_beats, false);
	fake_pass(100000);
	ok(fake_until(fake.last_beat_ms == fake.now_ms) && fake_until(may()), "a beat comes back, and it may write");
	fake_set(&fake.swallows_beats, true);
}

static void lease_is(uint64_t ms, const char *what)
{
	fake_pass(ms - 1);
	ok(may(), "%s: it may write %llu ms after the last sign", what, (unsigned long long)ms - 1);
	fake_pass(1);
	ok(!may(), "%s: and not after %llu ms", what, (unsigned long long)ms);
}

static void begins(void)
{
	e = fake_open();
	ok(!may(), "who is in no group may not write");
	e->ops->group(e);
	ok(fake_until(fake.configs && fake.quorum), "it is in the group, with quorum");
	ok(!may(), "and may not write: nothing it has sent came back");
	last_sign();
	lease_is(1000, "a token of 1000 ms");
}

static void token_changes(void)
{
	static const uint32_t both[] = { FAKE_US, 2 };

	last_sign();
	fake_set_token(200);
	ok(fake_until(strstr(fake.note, "is 200 ms now")), "a shorter token is noted: %s", fake.note);
	lease_is(200, "it shortens the lease that runs");

	fake_regroup(both, 2, 0);
	fake_hello(2, 0, true, 200);
	ok(fake_until(fake.config_size == 2), "another node joins");
	last_sign();
	fake_set_token(4000);
	ok(fake_until(strstr(fake.note, "is 4000 ms now")), "a longer token is noted: %s", fake.note);
	lease_is(200, "it counts for nothing before the other node has it");
	fake_hello(2, 0, false, 4000);
	ok(fake_until(may()), "but then");
	lease_is(4000 - 200, "with the time that has passed");

	last_sign();
	fake_hello(2, 0, false, 30);
	fake_pass(30);
	ok(fake_until(!may()), "the other's corosync is the first to miss us");
}

static void quorum_goes_and_comes(void)
{
	fake_hello(2, 0, false, 4000);
	last_sign();
	fake_set_quorum(false);
	ok(fake_until(!fake.quorum), "quorum is lost");
	ok(!may(), "and with it the right to write");
	fake_set(&fake.dlm_hangs, true);
	fake_set_quorum(true);
	ok(fake_until(fake.hanging), "it comes back, and the DLM is asked whether it still counts us in");
	ok(!may() && fake_sees(!fake.quorum), "which is waited for");
	fake_set(&fake.dlm_hangs, false);
	ok(fake_until(fake.quorum && may()), "then it may write again");
}

static void rings_change(void)
{
	static const uint32_t three[] = { FAKE_US, 2, 3 }, four[] = { FAKE_US, 2, 3, 4 };

	fake_set(&fake.swallows_hellos, true);
	fake_regroup(three, 3, 0);
	ok(fake_until(!may()), "in a new ring nothing is written before our own hello has come back");
	fake_set(&fake.swallows_hellos, false);
	fake_regroup(three, 3, 0);
	fake_hello(3, 0, true, 4000);
	ok(fake_until(fake.config_size == 3 && may()), "then it may");

	fake_regroup(four, 4, 0);
	fake_hello(4, 99, false, 4000);
	ok(fake_until(fake.lost[0]), "who meets one that went on in a later ring is lost: %s", fake.lost);
	ok(!may(), "and writes no more");
}

int main(void)
{
	fake.swallows_beats = true;
	begins();
	token_changes();
	quorum_goes_and_comes();
	rings_change();
	e->ops->close(e);
	ok(!fake.is_space_open, "closed, it has let the lockspace go");
	return tap_end();
}
