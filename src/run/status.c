/* A served array as JSON: `detail`. One that does not run has the same keys, with what is configured.
 *
 * The text is made under the lock, so that its figures belong together; it is bounded and only memory is touched.
 * What an array without superblocks is called, and what it is made of, only its attributes know. Names come from
 * superblocks and paths from users: both are escaped by base/text.h. Left out: its map (map_running.c). */
#include "run/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look/look.h"

/* An attribute's value without its newline, cut to fit; "" where there is none. */
static const char *attribute(const struct umd_array *u, const struct att_view *view, const char *path, char ret[64])
{
	struct text value = { 0 };

	ret[0] = 0;
	if (att_read(u->tree, view, path, &value) == 0 && value.len_bytes)
		text_fit(ret, 64, "%.*s", (int)strcspn(value.data, "\n"), value.data);
	text_drop(&value);
	return ret;
}

static void put_folder(const struct umd_array *u, uint32_t dev, struct text *t)
{
	char folder[ATT_NAME_BYTES + 4];

	if (dev == ATT_NO_DEV)
		return;
	text_fit(folder, sizeof folder, "dev-%s", att_dev(u->tree, dev)->name);
	json_str(t, "folder", folder);
}

static void put_member(const struct umd_array *u, const struct arr_status *s, uint32_t i, struct text *t)
{
	const struct arr_member *m = &s->members[i];
	char uuid[36];

	fmt_uuid_text(u->device_uuids[i], uuid);
	json_open(t, NULL, '{');
	json_str(t, "path", u->hands[i] ? u->hands[i]->path : NULL);
	if (m->state == ARR_M_SPARE)
		json_null(t, "slot");
	else
		json_u64(t, "slot", m->slot);
	json_u64(t, "device_number", m->dev_number);
	json_str(t, "state", arr_member_state_name(m->state));
	json_bool(t, "write_mostly", m->is_write_mostly);
	json_str(t, "device_uuid", uuid);
	json_bool(t, "blocked", m->is_blocked);
	json_u64(t, "errors", m->errors);
	json_off(t, "recovery_offset_bytes", m->state == ARR_M_RECOVERING ? m->recovery_offset : OFF_NONE);
	put_folder(u, att_dev_of_entry(u->tree, i), t);
	json_close(t, '}');
}

/* Bound, but not in the array: a spare of its owner, or the array does not run. */
static void put_device(const struct umd_array *u, uint32_t at, struct text *t)
{
	const struct att_dev *dev = att_dev(u->tree, at);
	const struct member *m = dev->hand;

	json_open(t, NULL, '{');
	json_str(t, "path", m ? m->path : NULL);
	if (dev->slot == ATT_NO_SLOT)
		json_null(t, "slot");
	else
		json_u64(t, "slot", dev->slot);
	json_str(t, "state", dev->slot != ATT_NO_SLOT && dev->is_in_sync ? "in_sync" : "spare");
	json_bool(t, "write_mostly", dev->is_write_mostly);
	json_bool(t, "blocked", false);
	json_u64(t, "errors", 0);
	put_folder(u, at, t);
	json_close(t, '}');
}

static void put_members(const struct umd_array *u, const struct arr_status *s, struct text *t)
{
	json_open(t, "members", '[');
	for (uint32_t i = 0; i < s->member_count; i++)
		if (s->members[i].state != ARR_M_NONE)
			put_member(u, s, i, t);
	for (uint32_t i = 0; i < ATT_DEVS_MAX; i++)
		if (att_dev(u->tree, i) && att_dev(u->tree, i)->entry == ARR_MEMBERS_MAX)
			put_device(u, i, t);
	json_close(t, ']');
}

static const char *file_path(const struct umd_array *u)
{
	return u->hands[ARR_FILE] ? u->hands[ARR_FILE]->path : NULL;
}

static void put_bitmap(const struct umd_array *u, const struct bm *b, const struct arr_status *s, struct text *t)
{
	if (s->has_lost_file)
		json_str(t, "bitmap_file_lost", file_path(u));
	if (!b) {
		json_null(t, "bitmap");
		return;
	}
	json_open(t, "bitmap", '{');
	json_str(t, "kind", bm_is_bare(b) ? "external" : s->bitmap_is_file ? "file" :
		 s->is_clustered ? "clustered" : "internal");
	if (s->bitmap_is_file)
		json_str(t, "path", file_path(u));
	json_u64(t, "chunk_bytes", bm_chunk_bytes(b));
	json_u64(t, "chunks", bm_chunks(b));
	json_u64(t, "set_chunks", bm_set_chunks(b));
	json_u64(t, "needed_chunks", bm_needed_chunks(b));
	json_bool(t, "can_clear", s->can_clear);
	json_u64(t, "events", bm_events(b));
	json_u64(t, "events_cleared", bm_events_cleared(b));
	json_u64(t, "daemon_sleep_s", bm_daemon_sleep_ms(b) / 1000);
	json_u64(t, "daemon_sleep_ms", bm_daemon_sleep_ms(b));
	json_u64(t, "write_behind", s->write_behind_max);
	json_u64(t, "behind_now", s->behind_now);
	json_u64(t, "behind_max_used", s->behind_max_used);
	json_close(t, '}');
}

static void put_report(const struct arr_sync_report *r, const char *key, uint64_t until_ms, struct text *t)
{
	json_open(t, key, '{');
	json_str(t, "action", arr_sync_action_name(r->action));
	json_u64(t, "bytes_copied", r->bytes_copied);
	json_u64(t, "bytes_checked", r->bytes_checked);
	json_i64(t, "milliseconds", (int64_t)(until_ms - r->started_ms));
	json_u64(t, "seconds", (until_ms - r->started_ms) / 1000);
	json_str(t, "reason", r->reason);
	json_bool(t, "complete", r->is_complete);
	json_close(t, '}');
}

static void put_counters(const struct arr_counters *c, struct text *t)
{
	json_open(t, "counters", '{');
	json_u64(t, "client_reads", c->client_reads);
	json_u64(t, "client_writes", c->client_writes);
	json_u64(t, "client_flushes", c->client_flushes);
	json_u64(t, "member_writes", c->member_writes);
	json_u64(t, "member_flushes", c->member_flushes);
	json_u64(t, "bitmap_commits", c->bitmap_commits);
	json_u64(t, "bitmap_bits_set", c->bitmap_bits_set);
	json_u64(t, "set_ahead", 0);
	json_close(t, '}');
}

/* "raid1" is 1; null where the owner has not said it. */
static void put_level(const struct umd_array *u, const struct att_view *view, struct text *t)
{
	char level[64];
	int number;

	if (sscanf(attribute(u, view, "level", level), "raid%d", &number) == 1)
		json_i64(t, "level", number);
	else
		json_null(t, "level");
}

static void put_array(struct umd_array *u, const struct att_view *view, const struct arr_status *s, struct text *t)
{
	char uuid[36], value[64];

	fmt_uuid_text(u->uuid, uuid);
	json_str(t, "name", run_rundir_name(u->rundir));
	json_str(t, "superblock_name", u->name);
	json_str(t, "array_uuid", uuid);
	json_str(t, "metadata", attribute(u, view, "metadata_version", value));
	put_level(u, view, t);
	json_u64(t, "size_bytes", s->size_bytes);
	json_bool(t, "readonly", s->is_readonly);
	json_i64(t, "pid", getpid());
	json_str(t, "array_state", attribute(u, view, "array_state", value));
	json_u64(t, "clients", u->clients);
	json_u64(t, "events", s->events);
	json_u64(t, "raid_devices", view->status ? s->raid_devices :
		 strtoul(attribute(u, view, "raid_disks", value), NULL, 10));
	json_u64(t, "degraded", s->degraded);
	json_str(t, "sync_action", arr_sync_action_name(s->action));
	json_off(t, "sync_position_bytes", s->action ? s->sync_position : OFF_NONE);
	json_u64(t, "sync_bytes_left", s->sync_bytes_left);
}

void run_detail(struct umd_array *u, struct text *t)
{
	struct arr_status s = { 0 };
	struct att_view view;

	pthread_mutex_lock(&u->lock);
	view = run_view(u, &s);
	json_open(t, NULL, '{');
	put_array(u, &view, &s, t);
	put_members(u, &s, t);
	put_bitmap(u, view.bitmap, &s, t);
	if (s.now.action)
		put_report(&s.now, "sync", run_now_ms(), t);
	else
		json_null(t, "sync");
	if (s.last.ended_ms)
		put_report(&s.last, "last_sync", s.last.ended_ms, t);
	else
		json_null(t, "last_sync");
	put_counters(&s.counters, t);
	run_cluster_detail(u, &s, t);
	json_close(t, '}');
	pthread_mutex_unlock(&u->lock);
}
