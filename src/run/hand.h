/* Between the files that carry out writes of attributes. */
#ifndef UMD_RUN_HAND_H
#define UMD_RUN_HAND_H

#include "run/running.h"

/* hand_member.c: a member comes (a path's descriptor is @fd) or goes, as @action names it; the tree knows it then.
 * Under the lock, which is left meanwhile. 0 or a code with a sentence. */
int run_hand_bind(struct umd_array *u, const struct att_action *action, int fd, struct err *err);
int run_hand_unbind(struct umd_array *u, const struct att_action *action, struct err *err);

/* The member table's @entry is @m, which stays its device's; no longer. Under the lock. */
void run_hand_takes(struct umd_array *u, uint32_t entry, struct member *m);
void run_hand_leaves(struct umd_array *u, uint32_t entry);

/* Take @entry out of the running array's table, whatever is still under way there; its member stays open. Under the
 * lock, which is left meanwhile. */
int run_hand_take_out(struct umd_array *u, uint32_t entry, struct err *err);

/* hand_bitmap.c: the bitmap of a running array. Under the lock, which is left meanwhile. */
struct run_image {
	uint8_t *data;			/* mem_free() it */
	uint64_t len_bytes;		/* 0: there is no bitmap */
};
int run_hand_read_bitmap(struct umd_array *u, const struct att_view *view, struct run_image *image, struct err *err);
int run_hand_set_bitmap(struct umd_array *u, const struct att_action *action, struct err *err);
int run_hand_drop_bitmap(struct umd_array *u, struct err *err);
int run_hand_set_bits(struct umd_array *u, const struct att_action *action, struct err *err);

/* admit.c: a faulty member of an array with superblocks comes back without being opened anew. Under the lock, which is
 * left meanwhile. */
int run_readd(struct umd_array *u, uint32_t dev, struct err *err);
/* admit.c: its superblock is no longer spoken of. Under the lock. */
void run_forget(struct umd_array *u, uint32_t entry);

/* hand_start.c: make what is configured run. Under the lock, which is left meanwhile. 0 or a code with a sentence. */
int run_hand_start(struct umd_array *u, enum att_mode mode, struct err *err);

#endif
