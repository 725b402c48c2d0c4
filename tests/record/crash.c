/* What a crash leaves, and what becomes of it.
 *
 *   the trunk's world --- world_branch(): cut; of each sector one version survives, by lot
 *                    --- what was in flight lands, or parts of it, or nothing
 *                    --- some of the members start; all that is promised is looked at (check_*.c)
 *                    --- one in a few goes on: comes to rest, or is cut again in the middle of its resync
 *
 * One in a few is no power cut: the process is killed, and all caches survive it. Then everything that was acknowledged
 * must be there, flushed or not; except where a failed flush has left in a cache what may be evicted at any time, and
 * where nobody starts but write-mostly members: what is behind there was in the process alone. */
#include "crash.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	ONE_IN_KILLED = 8, ONE_IN_ALL = 8, ONE_IN_NONE = 8,	/* of the crashes: no cut; all or nothing survives */
	ONE_IN_SUBSET = 3,	/* starts from some of the members only */
	ONE_IN_REST = 16,	/* comes to rest and is looked at */
	ONE_IN_AGAIN = 8,	/* is cut once more, after a few works of the hands */
	WORKS_MOST = 60,
};

/* ---- what is left ---- */

static void land(struct history *h, struct sim_world *b, struct prng *lots)
{
	for (uint32_t i = 0; i < FLYING_MAX; i++) {
		const struct flying *f = &h->flying[i];
		uint64_t share = prng_below(lots, 4);		/* none, about a half, about a half, all */

		if (!f->begin || f->begin->op == MBR_REC_FLUSH)
			continue;
		for (uint64_t done = 0; done < f->begin->len; done += SECTOR_BYTES) {
			static const uint8_t zeroes[SECTOR_BYTES];

			if (share == 3 || (share && prng_below(lots, 2)))
				disk_poke(&b->members[f->member].disk, f->begin->at + done,
					  SECTOR_BYTES, f->data ? f->data + done : zeroes);
		}
	}
}

/* The caches outlive a killed process: what was told stays true, what was under way ends. */
static void keep_promises(struct history *h, struct sim_world *b)
{
	model_free(&b->model);
	model_copy(&b->model, &h->w->model);
	b->model.open_reads = 0;
	for (struct asked *a = h->asked; a < h->asked + ASKED_MAX; a++)
		if (a->number && (a->r.req.op == ARR_WRITE || a->r.req.op == ARR_ZERO))
			model_failed(&b->model, a->r.serial, a->r.first, a->r.sectors);
}

static bool is_without_front(const struct sim_world *w, uint32_t chosen)
{
	bool has_mostly = false;

	EACH_MEMBER(w, m) {
		has_mostly |= m->is_write_mostly;
		if (chosen & 1u << index_of(w, m) && !m->is_write_mostly)
			return false;
	}
	return has_mostly;
}

/* True: no power cut, but a kill. */
static bool branch(struct history *h, struct sim_world *b, struct prng *lots)
{
	bool is_killed = !prng_below(lots, ONE_IN_KILLED) && !h->has_given_up;
	uint32_t flags = is_killed || !prng_below(lots, ONE_IN_ALL) ? EVF_KEEP
			 : !prng_below(lots, ONE_IN_NONE)	     ? EVF_LOSE
								     : 0;

	world_branch(h->w, b, NULL, prng_next(lots), flags);
	land(h, b, lots);
	if (is_killed)
		keep_promises(h, b);
	return is_killed;
}

/* ---- what becomes of it ---- */

static bool start_some(struct sim_world *b, struct prng *lots, bool is_killed)
{
	struct sim_event start = { .kind = EV_START, .lot = prng_next(lots) };

	for (uint32_t i = 0; i < b->member_count; i++)
		if (prng_below(lots, 2))
			start.members |= 1u << i;
	if (prng_below(lots, 2))
		start.flags |= EVF_RUN;
	if (is_killed && is_without_front(b, start.members & trustworthy(b)))
		return false;
	return start.members & trustworthy(b) && world_try_start(b, &start);
}

static void start(struct sim_world *b, struct prng *lots, bool is_killed)
{
	struct sim_event start = { .kind = EV_START, .flags = EVF_RUN, .lot = prng_next(lots) };

	if (!prng_below(lots, ONE_IN_SUBSET) && start_some(b, lots, is_killed))
		return;
	start.members = trustworthy(b);
	if (!world_do(b, &start))
		broken(b, LAW_I9, "no member can be trusted any more");
}

static void start_and_judge(struct sim_world *b, struct prng *lots, bool is_killed)
{
	start(b, lots, is_killed);
	b->stats->crash_points++;
	b->stats->crash_points_deep[b->depth < SIM_DEPTH_MAX ? b->depth : SIM_DEPTH_MAX]++;
}

static void cut_again(struct sim_world *b, struct prng *lots)
{
	struct sim_world deeper;
	uint64_t works = prng_below(lots, WORKS_MOST);

	while (works-- && world_do(b, &(struct sim_event){ .kind = EV_WORK, .lot = prng_next(lots) }))
		;
	world_branch(b, &deeper, NULL, prng_next(lots), 0);
	start_and_judge(&deeper, lots, false);
	world_free(&deeper);
}

/* Clients write on, and all comes to rest. */
static void let_rest(struct sim_world *b, struct prng *lots)
{
	world_do(b, &(struct sim_event){ .kind = EV_WRITE, .first = prng_below(lots, b->model.count), .count = 1,
					 .lot = prng_next(lots) });
	world_do(b, &(struct sim_event){ .kind = EV_IDLE, .lot = prng_next(lots) });
}

void crash_at(struct history *h, uint64_t lot)
{
	uint32_t mark = arena_mark(h->w->arena);
	struct prng lots = prng_seed(lot);
	struct sim_world b;

	start_and_judge(&b, &lots, branch(h, &b, &lots));
	if (!prng_below(&lots, ONE_IN_AGAIN))
		cut_again(&b, &lots);
	if (!prng_below(&lots, ONE_IN_REST))
		let_rest(&b, &lots);
	world_free(&b);
	arena_release(h->w->arena, mark);
}

/* ---- other judges ---- */

static content data_of(const struct sim_member *m, uint64_t sector)
{
	return disk_at(&m->disk, false, m->place.data_at.bytes + sector * SECTOR_BYTES);
}

static char *file_of(const struct history *h, const char *folder, uint32_t member, char ret[4096])
{
	snprintf(ret, 4096, "%s/%s", folder, h->names[member]);
	return ret;
}

static uint64_t differing_sectors(const struct sim_world *b)
{
	const struct sim_member *first = b->members;
	uint64_t count = 0;

	for (uint64_t s = 0; s < b->model.count; s++) {
		bool differs = false;

		EACH_MEMBER(b, m)
			differs |= !arena_same(b->arena, data_of(m, s), data_of(first, s));
		count += differs;
	}
	return count;
}

uint64_t crash_save(struct history *h, uint64_t lot, const char *folder)
{
	struct prng lots = prng_seed(lot);
	struct sim_world b;
	char path[4096];
	uint64_t differing;

	branch(h, &b, &lots);
	EACH_MEMBER(&b, m)
		if (disk_save(&m->disk, file_of(h, folder, index_of(&b, m), path)) < 0) {
			perror(path);
			exit(2);
		}
	differing = differing_sectors(&b);
	world_free(&b);
	return differing;
}

static void load(struct history *h, struct sim_world *b, const char *folder)
{
	char path[4096];

	EACH_MEMBER(b, m)
		if (disk_load(&m->disk, file_of(h, folder, index_of(b, m), path)) < 0) {
			perror(path);
			exit(2);
		}
}

static bool is_in_area(const struct sim_world *b, const struct sim_member *m, uint64_t at)
{
	uint64_t around = 4096;		/* Linux writes whole pages of bitmap and superblock */

	return (at >= m->place.data_at.bytes && at < m->place.data_at.bytes + b->size_bytes) ||
	       (at >= m->place.super_at.bytes && at < m->place.super_at.bytes + around) ||
	       (b->has_bitmap && at >= m->place.bitmap_at.bytes && at < m->place.bitmap_at.bytes + around);
}

static void check_outside(struct sim_world *b, const struct sim_member *m, const struct sim_disk *before)
{
	for (uint64_t at = 0; at < m->disk.size_bytes; at += SECTOR_BYTES)
		if (!is_in_area(b, m, at) &&
		    !arena_same(b->arena, disk_at(&m->disk, false, at), disk_at(before, false, at)))
			broken(b, LAW_I7, "byte %llu of %s has changed", (unsigned long long)at, m->disk.path);
}

static void check_sector(struct sim_world *b, uint64_t s)
{
	const struct sim_member *first = b->members;
	content is = data_of(first, s);
	enum law_id law = model_peek(&b->model, s, arena_word(b->arena, is));

	if (law)
		broken(b, law, "sector %llu holds %llx, which is not allowed", (unsigned long long)s,
		       (unsigned long long)arena_word(b->arena, is));
	EACH_MEMBER(b, m)
		if (!arena_same(b->arena, is, data_of(m, s)))
			broken(b, LAW_I2, "sector %llu differs between %s and %s", (unsigned long long)s,
			       first->disk.path, m->disk.path);
}

void crash_judge(struct history *h, uint64_t lot, const char *folder)
{
	struct prng lots = prng_seed(lot);
	struct sim_world b, before;

	branch(h, &b, &lots);
	lots = prng_seed(lot);
	branch(h, &before, &lots);
	load(h, &b, folder);
	EACH_MEMBER(&b, m)
		check_outside(&b, m, &before.members[index_of(&b, m)].disk);
	for (uint64_t s = 0; s < b.model.count; s++)
		check_sector(&b, s);
	world_free(&before);
	world_free(&b);
}
