/* umd-sim: the brains of umd in a simulated world.
 *
 *   umd-sim --seed N [--trace]             one history, with branches at its crash points
 *   umd-sim --seeds FROM COUNT             many; ends at the first broken law
 *   umd-sim --seconds S [--from SEED] [--jobs J]   as many as fit; ends at the tenth broken law
 *   umd-sim --shrink SEED|FILE             what that seed or scenario breaks, in as few events as possible
 *   umd-sim --scenario FILE [--images DIR] [--trace]       --scenarios FOLDER
 *   umd-sim --exhaust DEPTH ...            --faults        (exhaust.c, exhaust_fault.c)
 *
 *   --demand: every law must have been at stake and every fault have happened, else it failed
 *   --at-least N: fewer crash points than that are a failure, too
 *   --no-branches: the trunk alone
 *
 * The objects are those of the server (base but its allocator, format, bitmap, array, assembly); members, time and
 * order are made up here. Same seed, same history: "trace hash" says so. */
#include "exhaust.h"
#include "runs.h"
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEITHER, SEED, SEEDS, SECONDS, SHRINK, SCENARIO, SCENARIOS };

struct command {
	int what;
	struct runs runs;
	double seconds;
	const char *path, *images;
	uint64_t at_least;
	bool is_demanding;
};

static int usage(void)
{
	fputs("usage: umd-sim --seed N [--trace] | --seeds FROM COUNT | --seconds S [--from SEED] [--jobs J]\n"
	      "               [--demand] [--at-least N] [--no-branches]\n"
	      "       umd-sim --shrink SEED|FILE | --scenario FILE [--images DIR] [--trace] | --scenarios FOLDER\n"
	      "       umd-sim --exhaust DEPTH | --faults\n",
	      stderr);
	return 2;
}

static bool take_number(char ***at, uint64_t *ret)
{
	char *end;

	if (!(*at)[1])
		return false;
	*ret = strtoull(*++*at, &end, 10);
	return !*end && end != **at;
}

static bool take_path(char ***at, const char **ret)
{
	if (!(*at)[1])
		return false;
	*ret = *++*at;
	return true;
}

static bool take_option(struct command *c, char ***at)
{
	const char *word = **at;
	uint64_t number = 1;

	if (!strcmp(word, "--seed")) {
		c->what = SEED;
		c->runs.count = 1;
		return take_number(at, &c->runs.from);
	}
	if (!strcmp(word, "--shrink")) {
		c->what = SHRINK;
		c->path = (*at)[1];
		return take_number(at, &c->runs.from) || c->path;
	}
	if (!strcmp(word, "--seeds")) {
		c->what = SEEDS;
		return take_number(at, &c->runs.from) && take_number(at, &c->runs.count);
	}
	if (!strcmp(word, "--from"))
		return take_number(at, &c->runs.from);
	if (!strcmp(word, "--at-least"))
		return take_number(at, &c->at_least);
	if (!strcmp(word, "--seconds")) {
		c->what = SECONDS;
		if (!take_number(at, &number))
			return false;
		c->seconds = (double)number;
		return true;
	}
	if (!strcmp(word, "--jobs")) {
		if (!take_number(at, &number) || !number || number > RUNS_JOBS_MAX)
			return false;
		c->runs.jobs = (uint32_t)number;
		return true;
	}
	if (!strcmp(word, "--scenario")) {
		c->what = SCENARIO;
		return take_path(at, &c->path);
	}
	if (!strcmp(word, "--scenarios")) {
		c->what = SCENARIOS;
		return take_path(at, &c->path);
	}
	if (!strcmp(word, "--images"))
		return take_path(at, &c->images);
	c->runs.is_tracing |= !strcmp(word, "--trace");
	c->runs.has_no_branches |= !strcmp(word, "--no-branches");
	c->is_demanding |= !strcmp(word, "--demand");
	return !strcmp(word, "--trace") || !strcmp(word, "--demand") || !strcmp(word, "--no-branches");
}

static int finish(const struct command *c, const struct sim_stats *stats)
{
	if (c->is_demanding && stats_print_idle(stats)) {
		puts("the histories are too tame");
		return 1;
	}
	if (stats->crash_points < c->at_least && !stats->violations) {
		printf("%llu crash points are fewer than %llu\n", (unsigned long long)stats->crash_points,
		       (unsigned long long)c->at_least);
		return 1;
	}
	return stats->violations ? 1 : 0;
}

static int run(struct command *c)
{
	static struct sim_stats stats;

	switch (c->what) {
	case SEED:
	case SEEDS:
		runs_seeds(&c->runs, &stats);
		return finish(c, &stats);
	case SECONDS:
		runs_seconds(&c->runs, c->seconds, &stats);
		return finish(c, &stats);
	case SHRINK:
		return access(c->path, R_OK) ? runs_shrink(c->runs.from) : scenario_shrink(c->path);
	case SCENARIO:
		return scenario_main(c->path, c->images, c->runs.is_tracing);
	case SCENARIOS:
		return scenarios_main(c->path);
	default:
		return usage();
	}
}

int main(int argc, char **argv)
{
	struct command c = { .runs = { .jobs = 1, .program = argv[0] } };

	setvbuf(stdout, NULL, _IOLBF, 0);
	runs_listen();
	memory_keep();
	if (argc > 1 && !strcmp(argv[1], "--exhaust"))
		return exhaust_main(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "--faults"))
		return exhaust_fault_main(argc - 2, argv + 2);
	for (char **at = argv + 1; *at; at++)
		if (!take_option(&c, &at))
			return usage();
	return run(&c);
}
