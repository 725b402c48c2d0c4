/* dev-NAME/: where a device's data lies, its slot, and the words of `state`.
 *
 * Before the start a slot makes the device in-sync; `-insync` or a recovery_start takes that back. While the array runs
 * a slot is only given: nothing moves before `recover` is written to sync_action. A slot that is given after `insync`
 * means "current up to the bitmap" (saved_slot), else all of the device is copied.
 *
 * A faulty member of an external array may return by `re-add` as long as nobody else has been given its slot: what it
 * missed is marked. md forgets to ask that (bits that were cleared while another stood in its slot are lost).
 *
 * Members of an array with superblocks belong to the superblocks: faulty, remove, re-add and writemostly work, the rest
 * has no engine here. */
#include "attrs/inside.h"

static struct att_now now_of(const struct att_store *s)
{
	return att_now(s->dev, s->view);
}

static bool is_active_member(const struct att_store *s)
{
	return s->view->status && (now_of(s).is_in_array || s->dev->slot != ATT_NO_SLOT);
}

int att_set_dev_errors(struct att_store *s)
{
	uint64_t n;
	int rc = att_take_number(s, INT32_MAX, &n);

	if (!rc)
		s->dev->errors_base = (int64_t)n - (int64_t)now_of(s).errors;
	return rc;
}

int att_set_dev_offset(struct att_store *s)
{
	uint64_t n;
	int rc = att_take_number(s, INT64_MAX / SECTOR_BYTES, &n);

	if (rc < 0)
		return rc;
	if (s->t->has_superblocks)
		return att_todo(s, "array with superblocks");
	if (is_active_member(s))
		return att_refuse(s, -EBUSY, "the device has a slot in a running array");
	if (s->dev->size_kib)
		return att_refuse(s, -EBUSY, "size is %llu already, and the offset comes before it",
				  (ull)s->dev->size_kib);
	s->dev->offset_sectors = n;
	return 0;
}

int att_set_dev_size(struct att_store *s)
{
	uint64_t kib, at, end;

	if (att_number(s->value, INT64_MAX / 1024, &kib) < 0)
		return att_refuse(s, -EINVAL, "a size in KiB goes there, %lld at most", (ll)(INT64_MAX / 1024));
	if (s->t->has_superblocks)
		return att_todo(s, "array with superblocks");
	if (kib < s->t->component_kib)
		return att_refuse(s, -EINVAL, "component_size is %llu, and a device has at least that",
				  (ull)s->t->component_kib);
	if (is_active_member(s) && kib != s->dev->size_kib)
		return att_refuse(s, -EBUSY, "the device has a slot in a running array, and its size is %llu",
				  (ull)s->dev->size_kib);
	at = s->dev->offset_sectors * SECTOR_BYTES;
	if (!add_fits(at, kib * 1024, &end) || end > s->dev->size_bytes)
		return att_refuse(s, -ENOSPC, "the device has %llu bytes, and the data begins at %llu",
				  (ull)s->dev->size_bytes, (ull)at);
	s->dev->size_kib = kib;
	return 0;
}

int att_set_dev_recovery_start(struct att_store *s)
{
	uint64_t sector;

	if (att_sector(s->value, &sector) < 0)
		return att_refuse(s, -EINVAL, "a sector or none goes there");
	if (s->t->has_superblocks)
		return att_todo(s, "array with superblocks");
	if (is_active_member(s))
		return att_refuse(s, -EBUSY, "the device has a slot in a running array");
	s->dev->recovery_start_sectors = sector;
	s->dev->is_in_sync = sector == OFF_NONE;
	return 0;
}

/* ---- slot ---- */

/* A running array: out of the slot that waits to be filled, or that a failed member still holds. */
static int leave_slot(struct att_store *s)
{
	struct att_now now = now_of(s);

	if (now.slot == ATT_NO_SLOT)
		return att_refuse(s, -EEXIST, "it has none");
	if (now.is_in_array && !now.is_faulty)
		return att_refuse(s, -EBUSY, "the device is a working member of the running array");
	if (now.is_in_array) {
		att_event(s, ARR_EV_UNBLOCK, 0);
		s->action->event.member = s->dev->entry;
		return 0;
	}
	s->dev->slot = ATT_NO_SLOT;
	return 0;
}

static bool is_slot_taken(const struct att_store *s, uint32_t slot)
{
	ATT_EACH_DEV(d, s->t)
		if (d != s->dev && att_now(d, s->view).slot == slot)
			return true;
	return false;
}

/* Whoever was current up to the bitmap in this slot is so no longer: bits will be cleared without it. */
static void forget_saved(struct att_store *s, uint32_t slot)
{
	ATT_EACH_DEV(d, s->t)
		if (d != s->dev && d->saved_slot == slot)
			d->saved_slot = ATT_NO_SLOT;
}

static int take_running_slot(struct att_store *s, uint32_t slot)
{
	const struct arr_status *status = s->view->status;
	struct att_now now = now_of(s);
	int rc;

	if (now.slot != ATT_NO_SLOT || now.is_in_array)
		return att_refuse(s, -EBUSY, "the device %s", now.is_in_array ? "is a member of the running array" :
				  "has a slot already");
	if (status->action != ARR_SYNC_IDLE)
		return att_refuse(s, -EBUSY, "%s runs", arr_sync_action_name(status->action));
	if (slot >= status->raid_devices)
		return att_refuse(s, -ENOSPC, "raid_disks is %u", status->raid_devices);
	if (is_slot_taken(s, slot))
		return att_refuse(s, -EEXIST, "another device has that slot");
	rc = att_check_places(s->t, s->dev, s->t->bitmap.location_sectors, s->err);
	if (rc < 0)
		return rc;
	s->dev->saved_slot = s->dev->is_in_sync ? slot : ATT_NO_SLOT;
	if (s->dev->is_in_sync)
		s->dev->recovery_start_sectors = 0;
	s->dev->is_in_sync = false;
	s->dev->slot = slot;
	forget_saved(s, slot);
	return 0;
}

static void take_slot(struct att_store *s, uint32_t slot)
{
	s->dev->slot = slot;
	s->dev->is_in_sync = true;
	s->dev->is_faulty = s->dev->is_write_mostly = false;
	s->dev->saved_slot = ATT_NO_SLOT;
}

int att_set_dev_slot(struct att_store *s)
{
	uint64_t slot;
	int rc;

	if (s->t->has_superblocks)
		return att_todo(s, "array with superblocks");
	if (att_begins(s->value, "journal"))
		return att_todo(s, "journal");
	if (att_begins(s->value, "none")) {
		if (s->view->status)
			return leave_slot(s);
		s->dev->slot = ATT_NO_SLOT;
		return 0;
	}
	rc = att_take_number(s, INT32_MAX, &slot);
	if (rc < 0)
		return rc;
	if (s->view->status)
		return take_running_slot(s, (uint32_t)slot);
	if (slot >= s->t->raid_disks)
		return att_refuse(s, -ENOSPC, "raid_disks is %u", s->t->raid_disks);
	take_slot(s, (uint32_t)slot);
	return 0;
}
