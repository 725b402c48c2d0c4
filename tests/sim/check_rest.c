/* I8 and I9: no more work than is due, and an end to everything.
 *
 * I8: a resync by the bitmap copies the set chunks of the bitmap that was read and no other; an array at rest and
 * whole has no bit set on any medium. I9: at rest nothing is half recovered, no slot is empty beside a spare, and
 * the superblocks have become clean, also where a slot stays empty. A sync may stay undone only where the hands have
 * seen that its source, the one member in sync, could not be read. */
#include "check.h"

#include <errno.h>

/* A resync by the bitmap copies the set chunks of the image that was read, from the checkpoint on. While a slot is
 * empty writes add to what is owed, so nothing is expected then. */
void rest_started(struct sim_world *w)
{
	const struct asm_plan *plan = w->plan;
	const struct sim_member *m = NULL;

	EACH_MEMBER(w, other)
		other->has_failed_source = other->has_failed = false;
	w->is_sync_expected = plan->action == ASM_RESYNC && plan->has_bitmap && !plan->bitmap_is_stale &&
			      !w->is_still && !plan->degraded;
	if (!w->is_sync_expected)
		return;
	EACH_MEMBER(w, other)
		if (other->is_there && (plan->bitmap_is_file ||
					other->disk.path == w->looked[plan->bitmap_member].path))
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
		if (members_are_equal(w))
			at_stake(w, LAW_I2);
		EACH_MEMBER(w, m)
			m->has_failed_source = false;
	}
	recovery_ended(w, r);
	if (r->is_complete && w->is_sync_expected) {
		if (r->bytes_copied != w->sync_bytes_expected)
			broken(w, LAW_I8, "%llu bytes were copied, the set chunks have %llu", (ull)r->bytes_copied,
			       (ull)w->sync_bytes_expected);
		if (w->sync_bytes_expected || r->action == ARR_SYNC_RECOVER) /* what returns unchanged gets nothing */
			at_stake(w, LAW_I8);
	}
	w->is_sync_expected = false;
}

/* An array is given up when the last member in sync failed, and the hands know of that. */
void array_broke(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		if (is_in_sync(m) && !m->has_failed)
			broken(w, LAW_I9, "the array gives up, but %s is in sync and has not failed", m->disk.path);
	at_stake(w, LAW_I9);
}

/* An error of the members is a client's when none of those in sync could do it. Where nothing can be recorded
 * another member must not answer for the one that decides (I6). */
static bool has_nobody_left(const struct sim_world *w, const struct sim_request *r)
{
	if (w->is_broken)
		return true;
	if (w->is_still)
		return r->failed_on & 1u << index_of(w, pin_of(w));
	EACH_MEMBER(w, m)
		if (is_in_sync(m) && !(r->failed_on & 1u << index_of(w, m)))
			return false;
	return true;
}

/* Every request ends, and where nothing stands against it, well (I9). */
void check_failed(struct sim_world *w, const struct sim_request *r)
{
	int rc = r->req.rc;

	if (rc == -EIO)
		at_stake(w, LAW_I9);
	if ((rc == -ENOMEM && memory_has_failed()) || (rc == -EIO && has_nobody_left(w, r)) ||
	    (rc == UMD_E_STOPPING && w->is_stopping) || (rc == UMD_E_READ_ONLY && w->is_readonly))
		return;
	broken(w, LAW_I9, "a request of sectors %llu+%llu failed, and somebody could have carried it out: %s",
	       (ull)r->first, (ull)r->sectors, err_name(rc));
}

static void no_bit_is_set(struct sim_world *w, const struct sim_member *m)
{
	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++)
		if (bit_on(w, m, false, c))
			broken_at(w, LAW_I8, c,
				  "the array is idle and whole, but the bit of chunk %llu stays set on %s", (ull)c,
				  m->disk.path);
}

static bool was_bit_set(const struct sim_world *w)
{
	for (uint64_t c = 0; w->has_bitmap && c < w->chunks; c++)
		if (w->counted_since[c] != UINT64_MAX)
			return true;
	return false;
}

static void clean_member(struct sim_world *w, const struct sim_member *m)
{
	const struct super *s = super_on(w, m);

	if (!disk_is_settled(&m->disk, m->place.data_at.bytes, w->size_bytes, false))
		broken(w, LAW_I10, "the array is idle and clean, but %s was not flushed", m->disk.path);
	if (!s || s->resync_offset_sectors < w->size_bytes / SECTOR_BYTES)
		broken(w, LAW_I9, "the array is idle, but the superblock of %s never became clean", m->disk.path);
}

/* The hands have seen that nothing can be copied: the only member in sync could not be read. Such a sync stops, until
 * members come or go. */
static bool has_no_source(const struct sim_world *w)
{
	const struct sim_member *source = NULL;

	EACH_MEMBER(w, m) {
		if (!is_in_sync(m))
			continue;
		if (source)
			return false;
		source = m;
	}
	return source && source->has_failed_source;
}

static void nothing_is_behind(struct sim_world *w)
{
	for (uint32_t i = 0; i < SIM_WRITES; i++)
		if (w->written[i].lacking)
			broken(w, LAW_I9, "the array is idle, and write %llu has not reached everybody",
			       (ull)w->written[i].serial);
}

static bool is_slot_taken(const struct sim_world *w, uint32_t slot)
{
	EACH_MEMBER(w, m)
		if ((is_in_sync(m) || m->state == ARR_M_RECOVERING) && m->slot == slot)
			return true;
	return false;
}

static void spares_have_joined(struct sim_world *w)
{
	EACH_MEMBER(w, m)
		for (uint32_t slot = 0; m->state == ARR_M_SPARE && slot < w->slots; slot++)
			if (!is_slot_taken(w, slot))
				broken(w, LAW_I9, "the array is idle, slot %u is empty, and %s stays a spare", slot,
				       m->disk.path);
}

/* True: a sync is left undone, and must be. */
static bool syncs_have_ended(struct sim_world *w, const struct arr_status *s)
{
	bool is_any = s->action != ARR_SYNC_IDLE || s->sync_position < s->size_bytes;

	EACH_MEMBER(w, m) {
		if (m->state != ARR_M_RECOVERING)
			continue;
		if (!has_no_source(w))
			broken(w, LAW_I9, "all faults are over, but %s is still being recovered", m->disk.path);
		is_any = true;
	}
	if (is_any && !has_no_source(w))
		broken(w, LAW_I9, "all faults are over, but a %s stays at byte %llu",
		       arr_sync_action_name(s->action), (ull)s->sync_position);
	return is_any;
}

/* Somebody must be able to start when a life is over, unless metadata rotted or two told stories of their own. */
void check_survivors(struct sim_world *w)
{
	if (trustworthy(w))
		return;
	EACH_MEMBER(w, m)
		if (m->place.is_used && (m->is_corrupt || m->is_apart))
			return;
	broken(w, LAW_I1, "every member is behind or written off by another: nobody could start");
}

/* What is judged is what lies on the media, whole or degraded. */
void check_idle(struct sim_world *w)
{
	struct arr_status s;
	bool is_undone;

	arr_get_status(w->array, &s);
	if (s.is_broken || w->is_still)
		return;
	nothing_is_behind(w);
	spares_have_joined(w);
	is_undone = syncs_have_ended(w, &s);
	members_are_equal(w);
	EACH_MEMBER(w, m) {
		if (!is_in_sync(m) || is_undone)
			continue;
		clean_member(w, m);
		if (!s.degraded && s.can_clear)
			no_bit_is_set(w, m);
	}
	if (!s.degraded && s.can_clear && was_bit_set(w))
		at_stake(w, LAW_I8);
	content_at_rest(w);
	at_stake(w, LAW_I9);
}
