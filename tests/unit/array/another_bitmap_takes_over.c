/* Goal: the bitmap of a running array comes, goes and gets other chunks; writes wait for a moment, and what is on disk
 * is right between any two steps.
 * Method: bitmaps are exchanged under writes that are held back; scores, pages, claims and refusals are looked at.
 * Law: I3, I4, I8, I9.
 * Source: spec bitmap 5 (location), 6.1, 8: P2b, P6, P7, P8b. */
#include "hands.h"

static const member_off at_home[ARR_MEMBERS_MAX] = { { BITMAP_AT }, { BITMAP_AT }, { BITMAP_AT }, { BITMAP_AT } };
static const member_off elsewhere[ARR_MEMBERS_MAX] = { { BITMAP_AT + 8192 }, { BITMAP_AT + 8192 },
	{ BITMAP_AT + 8192 }, { BITMAP_AT + 8192 } };

static struct bm *new_map(uint32_t chunk)
{
	struct bitmap_sb sb = {
		.magic = FMT_BITMAP_MAGIC, .version = 4, .sync_size_sectors = w.size / SECTOR_BYTES,
		.chunk_bytes = chunk, .daemon_sleep_s = 5,
	};

	return bm_new(&sb, NULL, 0);
}

/* The array takes @b over, or says why not. */
static int change(struct bm *b, const member_off *places)
{
	struct err err = { 0 };
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap = b, .bitmap_at = places, .err = &err };

	step(&ev);
	if (ev.rc) {
		bm_free(b);
		ok(strlen(err.text) > 20, "it says why: %s", err.text);
	}
	return ev.rc;
}

static struct bitmap_sb head_on(uint32_t member, uint64_t at)
{
	struct bitmap_sb sb;

	fmt_bitmap_sb_decode(w.hands[member].media + at, &sb);
	return sb;
}

static uint64_t named_by(uint32_t teller)
{
	return w.hands[teller].super.members[0].bitmap_at.bytes;
}

static void none(void)
{
	begin((struct setup){ 0 });
	write_now(3 * CHUNK, 4096, 'w');
	score();
	is_u64((uint64_t)change(NULL, NULL), 0, "none is taken");
	is_u64((uint64_t)status()->bitmap_change, ARR_CHANGE_RUNS, "and under way");
	run();
	is_score("bitmap01 active01", "superblocks are told");
	is_u64((uint64_t)status()->bitmap_change, 0, "then it is done");
	ok(!arr_bitmap(w.a) && !status()->names_bitmap && named_by(1) == OFF_NONE, "there is none, and none is named");
	is_u64((uint64_t)write_now(0, 4096, 'x'), 0, "writes go on");
	is_score("write01", "without it");
	is_u64((uint64_t)change(NULL, NULL), (uint64_t)-ENOENT, "none twice");
	end();
}

static void a_first_one(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	write_now(3 * CHUNK, 4096, 'w');
	score();
	hold(KIND(ARR_JOB_BITMAP));
	is_u64((uint64_t)change(new_map(CHUNK), at_home), 0, "a first bitmap is taken");
	run();
	is_score("FLUSH01", "everybody is flushed before it says that nothing is in doubt");
	ok(!w.hands[0].has_super || named_by(0) == OFF_NONE, "nobody is told of it");
	submit(ARR_WRITE, 0, 4096, 'x');
	run();
	is_score("", "and who writes waits");
	let_go(KIND(ARR_JOB_BITMAP));
	is_score("bitmap01 active01 bitmap01 write01", "its pages, its name, then bits and data");
	is_u64(named_by(0), BITMAP_AT, "superblocks name its place");
	is_u64(head_on(1, BITMAP_AT).events_cleared, FIRST_EVENTS + 2, "who left before it is not let back by it");
	end();
}

/* Whatever lay there before: every page is written before it is named. */
static void on_old_bytes(void)
{
	uint64_t left = 0;

	begin((struct setup){ .has_no_bitmap = true, .size = 20 << 20 });
	for (uint32_t i = 0; i < 2; i++)
		memset(w.hands[i].media + BITMAP_AT, 0xff, 2 * BM_PAGE_BYTES);
	is_u64((uint64_t)change(new_map(512), at_home), 0, "a first bitmap of two pages");
	run();
	for (uint64_t at = FMT_BITMAP_SB_BYTES; at < bm_image_bytes(arr_bitmap(w.a)); at++)
		left += w.hands[1].media[BITMAP_AT + at] != 0;
	is_u64(left, 0, "nothing is left of what lay there");
	end();
}

static void under_a_write(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	write_now(0, 4096, 'w');
	hold(KIND(ARR_JOB_REQUEST));
	submit(ARR_WRITE, 4096, 4096, 'x');
	run();
	score();
	is_u64((uint64_t)change(new_map(CHUNK), at_home), 0, "a write is under way");
	run();
	is_score("", "nothing begins before it has ended");
	is_u64((uint64_t)change(NULL, NULL), (uint64_t)-EBUSY, "nor is a second change begun");
	let_go(KIND(ARR_JOB_REQUEST));
	is_score("write01 FLUSH01 bitmap01 active01", "then it does");
	end();
}

static void other_chunks(void)
{
	begin((struct setup){ .set = 1 << 3 });
	write_now(5 * CHUNK, 4096, 'w');
	score();
	hold(KIND(ARR_JOB_BITMAP));
	is_u64((uint64_t)change(new_map(CHUNK / 4), at_home), 0, "smaller chunks");
	run_one();
	is_u64(waiting(ARR_JOB_BITMAP), 1, "the new pages go out");
	w.held = 0;
	run_one();
	ok(head_on(0, BITMAP_AT).state & FMT_BITMAP_STALE, "and say STALE");
	run();
	is_score("bitmap01 bitmap01", "until all are there; superblocks have nothing to say");
	is_u64(head_on(0, BITMAP_AT).state, 0, "STALE is gone");
	is_u64(head_on(1, BITMAP_AT).chunk_bytes, CHUNK / 4, "chunks are the new ones");
	is_u64(head_on(1, BITMAP_AT).events_cleared, 3, "who could return can return");
	for (unsigned i = 0; i < 4; i++)
		ok(bm_bit(arr_bitmap(w.a), (chunk_no){ 5 * 4 + i }), "chunk %u inherits its bit", 5 * 4 + i);
	ok(!bm_bit(arr_bitmap(w.a), (chunk_no){ 4 * 4 + 3 }), "its neighbour does not");
	pass(30000);
	is_u64(bm_set_chunks(arr_bitmap(w.a)), 0, "the sweep takes them all away");
	end();
}

static void at_another_place(void)
{
	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	score();
	is_u64((uint64_t)change(new_map(CHUNK * 2), elsewhere), 0, "larger chunks, elsewhere");
	run();
	is_score("bitmap01 active01 bitmap01 active01", "no name, then the new pages, then their name");
	is_u64(named_by(0), BITMAP_AT + 8192, "superblocks lead there");
	is_u64(head_on(0, BITMAP_AT + 8192).chunk_bytes, CHUNK * 2, "where it is");
	ok(bm_bit(arr_bitmap(w.a), (chunk_no){ 0 }), "with what was set");
	end();
}

static void refusals(void)
{
	struct arr_event stop_it = { .kind = ARR_EV_STOP };

	begin((struct setup){ .is_dirty = true, .set = 1 });
	hold(KIND(ARR_JOB_SYNC_READ));
	run();
	is_u64((uint64_t)change(NULL, NULL), (uint64_t)-EBUSY, "not while a resync runs");
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_u64((uint64_t)tell(ARR_EV_FREEZE, true), 0, "frozen");
	is_u64((uint64_t)change(NULL, NULL), (uint64_t)-EBUSY, "nor then");
	tell(ARR_EV_FREEZE, false);
	hold(KIND(ARR_JOB_CLAIM));
	is_u64((uint64_t)change(NULL, NULL), 0, "but now");
	is_u64((uint64_t)join(ARR_M_SPARE, 0, false), (uint64_t)-EBUSY, "nobody joins meanwhile");
	run();
	step(&stop_it);
	run();
	ok(!arr_is_stopped(w.a), "a stop waits for its end");
	let_go(KIND(ARR_JOB_CLAIM));
	pass(60000);
	ok(arr_is_stopped(w.a) && !arr_bitmap(w.a), "and then ends");
	end();

	begin((struct setup){ .is_readonly = true });
	is_u64((uint64_t)change(NULL, NULL), (uint64_t)UMD_E_READ_ONLY, "a read-only array keeps what it has");
	end();
}

static void failures(void)
{
	begin((struct setup){ .has_no_bitmap = true });
	write_now(0, 4096, 'w');
	score();
	w.hands[1].fails = FAILS_FLUSH;
	is_u64((uint64_t)change(new_map(CHUNK), at_home), 0, "a member does not flush");
	run();
	is_u64((uint64_t)state_of(1), ARR_M_FAULTY, "it is failed");
	is_u64((uint64_t)status()->bitmap_change, 0, "the others get the bitmap");
	ok(head_on(0, BITMAP_AT).events_cleared > w.hands[0].super.events - 1, "which does not let it back: cleared at "
	   "%llu", (unsigned long long)head_on(0, BITMAP_AT).events_cleared);
	end();

	begin((struct setup){ 0 });
	write_now(0, 4096, 'w');
	w.hands[0].fails = w.hands[1].fails = FAILS_WRITE;
	is_u64((uint64_t)change(new_map(CHUNK / 2), at_home), 0, "nobody takes the new pages");
	run();
	is_u64((uint64_t)status()->bitmap_change, (uint64_t)-EIO, "the change has failed");
	is_u64((uint64_t)write_now(0, 4096, 'x'), (uint64_t)-EIO, "and nobody waits for it");
	end();
}

/* Its answer may come through the same door as the change, and after it. */
static void held_by_the_owner(void)
{
	struct arr_req *r;

	begin((struct setup){ .is_external = true });
	write_now(0, 4096, 'w');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	owner(ARR_EV_BLOCK, 1);
	r = submit(ARR_WRITE, 4 * CHUNK, 4096, 'x');
	run();
	ok(!r->is_done, "the owner holds a write back");
	is_u64((uint64_t)change(NULL, NULL), (uint64_t)-EBUSY, "the bitmap stays: nobody waits for the owner's word");
	owner(ARR_EV_UNBLOCK, 1);
	ok(r->is_done && !r->rc, "which lets the write go on");
	is_u64((uint64_t)change(NULL, NULL), 0, "then none is taken");
	owner(ARR_EV_BLOCK, 1);
	run();
	is_u64((uint64_t)status()->bitmap_change, 0, "and that ends");
	end();

	begin((struct setup){ .is_external = true });
	write_now(0, 4096, 'w');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	hold(KIND(ARR_JOB_BITMAP));
	r = submit(ARR_WRITE, 4 * CHUNK, 4096, 'x');
	is_u64((uint64_t)change(NULL, NULL), 0, "a change waits for a write that is marked");
	owner(ARR_EV_BLOCK, 1);
	let_go(KIND(ARR_JOB_BITMAP));
	is_u64((uint64_t)status()->bitmap_change, (uint64_t)-EBUSY, "which is held back then: the change has failed");
	owner(ARR_EV_UNBLOCK, 1);
	ok(r->is_done && !r->rc, "and the write goes on");
	end();
}

/* What a member's cache has lost was written without any bitmap: no bit tells of it, and its owner would let it back by
 * the bits. */
static void a_bare_one_and_a_lost_cache(void)
{
	uint8_t image[BM_PAGE_BYTES] = { 0 };
	struct bm *b;

	begin((struct setup){ .is_external = true, .has_no_bitmap = true });
	write_now(0, 4096, 'w');
	owner(ARR_EV_OWNER_ACTIVE, 0);
	b = bm_new_bare(w.size, CHUNK, 5000, image, sizeof image);
	bm_load(b, BM_LOAD_CLEAN, (array_off){ 0 }, false);
	w.hands[1].fails = FAILS_FLUSH;
	is_u64((uint64_t)change(b, at_home), 0, "a first bitmap, without superblock");
	run();
	is_u64((uint64_t)state_of(1), ARR_M_FAULTY, "a member does not flush");
	is_u64((uint64_t)status()->bitmap_change, (uint64_t)-EBUSY, "a map that does not owe it all is not taken");
	ok(!arr_bitmap(w.a), "there is none");
	end();
}

int main(void)
{
	none();
	a_first_one();
	on_old_bytes();
	under_a_write();
	other_chunks();
	at_another_place();
	refusals();
	failures();
	held_by_the_owner();
	a_bare_one_and_a_lost_cache();
	return tap_end();
}
