/* Version 6 ("lockless") bitmaps: one byte per chunk. Read and shown, never written. */
#ifndef UMD_FORMAT_LOCKLESS_H
#define UMD_FORMAT_LOCKLESS_H

#include <stdbool.h>
#include <stdint.h>

enum { FMT_LOCKLESS_STATES_AT = 1024 };		/* byte of chunk 0's state, from the bitmap's start */

enum lockless_state {
	LOCKLESS_UNWRITTEN, LOCKLESS_CLEAN, LOCKLESS_DIRTY, LOCKLESS_NEED_SYNC, LOCKLESS_SYNCING,
	LOCKLESS_NEED_SYNC_UNWRITTEN, LOCKLESS_SYNCING_UNWRITTEN, LOCKLESS_CLEAN_UNWRITTEN,
	LOCKLESS_INVALID,			/* any other byte: counts as need_sync */
	LOCKLESS_STATES,
};

enum lockless_state fmt_lockless_state(uint8_t byte);
const char *fmt_lockless_name(enum lockless_state state);	/* "unwritten", "clean", "dirty", "need_sync", ... */
/* Must a chunk found in this state after a start be copied? dirty, need_sync, syncing, invalid. */
bool fmt_lockless_is_due(enum lockless_state state);

#endif
