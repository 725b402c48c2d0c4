/* Where a broken law is told: on stderr, in one line, before the process ends. The brains cannot print, and a server
 * that ended without a word would leave its user with a core file and no reason. What is on disk stays: the next
 * start resyncs what was under way. */
#include "run/running.h"

#include <stdio.h>

#include "base/law.h"

static void tell(enum law_id id, const char *condition, const char *file, int line)
{
	fprintf(stderr, "umd: law %s is broken (%s): %s at %s:%d; the server ends before data is at risk\n",
		law_name(id), law_sentence(id), condition, file, line);
}

void run_tell_broken_laws(void)
{
	law_sink_set(tell);
}
