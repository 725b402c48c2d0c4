/* The door of the attribute tree: md's own names, texts and errors for one array, running or not.
 *
 * Pure: no I/O, no clock, no threads. A tree (struct att) holds how one array is *configured* and what its
 * pollers were told; what a running array does is not copied but handed in with every call (struct att_view). The hands
 * call everything here under the array's lock.
 *
 * A write is decided here and done outside:
 *
 *	rc = att_write(t, &view, path, value, len, &action, &err);	refused: nothing has changed
 *	   leave the lock, do what action.kind says (it may be I/O), take the lock
 *	att_done(t, &view, &action, rc);				rc < 0: nothing changes either
 *
 * From att_write() to att_done() no other att_write() may come in between: the hands take writes one by one, in
 * the order they came, as md does. Reads and att_notice() may.
 *
 * After every step of the array, and after every att_done(), the hands call att_notice(): the generation of each file
 * that md would notify has then moved, and of no other. A poller compares generations.
 *
 * Paths have no leading slash: "array_state", "bitmap/location", "dev-sda/slot", "umd/why". */
#ifndef UMD_ATTRS_ATTRS_H
#define UMD_ATTRS_ATTRS_H

#include "array/array.h"
#include "base/err.h"
#include "base/text.h"
#include "bitmap/bitmap.h"

enum {
	ATT_VALUE_MAX = 4096,		/* bytes of a value, as read or written */
	ATT_PATH_MAX = 256,
	ATT_NAME_BYTES = 128,		/* a device's name in its folder's name, NUL included */
	ATT_DEVS_MAX = ARR_MEMBERS_MAX,
	ATT_BITMAP_BYTES_MAX = 4 << 20,	/* as of arrays with superblocks: every set bit costs memory and time */
	ATT_NO_DEV = UINT32_MAX,
	ATT_NO_SLOT = UINT32_MAX,
};

struct att;

/* An array that is one node's of a cluster. Texts belong to the hands. */
struct att_cluster {
	const char *engine, *cluster_name, *node, *state;
	const char *peers, *suspended, *waits_for;	/* as they are read: lines */
	const char *last_event, *events;
	uint32_t slot, nodes;				/* ATT_NO_SLOT: none yet */
	bool has_quorum;
	uint64_t state_news, peers_news, event_news;	/* how often each has changed */
};

/* What is true at the moment of a call. */
struct att_view {
	const struct arr_status *status;	/* NULL: the array does not run */
	const struct bm *bitmap;		/* NULL: none */
	uint64_t now_ms;			/* the clock of arr_step(); for sync_speed */
	const struct att_cluster *cluster;	/* NULL: it is no node of a cluster */
	uint32_t clients;			/* that have the array open: clear, inactive, readonly are EBUSY then */
};

/* ---- making one ---- */

/* What superblocks said, for an array that was assembled from them. The tree shows it; the superblocks own it. */
struct att_facts {
	const char *metadata;			/* "1.2" */
	int32_t level;
	uint32_t layout, chunk_bytes, raid_disks;
	uint64_t component_bytes;		/* of each member */
	uint8_t uuid[16];
	uint32_t safe_mode_delay_ms;		/* 0: the default */
	int64_t bitmap_sectors;			/* from the superblock; 0: no internal bitmap */
	uint32_t bitmap_space_sectors;		/* 0: unknown */
	bool bitmap_is_file;
};

struct att *att_new(void);				/* fresh: array_state reads clear; NULL without memory */
struct att *att_of_array(const struct att_facts *facts);	/* devices follow by att_bind() and att_dev() */
struct att *att_free(struct att *t);
/* The facts of an array with superblocks have changed under the tree (umd grow). */
void att_set_facts(struct att *t, const struct att_facts *facts);

bool att_is_external(const struct att *t);		/* metadata_version external:... */
bool att_is_configured(const struct att *t);		/* not "clear" */

/* ---- devices ---- */

struct att_dev {
	char name[ATT_NAME_BYTES];		/* folder dev-NAME; "" for a free place */
	void *hand;				/* never looked at here */
	uint64_t size_bytes;			/* of the device */
	uint64_t bound;				/* counts bindings: the greatest was bound last */
	uint32_t entry;				/* in arr's table; ARR_MEMBERS_MAX: not in the array */

	/* The hands set these right after att_bind() for a member of an array with superblocks; else the tree does. */
	uint64_t offset_sectors;		/* data area */
	uint64_t size_kib;			/* usable for data; 0: not said */
	uint32_t slot;				/* ATT_NO_SLOT; while the device is in arr's table arr knows better */
	uint64_t recovery_start_sectors;	/* OFF_NONE: all of it is current */
	bool is_in_sync, is_write_mostly, is_faulty;

	/* the tree's own */
	uint32_t saved_slot;			/* where it was current up to the bitmap; ATT_NO_SLOT: nowhere */
	bool has_external_bbl;
	int64_t errors_base;			/* added to the array's count */
	struct att_bad_blocks *bad_blocks;	/* NULL: none */
};

/**
 * att_bind - a device joins the tree, after ATT_BIND was done or for a member of an assembled array
 * @name: the last part of its path, as it comes: bytes a file name cannot have become '!', and a name that is taken
 *      gets a number. Returns its index, or ATT_NO_DEV when the table is full.
 */
uint32_t att_bind(struct att *t, const char *name, uint64_t size_bytes, void *hand);
void att_unbind(struct att *t, uint32_t dev);
struct att_dev *att_dev(struct att *t, uint32_t dev);		/* NULL: no such device */
uint32_t att_dev_of_entry(const struct att *t, uint32_t entry);	/* ATT_NO_DEV: none */

/* ---- reading, writing ---- */

/* The value as md shows it, newline included, is added to @out. -ENOENT, -ENODEV (a folder that is gone), -EACCES (can
 * only be written). */
int att_read(const struct att *t, const struct att_view *view, const char *path, struct text *out);

enum att_kind {
	ATT_NOTHING,		/* it is done already */
	ATT_BIND,		/* open and lock .text (a path or MAJOR:MINOR, or the descriptor that came with it),
				 * then att_bind(). -EEXIST: bound already; -EBUSY: somebody else's; -ENXIO: no such
				 * device */
	ATT_UNBIND,		/* take .dev out: where .entry is not ARR_MEMBERS_MAX step ARR_EV_UNBLOCK if .unblocks,
				 * then ARR_EV_REMOVE until it is not -EAGAIN; then close it. att_done() unbinds it */
	ATT_START,		/* read the bitmap area (att_bitmap_place), att_make_config(.mode), arr_new() */
	ATT_STOP,		/* stop the array; what is configured stays */
	ATT_CLEAR,		/* stop it if it runs, close every device (att_dev().hand); att_done() forgets all */
	ATT_EVENT,		/* step .event as it is; its rc is the write's. Wait for the end of SET_MODE and
				 * OWNER_CLEAN */
	ATT_JOIN,		/* step ARR_EV_ADD for each of .joins (put ret_member into .joins[].entry), then
				 * .event */
	ATT_READD,		/* .dev is a faulty member that comes back. Array with superblocks: asm_admit().
				 * External: ARR_EV_REMOVE its .entry (until not -EAGAIN), then ARR_EV_ADD .joins[0],
				 * then .event */
	ATT_BITMAP_SET,		/* running: read the area (att_bitmap_place), att_make_bitmap(), ARR_EV_BITMAP */
	ATT_BITMAP_NONE,	/* running: ARR_EV_BITMAP with none */
	ATT_SET_BITS,		/* running: each range of att_next_range() becomes set and NEEDED, durably */
};

enum att_mode { ATT_MODE_ACTIVE, ATT_MODE_READONLY, ATT_MODE_READ_AUTO };

struct att_join {
	uint32_t dev;
	uint32_t entry;			/* the hands put arr_event.ret_member here */
	struct arr_member member;	/* .hand is the device's */
	const char *reason;		/* one sentence, static */
};

struct att_action {
	enum att_kind kind;
	uint32_t dev, entry;
	bool unblocks;
	bool makes_writable;		/* EVENT, JOIN: step ARR_EV_SET_MODE with value ARR_MODE_WRITABLE first */
	enum att_mode mode;
	/* BITMAP_SET: where it will lie, on every member; beside superblocks it counts from them, and the hands know
	 * whether it fits (-EINVAL). With a superblock of its own unless it is bare. */
	member_off bitmap_at;
	int64_t location_sectors;
	bool is_bare;
	uint64_t bitmap_chunk_bytes;	/* 0: choose */
	struct arr_event event;
	uint32_t join_count;
	struct att_join joins[ATT_DEVS_MAX];
	char text[ATT_VALUE_MAX + 1];

	/* private: what att_done() makes true */
	uint32_t row;
	uint32_t row_dev;
	uint64_t number;
};

/* Decide a write. 0 or a negative errno as md gives it, with a sentence in @err (may be NULL). */
int att_write(struct att *t, const struct att_view *view, const char *path, const char *value, size_t len_bytes,
	      struct att_action *ret_action, struct err *err);
/* The action was carried out (@rc 0) or failed. @view: as it is now. */
void att_done(struct att *t, const struct att_view *view, const struct att_action *action, int rc);

/* ATT_SET_BITS: the next range of chunks (inclusive); *@pos begins at 0. False: no more. */
bool att_next_range(const struct att_action *action, size_t *pos, chunk_no *ret_first, chunk_no *ret_last);

/* ---- starting an external array ---- */

/* Where its bitmap is read from: the in-sync member that was bound last. 1: read @ret_len_bytes at *@ret_at of device
 * *@ret_dev; 0: there is no bitmap; negative: refused, with a sentence. Between att_write() and att_done() of an
 * ATT_BITMAP_SET it is the new place. */
int att_bitmap_place(const struct att *t, const struct att_view *view, uint32_t *ret_dev, member_off *ret_at,
		     uint64_t *ret_len_bytes, struct err *err);
/* All of arr_new()'s argument, .members[].hand included; the bitmap is loaded, and the caller's until arr_new() took
 * it. */
int att_make_config(const struct att *t, enum att_mode mode, const uint8_t *bitmap_image, uint64_t image_bytes,
		    struct arr_config *ret_config, struct err *err);
/* For ATT_BITMAP_SET: a bare bitmap of what was read. */
int att_make_bitmap(const struct att *t, const struct att_view *view, const uint8_t *bitmap_image, uint64_t image_bytes,
		    struct bm **ret_bitmap, struct err *err);

/* ---- what is there ---- */

struct att_entry {
	const char *path;		/* valid during the call */
	unsigned mode;			/* 0644, 0444, 0200; 0777 for a link */
	/* 'A' always, 'R' while it runs, 'B' bitmap/, 'D' dev-*, 'K' cluster/, 'U' umd/ */
	char group;
	bool notifies, has_engine;	/* has_engine: writing (or, where nothing is written, reading) does it */
	const char *sentence;		/* what it is */
	const char *link_to;		/* rdN: the folder of the device in that slot; else NULL */
};

typedef void att_list_cb(void *opaque, const struct att_entry *entry);
/* Every path that exists now, parents before children not included: folders are what paths have before a slash. */
void att_list(const struct att *t, const struct att_view *view, att_list_cb *cb, void *opaque);
/* All patterns of the table ("dev-*" for any device), for documents and tests. */
void att_list_patterns(att_list_cb *cb, void *opaque);
/* Everything that answers "not supported": an attribute (@what NULL), or a word or a case of one. */
typedef void att_todo_cb(void *opaque, const char *path, const char *what, const char *sentence);
void att_list_todo(att_todo_cb *cb, void *opaque);

/* ---- notices ---- */

void att_notice(struct att *t, const struct att_view *view);
uint64_t att_generation(const struct att *t, const struct att_view *view, const char *path);	/* 0: no such path */
uint64_t att_tree_generation(const struct att *t);		/* moves when paths come or go */
uint64_t att_clock(const struct att *t);			/* moves with any of them: somebody may be woken */

#endif
