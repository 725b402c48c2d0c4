/* Goal: what one node says is done when every other one has processed it: superblocks are read, writes in a range have
 * ended, a disk was seen.
 * Method: three nodes; one of them takes its time.
 * Law: C6, C3.
 * Source: the cluster specification, section 4. */
#include "harness.h"

/* Its sweep may be writing to the member whose failure is announced. */
static void one_that_stops(struct w *w)
{
	ok(w_up(w, 2, 2), "two nodes are up");
	w->nodes[1].a.is_stopping = w->nodes[1].a.keeps_reloading = true;
	w_event(w, 1, CLU_EV_ARRAY);
	w->nodes[0].a.claims = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w) && w_status(w, 0).waits_for == 2, "one that stops is waited for until it has read superblocks");
	is_u64(w->nodes[0].a.announced, 0, "nothing is announced");
	w->nodes[1].a.keeps_reloading = false;
	ok(w_run(w) && w->nodes[0].a.announced == 1, "then it is");
	w_end(w);
}

int main(void)
{
	struct w *w = &the_world;
	unsigned reloads[3];

	ok(w_up(w, 3, 3), "three nodes are up");
	for (int i = 0; i < 3; i++)
		reloads[i] = w->nodes[i].a.reloads;
	w->nodes[2].a.keeps_reloading = true;
	w->nodes[0].a.claims = 1;
	w->nodes[0].a.claimed_events = 40;
	w->nodes[0].a.claimed_number = 7;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w), "one has something to record");
	is_u64(w_said(w, 0, CLU_M_METADATA_UPDATED), 1, "it says so once");
	is_u64(w_status(w, 0).waits_for, 4, "and waits for the one that still reads superblocks");
	ok(w->nodes[1].a.reloads == reloads[1] + 1 && w->nodes[2].a.reloads == reloads[2] + 1, "both were asked to "
		"read");
	is_u64(w->nodes[1].a.told_events, 40, "to find this event number");
	is_u64(w->nodes[1].a.told_number, 7, "on this device");
	is_u64(w->nodes[0].a.announced, 0, "the array does not hear of success before");
	ok(w_status(w, 0).has_token, "the token is kept");
	w->nodes[2].a.keeps_reloading = false;
	ok(w_run(w) && w->nodes[0].a.announced == 1, "it has read: announced");
	ok(!w_status(w, 0).has_token && !w->nodes[0].a.has_token, "the token is given back");

	w->nodes[1].a.keeps_writing = true;
	w->nodes[0].a.windows = 1;
	w_event(w, 0, CLU_EV_ARRAY);
	ok(w_run(w), "it is to copy a range; another node writes there");
	is_u64(w->nodes[1].a.suspended[0].len, 4096, "that one lets nobody in");
	is_u64(w_status(w, 0).waits_for, 2, "and is waited for");
	is_u64(w->nodes[0].a.copied, 0, "nothing is copied");
	w->nodes[1].a.keeps_writing = false;
	ok(w_run(w) && w->nodes[0].a.copied == 1, "its writes have ended: copied");
	is_u64(w->nodes[1].a.suspended[0].len, 0, "the range is ended");
	is_u64(w->nodes[2].a.suspended[0].len, 0, "everywhere");
	ok(!w_status(w, 0).has_resync, "the sync lock is given back");
	is_u64(w->broken_windows, 0, "nobody wrote where was copied");
	is_u64(w_said(w, 0, CLU_M_RESYNCING), 2, "two messages: the range, and none");
	w_end(w);
	one_that_stops(w);
	return tap_end();
}
