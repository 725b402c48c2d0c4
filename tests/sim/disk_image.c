/* The medium of a simulated disk as a file, and back: for scenarios that go on in other worlds.
 *
 * Sectors of zeroes are left out of the file (holes). Caches, logs and faults are not saved: a file is what a power
 * cut left. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>

static uint32_t sectors_of(const struct sim_disk *d)
{
	return (uint32_t)(d->size_bytes / SECTOR_BYTES);
}

int disk_save(const struct sim_disk *d, const char *path)
{
	FILE *f = fopen(path, "wb");
	uint8_t sector[SECTOR_BYTES];
	int rc = 0;

	if (!f)
		return -errno;
	for (uint32_t s = 0; s < sectors_of(d) && !rc; s++) {
		if (!d->medium[s] && s + 1 < sectors_of(d))
			continue;
		arena_get(d->arena, d->medium[s], sector);
		if (fseeko(f, (off_t)s * SECTOR_BYTES, SEEK_SET) || fwrite(sector, sizeof sector, 1, f) != 1)
			rc = -errno;
	}
	if (fclose(f) && !rc)
		rc = -errno;
	return rc;
}

int disk_load(struct sim_disk *d, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t sector[SECTOR_BYTES];
	int rc = 0;

	if (!f)
		return -errno;
	if (fseeko(f, 0, SEEK_END) || (uint64_t)ftello(f) != d->size_bytes || fseeko(f, 0, SEEK_SET))
		rc = -EINVAL;
	for (uint32_t s = 0; s < sectors_of(d) && !rc; s++) {
		if (fread(sector, sizeof sector, 1, f) == 1)
			disk_poke(d, (uint64_t)s * SECTOR_BYTES, sizeof sector, sector);
		else
			rc = -EIO;
	}
	fclose(f);
	return rc;
}
