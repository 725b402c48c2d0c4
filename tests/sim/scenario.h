/* Histories as text: read, written, run, and made shorter. */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdio.h>

#include "world.h"

/* ---- scenario.c, scenario_file.c: text ---- */

enum { EVENT_TEXT_BYTES = EVENT_WORDS_BYTES + 128 };

struct scenario {
	struct sim_setup setup;
	struct sim_script script;
	bool is_for_all;		/* every event must apply; false ("worlds sim"): others are skipped */
};

bool event_is_for_sim(enum sim_kind kind);	/* no other world can do it */

/* False: *ret_why is one sentence that names the file and the line; nothing is to be freed. */
bool scenario_read(const char *path, struct scenario *ret, char *ret_why, size_t why_bytes);
void scenario_free(struct scenario *s);
/* @head: comment lines, each begun by "# " here; NULL: none. */
void scenario_print(FILE *f, const char *head, const struct scenario *s);
/* The same into a file; false: it cannot be written (errno). */
bool scenario_write(const char *path, const char *head, const struct scenario *s);

/* ---- scenario_run.c ---- */

struct scenario_end {
	bool is_good;			/* every event, expectation and law held */
	bool is_broken;			/* a law did not: @law; LAW_NONE: a statement of the brains about themselves */
	enum law_id law;
	uint32_t line;			/* of the file, where it ended otherwise; 0: none */
	char text[480];			/* one sentence */
	uint64_t hash;			/* of the trace */
	uint32_t happened;		/* events that applied */
};

/* Runs one history from the creation to the last event. @images: a folder for the members' images at the start and at
 * each compare, or NULL. Uses verdict_jump; restores it. */
struct scenario_end scenario_run(const struct scenario *s, const char *images, struct sim_stats *stats,
				 bool is_tracing);

/* For main.c. One file: says what happened; 0: it holds, 1: it does not, 2: it cannot be read. */
int scenario_main(const char *path, const char *images, bool is_tracing);
/* All *.umd of a folder, each in a process of its own, as TAP; 0: all hold. */
int scenarios_main(const char *folder);

/* ---- expect.c ---- */

/* EV_EXPECT: false, and *ret_why says what is instead. */
bool expect_holds(struct sim_world *w, const struct sim_event *e, char *ret_why, size_t why_bytes);
/* EV_COMPARE: each member's image as a file of @folder, NN-a.img and so on; 0 or -errno. */
int images_save(const struct sim_world *w, const char *folder, uint32_t number);

/* ---- shrink.c ---- */

/* Is the fault still in this history? */
typedef bool shrink_ask(const struct scenario *s, void *user);

struct shrink_limits {
	uint32_t tries_max;		/* questions at most; 0: 20000 */
	uint32_t seconds_max;		/* of wall clock; 0: no limit */
};

/* Deletes and simplifies while @ask says yes; what is left says yes. Returns how often it asked. */
uint32_t shrink(struct scenario *s, shrink_ask *ask, void *user, const struct shrink_limits *limits);

/* ---- child.c ---- */

/* The exit status of @run in a process of its own; -1: it died, or took longer. */
int status_of_child(int (*run)(void *user), void *user, uint32_t seconds);

/* ---- shrink_law.c ---- */

/* A shrink_ask: does it break the law of @user (struct sim_verdict *) in the same way? In a process of its own, and in
 * time. */
bool breaks_law(const struct scenario *s, void *user);

/* Two texts of verdicts of one law: are they about the same thing, numbers and members apart? */
bool is_same_breach(const char *one, const char *other);

/* For main.c: shrinks what @v found, tells how far, and writes it to @path. 0, or 1: the law is not broken again. */
int shrink_verdict(const struct sim_verdict *v, const char *head, const char *path);
/* The same for what a file breaks; into FILE.shorter. 2: it cannot be read. */
int scenario_shrink(const char *path);

#endif
