/* A member while it is looked at, for whoever looks: examine, map, why. */
#ifndef UMD_LOOK_EXAMINED_H
#define UMD_LOOK_EXAMINED_H

#include "assembly/assembly.h"
#include "base/text.h"
#include "member/member.h"

/* Not kept, because thousands may be given. */
struct look_examined {
	const char *path;		/* as given */
	char *shown;			/* escaped; look.path points at it */
	struct member *m;		/* NULL: could not be opened */
	struct asm_member look;
	struct err error;		/* of opening, or of reading bits and bad blocks */
};

/* Open and look; what fails is in @ret_e->error. look_examined_end() in any case. */
void look_examined_begin(struct look_examined *ret_e, const char *path);
void look_examined_end(struct look_examined *e);
/* A bitmap without superblock is where the caller says: the member is opened, and nothing else is looked for. */
void look_examined_begin_external(struct look_examined *ret_e, const char *path);

/* Code 0: nothing failed, and what the member says is believed. */
const struct err *look_examined_error(const struct look_examined *e);

/* Bytes of @sectors; what no member can have becomes UINT64_MAX. */
uint64_t look_sectors_bytes(uint64_t sectors);

void look_json_uuid(struct text *t, const char *key, const uint8_t uuid[16]);

/* "error": null or {"code", "message"}; "notes": [...] */
void look_json_error(struct text *t, const struct look_examined *e);
void look_json_notes(struct text *t, const struct look_examined *e);

#endif
