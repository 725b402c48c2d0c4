/* A law was broken: what is known about it goes into the verdict, and back to where the history was begun.
 *
 * The script in the verdict is linear: a trunk and its branch are one history whose last cut is the branch's. What the
 * world held is left as it is: an array in the middle of a step cannot be freed. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sim_world *acting;
jmp_buf *verdict_jump;
struct sim_verdict verdict;

void broken_at(struct sim_world *w, enum law_id id, uint64_t chunk, const char *format, ...)
{
	va_list ap;

	verdict = (struct sim_verdict){ .law = id, .step = w->step, .chunk = chunk, .setup = *w->setup };
	va_start(ap, format);
	vsnprintf(verdict.text, sizeof verdict.text, format, ap);
	va_end(ap);
	verdict.script = world_script(w);
	w->stats->violations++;
	trace(w, "LAW %s BROKEN: %s", law_name(id), verdict.text);
	trace_end(w);
	memory_fail_after(UINT64_MAX);
	if (!verdict_jump) {
		fprintf(stderr, "LAW %s BROKEN: %s\n", law_name(id), verdict.text);
		abort();
	}
	longjmp(*verdict_jump, 1);
}
