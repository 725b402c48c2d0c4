/* What tests of the attribute tree say: a path takes, refuses, reads a value. The world is world.h's. */
#ifndef TESTS_UNIT_ATTRS_TREE_H
#define TESTS_UNIT_ATTRS_TREE_H

#include "tap.h"
#include "world.h"

/* A text up to its first newline, for a line of TAP. */
#define LINE(text) (int)strcspn(text, "\n"), text

#define reads(path, wanted)                                                                         \
	do {                                                                                        \
		const char *got_ = read_of(path);                                                   \
		if (!ok(!strcmp(got_, wanted), "%s reads %.*s", path, LINE(wanted)))                \
			printf("# %s:%d: got \"%s\"\n", __FILE__, __LINE__, got_);                  \
	} while (0)

#define takes(path, value)                                                                          \
	do {                                                                                        \
		int rc_ = write_to(path, value);                                                    \
		if (!ok(rc_ == 0, "%s takes %.*s", path, LINE(value)))                              \
			printf("# %s:%d: %d %s\n", __FILE__, __LINE__, rc_, w.err.text);            \
	} while (0)

#define refuses(path, value, wanted)                                                                \
	do {                                                                                        \
		int rc_ = write_to(path, value);                                                    \
		if (!ok(rc_ == (wanted), "%s refuses %.*s with %d", path, LINE(value), wanted))     \
			printf("# %s:%d: %d %s\n", __FILE__, __LINE__, rc_, w.err.text);            \
	} while (0)

#endif
