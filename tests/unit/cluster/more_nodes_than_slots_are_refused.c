/* Goal: where every slot has an owner a joiner is refused in one sentence, at once, and leaves nothing behind; where
 * one is only being taken over it waits for that.
 * Method: two slots; a third node; then a death whose take-over takes its time, and a joiner meanwhile.
 * Law: C4, I9.
 * Source: the cluster specification, section 2 (ERANGE). */
#include "harness.h"

int main(void)
{
	struct w *w = &the_world;
	int third, fourth;
	uint64_t since_ms;

	ok(w_up(w, 2, 2), "two nodes are up, there are two slots");
	since_ms = w->now_ms;
	third = w_start(w);
	ok(w_run(w), "a third comes");
	ok(w->nodes[third].is_refused && !w->nodes[third].was_up, "it is refused");
	is_u64(w->now_ms, since_ms, "at once");
	ok(strstr(w->nodes[third].err.text, "2 nodes are up already, the bitmap has 2 slots"), "both values are told: "
		"%s",
		w->nodes[third].err.text);
	ok(w->nodes[third].has_said_goodbye && !w->nodes[third].is_member, "it left the group");
	ok(w->locks[0].holder < 0 && !w->locks[0].queued, "the token is free");
	ok(w_status(w, 0).state == CLU_UP && w_status(w, 1).state == CLU_UP, "the two are up as before");

	w->nodes[0].a.keeps_taking = true;
	w_kill(w, 1);
	w_fence(w, 1);
	while (w_once(w))
		;
	ok(w_status(w, 0).peers[1].state == CLU_P_TAKING, "one dies; taking its slot takes its time");
	fourth = w_start(w);
	while (w_once(w))
		;
	ok(!w->nodes[fourth].is_refused && !w->nodes[fourth].was_up, "a joiner is not refused meanwhile");
	ok(w->locks[0].holder < 0, "and does not keep the token, which the take-over may need");
	ok(clu_next_timer_ms(w->nodes[fourth].c) != UINT64_MAX, "it tries again");
	w->nodes[0].a.keeps_taking = false;
	ok(w_run(w) && w->nodes[fourth].was_up, "it is up when the slot was taken");
	is_u64(w_status(w, fourth).slot, 1, "with that slot");
	w_end(w);

	w_init(w, 2, 0);
	w->locks[2].holder = w->locks[3].holder = 5;
	third = w_start(w);
	ok(w_run(w), "all slots have owners that are not in the group");
	ok(w->nodes[third].is_refused && w->now_ms >= 30000 && w->now_ms < 31000, "a joiner gives up after 30 s");
	ok(strstr(w->nodes[third].err.text, "0 nodes are up"), "and says so: %s", w->nodes[third].err.text);
	w_end(w);
	return tap_end();
}
