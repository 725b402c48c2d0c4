/* Goal: writes that share a byte are applied in order of arrival on every member; others do not wait for each other.
 * Method: data I/O is held back while overlapping and separate writes arrive; also one that waits for something else.
 * Law: I12.
 * Source: design 4, step 1. */
#include "hands.h"

int main(void)
{
	struct arr_req *first, *second, *third, *apart;

	begin((struct setup){ 0 });
	write_now(0, 512, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	first = submit(ARR_WRITE, 0, 4096, '1');
	second = submit(ARR_WRITE, 2048, 4096, '2');
	third = submit(ARR_ZERO, 4096, 4096, '3');
	apart = submit(ARR_WRITE, 8192, 512, '4');
	run();
	ok(first->job && apart->job, "the first and the one apart are out");
	ok(!second->job && !third->job, "those that overlap wait, also behind one that waits");
	is_u64(waiting(ARR_JOB_REQUEST), 2, "two jobs in all");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(first->is_done && second->is_done && third->is_done && apart->is_done, "all end");
	for (uint32_t m = 0; m < 2; m++)
		ok(byte_of(m, 0) == '1' && byte_of(m, 2048) == '2' && byte_of(m, 4096) == 0 && byte_of(m, 6143) == 0 &&
		   byte_of(m, 8191) == 0,
		   "member %u has the last word of each", m);
	end();

	/* The first waits for its bit, the second's bit is durable: it must not overtake. */
	begin((struct setup){ 0 });
	write_now(CHUNK, 512, 'w');
	hold(KIND(ARR_JOB_BITMAP));
	first = submit(ARR_WRITE, CHUNK - 4096, 8192, '1');
	second = submit(ARR_WRITE, CHUNK, 4096, '2');
	run();
	ok(!second->job && byte_of(0, CHUNK) == 'w',
	   "a write whose bit is durable waits for an earlier one whose bit is not");
	let_go(KIND(ARR_JOB_BITMAP));
	ok(first->is_done && second->is_done && byte_of(0, CHUNK) == '2' && byte_of(1, CHUNK) == '2',
	   "and comes after it");
	end();
	return tap_end();
}
