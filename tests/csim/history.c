/* A history: nodes start, clients ask, faults strike, and in the end everything must come to rest.
 *
 *   turns: a thing happens | a client asks | a fault strikes | somebody starts, goes on, is plugged in
 *   then:  faults end, all comes to rest, laws of rest; all leave; the power may go; one starts again, rest once more
 *
 * A sweep takes a short history without faults, and lets each kind of fault strike before each of its turns. */
#include "history.h"

#include <stdio.h>

static struct cs_world world;
static bool is_sound;
static uint64_t last_fault_at, last_turns;
static enum cs_fault last_fault;

uint64_t history_hash(void)
{
	return world.hash;
}

bool history_is_sound(void)
{
	return is_sound;
}

uint64_t history_fault_at(void)
{
	return last_fault_at;
}

enum cs_fault history_fault(void)
{
	return last_fault;
}

/* The brains' own laws speak here. */
static void on_law(enum law_id id, const char *condition, const char *file, int line)
{
	broken(acting, law_name(id), "%s:%d: %s", file, line, condition);
}

struct temper {
	uint32_t turns, one_asks, one_faults, one_starts;
	uint64_t faults;		/* mask of kinds */
};

static struct temper temper_of(const struct cs_options *o, struct cs_world *w)
{
	struct temper t = { .turns = 100 + lot(w, 500), .one_asks = 3 + lot(w, 12), .one_faults = 10 + lot(w, 60),
		.one_starts = 6 + lot(w, 40) };

	t.faults = lot(w, 1 << CS_F_KINDS) | lot(w, 1 << CS_F_KINDS);
	if (by_lot(w, 3)) {	/* members come and go, and so do nodes */
		t.faults = 1u << CS_F_EIO | 1u << CS_F_USER_FAIL | 1u << CS_F_MEMBERS | 1u << CS_F_DISK |
			   lot(w, 1 << 4) << CS_F_DISK_POWER |
			   (by_lot(w, 2) ? 1u << CS_F_DEATH : 1u << CS_F_LEAVE) | (by_lot(w, 2) ? 1u << CS_F_PAUSE : 0);
		t.one_faults = 4 + lot(w, 16);
	}
	w->patience = 1 + lot(w, 3) * lot(w, 20);
	if (o->fault_at != UINT64_MAX) {
		t.faults = 0;
		t.turns = 60 + lot(w, 200);
		t.one_asks = 3 + lot(w, 5);
	}
	return t;
}

static void somebody_asks(struct cs_world *w)
{
	struct cs_node *n = &w->nodes[lot(w, w->setup.nodes)];

	if (n->life == CS_RUNS && n->is_up)
		client_asks(w, n);
}

/* Whoever is off starts; whoever is stopped goes on; what is parted is plugged in, members are reached. */
static void somebody_returns(struct cs_world *w)
{
	struct cs_node *n = &w->nodes[lot(w, w->setup.nodes)];

	if (w->is_parted && by_lot(w, 3))
		fault_heal(w);
	else if ((n->lost_paths || n->slow_disks) && by_lot(w, 2))
		disks_heal(w, n);
	else if (n->life == CS_OFF)
		node_start(w, n);
	else if (n->life == CS_PAUSED)
		fault_resume(w, n);
}

static void strike_by_lot(struct cs_world *w, const struct temper *t)
{
	enum cs_fault kind = by_lot(w, 4) ? CS_F_MEMBERS : (enum cs_fault)lot(w, CS_F_KINDS);

	if (t->faults >> kind & 1 && ((kind != CS_F_CUT && kind != CS_F_ALL_DIE && kind != CS_F_DISK) || by_lot(w, 3)))
		fault_strike(w, kind);
}

static void live(struct cs_world *w, const struct cs_options *o)
{
	struct temper t = temper_of(o, w);

	last_turns = t.turns;
	for (uint32_t turn = 0; turn < t.turns; turn++) {
		if (turn == o->fault_at) {
			w->lots = prng_seed(w->setup.seed + turn);
			fault_strike(w, o->fault);
		}
		if (by_lot(w, t.one_faults))
			strike_by_lot(w, &t);
		if (by_lot(w, t.one_starts) || turn == 0)
			somebody_returns(w);
		if (by_lot(w, t.one_asks))
			somebody_asks(w);
		if (!drive_step(w) || by_lot(w, 60))
			drive_time(w);
	}
}

static void come_to_rest(struct cs_world *w)
{
	drive_settle(w);
	if (by_lot(w, 2))
		drive_stop_all(w);
	if (by_lot(w, 3))
		fault_cut(w);
	else
		return;
	drive_settle(w);
	drive_stop_all(w);
}

static void live_and_rest(const struct cs_options *o, uint64_t seed, struct cs_stats *stats)
{
	struct cs_setup setup;

	setup_from_seed(&setup, seed, o->nodes);
	if (o->is_newcomer)
		newcomer_setup(&setup);
	world_create(&world, &setup, stats, o->is_tracing);
	if (o->is_newcomer)
		newcomer_live(&world);
	else
		live(&world, o);
	come_to_rest(&world);
	world_free(&world);
}

void history_run(const struct cs_options *o, uint64_t seed, struct cs_stats *stats)
{
	jmp_buf home;

	acting = &world;
	law_sink_set(on_law);
	last_fault_at = o->fault_at;
	last_fault = o->fault;
	is_sound = false;
	verdict_jump = &home;
	if (!setjmp(home)) {
		live_and_rest(o, seed, stats);
		is_sound = true;
	}
	stats->histories++;
	stats->steps += world.step;
}

void history_sweep(const struct cs_options *o, uint64_t seed, struct cs_stats *stats)
{
	struct cs_options one = *o;

	last_turns = 1;
	for (one.fault_at = 0; one.fault_at < last_turns; one.fault_at++)
		for (uint32_t kind = 0; kind < CS_F_KINDS; kind++) {
			one.fault = (enum cs_fault)kind;
			history_run(&one, seed, stats);
			if (!is_sound)
				return;
		}
}
