/* Reading what a member says about itself: superblock, bitmap superblock, bitmap bytes. */
#ifndef UMD_RUN_LOOK_H
#define UMD_RUN_LOOK_H

#include "assembly/assembly.h"
#include "member/member.h"

/**
 * run_look - read a member's superblock and bitmap superblock
 * @path: escaped, for sentences; must outlive @ret_look. Read errors become ret_look->error.
 */
void run_look(struct member *m, const char *path, struct asm_member *ret_look);

/* @path with control bytes and broken UTF-8 escaped; mem_free() it. NULL without memory. */
char *run_escaped(const char *path);

/* Read @len_bytes of bitmap; *@ret_image is mem_free()d by the caller. 0 or a code with a sentence. */
int run_read_image(struct member *m, const char *path, member_off at, uint64_t len_bytes, uint8_t **ret_image,
		   struct err *err);

#endif
