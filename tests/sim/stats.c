/* What a run has seen, in words.
 *
 * One fact per line, the name first, so that a person reads it and a test greps it: "I3 123456" is how often law I3 was
 * checked with something at stake, "fault eio-once 12" how often that fault bit. The last line is the verdict. */
#include "stats.h"

#include <stdio.h>

typedef unsigned long long ull;

const char *fault_name(enum sim_fault fault)
{
	static const char *const names[FAULT_KINDS] = {
		[FAULT_EIO_ONCE] = "eio-once",
		[FAULT_EIO_RANGE] = "eio-range",
		[FAULT_EIO_FOR_EVER] = "eio-for-ever",
		[FAULT_SHORT] = "short",
		[FAULT_HANG] = "hang",
		[FAULT_VANISH] = "vanish",
		[FAULT_FLUSH] = "flush",
		[FAULT_CORRUPT] = "corrupt",
		[FAULT_NO_MEMORY] = "no-memory",
		[FAULT_EARLY_TIMER] = "early-timer",
		[FAULT_FULL_QUEUE] = "full-queue",
	};

	return names[fault];
}

/* All fields are counters of one type, so adding needs no list of them that could be forgotten. */
void stats_add(struct sim_stats *to, const struct sim_stats *from)
{
	_Static_assert(sizeof *to % sizeof(uint64_t) == 0, "counters only");
	uint64_t *sum = (uint64_t *)to;
	const uint64_t *term = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof *to / sizeof *sum; i++)
		sum[i] += term[i];
}

static uint64_t all_faults(const struct sim_stats *s)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < FAULT_KINDS; kind++)
		sum += s->faults[kind];
	return sum;
}

static void print_course(const struct sim_stats *s)
{
	uint64_t seconds = s->simulated_ms / 1000;

	printf("%llu lives, %llu steps, %llu cuts, %llu stops, %llu starts refused, %llu forks refused\n",
	       (ull)s->lives, (ull)s->steps, (ull)s->cuts, (ull)s->stops, (ull)s->starts_refused,
	       (ull)s->forks_refused);
	printf("%llu resyncs, %llu recoveries, %llu failures of members\n", (ull)s->resyncs, (ull)s->recoveries,
	       (ull)s->failures);
	printf("crash points by depth:");
	for (size_t depth = 0; depth < sizeof s->crash_points_deep / sizeof *s->crash_points_deep; depth++)
		printf(" %llu", (ull)s->crash_points_deep[depth]);
	printf("\nsimulated time %llu:%02llu:%02llu\n", (ull)(seconds / 3600), (ull)(seconds / 60 % 60),
	       (ull)(seconds % 60));
}

void stats_print(const struct sim_stats *s, double seconds)
{
	for (int id = LAW_NONE + 1; id < LAW_C1; id++)
		printf("%s %llu\n", law_name((enum law_id)id), (ull)s->stakes[id]);
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		printf("fault %s %llu\n", fault_name((enum sim_fault)kind), (ull)s->faults[kind]);
	print_course(s);
	if (seconds > 0)
		printf("%.0f crash points per second, %.0f steps per second\n", (double)s->crash_points / seconds,
		       (double)s->steps / seconds);
	printf("%llu seeds, %llu crash points, %llu faults, %llu violations\n", (ull)s->seeds, (ull)s->crash_points,
	       (ull)all_faults(s), (ull)s->violations);
}

static uint32_t never_happened(const char *what, uint64_t times)
{
	if (!times)
		printf("never happened: %s to its end\n", what);
	return !times;
}

uint32_t stats_print_idle(const struct sim_stats *s)
{
	uint32_t count = 0;

	for (int id = LAW_NONE + 1; id < LAW_C1; id++) {
		if (s->stakes[id])
			continue;
		printf("never at stake: %s, %s\n", law_name((enum law_id)id), law_sentence((enum law_id)id));
		count++;
	}
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		if (s->faults[kind])
			continue;
		printf("never happened: fault %s\n", fault_name((enum sim_fault)kind));
		count++;
	}
	return count + never_happened("resync", s->resyncs) + never_happened("recovery", s->recoveries);
}
