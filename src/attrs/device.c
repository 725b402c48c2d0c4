/* A device as it is now: what arr says of it where it is a member of the running array, else what is configured.
 *
 * A failed member shows its slot while its failure waits to be recorded (blocked); then it has left the slot, as in md,
 * where draining takes a moment and here none. Bad blocks that are not acknowledged make a device look faulty unless
 * its owner said external_bbl, and blocked in any case.
 *
 * P24: a place is checked when it is said, not when the first page is written there. */
#include "attrs/inside.h"

static struct att_now configured(const struct att_dev *d)
{
	return (struct att_now){ .is_faulty = d->is_faulty, .is_in_sync = d->is_in_sync,
				 .is_write_mostly = d->is_write_mostly, .slot = d->slot,
				 .recovery_start_sectors = d->is_in_sync ? OFF_NONE : d->recovery_start_sectors };
}

struct att_now att_now(const struct att_dev *d, const struct att_view *view)
{
	struct att_now now = configured(d);
	const struct arr_member *m;

	if (!view->status || d->entry >= view->status->member_count)
		return now;
	m = &view->status->members[d->entry];
	if (m->state == ARR_M_NONE)
		return now;
	now = (struct att_now){ .is_in_array = true, .is_faulty = m->state == ARR_M_FAULTY,
				.is_in_sync = m->state == ARR_M_IN_SYNC, .is_write_mostly = m->is_write_mostly,
				.is_blocked = m->is_blocked, .slot = m->slot, .errors = m->errors };
	if (m->state == ARR_M_SPARE || (now.is_faulty && !now.is_blocked))
		now.slot = ATT_NO_SLOT;
	if (now.is_in_sync)
		now.recovery_start_sectors = OFF_NONE;
	else if (m->state == ARR_M_RECOVERING)
		now.recovery_start_sectors = m->recovery_offset / SECTOR_BYTES;
	return now;
}

bool att_any_write_mostly(const struct att *t, const struct att_view *view)
{
	ATT_EACH_DEV(d, t)
		if (att_now(d, view).is_write_mostly)
			return true;
	return false;
}

void att_forget_saved(struct att *t, bool faulty_only)
{
	ATT_EACH_DEV(d, t)
		if (d->is_faulty || !faulty_only)
			d->saved_slot = ATT_NO_SLOT;
}

/* ---- places ---- */

static int check_data(const struct att *t, const struct att_dev *d, struct err *err)
{
	uint64_t at, end, len = att_component_bytes(t);

	if (!mul_fits(d->offset_sectors, SECTOR_BYTES, &at) || !add_fits(at, len, &end) || end > d->size_bytes)
		return err_set(err, -ENOSPC, "dev-%s has %llu bytes, and %llu from sector %llu on (component_size, "
			       "offset) do not fit; nothing has changed", d->name, (ull)d->size_bytes,
			       (ull)len, (ull)d->offset_sectors);
	return 0;
}

static int check_bitmap(const struct att *t, const struct att_dev *d, int64_t location_sectors, struct err *err)
{
	uint64_t at = (uint64_t)location_sectors * SECTOR_BYTES, len = round_up(att_bitmap_bytes(t), SECTOR_BYTES);
	uint64_t data = d->offset_sectors * SECTOR_BYTES, end;

	if (!add_fits(at, len, &end) || end > d->size_bytes)
		return err_set(err, -EINVAL, "dev-%s has %llu bytes, and the bitmap of %llu at sector %lld does not "
			       "fit; nothing has changed", d->name, (ull)d->size_bytes, (ull)len,
			       (ll)location_sectors);
	if (ranges_overlap(at, len, data, att_component_bytes(t)))
		return err_set(err, -EINVAL, "on dev-%s the bitmap, %llu bytes at sector %lld, would overlap the data "
			       "from sector %llu on; nothing has changed", d->name, (ull)len, (ll)location_sectors,
			       (ull)d->offset_sectors);
	return 0;
}

int att_check_places(const struct att *t, const struct att_dev *d, int64_t location_sectors, struct err *err)
{
	int rc = check_data(t, d, err);

	return rc < 0 || !location_sectors ? rc : check_bitmap(t, d, location_sectors, err);
}

struct arr_member att_member(const struct att *t, const struct att_dev *d)
{
	struct arr_member m = {
		.state = d->is_in_sync ? ARR_M_IN_SYNC : ARR_M_RECOVERING,
		.slot = d->slot,
		.data_at = { d->offset_sectors * SECTOR_BYTES },
		.bitmap_at = { (uint64_t)t->bitmap.location_sectors * SECTOR_BYTES },
		.is_write_mostly = d->is_write_mostly,
		.hand = d->hand,
	};

	if (d->is_in_sync) {
		m.recovery_offset = OFF_NONE;
	} else if (!t->bitmap.location_sectors || d->saved_slot != d->slot) {
		m.wants_full = true;
		if (d->recovery_start_sectors != OFF_NONE)
			m.recovery_offset = d->recovery_start_sectors * SECTOR_BYTES;
	}
	return m;
}

/* ---- state ---- */

void att_state_text(const struct att_dev *d, const struct att_view *view, struct text *out)
{
	struct att_now now = att_now(d, view);
	bool has_unrecorded = att_has_unacknowledged(d);
	const struct {
		bool is_shown;
		const char *word;
	} words[] = {
		{ now.is_faulty || (has_unrecorded && !d->has_external_bbl), "faulty" },
		{ now.is_in_sync, "in_sync" },
		{ now.is_write_mostly, "write_mostly" },
		{ now.is_blocked || (has_unrecorded && !now.is_faulty), "blocked" },
		{ !now.is_faulty && !now.is_in_sync, "spare" },
		{ d->has_external_bbl, "external_bbl" },
	};
	const char *comma = "";

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!words[i].is_shown)
			continue;
		text_add(out, "%s%s", comma, words[i].word);
		comma = ",";
	}
	text_add(out, "\n");
}
