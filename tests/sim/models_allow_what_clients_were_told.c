/* Goal:   the model allows what a disk may show after the client's history, and nothing else.
 * Method: short histories, one rule each, judged by reading and by peeking; then long random ones, where the
 *         versions kept in the pool are compared with plain arrays.
 * Law:    the judge of I1 and I6.
 * Source: model.h; the design, section 4: I1, I6. */
#include "model.h"

#include <stdlib.h>

#include "base/prng.h"
#include "tap.h"

static struct model fresh(void)
{
	struct model m;

	model_init(&m, 32);
	for (uint64_t s = 0; s < 32; s++)
		model_begin(&m, s, 0);
	return m;
}

static uint64_t acked(struct model *m, uint64_t sector, uint64_t word)
{
	uint64_t serial = model_write(m, sector, 1, word);

	model_acked(m, serial, sector, 1, false);
	return serial;
}

/* A read of one sector that shows @word. */
static enum law_id shows(struct model *m, uint64_t sector, uint64_t word)
{
	struct model_view view;
	uint8_t data[SECTOR_BYTES];

	model_look(m, sector, 1, &view);
	model_fill(data, 1, word);
	return model_read(m, sector, 1, &view, data);
}

static void flush(struct model *m)
{
	model_flushed(m, model_flush(m));
}

/* ---- I1: acknowledged, flushed ---- */

static void the_acknowledged_is_read(void)
{
	struct model m = fresh();
	uint64_t serial = model_write(&m, 3, 2, 10);

	ok(!model_peek(&m, 3, 0) && !model_peek(&m, 4, 10), "while a write is under way old and new are allowed");
	model_acked(&m, serial, 3, 2, false);
	ok(!model_peek(&m, 3, 10) && model_peek(&m, 3, 0) == LAW_I1, "when it is acknowledged, the old is not");
	ok(model_peek(&m, 3, 11) == LAW_I1 && model_peek(&m, 3, UINT64_MAX) == LAW_I1,
	   "what nobody wrote is never allowed, nor a torn sector");
	ok(!model_peek(&m, 2, 0) && model_peek(&m, 2, 10) == LAW_I1 && model_peek(&m, 5, 10) == LAW_I1,
	   "neighbours are not touched");
	serial = model_write(&m, 3, 1, 12);
	model_failed(&m, serial, 3, 1);
	ok(!model_peek(&m, 3, 10) && !model_peek(&m, 3, 12), "after a failed write both are allowed");
	model_free(&m);
}

static void the_flushed_survives(void)
{
	struct model m = fresh();
	uint64_t since, serial;

	acked(&m, 0, 10);
	since = model_flush(&m);
	acked(&m, 0, 11);
	model_flushed(&m, since);
	acked(&m, 1, 20);
	serial = model_write(&m, 2, 1, 30);
	model_acked(&m, serial, 2, 1, true);
	serial = model_write(&m, 2, 1, 31);
	model_cut(&m);
	ok(!model_peek(&m, 0, 10) && !model_peek(&m, 0, 11) && model_peek(&m, 0, 0) == LAW_I1,
	   "a cut leaves what was acknowledged before the flush was submitted, or later");
	ok(!model_peek(&m, 1, 0) && !model_peek(&m, 1, 20), "what was not flushed may be there or not");
	ok(model_peek(&m, 2, 0) == LAW_I1 && !model_peek(&m, 2, 30) && !model_peek(&m, 2, 31),
	   "FUA is durable; what was under way may be there");
	model_free(&m);
}

static void floors_only_rise(void)
{
	struct model m = fresh();
	struct model_view view;
	uint64_t since, serial;

	model_look(&m, 0, 1, &view);
	acked(&m, 0, 10);
	since = model_flush(&m);
	serial = model_write(&m, 0, 1, 11);
	model_acked(&m, serial, 0, 1, true);
	model_flushed(&m, since);
	ok(!model_may_remain(&m, 0, 10), "a flush of older writes does not take back that a later one is durable");
	ok(model_may_remain(&m, 0, 11) && !model_may_remain(&m, 0, 12), "the durable may remain, a stranger may not");
	model_free(&m);
}

static void acknowledgements_end_with_a_life(void)
{
	struct model m = fresh();

	acked(&m, 0, 10);
	model_cut(&m);
	flush(&m);
	model_cut(&m);
	ok(!model_peek(&m, 0, 0), "a flush after a cut promises nothing about writes before it");
	model_free(&m);
}

static void late_acknowledgements_count(void)
{
	struct model m = fresh();
	uint64_t one = model_write(&m, 0, 1, 10), other = model_write(&m, 0, 1, 11);

	model_acked(&m, other, 0, 1, false);
	model_acked(&m, one, 0, 1, false);
	ok(model_peek(&m, 0, 10) == LAW_I1 && !model_peek(&m, 0, 11), "the order is that of submission");
	flush(&m);
	model_cut(&m);
	ok(model_peek(&m, 0, 10) == LAW_I1 && !model_peek(&m, 0, 11), "after a flush and a cut, too");
	model_free(&m);
}

/* ---- I6: a read is a promise ---- */

static void a_read_excludes_the_others(void)
{
	struct model m = fresh();
	struct model_view view;
	uint8_t data[SECTOR_BYTES];

	acked(&m, 0, 10);
	model_write(&m, 0, 1, 11);
	model_cut(&m);
	ok(!shows(&m, 0, 10), "after a cut any candidate may be read");
	ok(!shows(&m, 0, 10) && m.choices, "the same again, where another could have come");
	ok(shows(&m, 0, 11) == LAW_I6 && m.blamed == 0, "another one not any more");
	ok(shows(&m, 0, 12) == LAW_I1, "a stranger is a stranger");
	model_cut(&m);
	ok(model_peek(&m, 0, 0) == LAW_I6 && !model_peek(&m, 0, 10), "not after a further cut either");
	model_look(&m, 0, 1, &view);
	acked(&m, 0, 12);
	model_fill(data, 1, 10);
	ok(!model_read(&m, 0, 1, &view, data), "a read that was submitted before a write ended may show the older");
	ok(shows(&m, 0, 10) == LAW_I1 && !shows(&m, 0, 12), "one submitted later may not");
	model_lost_member(&m);
	model_cut(&m);
	ok(!model_peek(&m, 0, 10) && !model_peek(&m, 0, 12) && !model_peek(&m, 0, 0),
	   "when a member is lost, its choice may be, too");
	model_free(&m);
}

static void the_sector_is_blamed(void)
{
	struct model m = fresh();
	struct model_view view;
	uint8_t data[3 * SECTOR_BYTES] = { 0 };

	model_look(&m, 7, 3, &view);
	model_fill(data + SECTOR_BYTES, 1, 5);
	ok(model_read(&m, 7, 3, &view, data) == LAW_I1 && m.blamed == 8, "of a longer read the sector is named");
	model_free(&m);
}

static void reads_from_caches_promise_until_the_cut(void)
{
	struct model m = fresh();

	acked(&m, 0, 10);
	ok(!shows(&m, 0, 10), "a read from a cache");
	model_cut(&m);
	ok(!model_peek(&m, 0, 0) && !model_peek(&m, 0, 10), "does not make the write durable");
	ok(!shows(&m, 0, 0), "but what was read after a restart");
	model_cut(&m);
	ok(model_peek(&m, 0, 10) == LAW_I6 && !model_peek(&m, 0, 0), "is the same after the next");
	model_free(&m);
}

/* The medium has chosen; a write that comes later and may be lost again does not make it choose anew. */
static void choices_of_media_are_firm(void)
{
	struct model m = fresh();

	acked(&m, 0, 10);
	model_cut(&m);
	shows(&m, 0, 10);
	acked(&m, 0, 11);
	model_cut(&m);
	ok(model_peek(&m, 0, 0) == LAW_I6 && !model_peek(&m, 0, 10) && !model_peek(&m, 0, 11),
	   "what a read after a restart excluded stays so, though the sector was written since");
	ok(!shows(&m, 0, 11), "the write");
	acked(&m, 0, 12);
	ok(!shows(&m, 0, 12), "another, read from a cache");
	model_cut(&m);
	ok(!model_peek(&m, 0, 11) && !model_peek(&m, 0, 12) && model_peek(&m, 0, 10) == LAW_I6,
	   "what was chosen by a cache is open again, what by the medium is not");
	model_free(&m);
}

static void overlapping_reads_exclude_nothing(void)
{
	struct model m = fresh();
	struct model_view slow, quick;
	uint8_t data[SECTOR_BYTES];
	uint64_t serial;

	acked(&m, 0, 10);
	model_cut(&m);
	serial = model_write(&m, 0, 1, 11);
	model_look(&m, 0, 1, &slow);
	ok(!shows(&m, 0, 0) && !shows(&m, 0, 10), "while a write is under way a read excludes nothing");
	model_failed(&m, serial, 0, 1);
	model_fill(data, 1, 0);
	ok(!model_read(&m, 0, 1, &slow, data) && !shows(&m, 0, 10), "nor one that was submitted then and ends later");
	model_look(&m, 0, 1, &quick);
	model_fill(data, 1, 11);
	ok(model_read(&m, 0, 1, &quick, data) == LAW_I6, "one of its own does");
	model_free(&m);
}

static void what_was_seen_is_not_taken_back(void)
{
	struct model m = fresh();
	struct model_view slow;
	uint8_t data[SECTOR_BYTES];

	model_look(&m, 0, 1, &slow);
	model_write(&m, 0, 1, 10);
	ok(!shows(&m, 0, 0) && !shows(&m, 0, 10) && !shows(&m, 0, 10), "a write that is under way may be seen early");
	model_fill(data, 1, 0);
	ok(!model_read(&m, 0, 1, &slow, data), "a read that was submitted before that was seen may show the older");
	ok(shows(&m, 0, 0) == LAW_I6, "one submitted later may not");
	model_lost_member(&m);
	ok(!shows(&m, 0, 0), "unless a member was lost");
	ok(!shows(&m, 0, 10), "the newer again");
	model_cut(&m);
	ok(!shows(&m, 0, 0), "or the power");
	model_free(&m);
}

static void choices_may_outlive_the_member_that_showed_them(void)
{
	struct model m = fresh();

	acked(&m, 0, 10);
	acked(&m, 1, 20);
	model_cut(&m);
	ok(!shows(&m, 0, 10) && !shows(&m, 1, 20), "after a restart a member shows the newer of two sectors");
	model_member_left(&m);
	ok(model_is_excluded(&m, 0, 0) && !model_is_excluded(&m, 0, 10), "it leaves, and what it showed stays chosen");
	model_forget_choice(&m, 1);
	ok(!model_is_excluded(&m, 1, 0), "but where those that are left do not show it");
	ok(shows(&m, 0, 0) == LAW_I6 && !shows(&m, 1, 0), "reads are judged by that");
	model_free(&m);
}

static void parallel_reads_know_what_was_known(void)
{
	struct model m = fresh();
	struct model_view one, lost;
	uint8_t data[SECTOR_BYTES];

	acked(&m, 0, 10);
	model_cut(&m);
	model_look(&m, 0, 1, &one);
	model_look(&m, 0, 1, &lost);
	ok(!shows(&m, 0, 10), "of two reads at once one shows the newer");
	model_fill(data, 1, 0);
	ok(!model_read(&m, 0, 1, &one, data), "the other may show the older, it was submitted before that was told");
	ok(!model_peek(&m, 0, 10) && model_peek(&m, 0, 0) == LAW_I6, "and does not take back what was told");
	model_lost_member(&m);
	model_fill(data, 1, 10);
	ok(!model_read(&m, 0, 1, &lost, data) && !model_peek(&m, 0, 0),
	   "one that was under way when a member was lost excludes nothing");
	model_free(&m);
}

static void a_settled_sector_has_one_value(void)
{
	struct model m = fresh();

	acked(&m, 0, 10);
	model_cut(&m);
	model_settle(&m, 0, 10);
	model_lost_member(&m);
	model_cut(&m);
	ok(!model_peek(&m, 0, 10) && model_peek(&m, 0, 0) == LAW_I1, "what all hold durably stays, whatever is lost");
	is_u64(m.sectors[0].count, 1, "and is one version");
	is_u64(m.sectors[0].durable_floor, m.sectors[0].first.serial, "a durable one");
	model_free(&m);
}

/* ---- memory ---- */

enum { SECTORS = 6 };

struct plain {
	struct {
		uint64_t serial, word;
	} v[MODEL_VERSIONS];
	uint32_t count;
	uint64_t floor;
};

static void plain_prune(struct plain *p)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->count; i++)
		if (p->v[i].serial >= p->floor)
			p->v[kept++] = p->v[i];
	p->count = kept;
}

static uint32_t differences(const struct model *m, const struct plain *plain)
{
	uint32_t count = 0;

	for (uint64_t s = 0; s < SECTORS; s++) {
		count += m->sectors[s].count != plain[s].count;
		for (uint32_t i = 0; i < plain[s].count; i++)
			count += model_peek(m, s, plain[s].v[i].word) != LAW_NONE;
		count += model_peek(m, s, 1) == LAW_NONE;
	}
	return count;
}

/* Versions that do not lie in their sectors. */
static uint32_t pooled(const struct plain *plain)
{
	uint32_t count = 0;

	for (int s = 0; s < SECTORS; s++)
		count += plain[s].count - 1;
	return count;
}

/* Durable writes raise the floor at once, cuts lower the live one to it: so all that is kept is allowed after a cut. */
static void random_life(uint64_t seed, uint32_t *wrong, uint32_t *refused)
{
	struct prng r = prng_seed(seed);
	struct plain plain[SECTORS] = { 0 };
	struct model m, copy;
	uint64_t before;
	uint32_t most = 0;

	model_init(&m, SECTORS);
	for (uint64_t s = 0; s < SECTORS; s++)
		model_begin(&m, s, 100 + s), plain[s].v[plain[s].count++].word = 100 + s;
	for (int round = 0; round < 60; round++) {
		uint64_t s = prng_below(&r, SECTORS), word = 1000 + (uint64_t)round, serial;

		if (!model_has_room(&m, s, 1)) {
			*wrong += plain[s].count != MODEL_VERSIONS;
			(*refused)++;
			continue;
		}
		serial = model_write(&m, s, 1, word);
		plain[s].v[plain[s].count].serial = serial;
		plain[s].v[plain[s].count++].word = word;
		most = (uint32_t)max_u64(most, pooled(plain));
		if (prng_below(&r, 12) == 0) {
			model_acked(&m, serial, s, 1, true);
			plain[s].floor = serial;
			plain_prune(&plain[s]);
		}
		model_cut(&m);
		before = model_hash(&m);
		model_copy(&copy, &m);
		*wrong += model_hash(&copy) != before || differences(&copy, plain);
		model_settle(&copy, s, 1);
		acked(&copy, s, 2);
		*wrong += model_hash(&m) != before || model_hash(&copy) == before || differences(&m, plain);
		model_free(&copy);
	}
	*wrong += m.pool_count > most;
	model_free(&m);
}

static void versions_are_kept(void)
{
	uint32_t wrong = 0, refused = 0;

	for (uint64_t seed = 0; seed < 200; seed++)
		random_life(seed, &wrong, &refused);
	is_u64(wrong, 0, "what the pool holds is what plain arrays hold, in copies and originals alike");
	ok(refused > 0, "and a sector with too many versions takes no further write");
}

static void open_reads_keep_history(void)
{
	struct model m = fresh();
	struct model_view view, other;

	model_look(&m, 0, 1, &view);
	model_look(&m, 0, 1, &other);
	model_read_failed(&m);
	acked(&m, 0, 10);
	flush(&m);
	is_u64(m.sectors[0].count, 2, "while a read is under way no version is forgotten");
	model_read_failed(&m);
	flush(&m);
	is_u64(m.sectors[0].count, 1, "afterwards they are");
	model_free(&m);
}

int main(void)
{
	the_acknowledged_is_read();
	the_flushed_survives();
	floors_only_rise();
	acknowledgements_end_with_a_life();
	late_acknowledgements_count();
	a_read_excludes_the_others();
	the_sector_is_blamed();
	reads_from_caches_promise_until_the_cut();
	choices_of_media_are_firm();
	overlapping_reads_exclude_nothing();
	what_was_seen_is_not_taken_back();
	choices_may_outlive_the_member_that_showed_them();
	parallel_reads_know_what_was_known();
	a_settled_sector_has_one_value();
	versions_are_kept();
	open_reads_keep_history();
	return tap_end();
}
