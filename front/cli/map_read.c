/* The drawing model from JSON: the object of umd_map(), or the answer of a running array.
 *
 * Maps that are equal are one panel with all their owners in the title: members of a mirror nearly always agree, and a
 * person compares owners rather than pictures. Slots of a cluster are compared with the same slot of other members.
 * Paths come from the library escaped; they pass through cli_shown() once more because json-c has unescaped them.
 * An answer that contradicts itself (cells that do not cover the chunks) is refused: nothing is drawn beside the
 * memory that was measured out for it.
 *
 * Left out: the runs of set chunks, except that equal maps have equal runs. */
#include "map_model.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

static void *need(void *p)
{
	if (!p) {
		cli_refuse("there is not enough memory for a picture");
		exit(CLI_FAILED);
	}
	return p;
}

/* *@text becomes @format; what it was before may be among the arguments. */
__attribute__((format(printf, 2, 3))) static void rewrite(char **text, const char *format, ...)
{
	char *made;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&made, format, ap);
	va_end(ap);
	need(len < 0 ? NULL : made);
	free(*text);
	*text = made;
}

static struct map_panel *add_panel(struct map_picture *p)
{
	p->panels = need(reallocarray(p->panels, p->panel_count + 1, sizeof *p->panels));
	p->panels[p->panel_count] = (struct map_panel){ .sync_cell = UINT64_MAX };
	return &p->panels[p->panel_count++];
}

/* ---- figures ---- */

/* Add the list of counts @cells to @class. False: they are not as many as there are cells. */
static bool add_counts(struct map_panel *p, struct json_object *cells, enum map_class class)
{
	if (!cells)
		return true;
	if (cli_json_len(cells) != p->cell_count)
		return false;
	if (!p->counts[class])
		p->counts[class] = need(calloc(p->cell_count, sizeof **p->counts));
	for (uint64_t i = 0; i < p->cell_count; i++) {
		uint64_t count = json_object_get_uint64(json_object_array_get_idx(cells, i));

		p->counts[class][i] += count;
		p->totals[class] += count;
	}
	return true;
}

static bool add_states(struct map_panel *p, struct json_object *states)
{
	static const struct {
		const char *name;
		enum map_class class;
	} of[] = {
		{ "unwritten", MAP_UNWRITTEN },
		{ "clean_unwritten", MAP_UNWRITTEN },
		{ "clean", MAP_WRITTEN },
		{ "dirty", MAP_DIRTY },
		{ "need_sync", MAP_NEED_SYNC },
		{ "need_sync_unwritten", MAP_NEED_SYNC },
		{ "syncing", MAP_SYNCING },
		{ "syncing_unwritten", MAP_SYNCING },
		{ "invalid", MAP_INVALID },
	};

	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		if (!add_counts(p, cli_json_get(states, of[i].name), of[i].class))
			return false;
	return true;
}

static bool read_scale(struct map_panel *p, struct json_object *map)
{
	p->chunks = cli_json_u64(map, "chunks", 0);
	p->chunk_bytes = cli_json_u64(map, "chunk_bytes", 0);
	p->cell_chunks = cli_json_u64(map, "cell_chunks", 0);
	if (!p->chunks)
		return true;
	if (!p->cell_chunks)
		return false;
	p->cell_count = (p->chunks - 1) / p->cell_chunks + 1;
	return true;
}

static bool read_map(struct map_panel *p, struct json_object *map)
{
	uint64_t position = cli_json_u64(map, "sync_position_bytes", UINT64_MAX);

	p->is_lockless = cli_json_get(map, "state_cells") != NULL;
	p->has_needed = cli_json_get(map, "needed_cells") != NULL;
	if (!read_scale(p, map))
		return false;
	if (position != UINT64_MAX && p->cell_count && p->chunk_bytes)
		p->sync_cell = position / p->chunk_bytes / p->cell_chunks;
	if (p->is_lockless)
		return add_states(p, cli_json_get(map, "state_cells"));
	return add_counts(p, cli_json_get(map, "cells"), MAP_SET) &&
	       add_counts(p, cli_json_get(map, "needed_cells"), MAP_NEEDED);
}

static struct map_picture *not_understood(struct map_picture *p)
{
	cli_refuse("an answer with a map whose cells do not cover its chunks was not understood; nothing is drawn");
	return map_drop(p);
}

/* ---- images ---- */

static bool is_same(struct json_object *a, struct json_object *b)
{
	static const char *const keys[] = { "slot",	   "kind", "chunk_bytes", "chunks",	 "set_chunks", "runs",
					    "array_state", "used", "cells",	  "state_cells", "set" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!json_object_equal(cli_json_get(a, keys[i]), cli_json_get(b, keys[i])))
			return false;
	return true;
}

/* Drawn for an earlier map already? */
static bool is_drawn(struct json_object *maps, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_same(json_object_array_get_idx(maps, i), json_object_array_get_idx(maps, index)))
			return true;
	return false;
}

/* "a.img, b.img": everybody from @index on who has this map. */
static char *owners_of(struct json_object *maps, size_t index)
{
	struct json_object *map = json_object_array_get_idx(maps, index);
	char *owners = NULL;

	rewrite(&owners, "%s", cli_json_shown(map, "path"));
	for (size_t i = index + 1; i < cli_json_len(maps); i++) {
		struct json_object *other = json_object_array_get_idx(maps, i);

		if (is_same(map, other))
			rewrite(&owners, "%s, %s", owners, cli_json_shown(other, "path"));
	}
	return owners;
}

/* A cluster's array stays active when its nodes have stopped in order: there it says nothing. */
static const char *remark_of(struct json_object *map)
{
	const char *state = cli_json_raw(map, "array_state");
	bool is_of_nodes = !strcmp(cli_json_raw(map, "kind"), "clustered");

	if (!cli_json_u64(map, "chunks", 0))
		return "the bitmap is not initialised: the first start makes its chunks";
	if (cli_json_get(map, "used") && !cli_json_bool(map, "used"))
		return "no node has used this slot";
	if (is_of_nodes)
		return NULL;
	return !strcmp(state, "clean")	? "the array was stopped cleanly" :
	       !strcmp(state, "active") ? "the array was not stopped cleanly" :
					  NULL;
}

static bool has_several_slots(struct json_object *maps)
{
	for (size_t i = 0; i < cli_json_len(maps); i++)
		if (cli_json_u64(json_object_array_get_idx(maps, i), "slot", 0))
			return true;
	return false;
}

static bool add_map(struct map_picture *p, struct json_object *maps, size_t index)
{
	struct json_object *map = json_object_array_get_idx(maps, index);
	struct map_panel *panel = add_panel(p);
	const char *remark = remark_of(map);

	panel->title = owners_of(maps, index);
	if (!p->title)
		rewrite(&p->title, "%s", panel->title);
	else if (strcmp(p->title, panel->title))
		rewrite(&p->title, "%s", "");
	if (remark)
		rewrite(&panel->remark, "%s", remark);
	return read_map(panel, map);
}

/* The owners are said once when all panels have the same; then the slot alone tells panels apart. */
static void add_slot(struct map_picture *p, struct map_panel *panel, uint64_t slot)
{
	if (*p->title)
		rewrite(&panel->title, "slot %llu", (unsigned long long)slot);
	else
		rewrite(&panel->title, "slot %llu of %s", (unsigned long long)slot, panel->title);
}

struct map_picture *map_of_images(struct json_object *o)
{
	struct map_picture *p = need(calloc(1, sizeof *p));
	struct json_object *maps = cli_json_get(o, "maps");
	size_t panel = 0;

	for (size_t i = 0; i < cli_json_len(maps); i++)
		if (!is_drawn(maps, i) && !add_map(p, maps, i))
			return not_understood(p);
	if (!has_several_slots(maps))
		return p;
	for (size_t i = 0; i < cli_json_len(maps); i++)
		if (!is_drawn(maps, i))
			add_slot(p, &p->panels[panel++],
				 cli_json_u64(json_object_array_get_idx(maps, i), "slot", 0));
	return p;
}

/* ---- differences ---- */

static char *name_of(struct json_object *maps, struct json_object *difference, const char *side)
{
	size_t index = cli_json_u64(difference, side, 0);
	struct json_object *map =
		index < cli_json_len(maps) ? json_object_array_get_idx(maps, index) : NULL;
	char *name = NULL;

	if (has_several_slots(maps))
		rewrite(&name, "slot %llu of %s", (unsigned long long)cli_json_u64(map, "slot", 0),
			cli_json_shown(map, "path"));
	else
		rewrite(&name, "%s", cli_json_shown(map, "path"));
	return name;
}

/* What is set in both: what @map has, less what it has alone. */
static bool count_both(struct map_panel *p, struct json_object *map)
{
	if (!add_counts(p, cli_json_get(map, "cells"), MAP_BOTH) || !p->counts[MAP_BOTH])
		return false;
	p->totals[MAP_BOTH] = 0;
	for (uint64_t i = 0; i < p->cell_count; i++) {
		uint64_t alone = p->counts[MAP_ONLY_A] ? p->counts[MAP_ONLY_A][i] : 0;

		if (p->counts[MAP_BOTH][i] < alone)
			return false;
		p->totals[MAP_BOTH] += p->counts[MAP_BOTH][i] -= alone;
	}
	return true;
}

struct map_picture *map_of_difference(struct json_object *o)
{
	struct map_picture *p = need(calloc(1, sizeof *p));
	struct json_object *maps = cli_json_get(o, "maps"), *difference = cli_json_get(o, "difference");
	struct json_object *a_map = cli_json_len(maps) ? json_object_array_get_idx(maps, 0) : NULL;
	char *a = name_of(maps, difference, "a"), *b = name_of(maps, difference, "b");
	struct map_panel *panel = add_panel(p);

	panel->is_difference = true;
	rewrite(&panel->title, "a = %s, b = %s", a, b);
	rewrite(&p->title, "%s", panel->title);
	free(a);
	free(b);
	if (!read_scale(panel, a_map) || !add_counts(panel, cli_json_get(difference, "only_a_cells"), MAP_ONLY_A) ||
	    !add_counts(panel, cli_json_get(difference, "only_b_cells"), MAP_ONLY_B) || !count_both(panel, a_map))
		return not_understood(p);
	if (!panel->totals[MAP_ONLY_A] && !panel->totals[MAP_ONLY_B])
		rewrite(&panel->remark, "the maps are equal");
	return p;
}

/* ---- a running array ---- */

struct map_picture *map_of_running(struct json_object *o, const char *name)
{
	struct map_picture *p = need(calloc(1, sizeof *p));
	struct json_object *maps = cli_json_get(o, "maps");
	struct map_panel *panel = add_panel(p);

	rewrite(&panel->title, "%s, running", name);
	rewrite(&p->title, "%s", panel->title);
	return read_map(panel, cli_json_len(maps) ? json_object_array_get_idx(maps, 0) : o) ? p : not_understood(p);
}
