/* A simulated member: a medium, a volatile cache before it, and faults. */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include "base/prng.h"
#include "base/units.h"

struct sim_disk {
	char path[16];
	uint64_t size_bytes;
	uint8_t *medium;		/* survives a cut */
	uint8_t *cache;			/* what a read returns */
	uint16_t *versions;		/* per sector: entries of the log */
	struct sim_version {		/* writes that may or may not have reached the medium, oldest first */
		uint32_t sector;
		bool is_sync;		/* written by a resync or a recovery */
		uint64_t time;
		uint8_t data[SECTOR_BYTES];
	} *log;
	uint32_t log_count, log_room;
	/* The operation after so many fails, once or for ever; negative: none. */
	int64_t operations_to_fault;
	bool is_fault_lasting, is_dead;
	bool has_lost_writes;		/* a flush failed: the hands let none succeed until the member is opened anew */
};

void disk_init(struct sim_disk *d, const char *path, uint64_t size_bytes);
void disk_free(struct sim_disk *d);

/* 0 or -EIO. A write that fails may have written any of its sectors, a flush that fails may have forgotten them.
 * @data NULL: zeroes. A flush covers what was written before @issued. */
int disk_read(struct sim_disk *d, struct prng *r, uint64_t at, uint64_t len, void *data);
int disk_write(struct sim_disk *d, struct prng *r, uint64_t at, uint64_t len, const void *data, bool is_durable,
	       bool is_sync, uint64_t time);
int disk_flush(struct sim_disk *d, struct prng *r, uint64_t issued);

/* A write that was under way when the power went: any of its sectors may be there. */
void disk_write_torn(struct sim_disk *d, struct prng *r, uint64_t at, uint64_t len, const void *data);
/* The power goes: of each sector one version survives. Faults are over. */
void disk_cut(struct sim_disk *d, struct prng *r);

/* Is all of the range on the medium for sure? @only_sync: look at what syncs wrote only. */
bool disk_is_settled(const struct sim_disk *d, uint64_t at, uint64_t len, bool only_sync);

#endif
