/* A progress bar on a terminal, one line per 10 % elsewhere; both on stderr, so that stdout keeps the result. */
#ifndef FRONT_CLI_PROGRESS_H
#define FRONT_CLI_PROGRESS_H

#include "cli.h"

struct cli_progress {
	const char *label;
	bool is_tty;
	double started_at, shown_at;	/* seconds; 0: not yet */
	uint64_t done_at_start;
	unsigned tenths;		/* lines printed so far, elsewhere */
};

struct cli_progress cli_progress_start(const char *label);
void cli_progress_show(struct cli_progress *p, uint64_t done_bytes, uint64_t total_bytes);
void cli_progress_end(struct cli_progress *p);

#endif
