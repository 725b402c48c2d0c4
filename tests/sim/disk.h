/* A simulated member: a medium, a volatile cache before it, and faults.
 *
 * Contents live in an arena that one history owns: a sector's content is written once, never changed, and named by a
 * number. So a copy of a disk is a copy of numbers, a branch of the history (a crash that is looked at while the
 * history goes on) costs little, and what a branch wrote is forgotten together. */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include "base/prng.h"
#include "base/units.h"

/* ---- contents ---- */

typedef uint32_t content;		/* of one arena: the same number if and only if the same bytes; 0: zeroes */

struct arena;

struct arena *arena_new(void);
struct arena *arena_free(struct arena *a);
uint32_t arena_mark(const struct arena *a);
void arena_release(struct arena *a, uint32_t mark);	/* forgets what came after the mark */
content arena_put(struct arena *a, const uint8_t sector[SECTOR_BYTES]);
content arena_put_word(struct arena *a, uint64_t word);	/* every eight bytes of the sector are @word */
void arena_get(const struct arena *a, content c, uint8_t ret_sector[SECTOR_BYTES]);
uint64_t arena_word(const struct arena *a, content c);	/* the word that fills it; UINT64_MAX: not one word */
bool arena_same(const struct arena *a, content one, content other);
uint64_t arena_hash(const struct arena *a, content c);	/* of the bytes: the same in every arena and after a release */

/* ---- the disk ---- */

enum sim_fault {		/* what can happen to a member; counted by kind (stats.h) */
	FAULT_EIO_ONCE,		/* one operation fails; a write may have written any of its sectors */
	FAULT_EIO_RANGE,	/* operations that touch a range fail until it is lifted */
	FAULT_EIO_FOR_EVER,
	FAULT_SHORT,		/* an operation carries out its first sectors and then fails */
	FAULT_HANG,		/* no answer until it is lifted: late answers, also after the member was failed */
	FAULT_VANISH,		/* the cache is lost by lot, every operation fails until it returns with what is left */
	FAULT_FLUSH,		/* the next flush fails, and may give up what was cached (page caches forget) */
	FAULT_CORRUPT,		/* bytes of superblock or bitmap change on the medium */
	FAULT_NO_MEMORY,	/* the n-th allocation fails */
	FAULT_EARLY_TIMER,	/* the array is told of a timer that is not due */
	FAULT_FULL_QUEUE,	/* the hands have no room for another job yet */
	FAULT_KINDS,
};

struct sim_version {		/* a write that may or may not have reached the medium */
	uint32_t sector;
	content is;
	bool is_sync;		/* written by a resync or a recovery */
	uint64_t time;		/* the step it was executed in */
};

struct sim_disk {
	char path[16];
	uint64_t size_bytes;
	struct arena *arena;
	content *medium;	/* by sector; survives a cut */
	content *cache;		/* by sector; what a read returns */
	uint16_t *versions;	/* by sector: entries of the log */
	struct sim_version *log;	/* oldest first */
	uint32_t log_count, log_room;

	/* faults; all off after disk_init() */
	int64_t operations_to_fault;	/* the operation after so many fails; negative: none */
	enum sim_fault fault;		/* ... in this way: EIO_ONCE, EIO_FOR_EVER, SHORT */
	bool fails_next_flush;
	uint64_t bad_at, bad_len;	/* EIO_RANGE, bytes of the member; len 0: none */
	bool is_dead, is_gone;		/* EIO_FOR_EVER came; VANISH: every operation fails */
	bool is_hung;			/* HANG: the world executes nothing here, and counts it */
	bool is_closed;			/* it vanished under the hands: they reach it by disk_open() only */
	bool has_lost_writes;		/* a flush failed: the hands let none succeed until the member is opened anew */
	uint64_t faults[FAULT_KINDS];	/* how often each bit (an operation that failed, a cache that was lost) */
};

void disk_init(struct sim_disk *d, struct arena *a, const char *path, uint64_t size_bytes);
void disk_copy(struct sim_disk *to, const struct sim_disk *from);	/* same arena, no faults[] */
void disk_free(struct sim_disk *d);

/* 0 or -EIO. @data NULL: zeroes. A flush covers what was written before the step it was @issued in. */
int disk_read(struct sim_disk *d, struct prng *lot, uint64_t at, uint64_t len, void *data);
int disk_write(struct sim_disk *d, struct prng *lot, uint64_t at, uint64_t len, const void *data, bool is_durable,
	       bool is_sync, uint64_t time);
int disk_flush(struct sim_disk *d, struct prng *lot, uint64_t issued);

/* A write that was under way when the power went: any of its sectors may be on its way, too. */
void disk_write_torn(struct sim_disk *d, struct prng *lot, uint64_t at, uint64_t len, const void *data);

/* The power goes: of each sector one version survives, by lot (all old and all new more often than by chance). Ends all
 * faults, a bad range and a vanished member included. */
enum disk_fate { FATE_BY_LOT, FATE_KEEP_ALL, FATE_LOSE_ALL };
void disk_cut(struct sim_disk *d, struct prng *lot, enum disk_fate fate);

/* For those who try every subset: the sectors with a version in the log, ascending, with how many versions each has
 * (identical contents count once). Returns how many there are; writes at most @max. */
struct loose_sector {
	uint32_t sector, versions;
};
uint32_t disk_loose(const struct sim_disk *d, struct loose_sector *ret, uint32_t max);
/* The cut with a choice for each of them: 0 the medium's, n the n-th version. */
void disk_cut_to(struct sim_disk *d, const uint8_t *choices);

void disk_vanish(struct sim_disk *d, struct prng *lot);	/* what survives of its cache is on its medium at once */
void disk_lift_faults(struct sim_disk *d);	/* all but what the hands must notice: has_lost_writes, is_closed */
void disk_open(struct sim_disk *d);	/* the hands open it anew, at a start or when it joins: those end, too */

/* Bytes as they are, without any fault, for those who check. */
void disk_peek(const struct sim_disk *d, bool in_cache, uint64_t at, uint64_t len, void *ret);
void disk_poke(struct sim_disk *d, uint64_t at, uint64_t len, const void *data);	/* medium and cache */
static inline content disk_at(const struct sim_disk *d, bool in_cache, uint64_t at)
{
	return (in_cache ? d->cache : d->medium)[at / SECTOR_BYTES];
}

/* Is all of the range on the medium for sure? @only_sync: look at what syncs wrote only. */
bool disk_is_settled(const struct sim_disk *d, uint64_t at, uint64_t len, bool only_sync);
/* Whatever of the range is lost by a cut: the medium has it already. */
bool disk_shows_the_same(const struct sim_disk *d, uint64_t at, uint64_t len);

/* The medium as a file, sparse. 0 or -errno. */
int disk_save(const struct sim_disk *d, const char *path);
int disk_load(struct sim_disk *d, const char *path);	/* medium and cache; the size must agree */

#endif
