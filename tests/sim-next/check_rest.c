/* I8 and I9: no more work than is due, and an end to everything.
 *
 * I8: a resync by the bitmap copies the set chunks of the bitmap that was read and no other; an array at rest and
 * whole has no bit set on any medium. I9: at rest nothing is half recovered, and the superblocks have become clean.
 * */
#include "check.h"

#include <errno.h>

/* A resync by the bitmap copies the set chunks of the image that was read, from the checkpoint on. While a slot is
 * empty writes add to what is owed, so nothing is expected then. */
void rest_started(struct sim_world *w)
{
	const struct asm_plan *plan = w->plan;
	const struct sim_member *m = NULL;

	w->is_sync_expected = plan->action == ASM_RESYNC && plan->has_bitmap && !plan->bitmap_is_stale &&
			      !w->is_readonly && !plan->degraded;
	if (!w->is_sync_expected)
		return;
	EACH_MEMBER(w, other)
		if (other->is_there && other->disk.path == w->looked[plan->bitmap_member].path)
			m = other;
	w->sync_bytes_expected = 0;
	for (uint64_t c = 0; c < w->chunks; c++)
		if (bit_on(w, m, false, c) && (c + 1) * w->chunk_bytes >= plan->resync_offset)
			w->sync_bytes_expected += chunk_len(w, c);
}

void sync_ended(struct sim_world *w, const struct arr_sync_report *r)
{
	trace(w, "%s ended, %llu bytes copied%s", arr_sync_action_name(r->action), (ull)r->bytes_copied,
	      r->is_complete ? "" : ", not complete");
	trace_end(w);
	if (r->is_complete) {
		if (r->action == ARR_SYNC_RESYNC)
			w->stats->resyncs++;
		else
			w->stats->recoveries++;
		members_are_equal(w);
	}
	recovery_ended(w, r);
	if (r->is_complete && w->is_sync_expected) {
		if (r->bytes_copied != w->sync_bytes_expected)
			broken(w, LAW_I8, "%llu bytes were copied, the set chunks have %llu", (ull)r->bytes_copied,
			       (ull)w->sync_bytes_expected);
		at_stake(w, LAW_I8);
	}
	w->is_sync_expected = false;
}

static bool has_met_faults(const struct sim_world *w)
{
	EACH_MEMBER(w, m)
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			if (m->disk.faults[kind])
				return true;
	return w->is_broken;
}

/* Every request ends, and where nothing stands against it, well (I9). */
void check_failed(struct sim_world *w, const struct sim_request *r)
{
	int rc = r->req.rc;

	if ((rc == -ENOMEM && memory_has_failed()) || (rc == -EIO && has_met_faults(w)) ||
	    (rc == UMD_E_STOPPING && w->is_stopping) || (rc == UMD_E_READ_ONLY && w->is_readonly))
		return;
	broken(w, LAW_I9, "a request of sectors %llu+%llu failed, and nothing had gone wrong: %s", (ull)r->first,
	       (ull)r->sectors, err_name(rc));
}

static void clean_member(struct sim_world *w, const struct sim_member *m)
{
	const struct super *s = super_on(w, m);

	if (!disk_is_settled(&m->disk, m->place.data_at.bytes, w->size_bytes, false))
		broken(w, LAW_I10, "the array is idle and clean, but %s was not flushed", m->disk.path);
	if (!s || s->resync_offset_sectors < w->size_bytes / SECTOR_BYTES)
		broken(w, LAW_I9, "the array is idle, but the superblock of %s never became clean", m->disk.path);
	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++)
		if (bit_on(w, m, false, c))
			broken_at(w, LAW_I8, c,
				  "the array is idle and whole, but the bit of chunk %llu stays set on %s", (ull)c,
				  m->disk.path);
	if (w->has_bitmap)
		at_stake(w, LAW_I8);
}

void check_idle(struct sim_world *w)
{
	struct arr_status s;

	arr_get_status(w->array, &s);
	if (s.is_broken || w->is_readonly)
		return;
	/* A sync whose only source could not be read has stopped with a sentence: then the action is idle. */
	for (uint32_t i = 0; i < s.member_count; i++)
		if (s.members[i].state == ARR_M_RECOVERING && s.action != ARR_SYNC_IDLE)
			broken(w, LAW_I9, "all faults are over, but %s is still being recovered",
			       w->members[w->disk_of[i]].disk.path);
	if (s.degraded || (s.last.ended_ms && !s.last.is_complete))
		return;
	members_are_equal(w);
	EACH_MEMBER(w, m)
		if (is_in_sync(m))
			clean_member(w, m);
	content_at_rest(w);
	at_stake(w, LAW_I9);
}
