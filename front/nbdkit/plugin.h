/* Between the files of the nbdkit plugin. */
#ifndef FRONT_NBDKIT_PLUGIN_H
#define FRONT_NBDKIT_PLUGIN_H

#include <stdbool.h>

#include "umd/umd.h"

/* ---- talking to `umd serve` (report.c) ---- */

/* @fd: a stream socket inherited from the parent, or -1: then nobody is told. */
void report_init(int fd);
bool report_is_on(void);

/* One line "@word @text" to the parent. */
void report(const char *word, const char *text);

/* Tell the parent and wait for its consent; false: it is gone, or wants no start. True without a parent. */
bool report_and_wait(const char *word, const char *text);

/* ---- learning of the end early (stop.c) ---- */

/* Remember which sockets accept clients; call it before the array opens sockets of its own. */
void stop_note_listeners(void);

/* Start the thread that sees nbdkit quit: it stops @array and then sends idle clients away. 0 or -errno. */
int stop_watch_start(struct umd_array *array);
void stop_watch_end(void);		/* joins it; harmless when it was never started */
void stop_watch_abandon(void);		/* the start failed: nbdkit ends without waking it */

void stop_count_client(int difference);	/* a connection was opened (1) or closed (-1) */

#endif
