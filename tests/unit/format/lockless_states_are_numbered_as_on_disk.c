/* Goal: every byte of a lockless bitmap is a state with a word, and exactly the states a start has to copy are due.
 * Method: all 256 bytes; the three states that Linux was seen to resync, and those it was seen to leave alone.
 * Law: I8, I9.
 * Source: Linux 7.2.12 with the bytes patched: 2, 3, 4 and everything above 7 were resynced, 0 and 1 were not. */
#include "vectors.h"

#include "format/lockless.h"

static const struct {
	enum lockless_state state;
	const char *name;
	bool is_due;
} table[LOCKLESS_STATES] = {
	{ LOCKLESS_UNWRITTEN, "unwritten", false },
	{ LOCKLESS_CLEAN, "clean", false },
	{ LOCKLESS_DIRTY, "dirty", true },
	{ LOCKLESS_NEED_SYNC, "need_sync", true },
	{ LOCKLESS_SYNCING, "syncing", true },
	{ LOCKLESS_NEED_SYNC_UNWRITTEN, "need_sync_unwritten", false },
	{ LOCKLESS_SYNCING_UNWRITTEN, "syncing_unwritten", false },
	{ LOCKLESS_CLEAN_UNWRITTEN, "clean_unwritten", false },
	{ LOCKLESS_INVALID, "invalid", true },
};

int main(void)
{
	unsigned wrong = 0;

	for (unsigned byte = 0; byte < LOCKLESS_STATES; byte++) {
		enum lockless_state state = fmt_lockless_state(byte);

		ok(state == table[byte].state && !strcmp(fmt_lockless_name(state), table[byte].name),
		   "byte %u is %s", byte, table[byte].name);
		ok(fmt_lockless_is_due(state) == table[byte].is_due, "%s is %sdue", table[byte].name,
		   table[byte].is_due ? "" : "not ");
	}
	for (unsigned byte = 8; byte < 256; byte++)
		wrong += fmt_lockless_state(byte) != LOCKLESS_INVALID;
	is_u64(wrong, 0, "all bytes from 8 to 255 are invalid");
	ok(!strcmp(fmt_lockless_name(LOCKLESS_STATES), "invalid") && fmt_lockless_is_due((enum lockless_state)-1),
	   "a number that is no state is invalid as well");
	return tap_end();
}
