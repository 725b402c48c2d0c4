/* Inside umd_examine: one member looked at, and its JSON. */
#ifndef UMD_RUN_EXAMINE_H
#define UMD_RUN_EXAMINE_H

#include "assembly/assembly.h"
#include "base/text.h"
#include "member/member.h"
#include "run/slots.h"

/* A member while it is looked at; not kept, because thousands may be given. */
struct run_examined {
	const char *path;		/* as given */
	char *shown;			/* escaped; look.path points at it */
	struct member *m;		/* NULL: could not be opened */
	struct asm_member look;
	struct err error;		/* of opening, or of reading bits and bad blocks */
};

/* What is remembered of each member given. */
struct run_seen {
	const char *path;
	bool is_member;			/* with a superblock that is believed */
	bool is_bitmap_file;		/* with a bitmap superblock that is believed */
	uint8_t uuid[16];		/* of the array */
	uint8_t bitmap_uuid[16];	/* what a bitmap of the array carries; a bitmap file's own */
};

/* Open and look; what fails is in @ret_e->error. run_examine_end() in any case. */
void run_examine_begin(struct run_examined *ret_e, const char *path);
void run_examine_end(struct run_examined *e);

/* Bytes of @sectors; what no member can have becomes UINT64_MAX. */
uint64_t run_sectors_bytes(uint64_t sectors);

/* Parts of the JSON */
void run_json_uuid(struct text *t, const char *key, const uint8_t uuid[16]);
/* Each set bit of @bits below @count by its name, one without a name as a hexadecimal number. */
void run_json_bit_names(struct text *t, const char *key, uint32_t bits, const char *(*name_of)(uint32_t bit));

/* "superblock": {...}, */
void run_json_superblock(struct text *t, const struct run_examined *e, const struct bad_block *bad_blocks,
			 uint32_t bad_block_count);
/* What version 0.90 has in addition. */
void run_json_superblock_090(struct text *t, const struct sb0 *sb);

/* "bitmaps": [...]; @runs_max for all slots together. A read error is left in @e->error. */
void run_json_bitmaps(struct text *t, struct run_examined *e, const struct umd_external_bitmap *external,
		      uint64_t runs_max);

/* "chunks", "set_chunks", "set", "set_truncated", and "states" of a lockless one; takes the runs told from
 * *@runs_left. 0 or a code: then everything that is unknown is null. */
int run_json_chunks(struct text *t, const struct run_slot *s, uint64_t *runs_left);
void run_json_no_chunks(struct text *t);

/* The object of one array: the members of @seen with the uuid of @first. -ENOMEM or 0. */
int run_json_array(struct text *t, const struct run_seen *seen, size_t count, size_t first);

#endif
