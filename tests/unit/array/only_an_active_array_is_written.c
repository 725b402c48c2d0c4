/* Goal: data reaches a member only when every in-sync member's superblock says active, durably.
 * Method: writes into a clean array with the claim, its bitmap part and then nothing held back.
 * Law: I10.
 * Source: design 4, step 1; spec array 3, "first write into a clean array". */
#include "hands.h"

static void order(void)
{
	struct arr_req *r;

	begin((struct setup){ 0 });
	hold(KIND(ARR_JOB_CLAIM));
	r = submit(ARR_WRITE, 0, 4096, 'x');
	run();
	is_score("bitmap01", "the bitmap's superblock goes first, then the array waits");
	is_u64(waiting(ARR_JOB_CLAIM), 1, "for one round of superblocks");
	ok(!r->is_done && !r->job && byte_of(0, 0) == 'a', "no data meanwhile");
	let_go(KIND(ARR_JOB_CLAIM));
	is_score("active01 bitmap01 write01", "active, then the bit, then data");
	ok(r->is_done && !r->rc, "and the write is done");
	is_u64(status()->events, FIRST_EVENTS + 1, "one event");
	end();
}

static void without_bitmap(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	is_u64(write_now(4096, 4096, 'x'), 0, "a write without a bitmap");
	is_score("active01 write01", "waits for the superblocks alone");
	is_u64(write_now(8192, 4096, 'x'), 0, "the next one");
	is_score("write01", "for nothing");
	end();
}

static void one_superblock_fails(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	w.hands[1].fails = FAILS_WRITE;
	is_u64(write_now(0, 4096, 'x'), 0, "a member refuses its superblock");
	is_score("active01 active0 write0", "it gets no data, and the others say that it failed before data goes out");
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "faulty");
	ok(byte_of(1, 0) == 'b', "its data is as before");
	end();
}

static void found_active(void)
{
	begin((struct setup){ .is_dirty = true, .set = 1 });
	hold(KIND(ARR_JOB_SYNC_READ));
	is_u64(write_now(5 * CHUNK, 4096, 'x'), 0, "an array that was found active");
	is_u64(times("active"), 0, "needs no claim");
	let_go(KIND(ARR_JOB_SYNC_READ));
	end();
}

int main(void)
{
	order();
	without_bitmap();
	one_superblock_fails();
	found_active();
	return tap_end();
}
