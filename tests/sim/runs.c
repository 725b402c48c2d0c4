/* Many seeds.
 *
 * A history that breaks a law ends where it broke it; its world is left behind, since an array in the middle of a step
 * cannot be freed. What is needed to see it again is printed, and the events that lead there are written to a file.
 *
 * What limits the rate: a crash point is a start, and two fifths of its time go into that: superblocks looked for and
 * decoded at three places of each member, and the half megabyte zeroed that the running array's lineage takes. The laws
 * take a quarter, copying members and model a tenth.
 *
 * For a given time: each process takes every J-th seed, so together they are the seeds from FROM on. What each has seen
 * comes back through a pipe; the count of broken laws is shared, so that the tenth ends all of them. */
#include "runs.h"

#include "scenario.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long ull;

static struct sim_world world;
static struct sim_setup setup;

static void law_reported(enum law_id id, const char *condition, const char *file, int line)
{
	broken(acting, id, "the brains themselves say so: %s (%s:%d)", condition, file, line);
}

static uint64_t seed_now;

/* The brains or the world died of something else than a law: then the seed is all that helps. */
static void died(int signal_number)
{
	char text[80];
	int len = snprintf(text, sizeof text, "seed %llu died by signal %d\n", (ull)seed_now, signal_number);

	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		_exit(1);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

void runs_listen(void)
{
	law_sink_set(law_reported);
	signal(SIGABRT, died);
	signal(SIGSEGV, died);
}

struct hashes {
	uint64_t trunks, all;
};

static uint64_t folded(uint64_t hash, uint64_t more)
{
	return hash * 0x9e3779b97f4a7c15u + more;
}

/* False: a law was broken; the verdict says which. */
static bool run_seed(uint64_t seed, const struct runs *r, struct sim_stats *stats, struct hashes *h)
{
	jmp_buf here;

	seed_now = seed;
	verdict_jump = &here;
	if (setjmp(here))
		return false;
	setup_from_seed(&setup, seed);
	world_create(&world, &setup, stats, r->is_tracing);
	live_seed(&world, seed, !r->has_no_branches);
	h->trunks = folded(h->trunks, world.hash);
	h->all = folded(h->all, world.hash ^ world.branch_hash);
	world_free(&world);
	return true;
}

/* ---- telling ---- */

static const char *folder(void)
{
	return getenv("TMPDIR") ?: "/tmp";
}

static void tell(const struct runs *r, uint64_t seed)
{
	struct scenario s = { .setup = verdict.setup, .script = verdict.script };
	char path[400], head[600], chunk[40] = "";

	if (verdict.chunk != UINT64_MAX)
		snprintf(chunk, sizeof chunk, ", chunk %llu", (ull)verdict.chunk);
	snprintf(path, sizeof path, "%s/umd-sim-%llu.umd", folder(), (ull)seed);
	snprintf(head, sizeof head, "Seed %llu breaks law %s: %s", (ull)seed, law_name(verdict.law), verdict.text);
	printf("LAW %s BROKEN: %s\n  seed %llu, step %llu%s: %s\n  replay: %s --seed %llu --trace\n",
	       law_name(verdict.law), law_sentence(verdict.law), (ull)seed, (ull)verdict.step, chunk, verdict.text,
	       r->program, (ull)seed);
	if (scenario_write(path, head, &s))
		printf("  the %u events that lead there: %s\n", s.script.count, path);
	fflush(stdout);
	script_free(&verdict.script);
}

void runs_seeds(const struct runs *r, struct sim_stats *ret)
{
	struct hashes h = { 0 };

	for (uint64_t seed = r->from; seed < r->from + r->count; seed++)
		if (!run_seed(seed, r, ret, &h)) {
			tell(r, seed);
			break;
		}
	printf("trunk hash %016llx\ntrace hash %016llx\n", (ull)h.trunks, (ull)h.all);
	stats_print(ret, 0);
}

/* ---- for a time, in some processes ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_until(const struct runs *r, double end, uint32_t nth, atomic_uint *violations, struct sim_stats *stats)
{
	struct hashes h = { 0 };

	for (uint64_t seed = r->from + nth; now() < end && *violations < RUNS_VIOLATIONS_MAX; seed += r->jobs)
		if (!run_seed(seed, r, stats, &h)) {
			++*violations;
			tell(r, seed);
		}
}

/* Returns the end of a pipe from which the stats come when the process is over. */
static int run_process(const struct runs *r, double end, uint32_t nth, atomic_uint *violations)
{
	static struct sim_stats stats;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		abort();
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid) {
		close(ends[1]);
		return ends[0];
	}
	run_until(r, end, nth, violations, &stats);
	_exit(write(ends[1], &stats, sizeof stats) == sizeof stats ? 0 : 1);
}

/* A process that dies tells nothing: then something is broken as surely as by a law. */
static void collect(int end, struct sim_stats *ret)
{
	struct sim_stats stats;

	if (read(end, &stats, sizeof stats) == sizeof stats) {
		stats_add(ret, &stats);
	} else {
		puts("a process that ran seeds died");
		ret->violations++;
	}
	close(end);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void runs_seconds(const struct runs *r, double seconds, struct sim_stats *ret)
{
	atomic_uint *violations = mmap(NULL, sizeof *violations, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double begun = now();
	int ends[RUNS_JOBS_MAX];

	if (violations == MAP_FAILED)
		abort();
	for (uint32_t i = 0; i < r->jobs; i++)
		ends[i] = run_process(r, begun + seconds, i, violations);
	for (uint32_t i = 0; i < r->jobs; i++)
		collect(ends[i], ret);
	while (wait(NULL) > 0)
		;
	printf("%.0f crash points per second of one processor's time\n", (double)ret->crash_points / cpu_seconds());
	stats_print(ret, now() - begun);
}

/* ---- shorter ---- */

int runs_shrink(uint64_t seed)
{
	struct runs quietly = { .from = seed };
	struct sim_stats stats = { 0 };
	char path[400], head[200];
	struct hashes h = { 0 };

	if (run_seed(seed, &quietly, &stats, &h)) {
		printf("seed %llu breaks no law\n", (ull)seed);
		return 1;
	}
	snprintf(path, sizeof path, "%s/umd-sim-%llu.umd", folder(), (ull)seed);
	snprintf(head, sizeof head, "What seed %llu breaks, in as few events as possible. Law: %s.", (ull)seed,
		 law_name(verdict.law));
	return shrink_verdict(&verdict, head, path);
}
