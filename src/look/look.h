/* Looking at images: nothing is written, no lock is taken (law I7). First the questions that people ask, then what a
 * start asks as well: what a member says about itself. */
#ifndef UMD_LOOK_LOOK_H
#define UMD_LOOK_LOOK_H

#include "assembly/assembly.h"
#include "member/member.h"

/* ---- questions; the JSON is that of `umd examine`, `map` and `why` with --json ---- */

/* Takes the JSON in pieces, as the sink of a text does (base/text.h). */
typedef int look_sink(void *opaque, const char *data, size_t len_bytes);

/* A bitmap without superblock. */
struct look_external {
	uint64_t location_bytes;	/* of the first bit, from the start of the member */
	uint64_t chunk_bytes, size_bytes;	/* what the caller says: hostile */
};

struct look_options {
	uint64_t runs_max;		/* runs of set chunks shown per member; UINT64_MAX: all */
	uint64_t cells_max;		/* map: cells per map; 0: LOOK_MAP_CELLS */
	bool is_comparison;		/* map: two maps, and what only one of them has */
	const struct look_external *external;	/* NULL, or members are looked at as holding such a bitmap */
};

/* 0, or a code: then *@err says why, where there is more to say than the code does. @err is zeroed by the caller.
 * *@ret_errors: number of members with an error, which is no failure; left alone when the call fails. */
int look_examine(const char *const *members, size_t count, const struct look_options *options, look_sink *sink,
		 void *opaque, size_t *ret_errors);
int look_map(const char *const *members, size_t count, const struct look_options *options, look_sink *sink,
	     void *opaque, size_t *ret_errors, struct err *err);
int look_map_raw(const char *member, uint32_t slot, const struct look_external *external, look_sink *sink,
		 void *opaque, struct err *err);
int look_why(const char *const *members, size_t count, uint64_t chunk, const struct look_external *external,
	     char **ret_json, size_t *ret_errors, struct err *err);

/* ---- one member ---- */

/**
 * look_member - read a member's superblock and bitmap superblock
 * @path: escaped, for sentences; must outlive @ret_look. Read errors become ret_look->error.
 */
void look_member(struct member *m, const char *path, struct asm_member *ret_look);

/* After look_member(), for one node of a cluster: its own slot's superblock is read as well (asm_take_slot()). What
 * cannot be read stays unread, for the judgement to say. */
void look_own_slot(struct member *m, uint32_t slot, struct asm_member *look);

/* @path with control bytes and broken UTF-8 escaped; mem_free() it. NULL without memory. */
char *look_escaped(const char *path);

/* Read @len_bytes of bitmap; *@ret_image is mem_free()d by the caller. 0 or a code with a sentence. */
int look_read_image(struct member *m, const char *path, member_off at, uint64_t len_bytes, uint8_t **ret_image,
		    struct err *err);

#endif
