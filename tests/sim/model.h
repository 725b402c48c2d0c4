/* What a client may see: for every sector of the array the values that are allowed, by its own history.
 *
 * Small: a branch of a history copies it, thousands of times a second. */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "base/law.h"
#include "base/units.h"

enum { MODEL_VERSIONS = 14, MODEL_SPAN_MAX = 96 };	/* a request's sectors at most */

/* One value a sector may hold. A sector's first version lies in it, the others in the model's pool, linked in order of
 * submission: most sectors have one. */
struct model_version {
	uint64_t content;		/* every eight bytes of the sector; 0: zeroes */
	uint32_t serial;		/* of the write, in order of submission */
	uint32_t acked;			/* number of the acknowledgement in this life; 0: none */
	uint32_t excluded;		/* when a read showed another one instead; 0: still possible */
	uint32_t ended;			/* when it was not under way any more; MODEL_PENDING: it is */
	uint32_t next;			/* index in the pool + 1; 0: this is the newest */
	bool is_firm;			/* excluded by what a restart brought: a cut does not change that */
};

#define MODEL_PENDING UINT32_MAX

struct model_sector {
	struct model_version first;	/* the oldest */
	uint32_t count;
	uint32_t live_floor;		/* serial: reads return this or a later one */
	uint32_t durable_floor;		/* serial: what a cut must leave, or a later one */
	uint32_t seen_floor;		/* serial: what a read has shown, maybe under way, or a later one */
};

struct model {
	struct model_sector *sectors;
	struct model_version *pool;	/* free places are linked, too */
	uint32_t pool_count, pool_room, pool_free;
	uint64_t count, serial, acks, restart_serial;
	uint64_t losses;		/* of members that were in sync */
	uint64_t ends;			/* a clock of writes that ended */
	uint64_t looks;			/* a clock of reads that told something */
	uint64_t open_reads;		/* while there are any, no version is forgotten */
	uint64_t blamed;		/* the sector of the last answer that was not LAW_NONE */
	uint64_t choices;		/* reads that could have shown what an earlier one excluded */
};

/* What a read is compared with, taken when it was submitted. */
struct model_view {
	uint64_t looks, losses, ends;
	uint64_t floor[MODEL_SPAN_MAX];
	uint32_t seen[MODEL_SPAN_MAX];
};

void model_init(struct model *m, uint64_t sectors);
void model_copy(struct model *to, const struct model *from);	/* @to is uninitialised */
void model_free(struct model *m);
void model_begin(struct model *m, uint64_t sector, uint64_t content);	/* one more value it may hold from the start */

bool model_has_room(const struct model *m, uint64_t first, uint64_t count);
/* @content: the word that fills the sectors; 0: zeroes. Returns the serial. */
uint64_t model_write(struct model *m, uint64_t first, uint64_t count, uint64_t content);
void model_acked(struct model *m, uint64_t serial, uint64_t first, uint64_t count, bool is_fua);
void model_failed(struct model *m, uint64_t serial, uint64_t first, uint64_t count);
uint64_t model_flush(const struct model *m);				/* a flush is submitted */
void model_flushed(struct model *m, uint64_t since);			/* and was acknowledged */

void model_look(struct model *m, uint64_t first, uint64_t count, struct model_view *ret_view);
/* 0: fine; LAW_I1: the value is not allowed; LAW_I6: it is, but another one was read before. */
enum law_id model_read(struct model *m, uint64_t first, uint64_t count, const struct model_view *view,
		       const uint8_t *data);
void model_read_failed(struct model *m);
/* The same question about one sector as it lies on the member that decides after a restart. */
enum law_id model_peek(const struct model *m, uint64_t sector, uint64_t word);
/* May a cut, now, leave this? */
bool model_may_remain(const struct model *m, uint64_t sector, uint64_t word);
/* All copies agree, durably: from now on it holds just this. */
void model_settle(struct model *m, uint64_t sector, uint64_t word);

/* A member left on which choices may have depended: all are forgotten. */
void model_lost_member(struct model *m);
/* The same, but the choices stay: for those who then ask of each sector whether what is left shows what was chosen. */
void model_member_left(struct model *m);
bool model_is_excluded(const struct model *m, uint64_t sector, uint64_t word);
void model_forget_choice(struct model *m, uint64_t sector);
void model_cut(struct model *m);
/* What was answered stays readable, but no later flush speaks of it: it may be on some members only. */
void model_forget_answers(struct model *m);

/* Equal hashes: the same values are allowed now and after whatever happens. */
uint64_t model_hash(const struct model *m);

uint64_t model_content(const uint8_t *sector);	/* UINT64_MAX when torn inside */
void model_fill(uint8_t *data, uint64_t sectors, uint64_t content);

#endif
