/* A set of 64-bit numbers that are themselves hashes: open addressing, emptied often, so only what was used is
 * wiped. The number 0 stands for an empty place; a hash that happens to be 0 counts as 1. */
#include "exhaust.h"

#include <stdlib.h>

struct seen {
	uint64_t *places;
	uint32_t *used;
	uint32_t count, room;		/* room: a power of two, never more than half full */
};

static uint32_t place_of(const struct seen *s, uint64_t number)
{
	uint32_t at = (uint32_t)(number ^ number >> 32) & (s->room - 1);

	while (s->places[at] && s->places[at] != number)
		at = (at + 1) & (s->room - 1);
	return at;
}

static void make_room(struct seen *s, uint32_t room)
{
	uint64_t *old = s->places;
	uint32_t *used = s->used, count = s->count;

	s->room = room;
	s->count = 0;
	s->places = calloc(room, sizeof *s->places);
	s->used = calloc(room / 2, sizeof *s->used);
	if (!s->places || !s->used)
		abort();
	for (uint32_t i = 0; i < count; i++)
		seen_add(s, old[used[i]]);
	free(old);
	free(used);
}

struct seen *seen_new(void)
{
	struct seen *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	make_room(s, 4096);
	return s;
}

struct seen *seen_free(struct seen *s)
{
	if (s) {
		free(s->places);
		free(s->used);
	}
	free(s);
	return NULL;
}

void seen_clear(struct seen *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		s->places[s->used[i]] = 0;
	s->count = 0;
}

bool seen_add(struct seen *s, uint64_t number)
{
	uint32_t at;

	if (2 * s->count >= s->room)
		make_room(s, 2 * s->room);
	at = place_of(s, number ? number : 1);
	if (s->places[at])
		return false;
	s->places[at] = number ? number : 1;
	s->used[s->count++] = at;
	return true;
}
