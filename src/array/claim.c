/* Claims: what the superblocks say, and when they may say it.
 *
 * A claim is one round of superblock writes with one event number, to every member that is not faulty:
 *
 *   FLUSH    every working member, when the claim says more than the last one: clean, a higher offset,
 *            a member in sync (law I10). A write admitted meanwhile ends a clean claim.
 *   BITMAP   the bitmap superblock gets the new event number first, so that on disk it is never behind
 *   SUPER    superblocks of those in sync; members that fail it are failed, which wants another round
 *   FOLLOWERS  then those of recovering members and spares
 *   ANNOUNCE   one of several nodes: all others are to read them, before the claim counts (C6)
 *
 * It is begun when something must be recorded (a failure, a member that joined, progress), when a write
 * waits for the array to be active, and when the array was idle for safe_mode_delay. While bitmap and
 * superblocks of a clean claim are under way writes wait; once it is durable the next write makes the
 * array active again. Events only go forward: Linux counts back on pure toggles, umd never does.
 *
 * Of several nodes only the one with the token claims, and never that the array is clean: what is in doubt the others
 * know, each in its slot.
 *
 * A broken array (its last member failed) claims nothing any more. One whose metadata an owner keeps asks the owner
 * instead of writing superblocks (owner.c). */
#include "array/state.h"

#include "base/law.h"

void arr_want_record(struct arr *a)
{
	a->wanted_generation++;
}

bool arr_is_recorded(const struct arr *a)
{
	return a->durable_generation == a->wanted_generation && !a->is_end_unseen;
}

/* May data be written? Every working member's superblock says active, no clean claim is past its flush, and no bitmap
 * that the array does without can be taken for one of this moment (store.c). */
bool arr_is_active(const struct arr *a)
{
	bool turns_clean = a->claim_phase > CLAIM_FLUSH && !a->claim.is_active;

	return a->is_active_on_disk && !turns_clean && a->events >= a->events_floor;
}

static bool may_be_clean(const struct arr *a)
{
	if (!a->is_active_on_disk || a->writes_in_flight || a->is_write_waiting || a->is_clustered)
		return false;
	if (a->is_stopping || arr_is_turning_still(a))
		return arr_is_quiet(a) && a->sync_phase == SYNC_IDLE && arr_sweep_is_finished(a);
	return a->safe_mode_delay_ms && a->now_ms >= a->idle_since_ms + a->safe_mode_delay_ms;
}

void arr_flush_all(struct arr *a, struct arr_job *job)
{
	uint64_t targets = arr_in_slots(a);

	arr_job_reserve(job);
	job->kind = ARR_JOB_FLUSH;
	job->owner = NULL;
	ARR_EACH(i, a, targets)
		arr_job_add(job, i, ARR_P_FLUSH, 0, 0, 0, NULL);
	arr_job_issue(a, job);
}

/* ---- what is said ---- */

static uint32_t role_of(const struct arr_member *m)
{
	return m->state == ARR_M_FAULTY ? ARR_ROLE_FAULTY : m->state == ARR_M_SPARE ? ARR_ROLE_SPARE : m->slot;
}

static void describe(const struct arr *a, struct arr_claim *c)
{
	c->resync_offset = c->is_active ? 0 : a->resync_offset;
	c->member_count = 0;
	for (uint32_t i = 0; i < a->member_count; i++) {
		const struct arr_member *m = &a->members[i];

		if (m->state == ARR_M_NONE || (m->state == ARR_M_SPARE && a->node.candidates & ARR_BIT(i)))
			continue;
		c->members[c->member_count++] = (struct arr_claim_member){
			.member = i,
			.dev_number = m->dev_number,
			.role = role_of(m),
			.is_written = m->state != ARR_M_FAULTY,
			.is_recovering = m->state == ARR_M_RECOVERING,
			.is_by_bitmap = m->state == ARR_M_RECOVERING && !m->wants_full,
			.is_write_mostly = m->is_write_mostly,
			.recovery_offset = m->recovery_offset,
			.bitmap_at = a->names_bitmap ? m->bitmap_at : (member_off){ OFF_NONE },
		};
	}
}

/* ---- the round ---- */

static void abandon(struct arr *a, bool was_raise)
{
	a->is_raise_wanted |= was_raise;
	a->claim_phase = CLAIM_IDLE;
}

/* Does it say more than the last one? Every claim tells how far each recovering member is. */
static bool is_raise(const struct arr *a)
{
	if (!a->claim.is_active || a->is_raise_wanted)
		return true;
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING))
		if (a->members[i].recovery_offset)
			return true;
	return false;
}

static bool needs_active(const struct arr *a)
{
	return a->is_write_waiting && !arr_is_active(a);
}

bool arr_claim_is_due(const struct arr *a)
{
	return needs_active(a) || !arr_is_recorded(a);
}

uint64_t arr_newest_events(const struct arr *a)
{
	return a->claim_phase == CLAIM_IDLE ? a->events : max_u64(a->events, a->claim.events);
}

static bool begin(struct arr *a)
{
	bool turns_clean = !needs_active(a) && may_be_clean(a);

	if ((!turns_clean && !arr_claim_is_due(a)) || arr_window_is_orphan(a) || !arr_may_claim(a))
		return false;

	a->claim.generation = a->wanted_generation;
	a->claim.events = a->events + 1;
	a->claim.is_active = needs_active(a) || (a->is_active_on_disk && !turns_clean) || a->is_clustered;
	a->claim_admissions = a->admissions;
	describe(a, &a->claim);
	if (is_raise(a)) {
		arr_flush_all(a, &a->claim_job);
		a->claim_phase = CLAIM_FLUSH;
	} else {
		a->claim_phase = CLAIM_BITMAP_WAIT;
	}
	return true;
}

/* The state moved on since the claim was described: begin again. */
bool arr_claim_is_outdated(const struct arr *a)
{
	if (a->claim.generation != a->wanted_generation)
		return true;
	return !a->claim.is_active && (a->admissions != a->claim_admissions || a->writes_in_flight);
}

/* Superblocks of the claimed members among @mask; false: there is none. */
static bool write_supers(struct arr *a, uint64_t mask)
{
	uint32_t count = 0;

	arr_job_reserve(&a->claim_job);
	a->claim_job.kind = ARR_JOB_CLAIM;
	a->claim_job.owner = NULL;
	for (uint32_t i = 0; i < a->claim.member_count; i++) {
		uint32_t member = a->claim.members[i].member;

		if (!a->claim.members[i].is_written || !(mask & ARR_BIT(member)))
			continue;
		arr_job_add(&a->claim_job, member, ARR_P_WRITE, ARR_PF_DURABLE, 0, 0, NULL);
		count++;
	}
	if (count)
		arr_job_issue(a, &a->claim_job);
	return count;
}

static void begin_supers(struct arr *a)
{
	a->claim_led = arr_mask(a, ARR_M_IN_SYNC);
	MUST(write_supers(a, a->claim_led));
	a->claim_phase = CLAIM_SUPER;
}

static void recorded(struct arr *a)
{
	a->claim_phase = CLAIM_IDLE;
	a->events = a->claim.events;
	if (a->claim.generation != a->durable_generation)
		a->change_events = a->events;
	a->is_active_on_disk = a->claim.is_active;
	a->durable_generation = a->claim.generation;
	a->recorded_sync_offset = arr_sync_offset(a);
	a->recorded_sync_ms = a->now_ms;
}

static void written(struct arr *a)
{
	if (a->is_clustered)
		a->claim_phase = CLAIM_ANNOUNCE;
	else
		recorded(a);
}

/* Nothing of ours is on its way to a member whose failure all know from now on. */
static bool writes_to_no_failed(const struct arr *a)
{
	for (uint32_t i = 0; i < a->claim.member_count; i++) {
		const struct arr_claim_member *m = &a->claim.members[i];

		if (m->role == ARR_ROLE_FAULTY && a->members[m->member].state == ARR_M_FAULTY && a->busy[m->member])
			return false;
	}
	return true;
}

void arr_claim_announced(struct arr *a)
{
	if (a->claim_phase != CLAIM_ANNOUNCE)
		return;
	LAW(C6, writes_to_no_failed(a));
	recorded(a);
}

/* Those in sync come first. A member that only follows and is an event ahead of all of them would, after a start
 * without it, carry a number of another history: one that the bitmap may believe.
 * A member in sync that did not take the claim still tells the old story, together with whom it calls in sync: the
 * claim counts for nothing before the next one has said that this member is out as well (I1).
 * Nor does one that was overtaken: an entry it speaks of may have another owner by now. */
static void supers_done(struct arr *a)
{
	uint64_t took = a->claim_job.members & ~arr_job_judge(a, &a->claim_job);

	a->claim_phase = CLAIM_IDLE;
	a->is_active_on_disk &= a->claim.is_active;	/* a failed write may have been carried out */
	if (!(took & arr_mask(a, ARR_M_IN_SYNC)))
		return;
	if (arr_claim_is_outdated(a))
		a->events = a->claim.events;
	else if (write_supers(a, (arr_in_slots(a) | arr_mask(a, ARR_M_SPARE)) & ~a->claim_led))
		a->claim_phase = CLAIM_FOLLOWERS;
	else
		written(a);
}

void arr_claim_done(struct arr *a)
{
	if (a->is_external) {
		arr_owner_done(a);
		return;
	}
	if (a->claim_phase == CLAIM_SUPER) {
		supers_done(a);
		return;
	}
	if (a->claim_phase == CLAIM_FOLLOWERS) {
		arr_job_judge(a, &a->claim_job);
		written(a);
		return;
	}
	if (a->claim_phase == CLAIM_FLUSH) {
		arr_job_judge(a, &a->claim_job);
		a->claim_phase = CLAIM_BITMAP_WAIT;
		if (!arr_claim_is_outdated(a))
			a->is_raise_wanted = false;	/* what it speaks of is durable now */
	} else if (!arr_claim_is_outdated(a) && !a->is_broken) {
		begin_supers(a);
		return;
	} else {
		abandon(a, true);
		return;
	}
	if (arr_claim_is_outdated(a))
		abandon(a, true);
}

bool arr_pump_claim(struct arr *a)
{
	if (a->is_external)
		return !arr_is_still(a) && arr_pump_owner(a);
	if (arr_is_still(a) || a->is_broken) {
		if (a->claim_phase == CLAIM_BITMAP_WAIT || a->claim_phase == CLAIM_ANNOUNCE)
			a->claim_phase = CLAIM_IDLE;
		return false;
	}
	if (a->claim_phase == CLAIM_IDLE)
		return begin(a);
	if (a->claim_phase != CLAIM_BITMAP_WAIT)
		return false;
	if (arr_claim_is_outdated(a)) {
		abandon(a, true);
		return true;
	}
	if (a->bitmap && bm_commit_is_running(a->bitmap))
		return false;
	if (a->bitmap)
		bm_set_events(a->bitmap, a->claim.events);
	/* An abandoned claim of the same events may have had its bitmap written already. */
	if (!a->bitmap || !bm_wants_commit(a->bitmap)) {
		begin_supers(a);
		return true;
	}
	if (!arr_bitmap_begin(a, NULL))
		return false;
	a->claim_phase = CLAIM_BITMAP;
	return true;
}

uint64_t arr_claim_timer_ms(const struct arr *a)
{
	if (a->claim_phase != CLAIM_IDLE || a->is_broken || !a->is_active_on_disk || a->writes_in_flight ||
	    a->is_write_waiting || !a->safe_mode_delay_ms || a->is_clustered)
		return UINT64_MAX;
	if (a->is_external && a->now_ms >= a->idle_since_ms + a->safe_mode_delay_ms)
		return UINT64_MAX;	/* it is shown already */
	return a->idle_since_ms + a->safe_mode_delay_ms;
}

const struct arr_claim *arr_claim_in_flight(const struct arr *a)
{
	return &a->claim;
}
