/* Contents of sectors, named by numbers.
 *
 * Purpose: a disk is an array of numbers, so copying, comparing and cutting it are work on a few kilobytes.
 *
 * A sector is, nearly always, one 64-bit word repeated: clients write the number of their write, syncs copy it,
 * zeroes are zeroes. So most contents need no bytes at all:
 *
 *   0                     zeroes
 *   SMALL | word          a word below 2^31, in the number itself
 *   1 + index             an entry: a larger word, or a blob of 512 bytes (superblocks, bitmaps)
 *
 * Entries are found again by a hash table, so equal bytes get equal numbers: comparing contents is comparing
 * numbers. Entries are added at the end and released from the end; linear probing allows that without tombstones,
 * because the last one added can never stand in the way of an older one. */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

#define SMALL 0x80000000u

enum { NO_BLOB = UINT32_MAX, SLOTS_AT_FIRST = 1024, WORDS = SECTOR_BYTES / 8 };

struct entry {
	uint64_t key;		/* the word, or the hash of the blob */
	uint32_t blob;		/* its index; NO_BLOB: a word */
};

struct arena {
	struct entry *entries;
	uint32_t count, room;
	uint8_t (*blobs)[SECTOR_BYTES];
	uint32_t blob_count, blob_room;
	uint32_t *slots;	/* entry + 1; 0: free */
	uint32_t slot_count;
};

static void *grown(void *old, uint32_t *room, uint32_t at_first, size_t size)
{
	void *new;

	*room = *room ? 2 * *room : at_first;
	new = realloc(old, *room * size);
	if (!new)
		abort();
	return new;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Four lanes, because one would wait for its own product 64 times. */
static uint64_t hash_sector(const uint8_t *sector)
{
	uint64_t lane[4] = { 1, 2, 3, 4 }, word;

	for (int i = 0; i < WORDS; i++) {
		memcpy(&word, sector + 8 * i, sizeof word);
		lane[i % 4] = (lane[i % 4] ^ word) * 0x9e3779b97f4a7c15u;
		lane[i % 4] ^= lane[i % 4] >> 29;
	}
	return mix(lane[0] ^ mix(lane[1] ^ mix(lane[2] ^ mix(lane[3]))));
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof *a);

	if (!a)
		abort();
	a->slot_count = SLOTS_AT_FIRST;
	a->slots = calloc(a->slot_count, sizeof *a->slots);
	if (!a->slots)
		abort();
	return a;
}

struct arena *arena_free(struct arena *a)
{
	if (!a)
		return NULL;
	free(a->entries);
	free(a->blobs);
	free(a->slots);
	free(a);
	return NULL;
}

/* ---- the table ---- */

static uint32_t first_slot(const struct arena *a, const struct entry *e)
{
	return (uint32_t)mix(e->key + (e->blob != NO_BLOB)) & (a->slot_count - 1);
}

static bool is_entry(const struct arena *a, const struct entry *e, uint64_t key, const uint8_t *sector)
{
	if (e->key != key || (e->blob != NO_BLOB) != (sector != NULL))
		return false;
	return !sector || !memcmp(a->blobs[e->blob], sector, SECTOR_BYTES);
}

static void enter(struct arena *a, uint32_t index)
{
	uint32_t slot = first_slot(a, &a->entries[index]);

	while (a->slots[slot])
		slot = (slot + 1) & (a->slot_count - 1);
	a->slots[slot] = index + 1;
}

/* In their order again: the newest stays the one that can be taken away. */
static void widen(struct arena *a)
{
	free(a->slots);
	a->slot_count *= 2;
	a->slots = calloc(a->slot_count, sizeof *a->slots);
	if (!a->slots)
		abort();
	for (uint32_t i = 0; i < a->count; i++)
		enter(a, i);
}

static content add(struct arena *a, uint64_t key, const uint8_t *sector)
{
	struct entry e = { .key = key, .blob = NO_BLOB };

	if (sector) {
		if (a->blob_count == a->blob_room)
			a->blobs = grown(a->blobs, &a->blob_room, 256, sizeof *a->blobs);
		memcpy(a->blobs[a->blob_count], sector, SECTOR_BYTES);
		e.blob = a->blob_count++;
	}
	if (a->count == a->room)
		a->entries = grown(a->entries, &a->room, 1024, sizeof *a->entries);
	a->entries[a->count++] = e;
	if (2 * a->count > a->slot_count)
		widen(a);
	else
		enter(a, a->count - 1);
	return a->count;
}

static content find_or_add(struct arena *a, uint64_t key, const uint8_t *sector)
{
	struct entry wanted = { .key = key, .blob = sector ? 0 : NO_BLOB };

	for (uint32_t slot = first_slot(a, &wanted);; slot = (slot + 1) & (a->slot_count - 1)) {
		if (!a->slots[slot])
			return add(a, key, sector);
		if (is_entry(a, &a->entries[a->slots[slot] - 1], key, sector))
			return a->slots[slot];
	}
}

uint32_t arena_mark(const struct arena *a)
{
	return a->count;
}

void arena_release(struct arena *a, uint32_t mark)
{
	while (a->count > mark) {
		uint32_t slot = first_slot(a, &a->entries[a->count - 1]);

		while (a->slots[slot] != a->count)
			slot = (slot + 1) & (a->slot_count - 1);
		a->slots[slot] = 0;
		a->blob_count -= a->entries[--a->count].blob != NO_BLOB;
	}
}

/* ---- contents ---- */

content arena_put_word(struct arena *a, uint64_t word)
{
	if (word < SMALL)
		return word ? SMALL | (uint32_t)word : 0;
	return find_or_add(a, word, NULL);
}

content arena_put(struct arena *a, const uint8_t sector[SECTOR_BYTES])
{
	uint64_t word;

	memcpy(&word, sector, sizeof word);
	if (!memcmp(sector, sector + sizeof word, SECTOR_BYTES - sizeof word))
		return arena_put_word(a, word);
	return find_or_add(a, hash_sector(sector), sector);
}

static bool is_entry_number(content c)
{
	return c && !(c & SMALL);
}

void arena_get(const struct arena *a, content c, uint8_t ret_sector[SECTOR_BYTES])
{
	uint64_t word;

	if (is_entry_number(c) && a->entries[c - 1].blob != NO_BLOB) {
		memcpy(ret_sector, a->blobs[a->entries[c - 1].blob], SECTOR_BYTES);
		return;
	}
	word = arena_word(a, c);
	for (int i = 0; i < WORDS; i++)
		memcpy(ret_sector + 8 * i, &word, sizeof word);
}

uint64_t arena_word(const struct arena *a, content c)
{
	if (!is_entry_number(c))
		return c & ~SMALL;
	return a->entries[c - 1].blob == NO_BLOB ? a->entries[c - 1].key : UINT64_MAX;
}

bool arena_same(const struct arena *a, content one, content other)
{
	return one == other;
}

uint64_t arena_hash(const struct arena *a, content c)
{
	if (is_entry_number(c) && a->entries[c - 1].blob != NO_BLOB)
		return a->entries[c - 1].key;
	return mix(arena_word(a, c) + 0x9e3779b97f4a7c15u);
}
