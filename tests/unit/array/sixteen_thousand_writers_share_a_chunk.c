/* Goal: one chunk has more writers at once than its counter can count: the surplus waits, every write is carried out
 * and answered once, and only when the last one has ended may the bit go.
 * Method: a bitmap of one chunk, 16400 writes of one sector each through the array's own door; their jobs are held
 * back, then reported one by one.
 * Law: I4, I9.
 * Source: museum of real bugs, "16383 writers in one chunk": the 14 bits of the counter overflowed, its bit went under
 * writes in flight. Planted: has_room() in src/bitmap/mark.c always says yes. */
#include "hands.h"

enum { WRITERS = 16400, COUNTED = BM_COUNT_MAX - 2, ONE_CHUNK = 16 << 20 };

static struct arr_req writers[WRITERS];
static uint8_t sector[SECTOR_BYTES] = { 'w' };

static void submit_all(void)
{
	for (uint64_t i = 0; i < WRITERS; i++) {
		struct arr_event ev = { .kind = ARR_EV_SUBMIT, .req = &writers[i] };

		writers[i] = (struct arr_req){ .op = ARR_WRITE, .at = { i * SECTOR_BYTES }, .len_bytes = SECTOR_BYTES,
					       .data = sector };
		step(&ev);
	}
}

static uint32_t count_under_way(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < WRITERS; i++)
		count += writers[i].job != NULL;
	return count;
}

/* Reports the jobs of @count writers from @first on; tells what the counter and the bit did meanwhile. */
static void report(uint32_t first, uint32_t count, uint32_t *ret_uncovered)
{
	*ret_uncovered = 0;
	for (uint32_t i = first; i < first + count; i++) {
		run_job_of(&writers[i]);
		*ret_uncovered += !bit_on(0, 0) || !bit_on(1, 0) || !bm_counter(w.bitmap, (chunk_no){ 0 });
	}
}

static uint32_t count_done(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < WRITERS; i++)
		count += writers[i].is_done && !writers[i].rc;
	return count;
}

int main(void)
{
	uint32_t uncovered;

	begin((struct setup){ .size = (uint64_t)WRITERS * SECTOR_BYTES, .chunk = ONE_CHUNK });
	is_u64(write_now(0, SECTOR_BYTES, '0'), 0, "one write makes the array active and sets the chunk's bit");
	hold(KIND(ARR_JOB_REQUEST));
	submit_all();
	is_u64(count_under_way(), COUNTED, "as many writes go out as the counter can count");
	is_u64(bm_counter(w.bitmap, (chunk_no){ 0 }), BM_COUNT_MAX, "the counter stands at its limit");
	report(0, WRITERS - COUNTED, &uncovered);
	is_u64(count_under_way(), COUNTED, "each that ends lets one that waited go out");
	is_u64(uncovered, 0, "the bit stayed set");
	pass(60000);
	ok(bit_on(0, 0) && bit_on(1, 0), "no sweep takes the bit while so many write");
	report(WRITERS - COUNTED, COUNTED, &uncovered);
	is_u64(count_done(), WRITERS, "every write was answered with success");
	is_u64(uncovered, 0, "the bit stayed set until the last one");
	ok(byte_of(0, 0) == 'w' && byte_of(1, (WRITERS - 1ull) * SECTOR_BYTES) == 'w', "the data is there");
	let_go(KIND(ARR_JOB_REQUEST));
	pass(60000);
	ok(!bit_on(0, 0) && !bit_on(1, 0), "then the bit goes");
	end();
	return tap_end();
}
