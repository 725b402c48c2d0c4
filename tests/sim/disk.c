/* A simulated member that forgets.
 *
 * Every write that is not durable goes into the cache and into a log of versions; a flush moves to the medium
 * what was written before the flush was *issued* (a disk promises no more). At a power cut every sector becomes,
 * by lot and on its own, the medium's version or any logged one: old, new, or something in between when it was
 * written several times. A cut may also lose all of them or none, which finds other bugs than the lot does.
 *
 * Faults: the n-th operation from now fails, once or from then on. A failed write may have written some sectors;
 * a failed flush may have given the cached writes up for lost (page caches forget after one error).
 * Left out: sectors torn inside, bytes that rot. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void disk_init(struct sim_disk *d, const char *path, uint64_t size_bytes)
{
	memset(d, 0, sizeof *d);
	snprintf(d->path, sizeof d->path, "%s", path);
	d->size_bytes = size_bytes;
	d->medium = calloc(1, size_bytes);
	d->cache = calloc(1, size_bytes);
	d->versions = calloc(size_bytes / SECTOR_BYTES, sizeof *d->versions);
	d->operations_to_fault = -1;
	if (!d->medium || !d->cache || !d->versions)
		abort();
}

void disk_free(struct sim_disk *d)
{
	free(d->medium);
	free(d->cache);
	free(d->versions);
	free(d->log);
	memset(d, 0, sizeof *d);
}

static bool has_fault(struct sim_disk *d)
{
	if (d->is_dead)
		return true;
	if (d->operations_to_fault < 0 || d->operations_to_fault--)
		return false;
	d->is_dead = d->is_fault_lasting;
	return true;
}

int disk_read(struct sim_disk *d, struct prng *r, uint64_t at, uint64_t len, void *data)
{
	if (has_fault(d))
		return -EIO;
	memcpy(data, d->cache + at, len);
	return 0;
}

/* ---- writing ---- */

static void log_add(struct sim_disk *d, uint32_t sector, const uint8_t *data, bool is_sync, uint64_t time)
{
	struct sim_version *v;

	if (d->log_count == d->log_room) {
		d->log_room = d->log_room ? 2 * d->log_room : 256;
		d->log = realloc(d->log, d->log_room * sizeof *d->log);
		if (!d->log)
			abort();
	}
	v = &d->log[d->log_count++];
	*v = (struct sim_version){ .sector = sector, .is_sync = is_sync, .time = time };
	memcpy(v->data, data, SECTOR_BYTES);
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

static void write_sector(struct sim_disk *d, uint64_t at, const uint8_t *data, bool is_durable, bool is_sync,
			 uint64_t time)
{
	static const uint8_t zeroes[SECTOR_BYTES];
	uint32_t sector = (uint32_t)(at / SECTOR_BYTES);

	data = data ?: zeroes;
	memcpy(d->cache + at, data, SECTOR_BYTES);
	if (!is_durable) {
		log_add(d, sector, data, is_sync, time);
		return;
	}
	memcpy(d->medium + at, data, SECTOR_BYTES);
	log_forget(d, sector);
}

int disk_write(struct sim_disk *d, struct prng *r, uint64_t at, uint64_t len, const void *data, bool is_durable,
	       bool is_sync, uint64_t time)
{
	bool is_failing = has_fault(d);

	for (uint64_t done = 0; done < len; done += SECTOR_BYTES) {
		const uint8_t *from = data ? (const uint8_t *)data + done : NULL;

		if (is_failing && (d->is_dead || prng_below(r, 2)))
			continue;
		write_sector(d, at + done, from, is_durable && !is_failing, is_sync, time);
	}
	return is_failing ? -EIO : 0;
}

void disk_write_torn(struct sim_disk *d, struct prng *r, uint64_t at, uint64_t len, const void *data)
{
	for (uint64_t done = 0; done < len; done += SECTOR_BYTES)
		if (!d->is_dead && prng_below(r, 2))
			write_sector(d, at + done, data ? (const uint8_t *)data + done : NULL, false, false, 0);
}

/* ---- flush and cut ---- */

static void drop_log(struct sim_disk *d)
{
	for (uint32_t i = 0; i < d->log_count; i++)
		d->versions[d->log[i].sector] = 0;
	d->log_count = 0;
}

int disk_flush(struct sim_disk *d, struct prng *r, uint64_t issued)
{
	uint32_t kept = 0;

	if (d->has_lost_writes || has_fault(d)) {
		d->has_lost_writes = true;
		if (prng_below(r, 2))
			drop_log(d); /* still readable, never to be written: gone with the next cut */
		return -EIO;
	}
	for (uint32_t i = 0; i < d->log_count; i++) {
		struct sim_version *v = &d->log[i];

		if (v->time >= issued) {
			d->log[kept++] = *v;
			continue;
		}
		memcpy(d->medium + (uint64_t)v->sector * SECTOR_BYTES, v->data, SECTOR_BYTES);
		d->versions[v->sector]--;
	}
	d->log_count = kept;
	return 0;
}

void disk_cut(struct sim_disk *d, struct prng *r)
{
	enum { LOSE_ALL, KEEP_ALL, BY_LOT } kind = prng_below(r, 4);

	for (uint32_t i = 0; i < d->log_count; i++) {
		struct sim_version *v = &d->log[i];
		uint64_t at = (uint64_t)v->sector * SECTOR_BYTES;

		if (kind == KEEP_ALL || (kind >= BY_LOT && prng_below(r, 2)))
			memcpy(d->medium + at, v->data, SECTOR_BYTES);
	}
	drop_log(d);
	memcpy(d->cache, d->medium, d->size_bytes);
	d->operations_to_fault = -1;
	d->is_dead = d->has_lost_writes = false;
}

bool disk_is_settled(const struct sim_disk *d, uint64_t at, uint64_t len, bool only_sync)
{
	uint64_t first = at / SECTOR_BYTES, end = (at + len) / SECTOR_BYTES;

	for (uint64_t s = first; !only_sync && s < end; s++)
		if (d->versions[s])
			return false;
	if (!only_sync && memcmp(d->cache + at, d->medium + at, len))
		return false;
	for (uint32_t i = 0; only_sync && i < d->log_count; i++)
		if (d->log[i].is_sync && d->log[i].sector >= first && d->log[i].sector < end)
			return false;
	return true;
}
