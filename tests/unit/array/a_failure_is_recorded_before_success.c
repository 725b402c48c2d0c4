/* Goal: a client hears of a write that a member lacks only when the others' superblocks say that this member failed;
 * and no data follows that the failed member lacks while a restart could still prefer it.
 * Method: one member refuses data, a flush, a commit; the claim is held back; later writes wait.
 * Law: I1, I2.
 * Source: design 4, step 5; spec array 4.2, "wait for blocked members". */
#include "hands.h"

static void warm_up(uint32_t members)
{
	begin((struct setup){ .members = members });
	write_now(0, 4096, 'w');
	score();
}

static void of_a_write(void)
{
	struct arr_req *r;

	warm_up(3);
	w.hands[2].fails = FAILS_WRITE;
	hold(KIND(ARR_JOB_CLAIM));
	r = submit(ARR_WRITE, 0, 4096, 'x');
	run();
	is_score("write012 bitmap01", "one member fails the write; the failure is being recorded");
	ok(!r->is_done, "the client waits");
	is_u64(state_of(2), ARR_M_FAULTY, "though the member is out at once");
	is_u64(status()->members[2].errors, 1, "and its error is counted");
	let_go(KIND(ARR_JOB_CLAIM));
	is_score("active01", "recorded on the two others");
	ok(r->is_done && !r->rc, "then it hears success");
	is_u64(told_role(0, 2), ARR_ROLE_FAULTY, "the first calls it faulty");
	is_u64(told_role(1, 2), ARR_ROLE_FAULTY, "the second calls it faulty");
	ok(!w.hands[2].has_super || told_role(2, 2) == 2, "its own superblock is as it was");
	end();
}

static void of_a_flush(void)
{
	struct arr_req *r;

	warm_up(2);
	w.hands[0].fails = FAILS_FLUSH;
	hold(KIND(ARR_JOB_CLAIM));
	r = submit(ARR_FLUSH, 0, 0, 0);
	run();
	ok(!r->is_done && state_of(0) == ARR_M_FAULTY, "a failed flush fails the member, and waits");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(r->is_done && !r->rc, "success when that is recorded");
	is_u64(told_role(1, 0), ARR_ROLE_FAULTY, "on the one that flushed");
	end();
}

/* The member that failed may come back with the same event number and a bitmap that lacks the bit. */
static void data_waits_for_the_record(void)
{
	struct arr_req *set, *clear;

	warm_up(2);
	hold(KIND(ARR_JOB_CLAIM));
	is_u64(fail(0), 0, "a member is failed");
	set = submit(ARR_WRITE, 0, 4096, 'x');
	clear = submit(ARR_WRITE, 3 * CHUNK, 4096, 'y');
	run();
	ok(!set->is_done && !clear->is_done, "writes wait");
	ok(byte_of(1, 0) == 'w' && byte_of(1, 3 * CHUNK) == 'b',
	   "and no data goes out while the failure is not on disk");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(set->is_done && !set->rc && clear->is_done && !clear->rc, "then they go on");
	ok(byte_of(1, 0) == 'x' && byte_of(1, 3 * CHUNK) == 'y' && byte_of(0, 0) == 'w', "to the working member alone");
	end();
}

static void a_start_without_a_member_is_recorded_first(void)
{
	struct arr_req *r;

	begin((struct setup){ .members = 1, .slots = 2, .is_dirty = true, .set = 1, .wants_record = true });
	hold(KIND(ARR_JOB_CLAIM));
	r = submit(ARR_WRITE, 3 * CHUNK, 4096, 'x');
	run();
	ok(!r->is_done && byte_of(0, 3 * CHUNK) == 'a', "a start without a member: no data before that is on disk");
	let_go(KIND(ARR_JOB_CLAIM));
	ok(r->is_done && !r->rc && byte_of(0, 3 * CHUNK) == 'x', "then it goes on");
	end();
}

static void a_leaving_member_is_owed_what_was_counted(void)
{
	struct arr_req *r;

	warm_up(2);
	write_now(4 * CHUNK, 4096, 'y');
	pass(300);
	hold(KIND(ARR_JOB_REQUEST));
	r = submit(ARR_WRITE, 7 * CHUNK, 4096, 'z');
	run();
	is_u64(bm_needed_chunks(w.bitmap), 0, "nothing is owed");
	fail(1);
	ok(bm_counter(w.bitmap, (chunk_no){ 0 }) & BM_NEEDED && bm_counter(w.bitmap, (chunk_no){ 4 }) & BM_NEEDED,
	   "what was written lately is owed to a member that leaves, its cache may have died with it");
	ok(bm_counter(w.bitmap, (chunk_no){ 7 }) & BM_NEEDED, "and so is what is being written");
	is_u64(bm_needed_chunks(w.bitmap), 3, "and nothing else");
	let_go(KIND(ARR_JOB_REQUEST));
	ok(r->is_done && !r->rc, "the write that was under way ends well");
	pass(60000);
	is_u64(bm_set_chunks(w.bitmap), 3, "bits stay while the member is away");
	end();
}

/* A superblock that names the failed source makes another member decide: it must not be there before the source's last
 * window has landed, and was flushed. */
static void the_source_of_a_window(void)
{
	begin((struct setup){ .members = 3, .is_dirty = true, .has_no_bitmap = true });
	hold(KIND(ARR_JOB_SYNC_WRITE));
	run();
	score();
	fail(0);
	run();
	is_score("", "the source of a window fails while it is being written: its failure waits to be recorded");
	let_go(KIND(ARR_JOB_SYNC_WRITE));
	ok(told_role(1, 0) == ARR_ROLE_FAULTY && told_role(2, 0) == ARR_ROLE_FAULTY, "then it is");
	ok(strstr(w.score, "FLUSH12") && strstr(w.score, "FLUSH12") < strstr(w.score, "active1"),
	   "after the window and a flush: %s", w.score);
	end();
}

int main(void)
{
	of_a_write();
	of_a_flush();
	data_waits_for_the_record();
	a_start_without_a_member_is_recorded_first();
	a_leaving_member_is_owed_what_was_counted();
	the_source_of_a_window();
	return tap_end();
}
