/* Opening a member to look at it, and what examine, map and why say alike: its error, its notes, a uuid.
 *
 * Nothing is written and no lock is taken (law I7). A member has one error: that of its hands (opening, reading bits)
 * comes before that of its superblock, and that before its bitmap's. Left out: what else is shown of it (examine), its
 * chunks (map_source.c). */
#include "look/examined.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "look/look.h"

/* Returns true when there is a member to be read. */
static bool open_member(struct look_examined *e, const char *path)
{
	memset(e, 0, sizeof *e);
	e->path = path;
	e->shown = look_escaped(path);
	e->look.path = e->shown;
	if (!e->shown)
		err_set(&e->error, -ENOMEM, "no memory to look at a member");
	return e->shown && mbr_open_look(path, &e->m, &e->error) == 0;
}

void look_examined_begin(struct look_examined *e, const char *path)
{
	if (open_member(e, path))
		look_member(e->m, e->shown, &e->look);
}

void look_examined_begin_external(struct look_examined *e, const char *path)
{
	open_member(e, path);
}

void look_examined_end(struct look_examined *e)
{
	e->m = mbr_close(e->m);
	e->shown = mem_free(e->shown);
}

const struct err *look_examined_error(const struct look_examined *e)
{
	return e->error.code ? &e->error : e->look.error.code ? &e->look.error : &e->look.bitmap_error;
}

uint64_t look_sectors_bytes(uint64_t sectors)
{
	uint64_t bytes;

	return mul_fits(sectors, SECTOR_BYTES, &bytes) ? bytes : UINT64_MAX;
}

void look_json_uuid(struct text *t, const char *key, const uint8_t uuid[16])
{
	char text[36];

	fmt_uuid_text(uuid, text);
	json_str(t, key, text);
}

void look_json_error(struct text *t, const struct look_examined *e)
{
	const struct err *err = look_examined_error(e);

	if (!err->code) {
		json_null(t, "error");
		return;
	}
	json_open(t, "error", '{');
	json_str(t, "code", err_name(err->code));
	json_str(t, "message", err->text);
	json_close(t, '}');
}

void look_json_notes(struct text *t, const struct look_examined *e)
{
	json_open(t, "notes", '[');
	for (uint32_t i = 0; i < e->look.note_count; i++)
		json_str(t, NULL, e->look.notes[i]);
	json_close(t, ']');
}
