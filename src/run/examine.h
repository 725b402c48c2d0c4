/* Inside umd_examine: one member looked at, and its JSON. */
#ifndef UMD_RUN_EXAMINE_H
#define UMD_RUN_EXAMINE_H

#include "assembly/assembly.h"
#include "base/text.h"
#include "member/member.h"

struct run_examined {
	const char *path;		/* as given */
	char *shown;			/* escaped; look.path points at it */
	struct member *m;		/* NULL: could not be opened */
	struct asm_member look;
	struct err error;		/* of opening, or of reading bits and bad blocks */
};

/* Bytes of @sectors; what no member can have becomes UINT64_MAX. */
uint64_t run_sectors_bytes(uint64_t sectors);

/* "superblock": {...}, */
void run_json_superblock(struct text *t, const struct run_examined *e, const struct bad_block *bad_blocks,
			 uint32_t bad_block_count);

/* "bitmaps": [...]; @runs_max for all slots together. A read error is left in @e->error. */
void run_json_bitmaps(struct text *t, struct run_examined *e, uint64_t runs_max);

/* The object of one array: its members are those of @examined with the array uuid of @first. */
int run_json_array(struct text *t, const struct run_examined *examined, size_t count, size_t first);

#endif
