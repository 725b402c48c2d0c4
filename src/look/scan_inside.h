/* Between the files that scan bitmaps; nobody else includes this. */
#ifndef UMD_LOOK_SCAN_INSIDE_H
#define UMD_LOOK_SCAN_INSIDE_H

#include "look/scan.h"

enum {
	SCAN_READ_BYTES = 256 << 10,	/* at once: small enough for a cache, large enough for the system call */
	SCAN_FIRST_BYTES = 16 << 10,	/* behind a hole; doubled while data follows data */
	SCAN_WORDS = SCAN_READ_BYTES / 8,
	SCAN_WORD_CHUNKS = 64,
};

/* ---- words of bits: chunk first + 64 * i + k is bit k of words[i] (scan_words.c) ---- */

/* Set bits among the bits @lo up to, not including, @hi. */
uint64_t look_words_set(const uint64_t *words, uint64_t lo, uint64_t hi);
/* Set bits whose lower neighbour is clear; @is_before_set: the neighbour of the very first one. */
uint64_t look_words_starts(const uint64_t *words, uint64_t count, bool is_before_set);
/* From bit @lo on, the first that is set (clear with @wanted false); @hi where there is none. */
uint64_t look_words_find(const uint64_t *words, uint64_t lo, uint64_t hi, bool wanted);

/* ---- one bitmap being read (scan_read.c) ---- */

struct scan_reader {
	const struct look_bitmap *b;
	uint64_t asked, next;		/* no data from chunk @asked to @next */
	bool knows_holes;
};

bool look_bitmap_is_on_member(const struct look_bitmap *b);
void look_reader_begin(struct scan_reader *r, const struct look_bitmap *b);
/* The first chunk from @chunk on (rounded down to a word) that may be other than zero; b->chunks: none. */
uint64_t look_reader_next(struct scan_reader *r, uint64_t chunk);
/* Read @count chunks from @first, a multiple of 64, on: bits, or state bytes of a lockless bitmap. 0 or -errno. */
int look_reader_read(struct scan_reader *r, uint64_t first, uint64_t count, uint64_t words[SCAN_WORDS]);

/* Is the byte of a lockless bitmap due? One table for all: by byte, its state and whether it must be copied. */
struct scan_states {
	uint8_t state[256], due[256];
};
void look_states_learn(struct scan_states *s);
/* @count state bytes become bits: set where the state is due. */
void look_states_due(const struct scan_states *s, const uint8_t *bytes, uint64_t count, uint64_t *words);
/* Bytes per state, added to @counts. */
void look_states_count(const struct scan_states *s, const uint8_t *bytes, uint64_t count,
		       uint64_t counts[LOCKLESS_STATES]);
/* Length of the run of equal states at the beginning of @bytes. */
uint64_t look_states_run(const struct scan_states *s, const uint8_t *bytes, uint64_t count);

/* Pieces to be looked at: where the next one lies, and how long it is. */
struct scan_pace {
	uint64_t at;			/* behind the piece before */
	uint64_t len_chunks;		/* of the piece before; 0: none yet */
};
/* How many chunks from @next on are read at once, of bitmaps where @bytes_per_64 bytes hold 64 chunks. */
uint64_t look_scan_pace(struct scan_pace *p, uint64_t next, uint64_t chunks, bool is_lockless);

#endif
