/* Between the files that carry out writes of attributes. */
#ifndef UMD_RUN_HAND_H
#define UMD_RUN_HAND_H

#include "run/running.h"

/* The member table's @entry is @m, which stays its device's; no longer. Under the lock. */
void run_hand_takes(struct umd_array *u, uint32_t entry, struct member *m);
void run_hand_leaves(struct umd_array *u, uint32_t entry);

/* hand_bitmap.c: under the lock, which is left meanwhile. 0 or a code with a sentence. */
struct run_image {
	member_off at;
	uint8_t *data;			/* NULL: there is no bitmap; else for mem_free() */
	uint64_t len_bytes;
};
int run_hand_read_bitmap(struct umd_array *u, const struct att_view *view, struct run_image *image, struct err *err);
int run_hand_bitmap_set(struct umd_array *u, struct err *err);
int run_hand_bitmap_none(struct umd_array *u, struct err *err);
int run_hand_set_bits(struct umd_array *u, const struct att_action *action, struct err *err);

/* hand_start.c: make what is configured run. Under the lock, which is left meanwhile. 0 or a code with a sentence. */
int run_hand_start(struct umd_array *u, enum att_mode mode, struct err *err);

#endif
