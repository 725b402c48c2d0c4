/* Goal: whatever step a node is at, a stop ends, a hold changes nothing but time, what is lost does nothing more, and
 *	reading superblocks once more does no harm.
 * Method: one story of writes, a failure, a spare, a dead slot and a suspended range; it is told once for each of its
 *	steps and each thing that may come in between, and its end is looked at.
 * Law: I2, I9, C5.
 * Source: md cluster specification 8.4, 8.5, 8.22. */
#include "node.h"

enum meeting { NOTHING, A_STOP, A_HOLD, A_STOP_WHILE_HELD, A_LOSS, A_LOSS_WHILE_HELD, A_RELOAD, A_DEATH, MEETINGS };
enum { WRITES = 5, FAR = 1 << 30 };

static struct {
	enum meeting meeting;
	int at, step;			/* the step at which it comes; now */
	bool has_met, has_stopped;
	struct arr_req *writes[WRITES];
	uint32_t given_out_late;
} story;

static bool jobs_wait(void)
{
	return !list_is_empty(&w.jobs);
}

static void run_quietly(void)
{
	while (run_one())
		;
}

static void meet(void)
{
	bool holds = story.meeting == A_HOLD || story.meeting == A_STOP_WHILE_HELD ||
		story.meeting == A_LOSS_WHILE_HELD;

	story.has_met = true;
	if (holds) {
		say((struct arr_event){ .kind = ARR_EV_HOLD, .value = true });
		run_quietly();		/* what was out comes back; nothing may follow */
		say((struct arr_event){ .kind = ARR_EV_TIMER });
		story.given_out_late += jobs_wait();
	}
	if (story.meeting == A_STOP || story.meeting == A_STOP_WHILE_HELD) {
		story.has_stopped = true;
		stop();
	} else if (story.meeting == A_LOSS || story.meeting == A_LOSS_WHILE_HELD) {
		say((struct arr_event){ .kind = ARR_EV_LOST });
		run_quietly();
		score();
	} else if (story.meeting == A_RELOAD || story.meeting == A_DEATH) {
		say((struct arr_event){ .kind = ARR_EV_RELOAD, .value = story.meeting == A_DEATH });
	}
	if (holds)
		say((struct arr_event){ .kind = ARR_EV_HOLD });
}

static void tick(void)
{
	if (story.step++ == story.at)
		meet();
}

/* All jobs, step by step. */
static void go_on(void)
{
	say((struct arr_event){ .kind = ARR_EV_TIMER });
	for (tick(); run_one(); )
		tick();
}

static void write_chunk(unsigned n, uint64_t chunk)
{
	story.writes[n] = submit(ARR_WRITE, chunk * CHUNK, 4096, 'A' + (int)n);
	tick();
}

static void tell_story(void)
{
	begin_node((struct setup){ .members = 3, .slots = 2, .states = { 0, 0, ARR_M_SPARE } });
	put_slot(2, 1 << 4 | 1 << 9);
	write_chunk(0, 0);
	write_chunk(1, 5);
	go_on();
	take_slot(2, true);
	tick();
	write_chunk(2, 4);
	go_on();
	suspend(3, 7 * CHUNK, CHUNK);
	write_chunk(3, 7);
	fail(1);
	go_on();
	write_chunk(4, 8);
	suspend(3, 0, 0);
	go_on();
	for (int i = 0; i < 4; i++) {
		w.now_ms += 6000;
		go_on();
	}
}

static bool writes_are_done(bool with_success)
{
	for (unsigned i = 0; i < WRITES; i++)
		if (!story.writes[i]->is_done || (with_success && story.writes[i]->rc))
			return false;
	return true;
}

/* Members in sync are equal where anything was written or in doubt. */
static bool members_agree(void)
{
	const struct arr_status *s = status();
	const uint8_t *first = NULL;

	for (uint32_t i = 0; i < s->member_count; i++) {
		const uint8_t *data = w.hands[i].media + DATA_AT;

		if (s->members[i].state != ARR_M_IN_SYNC)
			continue;
		if (first && memcmp(first, data, SIZE))
			return false;
		first = data;
	}
	return first;
}

/* Who was told of success finds its bytes on the pin. */
static bool answers_hold(void)
{
	static const uint64_t chunks[WRITES] = { 0, 5, 4, 7, 8 };

	for (unsigned i = 0; i < WRITES; i++)
		if (!story.writes[i]->rc && byte_of(status()->pin, chunks[i] * CHUNK) != 'A' + (int)i)
			return false;
	return true;
}

static bool ends_well(void)
{
	bool is_lost = story.meeting == A_LOSS || story.meeting == A_LOSS_WHILE_HELD;
	struct arr_wants want;

	if (story.given_out_late || !writes_are_done(!is_lost && !story.has_stopped) || !answers_hold())
		return false;
	if (is_lost)
		return arr_is_stopped(w.a) && !strstr(w.score, "0");
	if (!story.has_stopped) {
		if (state_of(2) != ARR_M_IN_SYNC || !members_agree() || bm_set_chunks(w.bitmap))
			return false;
		stop();
		run();
	}
	want = wants();
	return arr_is_stopped(w.a) && !want.token && !want.sync && !want.window && !w_cluster.has_sync;
}

static int steps_of(enum meeting meeting, int at)
{
	memset(&story, 0, sizeof story);
	story.meeting = meeting;
	story.at = at;
	tell_story();
	return story.step;
}

int main(void)
{
	static const char *const words[] = { "nothing", "a stop", "a hold", "a stop while held", "a loss",
		"a loss while held", "a message", "a death" };
	int steps = steps_of(NOTHING, FAR);

	ok(steps > 40 && ends_well(), "a story of %d steps ends well", steps);
	end();
	for (int meeting = A_STOP; meeting < MEETINGS; meeting++) {
		int bad = -1;

		for (int at = 0; at < steps && bad < 0; at++) {
			steps_of((enum meeting)meeting, at);
			if (!ends_well() || w.early_claims)
				bad = at;
			forget();
		}
		ok(bad < 0, "%s at each of its steps does no harm", words[meeting]);
		if (bad >= 0)
			printf("# at step %d: %s\n", bad, w.score);
	}
	return tap_end();
}
