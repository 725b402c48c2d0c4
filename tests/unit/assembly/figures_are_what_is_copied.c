/* Goal: the bytes that a plan announces are those that the array copies, in every mixture of passes.
 * Method: mirrors of two and three members with set chunks, checkpoints, members that are stale, in the middle of a
 * recovery by the bitmap or in full; figures of the plan compared with what the array counted when it was
 * done; then 300 mixtures by chance.
 * Law: I8.
 * Source: assembly/action.c. */
#include "mirror.h"

#include "base/prng.h"

enum { SIZE = 63 * MIB };

/* The hands' part, naively: bytes of set chunks in the reach. */
static uint64_t set_bytes(const struct asm_reach *r)
{
	char name = (char)('a' + plan.bitmap_member);
	uint64_t bytes = 0;

	for (uint64_t chunk = 0; chunk < SIZE / MIB; chunk++) {
		uint64_t from = max_u64(chunk * MIB, r->from_bytes), end = min_u64((chunk + 1) * MIB, r->until_bytes);

		if (bit_of(name, chunk) && from < end)
			bytes += end - from;
	}
	return bytes;
}

static void copies(const char *names, uint64_t wanted, const char *what)
{
	struct asm_reach reach;
	uint64_t announced;

	is_u64(judge(names), 0, "%s", what);
	ok(!plan.is_upper_bound, "the figure is exact");
	announced = asm_bytes_in_full(m, &plan);
	if (asm_bitmap_reach(m, &plan, &reach))
		announced += set_bytes(&reach);
	is_u64(announced, wanted, "%llu bytes are announced", (unsigned long long)wanted);
	start(names);
	settle(10000);
	is_u64(status()->last.bytes_copied, wanted, "and copied");
	stop();
}

/* Chunks 5, 20, 21 and 50 are set. */
static void made(uint32_t count)
{
	static const uint64_t set[] = { 5, 20, 21, 50 };

	create(count);
	for (char name = 'a'; name < (char)('a' + count); name++)
		for (size_t i = 0; i < sizeof set / sizeof *set; i++)
			set_bit(name, set[i]);
}

static void all_dirty(uint32_t count, uint64_t resync_offset_sectors)
{
	for (char name = 'a'; name < (char)('a' + count); name++)
		EDIT(name, s->resync_offset_sectors = resync_offset_sectors);
}

static void recovering(char name, uint32_t features, uint64_t from)
{
	EDIT(name, s->feature_map |= FMT_SB1_RECOVERY_OFFSET | features; s->recovery_offset_sectors = from / 512);
}

static void resyncs(void)
{
	made(2);
	copies("ab", 0, "clean: set chunks are left alone");
	made(2);
	all_dirty(2, 0);
	copies("ab", 4 * MIB, "dirty: all set chunks");
	made(2);
	all_dirty(2, 21 * MIB / 512);
	copies("ab", 3 * MIB, "from a checkpoint on, and the chunk that ends there");
	made(2);
	EDIT_BITMAP('a', b->events = 16);
	all_dirty(2, 0);
	copies("ab", SIZE, "an old bitmap");
}

static void recoveries(void)
{
	made(2);
	recovering('b', FMT_SB1_RECOVERY_BITMAP, 20 * MIB + MIB / 2);
	copies("ab", 2 * MIB + MIB / 2, "goes on by the bitmap in the middle of a chunk");
	made(2);
	recovering('b', 0, 20 * MIB);
	copies("ab", 43 * MIB, "goes on in full");
	made(3);
	recovering('b', FMT_SB1_RECOVERY_BITMAP, 10 * MIB);
	recovering('c', 0, 50 * MIB + MIB / 2);
	copies("abc", 15 * MIB, "one by the bitmap, then both in full");
	made(3);
	recovering('c', 0, 50 * MIB + MIB / 2);
	all_dirty(3, 0);
	copies("abc", 3 * MIB + 13 * MIB, "a resync, and one in full from within a set chunk");
	made(2);
	at_event("a", 24);
	told_by("a", 1, FMT_ROLE_SPARE);
	EDIT_BITMAP('a', b->events_cleared = 17);
	copies("ab", 4 * MIB, "missed writes");
	made(2);
	recovering('b', 0, 0);
	EDIT('b', s->recovery_offset_sectors = (UINT64_C(1) << 55) + 20 * MIB / 512);
	copies("ab", 0, "an offset of more bytes than numbers hold is behind the end");
}

/* In sync, in the middle of a recovery, missed writes, or missed too much. */
static void comes_back(char name, uint32_t count, struct prng *r)
{
	uint64_t from = prng_below(r, SIZE / 4096) * 4096;

	switch (prng_below(r, 5)) {
	case 0:
		recovering(name, FMT_SB1_RECOVERY_BITMAP, from);
		break;
	case 1:
		recovering(name, 0, from);
		break;
	case 2:
	case 3:
		at_event(count == 2 || name == 'c' ? "a" : "ac", 24);
		told_by("a", (uint32_t)(name - 'a'), FMT_ROLE_SPARE);
		if (from & 4096)
			EDIT_BITMAP('a', b->events_cleared = 17);
		break;
	default:
		break;
	}
}

/* Any mixture of what the tests above do one by one. */
static void mixture(uint32_t seed)
{
	struct prng r = prng_seed(seed);
	uint32_t count = 2 + (uint32_t)prng_below(&r, 2);
	struct asm_reach reach;
	uint64_t announced;

	create(count);
	for (uint32_t i = 0; i < 4; i++)
		for (char name = 'a', chunk = (char)prng_below(&r, 63); name < (char)('a' + count); name++)
			set_bit(name, (uint64_t)chunk);
	if (prng_below(&r, 2))
		all_dirty(count, prng_below(&r, 2) ? 0 : prng_below(&r, SIZE / 4096) * 8);
	if (prng_below(&r, 4) == 0)
		EDIT_BITMAP('a', b->state |= FMT_BITMAP_STALE);
	for (char name = 'b'; name < (char)('a' + count); name++)
		comes_back(name, count, &r);
	if (judge(count == 2 ? "ab" : "abc"))
		return;
	announced = asm_bytes_in_full(m, &plan);
	if (asm_bitmap_reach(m, &plan, &reach))
		announced += set_bytes(&reach);
	start(count == 2 ? "ab" : "abc");
	settle(10000);
	is_u64(plan.action == ASM_NOTHING ? 0 : status()->last.bytes_copied, announced, "seed %u: %s", seed,
	       plan.reason);
	stop();
}

int main(void)
{
	resyncs();
	recoveries();
	for (uint32_t seed = 1; seed <= 300; seed++)
		mixture(seed);
	return tap_end();
}
