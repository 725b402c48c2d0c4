/* Many seeds: one after the other, or as many as fit into some seconds and processes. */
#ifndef TESTS_SIM_RUNS_H
#define TESTS_SIM_RUNS_H

#include "stats.h"

enum { RUNS_JOBS_MAX = 64, RUNS_VIOLATIONS_MAX = 10 };

struct runs {
	const char *program;		/* as it was called, for the line that says how to see it again */
	uint64_t from, count;
	uint32_t jobs;
	bool is_tracing, has_no_branches;
};

void runs_listen(void);			/* the brains' own laws are told to the world that acts */
/* Ends at the first broken law. Prints the hash of everything that happened, and what was seen. */
void runs_seeds(const struct runs *r, struct sim_stats *ret);
/* Ends when the time is over, or at the tenth broken law. */
void runs_seconds(const struct runs *r, double seconds, struct sim_stats *ret);
int runs_shrink(uint64_t seed);

#endif
