/* A set of page numbers as a tower of bit words.
 *
 * Level 0 has one bit per page, every level above one bit per word below. Adding and removing touch one
 * word per level, the next member is found by climbing until a word holds something and descending again.
 * So a walk costs O(members * levels), whether the bitmap has one page or ten million: a write to a 1 PiB
 * array must not pay for the pages it does not touch. Nothing is allocated after init. */
#include "bitmap/pageset.h"

#include "base/mem.h"
#include "base/units.h"

#include <string.h>

bool bm_pageset_init(struct bm_pageset *s, uint64_t range)
{
	uint64_t total = 0, bits = range ? range : 1;

	memset(s, 0, sizeof *s);
	s->range = range;
	do {
		bits = div_up(bits, 64);
		s->words[s->level_count++] = bits;
		total += bits;
	} while (bits > 1 && s->level_count < BM_PAGESET_LEVELS);

	s->memory = mem_new(total, sizeof *s->memory);
	if (!s->memory)
		return false;

	total = 0;
	for (uint32_t level = 0; level < s->level_count; level++) {
		s->levels[level] = s->memory + total;
		total += s->words[level];
	}
	return true;
}

void bm_pageset_free(struct bm_pageset *s)
{
	s->memory = mem_free(s->memory);
}

void bm_pageset_add(struct bm_pageset *s, uint64_t page)
{
	for (uint32_t level = 0; level < s->level_count; level++, page /= 64) {
		uint64_t *word = &s->levels[level][page / 64];
		uint64_t before = *word;

		*word |= 1ull << page % 64;
		if (before)
			return;			/* the levels above know */
	}
}

void bm_pageset_remove(struct bm_pageset *s, uint64_t page)
{
	for (uint32_t level = 0; level < s->level_count; level++, page /= 64) {
		uint64_t *word = &s->levels[level][page / 64];

		*word &= ~(1ull << page % 64);
		if (*word)
			return;
	}
}

void bm_pageset_add_all(struct bm_pageset *s)
{
	for (uint64_t page = 0; page < s->range; page++)
		bm_pageset_add(s, page);
}

bool bm_pageset_is_empty(const struct bm_pageset *s)
{
	return !s->levels[s->level_count - 1][0];
}

bool bm_pageset_next(const struct bm_pageset *s, uint64_t from, uint64_t *ret_page)
{
	uint32_t level = 0;
	uint64_t at = from;

	for (;; level++, at = at / 64 + 1) {
		uint64_t rest;

		if (level == s->level_count || at / 64 >= s->words[level])
			return false;
		rest = s->levels[level][at / 64] & ~0ull << at % 64;
		if (rest) {
			at = round_down(at, 64) + (uint64_t)__builtin_ctzll(rest);
			break;
		}
	}
	while (level--)
		at = at * 64 + (uint64_t)__builtin_ctzll(s->levels[level][at]);
	*ret_page = at;
	return true;
}
