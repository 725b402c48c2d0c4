/* The inside of the tree, shared by the files of this room only. */
#ifndef UMD_ATTRS_INSIDE_H
#define UMD_ATTRS_INSIDE_H

#include "attrs/attrs.h"
#include "base/law.h"

#include <errno.h>
#include <string.h>

typedef unsigned long long ull;		/* for printing */
typedef long long ll;

/* ---- the table ---- */

enum att_row_no {
#define A(id, ...) ATT_ROW_##id,
#define G(id, ...) ATT_ROW_##id,
#define C(id, ...) ATT_ROW_##id,
#define T(...)
#include "attrs/attrs.def"
#undef A
#undef G
#undef C
#undef T
	ATT_ROWS
};

/* What a reader and a writer are given. */
struct att_look {
	const struct att *t;
	const struct att_view *view;
	const struct att_dev *dev;		/* of a row of group D */
};

struct att_store {
	struct att *t;
	const struct att_view *view;
	struct att_dev *dev;
	enum att_row_no row;
	char *value;				/* action->text: no newline at its end, no byte that is not text */
	size_t len_bytes;
	struct att_action *action;
	struct err *err;
};

typedef int att_getter(const struct att_look *l, struct text *out);
typedef int att_setter(struct att_store *s);

struct att_row {
	const char *path;
	unsigned mode;
	char group;
	bool notifies, has_engine;
	att_getter *get;
	att_setter *set;
	const char *constant, *sentence;
};

extern const struct att_row att_rows[ATT_ROWS];

#define A(id, ...) att_getter att_get_##id; att_setter att_set_##id;
#define G(id, ...) att_getter att_get_##id;
#define C(id, ...)
#define T(...)
#include "attrs/attrs.def"
#undef A
#undef G
#undef C
#undef T

/* Refuse a word or a case of the row that stands as T() in the table: -EOPNOTSUPP and its sentence. */
int att_todo(struct att_store *s, const char *what);
/* The same if @what is one of the row's words, else 0. */
int att_todo_word(struct att_store *s, const char *what);

/* ---- the tree ---- */

enum { ATT_LEVEL_BYTES = 16, ATT_METADATA_BYTES = 32, ATT_SAFE_MODE_MS = 210, ATT_TICK_MS = 10 };

/* What pollers were last told, by entry of arr's table. */
struct att_told {
	bool is_running, is_frozen;
	enum arr_state state;
	enum arr_mode mode;
	enum arr_sync_action action;
	uint64_t sixteenth, asks, can_clear_falls, cluster_state, cluster_peers, cluster_event;
	uint32_t degraded;
	struct att_told_member {
		enum arr_member_state state;
		bool is_blocked, is_write_mostly;
	} members[ARR_MEMBERS_MAX];
};

struct att {
	bool has_superblocks;			/* made by att_of_array() */
	char metadata[ATT_METADATA_BYTES];	/* as shown */
	char level[ATT_LEVEL_BYTES];		/* "": unset */
	uint32_t layout, chunk_bytes, raid_disks;
	uint64_t component_kib;
	uint64_t resync_start_sectors;		/* OFF_NONE: nothing to resync */
	uint64_t safe_mode_ms;
	uint8_t uuid[16];
	bool was_started;

	struct {
		bool is_external, is_file;
		int64_t location_sectors;	/* 0: none */
		int64_t coming_sectors;		/* while ATT_BITMAP_SET is carried out: the new place, else 0 */
		uint64_t space_sectors, time_base_ms, chunk_bytes;
		uint32_t backlog;
	} bitmap;

	struct att_dev devs[ATT_DEVS_MAX];
	uint64_t bind_count;

	struct att_told told;
	uint64_t clock;				/* the last generation given out */
	uint64_t tree_generation;
	uint64_t generations[ATT_ROWS];
	uint64_t dev_generations[ATT_DEVS_MAX][ATT_ROWS];
};

#define ATT_EACH_DEV(d, tree)                                                                       \
	for (__typeof__(&(tree)->devs[0]) d = (tree)->devs; d < (tree)->devs + ATT_DEVS_MAX; d++)   \
		if (d->name[0])

/* tree.c */
void att_forget(struct att *t);			/* fresh again; generations go on */
uint32_t att_index(const struct att *t, const struct att_dev *d);
uint64_t att_component_bytes(const struct att *t);
void att_changed_tree(struct att *t);
void att_bump(struct att *t, enum att_row_no row);
void att_bump_dev(struct att *t, uint32_t dev, enum att_row_no row);

/* table.c: -ENOENT, or -ENODEV for a path in a folder that is not there. @ret_dev: ATT_NO_DEV outside dev- folders. */
int att_find(const struct att *t, const struct att_view *view, const char *path, enum att_row_no *ret_row,
	     uint32_t *ret_dev);

/* ---- devices as they are now (device.c) ---- */

struct att_now {
	bool is_in_array;			/* arr has it */
	bool is_faulty, is_in_sync, is_write_mostly, is_blocked;
	uint32_t slot;				/* ATT_NO_SLOT: none */
	uint64_t recovery_start_sectors;	/* OFF_NONE: all of it is current */
	uint64_t errors;
};

struct att_now att_now(const struct att_dev *d, const struct att_view *view);
bool att_any_write_mostly(const struct att *t, const struct att_view *view);
/* The data area and, if there is one, the bitmap at @location_sectors fit into the device and do not meet. */
int att_check_places(const struct att *t, const struct att_dev *d, int64_t location_sectors, struct err *err);
/* A member as ARR_EV_ADD and arr_new() take it. */
struct arr_member att_member(const struct att *t, const struct att_dev *d);
void att_state_text(const struct att_dev *d, const struct att_view *view, struct text *out);

/* Marks of the past are gone: whoever is away comes back in full. @faulty_only: not those whom the owner just called
 * current up to the bitmap. (Who is in sync is known again at the next notice.) */
void att_forget_saved(struct att *t, bool faulty_only);

/* badblocks.c */
struct att_bad_blocks *att_bad_blocks_free(struct att_bad_blocks *b);
bool att_has_unacknowledged(const struct att_dev *d);

/* start.c */
uint64_t att_bitmap_bytes(const struct att *t);		/* 0: not known */
int att_check_bitmap_size(const struct att *t, struct err *err);
void att_started(struct att *t);			/* who became a member */

/* ---- values (value.c) ---- */

/* Decimal digits only. -EINVAL: something else; -ERANGE: more than @max. */
int att_number(const char *s, uint64_t max, uint64_t *ret);
/* The same with a decimal point, in units of 10^-@scale; digits behind those are cut. -EINVAL. */
int att_decimal(const char *s, unsigned scale, uint64_t *ret);
bool att_begins(const char *s, const char *prefix);
/* A sector, or "none": OFF_NONE. */
int att_sector(const char *s, uint64_t *ret);

/* Refuse: "PATH 'VALUE': " and the sentence, with the value made harmless. */
int att_refuse_why(struct att_store *s, int code, const char *why);
#define att_refuse(s, code, ...)                                                                    \
	__extension__({                                                                             \
		char why_[ERR_TEXT_BYTES - 128];                                                    \
		text_fit(why_, sizeof why_, __VA_ARGS__);                                           \
		att_refuse_why(s, code, why_);                                                      \
	})
/* The number of the value; refused with a sentence where it is none. */
int att_take_number(struct att_store *s, uint64_t max, uint64_t *ret);

static inline bool att_is(const char *s, const char *word)
{
	return strcmp(s, word) == 0;
}

static inline int att_event(struct att_store *s, enum arr_event_kind kind, uint64_t value)
{
	s->action->kind = ATT_EVENT;
	s->action->event.kind = kind;
	s->action->event.value = value;
	return 0;
}

#endif
