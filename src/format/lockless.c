/* The states of a lockless bitmap's chunks: byte to state, state to word, and which of them have to be copied.
 *
 *   0             256       1024                    1024 + chunks
 *   | superblock  | unused  | one byte per chunk    | left over, means nothing
 *
 * The table is lockless.def. Nothing is refused here: a byte that no table line names is a state of its own, and a
 * chunk in it is copied, as Linux does it (I9). The states with "unwritten" in their names are steps of parity being
 * built; a start turns them back into unwritten, so they are never due.
 *
 * Left out: the transitions. umd reads these bitmaps and never runs with one. */
#include "format/lockless.h"

#include <stddef.h>

static const struct {
	uint8_t byte;
	bool is_due;
	const char *name;
} states[LOCKLESS_STATES] = {
#define S(byte, NAME, word, is_due, meaning) [LOCKLESS_##NAME] = { byte, is_due, word },
#include "format/lockless.def"
#undef S
	[LOCKLESS_INVALID] = { LOCKLESS_INVALID, true, "invalid" },
};

/* fmt_lockless_state() relies on it. */
#define S(byte, NAME, word, is_due, meaning) \
	_Static_assert(LOCKLESS_##NAME == (byte), #NAME " is not numbered as on disk");
#include "format/lockless.def"
#undef S

enum lockless_state fmt_lockless_state(uint8_t byte)
{
	return byte < LOCKLESS_INVALID ? (enum lockless_state)byte : LOCKLESS_INVALID;
}

const char *fmt_lockless_name(enum lockless_state state)
{
	return states[state < LOCKLESS_STATES ? state : LOCKLESS_INVALID].name;
}

bool fmt_lockless_is_due(enum lockless_state state)
{
	return states[state < LOCKLESS_STATES ? state : LOCKLESS_INVALID].is_due;
}
