/* The bitmap of a running array changes: it comes, goes, or gets other chunks; no power cut finds a gap (I3, I5, I8).
 *
 * New writes wait at the gate from the beginning to the end; those under way are let finish (DRAIN). So the wait of a
 * client is bounded by I/O, and nothing is counted in any bitmap while they are exchanged. Then:
 *
 *   change               steps, each durable before the next               what a cut behind it leaves to a start
 *   to none              UNNAME  superblocks say "none"                    some with, some without: the freshest
 *                                                                          superblock decides, and both are right
 *                        the map is forgotten
 *   none to new          FLUSH   every member: nothing is in doubt         no bitmap
 *                        NAME    pages of the new map, all clear           no bitmap: nobody looks there
 *                                then superblocks name it                  some name it: its bits lie at that place on
 *                                                                          every member, and all members agree
 *   new chunks,          NAME    the first sector of page 0, with STALE    everything is copied, as often as need be
 *   at the same place            the rest of the new pages                 the same
 *                                page 0 without STALE                      the new map
 *   new chunks,          UNNAME, then NAME as above                        in between: no bitmap, everything is copied
 *   at another place
 *   none or internal     as above; NAME writes the file alone, of which    the file's bits cover all that are in doubt:
 *   to a file            all bits were set, and no superblock changes      too many at worst
 *   a file to internal   NAME                                              the file, or the new map
 *   a file to none       the map is forgotten                              the file: nobody has written
 *
 * A file that is left is not written to: the next writes bear a number that it does not have (store.c).
 *
 * NAME needs no order of its own: a claim writes the bitmap before superblocks, always (claim.c), and a map that takes
 * another's place says STALE first (bitmap/replace.c). Where one member has the new one and another the old one either
 * is right, since nobody writes. New chunks take over every set bit and events_cleared; a bitmap that was not there
 * before lets nobody back who left before it: its events_cleared is an event number that no superblock had when it
 * began, so who is away is recovered in full.
 *
 * A member that fails in between is out, as ever, and its failure is recorded before data goes out to anybody
 * (request.c). Who wants to join waits. The last one's failure, no memory for the carrying, or a stop before anything
 * was written end the change: the old bitmap stays. After that a stop waits for the end.
 *
 * A map without superblock belongs to an owner: it is named by nobody (a superblock that did would keep Linux from
 * starting the array), and its bits are taken as they are. Left out: where a map may lie (assembly/rebitmap.c). */
#include "array/state.h"

#include <errno.h>

#include "base/law.h"

bool arr_bitmap_is_changing(const struct arr *a)
{
	return a->rebitmap_phase != REB_IDLE;
}

/* ---- asked for ---- */

static int refuse_state(const struct arr *a, struct err *err)
{
	if (arr_refuses_writes(a) || a->is_stopping)
		return err_set(err, arr_refuses_writes(a) ? UMD_E_READ_ONLY : UMD_E_STOPPING,
			       "the array is %s: its bitmap stays as it is",
			       arr_refuses_writes(a) ? "read-only" : "stopping");
	if (a->is_broken)
		return err_set(err, -EIO, "the array's last member could not be written: its bitmap stays as it is "
			       "until a restart");
	if (arr_bitmap_is_changing(a))
		return err_set(err, -EBUSY, "the bitmap is just being changed: one change after the other");
	if (a->is_frozen)
		return err_set(err, -EBUSY, "sync_action is frozen: the bitmap can be changed when it is idle");
	if (a->is_external && !arr_is_recorded(a))
		return err_set(err, -EBUSY, "the owner was asked and has not answered: the bitmap can be changed when "
			       "it has");
	if (a->blocked)
		return err_set(err, -EBUSY, "a member is blocked, and its owner holds writes back: the bitmap can be "
			       "changed after -blocked");
	return 0;
}

static int refuse_sync(const struct arr *a, struct err *err)
{
	bool is_recovering = arr_mask(a, ARR_M_RECOVERING);

	if (a->has_set_bits || a->set_bits_from != OFF_NONE)
		return err_set(err, -EBUSY, "bits are just being set by hand: the bitmap can be changed when what they "
			       "cover has been copied");
	if (!is_recovering && a->resync_offset == OFF_NONE)
		return 0;
	return err_set(err, -EBUSY, "a %s is at byte %llu of %llu: the bitmap can be changed when it has ended",
		       is_recovering ? "recovery" : "resync", (unsigned long long)arr_sync_offset(a),
		       (unsigned long long)a->size_bytes);
}

static int refuse(const struct arr *a, const struct bm *next, bool next_is_file, struct err *err)
{
	int rc = refuse_state(a, err);

	if (rc == 0 && a->is_clustered)
		rc = arr_refuse_as_node(a, "another bitmap while it runs", err);
	if (rc == 0)
		rc = refuse_sync(a, err);
	if (rc)
		return rc;
	if (!next && !a->bitmap)
		return err_set(err, -ENOENT, "the array has no bitmap that could be taken away");
	if (next && next_is_file && a->bitmap && a->bitmap_is_file)
		return err_set(err, -EEXIST, "the array has its bitmap in a file already: give --bitmap=none first");
	if (next && a->bitmap && (bm_is_bare(next) || bm_is_bare(a->bitmap)))
		return err_set(err, -EBUSY, "the array has a bitmap (chunks of %llu bytes): another one can be set "
			       "when it has none", (unsigned long long)bm_chunk_bytes(a->bitmap));
	return 0;
}

void arr_event_bitmap(struct arr *a, struct arr_event *ev)
{
	ev->rc = refuse(a, ev->bitmap, ev->bitmap_is_file, ev->err);
	if (ev->rc)
		return;
	arr_make_writable(a);
	a->next_bitmap = ev->bitmap;
	a->next_is_file = ev->bitmap && ev->bitmap_is_file;
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		a->next_at[i] = ev->bitmap && ev->bitmap_at ? ev->bitmap_at[i] : (member_off){ OFF_NONE };
	a->rebitmap_phase = REB_DRAIN;
	a->bitmap_change = ARR_CHANGE_RUNS;
}

/* ---- the steps ---- */

static bool end(struct arr *a, int rc)
{
	a->next_bitmap = bm_free(a->next_bitmap);
	a->rebitmap_phase = REB_IDLE;
	a->bitmap_change = rc;
	return true;
}

/* Nothing is under way that bitmap or superblocks would hear of, and every failure is on record. An owner records by
 * itself, and has event numbers of its own. */
static bool is_quiet(const struct arr *a)
{
	if (a->writes_in_flight || a->sweep_phase != SWEEP_IDLE || (a->bitmap && bm_commit_is_running(a->bitmap)))
		return false;
	return a->is_external ? a->claim_phase != CLAIM_FLUSH : a->claim_phase == CLAIM_IDLE && arr_is_recorded(a);
}

static bool moves(const struct arr *a)
{
	for (uint32_t i = 0; i < a->member_count; i++) {
		const struct arr_member *m = &a->members[i];

		if (m->state != ARR_M_NONE && m->state != ARR_M_FAULTY && m->bitmap_at.bytes != a->next_at[i].bytes)
			return true;
	}
	return false;
}

static void record_names(struct arr *a, bool names_bitmap)
{
	if (a->names_bitmap == names_bitmap)
		return;
	a->names_bitmap = names_bitmap;
	arr_want_record(a);
	a->rebitmap_generation = a->wanted_generation;
}

/* The new map, or none, is the array's from now on. */
static bool install(struct arr *a)
{
	bool is_same_place = a->bitmap && a->names_bitmap;	/* else UNNAME was */

	if (a->next_bitmap && a->bitmap)
		MUST(bm_carry(a->next_bitmap, a->bitmap) == 0);
	else if (a->next_bitmap && !bm_is_bare(a->next_bitmap))
		bm_set_events_cleared(a->next_bitmap, a->events + 1);
	if (a->bitmap_is_file)
		arr_leave_file(a);
	a->bitmap = bm_free(a->bitmap);
	a->bitmap_is_file = a->next_is_file;
	a->file_events = 0;
	a->sweep_due_ms = 0;
	a->can_clear = true;
	if (!a->next_bitmap)
		return end(a, 0);

	a->has_lost_file = false;
	a->bitmap = a->next_bitmap;
	a->next_bitmap = NULL;
	arr_note_other_bitmap(a);
	for (uint32_t i = 0; i < a->member_count; i++)
		a->members[i].bitmap_at = a->next_at[i];
	bm_set_write_behind(a->bitmap, a->write_behind_max);
	if (is_same_place)
		bm_rewrite(a->bitmap);
	else
		bm_write_all(a->bitmap);
	record_names(a, !bm_is_bare(a->bitmap) && !a->bitmap_is_file);
	a->rebitmap_phase = REB_NAME;
	return true;
}

/* Everything is quiet, and the old map, if any, is of no further use where it is. */
static bool leave_old(struct arr *a)
{
	if (!a->bitmap) {
		arr_flush_all(a, &a->rebitmap_job);
		a->rebitmap_phase = REB_FLUSH;
	} else if (a->names_bitmap && (!a->next_bitmap || moves(a))) {
		record_names(a, false);
		a->rebitmap_phase = REB_UNNAME;
	} else {
		return install(a);
	}
	return true;
}

static bool drain(struct arr *a)
{
	if (a->is_stopping)
		return end(a, UMD_E_STOPPING);
	if (a->is_external && (a->blocked || !arr_is_recorded(a)))
		return end(a, -EBUSY);		/* its owner may need longer than anybody waits */
	if (!is_quiet(a))
		return false;
	if (a->next_bitmap && a->bitmap && bm_carry(a->next_bitmap, a->bitmap))
		return end(a, -ENOMEM);
	return leave_old(a);
}

void arr_rebitmap_done(struct arr *a)
{
	arr_job_judge(a, &a->rebitmap_job);
	a->rebitmap_phase = REB_FLUSHED;
}

/* All that the map wants to have on disk is there. True: not yet, and a commit was begun. */
static bool commit(struct arr *a, bool *ret_is_durable)
{
	*ret_is_durable = false;
	if (bm_commit_is_running(a->bitmap))
		return false;
	if (bm_wants_commit(a->bitmap))
		return arr_bitmap_begin(a, NULL);
	*ret_is_durable = true;
	return false;
}

static bool name(struct arr *a)
{
	bool is_durable, has_begun;

	if (!a->bitmap)
		return end(a, -EIO);		/* the new file has failed already */
	if (a->durable_generation < a->rebitmap_generation)
		return false;
	has_begun = commit(a, &is_durable);
	return is_durable ? end(a, 0) : has_begun;
}

/* Whoever left during the flush lost what was written without any bitmap, and its owner would let it back by the bits
 * of this one: a map without superblock cannot say from when on it counts. */
static bool flushed(struct arr *a)
{
	if (bm_is_bare(a->next_bitmap) && arr_degraded(a) &&
	    bm_needed_chunks(a->next_bitmap) < bm_chunks(a->next_bitmap))
		return end(a, -EBUSY);
	return is_quiet(a) && install(a);
}

bool arr_pump_rebitmap(struct arr *a)
{
	if (a->rebitmap_phase == REB_IDLE || a->rebitmap_phase == REB_FLUSH)
		return false;
	if (a->is_broken)
		return end(a, -EIO);
	switch (a->rebitmap_phase) {
	case REB_DRAIN:
		return drain(a);
	case REB_FLUSHED:
		return flushed(a);
	case REB_UNNAME:
		return a->durable_generation >= a->rebitmap_generation && is_quiet(a) && install(a);
	case REB_NAME:
		return name(a);
	case REB_IDLE:
	case REB_FLUSH:
		break;
	}
	return false;
}

bool arr_rebitmap_wants_commit(const struct arr *a)
{
	return a->bitmap && a->rebitmap_phase == REB_NAME && bm_wants_commit(a->bitmap);
}
