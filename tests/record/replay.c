/* umd-replay: crashes a recorded run of the real plugin at every place of its log, and judges what is left.
 *
 *	umd-replay [--seed N] [--each N] [--jobs N] [--files FILE... --] LOG...	all places, N crashes at each
 *	umd-replay [--seed N] --stood-still ... LOG...			... of a server in which nothing moved any more
 *	umd-replay [--seed N] --at RECORD [--nth N] LOG...		one crash, with its trace
 *	umd-replay [--seed N] --sample NTH OF --save DIR LOG...		the media of one crash as files
 *	umd-replay [--seed N] --sample NTH OF --judge DIR LOG...	the same media after another judge had them
 *
 * The walk is cheap, so every process walks all of it and takes its share of the crashes. The last line is
 * "N records, N cuts, N crash points, N faults, N violations"; the exit status is 1 when a law was broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash.h"

enum { JOBS_MAX = 16 };

static struct {
	uint64_t seed, each, jobs, at, nth;
	uint64_t sample, samples;	/* the @sample-th of @samples */
	const char *save, *judge;
	bool stood_still;
	const char *const *logs, *const *files;
	uint32_t log_count, file_count;
} todo = { .seed = 1, .each = 1, .jobs = 1 };

struct share {			/* of one process */
	struct sim_stats stats;
	uint64_t records, cuts, faults, lives, member_writes, member_flushes, requests, reads, refusals;
};

static uint64_t lot_at(uint64_t step, uint64_t nth)
{
	return (todo.seed * 0x9e3779b97f4a7c15u ^ step) * 0xbf58476d1ce4e5b9u + nth;
}

static void tell_verdict(const struct history *h, uint64_t nth)
{
	printf("LAW %s BROKEN: %s\n", law_name(verdict.law), law_sentence(verdict.law));
	printf("  record %llu, crash %llu", (unsigned long long)h->w->step, (unsigned long long)nth);
	if (verdict.chunk != UINT64_MAX)
		printf(", chunk %llu", (unsigned long long)verdict.chunk);
	printf(": %s\n  replay: umd-replay --seed %llu%s --at %llu --nth %llu", verdict.text,
	       (unsigned long long)todo.seed, todo.stood_still ? " --stood-still" : "",
	       (unsigned long long)h->w->step, (unsigned long long)nth);
	for (uint32_t i = 0; i < todo.log_count; i++)
		printf(" %s", todo.logs[i]);
	putchar('\n');
	fflush(stdout);
}

/* ---- all places ---- */

static void take_share(struct share *share, uint64_t which)
{
	static struct history h;
	static struct sim_world w;
	static jmp_buf out;
	volatile uint64_t nth = 0;

	history_begin(&h, &w, todo.logs, todo.log_count, &share->stats);
	verdict_jump = &out;
	if (setjmp(out)) {
		tell_verdict(&h, nth);
		return;
	}
	while (history_next(&h)) {
		share->records++;
		for (nth = 0; h.is_life_begun && w.step % todo.jobs == which && nth < todo.each; nth++) {
			crash_at(&h, lot_at(w.step, nth));
			share->cuts++;
		}
	}
	if (todo.stood_still)
		clients_stand_still(&h);
	history_compare(&h, todo.files, todo.file_count);
	share->faults = h.faults;
	share->lives = h.lives;
	share->member_writes = h.member_writes;
	share->member_flushes = h.member_flushes;
	share->requests = h.requests;
	share->reads = h.reads;
	share->refusals = h.refusals;
}

static int run_shares(struct share *shares)
{
	int failed = 0;

	fflush(stdout);
	for (uint64_t i = 0; i < todo.jobs; i++) {
		pid_t child = fork();

		if (child < 0) {
			perror("fork");
			exit(2);
		}
		if (child == 0) {
			take_share(&shares[i], i);
			_exit(0);
		}
	}
	for (uint64_t i = 0; i < todo.jobs; i++) {
		int status;

		wait(&status);
		failed |= status;
	}
	return failed;
}

static int replay(void)
{
	struct share *shares = mmap(NULL, JOBS_MAX * sizeof *shares, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				    -1, 0);
	struct sim_stats all = { 0 };
	uint64_t cuts = 0;
	int failed;

	if (shares == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	failed = run_shares(shares);
	for (uint64_t i = 0; i < todo.jobs; i++) {
		stats_add(&all, &shares[i].stats);
		cuts += shares[i].cuts;
	}
	if (failed)
		return 2;
	printf("%llu lives, %llu requests (%llu reads judged, %llu refused), %llu writes and %llu flushes of members\n",
	       (unsigned long long)shares->lives, (unsigned long long)shares->requests,
	       (unsigned long long)shares->reads, (unsigned long long)shares->refusals,
	       (unsigned long long)shares->member_writes, (unsigned long long)shares->member_flushes);
	for (uint32_t law = LAW_NONE + 1; law < LAW_COUNT; law++)
		if (all.stakes[law])
			printf("%s %llu\n", law_name(law), (unsigned long long)all.stakes[law]);
	printf("%llu records, %llu cuts, %llu crash points, %llu faults, %llu violations\n",
	       (unsigned long long)shares->records, (unsigned long long)cuts, (unsigned long long)all.crash_points,
	       (unsigned long long)shares->faults, (unsigned long long)all.violations);
	return all.violations ? 1 : 0;
}

/* ---- one place ---- */

/* Another judge knows of all members or of none, and shall have something to do: all of them are in sync, and data are
 * in flight. */
static bool is_worth_a_sample(const struct history *h)
{
	bool is_flying = false;

	EACH_MEMBER(h->w, m)
		if (!is_in_sync(m))
			return false;
	for (const struct flying *f = h->flying; f < h->flying + FLYING_MAX; f++)
		is_flying |= f->begin && !f->is_old && f->begin->word && f->begin->op != MBR_REC_FLUSH;
	return h->is_life_begun && is_flying;
}

static uint64_t sampled_place(void)
{
	static struct history h;
	static struct sim_world w;
	static struct sim_stats stats;
	uint64_t good = 0, seen = 0, place = 0;

	for (int pass = 0; pass < 2; pass++) {
		history_begin(&h, &w, todo.logs, todo.log_count, &stats);
		while (history_next(&h)) {
			if (!is_worth_a_sample(&h))
				continue;
			good += pass == 0;
			seen += pass == 1;
			if (pass == 1 && seen == good * (2 * todo.sample + 1) / (2 * todo.samples) + 1)
				place = w.step;
		}
		world_free(&w);
	}
	return place;
}

static int at_one_place(void)
{
	static struct history h;
	static struct sim_world w;
	static struct sim_stats stats;
	static jmp_buf out;
	uint64_t lot;

	history_begin(&h, &w, todo.logs, todo.log_count, &stats);
	verdict_jump = &out;
	if (setjmp(out)) {
		tell_verdict(&h, todo.nth);
		return 1;
	}
	while (w.step < todo.at && history_next(&h))
		;
	if (todo.stood_still && !history_next(&h))
		clients_stand_still(&h);
	lot = lot_at(w.step, todo.nth);
	if (todo.save) {
		printf("%llu sectors differ\n", (unsigned long long)crash_save(&h, lot, todo.save));
	} else if (todo.judge) {
		crash_judge(&h, lot, todo.judge);
	} else {
		w.is_tracing = true;
		crash_at(&h, lot);
	}
	printf("record %llu, crash %llu: nothing is broken\n", (unsigned long long)todo.at,
	       (unsigned long long)todo.nth);
	return 0;
}

/* ---- the command line ---- */

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: umd-replay [--seed N] [--each N] [--jobs N] [--stood-still] [--at RECORD [--nth N]]\n"
			"	[--sample NTH OF --save DIR | --judge DIR] [--files FILE... --] LOG...\n");
	exit(2);
}

static uint64_t number(const char *word)
{
	char *end;
	uint64_t n = word ? strtoull(word, &end, 0) : 0;

	if (!word || *end || !*word)
		usage();
	return n;
}

static char **take_files(char **word)
{
	todo.files = (const char *const *)word;
	for (; *word && strcmp(*word, "--"); word++)
		todo.file_count++;
	return *word ? word + 1 : word;
}

static void read_words(char **word)
{
	static const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = { { "--seed", &todo.seed }, { "--each", &todo.each }, { "--jobs", &todo.jobs },
			{ "--at", &todo.at },	  { "--nth", &todo.nth } };

	while (*word && !strncmp(*word, "--", 2)) {
		const char *name = *word++;

		for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
			if (!strcmp(name, numbers[i].name))
				*numbers[i].value = number(*word++);
		todo.stood_still |= !strcmp(name, "--stood-still");
		if (!strcmp(name, "--save"))
			todo.save = *word++;
		else if (!strcmp(name, "--judge"))
			todo.judge = *word++;
		else if (!strcmp(name, "--files"))
			word = take_files(word);
		else if (!strcmp(name, "--sample")) {
			todo.sample = number(*word++);
			todo.samples = number(*word++);
		}
	}
	todo.logs = (const char *const *)word;
	while (*word++)
		todo.log_count++;
	if (!todo.log_count || !todo.jobs || todo.jobs > JOBS_MAX || todo.sample > todo.samples)
		usage();
}

int main(int argc, char **argv)
{
	read_words(argv + 1);
	if (todo.samples)
		todo.at = sampled_place();
	return todo.at ? at_one_place() : replay();
}
