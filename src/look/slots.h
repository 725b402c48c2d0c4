/* The bitmaps of a member that was looked at: one, or one per node of a cluster, or one without superblock. */
#ifndef UMD_LOOK_SLOTS_H
#define UMD_LOOK_SLOTS_H

#include "assembly/assembly.h"
#include "look/look.h"
#include "look/scan.h"

enum { LOOK_SLOTS_MAX = 256 };		/* more nodes than any cluster manager gives numbers to */

struct look_slot {
	uint32_t slot;
	const char *kind;		/* "internal", "file", "external", "clustered", "lockless" */
	bool has_superblock;		/* @sb was read; false: external */
	bool is_used;			/* false: a slot that no node ever used: zeroes, its bits mean nothing */
	bool is_initialised;		/* false: lockless, and Linux will set all states anew */
	struct bitmap_sb sb;		/* as stored */
	member_off at;			/* of the superblock, or of an external bitmap's first bit */
	uint64_t chunk_bytes, chunks;
	uint64_t size_bytes;		/* of the range covered: the last chunk ends with it */
	struct look_bitmap bits;	/* for look_scan(); 0 chunks where they mean nothing */
};

/* "internal", ...: what kind of bitmap @look has. */
const char *look_slot_kind(const struct asm_member *look);

/* How many bitmaps can be read: none where there is none or it is not believed; at most LOOK_SLOTS_MAX. */
uint32_t look_slot_count(const struct asm_member *look);

/* 0, or a code with a sentence that names @look->path. UMD_E_BAD_BITMAP: the slot is there to be shown, its bits are
 * not believed. */
int look_slot_read(struct member *m, const struct asm_member *look, uint32_t slot, struct look_slot *ret_slot,
		   struct err *err);

/* A bitmap without superblock, where the caller says it is. */
int look_slot_external(struct member *m, const char *path, const struct look_external *external,
		       struct look_slot *ret_slot, struct err *err);

#endif
