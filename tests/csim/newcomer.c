/* Four scenes around a node or a disk that comes to others, which histories drawn at large meet too seldom, or cannot
 * judge:
 *
 *   stops   it stops before its hello, for as long as one likes, and nobody throws it out: what clients of the others
 *           ask is answered, failures are recorded, ranges open, and one more node comes up (I9)
 *   offers  a node adds a disk and dies at any step of that; the newcomer was given that disk, which may have been
 *           recorded or not: all nodes agree in the end whether it is a spare, and a failure makes nobody leave (I9)
 *   gone    a node has stopped, the others have gone on without it, and nobody has fenced it: what the newcomer
 *           records does not count before that, for it may write to the member that failed, and read from it (C6)
 *   left    a node has died, and reading its slot takes as long as one likes; meanwhile a disk is added that has it
 *           empty: that one is not in sync before the bits are on it (C1)
 *
 * Left out: a newcomer that stops with the token, which keeps those waiting who have something to record, as any node
 * does that stops with a lock; and one that stops where nobody is up, whom the next one waits for, since it may be up
 * for all that one knows. All other laws are asked as ever. */
#include "history.h"

enum { REST_TIMERS = 60, REST_STEPS = 60000, NEVER = 1 << 30 };

void newcomer_setup(struct cs_setup *s)
{
	s->nodes = s->nodes < 3 ? 3 : s->nodes;
	s->slots_of_nodes = s->nodes;
	s->spares = 1;
}

static struct cs_node *last_of(struct cs_world *w, uint32_t back)
{
	return &w->nodes[w->setup.nodes - back];
}

static void come_to_rest(struct cs_world *w)
{
	uint32_t steps = 0;

	for (uint32_t timers = 0; timers < REST_TIMERS; timers++) {
		while (drive_step(w))
			if (++steps == REST_STEPS)
				broken(w, "I9", "after %u steps there is still something to do", steps);
		if (!drive_time(w))
			return;
	}
}

static void steps(struct cs_world *w, uint32_t most)
{
	for (uint32_t i = lot(w, most); i && drive_step(w); i--)
		;
}

static void all_ask(struct cs_world *w)
{
	EACH_NODE(w, n)
		for (uint32_t i = 0; i < CS_REQUESTS; i++)
			if (n->life == CS_RUNS && n->is_up)
				client_asks(w, n);
}

/* ---- stops ---- */

static bool is_before_its_hello(const struct cs_world *w, const struct cs_node *n)
{
	struct clu_status s;

	if (n->life != CS_RUNS || engine_holder(w, (struct clu_lock){ .kind = CLU_LOCK_TOKEN }) == n->id)
		return false;
	clu_get_status(n->clu, &s);
	return s.state == CLU_GROUP || s.state == CLU_TOKEN;
}

static bool is_anybody_up(struct cs_world *w)
{
	EACH_NODE(w, n)
		if (n->life == CS_RUNS && n->is_up)
			return true;
	return false;
}

static void check_the_living(struct cs_world *w, const struct cs_node *stopped)
{
	w->stats->stakes[CS_I9]++;
	EACH_NODE(w, n) {
		if (n->life != CS_RUNS)
			continue;
		if (!n->is_up)
			broken(w, "I9", "node %u does not come up while node %u has stopped before its hello",
			       n->number, stopped->number);
		if (client_open(n))
			broken(w, "I9", "%u requests of node %u wait for node %u, which stopped before its hello",
			       client_open(n), n->number, stopped->number);
	}
}

static void stops(struct cs_world *w)
{
	struct cs_node *n = last_of(w, 1);

	w->patience = NEVER;
	node_start(w, n);
	all_ask(w);
	steps(w, 60);
	if (!is_before_its_hello(w, n) || !is_anybody_up(w))
		return;
	node_pauses(w, n);
	if (by_lot(w, 2))
		fault_strike(w, CS_F_USER_FAIL);
	all_ask(w);
	if (last_of(w, 2)->life == CS_OFF)
		node_start(w, last_of(w, 2));
	come_to_rest(w);
	check_the_living(w, n);
	fault_resume(w, n);
}

/* ---- offers ---- */

static void check_spares(struct cs_world *w)
{
	w->stats->stakes[CS_I9]++;
	EACH_DISK(w, d)
		EACH_NODE(w, one)
			EACH_NODE(w, other)
				if (one->is_up && other->is_up && one->states[disk_index(w, d)] == ARR_M_SPARE &&
				    other->states[disk_index(w, d)] == ARR_M_NONE)
					broken(w, "I9", "%s is a spare of node %u, and node %u does not know it",
					       d->disk.path, one->number, other->number);
}

static void offers(struct cs_world *w)
{
	struct cs_node *adder = &w->nodes[0];
	uint64_t lost;

	all_ask(w);
	errand_begin(w, adder, w->setup.disks);
	steps(w, 200);
	if (adder->life != CS_RUNS)
		return;
	node_dies(w, adder);
	w->patience = 1 + lot(w, 4);
	steps(w, 60);
	node_start(w, last_of(w, 1));
	come_to_rest(w);
	check_spares(w);
	lost = w->stats->events[CS_LOST];
	if (!fault_strike(w, CS_F_USER_FAIL))
		return;
	come_to_rest(w);
	if (w->stats->events[CS_LOST] != lost)
		broken(w, "I9", "a member failed, and a node had to leave");
}

/* ---- gone ---- */

static bool fails_one(struct cs_world *w, struct cs_node *n)
{
	struct arr_status s;

	arr_get_status(n->array, &s);
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state == ARR_M_IN_SYNC && s.degraded == 0) {
			node_array(w, n, &(struct arr_event){ .kind = ARR_EV_FAIL, .member = i });
			return true;
		}
	return false;
}

static bool is_recorded(const struct cs_node *n)
{
	struct arr_status s;

	arr_get_status(n->array, &s);
	return s.is_recorded;
}

static void gone(struct cs_world *w)
{
	struct cs_node *stopped = &w->nodes[0], *n = last_of(w, 1);

	w->patience = NEVER;
	all_ask(w);
	steps(w, 100);
	if (stopped->life != CS_RUNS || !stopped->is_up)
		return;
	node_pauses(w, stopped);
	engine_evict(w, stopped);
	node_start(w, n);
	come_to_rest(w);
	if (n->life != CS_RUNS || !n->is_up || !fails_one(w, n))
		return;
	come_to_rest(w);
	w->stats->stakes[CS_C6]++;
	if (is_recorded(n))
		broken(w, "C6", "what node %u records counts, and node %u may still write", n->number, stopped->number);
	engine_fence(w, stopped);
	come_to_rest(w);
	if (!is_recorded(n))
		broken(w, "I9", "node %u records nothing though node %u is fenced", n->number, stopped->number);
}

/* ---- left ---- */

/* A node's job of this kind is kept from its hands. */
static bool take_away(struct cs_world *w, enum arr_job_kind kind, struct cs_node **ret_of, struct cs_job *ret)
{
	EACH_NODE(w, n)
		for (uint32_t i = 0; n->life == CS_RUNS && i < n->job_count; i++) {
			if (n->jobs[i].job->kind != kind)
				continue;
			*ret = n->jobs[i];
			memmove(&n->jobs[i], &n->jobs[i + 1], (--n->job_count - i) * sizeof *ret);
			*ret_of = n;
			return true;
		}
	return false;
}

static void left(struct cs_world *w)
{
	struct cs_node *dies = last_of(w, 1), *reads = NULL;
	struct cs_job job;
	uint32_t i = 0;

	w->patience = 0;
	node_start(w, dies);
	come_to_rest(w);
	if (!fails_one(w, &w->nodes[0]))
		return;
	come_to_rest(w);
	for (uint32_t k = 0; k < CS_REQUESTS; k++)
		client_asks(w, dies);
	steps(w, 60);
	node_dies(w, dies);
	while (!take_away(w, ARR_JOB_SLOT_READ, &reads, &job) && i++ < 2000 && drive_step(w))
		;
	if (!reads)
		return;
	errand_begin(w, reads == &w->nodes[0] ? &w->nodes[1] : &w->nodes[0], w->setup.disks);
	come_to_rest(w);
	reads->jobs[reads->job_count++] = job;
	come_to_rest(w);
}

void newcomer_live(struct cs_world *w)
{
	uint32_t late = w->setup.nodes > 3 && by_lot(w, 2) ? 2 : 1;

	w->patience = 0;
	for (uint32_t i = 0; i + late < w->setup.nodes; i++)
		node_start(w, &w->nodes[i]);
	if (by_lot(w, 2))
		come_to_rest(w);
	else
		steps(w, 400);
	switch (lot(w, 4)) {
	case 0:
		stops(w);
		break;
	case 1:
		offers(w);
		break;
	case 2:
		left(w);
		break;
	default:
		gone(w);
	}
}
