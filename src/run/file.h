/* Files of src/run only: the file that holds an array's bitmap, and which array belongs to which file. */
#ifndef UMD_RUN_FILE_H
#define UMD_RUN_FILE_H

#include "format/bitmap_sb.h"
#include "member/member.h"

/* ---- file.c ---- */

/* Open and lock the bitmap file at @path (@fd: -1, or a descriptor that was handed over; taken over). A regular file,
 * not on a member and none of them. 0 or a code with a sentence; nothing has been written. */
int run_file_open(const char *path, int fd, bool is_readonly, struct member *const *members, uint32_t count,
		  struct member **ret_file, struct err *err);

/* Make the file for a new bitmap. @force: also over an existing file; else it must not be there. */
int run_file_make(const char *path, bool force, struct member **ret_file, struct err *err);

/* What the file holds becomes @sb and bits of @fill, durably, and it ends there. */
int run_file_fill(struct member *file, const struct bitmap_sb *sb, uint8_t fill, struct err *err);

/* ---- pairing.c: array uuid -> absolute path, kept between runs ---- */

/* *@ret_path: mem_free() it; NULL: none is remembered. 0 or a code. */
int run_pairing_find(const uint8_t uuid[16], char **ret_path, struct err *err);
/* Durable when it returns. @path NULL: forget. */
int run_pairing_set(const uint8_t uuid[16], const char *path, struct err *err);

#endif
