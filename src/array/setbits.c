/* Bits set by hand: whoever knows that copies may differ says where.
 *
 * The chunks become NEEDED, their bits are made durable at once, and a resync is due from the first of them on. It goes
 * by the bitmap as ever, so it copies just these. A window that is being copied moves the resync's position when it
 * ends; so the new position is set when none is out, or the window would leave the bits behind it (I2). A member that
 * is being recovered starts again from there as well: its copy below was made from the same doubtful bytes.
 *
 * That a resync is due is recorded: a clean array is one whose members agree, and a start takes its bits for leftovers.
 * Alone, or degraded to one member, nobody is there to compare with; the bits stay for who returns. */
#include "array/state.h"

#include <errno.h>

#include "base/text.h"

static int refuse(const struct arr *a, const struct arr_event *ev, struct err *err)
{
	uint64_t end;

	if (!a->bitmap)
		return err_set(err, -ENOENT, "the array has no bitmap whose bits could be set");
	if (arr_refuses_writes(a) || a->is_stopping)
		return err_set(err, arr_refuses_writes(a) ? UMD_E_READ_ONLY : UMD_E_STOPPING,
			       "the array is %s: no bit is set", arr_refuses_writes(a) ? "read-only" : "stopping");
	if (a->is_broken)
		return err_set(err, -EIO, "the array's last member could not be written: no bit is set");
	if (arr_bitmap_is_changing(a))
		return err_set(err, -EBUSY, "the bitmap is just being changed: bits can be set when that has ended");
	if (!ev->len_bytes || !add_fits(ev->at.bytes, ev->len_bytes, &end) || end > a->size_bytes)
		return err_set(err, -EINVAL, "%llu bytes from byte %llu on are not in the array of %llu bytes",
			       (unsigned long long)ev->len_bytes, (unsigned long long)ev->at.bytes,
			       (unsigned long long)a->size_bytes);
	return 0;
}

void arr_event_set_bits(struct arr *a, struct arr_event *ev)
{
	uint64_t noted;

	ev->rc = refuse(a, ev, ev->err);
	if (ev->rc)
		return;
	noted = arr_note_by_hand(a, ev->at, ev->len_bytes);
	if (bm_set_needed(a->bitmap, ev->at, ev->len_bytes)) {
		arr_forget_marks(a, noted);
		ev->rc = err_set(ev->err, -ENOMEM, "no memory for the counters of %llu bytes: no bit is set",
				 (unsigned long long)ev->len_bytes);
		return;
	}
	arr_make_writable(a);
	a->has_set_bits = true;
	a->bitmap_change = ARR_CHANGE_RUNS;
	a->set_bits_from = min_u64(a->set_bits_from, round_down(ev->at.bytes, bm_chunk_bytes(a->bitmap)));
}

static bool begin_resync(struct arr *a)
{
	uint64_t from = a->set_bits_from;

	if (from == OFF_NONE || a->sync_phase != SYNC_IDLE)
		return false;
	a->set_bits_from = OFF_NONE;
	if (__builtin_popcountll(arr_in_slots(a)) < 2)
		return true;
	if (a->resync_offset == OFF_NONE && !arr_mask(a, ARR_M_RECOVERING))
		text_fit(a->sync_reason, sizeof a->sync_reason, "bits were set by hand: what they cover is copied");
	a->resync_offset = min_u64(a->resync_offset, from);
	a->told_resync_offset = min_u64(a->told_resync_offset, from);
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING)) {
		a->members[i].recovery_offset = min_u64(a->members[i].recovery_offset, from);
		a->told_recovery[i] = min_u64(a->told_recovery[i], from);
	}
	if (!a->is_external)
		arr_want_record(a);	/* an owner has ordered it, or sees it in resync_start */
	return true;
}

bool arr_pump_set_bits(struct arr *a)
{
	bool moved = begin_resync(a);

	if (!a->has_set_bits)
		return moved;
	if (a->is_broken || !bm_wants_commit_now(a->bitmap)) {
		if (!a->is_broken && bm_commit_is_running(a->bitmap))
			return moved;
		a->has_set_bits = false;
		a->bitmap_change = a->is_broken ? -EIO : 0;
		return true;
	}
	if (bm_commit_is_running(a->bitmap))
		return moved;
	return arr_bitmap_begin(a, NULL) || moved;
}
