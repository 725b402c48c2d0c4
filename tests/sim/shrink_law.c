/* What shrinking asks: does this history break the law again, and in the same way?
 *
 * Each history runs in a child process with a time limit: what it left behind must not decide about the next, and one
 * that dies, hangs or breaks another law is no answer but no. Left out: how to make a history shorter (shrink.c). */
#include "scenario.h"

#include <string.h>

enum { CHILD_SECONDS = 5, SHRINK_SECONDS = 120, WORDS_COMPARED = 6, OTHER = 0, SAME = 64 };

/* The next word of a verdict that tells no number and no member. */
static const char *next_plain(const char *at, size_t *ret_len)
{
	for (at += strspn(at, " "); *at; at += *ret_len + strspn(at + *ret_len, " ")) {
		*ret_len = strcspn(at, " ");
		if (strcspn(at, "0123456789") >= *ret_len && strncmp(at, "disk-", 5))
			return at;
	}
	*ret_len = 0;
	return at;
}

/* The same law can break in many ways; the first words tell which, whatever sector it is about. */
bool is_same_breach(const char *one, const char *other)
{
	size_t len, other_len;

	for (int i = 0; i < WORDS_COMPARED; i++) {
		one = next_plain(one, &len);
		other = next_plain(other, &other_len);
		if (len != other_len || memcmp(one, other, len))
			return false;
		one += len;
		other += len;
	}
	return true;
}

struct asking {
	struct scenario s;
	const struct sim_verdict *wanted;
};

static int breach_status(void *user)
{
	static struct sim_stats stats;
	const struct asking *a = user;
	struct scenario_end end = scenario_run(&a->s, NULL, &stats, false);

	return end.is_broken && end.law == a->wanted->law && is_same_breach(end.text, a->wanted->text) ? SAME : OTHER;
}

bool breaks_law(const struct scenario *s, void *user)
{
	struct asking a = { .s = *s, .wanted = user };

	return status_of_child(breach_status, &a, CHILD_SECONDS) == SAME;
}

int shrink_verdict(const struct sim_verdict *v, const char *head, const char *path)
{
	struct scenario s = { .setup = v->setup };
	uint32_t tries;
	struct sim_verdict wanted = *v;

	for (uint32_t i = 0; i < v->script.count; i++)
		script_add(&s.script, &v->script.events[i]);
	if (!breaks_law(&s, &wanted)) {
		printf("the %u events that led there do not break %s again\n", s.script.count, law_name(v->law));
		scenario_free(&s);
		return 1;
	}
	tries = shrink(&s, breaks_law, &wanted, &(struct shrink_limits){ .seconds_max = SHRINK_SECONDS });
	printf("%u events shrunk to %u in %u tries", v->script.count, s.script.count, tries);
	if (scenario_write(path, head, &s))
		printf(": %s\n", path);
	else
		printf("; %s cannot be written, so here they are\n", path);
	scenario_print(stdout, NULL, &s);
	scenario_free(&s);
	return 0;
}

/* A scenario that breaks no law, but an expectation, has nothing to shrink: what it expects is its own. */
int scenario_shrink(const char *path)
{
	static struct sim_stats stats;
	struct scenario_end end;
	struct scenario s;
	char text[480], shorter[4096];
	int rc = 1;

	if (!scenario_read(path, &s, text, sizeof text)) {
		fprintf(stderr, "%s\n", text);
		return 2;
	}
	end = scenario_run(&s, NULL, &stats, false);
	snprintf(shorter, sizeof shorter, "%s.shorter", path);
	if (end.is_broken) {
		struct sim_verdict v = { .law = end.law, .script = s.script, .setup = s.setup };

		snprintf(v.text, sizeof v.text, "%.*s", (int)sizeof v.text - 1, end.text);
		snprintf(text, sizeof text, "What %s breaks, in as few events as possible. Law: %s.", path,
			 law_name(end.law));
		rc = shrink_verdict(&v, text, shorter);
	} else {
		printf("%s breaks no law\n", path);
	}
	scenario_free(&s);
	return rc;
}
