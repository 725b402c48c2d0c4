/* umd-sim: the brains of umd in a simulated world, one history per seed.
 *
 *   umd-sim --seed N              one history; UMD_TRACE=1 prints one line per event
 *   umd-sim --seeds FROM COUNT    many; ends at the first broken law
 *   --demand                      afterwards every law must have been at stake, else it failed
 *
 * SEEDS=N overrides COUNT, UMD_TEST_LONG=1 makes it twenty times as long.
 *
 * The objects are those of the server (base, format, bitmap, array, assembly); members, time and order are made
 * up here. Same seed, same history. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_world world;

static void law_reported(enum law_id id, const char *condition, const char *file, int line)
{
	broken(&world, id, "the brains themselves say so: %s (%s:%d)", condition, file, line);
}

static void run_seed(const char *program, uint64_t seed, struct sim_stats *stats)
{
	struct sim_world *w = &world;
	const char *tracing = getenv("UMD_TRACE");
	uint64_t lives;

	world_init(w, program, seed, stats, tracing && strcmp(tracing, "0"));
	w->now_ms = 1000;
	create_array(w);
	lives = 1 + prng_below(&w->rng, 6);
	while (lives--)
		live(w);
	if (prng_below(&w->rng, 3) == 0)
		fork_and_meet(w);
	stats->seeds++;
	stats->steps += w->step;
	world_free(w);
}

static bool print_summary(const struct sim_stats *s)
{
	bool is_all = true;

	printf("%llu seeds, %llu lives, %llu cuts, %llu steps: no law broken\n", (unsigned long long)s->seeds,
	       (unsigned long long)s->lives, (unsigned long long)s->cuts, (unsigned long long)s->steps);
	printf("%llu stops, %llu starts refused, %llu forks refused, %llu resyncs, %llu recoveries, %llu failures\n",
	       (unsigned long long)s->stops, (unsigned long long)s->starts_refused,
	       (unsigned long long)s->forks_refused, (unsigned long long)s->resyncs, (unsigned long long)s->recoveries,
	       (unsigned long long)s->failures);
	printf("checked with something at stake:");
	for (int id = LAW_NONE + 1; id < LAW_COUNT; id++) {
		printf(" %s %llu", law_name((enum law_id)id), (unsigned long long)s->stakes[id]);
		is_all &= s->stakes[id] > 0;
	}
	putchar('\n');
	return is_all;
}

static int usage(void)
{
	fputs("usage: umd-sim [--demand] --seed N | --seeds FROM COUNT\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t from = 0, count = 0;
	struct sim_stats stats = { 0 };
	bool is_demanding = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--demand")) {
			is_demanding = true;
		} else if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			from = strtoull(argv[++i], NULL, 10);
			count = 1;
		} else if (!strcmp(argv[i], "--seeds") && i + 2 < argc) {
			from = strtoull(argv[++i], NULL, 10);
			count = strtoull(argv[++i], NULL, 10);
		} else {
			return usage();
		}
	}
	if (!count)
		return usage();

	if (count > 1 && getenv("SEEDS"))
		count = strtoull(getenv("SEEDS"), NULL, 10);
	else if (count > 1 && getenv("UMD_TEST_LONG"))
		count *= 20;
	setvbuf(stdout, NULL, _IOLBF, 0);
	law_sink_set(law_reported);
	for (uint64_t seed = from; seed < from + count; seed++)
		run_seed(argv[0], seed, &stats);
	if (!print_summary(&stats) && is_demanding) {
		puts("some law was never at stake: the histories are too tame");
		return 1;
	}
	return 0;
}
