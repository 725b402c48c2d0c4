/* The pass over a bitmap's chunks, bits or lockless states, against a count chunk by chunk.
 *
 * Input: 1 byte flags (1 lockless, 2 two slots of a cluster), 1 how far pieces lie apart, 2 chunks, 2 from, 2 until, 1
 * runs that are kept, 1 cell size; then the bytes of the chunks, in pieces of 64 with holes between.
 * Properties: every count, cell, run and state is the naive one; kept runs are the first ones; two bitmaps compared
 * differ where they do. */
#include <string.h>

#include "fuzz.h"
#include "scratch.h"

#include "look/scan.h"

enum { PIECE_BYTES = 64, IMAGE_BYTES = 1 << 15, CELLS_MAX = 512 };

static uint8_t image[2][IMAGE_BYTES];

struct naive {
	uint64_t set, between, runs, states[LOCKLESS_STATES];
};

static bool is_set(const struct look_bitmap *slots, uint32_t count, uint64_t chunk)
{
	if (slots->is_lockless)
		return fmt_lockless_is_due(fmt_lockless_state(image[0][slots->at.bytes + chunk]));
	for (uint32_t i = 0; i < count; i++)
		if (image[i][slots->at.bytes + chunk / 8] >> chunk % 8 & 1)
			return true;
	return false;
}

static void count(const struct look_bitmap *slots, uint32_t slot_count, const struct look_scan *s, struct naive *n)
{
	uint64_t until = s->until ? s->until : UINT64_MAX;
	bool before = false;

	memset(n, 0, sizeof *n);
	for (uint64_t i = 0; i < slots->chunks; i++) {
		bool now = is_set(slots, slot_count, i);

		n->set += now;
		n->between += now && i >= s->from && i < until;
		n->runs += now && !before;
		if (n->runs && n->runs <= s->range_count) {
			const struct look_range *r = &s->ranges[n->runs - 1];

			FUZZ_MUST(now == (i >= r->first && i <= r->last));
		}
		if (slots->is_lockless)
			n->states[fmt_lockless_state(image[0][slots->at.bytes + i])]++;
		before = now;
	}
}

static void cells_are_right(const struct look_bitmap *slots, uint32_t slot_count, const struct look_scan *s)
{
	uint64_t cells[CELLS_MAX] = { 0 }, states[LOCKLESS_STATES] = { 0 };

	for (uint64_t i = 0; i < slots->chunks; i++)
		cells[i / s->cell_chunks] += is_set(slots, slot_count, i);
	FUZZ_MUST(!memcmp(cells, s->cells, s->cell_count * sizeof *cells));
	if (!slots->is_lockless)
		return;
	for (int state = 0; state < LOCKLESS_STATES; state++)
		for (uint64_t i = 0; i < s->cell_count; i++)
			states[state] += s->state_cells[state][i];
	FUZZ_MUST(!memcmp(states, s->states, sizeof states));
}

static void compare(const struct look_bitmap slots[2], uint64_t cell_chunks, uint64_t cell_count)
{
	uint64_t only_a[CELLS_MAX] = { 0 }, only_b[CELLS_MAX] = { 0 }, a = 0, b = 0;
	struct look_compare c = { cell_chunks, cell_count, only_a, only_b };

	FUZZ_MUST(look_compare(&slots[0], &slots[1], &c) == 0);
	for (uint64_t i = 0; i < slots->chunks; i++) {
		bool in_a = is_set(&slots[0], 1, i), in_b = image[1][slots->at.bytes + i / 8] >> i % 8 & 1;

		a += in_a && !in_b;
		b += in_b && !in_a;
		only_a[i / cell_chunks] -= in_a && !in_b;
		only_b[i / cell_chunks] -= in_b && !in_a;
	}
	FUZZ_MUST(c.only_a_chunks == a && c.only_b_chunks == b);
	for (uint64_t i = 0; i < cell_count; i++)
		FUZZ_MUST(!only_a[i] && !only_b[i]);
}

/* The bytes of the input on both members, apart from each other; what lies between was never written. */
static void spread(struct fuzz_input *in, unsigned apart, uint32_t slot_count, const int fds[2])
{
	uint64_t step = PIECE_BYTES << (apart & 7), at = (apart >> 3) * 37;

	memset(image, 0, sizeof image);
	for (uint32_t i = 0; i < slot_count; i++)
		scratch_empty(fds[i], IMAGE_BYTES);
	for (unsigned piece = 0; in->at < in->end && at + PIECE_BYTES <= IMAGE_BYTES; at += step, piece++) {
		uint32_t slot = piece % slot_count;

		fuzz_take_bytes(in, image[slot] + at, PIECE_BYTES);
		scratch_write(fds[slot], at, image[slot] + at, PIECE_BYTES);
	}
}

static void scan(const struct look_bitmap slots[2], uint32_t slot_count, struct look_scan s)
{
	struct naive n;

	FUZZ_MUST(look_scan_union(slots, slot_count, &s) == 0);
	count(slots, slot_count, &s, &n);
	FUZZ_MUST(s.set_chunks == n.set && s.set_between == n.between && s.run_count == n.runs);
	FUZZ_MUST(s.range_count == (n.runs < s.ranges_max ? n.runs : s.ranges_max));
	FUZZ_MUST(s.is_last_set == (slots->chunks && is_set(slots, slot_count, slots->chunks - 1)));
	if (slots->is_lockless)
		FUZZ_MUST(!memcmp(n.states, s.states, sizeof n.states));
	cells_are_right(slots, slot_count, &s);
	look_scan_drop(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct member *members[2];
	struct fuzz_input in = { data, data + size };
	unsigned flags = fuzz_take(&in, 1), apart = fuzz_take(&in, 1);
	bool is_lockless = flags & 1;
	uint32_t slot_count = !is_lockless && flags & 2 ? 2 : 1;
	uint64_t chunks = fuzz_take(&in, 2);
	struct look_scan s = { .from = fuzz_take(&in, 2), .until = fuzz_take(&in, 2), .ranges_max = fuzz_take(&in, 1) };
	struct look_bitmap slots[2];
	int fds[2];

	s.cell_chunks = 1 + chunks / (CELLS_MAX - 1) + fuzz_take(&in, 1);
	s.cell_count = chunks / s.cell_chunks + 1;
	for (unsigned i = 0; i < 2; i++) {
		const char *path = scratch_file(i, &fds[i]);

		if (!members[i])
			scratch_empty(fds[i], IMAGE_BYTES), mbr_open_look(path, &members[i], NULL);
		FUZZ_MUST(members[i]);
		slots[i] = (struct look_bitmap){ .m = members[i], .at = { 17 * (flags >> 2) },
						 .is_lockless = is_lockless,
						 .chunks = chunks };
	}
	if (slots->at.bytes + (is_lockless ? chunks : (chunks + 7) / 8) > IMAGE_BYTES)
		return 0;
	spread(&in, apart, slot_count, fds);
	scan(slots, slot_count, s);
	if (slot_count == 2)
		compare(slots, s.cell_chunks, s.cell_count);
	return 0;
}
