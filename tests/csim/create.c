/* A world from its seed: members with superblocks, one bitmap per node and first contents, as umd's own create would
 * have made them. Nobody runs yet. */
#include "csim.h"

#include <stdio.h>

enum { AROUND_BYTES = (1 << 20) + (1 << 18), TEXT_BYTES = 16 << 20 };

/* Some arrays are one range, most are a few; a piece may be smaller than a chunk, as it is of real arrays. */
static void pieces_from_seed(struct cs_setup *ret, struct prng *p)
{
	enum { LEAST = 4096 };
	uint64_t least = ret->size_bytes / 8;

	ret->window_bytes = ARR_SYNC_WINDOW_BYTES;
	ret->suspend_bytes = ARR_SUSPEND_BYTES;
	if (prng_below(p, 4) == 0)
		return;
	ret->suspend_bytes = LEAST;
	while (ret->suspend_bytes < least)
		ret->suspend_bytes *= 2;
	ret->suspend_bytes <<= prng_below(p, 2);
	ret->window_bytes = max_u64(ret->suspend_bytes >> prng_below(p, 3), LEAST);
}

/* The bits of its second zone lie on both sides of where a slot's first sector ends. */
static void become_large(struct cs_setup *ret, struct prng *p)
{
	enum { BITS_OF_FIRST = (SECTOR_BYTES - CS_BITS_AT) * 8 };

	ret->chunk_bytes = 4096;
	ret->zones = 2;
	ret->zone_chunks = 4 + 2 * (uint32_t)prng_below(p, 6);
	ret->size_bytes = round_up((uint64_t)(BITS_OF_FIRST + ret->zone_chunks / 2) * ret->chunk_bytes, 65536);
	ret->window_bytes = ARR_SYNC_WINDOW_BYTES;
	ret->suspend_bytes = (uint64_t)ARR_SYNC_WINDOW_BYTES << prng_below(p, 3);
}

void setup_from_seed(struct cs_setup *ret, uint64_t seed, uint32_t nodes)
{
	struct prng p = prng_seed(seed ^ 0x5eedc1);
	uint32_t chunks;

	*ret = (struct cs_setup){ .seed = seed };
	ret->nodes = nodes ?: 2 + (uint32_t)(prng_below(&p, 8) * prng_below(&p, 8) / 13);
	ret->slots_of_nodes = ret->nodes;
	if (ret->nodes > 2 && prng_below(&p, 8) == 0)
		ret->slots_of_nodes--;
	ret->disks = 2 + (prng_below(&p, 3) == 0);
	ret->spares = prng_below(&p, 4) == 0;
	ret->chunk_bytes = 4096u << prng_below(&p, 3);
	chunks = 2 + (uint32_t)prng_below(&p, prng_below(&p, 3) ? 14 : 40);
	ret->size_bytes = round_up((uint64_t)ret->chunk_bytes * chunks, 65536);
	while (ret->size_bytes / ret->chunk_bytes > CS_CHUNKS)
		ret->chunk_bytes *= 2;
	ret->is_assume_clean = prng_below(&p, 4) != 0;
	ret->sleep_s = 1;
	ret->zones = 1;
	ret->zone_chunks = (uint32_t)(ret->size_bytes / ret->chunk_bytes);
	pieces_from_seed(ret, &p);
	if (prng_below(&p, 12) == 0)
		become_large(ret, &p);
}

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

static void poke_slots(struct cs_disk *d, const struct asm_created *c)
{
	uint8_t sector[SECTOR_BYTES];

	for (uint32_t slot = 0; slot < c->slots; slot++)
		for (uint64_t at = 0; at < c->slot_bytes; at += SECTOR_BYTES) {
			memset(sector, slot ? 0 : c->bitmap_fill, sizeof sector);
			if (!at)
				fmt_bitmap_sb_encode(&c->bitmap, sector);
			disk_poke(&d->disk, c->bitmap_at.bytes + slot * c->slot_bytes + at, sizeof sector, sector);
		}
}

static void fill_data(struct cs_world *w, struct cs_disk *d)
{
	uint8_t sector[SECTOR_BYTES];

	for (uint64_t s = 0; s < w->model.count; s++) {
		uint64_t word = w->setup.is_assume_clean ? 0 : (1ull << 56) + ((uint64_t)disk_index(w, d) << 48) + s;

		if (word) {
			model_fill(sector, 1, word);
			disk_poke(&d->disk, d->data_at.bytes + sector_place(w, s) * SECTOR_BYTES, sizeof sector,
				  sector);
		}
		if (!w->setup.is_assume_clean || d == w->disks)
			model_begin(&w->model, s, word);
	}
}

static void write_created(struct cs_world *w, struct cs_disk *d, struct asm_created *c)
{
	c->bitmap.daemon_sleep_s = w->setup.sleep_s;
	d->super_at = c->super_at;
	d->bitmap_at = c->bitmap_at;
	d->data_at = lay_data(&c->sb).at;
	d->is_used = true;
	poke_slots(d, c);
	disk_poke(&d->disk, c->super_at.bytes, sizeof c->super_raw, c->super_raw);
}

static void plan(struct cs_world *w, struct asm_created *made)
{
	struct asm_create c = { .minor = SB1_2, .has_bitmap = true, .uuid = "csim array uuid", .name = "csim",
		.ctime_s = 1, .cluster_name = "csim" };
	struct err err = { 0 };

	c.nodes = w->setup.slots_of_nodes;
	c.is_assume_clean = w->setup.is_assume_clean;
	c.bitmap_chunk_bytes = w->setup.chunk_bytes;
	c.size_bytes = w->setup.size_bytes;
	c.count = w->setup.disks;
	for (uint32_t i = 0; i < w->setup.disks + w->setup.spares; i++) {
		struct cs_disk *d = &w->disks[w->disk_count++];
		char path[16];

		snprintf(path, sizeof path, "disk-%c", 'a' + (int)i);
		disk_init(&d->disk, w->arena, path, c.size_bytes + AROUND_BYTES);
		c.members[i].path = d->disk.path;
		c.members[i].size_bytes = d->disk.size_bytes;
		c.members[i].device_uuid[0] = (uint8_t)(i + 1);
	}
	if (asm_create_plan(&c, made, &err) < 0)
		broken(w, "I9", "the array cannot be created: %s", err.text);
}

void world_create(struct cs_world *w, const struct cs_setup *setup, struct cs_stats *stats, bool is_tracing)
{
	static struct asm_created made[ARR_MEMBERS_MAX];

	memset(w, 0, offsetof(struct cs_world, text_room));
	w->setup = *setup;
	w->stats = stats;
	w->is_tracing = is_tracing;
	w->lots = prng_seed(setup->seed);
	w->arena = arena_new();
	w->now_ms = 1000;
	w->text = w->text ? w->text : checked(malloc(TEXT_BYTES));
	w->text_room = TEXT_BYTES;
	plan(w, made);
	w->size_bytes = made[0].sb.size_sectors * SECTOR_BYTES;
	w->sectors_per_chunk = setup->chunk_bytes / SECTOR_BYTES;
	w->chunks = (uint64_t)setup->zones * setup->zone_chunks;
	w->zone_stride = div_up(w->size_bytes, setup->chunk_bytes);
	if (setup->zones > 1)
		w->zone_stride = (SECTOR_BYTES - CS_BITS_AT) * 8 - setup->zone_chunks / 2;
	w->slot_bytes = made[0].slot_bytes;
	model_init(&w->model, min_u64(w->size_bytes / SECTOR_BYTES, w->chunks * w->sectors_per_chunk));
	for (uint32_t i = 0; i < setup->disks; i++) {
		write_created(w, &w->disks[i], &made[i]);
		fill_data(w, &w->disks[i]);
	}
	for (uint32_t i = setup->disks; i < w->disk_count; i++) {
		w->disks[i].super_at = made[0].super_at;
		w->disks[i].bitmap_at = made[0].bitmap_at;
		w->disks[i].data_at = w->disks[0].data_at;
	}
	for (uint32_t i = 0; i < setup->nodes; i++)
		w->nodes[i].number = i;
	trace(w, "%u nodes, %u slots, %u members, %u more; %u zones of %u chunks of %u, windows of %llu in ranges of "
	      "%llu%s", setup->nodes, setup->slots_of_nodes, setup->disks, setup->spares, setup->zones,
	      setup->zone_chunks, setup->chunk_bytes, (ull)setup->window_bytes, (ull)setup->suspend_bytes,
	      setup->is_assume_clean ? ", assumed clean" : "");
}

void world_free(struct cs_world *w)
{
	EACH_NODE(w, n) {
		if (n->life == CS_OFF)
			continue;
		n->array = arr_free(n->array);
		n->lineage = asm_lineage_free(n->lineage);
		n->clu = clu_free(n->clu);
		n->life = CS_OFF;
	}
	EACH_DISK(w, d)
		disk_free(&d->disk);
	model_free(&w->model);
	w->arena = arena_free(w->arena);
}
