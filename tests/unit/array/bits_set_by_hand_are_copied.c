/* Goal: bits that are set by hand are on every disk before anybody is told; what they cover is copied, nothing else.
 * Method: ranges are set in idle, syncing and degraded arrays; scores, bytes and bits are looked at.
 * Law: I2, I8, I9.
 * Source: spec bitmap 4.7 (dirty_bits), 5 (bitmap_set_bits). */
#include "hands.h"

static int set_bits(uint64_t at, uint64_t len)
{
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_SET_BITS, .at = { at }, .len_bytes = len, .err = &err };

	step(&ev);
	if (ev.rc)
		ok(strlen(err.text) > 20, "it says why: %s", err.text);
	return ev.rc;
}

static bool is_copied(uint64_t chunk)
{
	return byte_of(1, chunk * CHUNK) == 'a';
}

static void idle(void)
{
	begin((struct setup){ 0 });
	hold(KIND(ARR_JOB_BITMAP));
	is_u64((uint64_t)set_bits(3 * CHUNK, 1), 0, "one byte");
	is_u64((uint64_t)set_bits(5 * CHUNK, 2 * CHUNK), 0, "and two chunks");
	is_u64((uint64_t)status()->bitmap_change, ARR_CHANGE_RUNS, "nobody is told that they are set");
	let_go(KIND(ARR_JOB_BITMAP));
	is_u64((uint64_t)status()->bitmap_change, 0, "before they are durable");
	ok(is_copied(3) && is_copied(5) && is_copied(6), "their chunks are copied");
	ok(!is_copied(2) && !is_copied(4) && !is_copied(7), "and no other");
	is_u64(status()->last.bytes_copied, 3 * CHUNK, "which is what is said");
	pass(60000);
	is_u64(bm_set_chunks(arr_bitmap(w.a)), 0, "and they are swept away");
	end();
}

/* The window ends behind them. */
static void behind_a_window(void)
{
	begin((struct setup){ .is_dirty = true, .set = 1 << 5 });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	is_u64((uint64_t)set_bits(2 * CHUNK, CHUNK), 0, "a chunk that the resync has passed");
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	ok(is_copied(5) && is_copied(2), "it goes back for it");
	is_u64(bm_needed_chunks(arr_bitmap(w.a)), 0, "and nothing is left");
	end();
}

static void alone(void)
{
	begin((struct setup){ 0 });
	fail(1);
	run();
	is_u64((uint64_t)set_bits(4 * CHUNK, CHUNK), 0, "nobody to compare with");
	run();
	is_u64(status()->action, ARR_SYNC_IDLE, "nothing runs");
	ok(bm_counter(arr_bitmap(w.a), (chunk_no){ 4 }) & BM_NEEDED, "the bit stays for who returns");
	end();
}

static void refusals(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	is_u64((uint64_t)set_bits(0, 1), (uint64_t)-ENOENT, "no bitmap");
	end();
	begin((struct setup){ 0 });
	is_u64((uint64_t)set_bits(SIZE, 1), (uint64_t)-EINVAL, "behind the end");
	is_u64((uint64_t)set_bits(SIZE - 1, UINT64_MAX), (uint64_t)-EINVAL, "so long that it begins again");
	is_u64((uint64_t)set_bits(0, 0), (uint64_t)-EINVAL, "nothing");
	end();
	begin((struct setup){ .is_readonly = true });
	is_u64((uint64_t)set_bits(0, 1), (uint64_t)UMD_E_READ_ONLY, "read-only");
	end();
}

int main(void)
{
	idle();
	behind_a_window();
	alone();
	refusals();
	return tap_end();
}
