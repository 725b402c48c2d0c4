/* Configuring an array that does not run yet: level, disks, sizes, who keeps the metadata.
 *
 * All of these are stored as they come, as md does: whether they go together is judged at the start (start.c). While
 * the array runs, writing what is there already changes nothing; anything else has no engine yet and says so. The
 * exceptions have their own files: array_state and sync_action (set_state.c), bitmap/ (set_bitmap.c), dev-NAME/
 * (set_dev.c). */
#include "attrs/inside.h"

static bool is_running(const struct att_store *s)
{
	return s->view->status;
}

/* While it runs: the same value again is fine. */
static int keep(struct att_store *s, bool is_same)
{
	return is_same ? 0 : att_todo(s, "while the array runs");
}

int att_set_level(struct att_store *s)
{
	if (is_running(s))
		return keep(s, att_is(s->value, s->t->level));
	if (!s->len_bytes || s->len_bytes >= ATT_LEVEL_BYTES)
		return att_refuse(s, -EINVAL, "a level has 1 to %d bytes, and this has %zu", ATT_LEVEL_BYTES - 1,
				  s->len_bytes);
	memcpy(s->t->level, s->value, s->len_bytes + 1);
	return 0;
}

int att_set_layout(struct att_store *s)
{
	uint64_t n;
	int rc = att_take_number(s, UINT32_MAX, &n);

	if (rc < 0)
		return rc;
	if (is_running(s))
		return keep(s, n == s->t->layout);
	s->t->layout = (uint32_t)n;
	return 0;
}

int att_set_raid_disks(struct att_store *s)
{
	uint64_t n;
	int rc = att_take_number(s, UINT32_MAX, &n);

	if (rc < 0)
		return rc;
	if (!n || n > ARR_MEMBERS_MAX)
		return att_refuse(s, -EINVAL, "an array has 1 to %d slots here, and this is %llu", ARR_MEMBERS_MAX,
				  (ull)n);
	if (is_running(s))
		return keep(s, n == s->view->status->raid_devices);
	s->t->raid_disks = (uint32_t)n;
	return 0;
}

int att_set_chunk_size(struct att_store *s)
{
	uint64_t n;
	int rc = att_take_number(s, UINT32_MAX, &n);

	if (rc < 0)
		return rc;
	if (n % SECTOR_BYTES)
		return att_refuse(s, -EINVAL, "a RAID chunk is a multiple of %u bytes, and this is %llu", SECTOR_BYTES,
				  (ull)n);
	if (is_running(s))
		return keep(s, n == s->t->chunk_bytes);
	s->t->chunk_bytes = (uint32_t)n;
	return 0;
}

int att_set_component_size(struct att_store *s)
{
	uint64_t kib, now = s->t->component_kib;
	int rc = att_number(s->value, UINT64_MAX, &kib);

	if (rc == -EINVAL || (!rc && kib > INT64_MAX / 1024))
		return att_refuse(s, -EINVAL, "a size in KiB goes there, %lld at most", (ll)(INT64_MAX / 1024));
	if (rc < 0)
		return att_refuse(s, rc, "it is above every size");
	if (is_running(s))
		return keep(s, kib == now);
	if (now && kib >= now)
		return att_refuse(s, -ENOSPC, "before the start it only becomes smaller, and it is %llu now",
				  (ull)now);
	s->t->component_kib = kib;
	return 0;
}

int att_set_resync_start(struct att_store *s)
{
	uint64_t sector;

	if (is_running(s) && !s->view->status->is_frozen)
		return att_refuse(s, -EBUSY, "the array runs and sync_action is not frozen");
	if (att_sector(s->value, &sector) < 0)
		return att_refuse(s, -EINVAL, "a sector or none goes there");
	if (is_running(s))
		return att_todo(s, "while the array runs");
	s->t->resync_start_sectors = sector;
	return 0;
}

/* "N.M" of the superblocks md knows: 0.90, 1.0, 1.1, 1.2 */
static int take_version(struct att_store *s, char ret[ATT_METADATA_BYTES])
{
	char *point = strchr(s->value, '.');
	uint64_t major, minor;
	bool is_form = point;

	if (point) {
		*point = 0;
		is_form = !att_number(s->value, UINT32_MAX, &major) && !att_number(point + 1, UINT32_MAX, &minor);
		*point = '.';
	}
	if (!is_form)
		return att_refuse(s, -EINVAL, "none, external:TEXT or a version as 1.2 goes there");
	if (major > 1)
		return att_refuse(s, -ENOENT, "superblocks have version 0.90 or 1.0 to 1.2");
	text_fit(ret, ATT_METADATA_BYTES, "%llu.%llu", (ull)major, (ull)minor);
	return 0;
}

int att_set_metadata_version(struct att_store *s)
{
	static const char external[] = "external:";
	char version[ATT_METADATA_BYTES] = "none";
	bool is_external = att_begins(s->value, external), has_devices = false;
	int rc = 0;

	ATT_EACH_DEV(d, s->t)
		has_devices = true;
	if ((has_devices || is_running(s)) && !(is_external && att_is_external(s->t)))
		return att_refuse(s, -EBUSY, "it is %s, and devices are bound", s->t->metadata);
	if (is_external)
		text_fit(version, strlen(external) + 17, "%s", s->value);
	else if (!att_is(s->value, "none"))
		rc = take_version(s, version);
	if (rc < 0)
		return rc;
	memcpy(s->t->metadata, version, sizeof version);
	return 0;
}

static int take_device_number(struct att_store *s)
{
	char *colon = strchr(s->value, ':');
	uint64_t major, minor;
	int rc = colon ? 0 : -EINVAL;

	if (colon) {
		*colon = 0;
		rc = att_number(s->value, UINT64_MAX, &major);
		if (!rc)
			rc = att_number(colon + 1, UINT64_MAX, &minor);
		*colon = ':';
	}
	if (rc == -EINVAL)
		return att_refuse(s, rc, "an absolute path, or MAJOR:MINOR of a block device, goes there");
	if (rc < 0 || major >= 1 << 12 || minor >= 1 << 20)
		return att_refuse(s, -EOVERFLOW, "device numbers end at %d:%d", (1 << 12) - 1, (1 << 20) - 1);
	return 0;
}

int att_set_new_dev(struct att_store *s)
{
	int rc = *s->value == '/' ? 0 : take_device_number(s);
	uint32_t bound = 0;

	if (rc < 0)
		return rc;
	if (s->t->has_superblocks)
		return att_todo(s, "array with superblocks");
	ATT_EACH_DEV(d, s->t)
		bound++;
	if (bound == ATT_DEVS_MAX)
		return att_refuse(s, -ENOSPC, "%u devices are bound, and there is no room for more", bound);
	s->action->kind = ATT_BIND;
	return 0;
}

int att_set_safe_mode_delay(struct att_store *s)
{
	uint64_t ms;

	if (att_decimal(s->value, 3, &ms) < 0 || ms > INT64_MAX / 100)
		return att_refuse(s, -EINVAL, "seconds go there, with a point and decimals or without");
	ms = ms && ms < ATT_TICK_MS ? ATT_TICK_MS : ms / ATT_TICK_MS * ATT_TICK_MS;
	s->action->number = ms;
	if (is_running(s))
		return att_event(s, ARR_EV_SAFE_MODE_DELAY, min_u64(ms, UINT32_MAX));
	s->t->safe_mode_ms = ms;
	return 0;
}

int att_set_consistency_policy(struct att_store *s)
{
	int rc = att_todo_word(s, s->value);

	if (rc < 0)
		return rc;
	if (is_running(s))
		return att_refuse(s, -EBUSY, "that of a mirror does not change while it runs");
	return att_refuse(s, -EINVAL, "it follows from bitmap/location");
}
