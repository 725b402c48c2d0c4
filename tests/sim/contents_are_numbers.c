/* Goal:   contents of sectors are numbers, equal just when the bytes are, and a release forgets the newest only.
 * Method: thousands of sectors, most of them one word, some with a byte changed, are put and compared with
 *         themselves, with each other and with another arena; marks and releases in between.
 * Law:    none; all comparisons of disks rest on it.
 * Source: disk.h: arena. */
#include "disk.h"

#include "tap.h"

static struct arena *arena;

static const uint8_t *words(uint64_t word)
{
	static uint8_t data[SECTOR_BYTES];

	for (uint32_t i = 0; i < SECTOR_BYTES; i += 8)
		memcpy(data + i, &word, sizeof word);
	return data;
}

static void random_sector(struct prng *r, uint8_t *sector)
{
	uint64_t word = prng_below(r, 3) ? prng_below(r, 40) : prng_next(r) >> prng_below(r, 64);

	for (int i = 0; i < 64; i++)
		memcpy(sector + 8 * i, &word, sizeof word);
	if (prng_below(r, 4) == 0)
		sector[prng_below(r, SECTOR_BYTES)] ^= (uint8_t)(1 + prng_below(r, 3));
}

static void contents_are_numbers(void)
{
	enum { COUNT = 3000 };
	static uint8_t bytes[COUNT][SECTOR_BYTES];
	static content numbers[COUNT];
	struct arena *a = arena_new(), *other = arena_new();
	struct prng r = prng_seed(1);
	uint32_t wrong = 0, unequal = 0, hashes = 0;
	uint8_t back[SECTOR_BYTES];

	arena_put_word(other, 1ull << 60); /* so that numbers differ between the two */
	for (int i = 0; i < COUNT; i++) {
		random_sector(&r, bytes[i]);
		numbers[i] = arena_put(a, bytes[i]);
		hashes += arena_hash(a, numbers[i]) != arena_hash(other, arena_put(other, bytes[i]));
	}
	for (int i = 0; i < COUNT; i++) {
		arena_get(a, numbers[i], back);
		wrong += memcmp(back, bytes[i], sizeof back) != 0;
		for (int k = 0; k < i; k += 1 + i / 100)
			unequal += (numbers[i] == numbers[k]) != !memcmp(bytes[i], bytes[k], SECTOR_BYTES);
	}
	is_u64(wrong, 0, "what was put comes back");
	is_u64(unequal, 0, "numbers are equal just when bytes are");
	is_u64(hashes, 0, "the hash of a content does not depend on the arena");
	is_u64(arena_put(a, words(0)), 0, "zeroes are number 0");
	arena_free(a);
	arena_free(other);
}

static void words_are_told(void)
{
	static const uint64_t some[] = { 1, 0x7fffffff, 0x80000000, 0x80000001, 1ull << 56, UINT64_MAX - 1 };
	uint32_t wrong = 0;
	uint8_t torn[SECTOR_BYTES];

	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		content c = arena_put_word(arena, some[i]);

		wrong += arena_word(arena, c) != some[i] || c != arena_put(arena, words(some[i]));
	}
	is_u64(wrong, 0, "a word is the same content, put as a word or as bytes");
	memcpy(torn, words(7), sizeof torn);
	torn[511] = 1;
	is_u64(arena_word(arena, arena_put(arena, torn)), UINT64_MAX, "a sector of two words has no word");
}

static void releases_forget_the_newest_only(void)
{
	struct arena *a = arena_new();
	struct prng r = prng_seed(2);
	uint8_t sector[SECTOR_BYTES];
	content old[500];
	uint32_t mark, wrong = 0;

	for (int i = 0; i < 500; i++)
		old[i] = arena_put_word(a, (1ull << 40) + (uint64_t)i);
	mark = arena_mark(a);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 60 * round; i++) {
			random_sector(&r, sector);
			arena_put(a, sector);
		}
		arena_release(a, mark);
		for (int i = 0; i < 500; i++)
			wrong += arena_put_word(a, (1ull << 40) + (uint64_t)i) != old[i];
		wrong += arena_mark(a) != mark;
	}
	is_u64(wrong, 0, "after a release everything older is found again, under its number");
	arena_free(a);
}

int main(void)
{
	arena = arena_new();
	contents_are_numbers();
	words_are_told();
	releases_forget_the_newest_only();
	arena_free(arena);
	return tap_end();
}
