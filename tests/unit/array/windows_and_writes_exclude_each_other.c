/* Goal: nobody writes a byte while it is copied: a window waits for writes in flight and holds back new ones; reads
 * go on.
 * Method: a dirty array of one large dirty range; the window's read, its write, or a client's write is held back.
 * Law: I2, I12.
 * Source: spec array 5.2. */
#include "hands.h"

enum { BIG = 3 << 20 };

static struct setup dirty(void)
{
	return (struct setup){ .size = BIG, .is_dirty = true, .has_no_bitmap = true };
}

static void a_window_holds_writes_back(enum arr_job_kind kind, const char *when)
{
	struct arr_req *inside, *behind, *read;

	begin(dirty());
	hold(KIND(kind));
	inside = submit(ARR_WRITE, 4096, 4096, 'x');	/* before there is a window: goes first */
	run();
	ok(inside->is_done, "%s: a write that came before the window", when);
	inside = submit(ARR_WRITE, (1 << 20) - 512, 512, 'y');
	behind = submit(ARR_WRITE, 1 << 20, 512, 'z');
	read = submit(ARR_READ, 0, 512, 0);
	run();
	ok(!inside->is_done && !inside->job, "%s: a write of the window's last sector waits", when);
	ok(behind->is_done && !behind->rc, "%s: one behind it does not", when);
	ok(read->is_done && *(uint8_t *)read->data == 'a', "%s: neither does a read inside", when);
	let_go(KIND(kind));
	ok(inside->is_done && byte_of(0, (1 << 20) - 1) == 'y' && byte_of(1, (1 << 20) - 1) == 'y',
	   "%s: then it is done on both", when);
	ok(!memcmp(w.hands[0].media + DATA_AT, w.hands[1].media + DATA_AT, BIG), "%s: and the copies are equal", when);
	end();
}

static void writes_hold_a_window_back(void)
{
	struct arr_req *r;

	begin(dirty());
	hold(KIND(ARR_JOB_REQUEST) | KIND(ARR_JOB_SYNC_READ));
	run();
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_u64(times("from0 to1"), 3, "three windows of a megabyte");
	end();

	begin(dirty());
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, (2 << 20) + 4096, 4096, 'x');
	run();
	is_score("from0 to1 from0 to1", "a window waits for a write in flight there");
	is_u64(waiting(ARR_JOB_REQUEST), 1, "which is the only job left");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done, "it ends");
	is_score("write01 from0 to1 FLUSH01 active01", "and the window goes on, and all is flushed and told");
	end();
}

/* The window is decided while the write waits for its bit: the write was there first. */
static void a_marked_write_is_in_flight(void)
{
	struct arr_req *r;

	begin((struct setup){ .size = BIG, .is_dirty = true, .set = 1ull << 20 });
	hold(KIND(ARR_JOB_BITMAP));
	r = submit(ARR_WRITE, 20 * CHUNK + 4096, 4096, 'x');
	run();
	is_u64(waiting(ARR_JOB_SYNC_READ) + times("from"), 0, "a window waits for a write that waits for its bit");
	let_go(KIND(ARR_JOB_BITMAP));
	ok(r->is_done && byte_of(1, 20 * CHUNK) == 'a' && byte_of(1, 20 * CHUNK + 4096) == 'x',
	   "both come to their end");
	end();
}

int main(void)
{
	a_window_holds_writes_back(ARR_JOB_SYNC_READ, "reading");
	a_window_holds_writes_back(ARR_JOB_SYNC_WRITE, "writing");
	writes_hold_a_window_back();
	a_marked_write_is_in_flight();
	return tap_end();
}
