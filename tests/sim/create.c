/* A world from its setup: members with superblocks, bitmaps and first contents. Nothing runs yet.
 *
 * The geometry is that of umd's own create (assembly), so a created array is one that umd would have made. A small
 * world has metadata 1.0 with as little as possible around the data: then copying the members, which is what a branch
 * costs, is cheap. The bitmap's sleep is poked into its superblock, as mdadm's --delay would.
 *
 * Big blocks of memory are used again by the next world (the desk): thousands of worlds and branches live and die in a
 * second, and fresh pages from the kernel would cost more than all the rest. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	AROUND_BYTES = (1 << 20) + (1 << 18),	/* headroom that create would choose for 1.1 and 1.2 */
	AROUND_SMALL_BYTES = 40 * SECTOR_BYTES,	/* superblock, log and bitmap behind the data */
	SHIFT_SECTORS = 24,
};

/* ---- the desk ---- */

struct sim_desk {
	struct sim_desk *next;
	uint64_t sectors;		/* applied[] has room for */
	struct asm_plan plan;
	struct asm_member looked[SIM_DISKS + 1];
	uint8_t requests[SIM_REQUESTS][MODEL_SPAN_MAX * SECTOR_BYTES];
	uint8_t sync_buffer[SIM_SYNC_BUFFER];
	uint64_t *applied;
};

static struct sim_desk *free_desks;

void world_take_desk(struct sim_world *w)
{
	struct sim_desk *d = free_desks;

	if (d)
		free_desks = d->next;
	else
		d = calloc(1, sizeof *d);
	if (!d)
		abort();
	if (d->sectors < w->model.count) {
		free(d->applied);
		d->sectors = w->model.count;
		d->applied = calloc(SIM_DISKS * d->sectors, sizeof *d->applied);
		if (!d->applied)
			abort();
	}
	w->desk = d;
	w->plan = &d->plan;
	w->looked = d->looked;
	w->sync_buffer = d->sync_buffer;
	w->applied = d->applied;
	for (uint32_t i = 0; i < SIM_REQUESTS; i++)
		w->requests[i].data = d->requests[i];
}

static void give_desk_back(struct sim_world *w)
{
	if (!w->desk)
		return;
	w->desk->next = free_desks;
	free_desks = w->desk;
	w->desk = NULL;
}

/* ---- members ---- */

struct sim_member *world_new_member(struct sim_world *w, uint64_t size_bytes)
{
	struct sim_member *m = &w->members[w->member_count];
	char path[16];

	snprintf(path, sizeof path, "disk-%c", 'a' + (int)w->member_count++);
	disk_init(&m->disk, w->arena, path, size_bytes);
	m->is_there = m->is_behind = true;
	return m;
}

static void poke_bitmap(const struct sim_world *w, struct sim_member *m, const struct asm_created *c)
{
	uint8_t sector[SECTOR_BYTES];

	for (uint64_t done = 0; done < c->bitmap_bytes; done += SECTOR_BYTES) {
		memset(sector, c->bitmap_fill, sizeof sector);
		if (!done && !w->setup->is_external)
			fmt_bitmap_sb_encode(&c->bitmap, sector);
		disk_poke(&m->disk, c->bitmap_at.bytes + done, sizeof sector, sector);
	}
}

static void write_created(struct sim_world *w, struct sim_member *m, struct asm_created *c)
{
	m->is_behind = false;
	m->place = (struct sim_place){
		.bitmap_at = c->bitmap_at,
		.data_at = lay_data(&c->sb).at,
		.minor = c->sb.minor,
	};
	if (!c->has_bitmap)
		m->place.bitmap_at.bytes = OFF_NONE;
	if (c->has_bitmap) {
		c->bitmap.daemon_sleep_s = w->setup->sleep_s ?: c->bitmap.daemon_sleep_s;
		poke_bitmap(w, m, c);
	}
	if (!w->setup->is_external)
		disk_poke(&m->disk, c->super_at.bytes, sizeof c->super_raw, c->super_raw);
	check_place(w, m);
}

/* The members' old content: each its own, unless the creator assumes that they agree. */
static void fill_data(struct sim_world *w, struct sim_member *m)
{
	uint8_t sector[SECTOR_BYTES];

	for (uint64_t s = 0; s < w->model.count; s++) {
		uint64_t word = w->setup->is_assume_clean ? 0 : (1ull << 56) + ((uint64_t)index_of(w, m) << 48) + s;

		model_fill(sector, 1, word);
		disk_poke(&m->disk, m->place.data_at.bytes + s * SECTOR_BYTES, sizeof sector, sector);
		if (!w->setup->is_assume_clean || m == w->members)
			model_begin(&w->model, s, word);
	}
}

/* ---- the array ---- */

/* b may have its superblock at the other end of the device, as one has that came from a mirror of another version. */
static enum sb1_minor minor_of(const struct sim_world *w, uint32_t member)
{
	if (!w->setup->is_other_minor || member != 1)
		return w->minor;
	return w->minor == SB1_0 ? SB1_2 : SB1_0;
}

static bool is_shifted(const struct sim_world *w, uint32_t member)
{
	return w->setup->is_shifted && minor_of(w, member) != SB1_0 && member == 1;
}

static void shift(struct asm_created *c)
{
	c->sb.data_offset_sectors += SHIFT_SECTORS;
	c->sb.data_size_sectors -= SHIFT_SECTORS;
	fmt_sb1_encode(&c->sb, c->super_raw);
}

static void plan_members(struct sim_world *w, struct asm_create *c)
{
	bool is_small = w->setup->is_small && !w->setup->is_other_minor;
	uint64_t around = is_small ? AROUND_SMALL_BYTES : AROUND_BYTES;

	for (uint32_t i = 0; i < w->slots; i++) {
		uint64_t more = is_shifted(w, i) ? SHIFT_SECTORS * SECTOR_BYTES : 0;
		struct sim_member *m = world_new_member(w, round_up(w->size_bytes, 4096) + around + more);

		c->members[i].path = m->disk.path;
		c->members[i].size_bytes = m->disk.size_bytes;
		c->members[i].device_uuid[0] = (uint8_t)++w->uuids;
		c->members[i].is_write_mostly = w->setup->is_mostly && i == 1;
	}
}

static void plan(struct sim_world *w, const struct asm_create *c, struct asm_created *made)
{
	struct err err = { 0 };

	if (asm_create_plan(c, made, &err) < 0)
		broken(w, LAW_I9, "the array cannot be created: %s", err.text);
}

static void plan_array(struct sim_world *w, struct asm_created *made)
{
	static struct asm_created other[ARR_MEMBERS_MAX];
	struct asm_create c = { .uuid = "sim array uuid", .name = "sim", .ctime_s = 1 };

	c.minor = w->minor;
	c.has_bitmap = w->has_bitmap && !w->setup->is_file;
	c.bitmap_is_file = w->has_bitmap && w->setup->is_file;
	c.is_assume_clean = w->setup->is_assume_clean;
	c.bitmap_chunk_bytes = c.has_bitmap ? w->chunk_bytes : 0;
	c.size_bytes = w->size_bytes;
	c.count = w->slots;
	c.write_behind = w->has_bitmap ? w->setup->behind : 0;
	plan_members(w, &c);
	plan(w, &c, made);
	if (w->slots > 1 && minor_of(w, 1) != w->minor) {
		c.minor = minor_of(w, 1);
		plan(w, &c, other);
		made[1] = other[1];
	}
	for (uint32_t i = 0; i < w->slots; i++)
		if (is_shifted(w, i))
			shift(&made[i]);
}

/* Its last sector is whole here; umd writes no further than the last bit. */
static void create_file(struct sim_world *w, const struct asm_created *made)
{
	struct sim_member *m = &w->members[SIM_FILE];
	struct bitmap_sb sb;
	struct err err = { 0 };
	uint8_t sector[SECTOR_BYTES];

	if (asm_new_file(made->sb.size_sectors, made->sb.set_uuid, w->chunk_bytes, &sb, &err) < 0)
		broken(w, LAW_I9, "the bitmap's file cannot be made: %s", err.text);
	sb.daemon_sleep_s = w->setup->sleep_s ?: sb.daemon_sleep_s;
	sb.write_behind = w->setup->behind;
	disk_init(&m->disk, w->arena, "file", w->bitmap_bytes);
	m->is_there = true;
	memset(sector, w->setup->is_assume_clean ? 0 : 0xff, sizeof sector);
	fmt_bitmap_sb_encode(&sb, sector);
	disk_poke(&m->disk, 0, sizeof sector, sector);
}

void world_create(struct sim_world *w, const struct sim_setup *setup, struct sim_stats *stats, bool is_tracing)
{
	static const enum sb1_minor minors[] = { SB1_0, SB1_1, SB1_2 };
	static struct asm_created made[ARR_MEMBERS_MAX];

	memset(w, 0, sizeof *w);
	w->setup = setup;
	w->stats = stats;
	w->is_tracing = is_tracing;
	w->lots = prng_seed(setup->lot);
	w->arena = arena_new();
	w->now_ms = 1000;
	w->memory_due = UINT64_MAX;
	w->minor = setup->is_small ? SB1_0 : minors[setup->metadata_minor];
	w->slots = setup->slots;
	w->has_bitmap = setup->chunk_bytes != 0;
	w->chunk_bytes = setup->chunk_bytes ?: 4096;
	w->size_bytes = setup->size_bytes;
	plan_array(w, made);
	w->size_bytes = made[0].sb.size_sectors * SECTOR_BYTES;
	w->chunks = div_up(w->size_bytes, w->chunk_bytes);
	if (w->has_bitmap && w->chunks > SIM_CHUNKS_MAX)
		abort();
	w->bitmap_bytes = round_up(FMT_BITMAP_SB_BYTES + div_up(w->chunks, 8), SECTOR_BYTES);
	w->disk_of[ARR_FILE] = SIM_FILE;
	w->is_on_file = w->setup->is_file;
	model_init(&w->model, w->size_bytes / SECTOR_BYTES);
	world_take_desk(w);
	for (uint32_t i = 0; i < w->slots; i++) {
		write_created(w, &w->members[i], &made[i]);
		fill_data(w, &w->members[i]);
	}
	if (w->setup->is_file)
		create_file(w, &made[0]);
	owner_begins(w);
	trace(w, "created: %u slots, %llu bytes, %s, chunk %u%s%s", w->slots, (unsigned long long)w->size_bytes,
	      w->has_bitmap ? "bitmap" : "no bitmap", w->chunk_bytes, setup->is_assume_clean ? ", assumed clean" : "",
	      setup->is_external ? ", with an owner" : "");
	trace_end(w);
}

static void trunk_ends(struct sim_world *w)
{
	arena_free(w->arena);
	w->stats->steps += w->step;
	w->stats->simulated_ms += w->now_ms;
	memory_fail_after(UINT64_MAX);
}

void world_free(struct sim_world *w)
{
	if (w->array) {
		w->array = arr_free(w->array);
		w->lineage = asm_lineage_free(w->lineage);
	}
	EACH_MEMBER(w, m) {
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			w->stats->faults[kind] += m->disk.faults[kind];
		disk_free(&m->disk);
	}
	if (w->setup->is_file) {
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			w->stats->faults[kind] += w->members[SIM_FILE].disk.faults[kind];
		disk_free(&w->members[SIM_FILE].disk);
	}
	story_free(w);
	model_free(&w->model);
	script_free(&w->script);
	give_desk_back(w);
	if (w->trunk)
		branch_ends(w);
	else
		trunk_ends(w);
}
