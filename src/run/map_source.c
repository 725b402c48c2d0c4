/* Opening a member for its chunks, whatever kind of bitmap it has.
 *
 * Nothing is written and no lock is taken (law I7). Left out: what the member says beside its bitmaps (examine), what
 * is done with the chunks. */
#include "run/map_source.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "run/look.h"

static void begin_external(struct run_source *s, const char *path)
{
	struct run_examined *e = &s->e;

	e->path = path;
	e->shown = run_escaped(path);
	e->look.path = e->shown;
	if (!e->shown)
		err_set(&e->error, -ENOMEM, "no memory to look at a member");
	else if (mbr_open_look(path, &e->m, &e->error) == 0)
		s->slots = 1;
}

void run_source_begin(struct run_source *s, const char *path, const struct umd_external_bitmap *external)
{
	memset(s, 0, sizeof *s);
	s->external = external;
	if (external) {
		begin_external(s, path);
		return;
	}
	run_examine_begin(&s->e, path);
	if (s->e.m)
		s->slots = run_slot_count(&s->e.look);
	if (s->slots == RUN_SLOTS_MAX && s->e.look.bitmap.nodes > s->slots)
		err_set(&s->e.error, UMD_E_NOT_SUPPORTED, "%s: the bitmap claims %u nodes, the first %d are looked at",
			s->e.shown, s->e.look.bitmap.nodes, RUN_SLOTS_MAX);
}

void run_source_demand_bitmap(struct run_source *s)
{
	if (!s->slots && !run_source_error(s)->code)
		err_set(&s->e.error, UMD_E_NOT_SUPPORTED, "%s has no bitmap: there are no chunks to show", s->e.shown);
}

void run_source_end(struct run_source *s)
{
	run_examine_end(&s->e);
}

int run_source_slot(struct run_source *s, uint32_t slot, struct run_slot *ret_slot)
{
	if (s->external)
		return run_slot_external(s->e.m, s->e.shown, s->external, ret_slot, &s->e.error);
	return run_slot_read(s->e.m, &s->e.look, slot, ret_slot, &s->e.error);
}

const struct err *run_source_error(const struct run_source *s)
{
	const struct run_examined *e = &s->e;

	return e->error.code ? &e->error : e->look.error.code ? &e->look.error : &e->look.bitmap_error;
}

void run_source_put_error(struct text *t, const struct err *err)
{
	if (!err->code) {
		json_null(t, "error");
		return;
	}
	json_open(t, "error", '{');
	json_str(t, "code", err_name(err->code));
	json_str(t, "message", err->text);
	json_close(t, '}');
}

void run_source_put(struct text *t, const struct run_source *s)
{
	json_open(t, NULL, '{');
	json_str(t, "path", s->e.path);
	run_source_put_error(t, run_source_error(s));
	json_open(t, "notes", '[');
	for (uint32_t i = 0; i < s->e.look.note_count; i++)
		json_str(t, NULL, s->e.look.notes[i]);
	json_close(t, ']');
	json_close(t, '}');
}
