/* The tree itself: made, forgotten, devices that come and go.
 *
 * Words: a tree is *fresh* until something is configured (array_state reads clear). It is made fresh for an owner, or
 * from facts that superblocks told. Generations come from one clock, so that no number is given out twice: a device
 * that returns under its old name has files that are newer than any poller's.
 *
 * Left out: what a value means (get_*.c, set_*.c), when pollers are woken (notice.c). */
#include "attrs/inside.h"

#include "base/mem.h"

static void begin(struct att *t)
{
	memset(t, 0, offsetof(struct att, clock));
	text_fit(t->metadata, sizeof t->metadata, "none");
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		t->told.members[i].state = ARR_M_NONE;
}

struct att *att_new(void)
{
	struct att *t = mem_new(1, sizeof *t);

	if (!t)
		return NULL;
	begin(t);
	t->clock = 1;
	for (uint32_t i = 0; i < ATT_ROWS; i++)
		t->generations[i] = 1;
	t->tree_generation = 1;
	return t;
}

struct att *att_free(struct att *t)
{
	if (t)
		for (uint32_t i = 0; i < ATT_DEVS_MAX; i++)
			att_bad_blocks_free(t->devs[i].bad_blocks);
	return mem_free(t);
}

void att_forget(struct att *t)
{
	for (uint32_t i = 0; i < ATT_DEVS_MAX; i++)
		att_unbind(t, i);
	begin(t);
	att_changed_tree(t);
}

static const char *level_name(int32_t level, char *room, size_t room_bytes)
{
	if (level == 1 || level == 10)
		text_fit(room, room_bytes, "raid%d", level);
	else
		text_fit(room, room_bytes, "%d", level);
	return room;
}

void att_set_facts(struct att *t, const struct att_facts *facts)
{
	t->has_superblocks = true;
	text_fit(t->metadata, sizeof t->metadata, "%s", facts->metadata);
	level_name(facts->level, t->level, sizeof t->level);
	t->layout = facts->layout;
	t->chunk_bytes = facts->chunk_bytes;
	t->raid_disks = facts->raid_disks;
	t->component_kib = facts->component_bytes / 1024;
	t->safe_mode_ms = facts->safe_mode_delay_ms ? facts->safe_mode_delay_ms : ATT_SAFE_MODE_MS;
	memcpy(t->uuid, facts->uuid, sizeof t->uuid);
	t->bitmap.location_sectors = facts->bitmap_sectors;
	t->bitmap.space_sectors = facts->bitmap_space_sectors;
	t->bitmap.is_file = facts->bitmap_is_file;
	if (facts->bitmap_sectors || facts->bitmap_is_file)
		t->bitmap.is_external = false;		/* whatever was wished for before `umd grow` gave this one */
	t->was_started = true;
}

struct att *att_of_array(const struct att_facts *facts)
{
	struct att *t = att_new();

	if (t)
		att_set_facts(t, facts);
	return t;
}

bool att_is_external(const struct att *t)
{
	return att_begins(t->metadata, "external:");
}

bool att_is_configured(const struct att *t)
{
	ATT_EACH_DEV(d, t)
		return true;
	return t->raid_disks || t->component_kib;
}

uint64_t att_component_bytes(const struct att *t)
{
	return t->component_kib * 1024;		/* at most INT64_MAX: att_set_component_size() */
}

void att_changed_tree(struct att *t)
{
	t->tree_generation = ++t->clock;
}

void att_bump(struct att *t, enum att_row_no row)
{
	t->generations[row] = ++t->clock;
}

void att_bump_dev(struct att *t, uint32_t dev, enum att_row_no row)
{
	t->dev_generations[dev][row] = ++t->clock;
}

/* ---- devices ---- */

uint32_t att_index(const struct att *t, const struct att_dev *d)
{
	return (uint32_t)(d - t->devs);
}

struct att_dev *att_dev(struct att *t, uint32_t dev)
{
	return dev < ATT_DEVS_MAX && t->devs[dev].name[0] ? &t->devs[dev] : NULL;
}

uint32_t att_dev_of_entry(const struct att *t, uint32_t entry)
{
	ATT_EACH_DEV(d, t)
		if (entry < ARR_MEMBERS_MAX && d->entry == entry)
			return att_index(t, d);
	return ATT_NO_DEV;
}

static bool is_name_taken(const struct att *t, const char *name)
{
	ATT_EACH_DEV(d, t)
		if (att_is(d->name, name))
			return true;
	return false;
}

/* A file name that is harmless on a terminal and in JSON, whatever the path was. */
static void choose_name(const struct att *t, const char *wanted, char ret[ATT_NAME_BYTES])
{
	char plain[ATT_NAME_BYTES - 8];
	size_t len = 0;

	for (; wanted[len] && len < sizeof plain - 1; len++)
		plain[len] = wanted[len] > ' ' && wanted[len] <= '~' && wanted[len] != '/' ? wanted[len] : '!';
	plain[len] = 0;
	text_fit(ret, ATT_NAME_BYTES, "%s", len ? plain : "!");
	for (unsigned n = 2; is_name_taken(t, ret); n++)
		text_fit(ret, ATT_NAME_BYTES, "%s.%u", len ? plain : "!", n);
}

uint32_t att_bind(struct att *t, const char *name, uint64_t size_bytes, void *hand)
{
	struct att_dev d = { .hand = hand, .size_bytes = size_bytes, .entry = ARR_MEMBERS_MAX, .slot = ATT_NO_SLOT,
			     .saved_slot = ATT_NO_SLOT };

	for (uint32_t i = 0; i < ATT_DEVS_MAX; i++) {
		if (t->devs[i].name[0])
			continue;
		choose_name(t, name, d.name);
		d.bound = ++t->bind_count;
		t->devs[i] = d;
		for (uint32_t row = 0; row < ATT_ROWS; row++)
			att_bump_dev(t, i, row);
		att_changed_tree(t);
		return i;
	}
	return ATT_NO_DEV;
}

void att_unbind(struct att *t, uint32_t dev)
{
	struct att_dev *d = att_dev(t, dev);

	if (!d)
		return;
	att_bad_blocks_free(d->bad_blocks);
	memset(d, 0, sizeof *d);
	att_changed_tree(t);
}
