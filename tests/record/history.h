/* What the logs tell, walked record by record, in a simulated world in which nothing runs: its members hold what the
 * recorded ones may hold, its model knows what clients were told.
 *
 *	logs --> history_next() --> world (disks, model, who is in sync) + what is in flight --> crash.c */
#ifndef TESTS_RECORD_HISTORY_H
#define TESTS_RECORD_HISTORY_H

#include "../sim/world.h"
#include "log.h"

enum { FLYING_MAX = 64, ASKED_MAX = 64, HISTORY_NAME_BYTES = 40 };

#define HISTORY_WORD_IS_FUA (1ull << 47)	/* as load.py writes it */

struct flying {			/* a member operation that has begun */
	const struct mbr_record *begin;	/* NULL: free */
	const uint8_t *data;		/* NULL: zeroes */
	uint64_t begun;			/* the step */
	uint32_t member;		/* the world's */
	bool is_old;			/* its process is dead, and the member was not seen since */
};

struct asked {			/* a request that was not answered yet */
	uint64_t number;		/* 0: free */
	struct sim_request r;
};

struct history {
	struct sim_world *w;
	struct sim_setup setup;
	const char *const *logs;
	uint32_t log_count, log_now;
	struct log log;
	struct prng lots;		/* of what failed flushes gave up */
	uint32_t member_of[SIM_DISKS];	/* of the log now read: the recorder's number -> the world's */
	char names[SIM_DISKS][HISTORY_NAME_BYTES];
	bool is_met[SIM_DISKS];		/* the log now read knows it */
	bool is_life_begun;		/* its members are known: something else than members and states came */
	bool has_given_up;		/* a cache of this life shows what will never be on its medium */
	bool is_stopping, is_closed;	/* this life was told to stop; its array has been closed */
	uint32_t troubled;		/* members that were made to refuse an operation in this life */
	struct flying flying[FLYING_MAX];
	struct asked asked[ASKED_MAX];
	uint64_t member_writes, member_flushes, requests, reads, refusals, faults, lives;
};

/* Before the first record. Wherever the logs are not understood the program says so and ends with status 2. */
void history_begin(struct history *h, struct sim_world *w, const char *const *logs, uint32_t log_count,
		   struct sim_stats *stats);
/* One more record; w->step counts them. False: that was all. A law that is broken by it does not return: broken(). */
bool history_next(struct history *h);
/* Does the operation lie in the member's data area? */
bool history_is_data(const struct sim_world *w, const struct sim_member *m, const struct mbr_record *r);

/* The logs, or the files, are not what this program knows: says why, ends with status 2. */
__attribute__((format(printf, 2, 3))) _Noreturn void not_understood(const struct history *h, const char *format, ...);

/* clients.c: what was asked and told */
void clients_asked(struct history *h, const struct mbr_record *r);
void clients_answered(struct history *h, const struct mbr_record *r, const uint8_t *extra);
void clients_closed(struct history *h, const struct mbr_record *r);
/* The life is over: whoever has no answer will get none. */
void clients_left(struct history *h);
/* After the last record of a server in which no thread ran any more: did anybody wait for it? (I9) */
void clients_stand_still(struct history *h);

/* cover.c: @f begins on @m; are bits where they must be? */
void cover_begins(struct history *h, const struct sim_member *m, const struct flying *f);

/* What the log says must be what the files say at the end. */
void history_compare(struct history *h, const char *const *files, uint32_t count);

#endif
