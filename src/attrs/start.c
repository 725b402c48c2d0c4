/* From the tree to a running array with external metadata.
 *
 * Everything that was stored as it came is judged here, in one place: what does not go together is refused with the two
 * values, and nothing has started. Entries of arr's table follow the order in which devices were bound.
 *
 * The bitmap is read from the in-sync member that was bound last [seen]. Its bits:
 *
 *	all slots in sync, resync_start none	leftovers of a clean array: swept away
 *	all slots in sync, resync_start N	NEEDED from sector N on: resynced
 *	a slot is missing or is recovered	all NEEDED: owed to whoever is not here (law I4). 6.1 forgets them when
 *						resync_start is none [seen], and a member that returns stays old
 *
 * A bitmap that is set while the array runs is read the same way. If a slot is empty then, nobody has marked what its
 * member missed: every chunk is owed, whatever lay there.
 *
 * Left out: starting from superblocks (the assembly room does), RAID10. */
#include "attrs/inside.h"

#include "base/mem.h"

uint64_t att_bitmap_bytes(const struct att *t)
{
	uint64_t size = att_component_bytes(t), chunk = t->bitmap.chunk_bytes;

	return size && chunk ? div_up(div_up(size, chunk), 8) : 0;
}

int att_check_bitmap_size(const struct att *t, struct err *err)
{
	uint64_t bytes = att_bitmap_bytes(t);

	if (bytes <= ATT_BITMAP_BYTES_MAX)
		return 0;
	return err_set(err, -EFBIG, "with bitmap/chunksize %llu the bitmap would have %llu bytes, and %d is the most; "
		       "nothing has changed", (ull)t->bitmap.chunk_bytes, (ull)bytes, ATT_BITMAP_BYTES_MAX);
}

/* In the order they were bound; @after 0 begins. */
static const struct att_dev *next_bound(const struct att *t, uint64_t after)
{
	const struct att_dev *next = NULL;

	ATT_EACH_DEV(d, t)
		if (d->bound > after && (!next || d->bound < next->bound))
			next = d;
	return next;
}

/* Saved before the start by -insync: it goes back to its slot, by the bitmap. */
static bool returns(const struct att_dev *d)
{
	return d->slot == ATT_NO_SLOT && d->saved_slot != ATT_NO_SLOT && !d->is_faulty;
}

static uint32_t slot_of(const struct att_dev *d)
{
	return returns(d) ? d->saved_slot : d->slot;
}

static bool is_member(const struct att_dev *d)
{
	return slot_of(d) != ATT_NO_SLOT && !d->is_faulty;
}

/* ---- does it go together? ---- */

static int check_array(const struct att *t, struct err *err)
{
	if (!next_bound(t, 0))
		return err_set(err, -EINVAL, "0 devices are bound, and an array is started from at least 1");
	if (!att_is_external(t))
		return err_set(err, -EOPNOTSUPP, "metadata_version is %s, and only arrays with external:... are "
			       "started by the tree (umd serve MEMBER... starts one from superblocks)", t->metadata);
	if (att_is(t->level, "raid10") || att_is(t->level, "10"))
		return err_set(err, -EOPNOTSUPP, "starting a RAID10 array is not supported; a mirror has level raid1");
	if (!att_is(t->level, "raid1") && !att_is(t->level, "1"))
		return err_set(err, -EINVAL, "level is '%s', and raid1 is what can be started", t->level);
	if (!t->raid_disks || !t->component_kib)
		return err_set(err, -EINVAL, "raid_disks is %u and component_size %llu, and both must be set before "
			       "the start", t->raid_disks, (ull)t->component_kib);
	if (!t->bitmap.location_sectors)
		return 0;
	if (!t->bitmap.is_external || !t->bitmap.chunk_bytes || !t->bitmap.time_base_ms)
		return err_set(err, -EINVAL, "bitmap/location is %+lld, bitmap/chunksize %llu and bitmap/time_base "
			       "%llu ms; all three must be set for a bitmap", (ll)t->bitmap.location_sectors,
			       (ull)t->bitmap.chunk_bytes, (ull)t->bitmap.time_base_ms);
	return att_check_bitmap_size(t, err);
}

static int check_dev(const struct att *t, const struct att_dev *d, struct err *err)
{
	int rc = att_check_places(t, d, t->bitmap.location_sectors, err);

	if (rc < 0)
		return rc;
	if (slot_of(d) >= t->raid_disks)
		return err_set(err, -EINVAL, "dev-%s has slot %u, and raid_disks is %u", d->name, slot_of(d),
			       t->raid_disks);
	if (d->size_kib && d->size_kib < t->component_kib)
		return err_set(err, -EINVAL, "dev-%s has size %llu, and component_size is %llu", d->name,
			       (ull)d->size_kib, (ull)t->component_kib);
	ATT_EACH_DEV(other, t)
		if (other != d && is_member(other) && slot_of(other) == slot_of(d))
			return err_set(err, -EINVAL, "dev-%s and dev-%s have the same slot, %u", d->name, other->name,
				       slot_of(d));
	return 0;
}

static int check_devs(const struct att *t, uint32_t *ret_in_sync, struct err *err)
{
	uint32_t in_sync = 0;
	int rc;

	ATT_EACH_DEV(d, t) {
		if (!is_member(d))
			continue;
		rc = check_dev(t, d, err);
		if (rc < 0)
			return rc;
		in_sync += d->is_in_sync;
	}
	if (!in_sync)
		return err_set(err, -EINVAL, "0 devices have a slot and are in_sync, and 1 is needed");
	*ret_in_sync = in_sync;
	return 0;
}

/* ---- the bitmap ---- */

int att_bitmap_place(const struct att *t, const struct att_view *view, uint32_t *ret_dev, member_off *ret_at,
		     uint64_t *ret_len_bytes, struct err *err)
{
	const struct att_dev *last = NULL;
	int64_t location = t->bitmap.coming_sectors ? t->bitmap.coming_sectors : t->bitmap.location_sectors;
	uint32_t in_sync;
	int rc = view->status ? 0 : check_array(t, err);

	if (!rc && !view->status)
		rc = check_devs(t, &in_sync, err);
	if (rc < 0 || !location)
		return rc;
	ATT_EACH_DEV(d, t) {
		struct att_now now = att_now(d, view);

		if (now.is_in_sync && now.slot != ATT_NO_SLOT && (now.is_in_array || !view->status) &&
		    (!last || d->bound > last->bound))
			last = d;
	}
	if (!last)
		return err_set(err, -EINVAL, "0 devices are in_sync, and the bitmap is read from one");
	*ret_dev = att_index(t, last);
	*ret_at = (member_off){ (uint64_t)location * SECTOR_BYTES };
	*ret_len_bytes = att_bitmap_bytes(t);
	return 1;
}

static int load(const struct att *t, bool is_whole, uint64_t resync_start_bytes, const uint8_t *image,
		uint64_t image_bytes, struct bm **ret_bitmap, struct err *err)
{
	uint32_t sleep_ms = (uint32_t)min_u64(t->bitmap.time_base_ms, UINT32_MAX);
	struct bm *b = bm_new_bare(att_component_bytes(t), t->bitmap.chunk_bytes, sleep_ms, image, image_bytes);
	bool is_clean = is_whole && resync_start_bytes == OFF_NONE;
	int64_t set;

	if (!b)
		return err_set(err, -ENOMEM, "no memory for the bitmap");
	set = bm_load(b, is_clean ? BM_LOAD_CLEAN : BM_LOAD_NEEDED_FROM,
		      (array_off){ is_whole && !is_clean ? resync_start_bytes : 0 }, false);
	if (set < 0) {
		bm_free(b);
		return err_set(err, (int)set, "no memory for the bitmap's counters");
	}
	*ret_bitmap = b;
	return 0;
}

int att_make_bitmap(const struct att *t, const struct att_view *view, const uint8_t *image, uint64_t image_bytes,
		    struct bm **ret_bitmap, struct err *err)
{
	const struct arr_status *s = view->status;
	struct bm *b;
	int rc = load(t, !s->degraded, s->resync_offset, image, image_bytes, &b, err);

	if (rc == 0 && s->degraded && bm_set_needed(b, (array_off){ 0 }, att_component_bytes(t)) < 0) {
		bm_free(b);
		rc = err_set(err, -ENOMEM, "no memory for the bitmap's counters");
	}
	if (rc == 0)
		*ret_bitmap = b;
	return rc;
}

/* ---- the array ---- */

static uint64_t resync_start_bytes(const struct att *t)
{
	if (t->resync_start_sectors == OFF_NONE || t->resync_start_sectors * SECTOR_BYTES >= att_component_bytes(t))
		return OFF_NONE;
	return t->resync_start_sectors * SECTOR_BYTES;
}

static struct arr_member starting_member(const struct att *t, const struct att_dev *d)
{
	struct att_dev back = *d;

	back.slot = slot_of(d);
	return att_member(t, &back);
}

int att_make_config(const struct att *t, enum att_mode mode, const uint8_t *image, uint64_t image_bytes,
		    struct arr_config *c, struct err *err)
{
	uint32_t in_sync;
	int rc = check_array(t, err);

	if (!rc)
		rc = check_devs(t, &in_sync, err);
	if (rc < 0)
		return rc;
	memset(c, 0, sizeof *c);
	c->size_bytes = att_component_bytes(t);
	c->is_external = true;
	c->raid_devices = t->raid_disks;
	c->is_readonly = mode == ATT_MODE_READONLY;
	c->is_read_auto = mode == ATT_MODE_READ_AUTO;
	c->resync_offset = resync_start_bytes(t);
	c->safe_mode_delay_ms = ATT_SAFE_MODE_MS;
	c->sync_reason = "the array's owner says so";
	for (const struct att_dev *d = next_bound(t, 0); d; d = next_bound(t, d->bound))
		if (is_member(d))
			c->members[c->member_count++] = starting_member(t, d);
	if (!t->bitmap.location_sectors)
		return 0;
	c->write_behind_max = t->bitmap.backlog;
	return load(t, in_sync == t->raid_disks, c->resync_offset, image, image_bytes, &c->bitmap, err);
}

void att_started(struct att *t)
{
	uint32_t entry = 0;

	for (const struct att_dev *d = next_bound(t, 0); d; d = next_bound(t, d->bound)) {
		struct att_dev *mine = &t->devs[att_index(t, d)];

		if (!is_member(d))
			continue;
		mine->slot = slot_of(d);
		if (d->is_in_sync)
			mine->saved_slot = d->slot;
		mine->entry = entry++;
	}
	if (!t->bitmap.location_sectors)
		att_forget_saved(t, true);
	t->safe_mode_ms = ATT_SAFE_MODE_MS;
	t->was_started = true;
}
