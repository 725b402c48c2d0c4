/* The exhaustive search from the command line: options, several processes, what is said at the end.
 *
 * With --jobs J the workloads are divided among J processes (or among J of each part with --part K/N). What each has
 * counted comes back through a pipe. A process that dies counts as a broken law. */
#include "exhaust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

typedef unsigned long long ull;

enum { JOBS_MAX = 64 };

/* ---- what is said ---- */

static void print_workload(FILE *f, const struct exhaust *x)
{
	const struct workload *l = x->workload;

	fprintf(f, "%s +%u:", l->from->name, l->lead);
	for (uint32_t i = 0; i < l->count; i++)
		if (i + 1 == l->count)
			fprintf(f, " %s", l->words[i].letter->name);
		else
			fprintf(f, " %s +%u,", l->words[i].letter->name, l->words[i].pace);
	fprintf(f, "%s", x->is_backwards ? " (the youngest job first)" : "");
}

/* As a scenario: it can be given to umd-sim --scenario as it is. */
void exhaust_report(struct exhaust *x)
{
	struct scenario s = { .setup = verdict.setup, .script = verdict.script };
	char path[400];

	x->counts.violations++;
	printf("LAW %s BROKEN: %s\n  workload ", law_name(verdict.law), law_sentence(verdict.law));
	print_workload(stdout, x);
	printf("\n  %s\n", verdict.text);
	snprintf(path, sizeof path, "%s/umd-sim-exhaust-%llu.umd", getenv("TMPDIR") ?: "/tmp",
		 (ull)x->workload->number);
	if (scenario_write(path, "Found by the exhaustive search.", &s))
		printf("  replay: umd-sim --scenario %s --trace\n", path);
	scenario_print(stdout, NULL, &s);
	script_free(&verdict.script);
}

static void print_counts(const struct exhaust *x)
{
	const struct exhaust_counts *c = &x->counts;

	printf("%llu moments; %llu images by lot, where more than %d sectors were on their way\n", (ull)c->points,
	       (ull)c->by_lot, EXHAUST_LOOSE_MAX);
	printf("%llu images carried on, with %llu moments and %llu images of later cuts; %llu starts refused\n",
	       (ull)c->carried_on, (ull)c->later_points, (ull)c->later_images, (ull)c->refused);
	printf("%llu workloads, %llu crash points (%llu distinct), %llu starts, deepest %u letters and %llu cuts, ",
	       (ull)c->workloads, (ull)c->images, (ull)c->distinct, (ull)c->starts, x->depth, (ull)c->deepest_cut);
	if (c->violations)
		printf("%llu times a law broken\n", (ull)c->violations);
	else
		puts("no law broken");
}

/* ---- in several processes ---- */

static void search(struct exhaust *x, uint32_t nth)
{
	x->part = x->part * x->jobs + nth;
	x->parts *= x->jobs;
	x->seen = seen_new();
	exhaust_all(x);
	x->seen = seen_free(x->seen);
}

/* Returns the end of a pipe from which the counts come. */
static int search_in_process(struct exhaust *x, uint32_t nth)
{
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
	search(x, nth);
	fflush(stdout);
	_exit(write(ends[1], &x->counts, sizeof x->counts) == sizeof x->counts ? 0 : 1);
}

static void collect(struct exhaust *x, int end)
{
	struct exhaust_counts c, *sum = &x->counts;

	if (read(end, &c, sizeof c) != sizeof c) {
		puts("a process that searched died");
		c = (struct exhaust_counts){ .violations = 1 };
	}
	close(end);
	sum->deepest_cut = max_u64(sum->deepest_cut, c.deepest_cut);
	c.deepest_cut = 0;
	for (size_t i = 0; i < sizeof c / sizeof(uint64_t); i++)
		((uint64_t *)sum)[i] += ((const uint64_t *)&c)[i];
}

static void search_in_processes(struct exhaust *x)
{
	int ends[JOBS_MAX], status;

	for (uint32_t i = 0; i < x->jobs; i++)
		ends[i] = search_in_process(x, i);
	for (uint32_t i = 0; i < x->jobs; i++)
		collect(x, ends[i]);
	while (wait(&status) > 0)
		if (WIFSIGNALED(status))
			printf("it was ended by signal %d\n", WTERMSIG(status));
}

/* ---- from the command line ---- */

static bool take_option(struct exhaust *x, const char *name, const char *value)
{
	if (!strcmp(name, "--part"))
		return sscanf(value, "%u/%u", &x->part, &x->parts) == 2 && x->part < x->parts;
	if (!strcmp(name, "--from"))
		x->only = value;
	else if (!strcmp(name, "--letters"))
		x->letters = value;
	else if (!strcmp(name, "--paces"))
		x->has_all_paces = !strcmp(value, "all");
	else if (!strcmp(name, "--leads"))
		x->has_all_leads = !strcmp(value, "all");
	else if (!strcmp(name, "--jobs"))
		x->jobs = (uint32_t)strtoul(value, NULL, 10);
	else if (!strcmp(name, "--orders"))
		x->orders = (uint32_t)strtoul(value, NULL, 10);
	else
		return false;
	return true;
}

int exhaust_main(int argc, char **argv)
{
	static struct exhaust x = { .parts = 1, .orders = 1, .jobs = 1 };
	bool is_good = argc > 0 && argc % 2;

	x.depth = is_good ? (uint32_t)strtoul(argv[0], NULL, 10) : 0;
	for (int i = 1; is_good && i < argc; i += 2)
		is_good = take_option(&x, argv[i], argv[i + 1]);
	if (!is_good || !x.depth || x.depth > EXHAUST_DEPTH_MAX || !x.jobs || x.jobs > JOBS_MAX) {
		fputs("usage: umd-sim --exhaust DEPTH [--part K/N] [--jobs J] [--from STATE,STATE]\n"
		      "               [--letters WORD,WORD] [--orders N] [--paces all] [--leads all]\n", stderr);
		return 2;
	}
	if (x.jobs > 1)
		search_in_processes(&x);
	else
		search(&x, 0);
	print_counts(&x);
	return x.counts.violations ? 1 : 0;
}
