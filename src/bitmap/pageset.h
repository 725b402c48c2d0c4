/* A set of page numbers that is walked in ascending order at the cost of its members, not of its range. */
#ifndef UMD_BITMAP_PAGESET_H
#define UMD_BITMAP_PAGESET_H

#include <stdbool.h>
#include <stdint.h>

enum { BM_PAGESET_LEVELS = 8 };

struct bm_pageset {
	uint64_t range;				/* members are below */
	uint64_t *memory;
	uint64_t *levels[BM_PAGESET_LEVELS];	/* a bit of level n + 1 says: that word of level n is not zero */
	uint64_t words[BM_PAGESET_LEVELS];
	uint32_t level_count;
};

bool bm_pageset_init(struct bm_pageset *s, uint64_t range);	/* false without memory; then free is harmless */
void bm_pageset_free(struct bm_pageset *s);
void bm_pageset_add(struct bm_pageset *s, uint64_t page);
void bm_pageset_remove(struct bm_pageset *s, uint64_t page);
void bm_pageset_add_all(struct bm_pageset *s);
bool bm_pageset_is_empty(const struct bm_pageset *s);
/* The first member at or after @from. */
bool bm_pageset_next(const struct bm_pageset *s, uint64_t from, uint64_t *ret_page);

#endif
