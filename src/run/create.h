/* Inside umd_create: what is known about the members to be, and the steps. */
#ifndef UMD_RUN_CREATE_H
#define UMD_RUN_CREATE_H

#include "assembly/assembly.h"
#include "base/text.h"
#include "member/member.h"
#include "umd/umd.h"

struct run_creating {
	struct asm_create plan;
	const char *file;			/* of the bitmap; NULL: none */
	struct bitmap_sb file_sb;
	struct asm_created made[ARR_MEMBERS_MAX];
	struct run_creating_member {
		const char *path;		/* as given; NULL: missing */
		char *shown;			/* escaped; plan.members[].path points at it */
		struct member *m;		/* locked exclusively */
	} members[ARR_MEMBERS_MAX];
};

/* Words to wishes: metadata, bitmap, name, uuid. 0 or a code with a sentence. */
int run_create_options(struct run_creating *c, const struct umd_create_options *o, struct err *err);

/* Open and lock one member, refuse it when it holds something and @force is not set. */
int run_create_open(struct run_creating *c, uint32_t i, const char *path, bool force, struct err *err);

/* The file with the bitmap, made, filled and remembered; without @force it must not exist. */
int run_create_file(struct run_creating *c, bool force, struct err *err);

/* Bitmap and log of all members, then superblocks of all. @wipe: other superblocks are removed first. */
int run_create_write(struct run_creating *c, bool wipe, struct err *err);

/* Array-wide values are the same in every member's plan. */
const struct asm_created *run_create_any(const struct run_creating *c);

void run_create_json(struct text *t, const struct run_creating *c, bool is_dry_run);

#endif
