/* One bitmap takes the place of another: what is set in the old one is set in the new one (I3, P6 to P8).
 *
 *   old chunks   |  1  |  0  |  0  |  1N |        N: NEEDED
 *   new, larger  |     1     |    1N     |        set where any old one below it is set, NEEDED where any is
 *   new, smaller |1 |1 |0 |0 |0 |0 |1N|1N|
 *
 * Every chunk has a counter and a bit of its own in both, whatever their sizes. Carrying is done once to get the
 * memory, while the old one is still in use and nothing is lost when there is none, and once more at the exchange, for
 * flags that came meanwhile: nobody writes in between, so no further chunk can be counted then.
 *
 * Until all new pages are on disk, the bitmap there is a mixture of both. So the first sector of page 0 goes out alone,
 * before everything else, and says STALE: every bit counts as set, whatever lies behind it. It loses that when all
 * the rest is durable (store.c). events_cleared stays what it was: no bit is lost. The same is due when members are
 * found with different chunks, because the power went in the middle.
 *
 * Left out: drain and order of it all (array/rebitmap.c). */
#include "bitmap/private.h"

#include <errno.h>

static int carry_chunk(struct bm *to, const struct bm *from, uint64_t chunk)
{
	uint64_t at = chunk << from->chunk_shift;
	struct chunk_range r = chunks_of(to, (array_off){ at }, chunk_end(from, chunk) - at);
	bool is_needed = counter_of(from, chunk) & BM_FLAGS;

	if (!bm_counters_reserve(to, r))
		return -ENOMEM;
	for (uint64_t i = r.first; i <= r.last; i++) {
		bm_counter_act(to, i, is_needed ? BM_ACT_LOAD_NEEDED : BM_ACT_LOAD_IDLE);
		bm_store_set(to, i);
	}
	return 0;
}

int bm_carry(struct bm *to, const struct bm *from)
{
	chunk_no first = { 0 }, last;

	MUST(to->sync_bytes == from->sync_bytes && !bm_is_bare(to) && !bm_is_bare(from));
	for (; bm_next_set(from, first, &first, &last); first.index = last.index + 1)
		for (uint64_t i = first.index; i <= last.index; i++)
			if (carry_chunk(to, from, i))
				return -ENOMEM;
	to->sb.events = from->sb.events;
	to->sb.events_cleared = from->sb.events_cleared;
	bm_store_head(to);
	return 0;
}

void bm_rewrite(struct bm *b)
{
	MUST(!bm_is_bare(b));
	if (b->is_rewriting)
		return;
	b->is_rewriting = b->is_carried = true;
	b->sb.state |= FMT_BITMAP_STALE;
	bm_store_head(b);
	bm_write_all(b);
}
