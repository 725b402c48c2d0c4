/* Goal:   the simulated disk keeps every promise of disk.h, and loses whatever it may lose.
 * Method: small disks with words as contents; each fault, each fate; what may happen by lot is tried with many seeds,
 *         must stay within the promise, and every outcome that is promised to be possible must come up. Subsets are
 *         compared with a brute-force enumeration.
 * Law:    the ground of all that are checked over a cut: I1, I3, I4, I6, I10.
 * Source: disk.h; until a flush or FUA completes, any subset of sectors may have reached the medium. */
#include "disk.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

enum { SECTORS = 64, SEEDS = 2000 };

static struct arena *arena;

static struct sim_disk fresh(void)
{
	struct sim_disk d;

	disk_init(&d, arena, "disk-a", SECTORS * SECTOR_BYTES);
	return d;
}

static uint64_t at(uint64_t sector)
{
	return sector * SECTOR_BYTES;
}

/* @count sectors with words @word, @word + 1, ... */
static const uint8_t *words(uint64_t word, uint32_t count)
{
	static uint8_t data[SECTORS * SECTOR_BYTES];

	for (uint32_t i = 0; i < count * SECTOR_BYTES / 8; i++) {
		uint64_t w = word + i / (SECTOR_BYTES / 8);

		memcpy(data + 8 * i, &w, sizeof w);
	}
	return data;
}

static struct prng lots;

static int put(struct sim_disk *d, uint64_t sector, uint32_t count, uint64_t word, uint64_t time)
{
	return disk_write(d, &lots, at(sector), count * SECTOR_BYTES, words(word, count), false, false, time);
}

static int put_durable(struct sim_disk *d, uint64_t sector, uint64_t word)
{
	return disk_write(d, &lots, at(sector), SECTOR_BYTES, words(word, 1), true, false, 0);
}

static uint64_t on_medium(const struct sim_disk *d, uint64_t sector)
{
	return arena_word(arena, disk_at(d, false, at(sector)));
}

/* What a read returns; UINT64_MAX: it failed, or no word fills the sector. */
static uint64_t read_back(struct sim_disk *d, uint64_t sector)
{
	uint8_t data[SECTOR_BYTES];

	if (disk_read(d, &lots, at(sector), sizeof data, data))
		return UINT64_MAX;
	return arena_word(arena, arena_put(arena, data));
}

/* ---- stable and not ---- */

static void flushes_cover_what_was_before(void)
{
	struct sim_disk d = fresh();

	put(&d, 0, 1, 10, 4);
	put(&d, 1, 1, 11, 5);
	put(&d, 0, 1, 12, 6);
	ok(!disk_flush(&d, &lots, 5), "a flush succeeds");
	is_u64(read_back(&d, 0), 12, "reads return the newest");
	ok(!disk_is_settled(&d, at(0), SECTOR_BYTES, false), "what was written after the flush began is not settled");
	disk_cut(&d, &lots, FATE_LOSE_ALL);
	is_u64(on_medium(&d, 0), 10, "a flush covers what was written before it was issued");
	is_u64(on_medium(&d, 1), 0, "and nothing that was written in the same step or later");
	put(&d, 2, 3, 20, 7);
	disk_flush(&d, &lots, 8);
	ok(disk_is_settled(&d, at(0), at(SECTORS), false), "after the flush all is settled");
	disk_cut(&d, &lots, FATE_LOSE_ALL);
	is_u64(on_medium(&d, 4), 22, "what was flushed outlives the worst cut");
	disk_free(&d);
}

static void durable_writes_are_durable(void)
{
	struct sim_disk d = fresh();

	put(&d, 0, 1, 10, 4);
	put(&d, 1, 1, 11, 4);
	put_durable(&d, 0, 12);
	ok(disk_is_settled(&d, at(0), SECTOR_BYTES, false), "a durable write is settled");
	disk_cut(&d, &lots, FATE_KEEP_ALL);
	is_u64(on_medium(&d, 0), 12, "a durable write is not overtaken by what was cached before it");
	is_u64(on_medium(&d, 1), 11, "others are not touched by it");
	put(&d, 0, 1, 13, 5);
	disk_write(&d, &lots, at(0), at(2), NULL, true, false, 5);
	is_u64(read_back(&d, 0) + on_medium(&d, 0) + on_medium(&d, 1), 0, "without data zeroes are written");
	put(&d, 3, 1, 14, 6);
	disk_poke(&d, at(3), SECTOR_BYTES, words(15, 1));
	disk_cut(&d, &lots, FATE_KEEP_ALL);
	is_u64(on_medium(&d, 3), 15, "a poke reaches medium and cache and forgets what was on its way");
	disk_free(&d);
}

static void cuts_leave_one_version_each(void)
{
	uint32_t strangers = 0, unequal = 0, seen[3] = { 0 }, all_old = 0, all_new = 0, moments = 0, mixes = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct prng r = prng_seed(seed);
		struct sim_disk d = fresh();
		uint32_t now = 0, until = 0;

		put_durable(&d, 0, 9);
		put(&d, 0, 1, 10, 1);
		put(&d, 0, 1, 11, 2);
		for (uint32_t s = 1; s < 20; s++)
			put(&d, s, 1, 100 + s, 3);
		disk_cut(&d, &r, FATE_BY_LOT);
		strangers += on_medium(&d, 0) < 9 || on_medium(&d, 0) > 11;
		seen[on_medium(&d, 0) - 9]++;
		for (uint32_t s = 1; s < 20; s++) {
			strangers += on_medium(&d, s) && on_medium(&d, s) != 100 + s;
			now += on_medium(&d, s) != 0;
			until += on_medium(&d, s) && until == s - 1;
		}
		unequal += !disk_is_settled(&d, 0, d.size_bytes, false) || d.log_count;
		all_old += !now && on_medium(&d, 0) == 9;
		all_new += now == 19 && on_medium(&d, 0) == 11;
		moments += now && now < 19 && now == until;
		mixes += now > 5 && now < 15 && now != until;
		disk_free(&d);
	}
	is_u64(strangers, 0, "a cut leaves each sector one of its versions");
	is_u64(unequal, 0, "after a cut there is nothing but the medium");
	ok(seen[0] && seen[1] && seen[2], "the medium's, the first and the second all come up");
	ok(all_old > SEEDS / 10 && all_new > SEEDS / 20, "all old and all new come often (%u, %u)", all_old, all_new);
	ok(moments > SEEDS / 40, "and so does all up to a moment (%u)", moments);
	ok(mixes > SEEDS / 5, "but most often some survive and some do not (%u)", mixes);
}

static void fates_are_obeyed(void)
{
	uint32_t wrong = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct prng r = prng_seed(seed);
		struct sim_disk d = fresh();

		put(&d, 0, 20, 50, 1);
		put(&d, 10, 20, 80, 2);
		if (seed % 2) {
			disk_cut(&d, &r, FATE_KEEP_ALL);
			wrong += on_medium(&d, 5) != 55 || on_medium(&d, 10) != 80 || on_medium(&d, 29) != 99;
		} else {
			disk_cut(&d, &r, FATE_LOSE_ALL);
			for (uint32_t s = 0; s < SECTORS; s++)
				wrong += on_medium(&d, s) != 0;
		}
		disk_free(&d);
	}
	is_u64(wrong, 0, "keep keeps all, lose loses all");
}

/* ---- faults ---- */

static void the_nth_operation_fails(void)
{
	uint32_t wrong = 0, written[2] = { 0 };

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct sim_disk d = fresh();

		lots = prng_seed(seed);
		d.fault = FAULT_EIO_ONCE;
		d.operations_to_fault = 2;
		wrong += put(&d, 0, 4, 10, 1) != 0 || read_back(&d, 3) != 13;
		wrong += put(&d, 8, 8, 20, 1) != -5 || d.faults[FAULT_EIO_ONCE] != 1;
		for (uint32_t s = 8; s < 16; s++)
			written[read_back(&d, s) == 20 + s - 8]++;
		wrong += put(&d, 8, 1, 30, 1) != 0 || read_back(&d, 8) != 30;
		disk_free(&d);
	}
	is_u64(wrong, 0, "the operation that was named fails, once");
	ok(written[0] > 400 && written[1] > 400, "it may have written any of its sectors");
}

static void the_dead_stay_dead(void)
{
	struct sim_disk d = fresh();

	put(&d, 0, 1, 10, 1);
	d.fault = FAULT_EIO_FOR_EVER;
	d.operations_to_fault = 0;
	ok(put(&d, 1, 1, 11, 1) && put(&d, 2, 1, 12, 1) && read_back(&d, 0) == UINT64_MAX && put_durable(&d, 3, 13),
	   "from the n-th operation on all fail");
	is_u64(d.faults[FAULT_EIO_FOR_EVER], 4, "each counts");
	disk_write_torn(&d, &lots, at(4), at(30), words(70, 30));
	disk_lift_faults(&d);
	is_u64(read_back(&d, 2) + read_back(&d, 3) + read_back(&d, 20), 0, "after the first nothing is written");
	is_u64(read_back(&d, 0), 10, "when it is lifted, it answers");
	disk_free(&d);
}

static void short_ones_have_a_beginning(void)
{
	uint32_t wrong = 0, lengths = 0;

	for (uint64_t seed = 0; seed < 400; seed++) {
		struct sim_disk d = fresh();
		uint8_t data[8 * SECTOR_BYTES];
		uint32_t len = 0;

		lots = prng_seed(seed);
		d.fault = FAULT_SHORT;
		d.operations_to_fault = 0;
		wrong += put(&d, 8, 8, 20, 1) != -5;
		while (len < 8 && read_back(&d, 8 + len) == 20 + len)
			len++;
		for (uint32_t s = len; s < 8; s++)
			wrong += read_back(&d, 8 + s) != 0;
		lengths |= 1u << len;
		put(&d, 8, 8, 20, 1);
		d.operations_to_fault = 0;
		wrong += disk_read(&d, &lots, at(8), sizeof data, data) != -5;
		wrong += !memcmp(data + 7 * SECTOR_BYTES, words(27, 1), SECTOR_BYTES);
		disk_free(&d);
	}
	is_u64(wrong, 0, "a short operation fails, and what it did is a beginning");
	is_u64(lengths, 0xff, "of any length but the whole");
}

static void bad_ranges_are_bad(void)
{
	struct sim_disk d = fresh();
	uint32_t wrong = 0, beside = 0;

	for (uint64_t seed = 0; seed < 100; seed++) {
		lots = prng_seed(seed);
		d.bad_at = at(10);
		d.bad_len = at(2);
		wrong += put(&d, 0, 10, 100 * seed, 1) || put(&d, 12, 1, 1, 1);
		wrong += !put(&d, 8, 3, 5000, 1) || !put(&d, 11, 4, 6000, 1) || read_back(&d, 11) != UINT64_MAX;
		wrong += disk_flush(&d, &lots, 2) != 0;
		d.bad_len = 0;
		beside += read_back(&d, 9) == 5001;
		wrong += read_back(&d, 10) != 0 || read_back(&d, 11) != 0;
	}
	is_u64(wrong, 0, "what touches a bad range fails and changes nothing in it, everything else works");
	ok(beside > 20 && beside < 80, "beside the range sectors of a failed write may be written (%u)", beside);
	is_u64(d.faults[FAULT_EIO_RANGE], 300, "each failure counts");
	disk_free(&d);
}

static void failed_reads_return_rubbish(void)
{
	struct sim_disk d = fresh();
	uint8_t data[2 * SECTOR_BYTES];

	put(&d, 0, 2, 10, 1);
	d.fault = FAULT_EIO_ONCE;
	d.operations_to_fault = 0;
	memcpy(data, words(10, 2), sizeof data);
	disk_read(&d, &lots, 0, sizeof data, data);
	ok(memcmp(data, words(10, 1), SECTOR_BYTES) && memcmp(data, words(0, 1), SECTOR_BYTES),
	   "a failed read leaves something that nobody wrote");
	disk_free(&d);
}

static void failed_flushes_latch(void)
{
	uint32_t wrong = 0, given_up = 0, still_on_the_way = 0, mixed = 0;

	for (uint64_t seed = 0; seed < 400; seed++) {
		struct sim_disk d = fresh();
		uint32_t kept = 0;

		lots = prng_seed(seed);
		put_durable(&d, 50, 1);
		put(&d, 0, 8, 10, 1);
		d.fails_next_flush = true;
		wrong += disk_flush(&d, &lots, 2) != -5 || d.faults[FAULT_FLUSH] != 1 || !d.has_lost_writes;
		wrong += read_back(&d, 3) != 13;
		wrong += disk_flush(&d, &lots, 3) != -5 || put_durable(&d, 40, 9) != -5;
		wrong += put(&d, 20, 1, 5, 3) != 0;
		wrong += disk_is_settled(&d, at(0), at(1), false) && on_medium(&d, 0) != 10;
		disk_open(&d);
		wrong += disk_flush(&d, &lots, 4) != 0 || put_durable(&d, 40, 9) != 0;
		disk_cut(&d, &lots, FATE_LOSE_ALL);
		for (uint32_t s = 0; s < 8; s++)
			kept += on_medium(&d, s) == 10 + s;
		given_up += kept == 0;
		still_on_the_way += kept == 8;
		mixed += kept && kept < 8;
		wrong += on_medium(&d, 50) != 1 || on_medium(&d, 40) != 9;
		disk_free(&d);
	}
	is_u64(wrong, 0, "after a failed flush no flush and no durable write succeeds until the disk is opened anew");
	ok(given_up > 20 && still_on_the_way > 20 && mixed > 20,
	   "what was cached is given up, still on its way, or in part written");
}

static void failed_durable_writes_latch(void)
{
	struct sim_disk d = fresh();

	d.fault = FAULT_EIO_ONCE;
	d.operations_to_fault = 0;
	ok(put_durable(&d, 0, 9) && put_durable(&d, 0, 9) && disk_flush(&d, &lots, 1),
	   "a durable write that fails latches like a flush");
	disk_lift_faults(&d);
	ok(put_durable(&d, 0, 9), "lifting faults does not end that");
	disk_open(&d);
	ok(!put_durable(&d, 0, 9) && on_medium(&d, 0) == 9, "opening does");
	disk_free(&d);
}

static void the_vanished_come_back_old(void)
{
	uint32_t wrong = 0, lost = 0, kept = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct sim_disk d = fresh();
		uint64_t is;

		lots = prng_seed(seed);
		put_durable(&d, 1, 8);
		put(&d, 0, 1, 10, 1);
		disk_vanish(&d, &lots);
		if (seed % 2)
			disk_open(&d); /* in vain, as long as it is gone */
		wrong += read_back(&d, 1) != UINT64_MAX;
		wrong += !put(&d, 2, 1, 3, 2) || read_back(&d, 1) != UINT64_MAX || !disk_flush(&d, &lots, 9);
		disk_lift_faults(&d);
		wrong += !put(&d, 2, 1, 3, 2) || read_back(&d, 1) != UINT64_MAX;
		disk_open(&d);
		is = read_back(&d, 0);
		lost += is == 0;
		kept += is == 10;
		wrong += read_back(&d, 1) != 8 || read_back(&d, 2) != 0 || !disk_is_settled(&d, 0, d.size_bytes, false);
		disk_cut(&d, &lots, FATE_LOSE_ALL);
		wrong += on_medium(&d, 0) != is || put(&d, 0, 1, 1, 5) || d.faults[FAULT_VANISH] != 1;
		disk_free(&d);
	}
	is_u64(wrong, 0, "a vanished member answers nobody until it is opened anew, then with what its medium held");
	ok(lost > 20 && kept > 20, "its cache is lost by lot (%u lost, %u kept)", lost, kept);
}

static void cuts_end_all_faults(void)
{
	struct sim_disk d = fresh();

	d.fault = FAULT_EIO_FOR_EVER;
	d.operations_to_fault = 3;
	d.fails_next_flush = d.is_hung = d.is_dead = d.has_lost_writes = true;
	d.bad_len = at(SECTORS);
	disk_vanish(&d, &lots);
	disk_cut(&d, &lots, FATE_BY_LOT);
	ok(!d.is_hung && !d.is_gone && !put_durable(&d, 0, 1) && !disk_flush(&d, &lots, 1) && read_back(&d, 0) == 1 &&
	   read_back(&d, 9) == 0, "after a cut every fault is over");
	disk_free(&d);
}

static void torn_writes_are_on_their_way(void)
{
	uint32_t counts[2] = { 0 }, wrong = 0;

	for (uint64_t seed = 0; seed < 100; seed++) {
		struct sim_disk d = fresh();

		lots = prng_seed(seed);
		disk_write_torn(&d, &lots, at(4), at(8), words(30, 8));
		wrong += on_medium(&d, 4) != 0;
		disk_cut(&d, &lots, FATE_KEEP_ALL);
		for (uint32_t s = 4; s < 12; s++)
			counts[on_medium(&d, s) == 30 + s - 4]++;
		disk_free(&d);
	}
	ok(!wrong && counts[0] > 200 && counts[1] > 200, "of a torn write any sectors are on their way");
}

/* ---- every subset ---- */

/* A disk with a story in a few sectors, several versions each, some the same. */
static struct sim_disk with_story(struct prng *r)
{
	struct sim_disk d = fresh();

	for (uint32_t s = 0; s < 5; s++)
		put_durable(&d, s, prng_below(r, 3));
	for (uint64_t writes = prng_below(r, 9); writes; writes--)
		put(&d, prng_below(r, 5), 1, prng_below(r, 4), 1);
	return d;
}

static uint64_t number_of(const struct sim_disk *d)
{
	uint64_t number = 0;

	for (uint32_t s = 0; s < 5; s++)
		number = number * 8 + on_medium(d, s);
	return number;
}

/* All media the log allows, by brute force: bit map over the numbers of number_of(). */
static uint32_t allowed_media(const struct sim_disk *d, uint8_t *ret_map)
{
	uint32_t count = 0, sets[5];

	for (uint32_t s = 0; s < 5; s++) {
		sets[s] = 1u << on_medium(d, s);
		for (uint32_t i = 0; i < d->log_count; i++)
			if (d->log[i].sector == s)
				sets[s] |= 1u << arena_word(arena, d->log[i].is);
	}
	for (uint32_t n = 0; n < 1 << 15; n++) {
		bool is_in = true;

		for (uint32_t s = 0; s < 5; s++)
			is_in &= sets[s] >> (n >> 3 * (4 - s) & 7) & 1;
		ret_map[n] = is_in;
		count += is_in;
	}
	return count;
}

/* Walks all vectors of choices; returns how many there are, counts media reached for the first time. */
static uint64_t walk(const struct sim_disk *d, uint8_t *map, uint32_t *ret_reached, uint32_t *wrong)
{
	struct loose_sector loose[5];
	uint32_t count = disk_loose(d, loose, 5), i;
	uint8_t choices[5] = { 0 };
	uint64_t vectors = 0;

	*ret_reached = 0;
	for (;;) {
		struct sim_disk copy;

		disk_copy(&copy, d);
		disk_cut_to(&copy, choices);
		*wrong += !map[number_of(&copy)] || !disk_is_settled(&copy, 0, copy.size_bytes, false);
		*ret_reached += map[number_of(&copy)] == 1;
		map[number_of(&copy)] = 2;
		vectors++;
		disk_free(&copy);
		for (i = 0; i < count && choices[i] == loose[i].versions; i++)
			choices[i] = 0;
		if (i == count)
			return vectors;
		choices[i]++;
	}
}

static void subsets_are_enumerated(void)
{
	static uint8_t map[1 << 15];
	uint32_t wrong = 0, missed = 0, twice = 0, strays = 0, reached, most = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		struct prng r = prng_seed(seed);
		struct sim_disk d = with_story(&r);
		uint32_t wanted = allowed_media(&d, map);
		uint64_t vectors = walk(&d, map, &reached, &wrong);

		missed += reached != wanted;
		twice += vectors != wanted;
		most = wanted > most ? wanted : most;
		disk_cut(&d, &r, FATE_BY_LOT);
		strays += map[number_of(&d)] != 2;
		disk_free(&d);
	}
	is_u64(wrong, 0, "each vector of choices is a state that the log allows");
	is_u64(missed, 0, "together they are all of them (up to %u)", most);
	is_u64(twice, 0, "and each comes once");
	is_u64(strays, 0, "a cut by lot leaves one of them");
}

static void loose_sectors_are_told(void)
{
	struct sim_disk d = fresh();
	struct loose_sector loose[2] = { { 0 } };

	put(&d, 30, 1, 5, 1);
	put(&d, 7, 1, 5, 1);
	put(&d, 7, 1, 6, 2);
	put(&d, 7, 1, 5, 3);
	put(&d, 9, 1, 0, 3);
	put(&d, 40, 1, 1, 3);
	is_u64(disk_loose(&d, loose, 2), 3, "all loose sectors are counted, a version that changes nothing is none");
	ok(loose[0].sector == 7 && loose[0].versions == 2 && loose[1].sector == 30 && loose[1].versions == 1,
	   "they are told in order, each content once");
	disk_cut_to(&d, (const uint8_t[]){ 2, 0, 1 });
	ok(on_medium(&d, 7) == 6 && on_medium(&d, 30) == 0 && on_medium(&d, 40) == 1, "the n-th version is the n-th");
	disk_free(&d);
}

/* ---- copies, questions, files ---- */

static void copies_live_apart(void)
{
	struct sim_disk d = fresh(), copy;

	put(&d, 0, 2, 10, 1);
	d.faults[FAULT_SHORT] = 3;
	d.fails_next_flush = true;
	disk_copy(&copy, &d);
	is_u64(copy.faults[FAULT_SHORT], 0, "a copy has no faults counted");
	ok(copy.fails_next_flush && copy.log_count == 2 && read_back(&copy, 1) == 11, "it has all else");
	put(&copy, 0, 4, 90, 2);
	disk_cut(&copy, &lots, FATE_KEEP_ALL);
	ok(read_back(&d, 0) == 10 && read_back(&d, 3) == 0 && on_medium(&d, 0) == 0 && d.log_count == 2 &&
	   d.fails_next_flush, "what happens to it does not happen to the original");
	disk_cut(&d, &lots, FATE_KEEP_ALL);
	is_u64(on_medium(&copy, 0), 90, "nor the other way round");
	disk_free(&copy);
	disk_free(&d);
}

static void syncs_are_told_apart(void)
{
	struct sim_disk d = fresh();

	put(&d, 0, 1, 10, 1);
	disk_write(&d, &lots, at(5), at(1), words(3, 1), false, true, 1);
	ok(disk_is_settled(&d, at(0), at(5), true) && !disk_is_settled(&d, at(0), at(6), true),
	   "what syncs wrote can be asked for alone");
	ok(!disk_is_settled(&d, at(0), at(1), false) && disk_is_settled(&d, at(1), at(4), false),
	   "a range is settled when nothing in it is on its way");
	put(&d, 20, 1, 10, 1);
	put(&d, 20, 1, 0, 2);
	ok(!disk_is_settled(&d, at(20), at(1), false), "though the newest version may be what the medium holds");
	disk_free(&d);
}

static void media_are_files(void)
{
	struct sim_disk d = fresh(), back = fresh(), other;
	char path[] = "/tmp/umd-sim-disk-XXXXXX";
	struct stat st = { 0 };
	int fd = mkstemp(path);

	disk_init(&other, arena, "other", at(8));
	put_durable(&d, 17, 77);
	put_durable(&d, 30, 1ull << 50);
	put(&d, 31, 1, 5, 1);
	ok(fd >= 0 && !disk_save(&d, path), "a medium is saved");
	stat(path, &st);
	is_u64((uint64_t)st.st_size, d.size_bytes, "as a file of its size");
	ok((uint64_t)st.st_blocks * 512 < d.size_bytes, "with holes");
	put_durable(&back, 3, 4);
	ok(!disk_load(&back, path), "and loaded");
	is_u64((uint64_t)memcmp(back.medium, d.medium, SECTORS * sizeof *d.medium), 0, "it is the same medium");
	ok(disk_is_settled(&back, 0, back.size_bytes, false), "in the cache, too");
	ok(disk_load(&other, path) == -22 && disk_load(&back, "/nonexistent") == -2 &&
	   disk_save(&back, "/nonexistent/file") == -2, "another size, no file, no folder: refused");
	close(fd);
	unlink(path);
	disk_free(&other);
	disk_free(&back);
	disk_free(&d);
}

int main(void)
{
	arena = arena_new();
	lots = prng_seed(1);
	flushes_cover_what_was_before();
	durable_writes_are_durable();
	cuts_leave_one_version_each();
	fates_are_obeyed();
	the_nth_operation_fails();
	the_dead_stay_dead();
	short_ones_have_a_beginning();
	bad_ranges_are_bad();
	failed_reads_return_rubbish();
	failed_flushes_latch();
	failed_durable_writes_latch();
	the_vanished_come_back_old();
	cuts_end_all_faults();
	torn_writes_are_on_their_way();
	subsets_are_enumerated();
	loose_sectors_are_told();
	copies_live_apart();
	syncs_are_told_apart();
	media_are_files();
	arena_free(arena);
	return tap_end();
}
