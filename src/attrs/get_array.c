/* Reading the array's own attributes: md's texts.
 *
 * What a running array does comes from its status, what was configured from the tree. An attribute that is unset reads
 * as nothing at all (level, raid_disks), as in md; every other value ends in one newline. Source: spec of the attribute
 * tree, "Array level" and "Initial values". */
#include "attrs/inside.h"

#define STATUS(l) ((l)->view->status)

int att_get_array_state(const struct att_look *l, struct text *out)
{
	if (STATUS(l))
		text_add(out, "%s\n", arr_state_name(STATUS(l)->state));
	else
		text_add(out, "%s\n", att_is_configured(l->t) ? "inactive" : "clear");
	return 0;
}

int att_get_level(const struct att_look *l, struct text *out)
{
	if (l->t->level[0])
		text_add(out, "%s\n", l->t->level);
	return 0;
}

int att_get_layout(const struct att_look *l, struct text *out)
{
	text_add(out, "%u\n", l->t->layout);
	return 0;
}

int att_get_raid_disks(const struct att_look *l, struct text *out)
{
	uint32_t n = STATUS(l) ? STATUS(l)->raid_devices : l->t->raid_disks;

	if (n)
		text_add(out, "%u\n", n);
	return 0;
}

int att_get_uuid(const struct att_look *l, struct text *out)
{
	static const unsigned groups[] = { 4, 2, 2, 2, 6 };
	const uint8_t *at = l->t->uuid;

	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
		if (g)
			text_add(out, "-");
		for (unsigned i = 0; i < groups[g]; i++)
			text_add(out, "%02x", *at++);
	}
	text_add(out, "\n");
	return 0;
}

int att_get_chunk_size(const struct att_look *l, struct text *out)
{
	text_add(out, "%u\n", l->t->chunk_bytes);
	return 0;
}

int att_get_component_size(const struct att_look *l, struct text *out)
{
	text_add(out, "%llu\n", (ull)l->t->component_kib);
	return 0;
}

static void put_sector(uint64_t sector, struct text *out)
{
	if (sector == OFF_NONE)
		text_add(out, "none\n");
	else
		text_add(out, "%llu\n", (ull)sector);
}

int att_get_resync_start(const struct att_look *l, struct text *out)
{
	uint64_t sector = l->t->resync_start_sectors;

	if (STATUS(l))
		sector = STATUS(l)->resync_offset == OFF_NONE ? OFF_NONE : STATUS(l)->resync_offset / SECTOR_BYTES;
	put_sector(sector, out);
	return 0;
}

int att_get_metadata_version(const struct att_look *l, struct text *out)
{
	text_add(out, "%s\n", l->t->metadata);
	return 0;
}

int att_get_safe_mode_delay(const struct att_look *l, struct text *out)
{
	uint64_t ms = l->t->safe_mode_ms;

	text_add(out, "%llu.%03llu\n", (ull)(ms / 1000), (ull)(ms % 1000));
	return 0;
}

int att_get_max_read_errors(const struct att_look *l, struct text *out)
{
	text_add(out, "%d\n", l->t->was_started ? 20 : 0);
	return 0;
}

int att_get_serialize_policy(const struct att_look *l, struct text *out)
{
	text_add(out, "%s\n", STATUS(l) ? "0" : "n/a");
	return 0;
}

int att_get_consistency_policy(const struct att_look *l, struct text *out)
{
	text_add(out, "%s\n", !STATUS(l) ? "unknown" : l->view->bitmap ? "bitmap" : "resync");
	return 0;
}

/* ---- while it runs ---- */

int att_get_sync_action(const struct att_look *l, struct text *out)
{
	text_add(out, "%s\n", STATUS(l)->is_frozen ? "frozen" : arr_sync_action_name(STATUS(l)->action));
	return 0;
}

int att_get_last_sync_action(const struct att_look *l, struct text *out)
{
	const struct arr_status *s = STATUS(l);
	enum arr_sync_action last = s->action != ARR_SYNC_IDLE ? s->action : s->last.action;

	text_add(out, "%s\n", last == ARR_SYNC_RESYNC ? "resync" : last == ARR_SYNC_RECOVER ? "recovery" : "none");
	return 0;
}

int att_get_mismatch_cnt(const struct att_look *l, struct text *out)
{
	text_add(out, "0\n");
	return 0;
}

int att_get_sync_speed(const struct att_look *l, struct text *out)
{
	const struct arr_status *s = STATUS(l);
	uint64_t ms = l->view->now_ms > s->now.started_ms ? l->view->now_ms - s->now.started_ms : 1;

	if (s->action == ARR_SYNC_IDLE)
		text_add(out, "none\n");
	else
		text_add(out, "%llu\n", (ull)(s->now.bytes_checked / 1024 * 1000 / ms));
	return 0;
}

int att_get_sync_completed(const struct att_look *l, struct text *out)
{
	const struct arr_status *s = STATUS(l);

	if (s->action == ARR_SYNC_IDLE)
		text_add(out, "none\n");
	else
		text_add(out, "%llu / %llu\n", (ull)(s->sync_position / SECTOR_BYTES),
			 (ull)(s->size_bytes / SECTOR_BYTES));
	return 0;
}

int att_get_degraded(const struct att_look *l, struct text *out)
{
	text_add(out, "%u\n", STATUS(l)->degraded);
	return 0;
}

/* ---- umd/: what md does not have ---- */

int att_get_umd_why(const struct att_look *l, struct text *out)
{
	const struct arr_status *s = STATUS(l);
	const char *why = !s ? "" : s->action != ARR_SYNC_IDLE ? s->now.reason : s->last.reason;

	text_add_escaped(out, why, strlen(why));
	text_add(out, "\n");
	return 0;
}

/* Lines until the page is full: what is read never exceeds ATT_VALUE_MAX. */
int att_get_umd_members(const struct att_look *l, struct text *out)
{
	size_t before = out->len_bytes;

	ATT_EACH_DEV(d, l->t) {
		struct att_now now = att_now(d, l->view);

		if (out->len_bytes - before > ATT_VALUE_MAX - ATT_NAME_BYTES - 96)
			break;
		if (now.slot == ATT_NO_SLOT)
			text_add(out, "- dev-%s ", d->name);
		else
			text_add(out, "%u dev-%s ", now.slot, d->name);
		att_state_text(d, l->view, out);
	}
	return 0;
}

int att_get_umd_dirty_chunks(const struct att_look *l, struct text *out)
{
	chunk_no first, last = { 0 };
	size_t before = out->len_bytes;
	const char *blank = "";

	for (chunk_no from = { 0 }; l->view->bitmap && bm_next_set(l->view->bitmap, from, &first, &last);
	     from.index = last.index + 1) {
		if (out->len_bytes - before > ATT_VALUE_MAX - 64) {
			text_add(out, " ...");
			break;
		}
		text_add(out, "%s%llu", blank, (ull)first.index);
		if (last.index != first.index)
			text_add(out, "-%llu", (ull)last.index);
		blank = " ";
	}
	text_add(out, "\n");
	return 0;
}
