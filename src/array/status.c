/* Looking into the array: one snapshot, and the names of states.
 *
 * Everything a person or a test sees of a running array is copied here in one step, under the array's lock, so
 * that its figures belong together. Left out: how it is shown (run/status.c makes JSON of it). */
#include "array/state.h"

#include <string.h>

void arr_get_status(const struct arr *a, struct arr_status *s)
{
	memset(s, 0, sizeof *s);
	s->size_bytes = a->size_bytes;
	s->events = a->events;
	s->raid_devices = a->raid_devices;
	s->degraded = arr_degraded(a);
	s->is_readonly = a->mode == ARR_MODE_READONLY;
	s->is_external = a->is_external;
	s->mode = a->mode;
	s->mode_wanted = a->mode_wanted;
	s->state = arr_state(a);
	s->safe_mode_delay_ms = a->safe_mode_delay_ms;
	s->can_clear = a->can_clear;
	s->can_clear_falls = a->can_clear_falls;
	s->is_clearing = a->sweep_phase == SWEEP_CLEAR_IO;
	s->owner_clean = a->owner_clean;
	s->asks = a->asks;
	s->is_frozen = a->is_frozen;
	s->resync_offset = a->is_external ? a->told_resync_offset : a->resync_offset;
	s->is_active = a->is_active_on_disk;
	s->is_broken = a->is_broken;
	s->is_stopping = a->is_stopping;
	s->is_recorded = arr_is_recorded(a);
	s->bitmap_change = a->bitmap_change;
	s->names_bitmap = a->names_bitmap;
	s->bitmap_is_file = a->bitmap && a->bitmap_is_file;
	s->has_lost_file = a->has_lost_file;
	s->write_behind_max = a->write_behind_max;
	s->behind_now = a->behind_now;
	s->is_backlog_recorded = !a->is_backlog_new;
	s->behind_max_used = a->behind_max_used;
	s->action = arr_sync_action(a);
	s->sync_position = min_u64(arr_sync_offset(a), a->size_bytes);
	s->sync_bytes_left = arr_sync_left(a);
	s->now = a->sync_now;
	s->last = a->sync_last;
	s->counters = a->counters;
	s->member_count = a->member_count;
	memcpy(s->members, a->members, sizeof s->members);
	arr_node_report(a, s);
	if (a->is_external)
		ARR_EACH(i, a, arr_mask(a, ARR_M_RECOVERING))
			s->members[i].recovery_offset = a->told_recovery[i];
}

void arr_get_shown(const struct arr *a, struct arr_status *s)
{
	arr_get_status(a, s);
	ARR_EACH(i, a, a->unshown) {
		s->members[i].state = a->shown_state[i];
		s->members[i].is_blocked = false;
		s->members[i].recovery_offset = a->told_recovery[i];
		s->degraded -= a->shown_state[i] == ARR_M_IN_SYNC;
	}
}

const struct bm *arr_bitmap(const struct arr *a)
{
	return a->bitmap;
}

const char *arr_sync_action_name(enum arr_sync_action action)
{
	return action == ARR_SYNC_RESYNC ? "resync" : action == ARR_SYNC_RECOVER ? "recover" : "idle";
}

const char *arr_member_state_name(enum arr_member_state state)
{
	static const char *const names[] = {
		[ARR_M_NONE] = "none", [ARR_M_SPARE] = "spare", [ARR_M_RECOVERING] = "recovering",
		[ARR_M_IN_SYNC] = "in_sync", [ARR_M_FAULTY] = "faulty",
	};

	return names[state];
}
