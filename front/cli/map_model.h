/* What a picture of bitmaps is made of, before anybody draws it: panels of cells, each cell the same number of chunks
 * (the last one what is left), and for each cell how many of its chunks are of which class. No I/O. */
#ifndef FRONT_CLI_MAP_MODEL_H
#define FRONT_CLI_MAP_MODEL_H

#include "cli.h"

struct json_object;

/* In the order in which a cell that holds several is shown: the last one wins. */
enum map_class {
	MAP_CLEAN,	/* bits: not set; also what is left of a cell when all others are counted */
	MAP_UNWRITTEN,	/* lockless from here ... */
	MAP_WRITTEN,
	MAP_SET,	/* a bit */
	MAP_DIRTY,
	MAP_NEED_SYNC,
	MAP_SYNCING,
	MAP_INVALID,	/* ... to here */
	MAP_NEEDED,	/* a running array owes these chunks to somebody */
	MAP_SYNC,	/* a running sync stands here */
	MAP_BOTH,	/* differences: set in both maps */
	MAP_ONLY_A,
	MAP_ONLY_B,
	MAP_EITHER,	/* some only in a, some only in b */
	MAP_CLASSES
};

enum { MAP_LEVELS = 4 };	/* of a cell's share: some, more, most, all */

struct map_panel {
	char *title, *remark;		/* fit for a terminal; remark: what is to be said beside the counts, or NULL */
	bool is_lockless, is_difference, has_needed;
	uint64_t chunks, chunk_bytes, cell_chunks, cell_count;
	uint64_t sync_cell;		/* UINT64_MAX: no sync runs */
	uint64_t *counts[MAP_CLASSES];	/* per cell, NULL: none; never of CLEAN, SYNC, EITHER */
	uint64_t totals[MAP_CLASSES];
};

struct map_picture {
	char *title;
	struct map_panel *panels;
	size_t panel_count;
};

/* From the object of umd_map(). NULL with the sentence said when it is not understood. */
struct map_picture *map_of_images(struct json_object *o);
/* The difference alone, from the object of umd_map() with is_comparison. */
struct map_picture *map_of_difference(struct json_object *o);
/* From the answer of a running array to `map`. */
struct map_picture *map_of_running(struct json_object *o, const char *name);
struct map_picture *map_drop(struct map_picture *p);

/* Make cells coarser until there are at most @cells_max. */
void map_coarsen(struct map_panel *p, uint64_t cells_max);

uint64_t map_cell_chunks(const struct map_panel *p, uint64_t cell);
enum map_class map_cell_class(const struct map_panel *p, uint64_t cell);
/* 1 to MAP_LEVELS: how much of the cell is of its class. */
unsigned map_cell_level(const struct map_panel *p, uint64_t cell);

/* Nothing to look at: not set, or a lockless state that needs nothing. */
bool map_is_quiet(enum map_class class);
/* Classes that come in levels. */
bool map_has_levels(enum map_class class);
const char *map_words(enum map_class class);		/* "set", "to be copied"; for a legend */
/* Bit @level is set when a cell of that class and level occurs; 0: none of the class. */
unsigned map_levels_of(const struct map_picture *p, enum map_class class);
/* Is a cell only partly of the class anywhere, so that a legend has to explain shades? */
bool map_has_shades(const struct map_picture *p, enum map_class class);

/* Sentences into @text: "240 chunks of 64.0 KiB: 4 set, 2 to be copied"; "1 cell = 16 chunks = 1.0 MiB";
 * "chunks 16 to 31: 3 of 16 set". */
enum { MAP_TEXT_BYTES = 256 };
void map_say_counts(const struct map_panel *p, char text[MAP_TEXT_BYTES]);
void map_say_scale(const struct map_panel *p, const char *cell, char text[MAP_TEXT_BYTES]);
void map_say_cell(const struct map_panel *p, uint64_t cell, char text[MAP_TEXT_BYTES]);

#endif
