/* Does a member hold something that would be destroyed? */
#ifndef UMD_RUN_BLANK_H
#define UMD_RUN_BLANK_H

#include "member/member.h"

/* 0 when libblkid finds no file system, partition table or RAID signature; UMD_E_MEMBER_HOLDS_DATA with a sentence
 * that names it. @path: escaped. Reads only. */
int run_member_is_blank(struct member *m, const char *path, struct err *err);

#endif
