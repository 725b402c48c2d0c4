/* A broken law ends a history: its words go into the verdict, and back to where the history was begun. An array in the
 * middle of a step cannot be freed, so what the world held is left as it is. */
#include "csim.h"

#include <stdarg.h>
#include <stdio.h>

struct cs_verdict verdict;
jmp_buf *verdict_jump;
struct cs_world *acting;

const char *const stake_names[CS_STAKES] = {
	"C1", "C2", "C3", "C4", "C5", "C6", "I1", "I2", "I3", "I6", "I7", "I8", "I9",
};

const char *const event_names[CS_EVENTS] = {
	"joins", "announcements", "slots with bits taken", "ranges copied", "members added", "re-added", "removed",
	"joins refused", "nodes that lost the cluster", "ranges moved on", "writes before a range", "behind one",
	"deaths in a range that had moved", "torn slots", "members back with power",
};

void trace(struct cs_world *w, const char *format, ...)
{
	va_list ap;

	if (!w->is_tracing)
		return;
	printf("%6llu %7llu ms  ", (ull)w->step, (ull)w->now_ms);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void hash_in(struct cs_world *w, uint64_t a, uint64_t b)
{
	w->hash = (w->hash ^ a) * 0x9e3779b97f4a7c15u;
	w->hash = (w->hash ^ b ^ w->hash >> 29) * 0x9e3779b97f4a7c15u;
}

void broken(struct cs_world *w, const char *law, const char *format, ...)
{
	va_list ap;

	verdict = (struct cs_verdict){ .step = w->step };
	snprintf(verdict.law, sizeof verdict.law, "%s", law);
	va_start(ap, format);
	vsnprintf(verdict.text, sizeof verdict.text, format, ap);
	va_end(ap);
	trace(w, "LAW %s BROKEN: %s", verdict.law, verdict.text);
	if (!verdict_jump)
		abort();
	longjmp(*verdict_jump, 1);
}
