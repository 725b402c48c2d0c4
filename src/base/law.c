/* The registry of laws and what happens when one is broken.
 *
 * Purpose: the id of a law is in the assert, the checker, the test and the manual; its sentence is
 * here, from law.def. A broken law ends the process, in release too: going on would put data at risk.
 *
 * The sink is how a pure room is heard without having a mouth: run/ installs stderr, the simulator
 * its trace. Left out: catching and going on. */
#include "base/law.h"

#include <stdlib.h>

static law_sink *sink_now;

static const struct {
	const char *name, *sentence;
} laws[LAW_COUNT] = {
	[LAW_NONE] = { "-", "an internal statement that must be true" },
#define L(id, sentence) [LAW_##id] = { #id, sentence },
#include "base/law.def"
#undef L
};

const char *law_name(enum law_id id)
{
	return laws[id].name;
}

const char *law_sentence(enum law_id id)
{
	return laws[id].sentence;
}

void law_sink_set(law_sink *sink)
{
	sink_now = sink;
}

void law_fail(enum law_id id, const char *condition, const char *file, int line)
{
	if (sink_now)
		sink_now(id, condition, file, line);
	abort();
}
