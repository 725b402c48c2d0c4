/* Goal: a write into a chunk that has as many writes as its counter can count waits, and goes on when one of them
 * ends.
 * Method: all but one place of a chunk's counter are taken before the array begins.
 * Law: I9.
 * Source: spec bitmap 4.1. */
#include "hands.h"

static void fill(struct bm *b)
{
	for (int i = 0; i < BM_COUNT_MAX - 3; i++)
		bm_mark(b, (array_off){ 4 * CHUNK }, 512);
}

int main(void)
{
	struct arr_req *first, *second, *third, *elsewhere;

	begin((struct setup){ .prepare = fill });
	hold(KIND(ARR_JOB_REQUEST));
	first = submit(ARR_WRITE, 4 * CHUNK, 512, '1');
	run();
	ok(first->job, "one more fits");
	second = submit(ARR_WRITE, 4 * CHUNK + 4096, 512, '2');
	third = submit(ARR_WRITE, 4 * CHUNK - 512, 1024, '3');
	elsewhere = submit(ARR_WRITE, 0, 512, '4');
	run();
	ok(!second->job && !third->job, "two that do not wait");
	is_u64(bm_counter(w.bitmap, (chunk_no){ 4 }), BM_COUNT_MAX, "the counter stands at its limit");
	is_u64(bm_counter(w.bitmap, (chunk_no){ 3 }), 0, "a neighbour was not counted for a write that waits");
	ok(elsewhere->job, "other chunks are open");
	run_job_of(first);
	ok(first->is_done && second->job, "one ends, the next goes on");
	ok(!third->job, "the other still waits");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(second->is_done && third->is_done && !second->rc && !third->rc, "all end");
	ok(byte_of(1, 4 * CHUNK) == '3' && byte_of(1, 4 * CHUNK + 4096) == '2', "with their data");
	end();
	return tap_end();
}
