/* Two bitmaps of the same chunks side by side: what only one of them has set.
 *
 * Both are read in the same pieces, as bits; where neither has data nothing is read. One may be lockless and the other
 * not: what counts is whether a chunk is set, or due. Left out: runs of the difference. */
#include "look/scan_inside.h"

#include <errno.h>

#include "base/mem.h"

struct pair {
	struct look_compare *c;
	struct scan_reader a, b;
	struct scan_states table;
	uint64_t a_words[SCAN_WORDS], b_words[SCAN_WORDS], bytes[SCAN_WORDS];
};

static int read_bits(struct pair *p, struct scan_reader *r, uint64_t first, uint64_t count, uint64_t *words)
{
	int rc;

	if (!r->b->is_lockless)
		return look_reader_read(r, first, count, words);
	rc = look_reader_read(r, first, count, p->bytes);
	if (rc == 0)
		look_states_due(&p->table, (const uint8_t *)p->bytes, count, words);
	return rc;
}

/* Each side loses what the other has too. */
static void subtract(struct pair *p, uint64_t count)
{
	for (uint64_t i = 0; i < div_up(count, SCAN_WORD_CHUNKS); i++) {
		uint64_t both = p->a_words[i] & p->b_words[i];

		p->a_words[i] &= ~both;
		p->b_words[i] &= ~both;
	}
}

static void count(struct look_compare *c, struct pair *p, uint64_t first, uint64_t len)
{
	uint64_t hi;

	for (uint64_t lo = 0; lo < len; lo = hi) {
		uint64_t cell = (first + lo) / c->cell_chunks, only_a, only_b;

		hi = lo + min_u64(len - lo, c->cell_chunks - (first + lo) % c->cell_chunks);
		only_a = look_words_set(p->a_words, lo, hi);
		only_b = look_words_set(p->b_words, lo, hi);
		c->only_a_chunks += only_a;
		c->only_b_chunks += only_b;
		c->only_a[cell] += only_a;
		c->only_b[cell] += only_b;
	}
}

static int walk(struct pair *p, uint64_t chunks, bool has_lockless)
{
	struct scan_pace pace = { 0 };
	uint64_t at = 0, next, len;
	int rc = 0;

	while (rc == 0) {
		next = min_u64(look_reader_next(&p->a, at), look_reader_next(&p->b, at));
		if (next >= chunks)
			break;
		len = look_scan_pace(&pace, next, chunks, has_lockless);
		rc = read_bits(p, &p->a, next, len, p->a_words);
		if (rc == 0)
			rc = read_bits(p, &p->b, next, len, p->b_words);
		if (rc == 0) {
			subtract(p, len);
			count(p->c, p, next, len);
		}
		at = next + len;
	}
	return rc;
}

int look_compare(const struct look_bitmap *a, const struct look_bitmap *b, struct look_compare *c)
{
	struct pair *p;
	int rc;

	if (!look_bitmap_is_on_member(a) || !look_bitmap_is_on_member(b))
		return -EIO;
	if (a->chunks != b->chunks || !c->cell_chunks || div_up(a->chunks, c->cell_chunks) > c->cell_count)
		return -EINVAL;
	p = mem_new(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->c = c;
	look_reader_begin(&p->a, a);
	look_reader_begin(&p->b, b);
	if (a->is_lockless || b->is_lockless)
		look_states_learn(&p->table);
	rc = walk(p, a->chunks, a->is_lockless || b->is_lockless);
	mem_free(p);
	return rc;
}
