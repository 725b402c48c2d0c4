/* What a run has seen, added up over histories and processes. */
#ifndef TESTS_SIM_STATS_H
#define TESTS_SIM_STATS_H

#include "base/law.h"
#include "disk.h"

struct sim_stats {
	uint64_t seeds, lives, steps, simulated_ms;
	uint64_t cuts, starts_refused, stops, resyncs, recoveries, failures, forks_refused;
	uint64_t crash_points;			/* media after a cut that were started from and judged */
	uint64_t crash_points_deep[4];		/* of these, by depth: a cut, a cut after a cut, ... */
	uint64_t faults[FAULT_KINDS];
	uint64_t stakes[LAW_COUNT];		/* how often a law was checked where it could have been broken */
	uint64_t violations;
};

const char *fault_name(enum sim_fault fault);		/* "eio-once", ... */
void stats_add(struct sim_stats *to, const struct sim_stats *from);
/* A line per law, faults by kind, simulated time, the rate; the last line: "N seeds, N crash points, N faults, N
 * violations". @seconds of wall clock, 0: no rate. */
void stats_print(const struct sim_stats *s, double seconds);
/* Laws never at stake, faults and syncs that never happened; prints each. */
uint32_t stats_print_idle(const struct sim_stats *s);

#endif
