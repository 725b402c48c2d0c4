/* Between the files of look_map(); nobody else includes this. */
#ifndef UMD_LOOK_MAP_INSIDE_H
#define UMD_LOOK_MAP_INSIDE_H

#include "look/map.h"
#include "look/map_source.h"

enum { LOOK_MAP_MEMBERS_COMPARED = 2 };

/* ---- one map (map_put.c) ---- */

/* The object of one bitmap; takes the runs told from *@runs_left. 0, or a code, left as the source's error; then
 * nothing was written. A lockless bitmap that is not initialised has no map: *@ret_is_put. */
int look_map_put(struct text *t, struct look_source *s, uint32_t slot, uint64_t cells_max, uint64_t *runs_left,
		 bool *ret_is_put);

/* ---- two maps (map_compare.c) ---- */

struct look_map_pair {
	struct look_source sources[LOOK_MAP_MEMBERS_COMPARED];
	size_t count;			/* sources: one with two slots, or two */
	uint32_t source_of[2];		/* of a and b */
	struct look_slot slots[2];
	int64_t index[2];		/* in "maps"; -1: not written */
};

/* Open the members and choose what is compared. 0, or a code with a sentence; look_map_pair_end() in any case. */
int look_map_pair_begin(struct look_map_pair *p, const char *const *members, size_t count,
			const struct look_external *external, struct err *err);
void look_map_pair_end(struct look_map_pair *p);

/* The map with number @index in "maps" is the one of @slot of source @source. */
void look_map_pair_note(struct look_map_pair *p, size_t source, uint32_t slot, int64_t index);

/* "difference": {...}; null where one of the two could not be read. */
int look_map_pair_put(struct text *t, struct look_map_pair *p, uint64_t cells_max);

#endif
