/* Notices: who is woken.
 *
 * After each step the array's status is compared with what pollers were told last; the generation of a file that md
 * would notify moves, of no other. Several changes merge into one; a notice promises no new value.
 *
 *	array_state	its word changed; the array started or stopped
 *	sync_action	something began or ended, was frozen or let go; a member failed; the array became read-only
 *	sync_completed	something began or ended; a sixteenth was done; the array became read-only
 *	degraded	changed, once no failed member is blocked any more: then the owner has recorded it
 *	can_clear	became false by itself
 *	cluster/	state, peers, events: each when its text is another
 *	dev state	what the member is changed, or it became blocked. Letting it go is told to nobody
 *
 * Never: whatever else is written, new_dev, bad_blocks, the way of can_clear back to true [seen]. */
#include "attrs/inside.h"

static bool is_news(const struct arr_member *m, const struct att_told_member *told)
{
	return m->state != ARR_M_NONE && (m->state != told->state || m->is_write_mostly != told->is_write_mostly ||
					  (m->is_blocked && !told->is_blocked));
}

static void tell_member(struct att *t, const struct arr_status *s, uint32_t entry)
{
	const struct arr_member *m = &s->members[entry];
	struct att_told_member *told = &t->told.members[entry];
	uint32_t dev = att_dev_of_entry(t, entry);

	if (dev != ATT_NO_DEV && is_news(m, told))
		att_bump_dev(t, dev, ATT_ROW_dev_state);
	if (m->state == ARR_M_FAULTY && told->state != ARR_M_FAULTY)
		att_bump(t, ATT_ROW_sync_action);
	if (dev != ATT_NO_DEV && m->state == ARR_M_IN_SYNC)
		t->devs[dev].slot = t->devs[dev].saved_slot = m->slot;
	told->state = m->state;
	told->is_blocked = m->is_blocked;
	told->is_write_mostly = m->is_write_mostly;
}

/* Members of an array that has just been started were told by its start. */
static bool tell_members(struct att *t, const struct arr_status *s)
{
	bool is_blocked = false;

	for (uint32_t i = 0; i < s->member_count; i++) {
		tell_member(t, s, i);
		is_blocked |= s->members[i].state != ARR_M_NONE && s->members[i].is_blocked;
	}
	return is_blocked;
}

static uint64_t sixteenth_of(const struct arr_status *s)
{
	return s->action == ARR_SYNC_IDLE || s->size_bytes < 16 ? 0 : s->sync_position / (s->size_bytes / 16);
}

static void tell_sync(struct att *t, const struct arr_status *s)
{
	struct att_told *told = &t->told;
	bool is_held = s->mode == ARR_MODE_READONLY && told->mode != ARR_MODE_READONLY;

	if (s->action != told->action || s->is_frozen != told->is_frozen || is_held)
		att_bump(t, ATT_ROW_sync_action);
	if (s->action != told->action || sixteenth_of(s) != told->sixteenth || is_held)
		att_bump(t, ATT_ROW_sync_completed);
	told->action = s->action;
	told->is_frozen = s->is_frozen;
	told->mode = s->mode;
	told->sixteenth = sixteenth_of(s);
}

/* A run begins: everything that has a notice counts as told, and the files of a start are. */
static void begin(struct att *t, const struct arr_status *s)
{
	struct att_told *told = &t->told;

	*told = (struct att_told){ .is_running = true, .state = s->state, .asks = s->asks, .mode = s->mode,
				   .degraded = s->degraded,
				   .is_frozen = s->is_frozen, .can_clear_falls = s->can_clear_falls };
	for (uint32_t i = 0; i < s->member_count; i++) {
		told->members[i].state = s->members[i].state;
		told->members[i].is_write_mostly = s->members[i].is_write_mostly;
	}
	att_bump(t, ATT_ROW_array_state);
	att_bump(t, ATT_ROW_sync_action);
	att_bump(t, ATT_ROW_degraded);
}

static void tell_cluster(struct att *t, const struct att_cluster *c)
{
	struct att_told *told = &t->told;

	if (c->state_news != told->cluster_state)
		att_bump(t, ATT_ROW_cluster_state);
	if (c->peers_news != told->cluster_peers)
		att_bump(t, ATT_ROW_cluster_peers);
	if (c->event_news != told->cluster_event)
		att_bump(t, ATT_ROW_cluster_events);
	told->cluster_state = c->state_news;
	told->cluster_peers = c->peers_news;
	told->cluster_event = c->event_news;
}

void att_notice(struct att *t, const struct att_view *view)
{
	const struct arr_status *s = view->status;
	struct att_told *told = &t->told;
	bool is_blocked;

	if (!s)
		return;
	if (!told->is_running)
		begin(t, s);
	if (view->cluster)
		tell_cluster(t, view->cluster);
	is_blocked = tell_members(t, s);
	if (s->state != told->state || s->asks != told->asks)
		att_bump(t, ATT_ROW_array_state);
	told->state = s->state;
	told->asks = s->asks;
	tell_sync(t, s);
	if (s->can_clear_falls != told->can_clear_falls)
		att_bump(t, ATT_ROW_bitmap_can_clear);
	told->can_clear_falls = s->can_clear_falls;
	if (s->degraded != told->degraded && !is_blocked) {
		att_bump(t, ATT_ROW_degraded);
		told->degraded = s->degraded;
	}
}

uint64_t att_generation(const struct att *t, const struct att_view *view, const char *path)
{
	enum att_row_no row;
	uint32_t dev;

	if (att_find(t, view, path, &row, &dev) < 0)
		return 0;
	return dev == ATT_NO_DEV ? t->generations[row] : t->dev_generations[dev][row];
}

uint64_t att_tree_generation(const struct att *t)
{
	return t->tree_generation;
}

uint64_t att_clock(const struct att *t)
{
	return t->clock;
}
