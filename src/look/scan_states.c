/* State bytes of a lockless bitmap: counted, told apart, and turned into bits.
 *
 * Neighbours are mostly in the same state, so eight bytes that are all alike are taken at once; the rest goes through a
 * table by byte. Any byte that is no state is "invalid", whatever its value: a run of invalid chunks may hold several.
 * Left out: where the bytes come from (scan_read.c), what is done with the counts (scan.c). */
#include "look/scan_inside.h"

#include <string.h>

/* Lanes: neighbours count into different tables, so that one addition need not wait for the one before. */
enum { EIGHT = 8, LANES = 4 };
#define EVERY_BYTE UINT64_C(0x0101010101010101)

void look_states_learn(struct scan_states *s)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		s->state[byte] = (uint8_t)fmt_lockless_state((uint8_t)byte);
		s->due[byte] = fmt_lockless_is_due(fmt_lockless_state((uint8_t)byte));
	}
}

static bool are_eight_alike(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word == bytes[0] * EVERY_BYTE;
}

static uint64_t due_of_eight(const struct scan_states *s, const uint8_t *bytes)
{
	uint64_t due = 0;

	if (are_eight_alike(bytes))
		return s->due[bytes[0]] ? UINT8_MAX : 0;
	for (unsigned i = 0; i < EIGHT; i++)
		due |= (uint64_t)s->due[bytes[i]] << i;
	return due;
}

void look_states_due(const struct scan_states *s, const uint8_t *bytes, uint64_t count, uint64_t *words)
{
	uint64_t at = 0;

	memset(words, 0, div_up(count, SCAN_WORD_CHUNKS) * sizeof *words);
	for (; at + EIGHT <= count; at += EIGHT)
		words[at / SCAN_WORD_CHUNKS] |= due_of_eight(s, bytes + at) << at % SCAN_WORD_CHUNKS;
	for (; at < count; at++)
		words[at / SCAN_WORD_CHUNKS] |= (uint64_t)s->due[bytes[at]] << at % SCAN_WORD_CHUNKS;
}

void look_states_count(const struct scan_states *s, const uint8_t *bytes, uint64_t count,
		       uint64_t counts[LOCKLESS_STATES])
{
	uint64_t lanes[LANES][LOCKLESS_STATES] = { 0 }, at = 0;

	for (; at + EIGHT <= count; at += EIGHT) {
		if (are_eight_alike(bytes + at))
			lanes[0][s->state[bytes[at]]] += EIGHT;
		else
			for (unsigned i = 0; i < EIGHT; i++)
				lanes[i % LANES][s->state[bytes[at + i]]]++;
	}
	for (; at < count; at++)
		lanes[0][s->state[bytes[at]]]++;
	for (int lane = 0; lane < LANES; lane++)
		for (int state = 0; state < LOCKLESS_STATES; state++)
			counts[state] += lanes[lane][state];
}

uint64_t look_states_run(const struct scan_states *s, const uint8_t *bytes, uint64_t count)
{
	uint64_t at = 0;

	while (at < count && s->state[bytes[at]] == s->state[bytes[0]])
		at += count - at >= EIGHT && are_eight_alike(bytes + at) ? EIGHT : 1;
	return at;
}
