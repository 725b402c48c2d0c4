/* Goal: events_cleared only grows, never exceeds events, and is called durable only when a commit carried it.
 * Method: every order of the two setters around commits, looked at in the image's own bytes.
 * Law: I4.
 * Source: md bitmap 1.6 and P1. */
#include "base/le.h"
#include "bm_help.h"

enum { CHUNK = 4096 };

int main(void)
{
	struct bitmap_sb sb = a_superblock(64 * CHUNK, CHUNK);
	struct bm *b = bm_new(&sb, NULL, 0);
	const struct bm_page_write *writes;

	bm_load(b, BM_LOAD_CLEAN, at(OFF_NONE), false);
	ok(!bm_events_cleared_is_durable(b) && bm_wants_commit(b),
	   "read from one member: not known to be on all, a commit is wanted");
	commit(b);
	ok(bm_events_cleared_is_durable(b), "after the commit it is");
	bm_set_events_cleared(b, 3);
	bm_set_events_cleared(b, 1);
	is_u64(bm_events_cleared(b), 3, "it does not move back");
	ok(bm_events_cleared_is_durable(b) && !bm_wants_commit(b), "and nothing changed, so nothing is written");

	bm_set_events(b, 9);
	is_u64(bm_events(b), 9, "events as told");
	ok(bm_events_cleared_is_durable(b), "events alone leave events_cleared where it was");
	ok(bm_wants_commit(b) && !bm_wants_commit_now(b), "page 0 is wanted, not before data");
	bm_set_events_cleared(b, 9);
	ok(!bm_events_cleared_is_durable(b), "advanced: in memory only");
	is_u64(bm_commit_begin(b, &writes), 1, "one page");
	is_u64(le_get(writes[0].data + 24, 8), 9, "events in the image");
	is_u64(le_get(writes[0].data + 32, 8), 9, "events_cleared in the image");
	bm_set_events_cleared(b, 10);
	bm_commit_end(b, true);
	ok(!bm_events_cleared_is_durable(b), "a commit that carried an older value does not make the newer durable");
	is_u64(bm_events(b), 10, "events are never behind events_cleared");
	bm_commit_begin(b, &writes);
	bm_commit_end(b, false);
	ok(!bm_events_cleared_is_durable(b), "nor does one that failed");
	commit(b);
	ok(bm_events_cleared_is_durable(b), "its own does");
	bm_set_events(b, 8);
	is_u64(bm_events_cleared(b), 8, "min rule: a superblock never says events_cleared above events");
	ok(!bm_events_cleared_is_durable(b), "and that, too, must reach the disk");
	commit(b);
	bm_set_daemon_sleep(b, 1001);
	is_u64(bm_daemon_sleep_ms(b), 1001, "a period is kept in milliseconds");
	is_u64(bm_commit_begin(b, &writes), 1, "and written");
	is_u64(le_get(writes[0].data + 56, 4), 2, "in whole seconds, rounded up");
	bm_commit_end(b, true);
	bm_free(b);
	return tap_end();
}
