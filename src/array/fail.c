/* Members come and go: failures, the last one, removal, joining, spares.
 *
 * A member that leaves takes its cache with it: every chunk somebody counts becomes NEEDED in the same
 * step (I11). Its failure is recorded on the others before any client hears of a write it lacks (request.c
 * waits for failure_generation). The last in-sync member is never failed: the array is *broken* instead,
 * which latches: no flush succeeds and nothing clean is claimed until a restart.
 *
 * A member that joins receives every write from then on; what was under way before is covered by making
 * counted chunks NEEDED once more (P12 of the bitmap specification). */
#include "array/state.h"

#include <errno.h>

#include "base/text.h"

uint64_t arr_mask(const struct arr *a, enum arr_member_state state)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < a->member_count; i++)
		if (a->members[i].state == state)
			mask |= ARR_BIT(i);
	return mask;
}

uint64_t arr_in_slots(const struct arr *a)
{
	return arr_mask(a, ARR_M_IN_SYNC) | arr_mask(a, ARR_M_RECOVERING);
}

uint32_t arr_degraded(const struct arr *a)
{
	return a->raid_devices - (uint32_t)__builtin_popcountll(arr_mask(a, ARR_M_IN_SYNC));
}

uint32_t arr_slots_missing(const struct arr *a)
{
	return a->raid_devices - (uint32_t)__builtin_popcountll(arr_in_slots(a));
}

bool arr_is_whole(const struct arr *a)
{
	return !arr_degraded(a) && a->resync_offset == OFF_NONE && !a->node.is_resync_due;
}

/* A resync window that only waits is given up when members change; one with I/O under way ends by itself. */
static void members_changed(struct arr *a)
{
	a->is_sync_blocked = false;
	if (a->sync_phase == SYNC_DRAIN)
		a->sync_phase = SYNC_IDLE;
	if (a->resync_offset != OFF_NONE && __builtin_popcountll(arr_in_slots(a)) == 1)
		a->resync_offset = OFF_NONE;	/* nobody left to compare with */
}

static void need_all_counted(struct arr *a)
{
	if (a->bitmap)
		bm_need_all_counted(a->bitmap);
}

/* Returns 0, or UMD_E_LAST_MEMBER: then the array is broken and the member stays. */
int arr_fail_member(struct arr *a, uint32_t member)
{
	struct arr_member *m = &a->members[member];

	if (m->state == ARR_M_NONE || m->state == ARR_M_FAULTY || arr_is_still(a))
		return 0;
	if (m->state == ARR_M_IN_SYNC && arr_mask(a, ARR_M_IN_SYNC) == ARR_BIT(member)) {
		a->is_broken = true;
		return UMD_E_LAST_MEMBER;
	}
	if (m->state == ARR_M_IN_SYNC && !arr_degraded(a))
		arr_note_degraded(a, false);
	if (m->state != ARR_M_SPARE)
		need_all_counted(a);
	/* What a resync copied from this one may still be in caches: it is flushed before another answers (I6). Of
	 * several nodes another one may have copied. */
	if (a->resync_offset != OFF_NONE || a->is_clustered) {
		a->is_raise_wanted = true;
		a->unshown |= a->is_external ? ARR_BIT(member) : 0;
		a->shown_state[member] = m->state;
	}
	m->state = ARR_M_FAULTY;
	members_changed(a);
	arr_want_record(a);
	a->failure_generation = a->wanted_generation;
	if (a->is_external)
		arr_block(a, member);
	if (a->writes_in_flight)
		arr_can_clear_falls(a, ARR_CLEAR_BY_MISSED_WRITE);
	return 0;
}

void arr_set_reason(struct arr *a, const char *reason)
{
	if (reason)
		text_fit(a->sync_reason, sizeof a->sync_reason, "%s", reason);
}

static bool is_slot_free(const struct arr *a, uint32_t slot)
{
	ARR_EACH(i, a, arr_in_slots(a))
		if (a->members[i].slot == slot)
			return false;
	return slot < a->raid_devices;
}

void arr_take_slot(struct arr *a, uint32_t member, uint32_t slot, bool is_told)
{
	struct arr_member *m = &a->members[member];

	arr_gather_again(a);
	m->state = ARR_M_RECOVERING;
	m->slot = slot;
	need_all_counted(a);
	arr_bitmap_owe(a, member);
	a->sync_actors &= ~ARR_BIT(member);
	a->sync_targets &= ~ARR_BIT(member);	/* of a window that is being read for the entry's former owner */
	a->told_recovery[member] = m->recovery_offset;
	members_changed(a);
	a->join_generation[member] = 0;
	a->node.own_joins &= ~ARR_BIT(member);
	if (a->is_external || is_told)
		return;		/* its owner, or another node, put it there, and knows */
	a->node.own_joins |= ARR_BIT(member);
	a->node.unaware_events[member] = arr_newest_events(a);
	arr_want_record(a);
	a->join_generation[member] = a->wanted_generation;
}

/* At the start: members found in mid-recovery need the bitmap as well, and after an unclean stop their
 * progress below the offset is in doubt like everybody's. */
void arr_members_begin(struct arr *a)
{
	ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING)) {
		struct arr_member *m = &a->members[i];

		a->join_generation[i] = a->is_external ? 0 : 1;
		if (a->resync_offset != OFF_NONE && (!a->bitmap || !m->wants_full))
			m->recovery_offset = 0;
		a->told_recovery[i] = m->recovery_offset;
		arr_bitmap_owe(a, i);
	}
	if (a->resync_offset != OFF_NONE && __builtin_popcountll(arr_in_slots(a)) == 1)
		a->resync_offset = a->told_resync_offset = OFF_NONE;
}

static uint32_t free_slot(const struct arr *a)
{
	uint32_t slot = 0;

	while (slot < a->raid_devices && !is_slot_free(a, slot))
		slot++;
	return slot;
}

/* Spares that all nodes know. */
static uint64_t known_spares(const struct arr *a)
{
	return arr_mask(a, ARR_M_SPARE) & ~a->node.candidates;
}

bool arr_spare_may_join(const struct arr *a)
{
	if (arr_bitmap_is_changing(a))
		return false;
	if (!known_spares(a) || a->is_external || a->is_broken || a->is_stopping || arr_is_still(a) ||
	    arr_is_turning_still(a))
		return false;
	return free_slot(a) < a->raid_devices;
}

uint32_t arr_get_spares(const struct arr *a, uint32_t ret_numbers[ARR_MEMBERS_MAX])
{
	uint32_t count = 0;

	ARR_EACH(i, a, known_spares(a))
		ret_numbers[count++] = a->members[i].dev_number;
	return count;
}

void arr_set_spares(struct arr *a, const uint32_t *numbers, uint32_t count)
{
	ARR_EACH(i, a, arr_mask(a, ARR_M_SPARE)) {
		bool is_known = false;

		for (uint32_t n = 0; n < count; n++)
			is_known |= numbers[n] == a->members[i].dev_number;
		if (!is_known)
			a->node.candidates |= ARR_BIT(i);
	}
}

bool arr_offered(const struct arr *a, uint32_t *ret_number)
{
	uint64_t offered = arr_mask(a, ARR_M_SPARE) & a->node.candidates;

	if (offered)
		*ret_number = a->members[__builtin_ctzll(offered)].dev_number;
	return offered;
}

bool arr_is_offered(const struct arr *a, uint32_t dev_number)
{
	ARR_EACH(i, a, arr_mask(a, ARR_M_SPARE) & a->node.candidates)
		if (a->members[i].dev_number == dev_number)
			return true;
	return false;
}

/* A spare takes a slot that nobody works in. */
bool arr_pump_spares(struct arr *a)
{
	uint32_t spare;

	if (!arr_spare_may_join(a) || !arr_may_claim(a))
		return false;
	spare = (uint32_t)__builtin_ctzll(known_spares(a));
	arr_set_reason(a, "a spare took an empty slot: it has never seen the data, so everything is copied");
	a->members[spare].wants_full = true;
	a->members[spare].recovery_offset = 0;
	arr_take_slot(a, spare, free_slot(a), false);
	return true;
}

/* ---- by the user ---- */

/* What a user changes must be recorded, and the thread that would do it ends with a stop. */
static bool may_change(const struct arr *a, struct arr_event *ev, const char *what)
{
	if (arr_refuses_writes(a) || a->is_stopping)
		ev->rc = err_set(ev->err, arr_refuses_writes(a) ? UMD_E_READ_ONLY : UMD_E_STOPPING,
				 "the array is %s: no member can %s", arr_refuses_writes(a) ? "read-only" : "stopping",
				 what);
	return !ev->rc;
}

/* Of several nodes one at a time changes what superblocks say of members; failures alone cannot wait. */
static bool may_tell(const struct arr *a, struct arr_event *ev, const char *what)
{
	if (ev->is_by_peer && (!a->is_clustered || (ev->new_member && ev->new_member->state != ARR_M_SPARE)))
		ev->rc = -EINVAL;
	else if (!ev->is_by_peer && a->is_clustered && !(a->node.has_token && a->node.is_looked))
		ev->rc = err_set(ev->err, -EBUSY, "the array is one of %u nodes, and another one may be writing "
				 "superblocks just now: no member can %s without the token", a->node.count, what);
	return !ev->rc;
}

void arr_event_fail(struct arr *a, struct arr_event *ev)
{
	const struct arr_member *m = &a->members[ev->member];

	if (!may_change(a, ev, "be failed"))
		return;
	if (m->state == ARR_M_IN_SYNC && arr_mask(a, ARR_M_IN_SYNC) == ARR_BIT(ev->member))
		ev->rc = err_set(ev->err, UMD_E_LAST_MEMBER,
				 "the member is the last one in sync of %u: failing it would lose the data",
				 a->raid_devices);
	else if (m->state != ARR_M_FAULTY) {
		arr_make_writable(a);
		arr_fail_member(a, ev->member);
	}
}

void arr_event_remove(struct arr *a, struct arr_event *ev)
{
	struct arr_member *m = &a->members[ev->member];

	if (!may_tell(a, ev, "be removed") || !may_change(a, ev, "be removed"))
		return;
	if (m->state != ARR_M_FAULTY && m->state != ARR_M_SPARE) {
		ev->rc = err_set(ev->err, UMD_E_MEMBER_STATE,
				 "the member is %s; only a faulty member or a spare can be removed: fail it first",
				 arr_member_state_name(m->state));
		return;
	}
	if (m->is_blocked) {
		ev->rc = err_set(ev->err, UMD_E_MEMBER_STATE, "the member is faulty and blocked: its owner has not "
				 "recorded the failure; write -blocked to its state first");
		return;
	}
	if (a->busy[ev->member]) {
		ev->rc = -EAGAIN;
		return;
	}
	m->state = ARR_M_NONE;
	m->hand = NULL;
	a->node.candidates &= ~ARR_BIT(ev->member);
	if (!a->is_external && !arr_is_still(a) && !ev->is_by_peer)
		arr_want_record(a);
}

static uint32_t free_entry(const struct arr *a)
{
	for (uint32_t i = 0; i < a->member_count; i++)
		if (a->members[i].state == ARR_M_NONE && !a->busy[i])
			return i;
	return a->member_count;
}

int arr_check_join(const struct arr *a, const struct arr_member *new, struct err *err)
{
	struct arr_event ev = { .err = err };

	if (!may_change(a, &ev, "join"))
		return ev.rc;
	if (a->is_broken)
		return err_set(err, -EIO, "the array's last member could not be written: no member can join before a "
			       "restart");
	if (new->state != ARR_M_RECOVERING && a->is_external)
		return err_set(err, -EINVAL, "the array's metadata is external: a member joins with the slot that its "
			       "owner gives it, never as a spare");
	if (arr_bitmap_is_changing(a))
		return err_set(err, -EBUSY, "the bitmap is just being changed: a member can join when that has ended");
	if (new->state == ARR_M_RECOVERING && !is_slot_free(a, new->slot))
		return err_set(err, UMD_E_NO_FREE_SLOT, "slot %u of %u is taken: the member cannot return to it",
			       new->slot, a->raid_devices);
	if (free_entry(a) == ARR_MEMBERS_MAX)
		return err_set(err, UMD_E_NO_FREE_SLOT,
			       "the array already has %u members, which is the most umd handles", ARR_MEMBERS_MAX);
	return 0;
}

void arr_event_add(struct arr *a, struct arr_event *ev)
{
	const struct arr_member *new = ev->new_member;
	uint32_t i;

	if (!may_tell(a, ev, "join"))
		return;
	ev->rc = arr_check_join(a, new, ev->err);
	if (ev->rc)
		return;
	i = free_entry(a);
	a->member_count = i < a->member_count ? a->member_count : i + 1;
	a->members[i] = *new;
	a->members[i].errors = 0;
	a->members[i].is_blocked = false;
	arr_make_writable(a);
	ev->ret_member = i;
	arr_set_reason(a, ev->reason);
	a->node.unaware_events[i] = arr_newest_events(a);
	a->node.candidates |= ev->is_by_peer ? ARR_BIT(i) : 0;
	if (new->state == ARR_M_RECOVERING)
		arr_take_slot(a, i, new->slot, false);
	else if (!ev->is_by_peer)
		arr_want_record(a);
}
