/* Progress of long work: bytes, rate and time left.
 *
 * The rate is that of the whole run, so that one slow second does not make the time left jump. A terminal gets a bar
 * that is drawn at most ten times a second; a log gets one line for each tenth that was reached. */
#include "progress.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

struct cli_progress cli_progress_start(const char *label)
{
	return (struct cli_progress){ .label = label, .is_tty = isatty(STDERR_FILENO) };
}

static void print_figures(uint64_t done, uint64_t total, double rate)
{
	fprintf(stderr, "%s of %s", cli_bytes(done), cli_bytes(total));
	if (rate > 0)
		fprintf(stderr, ", %s/s, %s left", cli_bytes(rate), cli_seconds((total - done) / rate));
}

static void print_bar(const struct cli_progress *p, uint64_t done, uint64_t total, double rate)
{
	unsigned full = (double)done / total * BAR_CELLS;

	fprintf(stderr, "\r%s [", p->label);
	for (unsigned i = 0; i < BAR_CELLS; i++)
		fputs(i < full ? "█" : "·", stderr);
	fprintf(stderr, "] %3.0f %%  ", 100.0 * done / total);
	print_figures(done, total, rate);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void cli_progress_show(struct cli_progress *p, uint64_t done, uint64_t total)
{
	double now = now_s(), rate;
	unsigned tenths = total ? (double)done / total * 10 : 0;

	if (!total || done > total)
		return;
	if (!p->started_at) {
		p->started_at = now;
		p->done_at_start = done;
	}
	rate = now > p->started_at ? (done - p->done_at_start) / (now - p->started_at) : 0;

	if (p->is_tty) {
		if (now - p->shown_at < 0.1 && done < total)
			return;
		print_bar(p, done, total, rate);
	} else if (tenths > p->tenths || !p->shown_at) {
		fprintf(stderr, "%s %u %%, ", p->label, tenths * 10);
		print_figures(done, total, rate);
		fputc('\n', stderr);
	} else {
		return;
	}
	p->tenths = tenths;
	p->shown_at = now;
}

void cli_progress_end(struct cli_progress *p)
{
	if (p->is_tty && p->shown_at)
		fputs("\r\033[K", stderr);
	p->shown_at = 0;
}
