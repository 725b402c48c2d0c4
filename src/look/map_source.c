/* Opening a member for its chunks, whatever kind of bitmap it has.
 *
 * Nothing is written and no lock is taken (law I7). Left out: what the member says beside its bitmaps (examine), what
 * is done with the chunks. */
#include "look/map_source.h"

#include <string.h>

void look_source_begin(struct look_source *s, const char *path, const struct look_external *external)
{
	memset(s, 0, sizeof *s);
	s->external = external;
	if (external) {
		look_examined_begin_external(&s->e, path);
		s->slots = s->e.m != NULL;
		return;
	}
	look_examined_begin(&s->e, path);
	if (s->e.m)
		s->slots = look_slot_count(&s->e.look);
	if (s->slots == LOOK_SLOTS_MAX && s->e.look.bitmap.nodes > s->slots)
		err_set(&s->e.error, UMD_E_NOT_SUPPORTED, "%s: the bitmap claims %u nodes, the first %d are looked at",
			s->e.shown, s->e.look.bitmap.nodes, LOOK_SLOTS_MAX);
}

void look_source_demand_bitmap(struct look_source *s)
{
	if (!s->slots && !look_source_error(s)->code)
		err_set(&s->e.error, UMD_E_NOT_SUPPORTED, "%s has no bitmap: there are no chunks to show", s->e.shown);
}

void look_source_end(struct look_source *s)
{
	look_examined_end(&s->e);
}

int look_source_slot(struct look_source *s, uint32_t slot, struct look_slot *ret_slot)
{
	if (s->external)
		return look_slot_external(s->e.m, s->e.shown, s->external, ret_slot, &s->e.error);
	return look_slot_read(s->e.m, &s->e.look, slot, ret_slot, &s->e.error);
}

const struct err *look_source_error(const struct look_source *s)
{
	return look_examined_error(&s->e);
}

void look_source_put(struct text *t, const struct look_source *s)
{
	json_open(t, NULL, '{');
	json_str(t, "path", s->e.path);
	look_json_error(t, &s->e);
	look_json_notes(t, &s->e);
	json_close(t, '}');
}
