/* A run-time directory of the test's own. */
#ifndef TESTS_RUN_PLACE_H
#define TESTS_RUN_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char place[] = "/tmp/umd-run-XXXXXX";

static inline void place_make(void)
{
	if (!mkdtemp(place) || setenv("UMD_RUNTIME_DIR", place, 1) < 0) {
		perror(place);
		exit(1);
	}
}

/* "PLACE/@leaf"; one string, used again by the next call. */
static inline const char *place_of(const char *leaf)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", place, leaf);
	return path;
}

#endif
