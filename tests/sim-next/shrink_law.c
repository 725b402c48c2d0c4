/* What shrinking asks: does this history break the law again?
 *
 * Each history runs in a child process with a time limit: what it left behind must not decide about the next, and one
 * that dies, hangs or breaks another law is no answer but no. Left out: how to make a history shorter (shrink.c). */
#include "scenario.h"

enum { CHILD_SECONDS = 5, SHRINK_SECONDS = 120, BROKEN_STATUS = 64 };

static int law_status(void *user)
{
	static struct sim_stats stats;
	struct scenario_end end = scenario_run(user, NULL, &stats, false);

	return end.is_broken ? BROKEN_STATUS + (int)end.law : 0;
}

bool breaks_law(const struct scenario *s, void *user)
{
	const enum law_id *law = user;
	struct scenario asked = *s;

	return status_of_child(law_status, &asked, CHILD_SECONDS) == BROKEN_STATUS + (int)*law;
}

int shrink_verdict(const struct sim_verdict *v, const char *head, const char *path)
{
	struct scenario s = { .setup = v->setup };
	uint32_t tries;
	enum law_id law = v->law;

	for (uint32_t i = 0; i < v->script.count; i++)
		script_add(&s.script, &v->script.events[i]);
	if (!breaks_law(&s, &law)) {
		printf("the %u events that led there do not break %s again\n", s.script.count, law_name(law));
		scenario_free(&s);
		return 1;
	}
	tries = shrink(&s, breaks_law, &law, &(struct shrink_limits){ .seconds_max = SHRINK_SECONDS });
	printf("%u events shrunk to %u in %u tries", v->script.count, s.script.count, tries);
	if (scenario_write(path, head, &s))
		printf(": %s\n", path);
	else
		printf("; %s cannot be written, so here they are\n", path);
	scenario_print(stdout, NULL, &s);
	scenario_free(&s);
	return 0;
}
