/* What a client may see: for every sector of the array the values that are allowed, by its own history. */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "base/law.h"
#include "base/units.h"

enum { MODEL_VERSIONS = 14, MODEL_SPAN_MAX = 96 };	/* a request's sectors at most */

struct model_sector {
	struct model_version {
		uint64_t serial;	/* of the write, in order of submission */
		uint64_t content;	/* every eight bytes of the sector; 0: zeroes */
		uint64_t acked;		/* number of the acknowledgement in this life; 0: none */
		uint64_t excluded;	/* when a read showed another one instead; 0: still possible */
		bool is_pending;	/* the write is under way */
		uint64_t ended;		/* when it was not any more */
	} v[MODEL_VERSIONS];
	uint32_t count;
	uint64_t live_floor;		/* serial: reads return this or a later one */
	uint64_t durable_floor;		/* serial: what a cut must leave, or a later one */
};

struct model {
	struct model_sector *sectors;
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
};

void model_init(struct model *m, uint64_t sectors);
void model_free(struct model *m);
void model_begin(struct model *m, uint64_t sector, uint64_t content);	/* one more value it may hold from the start */

bool model_has_room(const struct model *m, uint64_t first, uint64_t count);
uint64_t model_write(struct model *m, uint64_t first, uint64_t count, bool is_zero);	/* the serial */
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
enum law_id model_peek(const struct model *m, uint64_t sector, const uint8_t *data);
/* All copies agree, durably: from now on it holds just this. */
void model_settle(struct model *m, uint64_t sector, const uint8_t *data);

void model_lost_member(struct model *m);
void model_cut(struct model *m);

uint64_t model_content(const uint8_t *sector);	/* UINT64_MAX when torn inside */
void model_fill(uint8_t *data, uint64_t sectors, uint64_t content);

#endif
