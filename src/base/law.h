/* Laws with names that travel: the id is in the assert, the checker, the test and the manual.
 *
 * LAW(I3, condition) stands where the law must hold, in release builds too: a broken law ends the
 * process, because going on would put data at risk.
 *
 * Tests plant bugs into copies of the sources (tests/mutants). Those must be found by their consequences, not by
 * the assert beside them: only there the laws are silent (UMD_LAWS_ARE_SILENT). */
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

#ifdef UMD_LAWS_ARE_SILENT
#define LAW(id, condition) ((void)sizeof(!(condition)))
#else
#define LAW(id, condition)                                                                          \
	do {                                                                                        \
		if (!(condition))                                                                   \
			law_fail(LAW_##id, #condition, __FILE__, __LINE__);                         \
	} while (0)
#endif

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
