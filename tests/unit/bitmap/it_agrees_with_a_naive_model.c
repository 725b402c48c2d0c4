/* Goal: sparse pages, sets of pages and snapshots do what plain arrays of integers would do.
 * Method: 200000 random steps (mark, done, age, clear, commit begun and ended, resync, I11) on bitmap and model side
 * by side; all is compared. Once with a superblock in front of the bits, once bare.
 * Law: I3, I4, I8, I11.
 * Source: md bitmap 4.5; bitmap.h. */
#include "base/prng.h"
#include "bm_help.h"

enum { CHUNK = 4096, CHUNKS = 70000, HOT = 48, STEPS = 200000, WRITES_MAX = 200 };

/* The model: one entry per chunk of a few hot places that lie across page and leaf boundaries. */
static const uint64_t places[HOT / 8] = { 0, 2044, 30716, 32764, 63484, 69992 };
static struct { int writers, age, was; bool needed, resync, bit, durable, ripe, in_flight; } m[HOT];
static struct { uint64_t first, count; } writes[WRITES_MAX];
static uint32_t write_count;
static bool flight, cleared_durable, is_bare;
static uint64_t model_events_cleared, events, flight_events_cleared;
static struct prng rng = { 1 };

static uint64_t chunk_of(uint32_t i)
{
	return places[i / 8] + i % 8;
}

static int age_of(uint32_t i)
{
	return m[i].writers ? m[i].writers + 2 : m[i].age;
}

static void any_write(struct bm *b)
{
	uint32_t i = prng_below(&rng, HOT), count = 1 + prng_below(&rng, 8 - i % 8);

	if (write_count == WRITES_MAX)
		return;
	bm_mark(b, at(chunk_of(i) * CHUNK), (uint64_t)count * CHUNK - prng_below(&rng, 8) * 512);
	writes[write_count].first = i;
	writes[write_count++].count = count;
	for (uint32_t k = i; k < i + count; k++) {
		m[k].writers++;
		m[k].bit = true;
	}
}

static void any_end(struct bm *b)
{
	uint32_t w = write_count ? prng_below(&rng, write_count) : 0;
	bool is_owed = prng_below(&rng, 8) == 0;

	if (!write_count)
		return;
	bm_done(b, at(chunk_of(writes[w].first) * CHUNK), writes[w].count * CHUNK, is_owed);
	for (uint64_t k = writes[w].first; k < writes[w].first + writes[w].count; k++) {
		m[k].writers--;
		m[k].age = 2;
		m[k].needed |= is_owed;
	}
	writes[w] = writes[--write_count];
}

static bool age_all(struct bm *b)
{
	bool any = false;

	for (uint32_t i = 0; i < HOT; i++) {
		bool is_idle = !m[i].writers && !m[i].needed && !m[i].resync;

		m[i].ripe = is_idle && m[i].age == 1;
		any |= m[i].ripe;
		if (is_idle && m[i].age == 2)
			m[i].age = 1;
	}
	return bm_age(b) == any;
}

static bool clear_all(struct bm *b)
{
	uint64_t count = 0;
	int64_t room = flight || prng_below(&rng, 2) ? -1 : bm_commit_reserve(b);
	const struct bm_page_write *pages;

	if (flight || !cleared_durable)
		return true;
	for (uint32_t i = 0; i < HOT; i++) {
		if (!m[i].ripe || m[i].writers || m[i].age != 1 || m[i].needed || m[i].resync)
			continue;
		m[i].age = 0;
		m[i].bit = m[i].durable = m[i].ripe = false;
		count++;
	}
	if (bm_clear(b, false, true) != count)
		return false;
	if (room > 0 && prng_below(&rng, 2))
		bm_commit_unreserve(b);
	if (room > 0) {
		int written = bm_commit_begin(b, &pages);

		if (written > room)
			return false;
		if (written > 0)
			bm_commit_end(b, false);	/* the model knows nothing of it */
	}
	return true;
}

static void any_commit(struct bm *b)
{
	const struct bm_page_write *pages;
	bool is_ok = prng_below(&rng, 5);

	if (!flight) {
		flight = bm_commit_begin(b, &pages) > 0;
		flight_events_cleared = model_events_cleared;
		for (uint32_t i = 0; i < HOT && flight; i++)
			m[i].in_flight = m[i].bit;
		return;
	}
	bm_commit_end(b, is_ok);
	flight = false;
	for (uint32_t i = 0; i < HOT && is_ok; i++)
		m[i].durable |= m[i].in_flight;
	cleared_durable |= is_ok && flight_events_cleared == model_events_cleared;
}

static void any_events(struct bm *b)
{
	bm_set_events(b, ++events);
	if (prng_below(&rng, 4))
		return;
	bm_set_events_cleared(b, events);
	model_events_cleared = events;
	cleared_durable = is_bare;
}

static void any_sync(struct bm *b)
{
	uint32_t i = prng_below(&rng, HOT / 8) * 8;
	bool is_ok = prng_below(&rng, 3);
	array_off window = at(chunk_of(i) * CHUNK);

	switch (prng_below(&rng, 5)) {
	case 0:
		bm_need_all_counted(b);
		for (uint32_t k = 0; k < HOT; k++)
			m[k].needed |= m[k].bit;
		break;
	case 1:
		bm_forget_needed(b);
		for (uint32_t k = 0; k < HOT; k++)
			m[k].needed = m[k].resync = false;
		break;
	case 2:
		bm_sync_abort(b);
		for (uint32_t k = 0; k < HOT; k++) {
			m[k].needed |= m[k].resync;
			m[k].resync = false;
		}
		break;
	case 3:
		bm_sync_start(b, window, 8 * CHUNK, false);
		for (uint32_t k = i; k < i + 8; k++) {
			m[k].resync |= m[k].needed;
			m[k].needed = false;
		}
		break;
	default:
		bm_sync_end(b, window, 8 * CHUNK, at(window.bytes + 6 * CHUNK), is_ok);
		for (uint32_t k = i; k < i + 8; k++) {
			if (is_ok && k >= i + 6)
				continue;
			m[k].needed |= !is_ok && m[k].resync;
			m[k].resync = false;
		}
	}
}

static uint16_t flags_of(uint32_t i)
{
	return (m[i].needed ? BM_NEEDED : 0) | (m[i].resync ? BM_RESYNC : 0);
}

/* Whatever has changed is not ripe any more. */
static void note_changes(bool is_aged)
{
	for (uint32_t i = 0; i < HOT; i++) {
		int value = age_of(i) | flags_of(i);

		m[i].ripe &= is_aged || value == m[i].was;
		m[i].was = value;
	}
}

static bool agrees(const struct bm *b)
{
	uint64_t set = 0, needed = 0;

	for (uint32_t i = 0; i < HOT; i++) {
		uint16_t value = bm_counter(b, chunk(chunk_of(i)));
		uint16_t flags = flags_of(i);

		if (value != (age_of(i) | flags) || bm_bit(b, chunk(chunk_of(i))) != m[i].bit ||
		    bm_bit_is_durable(b, chunk(chunk_of(i))) != m[i].durable)
			return false;
		if (m[i].bit && !m[i].durable && m[i].writers && !bm_wants_commit_now(b) && !(flight && m[i].in_flight))
			return false;		/* somebody would wait for ever */
		set += m[i].bit;
		needed += flags != 0;
	}
	return bm_set_chunks(b) == set && bm_needed_chunks(b) == needed &&
		bm_events_cleared(b) == model_events_cleared &&
	       bm_events_cleared_is_durable(b) == cleared_durable && bm_commit_is_running(b) == flight;
}

/* The walks over needed ranges and set runs, against the model. */
static bool walks_agree(const struct bm *b)
{
	uint64_t needed = 0, set = 0, len;
	array_off next = { 0 };
	chunk_no first = { 0 }, last;

	for (; bm_next_needed(b, next, &next, &len); next.bytes += len)
		needed += len / CHUNK;
	for (; bm_next_set(b, first, &first, &last); first.index = last.index + 1)
		set += last.index - first.index + 1;
	return needed == bm_needed_chunks(b) && set == bm_set_chunks(b);
}

static void run(struct bm *b)
{
	uint64_t differ = 0, walks = 0, passes = 0, clears = 0, cleared_before;

	memset(m, 0, sizeof m);
	write_count = 0;
	flight = false;
	is_bare = bm_is_bare(b);
	cleared_durable = true;
	model_events_cleared = bm_events_cleared(b);
	events = bm_events(b);
	for (uint32_t step = 0; step < STEPS && !differ && !walks && !passes; step++) {
		uint32_t what = prng_below(&rng, 16);

		cleared_before = bm_set_chunks(b);
		switch (what) {
		case 0: case 1: case 2: any_write(b); break;
		case 3: case 4: case 5: case 6: any_end(b); break;
		case 7: passes += !age_all(b); break;
		case 8: passes += !clear_all(b); clears += cleared_before - bm_set_chunks(b); break;
		case 9: any_events(b); break;
		case 10: any_sync(b); break;
		default: any_commit(b);
		}
		note_changes(what == 7);
		differ += !agrees(b);
		walks += step % 64 == 0 && !walks_agree(b);
	}
	is_u64(differ, 0, "counters, bits, durable plane and sums agree after every one of %d steps", STEPS);
	is_u64(walks, 0, "the walks find what the model holds");
	is_u64(passes, 0, "ripe chunks and clears as the model says");
	ok(clears > 1000, "and the steps led somewhere: %llu bits were cleared", (unsigned long long)clears);
	bm_free(b);
}

int main(void)
{
	run(a_bitmap((uint64_t)CHUNKS * CHUNK, CHUNK));
	run(a_bare_bitmap((uint64_t)CHUNKS * CHUNK, CHUNK));
	return tap_end();
}
