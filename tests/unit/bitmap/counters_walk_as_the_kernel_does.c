/* Goal: one chunk's counter takes the values Linux shows, step by step.
 * Method: the published walks (start, end, sweep, resync) on one chunk, each value compared.
 * Law: I4, I8.
 * Source: md bitmap 4.5 and test vector V22. */
#include "bm_help.h"

enum { CHUNK = 65536 };

static void idle_walk(void)
{
	struct bm *b = a_bitmap(16 * CHUNK, CHUNK);
	array_off a = at(3 * CHUNK);

	is_u64(bm_counter(b, chunk(3)), 0, "clean");
	is_u64(bm_mark(b, a, 4096), BM_MARKED, "a write is counted");
	is_u64(bm_counter(b, chunk(3)), 3, "0 +start 3");
	bm_mark(b, a, 4096);
	is_u64(bm_counter(b, chunk(3)), 4, "3 +start 4");
	commit(b);
	bm_done(b, a, 4096, false);
	is_u64(bm_counter(b, chunk(3)), 3, "4 +end 3");
	bm_done(b, a, 4096, false);
	is_u64(bm_counter(b, chunk(3)), 2, "3 +end 2");
	ok(!bm_age(b), "nothing is ripe in the first pass");
	is_u64(bm_counter(b, chunk(3)), 1, "2 sweep 1");
	bm_mark(b, a, 4096);
	is_u64(bm_counter(b, chunk(3)), 3, "1 +start 3");
	ok(bm_is_stable(b, a, 4096), "its bit never left the disk: no commit is needed");
	bm_done(b, a, 4096, false);
	is_u64(bm_counter(b, chunk(3)), 2, "3 +end 2");
	bm_age(b);
	is_u64(bm_counter(b, chunk(3)), 1, "2 sweep 1");
	ok(bm_age(b), "ripe");
	is_u64(clear_ripe(b), 1, "one bit is cleared");
	is_u64(bm_counter(b, chunk(3)), 0, "1 sweep 0");
	bm_free(b);
}

static void degraded_walk(bool is_aborted)
{
	struct bm *b = a_bitmap(16 * CHUNK, CHUNK);
	array_off a = at(0);

	bm_mark(b, a, 512);
	commit(b);
	bm_done(b, a, 512, true);
	is_u64(bm_counter(b, chunk(0)), 0x8002, "0 +start 3 +end(fail) 0x8002");
	ok(!bm_age(b) && !bm_wants_sweep(b), "the sweep has no work with it");
	is_u64(bm_counter(b, chunk(0)), 0x8002, "sweep leaves it unchanged");
	bm_sync_start(b, a, CHUNK, true);
	is_u64(bm_counter(b, chunk(0)), 0x8002, "start_sync while degraded leaves it unchanged");
	bm_sync_start(b, a, CHUNK, false);
	is_u64(bm_counter(b, chunk(0)), 0x4002, "start_sync 0x4002");
	bm_sync_end(b, a, CHUNK, at(CHUNK), !is_aborted);
	is_u64(bm_counter(b, chunk(0)), is_aborted ? 0x8002 : 2, "end_sync %s", is_aborted ? "aborted" : "ok");
	bm_free(b);
}

static void write_during_sync(void)
{
	struct bm *b = a_bitmap(16 * CHUNK, CHUNK);
	array_off a = at(CHUNK);

	bm_set_needed(b, a, CHUNK);
	bm_sync_start(b, a, CHUNK, false);
	is_u64(bm_counter(b, chunk(1)), 0x4002, "in a window");
	bm_mark(b, a, 512);
	is_u64(bm_counter(b, chunk(1)), 0x4003, "0x4002 +start 0x4003");
	bm_done(b, a, 512, true);
	is_u64(bm_counter(b, chunk(1)), 0xc002, "end(fail) 0xC002");
	bm_sync_end(b, a, CHUNK, at(2 * CHUNK), true);
	is_u64(bm_counter(b, chunk(1)), 0x8002, "end_sync(ok) 0x8002");
	bm_free(b);
}

int main(void)
{
	idle_walk();
	degraded_walk(false);
	degraded_walk(true);
	write_during_sync();
	return tap_end();
}
