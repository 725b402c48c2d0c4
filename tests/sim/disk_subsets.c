/* Every state a cut can leave a disk in, one by one.
 *
 * A sector with versions in the log is loose: the cut may leave the medium's content or any of them. Contents that come
 * twice count once, and a sector whose versions all say what its medium says is not loose at all, so each vector of
 * choices is another state of the medium. Whether there are too many of them is the caller's question. */
#include "disk.h"

#include <stdlib.h>

static uint32_t sectors_of(const struct sim_disk *d)
{
	return (uint32_t)(d->size_bytes / SECTOR_BYTES);
}

/* The log by sector, oldest first in each; the caller frees it. */
static struct sim_version *sorted_log(const struct sim_disk *d)
{
	struct sim_version *sorted = malloc(d->log_count * sizeof *sorted);
	uint32_t *next = malloc(sectors_of(d) * sizeof *next), before = 0;

	if (!sorted || !next)
		abort();
	for (uint32_t s = 0; s < sectors_of(d); s++) {
		next[s] = before;
		before += d->versions[s];
	}
	for (uint32_t i = 0; i < d->log_count; i++)
		sorted[next[d->log[i].sector]++] = d->log[i];
	free(next);
	return sorted;
}

/* Of one sector's versions, @count of them, those that come up for the first time and are not the medium's; they
 * move to the front. */
static uint32_t distinct(const struct sim_disk *d, struct sim_version *v, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool is_known = v[i].is == d->medium[v[i].sector];

		for (uint32_t k = 0; k < kept; k++)
			is_known |= v[k].is == v[i].is;
		if (!is_known)
			v[kept++] = v[i];
	}
	return kept;
}

/* Walks the loose sectors, ascending. With @choices it settles each as chosen, with @ret it tells of them. */
static uint32_t walk_loose(const struct sim_disk *d, struct loose_sector *ret, uint32_t max, content *medium,
			   const uint8_t *choices)
{
	struct sim_version *sorted;
	uint32_t loose = 0;

	if (!d->log_count)
		return 0;
	sorted = sorted_log(d);
	for (uint32_t i = 0; i < d->log_count;) {
		uint32_t sector = sorted[i].sector, count = distinct(d, sorted + i, d->versions[sector]);

		if (count && choices && choices[loose])
			medium[sector] = sorted[i + choices[loose] - 1].is;
		if (count && loose < max)
			ret[loose] = (struct loose_sector){ .sector = sector, .versions = count };
		loose += count > 0;
		i += d->versions[sector];
	}
	free(sorted);
	return loose;
}

uint32_t disk_loose(const struct sim_disk *d, struct loose_sector *ret, uint32_t max)
{
	return walk_loose(d, ret, max, NULL, NULL);
}

void disk_cut_to(struct sim_disk *d, const uint8_t *choices)
{
	struct prng none = prng_seed(0);

	walk_loose(d, NULL, 0, d->medium, choices);
	disk_cut(d, &none, FATE_LOSE_ALL);
}
