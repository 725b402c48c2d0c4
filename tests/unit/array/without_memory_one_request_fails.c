/* Goal: a write that finds no memory says so and leaves the array as it was: the same write succeeds later, and the
 * array can be stopped. The array's own work, which nobody asks for twice, tries again by itself.
 * Method: this program brings its own allocator, which refuses from a chosen call on, at every place in turn.
 * Law: I9, I3.
 * Source: docs/differences.md, no-hijack. */
#include "hands.h"
#include "unit/short_of_memory.h"

/* Memory is back; nothing happens but what the array asked for. */
static void with_memory(void)
{
	allocations_left = MEMORY_ENOUGH;
	for (int i = 0; i < 100 && arr_next_timer_ms(w.a) != UINT64_MAX; i++) {
		w.now_ms = max_u64(w.now_ms + 1, arr_next_timer_ms(w.a));
		run();
	}
}

static void the_claim_tries_again(void)
{
	struct arr_req *r;

	begin((struct setup){ .set = 1 });
	allocations_left = 0;
	r = submit(ARR_WRITE, 0, 512, 'w');
	run();
	ok(!r->is_done && !times("bitmap"), "no memory for the bitmap that goes before the superblocks");
	ok(arr_next_timer_ms(w.a) > w.now_ms && arr_next_timer_ms(w.a) <= w.now_ms + 1000,
	   "the array wants to be woken");
	with_memory();
	ok(r->is_done && !r->rc, "the write that waits for it is answered when memory is there again");
	stop();
	run();
	end();
}

static void a_new_member_s_bitmap_tries_again(void)
{
	begin((struct setup){ .members = 1, .slots = 2, .set = 6 });
	allocations_left = 0;
	join(ARR_M_SPARE, 0, false);
	run();
	with_memory();
	ok(state_of(1) == ARR_M_IN_SYNC, "a member that joined without memory for its bitmap is recovered later");
	end();
}

int main(void)
{
	int refused = 0;

	the_claim_tries_again();
	a_new_member_s_bitmap_tries_again();

	for (int left = 0; left < 8; left++) {
		int rc;

		begin((struct setup){ .set = 1 });
		write_now(0, 512, 'w');
		allocations_left = left;
		rc = write_now(6 * CHUNK, 512, 'x');
		allocations_left = MEMORY_ENOUGH;
		ok(rc == 0 || rc == -ENOMEM, "memory for %d: the write says %d", left, rc);
		ok(byte_of(0, 6 * CHUNK) == (rc ? 'a' : 'x') && byte_of(1, 6 * CHUNK) == (rc ? 'b' : 'x'),
		   "and its data is where it says");
		is_u64(bm_counter(w.bitmap, (chunk_no){ 6 }) & BM_COUNT_MAX, rc && !bm_bit(w.bitmap,
		       (chunk_no){ 6 }) ? 0 : 2, "nobody is counted any more");
		is_u64((uint64_t)write_now(6 * CHUNK, 512, 'y'), 0, "with memory it succeeds");
		stop();
		run();
		ok(arr_is_stopped(w.a) && !bm_set_chunks(w.bitmap), "and the array stops, clean");
		end();
		refused += rc != 0;
	}
	ok(refused > 0 && refused < 8, "%d of 8 writes were refused", refused);
	return tap_end();
}
