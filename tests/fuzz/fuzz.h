/* What the fuzz targets share.
 *
 * A target is one function that gets arbitrary bytes and must come back: with clang and -Dfuzz=true libFuzzer calls it
 * (make fuzz), in every other build replay.c calls it with the kept corpus (suite fuzz of make test). It states
 * properties with FUZZ_MUST; one that does not hold ends the process, as a sanitizer would. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MUST(condition)                                                                        \
	do {                                                                                        \
		if (!(condition))                                                                   \
			fuzz_fail(#condition, __FILE__, __LINE__);                                  \
	} while (0)

_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/* ---- taking an input apart: what is missing reads as zero ---- */

struct fuzz_input {
	const uint8_t *at, *end;
};

uint64_t fuzz_take(struct fuzz_input *in, unsigned width_bytes);
/* @len_bytes of it; the rest of @ret is zero. Returns how many there were. */
size_t fuzz_take_bytes(struct fuzz_input *in, void *ret, size_t len_bytes);

/* ---- what is said ---- */

/* Fit for a terminal and for JSON text: well-formed UTF-8 without control characters (but newline where @may_break)
 * and without marks that turn the direction of writing. A decoder of its own: what is tested does not judge. */
bool fuzz_is_harmless(const char *s, size_t len_bytes, bool may_break);

/* A refusal is one sentence: there, one line, harmless. */
struct err;
bool fuzz_is_sentence(const struct err *err);

/* ---- changing fields instead of bytes (mutate.c) ---- */

struct fuzz_field {
	const char *name;
	uint32_t at, bytes;
};

/* A structure inside an input. */
struct fuzz_record {
	size_t at, len;
	const struct fuzz_field *fields;
	size_t field_count;
	void (*mend)(uint8_t *record, size_t len);	/* puts the checksum right; NULL: there is none */
};

enum { FUZZ_RECORDS_MAX = 64 };

extern const struct fuzz_field fuzz_sb1_fields[], fuzz_sb0_fields[], fuzz_bitmap_fields[];
extern const size_t fuzz_sb1_field_count, fuzz_sb0_field_count, fuzz_bitmap_field_count;

/* By the targets that mutate.c is linked with: the structures in @data. Returns how many. */
size_t fuzz_find_records(const uint8_t *data, size_t size, struct fuzz_record ret[FUZZ_RECORDS_MAX]);

#endif
