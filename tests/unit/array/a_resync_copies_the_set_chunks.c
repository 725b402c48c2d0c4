/* Goal: after an unclean stop exactly the set chunks are copied, the last one cut at the array's end; without a
 * bitmap everything from the checkpoint on.
 * Method: copies that differ everywhere; what was copied can be seen in the bytes, and is counted.
 * Law: I8, I2.
 * Source: spec array 5; bitmap 4.7. */
#include "hands.h"

static bool is_copied(uint64_t chunk)
{
	uint64_t at = chunk * CHUNK, len = at + CHUNK > w.size ? w.size - at : CHUNK;

	return !memcmp(w.hands[0].media + DATA_AT + at, w.hands[1].media + DATA_AT + at, len);
}

static void check_copied(uint64_t wanted)
{
	uint64_t got = 0;

	for (uint64_t c = 0; c * CHUNK < w.size; c++)
		got |= (uint64_t)is_copied(c) << c;
	is_u64(got, wanted, "exactly these chunks are equal now");
}

static void by_the_bitmap(void)
{
	const uint64_t set = 1 << 0 | 1 << 3 | 1 << 4 | 1 << 10;

	begin((struct setup){ .is_dirty = true, .set = set });
	is_u64(status()->sync_bytes_left, 4 * CHUNK, "what is left is known before");
	pass(1);
	check_copied(set);
	is_u64(status()->last.bytes_copied, 3 * CHUNK + 4096, "bytes copied: three chunks and the cut one");
	is_u64(status()->last.bytes_checked, SIZE, "all was looked at");
	ok(status()->last.is_complete && status()->last.action == ARR_SYNC_RESYNC, "the resync is complete");
	ok(!strcmp(status()->last.reason, "a test wants it"), "and says why it ran");
	is_u64(bm_needed_chunks(w.bitmap), 0, "nothing is owed any more");
	ok(bit_on(0, 3), "bits stay on disk");
	pass(20000);
	is_u64(bm_set_chunks(w.bitmap), 0, "until the sweep");
	ok(!bit_on(0, 3) && !bit_on(1, 10), "takes them away");
	end();
}

static void none_set(void)
{
	begin((struct setup){ .is_dirty = true });
	pass(1);
	check_copied(0);
	is_u64(times("from"), 0, "a dirty array without a set bit copies nothing");
	ok(status()->last.is_complete && status()->action == ARR_SYNC_IDLE, "and is in sync");
	pass(1000);
	is_u64(w.hands[0].super.resync_offset, OFF_NONE, "which its superblocks say");
	end();
}

/* Clean superblocks with a checkpoint: chunks that end before it were copied and are only swept. */
static void from_a_checkpoint_by_the_bitmap(void)
{
	begin((struct setup){ .is_dirty = true, .checkpoint = 4 * CHUNK + 4096, .set = 1 << 1 | 1 << 4 | 1 << 7 });
	pass(1);
	check_copied(1 << 4 | 1 << 7);
	end();
}

static void without_a_bitmap(void)
{
	begin((struct setup){ .is_dirty = true, .checkpoint = 5 * CHUNK, .has_no_bitmap = true });
	pass(1);
	check_copied(0x7ff & ~0x1f);
	is_u64(status()->last.bytes_copied, SIZE - 5 * CHUNK, "without a bitmap: from the checkpoint to the end");
	end();

	begin((struct setup){ .is_dirty = true, .has_no_bitmap = true });
	pass(1);
	check_copied(0x7ff);
	end();
}

static void three_members(void)
{
	begin((struct setup){ .members = 3, .is_dirty = true, .set = 1 << 6 });
	pass(1);
	is_u64(times("from0"), 1, "one is read");
	is_u64(times("to12"), 1, "all others are written at once");
	ok(byte_of(2, 6 * CHUNK) == 'a' && byte_of(2, 5 * CHUNK) == 'c', "with that chunk alone");
	end();
}

/* A chunk longer than a window stays in doubt until its last window. */
static void a_chunk_of_several_windows(void)
{
	begin((struct setup){ .size = 6 << 20, .chunk = 4 << 20, .is_dirty = true, .set = 1 });
	hold(KIND(ARR_JOB_SYNC_READ));
	for (int i = 0; i < 3; i++) {
		run();
		w.held = 0;
		run_one();
		hold(KIND(ARR_JOB_SYNC_READ));
	}
	run();
	is_u64(bm_needed_chunks(w.bitmap), 1, "three of four windows done: the chunk is still in doubt");
	is_u64(read_now((4 << 20) - 512), 'a', "and pinned to its end");
	let_go(KIND(ARR_JOB_SYNC_READ));
	is_u64(bm_needed_chunks(w.bitmap), 0, "the fourth ends it");
	is_u64(status()->last.bytes_copied, 4 << 20, "the chunk was copied once");
	end();
}

static void a_source_that_cannot_be_read(void)
{
	begin((struct setup){ .members = 3, .is_dirty = true, .set = 1 << 2 });
	w.hands[0].fails = FAILS_READ;
	pass(1);
	is_u64(state_of(0), ARR_M_FAULTY, "a source that cannot be read is failed");
	ok(byte_of(2, 2 * CHUNK) == 'b' && state_of(1) == ARR_M_IN_SYNC, "the next one takes its place");
	ok(bm_needed_chunks(w.bitmap) == 1, "and the chunk stays owed to the one that left");
	end();
}

static void a_target_that_cannot_be_written(void)
{
	begin((struct setup){ .is_dirty = true, .set = 1 << 2 | 1 << 3 });
	w.hands[1].fails = FAILS_WRITE;
	w.hands[1].fails_kinds = KIND(ARR_JOB_SYNC_WRITE);
	pass(1);
	is_u64(state_of(1), ARR_M_FAULTY, "a target that cannot be written is failed");
	ok(status()->action == ARR_SYNC_IDLE && !status()->last.is_complete && status()->last.ended_ms,
	   "the resync ends incomplete");
	is_u64(told_role(0, 1), ARR_ROLE_FAULTY, "its failure is recorded");
	end();
}

int main(void)
{
	by_the_bitmap();
	none_set();
	from_a_checkpoint_by_the_bitmap();
	without_a_bitmap();
	three_members();
	a_chunk_of_several_windows();
	a_source_that_cannot_be_read();
	a_target_that_cannot_be_written();
	return tap_end();
}
