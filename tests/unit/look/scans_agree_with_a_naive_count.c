/* Goal:   one pass over a bitmap counts, cuts into cells and tells runs exactly, however bits, holes and pieces lie.
 * Method: sparse files with random islands of random bytes, at any alignment, are scanned as bits and as lockless
 *         states and compared with a count chunk by chunk; so are the union of several bitmaps and the difference of
 *         two. Then limits: how many runs are kept, the last chunk, bits behind it, callbacks that end it, a member too
 *         short.
 * Law:    I8 (examine tells the bytes the next start copies).
 * Source: src/look/scan.h; issue 3: bounded memory and time whatever an image claims. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/prng.h"
#include "look/scan.h"
#include "tap.h"

enum { FILE_BYTES = 3 << 20, CELLS = 37, BITMAPS = 3, BLOCK = 4096 };

struct told {
	uint64_t count, sum, states_count, states_sum, end_after;
};

/* What a scan must find. */
struct naive {
	uint64_t set, set_between, runs, states[LOCKLESS_STATES], cells[CELLS], state_cells[LOCKLESS_STATES][CELLS];
	uint64_t range_sum, states_runs, states_sum;
	bool is_last_set, is_from_set, is_until_set;
};

static char path[] = "/tmp/umd-scan.XXXXXX";
static int fd;
static struct member *m;
static uint8_t bytes[FILE_BYTES];

static void fill(struct prng *r, uint8_t *data, uint64_t len)
{
	static const uint8_t some[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff };
	uint64_t style = prng_below(r, 7), at = 0;

	while (at < len) {
		uint64_t run = style < 2 ? 1 : 1 + prng_below(r, style == 2 ? 20 : 3000);
		uint8_t byte = style == 0 ? (uint8_t)prng_below(r, 256) : style == 1 ? 0xaa :
			       style == 6 ? 0xff : some[prng_below(r, sizeof some)];

		for (; run && at < len; run--)
			data[at++] = byte;
	}
}

static void write_island(struct prng *r, uint64_t at, uint64_t len)
{
	len = min_u64(FILE_BYTES - at, len);
	fill(r, bytes + at, len);
	if (pwrite(fd, bytes + at, len, (off_t)at) != (ssize_t)len)
		ok(false, "the scratch member is written");
}

/* A file of holes and islands, the same bytes in memory. Some islands end where a piece ends and a hole begins. */
static void begin(struct prng *r)
{
	m = mbr_close(m);
	memset(bytes, 0, sizeof bytes);
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, FILE_BYTES) < 0 || mbr_open_look(path, &m, NULL) < 0)
		ok(false, "a scratch member");
	if (prng_below(r, 2))
		write_island(r, 0, 9000);
	for (int islands = (int)prng_below(r, 12); islands > 0; islands--) {
		if (prng_below(r, 2))
			write_island(r, prng_below(r, FILE_BYTES / BLOCK) * BLOCK, 4 * BLOCK << prng_below(r, 3));
		else
			write_island(r, prng_below(r, FILE_BYTES), 1 + prng_below(r, prng_below(r, 3) ? 9000 : 900000));
	}
}

static struct look_bitmap random_bitmap(struct prng *r, bool is_lockless)
{
	uint64_t at = prng_below(r, 2) ? prng_below(r, 5000) : BLOCK, room = FILE_BYTES - at, chunks;

	chunks = prng_below(r, 4) ? prng_below(r, is_lockless ? room : 8 * room) : prng_below(r, 200);
	return (struct look_bitmap){ .m = m, .at = { at }, .is_lockless = is_lockless, .chunks = chunks };
}

static enum lockless_state state_of(const struct look_bitmap *b, uint64_t chunk)
{
	return fmt_lockless_state(bytes[b->at.bytes + chunk]);
}

static bool is_set(const struct look_bitmap *b, uint64_t chunk)
{
	if (b->is_lockless)
		return fmt_lockless_is_due(state_of(b, chunk));
	return bytes[b->at.bytes + chunk / 8] >> chunk % 8 & 1;
}

static uint64_t digest(uint64_t first, uint64_t last, uint64_t more)
{
	return (first * 31 + last) * 31 + more;
}

static void count_naively(const struct look_bitmap *slots, uint32_t count, const struct look_scan *s, struct naive *n)
{
	uint64_t first = 0, state_first = 0, until = s->until ? s->until : slots[0].chunks;
	bool before = false;

	memset(n, 0, sizeof *n);
	for (uint64_t chunk = 0; chunk < slots[0].chunks; chunk++) {
		bool set = false;

		for (uint32_t i = 0; i < count; i++)
			set = set || is_set(&slots[i], chunk);
		n->set += set;
		if (set && chunk >= s->from && chunk < until) {
			n->set_between++;
			n->is_from_set |= chunk == s->from;
			n->is_until_set |= chunk == until - 1;
		}
		n->cells[chunk / s->cell_chunks] += set;
		n->runs += set && !before;
		if (set && !before)
			first = chunk;
		if (!set && before)
			n->range_sum += digest(first, chunk - 1, 0);
		before = set;
		if (!slots[0].is_lockless)
			continue;
		n->states[state_of(slots, chunk)]++;
		n->state_cells[state_of(slots, chunk)][chunk / s->cell_chunks]++;
		if (chunk + 1 < slots[0].chunks && state_of(slots, chunk + 1) == state_of(slots, chunk))
			continue;
		n->states_runs++;
		n->states_sum += digest(state_first, chunk, state_of(slots, chunk));
		state_first = chunk + 1;
	}
	if (before)
		n->range_sum += digest(first, slots[0].chunks - 1, 0);
	n->is_last_set = before;
}

static int hear_range(void *opaque, struct look_range range)
{
	struct told *t = opaque;

	t->count++;
	t->sum += digest(range.first, range.last, 0);
	return t->count == t->end_after ? -77 : 0;
}

static int hear_state(void *opaque, struct look_range range, enum lockless_state state)
{
	struct told *t = opaque;

	t->states_count++;
	t->states_sum += digest(range.first, range.last, state);
	return t->states_count == t->end_after;
}

static bool is_same(const struct look_scan *s, const struct naive *n, bool is_lockless)
{
	bool same = s->set_chunks == n->set && s->set_between == n->set_between &&
		    s->run_count == n->runs && s->is_last_set == n->is_last_set &&
		    s->is_from_set == n->is_from_set && s->is_until_set == n->is_until_set &&
		    !memcmp(s->cells, n->cells, sizeof n->cells);

	for (int state = 0; same && is_lockless && state < LOCKLESS_STATES; state++)
		same = s->states[state] == n->states[state] &&
		       !memcmp(s->state_cells[state], n->state_cells[state], sizeof n->cells);
	return same;
}

static bool are_ranges_kept(const struct look_scan *s, const struct look_scan *all)
{
	uint64_t wanted = min_u64(all->run_count, s->ranges_max);

	return s->range_count == wanted && s->is_truncated == (all->run_count > wanted) &&
	       (!wanted || !memcmp(s->ranges, all->ranges, wanted * sizeof *s->ranges));
}

static void scan_and_compare(uint64_t seed, const struct look_bitmap *slots, uint32_t count, struct prng *r)
{
	struct told told = { 0 };
	struct look_scan s = { .from = prng_below(r, slots[0].chunks + 2),
			       .until = prng_below(r, 2) * prng_below(r, slots[0].chunks + 1), .ranges_max = UINT64_MAX,
			       .cell_count = CELLS, .cell_chunks = max_u64(1, div_up(slots[0].chunks, CELLS)),
			       .on_range = hear_range, .on_state = hear_state, .opaque = &told };
	struct told again = { 0 };
	struct look_scan few = { .ranges_max = prng_below(r, 300), .opaque = &again }, none = { 0 };
	struct naive n;

	count_naively(slots, count, &s, &n);
	is_u64(look_scan_union(slots, count, &s), 0, "seed %llu: %llu %s at %llu are scanned", (unsigned long long)seed,
	       (unsigned long long)slots[0].chunks, slots[0].is_lockless ? "states" : "bits",
	       (unsigned long long)slots[0].at.bytes);
	ok(is_same(&s, &n, slots[0].is_lockless), "counts and cells are those of a naive count");
	ok(told.count == n.runs && told.sum == n.range_sum && s.range_count == n.runs,
	   "every run is told and kept once");
	ok(!slots[0].is_lockless || (told.states_count == n.states_runs && told.states_sum == n.states_sum),
	   "and every run of a state");
	few.on_range = prng_below(r, 2) ? hear_range : NULL;
	is_u64(look_scan_union(slots, count, &few), 0, "again, with few runs kept");
	ok(are_ranges_kept(&few, &s), "those are the first ones, and it says whether there are more");
	ok(look_scan_union(slots, count, &none) == 0 && none.set_chunks == n.set && none.run_count == n.runs,
	   "nobody wants runs: they are counted");
	look_scan_drop(&s);
	look_scan_drop(&few);
	look_scan_drop(&none);
}

static void difference(const struct look_bitmap *a, const struct look_bitmap *b)
{
	uint64_t only_a[CELLS] = { 0 }, only_b[CELLS] = { 0 }, wanted_a[CELLS] = { 0 }, wanted_b[CELLS] = { 0 };
	struct look_compare c = { .cell_chunks = max_u64(1, div_up(a->chunks, CELLS)), .cell_count = CELLS,
				  .only_a = only_a, .only_b = only_b };
	uint64_t a_chunks = 0, b_chunks = 0;

	for (uint64_t chunk = 0; chunk < a->chunks; chunk++) {
		bool in_a = is_set(a, chunk), in_b = is_set(b, chunk);

		wanted_a[chunk / c.cell_chunks] += in_a && !in_b;
		wanted_b[chunk / c.cell_chunks] += in_b && !in_a;
		a_chunks += in_a && !in_b;
		b_chunks += in_b && !in_a;
	}
	is_u64(look_compare(a, b, &c), 0, "two bitmaps are compared");
	ok(c.only_a_chunks == a_chunks && c.only_b_chunks == b_chunks && !memcmp(only_a, wanted_a, sizeof only_a) &&
	   !memcmp(only_b, wanted_b, sizeof only_b), "what only one has is that of a naive count");
}

static void random_bitmaps(uint64_t seed)
{
	struct prng r = prng_seed(seed);
	struct look_bitmap slots[BITMAPS], lockless;

	begin(&r);
	for (int i = 0; i < BITMAPS; i++) {
		slots[i] = random_bitmap(&r, false);
		slots[i].chunks = min_u64(slots[0].chunks, 8 * (FILE_BYTES - 5000));
	}
	slots[0].chunks = slots[1].chunks;
	lockless = random_bitmap(&r, true);
	scan_and_compare(seed, slots, 1, &r);
	scan_and_compare(seed, slots, BITMAPS, &r);
	scan_and_compare(seed, &lockless, 1, &r);
	difference(&slots[0], &slots[1]);
	slots[0].chunks = lockless.chunks = min_u64(slots[0].chunks, lockless.chunks);
	difference(&slots[0], &lockless);
	difference(&lockless, &lockless);
}

static void callbacks_end_it(void)
{
	struct told told = { .end_after = 3 };
	struct look_bitmap bits = { .m = m, .chunks = 8 * 1000 };
	struct look_bitmap states = { .m = m, .chunks = 1000, .is_lockless = true };
	struct look_scan s = { .on_range = hear_range, .opaque = &told };
	struct look_scan again = { .on_state = hear_state, .opaque = &told };

	memset(bytes, 0x22, 1000);
	for (int i = 0; i < 1000; i += 2)
		bytes[i] = 3;
	if (pwrite(fd, bytes, 1000, 0) != 1000)
		ok(false, "the scratch member is written");
	ok(look_scan(&bits, &s) == -77 && told.count == 3, "a callback that answers a code ends the pass with it");
	ok(look_scan(&states, &again) == 0 && told.states_count == 3, "one that wants no more states is left alone");
	is_u64(again.states[LOCKLESS_NEED_SYNC] + again.states[LOCKLESS_INVALID], 1000, "and the rest is counted");
}

static void what_cannot_be(void)
{
	struct look_bitmap b = { .m = m, .at = { 4096 }, .chunks = UINT64_C(1) << 40 };
	struct look_bitmap end = { .m = m, .at = { UINT64_MAX }, .chunks = 9 };
	struct look_scan s = { 0 }, cells = { .cell_count = 7, .cell_chunks = 10 };
	struct look_bitmap seventy_one = { .m = m, .chunks = 71 }, seventy = { .m = m, .chunks = 70 };
	struct look_bitmap nothing = { .m = m };

	is_u64(-look_scan(&b, &s), EIO, "a bitmap longer than the member");
	is_u64(-look_scan(&end, &s), EIO, "one at the end of all bytes");
	is_u64(-look_scan(&seventy_one, &cells), EINVAL, "71 chunks in 7 cells of 10");
	is_u64(look_scan(&seventy, &cells), 0, "70 chunks in 7 cells of 10");
	ok(look_scan(&nothing, &s) == 0 && !s.set_chunks && !s.is_last_set, "a bitmap without chunks has none set");
	look_scan_drop(&cells);
}

int main(void)
{
	fd = mkstemp(path);
	if (!ok(fd >= 0, "a scratch file"))
		return tap_end();
	for (uint64_t seed = 1; seed <= 25; seed++)
		random_bitmaps(seed);
	callbacks_end_it();
	what_cannot_be();
	mbr_close(m);
	unlink(path);
	return tap_end();
}
