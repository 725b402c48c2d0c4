/* Laws with names that travel: the id is in the assert, the checker, the test and the manual.
 *
 * LAW(I3, condition) stands where the law must hold, in release builds too: a broken law ends the
 * process, because going on would put data at risk. A law can be broken on purpose at build time
 * (-Dbreak_law=I3, tests only): LAW_BROKEN(I3) is a constant that a planted bug asks, and it is 0
 * in every installed build. */
#ifndef UMD_BASE_LAW_H
#define UMD_BASE_LAW_H

#include <stdbool.h>

enum law_id {
	LAW_NONE,
#define L(id, sentence) LAW_##id,
#include "base/law.def"
#undef L
	LAW_COUNT
};

#ifndef UMD_BREAK_LAW
#define UMD_BREAK_LAW LAW_NONE
#endif
#define LAW_BROKEN(id) (UMD_BREAK_LAW == LAW_##id)

/* A planted bug must be found by its consequences, not by the assert beside it. */
#define LAW(id, condition)                                                                          \
	do {                                                                                        \
		if (!LAW_BROKEN(id) && !(condition))                                                \
			law_fail(LAW_##id, #condition, __FILE__, __LINE__);                         \
	} while (0)

/* A statement about state that is no law but must be true. */
#define MUST(condition)                                                                             \
	do {                                                                                        \
		if (!(condition))                                                                   \
			law_fail(LAW_NONE, #condition, __FILE__, __LINE__);                         \
	} while (0)

const char *law_name(enum law_id id);		/* "I3" */
const char *law_sentence(enum law_id id);

/* Where a broken law is reported: run/ installs stderr, the simulator its trace. Called before abort. */
typedef void law_sink(enum law_id id, const char *condition, const char *file, int line);
void law_sink_set(law_sink *sink);

_Noreturn void law_fail(enum law_id id, const char *condition, const char *file, int line);

#endif
