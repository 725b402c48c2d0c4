/* Between the files of look_examine(): the parts of its JSON. */
#ifndef UMD_LOOK_EXAMINE_H
#define UMD_LOOK_EXAMINE_H

#include "look/examined.h"
#include "look/slots.h"

/* What is remembered of each member given. */
struct look_seen {
	const char *path;
	bool is_member;			/* with a superblock that is believed */
	bool is_bitmap_file;		/* with a bitmap superblock that is believed */
	uint8_t uuid[16];		/* of the array */
	uint8_t bitmap_uuid[16];	/* what a bitmap of the array carries; a bitmap file's own */
};

/* Each set bit of @bits below @count by its name, one without a name as a hexadecimal number. */
void look_json_bit_names(struct text *t, const char *key, uint32_t bits, const char *(*name_of)(uint32_t bit));

/* "superblock": {...}, */
void look_json_superblock(struct text *t, const struct look_examined *e, const struct bad_block *bad_blocks,
			  uint32_t bad_block_count);
/* What version 0.90 has in addition. */
void look_json_superblock_090(struct text *t, const struct sb0 *sb);

/* "bitmaps": [...]; @runs_max for all slots together. A read error is left in @e->error. */
void look_json_bitmaps(struct text *t, struct look_examined *e, const struct look_external *external,
		       uint64_t runs_max);

/* "chunks", "set_chunks", "set", "set_truncated", and "states" of a lockless one; takes the runs told from
 * *@runs_left. 0 or a code: then everything that is unknown is null. */
int look_json_chunks(struct text *t, const struct look_slot *s, uint64_t *runs_left);
void look_json_no_chunks(struct text *t);

/* The object of one array: the members of @seen with the uuid of @first. -ENOMEM or 0. */
int look_json_array(struct text *t, const struct look_seen *seen, size_t count, size_t first);

#endif
