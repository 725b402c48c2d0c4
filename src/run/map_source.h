/* A member opened for its bitmaps' chunks: by umd_map, umd_map_raw and umd_why. */
#ifndef UMD_RUN_MAP_SOURCE_H
#define UMD_RUN_MAP_SOURCE_H

#include "run/examine.h"

struct run_source {
	struct run_examined e;
	const struct umd_external_bitmap *external;
	uint32_t slots;			/* bitmaps that can be read */
};

/* What fails is told by run_source_error(); run_source_end() in any case. */
void run_source_begin(struct run_source *s, const char *path, const struct umd_external_bitmap *external);
void run_source_end(struct run_source *s);

/* A member without a bitmap has nothing to show: its error, where that is asked for. */
void run_source_demand_bitmap(struct run_source *s);

/* 0, or a code that is left as the source's error. */
int run_source_slot(struct run_source *s, uint32_t slot, struct run_slot *ret_slot);

/* Code 0: the member has bitmaps and all that was asked of them could be read. */
const struct err *run_source_error(const struct run_source *s);

/* {"path", "error", "notes"} */
void run_source_put(struct text *t, const struct run_source *s);
/* "error": null or {"code", "message"} */
void run_source_put_error(struct text *t, const struct err *err);

#endif
