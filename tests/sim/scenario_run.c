/* One history from a file: created, every event done, every expectation asked.
 *
 * A law that breaks jumps back to here with the verdict. In a file "for all worlds" an event that does not apply is an
 * error with its line, since the other worlds would stumble over it; in one that shrinking wrote it is skipped: what a
 * deleted event had prepared may be missing, and the rest may still break the law.
 *
 * Left out: what an event means (do.c), what is broken (check_*.c). */
#include "scenario.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_SECONDS = 60 };

struct running {
	const struct scenario *s;
	const char *images;
	uint32_t compared;
	struct sim_world *w;
	struct scenario_end *end;
};

__attribute__((format(printf, 3, 4))) static bool ends(struct running *r, uint32_t line, const char *format, ...)
{
	va_list ap;

	r->end->line = line;
	va_start(ap, format);
	vsnprintf(r->end->text, sizeof r->end->text, format, ap);
	va_end(ap);
	return false;
}

static bool save(struct running *r, uint32_t line)
{
	int rc = r->images ? images_save(r->w, r->images, r->compared) : 0;

	r->compared++;
	return !rc || ends(r, line, "the images cannot be written to %s: %s", r->images, strerror(-rc));
}

static bool happens(struct running *r, const struct sim_event *e)
{
	char text[EVENT_TEXT_BYTES], why[200];

	if (e->kind == EV_EXPECT)
		return expect_holds(r->w, e, why, sizeof why) ||
		       ends(r, e->line, "expected: %s, but %s", e->words, why);
	if (e->kind == EV_COMPARE)
		return save(r, e->line);
	r->end->line = e->line;
	if (!world_do(r->w, e))
		return !r->s->is_for_all ||
		       ends(r, e->line, "\"%s\" does not apply here", event_text(e, text, sizeof text));
	r->end->happened++;
	return true;
}

static void run(struct running *r)
{
	if (!save(r, 0))
		return;
	for (uint32_t i = 0; i < r->s->script.count; i++)
		if (!happens(r, &r->s->script.events[i]))
			return;
	r->end->is_good = true;
	r->end->line = 0;
}

struct scenario_end scenario_run(const struct scenario *s, const char *images, struct sim_stats *stats,
				 bool is_tracing)
{
	static struct scenario_end end;		/* static: what a jump leaves behind is known */
	static struct sim_world w;
	struct running r = { .s = s, .images = images, .w = &w, .end = &end };
	jmp_buf *outer = verdict_jump, here;

	end = (struct scenario_end){ 0 };
	verdict_jump = &here;
	if (!setjmp(here)) {
		world_create(&w, &s->setup, stats, is_tracing);
		run(&r);
		end.hash = w.hash;
	} else {
		end.is_good = false;
		end.is_broken = true;
		end.law = verdict.law;
		snprintf(end.text, sizeof end.text, "%s", verdict.text);
		script_free(&verdict.script);
	}
	verdict_jump = outer;
	if (!end.is_broken)
		world_free(&w);	/* else an array may be in the middle of a step */
	return end;
}

/* ---- for main.c ---- */

static void say(const char *path, const struct scenario_end *end)
{
	if (end->is_broken)
		printf("LAW %s BROKEN: %s\n  %s:%u: %s\n", law_name(end->law), law_sentence(end->law), path, end->line,
		       end->text);
	else if (!end->is_good)
		printf("%s:%u: %s\n", path, end->line, end->text);
	else
		printf("%s: %u events, no law broken, trace hash %016llx\n", path, end->happened,
		       (unsigned long long)end->hash);
}

int scenario_main(const char *path, const char *images, bool is_tracing)
{
	static struct sim_stats stats;
	struct scenario_end end;
	struct scenario s;
	char why[400];

	if (!scenario_read(path, &s, why, sizeof why)) {
		fprintf(stderr, "%s\n", why);
		return 2;
	}
	end = scenario_run(&s, images, &stats, is_tracing);
	say(path, &end);
	scenario_free(&s);
	return !end.is_good;
}

static int is_scenario(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && !strcmp(entry->d_name + len - 4, ".umd");
}

/* TAP goes to stdout, what a scenario says to stderr. */
static int file_status(void *user)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	return scenario_main(user, NULL, false);
}

int scenarios_main(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_scenario, alphasort), failed = 0;

	for (int i = 0; i < count; i++) {
		char path[4096];
		bool is_good;

		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		is_good = status_of_child(file_status, path, FILE_SECONDS) == 0;
		failed += !is_good;
		printf("%sok %d - %.*s holds\n", is_good ? "" : "not ", i + 1, (int)strlen(entries[i]->d_name) - 4,
		       entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	printf("1..%d\n", count > 0 ? count : 0);
	return failed || count <= 0;
}
