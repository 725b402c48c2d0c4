/* Starting what a judgement allows, on members that are nothing but their borders. */
#ifndef TESTS_FUZZ_RUN_ARRAY_H
#define TESTS_FUZZ_RUN_ARRAY_H

#include "fuzz.h"

#include "assembly/assembly.h"

struct run_array {
	const struct asm_member *members;
	const struct asm_plan *plan;
	const struct asm_options *options;
	const uint8_t *image;
	uint64_t image_bytes;
	unsigned failing;		/* 0: no part fails; else one in so many does */
};

/* Start, let clients do what @in says, stop. Ends the process when a part lies where it must not. */
void run_array(struct run_array r, struct fuzz_input *in);

#endif
