/* A simulated member that forgets.
 *
 *            write                     flush (what was written before it was issued)
 *   hands ----------> cache + log ----------------------------------> medium
 *                        |                cut: one version of each sector
 *                        +----------------------------------------->
 *
 * Every write that is not durable goes into the cache and into a log of versions; a flush moves to the medium
 * what was written before the flush was *issued* (a disk promises no more). At a power cut every sector becomes,
 * on its own, the medium's version or any logged one: old, new, or something in between when it was written
 * several times. All of them, none of them, and all up to a moment find other bugs than the lot does, so they come
 * often.
 *
 * A failed write may have written some sectors, a failed read leaves rubbish in the buffer, a failed flush may have
 * written some of what was cached and given up the rest (page caches forget after one error): what was given up is
 * still read, and never written. After a flush or a durable write that failed none succeeds until the member is opened
 * anew.
 *
 * Left out: sectors torn inside, bytes that rot by themselves. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUBBISH = 0xa5 };
#define NO_FAULT FAULT_KINDS

static uint32_t sectors_of(const struct sim_disk *d)
{
	return (uint32_t)(d->size_bytes / SECTOR_BYTES);
}

/* Medium, cache and versions are one block, medium first. */
static size_t block_bytes(const struct sim_disk *d)
{
	return sectors_of(d) * (2 * sizeof(content) + sizeof(uint16_t));
}

static void divide_block(struct sim_disk *d, void *block)
{
	if (!block)
		abort();
	d->medium = block;
	d->cache = d->medium + sectors_of(d);
	d->versions = (uint16_t *)(d->cache + sectors_of(d));
}

void disk_init(struct sim_disk *d, struct arena *a, const char *path, uint64_t size_bytes)
{
	memset(d, 0, sizeof *d);
	snprintf(d->path, sizeof d->path, "%s", path);
	d->size_bytes = size_bytes;
	d->arena = a;
	d->operations_to_fault = -1;
	divide_block(d, calloc(1, block_bytes(d)));
}

void disk_copy(struct sim_disk *to, const struct sim_disk *from)
{
	*to = *from;
	memset(to->faults, 0, sizeof to->faults);
	divide_block(to, malloc(block_bytes(from)));
	memcpy(to->medium, from->medium, block_bytes(from));
	to->log = NULL;
	to->log_room = from->log_count;
	if (!from->log_count)
		return;
	to->log = malloc(from->log_count * sizeof *to->log);
	if (!to->log)
		abort();
	memcpy(to->log, from->log, from->log_count * sizeof *to->log);
}

void disk_free(struct sim_disk *d)
{
	free(d->medium);
	free(d->log);
	memset(d, 0, sizeof *d);
}

/* ---- faults ---- */

static enum sim_fault count_fault(struct sim_disk *d, enum sim_fault kind)
{
	d->faults[kind]++;
	return kind;
}

/* What strikes the operation that begins now: NO_FAULT: nothing. */
static enum sim_fault fault_of(struct sim_disk *d, uint64_t at, uint64_t len)
{
	if (d->is_gone || d->is_closed)
		return FAULT_VANISH;
	if (d->is_dead)
		return count_fault(d, FAULT_EIO_FOR_EVER);
	if (d->operations_to_fault >= 0 && d->operations_to_fault-- == 0)
		return count_fault(d, d->fault);
	if (ranges_overlap(at, len, d->bad_at, d->bad_len))
		return count_fault(d, FAULT_EIO_RANGE);
	return NO_FAULT;
}

void disk_lift_faults(struct sim_disk *d)
{
	d->operations_to_fault = -1;
	d->bad_len = 0;
	d->fails_next_flush = d->is_dead = d->is_gone = d->is_hung = false;
}

void disk_open(struct sim_disk *d)
{
	d->has_lost_writes = false;
	d->is_closed = d->is_gone; /* what is not there cannot be opened */
}

/* ---- the log ---- */

static void log_add(struct sim_disk *d, uint32_t sector, content is, bool is_sync, uint64_t time)
{
	/* A flush takes a beginning of the log: else an older version of a sector could come after a newer one. */
	if (d->log_count)
		time = time > d->log[d->log_count - 1].time ? time : d->log[d->log_count - 1].time;
	if (d->log_count == d->log_room) {
		d->log_room = d->log_room < 128 ? 256 : 2 * d->log_room;
		d->log = realloc(d->log, d->log_room * sizeof *d->log);
		if (!d->log)
			abort();
	}
	d->log[d->log_count++] =
		(struct sim_version){ .sector = sector, .is = is, .is_sync = is_sync, .time = time };
	d->versions[sector]++;
}

static void log_forget(struct sim_disk *d, uint32_t sector)
{
	uint32_t kept = 0;

	if (!d->versions[sector])
		return;
	for (uint32_t i = 0; i < d->log_count; i++)
		if (d->log[i].sector != sector)
			d->log[kept++] = d->log[i];
	d->log_count = kept;
	d->versions[sector] = 0;
}

static void log_drop(struct sim_disk *d)
{
	for (uint32_t i = 0; i < d->log_count; i++)
		d->versions[d->log[i].sector] = 0;
	d->log_count = 0;
}

/* ---- reading and writing ---- */

void disk_peek(const struct sim_disk *d, bool in_cache, uint64_t at, uint64_t len, void *ret)
{
	for (uint64_t done = 0; done < len; done += SECTOR_BYTES)
		arena_get(d->arena, disk_at(d, in_cache, at + done), (uint8_t *)ret + done);
}

int disk_read(struct sim_disk *d, struct prng *lot, uint64_t at, uint64_t len, void *data)
{
	enum sim_fault fault = fault_of(d, at, len);

	if (fault == NO_FAULT) {
		disk_peek(d, true, at, len, data);
		return 0;
	}
	d->is_dead |= fault == FAULT_EIO_FOR_EVER;
	memset(data, RUBBISH, len);
	if (fault == FAULT_SHORT)
		disk_peek(d, true, at, prng_below(lot, len / SECTOR_BYTES) * SECTOR_BYTES, data);
	return -EIO;
}

static void write_sector(struct sim_disk *d, uint64_t at, const uint8_t *data, bool is_durable, bool is_sync,
			 uint64_t time)
{
	uint32_t sector = (uint32_t)(at / SECTOR_BYTES);
	content is = data ? arena_put(d->arena, data) : 0;

	d->cache[sector] = is;
	if (!is_durable) {
		log_add(d, sector, is, is_sync, time);
		return;
	}
	d->medium[sector] = is;
	log_forget(d, sector);
}

/* Which sectors of a write that fails are written all the same: any, a beginning, none. */
static void write_some(struct sim_disk *d, struct prng *lot, enum sim_fault fault, uint64_t at, uint64_t len,
		       const uint8_t *data, bool is_sync, uint64_t time)
{
	uint64_t end = fault == FAULT_SHORT ? prng_below(lot, len / SECTOR_BYTES) * SECTOR_BYTES : len;

	if (fault == FAULT_VANISH || d->is_dead)
		return;
	for (uint64_t done = 0; done < end; done += SECTOR_BYTES) {
		bool is_bad = ranges_overlap(at + done, SECTOR_BYTES, d->bad_at, d->bad_len);

		if (fault == FAULT_SHORT || (!is_bad && prng_below(lot, 2)))
			write_sector(d, at + done, data ? data + done : NULL, false, is_sync, time);
	}
}

int disk_write(struct sim_disk *d, struct prng *lot, uint64_t at, uint64_t len, const void *data, bool is_durable,
	       bool is_sync, uint64_t time)
{
	enum sim_fault fault = fault_of(d, at, len);

	if (fault == NO_FAULT && is_durable && d->has_lost_writes)
		fault = FAULT_FLUSH;
	if (fault == NO_FAULT) {
		for (uint64_t done = 0; done < len; done += SECTOR_BYTES)
			write_sector(d, at + done, data ? (const uint8_t *)data + done : NULL, is_durable, is_sync,
				     time);
		return 0;
	}
	write_some(d, lot, fault, at, len, data, is_sync, time);
	d->is_dead |= fault == FAULT_EIO_FOR_EVER;
	d->has_lost_writes |= is_durable;
	return -EIO;
}

void disk_write_torn(struct sim_disk *d, struct prng *lot, uint64_t at, uint64_t len, const void *data)
{
	if (!d->is_gone && !d->is_closed)
		write_some(d, lot, FAULT_EIO_ONCE, at, len, data, false, 0);
}

void disk_poke(struct sim_disk *d, uint64_t at, uint64_t len, const void *data)
{
	for (uint64_t done = 0; done < len; done += SECTOR_BYTES)
		write_sector(d, at + done, data ? (const uint8_t *)data + done : NULL, true, false, 0);
}

/* ---- flush and cut ---- */

static void settle_on_medium(struct sim_disk *d, const struct sim_version *v)
{
	d->medium[v->sector] = v->is;
}

/* A flush failed: everything stays on its way, or some of it was written and the rest is given up. */
static void give_up(struct sim_disk *d, struct prng *lot)
{
	uint64_t kind = prng_below(lot, 4);

	d->has_lost_writes = true;
	if (kind >= 2)
		return;
	for (uint32_t i = 0; i < d->log_count; i++)
		if (kind == 1 && prng_below(lot, 2))
			settle_on_medium(d, &d->log[i]);
	log_drop(d);
}

int disk_flush(struct sim_disk *d, struct prng *lot, uint64_t issued)
{
	enum sim_fault fault = fault_of(d, 0, 0);
	uint32_t kept = 0;

	if (fault == NO_FAULT && d->fails_next_flush)
		fault = count_fault(d, FAULT_FLUSH);
	d->is_dead |= fault == FAULT_EIO_FOR_EVER;
	if (fault != NO_FAULT || d->has_lost_writes) {
		d->fails_next_flush = false;
		give_up(d, lot);
		return -EIO;
	}
	for (uint32_t i = 0; i < d->log_count; i++) {
		struct sim_version *v = &d->log[i];

		if (v->time >= issued) {
			d->log[kept++] = *v;
			continue;
		}
		settle_on_medium(d, v);
		d->versions[v->sector]--;
	}
	d->log_count = kept;
	return 0;
}

/* What the medium holds once the cache is lost. */
static void lose_cache(struct sim_disk *d, struct prng *lot, enum disk_fate fate)
{
	/* How many of eight survive; nine kinds of luck. */
	static const uint8_t lucks[] = { 0, 0, 8, 8, 4, 4, 4, 1, 7 };
	uint64_t luck = fate == FATE_BY_LOT ? lucks[prng_below(lot, sizeof lucks)] : fate == FATE_KEEP_ALL ? 8 : 0;
	uint32_t end = d->log_count;

	if (luck == 8 && fate == FATE_BY_LOT && prng_below(lot, 2))
		end = (uint32_t)prng_below(lot, end + 1); /* all up to a moment */
	for (uint32_t i = 0; i < end; i++)
		if (luck == 8 || (luck && prng_below(lot, 8) < luck))
			settle_on_medium(d, &d->log[i]);
	log_drop(d);
	memcpy(d->cache, d->medium, sectors_of(d) * sizeof *d->cache);
}

void disk_cut(struct sim_disk *d, struct prng *lot, enum disk_fate fate)
{
	lose_cache(d, lot, fate);
	disk_lift_faults(d);
	disk_open(d);
}

void disk_vanish(struct sim_disk *d, struct prng *lot)
{
	lose_cache(d, lot, FATE_BY_LOT);
	count_fault(d, FAULT_VANISH);
	d->is_gone = d->is_closed = true;
}

/* ---- for those who check ---- */

bool disk_is_settled(const struct sim_disk *d, uint64_t at, uint64_t len, bool only_sync)
{
	uint64_t first = at / SECTOR_BYTES, end = (at + len) / SECTOR_BYTES;

	if (!only_sync) {
		for (uint64_t s = first; s < end; s++)
			if (d->versions[s])
				return false;
		return !memcmp(d->cache + first, d->medium + first, (end - first) * sizeof *d->cache);
	}
	for (uint32_t i = 0; i < d->log_count; i++)
		if (d->log[i].is_sync && d->log[i].sector >= first && d->log[i].sector < end)
			return false;
	return true;
}

bool disk_shows_the_same(const struct sim_disk *d, uint64_t at, uint64_t len)
{
	uint64_t first = at / SECTOR_BYTES, end = (at + len) / SECTOR_BYTES;

	for (uint32_t i = 0; i < d->log_count; i++) {
		const struct sim_version *v = &d->log[i];

		if (v->sector >= first && v->sector < end && v->is != d->medium[v->sector])
			return false;
	}
	return true;
}
