/* After an action: the tree follows what was done.
 *
 * A start and a stop move devices into arr's table and out of it. What a stopped array was when it ended is kept as
 * configuration, so that starting it again goes on there: where the resync stood, who failed, how far a member was.
 *
 * Pollers of a file that was written successfully are woken where md does so: array_state, sync_action, a device's
 * state. What changed in the array by the write is found by att_notice(). */
#include "attrs/inside.h"

/* What the array knew last becomes configuration. */
static void absorb(struct att *t, const struct att_view *view)
{
	const struct arr_status *status = view->status;

	ATT_EACH_DEV(d, t) {
		struct att_now now = att_now(d, view);

		if (!now.is_in_array)
			continue;
		d->is_faulty = now.is_faulty;
		d->is_in_sync = now.is_in_sync;
		d->is_write_mostly = now.is_write_mostly;
		d->slot = now.is_faulty ? ATT_NO_SLOT : now.slot;
		d->recovery_start_sectors = now.is_in_sync ? 0 : now.recovery_start_sectors;
		d->errors_base += (int64_t)now.errors;
		if (now.is_in_sync || status->members[d->entry].wants_full)
			d->saved_slot = now.is_in_sync ? d->slot : ATT_NO_SLOT;
		d->entry = ARR_MEMBERS_MAX;
	}
	t->bitmap.backlog = status->write_behind_max;
	t->resync_start_sectors = status->resync_offset == OFF_NONE ? OFF_NONE : status->resync_offset / SECTOR_BYTES;
}

/* No superblock names a bare bitmap, so the next start has none. */
static void stopped(struct att *t, const struct att_view *view)
{
	if (view->status)
		absorb(t, view);
	if (t->has_superblocks && t->bitmap.is_external)
		t->bitmap.location_sectors = 0;
	ATT_EACH_DEV(d, t)
		d->entry = ARR_MEMBERS_MAX;
	t->told.is_running = false;
	att_bump(t, ATT_ROW_array_state);
	att_changed_tree(t);
}

/* Also when some of it failed: who joined is a member. */
static void joined(struct att *t, const struct att_action *action)
{
	for (uint32_t i = 0; i < action->join_count; i++) {
		const struct att_join *j = &action->joins[i];
		struct att_dev *d = att_dev(t, j->dev);

		if (!d || j->entry >= ARR_MEMBERS_MAX)
			continue;
		d->entry = j->entry;
		d->is_faulty = false;
		d->slot = j->member.slot;
		d->saved_slot = j->member.wants_full ? ATT_NO_SLOT : j->member.slot;
		/* the array had it before anybody knew whose entry that is, so no notice could tell */
		att_bump_dev(t, j->dev, ATT_ROW_dev_state);
	}
}

/* Values that the array took over are shown from here. */
static void stored(struct att *t, const struct att_action *action)
{
	if (action->row == ATT_ROW_safe_mode_delay)
		t->safe_mode_ms = action->number;
	else if (action->row == ATT_ROW_bitmap_time_base)
		t->bitmap.time_base_ms = action->number;
}

static void carry_out(struct att *t, const struct att_view *view, const struct att_action *action)
{
	switch (action->kind) {
	case ATT_UNBIND:
		att_unbind(t, action->dev);
		break;
	case ATT_START:
		if (!t->has_superblocks)
			att_started(t);
		att_changed_tree(t);
		break;
	case ATT_STOP:
		stopped(t, view);
		break;
	case ATT_CLEAR:
		att_forget(t);
		att_bump(t, ATT_ROW_array_state);
		break;
	case ATT_EVENT:
		stored(t, action);
		break;
	case ATT_BITMAP_SET:
		t->bitmap.location_sectors = action->location_sectors;
		att_forget_saved(t, false);
		break;
	case ATT_BITMAP_NONE:
		t->bitmap.location_sectors = 0;
		att_forget_saved(t, false);
		t->bitmap.is_file = false;
		break;
	default:
		break;
	}
}

void att_done(struct att *t, const struct att_view *view, const struct att_action *action, int rc)
{
	t->bitmap.coming_sectors = 0;
	if (action->kind == ATT_JOIN || action->kind == ATT_READD)
		joined(t, action);
	if (rc < 0)
		return;
	carry_out(t, view, action);
	if (action->row == ATT_ROW_array_state || action->row == ATT_ROW_sync_action)
		att_bump(t, action->row);
	if (action->row == ATT_ROW_dev_state && att_dev(t, action->row_dev))
		att_bump_dev(t, action->row_dev, ATT_ROW_dev_state);
}
