/* What hands.h works on: the one world of a program, and what a test may say about it at the beginning. */
#ifndef TESTS_UNIT_ARRAY_HANDS_WORLD_H
#define TESTS_UNIT_ARRAY_HANDS_WORLD_H

#include "array/array.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#define UNUSED __attribute__((unused))

enum { HANDS = 4, REQUESTS = 64, CHUNK = 65536, BITMAP_AT = 4096, DATA_AT = 65536, SIZE = 10 * CHUNK + 4096,
	FIRST_EVENTS = 17 };

enum { FAILS_READ = 1 << ARR_P_READ, FAILS_WRITE = 1 << ARR_P_WRITE | 1 << ARR_P_ZERO, FAILS_FLUSH = 1 << ARR_P_FLUSH };
#define KIND(kind) (1u << (kind))

struct hand {
	uint8_t *media;
	unsigned fails;			/* FAILS_*: what this member refuses */
	unsigned fails_kinds;		/* only in jobs of these kinds; 0: in all */
	bool has_unflushed;		/* of client writes */
	uint64_t copied_from;		/* the lowest byte copied and not flushed; OFF_NONE: none */
	bool was_recovering;		/* by the last round of superblocks */
	bool has_super;
	struct arr_claim super;		/* what its superblock says */
};

static struct world {
	struct arr *a;
	struct bm *bitmap;
	uint64_t now_ms, size;
	struct list jobs;
	unsigned held;			/* KIND()s that wait */
	struct hand hands[HANDS];
	struct arr_req requests[REQUESTS];
	uint32_t request_count;
	uint8_t sync_buffer[ARR_SYNC_WINDOW_BYTES];
	char score[4096];
	uint32_t early_claims;
	uint32_t head_bytes;		/* of the bitmap */
	uint64_t given_offset;		/* of the resync, by the owner */
	bool was_in_sync[HANDS];	/* by the status after the last step */
	struct arr_reload disk;
	void (*after_step)(void);
} w;

struct setup {
	uint32_t members, slots;	/* 0: 2, as many as members */
	enum arr_member_state states[HANDS];	/* 0: in sync */
	bool wants_full[HANDS];
	uint64_t recovery_offsets[HANDS];
	bool is_readonly, is_read_auto, wants_record, has_no_bitmap;
	bool is_external;		/* an owner keeps the metadata; the bitmap is bare */
	bool is_bare;
	bool is_dirty;			/* resync due from @checkpoint; active when that is 0 */
	uint64_t checkpoint;
	uint64_t set;			/* chunks set in the bitmap, as a mask */
	uint64_t size;
	uint32_t chunk;
	unsigned mostly;		/* mask of members that are write-mostly */
	uint32_t write_behind;
	void (*prepare)(struct bm *b);	/* before the array gets it */
	uint32_t nodes;			/* 0: it is alone */
};

enum { NODE_SLOT = 1, SLOT_BYTES = 4096 };

#endif
