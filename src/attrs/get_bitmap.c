/* Reading bitmap/ and dev-NAME/: md's texts.
 *
 * A bitmap that runs knows its own chunk size and period; before that the tree's configuration is shown. All eight
 * files of bitmap/ are there with and without a bitmap; can_clear is an empty line without one [seen]. */
#include "attrs/inside.h"

static const struct bm *bitmap_of(const struct att_look *l)
{
	return l->view->bitmap;
}

int att_get_bitmap_location(const struct att_look *l, struct text *out)
{
	bool is_gone = l->t->has_superblocks && l->view->status && !bitmap_of(l);

	if (is_gone)
		text_add(out, "none\n");
	else if (l->t->bitmap.is_file)
		text_add(out, "file\n");
	else if (l->t->bitmap.location_sectors)
		text_add(out, "%+lld\n", (ll)l->t->bitmap.location_sectors);
	else
		text_add(out, "none\n");
	return 0;
}

int att_get_bitmap_space(const struct att_look *l, struct text *out)
{
	text_add(out, "%llu\n", (ull)l->t->bitmap.space_sectors);
	return 0;
}

int att_get_bitmap_time_base(const struct att_look *l, struct text *out)
{
	bool is_own = l->t->has_superblocks && bitmap_of(l);
	uint64_t ms = is_own ? bm_daemon_sleep_ms(bitmap_of(l)) : l->t->bitmap.time_base_ms;

	if (ms % 1000)
		text_add(out, "%llu.%03llu\n", (ull)(ms / 1000), (ull)(ms % 1000));
	else
		text_add(out, "%llu\n", (ull)(ms / 1000));
	return 0;
}

int att_get_bitmap_backlog(const struct att_look *l, struct text *out)
{
	text_add(out, "%u\n", l->view->status ? l->view->status->write_behind_max : l->t->bitmap.backlog);
	return 0;
}

int att_get_bitmap_chunksize(const struct att_look *l, struct text *out)
{
	uint64_t bytes = bitmap_of(l) ? bm_chunk_bytes(bitmap_of(l)) : l->t->bitmap.chunk_bytes;

	text_add(out, "%llu\n", (ull)bytes);
	return 0;
}

int att_get_bitmap_metadata(const struct att_look *l, struct text *out)
{
	text_add(out, "%s\n", l->view->cluster ? "clustered" : l->t->bitmap.is_external ? "external" : "internal");
	return 0;
}

int att_get_bitmap_can_clear(const struct att_look *l, struct text *out)
{
	text_add(out, "%s\n", !bitmap_of(l) || !l->view->status ? "" : l->view->status->can_clear ? "true" : "false");
	return 0;
}

int att_get_bitmap_max_backlog_used(const struct att_look *l, struct text *out)
{
	text_add(out, "%u\n", l->view->status ? l->view->status->behind_max_used : 0);
	return 0;
}

/* ---- dev-NAME/ ---- */

int att_get_dev_state(const struct att_look *l, struct text *out)
{
	att_state_text(l->dev, l->view, out);
	return 0;
}

int att_get_dev_errors(const struct att_look *l, struct text *out)
{
	int64_t errors = (int64_t)att_now(l->dev, l->view).errors + l->dev->errors_base;

	text_add(out, "%llu\n", (ull)(errors > 0 ? errors : 0));
	return 0;
}

int att_get_dev_slot(const struct att_look *l, struct text *out)
{
	uint32_t slot = att_now(l->dev, l->view).slot;

	if (slot == ATT_NO_SLOT)
		text_add(out, "none\n");
	else
		text_add(out, "%u\n", slot);
	return 0;
}

int att_get_dev_offset(const struct att_look *l, struct text *out)
{
	text_add(out, "%llu\n", (ull)l->dev->offset_sectors);
	return 0;
}

int att_get_dev_new_offset(const struct att_look *l, struct text *out)
{
	return att_get_dev_offset(l, out);
}

int att_get_dev_size(const struct att_look *l, struct text *out)
{
	text_add(out, "%llu\n", (ull)l->dev->size_kib);
	return 0;
}

int att_get_dev_recovery_start(const struct att_look *l, struct text *out)
{
	uint64_t sector = att_now(l->dev, l->view).recovery_start_sectors;

	if (sector == OFF_NONE)
		text_add(out, "none\n");
	else
		text_add(out, "%llu\n", (ull)sector);
	return 0;
}
