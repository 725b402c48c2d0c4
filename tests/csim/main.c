/* umd-csim: several nodes of a cluster in one simulated world.
 *
 *   umd-csim --seed N [--trace]            one history
 *   umd-csim --seeds FROM COUNT            many; ends at the first broken law
 *   umd-csim --seconds S [--from SEED]     as many as fit; ends at the tenth broken law
 *   umd-csim --sweep FROM COUNT            for each seed: a fault of every kind at every step of its history
 *   --listed FILE                          those of a file (seeds.txt): all of them, whatever breaks
 *
 *   --nodes K         2 to 5, else by the seed
 *   --newcomers       each seed is a scene of newcomer.c
 *   --fault-at STEP KIND    (with --seed) that fault at that step, as the sweep has it
 *   --demand          every fault must have happened and every law have been asked, else it failed
 *   --at-least N      fewer faults than that are a failure, too
 *
 * The objects are those of the server (base, format, bitmap, array, assembly, cluster); engine, members, time and order
 * are made up here. Same seed, same history. */
#include "csim.h"
#include "history.h"

#include <malloc.h>
#include <stdio.h>
#include <time.h>

enum { VIOLATIONS_MAX = 10, KEPT_BYTES = 64 << 20 };

struct command {
	enum { NOTHING, SEEDS, SECONDS, SWEEP, LISTED } what;
	struct cs_options o;
	uint64_t from, count, at_least;
	double seconds;
	bool is_demanding;
	const char *list;
};

static int usage(void)
{
	fputs("usage: umd-csim --seed N [--trace] [--fault-at STEP KIND] | --seeds FROM COUNT | --sweep FROM COUNT\n"
	      "                | --seconds S [--from SEED] | --listed FILE\n"
	      "                [--nodes K] [--newcomers] [--demand] [--at-least N]\n", stderr);
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

static bool take_range(char ***at, struct command *c, int what)
{
	c->what = what;
	return take_number(at, &c->from) && take_number(at, &c->count);
}

static bool take_option(struct command *c, char ***at)
{
	const char *word = **at;
	uint64_t n = 0;

	if (!strcmp(word, "--seed")) {
		c->what = SEEDS;
		c->count = 1;
		return take_number(at, &c->from);
	}
	if (!strcmp(word, "--seeds"))
		return take_range(at, c, SEEDS);
	if (!strcmp(word, "--sweep"))
		return take_range(at, c, SWEEP);
	if (!strcmp(word, "--from"))
		return take_number(at, &c->from);
	if (!strcmp(word, "--at-least"))
		return take_number(at, &c->at_least);
	if (!strcmp(word, "--seconds")) {
		c->what = SECONDS;
		c->count = UINT64_MAX;
		if (!take_number(at, &n))
			return false;
		c->seconds = (double)n;
		return true;
	}
	if (!strcmp(word, "--listed")) {
		c->what = LISTED;
		c->list = (*at)[1] ? *++*at : NULL;
		return c->list;
	}
	if (!strcmp(word, "--nodes")) {
		if (!take_number(at, &n) || n < 2 || n > CS_NODES)
			return false;
		c->o.nodes = (uint32_t)n;
		return true;
	}
	if (!strcmp(word, "--fault-at")) {
		if (!take_number(at, &c->o.fault_at) || !take_number(at, &n) || n >= CS_F_KINDS)
			return false;
		c->o.fault = (enum cs_fault)n;
		return true;
	}
	c->o.is_tracing |= !strcmp(word, "--trace");
	c->o.is_newcomer |= !strcmp(word, "--newcomers");
	c->is_demanding |= !strcmp(word, "--demand");
	return !strcmp(word, "--trace") || !strcmp(word, "--newcomers") || !strcmp(word, "--demand");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool report(const struct command *c, uint64_t seed)
{
	if (history_is_sound())
		return true;
	printf("LAW %s BROKEN: %s\n", verdict.law, verdict.text);
	printf("  seed %llu step %llu: umd-csim --seed %llu%s%s --trace", (ull)seed, (ull)verdict.step, (ull)seed,
	       c->o.nodes ? " --nodes ..." : "", c->o.is_newcomer ? " --newcomers" : "");
	if (history_fault_at() != UINT64_MAX)
		printf(" --fault-at %llu %u", (ull)history_fault_at(), (unsigned)history_fault());
	putchar('\n');
	return false;
}

static bool is_idle(const struct cs_stats *s)
{
	bool is = false;

	for (int i = 0; i < CS_F_KINDS; i++)
		if (!s->faults[i])
			is = printf("no fault: %s\n", fault_names[i]);
	for (int i = 0; i < CS_EVENTS; i++)
		if (!s->events[i])
			is = printf("never seen: %s\n", event_names[i]);
	for (int i = 0; i < CS_STAKES; i++)
		if (!s->stakes[i])
			is = printf("never asked: %s\n", stake_names[i]);
	if (is)
		puts("the histories are too tame");
	return is;
}

static void print_stats(const struct cs_stats *s, double seconds)
{
	for (int i = 0; i < CS_F_KINDS; i++)
		printf("%s%s %llu", i ? ", " : "faults: ", fault_names[i], (ull)s->faults[i]);
	putchar('\n');
	for (int i = 0; i < CS_STAKES; i++)
		printf("%s%s %llu", i ? ", " : "asked: ", stake_names[i], (ull)s->stakes[i]);
	putchar('\n');
	for (int i = 0; i < CS_EVENTS; i++)
		printf("%s%s %llu", i ? ", " : "events: ", event_names[i], (ull)s->events[i]);
	putchar('\n');
	printf("%llu histories, %llu steps, %llu fault points, %llu violations in %.1f s\n", (ull)s->histories,
	       (ull)s->steps, (ull)s->fault_points, (ull)s->violations, seconds);
}

/* A line begins with a seed, or tells something. False: there is no such file, or no seed in it. */
static bool run_listed(const struct command *c, struct cs_stats *stats)
{
	FILE *f = fopen(c->list, "r");
	char line[256], *end;

	if (!f)
		return false;
	while (fgets(line, sizeof line, f)) {
		uint64_t seed = strtoull(line, &end, 10);

		if (end == line)
			continue;
		history_run(&c->o, seed, stats);
		if (report(c, seed))
			continue;
		printf("  listed as: %s", line);
		stats->violations++;
	}
	fclose(f);
	return stats->histories;
}

/* What is freed stays with the process: worlds come and go a thousand times a second. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2);
	mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES);
	mallopt(M_TOP_PAD, KEPT_BYTES);
}

int main(int argc, char **argv)
{
	static struct cs_stats stats;
	struct command c = { .o = { .fault_at = UINT64_MAX } };
	double begun = now();

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	keep_memory();
	for (char **at = argv + 1; *at; at++)
		if (!take_option(&c, &at))
			return usage();
	if (c.what == NOTHING)
		return usage();
	if (c.what == LISTED && !run_listed(&c, &stats))
		return printf("%s: no seeds\n", c.list), 2;
	for (uint64_t seed = c.from, i = 0; i < c.count; i++, seed++) {
		if (c.what == SECONDS && now() - begun >= c.seconds)
			break;
		if (c.what == SWEEP)
			history_sweep(&c.o, seed, &stats);
		else
			history_run(&c.o, seed, &stats);
		if (report(&c, seed))
			continue;
		if (++stats.violations == (c.what == SECONDS ? VIOLATIONS_MAX : 1))
			break;
	}
	printf("history hash %016llx\n", (ull)history_hash());
	print_stats(&stats, now() - begun);
	if (stats.violations)
		return 1;
	if (stats.fault_points < c.at_least)
		return printf("%llu fault points are fewer than %llu\n", (ull)stats.fault_points, (ull)c.at_least), 1;
	return c.is_demanding && is_idle(&stats);
}
