/* Bounded exhaustive search: every workload up to a depth, every crash of it, every image of each crash.
 *
 *   exhaust_main.c    options, several processes, what is said
 *   exhaust.c         start states, letters, which workloads there are
 *   exhaust_run.c     one workload, hand action by hand action
 *   exhaust_cut.c     one crash point: its images
 *   exhaust_judge.c   who is started from an image, and what happens then
 *   reach.c           what is on its way to the media, and a cut that says what becomes of it
 *   exhaust_seen.c    what was judged before in this workload
 *   exhaust_fault.c   the n-th allocation and the n-th operation fail, for every n */
#ifndef TESTS_SIM_EXHAUST_H
#define TESTS_SIM_EXHAUST_H

#include "world.h"

enum {
	EXHAUST_DEPTH_MAX = 4,
	EXHAUST_LOOSE_MAX = 10,		/* sectors on their way: so many in every combination, more by lot */
	EXHAUST_IMAGES_MAX = 20000,	/* of one crash point; rather by lot than more */
	EXHAUST_LOTS = 64,		/* images by lot, besides nothing and everything */
};

/* ---- workloads ---- */

enum { LETTER_EVENTS = 6 };

struct letter {
	const char *name;
	uint32_t count;
	struct sim_event events[LETTER_EVENTS];	/* those that apply happen; one at least */
};

struct word {			/* of a workload */
	const struct letter *letter;
	uint32_t pace;		/* hand actions before the next letter */
};

struct workload {
	const struct start_state *from;
	struct word words[EXHAUST_DEPTH_MAX];
	uint32_t lead;		/* hand actions before the first letter */
	uint32_t count;
	uint64_t number;
};

enum { START_EVENTS = 12 };

struct start_state {
	const char *name;
	struct sim_setup setup;
	uint32_t count;
	struct sim_event events[START_EVENTS];
};

/* ---- the search ---- */

struct exhaust_counts {		/* of 64 bits each: they are added up */
	uint64_t workloads, useless;	/* useless: a letter made no sense there, or nothing new came of waiting */
	uint64_t points;		/* moments at which the power may fail */
	uint64_t images, distinct;	/* what the media may then hold; not judged before in the workload */
	uint64_t by_lot;		/* images of points with too many sectors on their way to try all */
	uint64_t starts, refused, carried_on;
	uint64_t later_points, later_images;	/* of cuts after a cut */
	uint64_t deepest_cut, violations;
};

struct seen;

struct exhaust {
	uint32_t depth, part, parts, jobs;
	uint32_t orders;		/* in which the hands work: 1, or 2 with the other way round */
	bool has_all_paces;		/* the next letter comes after any number of hand actions; else: none, or all */
	bool has_all_leads;		/* the first letter, likewise */
	const char *only, *letters;	/* words and commas: these start states, these letters; NULL: all */
	struct exhaust_counts counts;
	struct sim_stats stats;
	struct seen *seen;

	/* the workload now running */
	const struct workload *workload;
	bool is_backwards;		/* the hands take the last thing first */
	uint64_t looked, judged;	/* points and images so far */
	struct sim_world worlds[SIM_DEPTH_MAX + 1];	/* by cuts; only the first @open ones are there */
	uint32_t open;
};

/* All workloads of the part. */
void exhaust_all(struct exhaust *x);
/* The verdict, as a scenario. */
void exhaust_report(struct exhaust *x);

/* Runs it, if @looks with a look at every crash of its last letter. How many hand actions that letter gave; negative:
 * it, and all that begins so, makes no sense. */
int exhaust_run(struct exhaust *x, const struct workload *l, bool looks);

/* All images of the world @level cuts deep, if the power went now. */
void exhaust_cut(struct exhaust *x, uint32_t level);

/* One hand action; when there is none and @may_wait, time passes. False: neither. */
bool exhaust_hand(const struct exhaust *x, struct sim_world *w, bool may_wait);

/* ---- reach.c ---- */

enum { REACH_SECTORS_MAX = 512 };

/* Copies of all members as they would be had everything under way been written, but nothing flushed. */
void reach_disks(const struct sim_world *w, struct sim_disk *ret);
/* Of a cut with words: the members become what these say; no job is left to be torn. */
void cut_as_chosen(struct sim_world *w, const char *words);

/* True when this number was not there yet since the last seen_clear(). */
struct seen *seen_new(void);
struct seen *seen_free(struct seen *s);
void seen_clear(struct seen *s);
bool seen_add(struct seen *s, uint64_t number);

/* umd-sim --exhaust DEPTH [--part K/N] [--jobs J] [--from STATE,STATE] [--orders N] [--letters WORD,WORD] [--trace] */
int exhaust_main(int argc, char **argv);
/* umd-sim --faults: the n-th allocation and the n-th operation fail; TAP. [SETUP] */
int exhaust_fault_main(int argc, char **argv);

#endif
