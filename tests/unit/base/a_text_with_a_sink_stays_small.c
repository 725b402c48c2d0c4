/* Goal:   a text with a sink hands over everything in order, stays small, and tells once what went wrong.
 * Method: two megabytes of JSON go through a sink that compares them with the same JSON made without one; then a sink
 *         that refuses the second piece, an empty text, and a single string longer than a piece.
 * Law:    none.
 * Source: base/text.h; issue 3: examine's memory does not grow with what an image claims. */
#include "base/mem.h"
#include "base/text.h"
#include "tap.h"

enum { RUNS = 150000, REFUSAL = -77 };

struct seen {
	const char *wanted;
	size_t len_bytes, piece_max_bytes;
	int pieces, refuse_at;
	bool is_same;
};

static int see(void *opaque, const char *data, size_t len_bytes)
{
	struct seen *s = opaque;

	if (++s->pieces == s->refuse_at)
		return REFUSAL;
	s->is_same = s->is_same && !memcmp(s->wanted + s->len_bytes, data, len_bytes);
	s->len_bytes += len_bytes;
	if (len_bytes > s->piece_max_bytes)
		s->piece_max_bytes = len_bytes;
	return 0;
}

static void write_runs(struct text *t)
{
	json_open(t, NULL, '[');
	for (uint64_t i = 0; i < RUNS; i++) {
		json_u64(t, NULL, i * 1000003);
		json_strn(t, NULL, "a\x01\"z", 4);
	}
	json_close(t, ']');
}

static void all_arrives(void)
{
	struct text whole = { 0 }, t = { 0 };
	struct seen seen = { .is_same = true };
	size_t wanted_bytes, room_max = 0;
	char *wanted;

	write_runs(&whole);
	wanted_bytes = whole.len_bytes;
	wanted = text_take(&whole);
	seen.wanted = wanted;
	t.sink = see;
	t.sink_opaque = &seen;
	write_runs(&t);
	room_max = t.room_bytes;
	is_u64(text_end(&t), 0, "the text ends well");
	is_u64(seen.len_bytes, wanted_bytes, "every byte arrived");
	ok(seen.is_same, "and is the one a text without a sink holds");
	ok(seen.pieces > 20 && seen.piece_max_bytes < 2 * TEXT_SINK_BYTES, "in pieces: %d", seen.pieces);
	ok(room_max <= 2 * TEXT_SINK_BYTES, "the text needed %zu bytes of room", room_max);
	ok(!t.data, "nothing is left to be freed");
	mem_free(wanted);
}

static void a_refusal_ends_it(void)
{
	struct seen seen = { .refuse_at = 2, .is_same = true };
	struct text t = { .sink = see, .sink_opaque = &seen };
	struct text whole = { 0 };
	char *wanted;

	write_runs(&whole);
	wanted = text_take(&whole);
	seen.wanted = wanted;
	write_runs(&t);
	ok(text_end(&t) == REFUSAL, "the sink's own code comes back");
	is_u64(seen.pieces, 2, "and it was not called again");
	mem_free(wanted);
}

static void odd_lengths(void)
{
	static char big[5 * TEXT_SINK_BYTES];
	struct seen seen = { .wanted = big, .is_same = true };
	struct text t = { .sink = see, .sink_opaque = &seen };

	is_u64(text_end(&t), 0, "an empty text ends well");
	is_u64(seen.pieces, 0, "without a piece");

	memset(big, 'x', sizeof big - 1);
	t = (struct text){ .sink = see, .sink_opaque = &seen };
	text_add(&t, "%s", big);
	is_u64(seen.pieces, 1, "a long string is handed over at once");
	text_add(&t, "x");
	is_u64(text_end(&t), 0, "the rest follows at the end");
	ok(seen.pieces == 2 && seen.len_bytes == sizeof big, "all of it");
}

static void without_memory(void)
{
	struct seen seen = { .is_same = true };
	struct text t = { .sink = see, .sink_opaque = &seen, .is_broken = true };

	json_u64(&t, NULL, 1);
	ok(text_end(&t) < 0 && seen.pieces == 0, "a text that ran out of memory says so, and hands over nothing");
}

int main(void)
{
	all_arrives();
	a_refusal_ends_it();
	odd_lengths();
	without_memory();
	return tap_end();
}
