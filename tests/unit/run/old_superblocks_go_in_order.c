/* Goal:   old superblocks are erased so that a cut at any moment leaves the one that was believed, or none.
 * Method: a member in memory with a cache; superblocks at any of the four places, each subset of them. After every
 *         operation what is on the medium, with any part of the cache, is looked at as a start would; then operations
 *         fail, one after the other.
 * Law:    I2 (no old superblock is uncovered), I7 (nothing else changes).
 * Source: order of belief in assembly/look.c. */
#include <errno.h>
#include <stdlib.h>

#include "assembly/assembly.h"
#include "base/le.h"
#include "run/wipe.h"
#include "tap.h"

enum { BYTES = 256 * 1024, PLACES = 4, BLOCK = 4096, SUBSETS = 1 << PLACES };

/* In the order in which they are believed: 1.1, 1.2, 1.0, 0.90. */
static const uint64_t places[PLACES] = { 0, 4096, BYTES - 8192, BYTES - 65536 };

static struct disk {
	struct member m;
	uint8_t medium[BYTES], cache[BYTES];
	uint32_t operations, flushes, fails_at;		/* the operation of that number; 0: none */
	bool is_uncovered;				/* somebody was believed who was not before */
	int believed;
} disk;

static bool has_magic(const uint8_t *at)
{
	return le_get(at, 4) == FMT_SB1_MAGIC || le_get(at, 4) == __builtin_bswap32(FMT_SB1_MAGIC);
}

/* PLACES: nobody. */
static int first_believed(const bool *is_from_cache)
{
	int i = 0;

	while (i < PLACES && !has_magic((is_from_cache[i] ? disk.cache : disk.medium) + places[i]))
		i++;
	return i;
}

/* The power goes now: of each place the medium's content or the cache's is there afterwards. */
static void cut(void)
{
	for (int choice = 0; choice < SUBSETS; choice++) {
		bool is_from_cache[PLACES];
		int first;

		for (int i = 0; i < PLACES; i++)
			is_from_cache[i] = choice & 1 << i;
		first = first_believed(is_from_cache);
		disk.is_uncovered |= first != disk.believed && first != PLACES;
	}
}

static void run(struct member *m, struct mbr_part *part, uint32_t count)
{
	(void)m;
	(void)count;
	part->rc = ++disk.operations == disk.fails_at ? -EIO : 0;
	if (part->rc)
		return;
	if (part->op == MBR_READ) {
		memcpy(part->data, disk.cache + part->at.bytes, part->len_bytes);
	} else if (part->op == MBR_WRITE) {
		memcpy(disk.cache + part->at.bytes, part->data, part->len_bytes);
	} else {
		disk.flushes++;
		memcpy(disk.medium, disk.cache, sizeof disk.medium);
	}
	cut();
}

static void fill(int subset, bool is_other_endian)
{
	static const struct member_ops ops = { .run = run };

	disk.m = (struct member){ .ops = &ops, .size_bytes = BYTES };
	memset(disk.cache, 0x5a, sizeof disk.cache);
	for (int i = 0; i < PLACES; i++)
		if (subset & 1 << i)
			le_put(disk.cache + places[i], 4,
			       is_other_endian ? __builtin_bswap32(FMT_SB1_MAGIC) : FMT_SB1_MAGIC);
	memcpy(disk.medium, disk.cache, sizeof disk.medium);
	disk.operations = disk.flushes = disk.fails_at = 0;
	disk.is_uncovered = false;
	disk.believed = subset ? __builtin_ctz((unsigned)subset) : PLACES;
}

/* Superblocks are zeroes, on the medium, and everything else is as it was. */
static bool is_as_wanted(int subset)
{
	uint8_t *wanted = malloc(BYTES);
	bool is_same;

	if (!wanted)
		abort();
	memset(wanted, 0x5a, BYTES);
	for (int i = 0; i < PLACES; i++)
		if (subset & 1 << i)
			memset(wanted + places[i], 0, BLOCK);
	is_same = !memcmp(wanted, disk.medium, BYTES);
	free(wanted);
	return is_same;
}

static void each_subset(bool is_other_endian)
{
	uint32_t wrong = 0, uncovered = 0, unflushed = 0;

	for (int subset = 0; subset < SUBSETS; subset++) {
		struct err err = { 0 };

		fill(subset, is_other_endian);
		wrong += run_wipe_superblocks(&disk.m, "/m", &err) != 0 || !is_as_wanted(subset);
		uncovered += disk.is_uncovered;
		unflushed += !disk.flushes;
	}
	is_u64(wrong, 0, "whichever places have one: all are zeroes on the medium, nothing else changed");
	is_u64(uncovered, 0, "a cut at any moment leaves the one that was believed, or none");
	is_u64(unflushed, 0, "a member without any is flushed, too");
}

static void each_failure(void)
{
	uint32_t operations, silent = 0, wordless = 0, uncovered = 0;

	fill(SUBSETS - 1, false);
	run_wipe_superblocks(&disk.m, "/m", NULL);
	operations = disk.operations;
	for (uint32_t n = 1; n <= operations; n++) {
		struct err err = { 0 };

		fill(SUBSETS - 1, false);
		disk.fails_at = n;
		silent += run_wipe_superblocks(&disk.m, "/m", &err) != -EIO || disk.operations != n;
		wordless += !strstr(err.text, "/m") || !strstr(err.text, "nothing new was written");
		uncovered += disk.is_uncovered;
	}
	ok(operations >= 3 * PLACES && !silent, "each of %u operations fails: it is told, and nothing follows",
	   operations);
	is_u64(wordless, 0, "in one sentence with the member's name and what is on it now");
	is_u64(uncovered, 0, "and the one that was believed is there, or none");
}

int main(void)
{
	each_subset(false);
	each_subset(true);
	each_failure();
	return tap_end();
}
