/* Events: all that can happen in a world, as data.
 *
 * A history is a list of events. A seed generates one, the exhaustive search enumerates them, a scenario file spells
 * one out, shrinking deletes from one: all go through world_do(). */
#ifndef TESTS_SIM_EVENT_H
#define TESTS_SIM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_kind {
#define E(kind, word, form, worlds, sentence) EV_##kind,
#include "event.def"
#undef E
	EV_KINDS
};

enum sim_flag {
	EVF_FUA = 1, EVF_PUNCH = 2, EVF_ASYNC = 4,		/* requests; ASYNC: "&" */
	EVF_RUN = 8, EVF_READONLY = 16,				/* start */
	EVF_FOR_EVER = 32, EVF_SHORT = 64,			/* eio */
	EVF_KEEP = 128, EVF_LOSE = 256,				/* cut */
	EVF_SUPERBLOCK = 512, EVF_BITMAP = 1024,		/* corrupt */
	EVF_PREFER = 2048,					/* start: @member is preferred */
	EVF_LATE = 4096,					/* work: the oldest job is left for later */
	EVF_LARGE = 8192,					/* new: it has more room than the others */
	EVF_NO_FILE = 16384,					/* start: without the bitmap's file */
};

enum { EVENT_WORDS_BYTES = 64 };

struct sim_event {
	enum sim_kind kind;
	uint32_t flags;
	uint32_t member;		/* index: a is 0, the bitmap's file SIM_FILE */
	uint32_t members;		/* mask */
	uint64_t first, count;		/* sectors of the array; a NUMBER is in @count */
	uint64_t lot;			/* seeds whatever is drawn while this event happens */
	uint32_t line;			/* of the scenario file, 0: none */
	char words[EVENT_WORDS_BYTES];	/* expect, compare: as written */
};

/* How the array is made, before the first event. */
struct sim_setup {
	uint32_t slots, metadata_minor;	/* 0: 1.0, 1: 1.1, 2: 1.2 */
	uint32_t chunk_bytes;		/* 0: no bitmap */
	uint64_t size_bytes;
	bool is_assume_clean;
	uint32_t sleep_s;		/* between sweeps */
	bool is_small;			/* 1.0 with as little as possible around the data, for speed */
	bool is_shifted;		/* 1.1 and 1.2: b's data begins elsewhere than a's, as on a larger device */
	bool is_other_minor;		/* b has another version than a: 1.0 beside 1.1 or 1.2, 1.2 beside 1.0 */
	bool is_mostly;			/* b is write-mostly */
	uint32_t behind;		/* so many writes may be behind there */
	bool is_file;			/* the bitmap is in a file, on a disk of its own */
	bool is_external;		/* an owner keeps the metadata, the bitmap has no superblock */
	uint64_t lot;			/* of the members' first contents, unless assumed clean */
};

struct sim_script {
	struct sim_event *events;
	uint32_t count, room;
};

void script_add(struct sim_script *s, const struct sim_event *e);
void script_free(struct sim_script *s);

/* ---- scenario.c: text ---- */

/* "write 0 8 fua &", without newline, into @ret. Returns @ret. */
char *event_text(const struct sim_event *e, char *ret, size_t ret_bytes);
/* One line; false: not understood, *ret_why says why. Empty lines and # comments give kind EV_KINDS. */
bool event_parse(const char *line, struct sim_event *ret, char *ret_why, size_t why_bytes);

#endif
