/* Why a chunk's bit is set: who set it, and all that keeps it set now. Facts, no words; src/array/why.c. */
#ifndef UMD_ARRAY_WHY_H
#define UMD_ARRAY_WHY_H

#include "array/array.h"

enum { ARR_WHY_MARKS = 1024, ARR_WHY_WRITES = 8 };

enum arr_why_setter {
	ARR_SET_BY_NOBODY,		/* the bit is clear */
	ARR_SET_BY_WRITE,
	ARR_SET_BY_ZERO,
	ARR_SET_BY_HAND,		/* ARR_EV_SET_BITS */
	ARR_SET_BEFORE,			/* it was found set when the array started */
	ARR_SET_IN_FORMER,		/* it came along from another bitmap, at .ms */
	ARR_SET_FORGOTTEN,		/* more than ARR_WHY_MARKS marks were made since the start or the change */
};

/* What keeps a bit that is set. Several may hold at once; each alone would do. */
enum arr_why_reason {
	ARR_KEPT_BY_WRITES = 1 << 0,		/* .writes */
	ARR_KEPT_BY_BEHIND = 1 << 1,		/* .behind */
	ARR_KEPT_BY_DEGRADED = 1 << 2,		/* .degraded_* */
	ARR_KEPT_BY_SYNC = 1 << 3,		/* NEEDED or being copied, and a resync or recovery is due */
	ARR_KEPT_BY_HAND = 1 << 4,		/* no resync ended since it was set by hand, at .hand_ms */
	ARR_KEPT_BY_CAN_CLEAR = 1 << 5,		/* .can_clear_* */
	ARR_KEPT_BY_RECORD = 1 << 6,		/* superblocks, or the owner, do not yet have a change of members */
	ARR_KEPT_BY_FREEZE = 1 << 7,		/* that sync is frozen */
	ARR_KEPT_BY_BAD_SOURCE = 1 << 8,	/* that sync stopped: its only source cannot be read */
	ARR_KEPT_BY_MODE = 1 << 9,		/* read-only, read-auto, or on the way there */
	ARR_KEPT_BY_CHANGE = 1 << 10,		/* the bitmap is being changed for another */
	ARR_KEPT_BY_BREAK = 1 << 11,		/* the last member could not be written */
	ARR_KEPT_BY_PERIOD = 1 << 12,		/* .clear_ms */
	ARR_KEPT_BY_SWEEP = 1 << 13,		/* the sweep that clears it is under way */
};

struct arr_why_write {
	uint64_t number;
	enum arr_op op;
	array_off at;
	uint64_t len_bytes;
	enum arr_stage stage;
	uint64_t members;		/* behind: mask of those it is owed to */
};

/* Why can_clear is false. */
enum arr_clear_word { ARR_CLEAR_BY_ORDER, ARR_CLEAR_BY_MISSED_WRITE, ARR_CLEAR_BY_EVENTS };

struct arr_why {
	chunk_no chunk;
	array_off at;			/* what it covers */
	uint64_t len_bytes;
	bool is_set, is_durable;	/* in the image; known to be set on every working member */
	bool is_clear_unwritten;	/* clear, and the page that may hold it waits to be written */
	uint16_t counter;

	enum arr_why_setter setter;
	struct arr_why_write set_by;	/* WRITE, ZERO; HAND: at and len_bytes */
	uint64_t set_ms;		/* WRITE, ZERO, HAND, IN_FORMER */
	uint64_t marks;			/* FORGOTTEN: that were made */

	uint32_t reasons;		/* mask of enum arr_why_reason */
	uint32_t write_count, behind_count;	/* all; the first of them are told */
	struct arr_why_write writes[ARR_WHY_WRITES], behind[ARR_WHY_WRITES];
	bool is_degraded_since_start;	/* and then the time is that of the start */
	uint64_t degraded_events, degraded_ms;	/* the array's event number and time when it became so */
	bool is_needed, is_being_copied;
	uint64_t hand_ms;
	enum arr_clear_word can_clear_word;
	uint64_t can_clear_ms;
	uint64_t clear_ms;		/* when the sweep comes that may clear it */
};

/* @chunk is below bm_chunks(arr_bitmap(a)). Times are those of arr_step(); costs a look at every request. */
void arr_why(const struct arr *a, chunk_no chunk, struct arr_why *ret);

#endif
