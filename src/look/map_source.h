/* A member opened for its bitmaps' chunks: by look_map(), look_map_raw() and look_why(). */
#ifndef UMD_LOOK_MAP_SOURCE_H
#define UMD_LOOK_MAP_SOURCE_H

#include "look/examined.h"
#include "look/slots.h"

struct look_source {
	struct look_examined e;
	const struct look_external *external;
	uint32_t slots;			/* bitmaps that can be read */
};

/* What fails is told by look_source_error(); look_source_end() in any case. */
void look_source_begin(struct look_source *s, const char *path, const struct look_external *external);
void look_source_end(struct look_source *s);

/* A member without a bitmap has nothing to show: its error, where that is asked for. */
void look_source_demand_bitmap(struct look_source *s);

/* 0, or a code that is left as the source's error. */
int look_source_slot(struct look_source *s, uint32_t slot, struct look_slot *ret_slot);

/* Code 0: the member has bitmaps and all that was asked of them could be read. */
const struct err *look_source_error(const struct look_source *s);

/* {"path", "error", "notes"} */
void look_source_put(struct text *t, const struct look_source *s);

#endif
