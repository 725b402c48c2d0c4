/* Members: the only I/O in the house. A member is bytes with a length; what they mean is not known here. */
#ifndef UMD_MEMBER_MEMBER_H
#define UMD_MEMBER_MEMBER_H

#include "base/err.h"
#include "base/units.h"

enum mbr_lock {
	MBR_LOCK_SHARED,	/* read-only users; several may hold it */
	MBR_LOCK_EXCLUSIVE,	/* OFD write lock on the whole file, O_EXCL on block devices */
	/* Writable and shared with other nodes of a cluster, on this host or elsewhere: an OFD read lock on the bytes
	 * below MBR_CLUSTER_LOCKS_AT; what lies above is for the locks of engines. Refused by and for exclusive
	 * users. */
	MBR_LOCK_CLUSTERED,
};

#define MBR_CLUSTER_LOCKS_AT (1ull << 62)

/* Or'ed to the lock: read and write past every cache (O_DIRECT); refused where the file cannot. Buffers, places and
 * lengths need no alignment beyond sectors. */
enum { MBR_DIRECT = 0x100 };

/* Or'ed to MBR_LOCK_CLUSTERED: the other nodes are on other machines. A block device is then ours alone on this one
 * (O_EXCL): the kernel's md cannot start the array here beside us. */
enum { MBR_ALONE_HERE = 0x200 };

enum mbr_op { MBR_READ, MBR_WRITE, MBR_ZERO, MBR_FLUSH };
enum { MBR_DURABLE = 1, MBR_MAY_PUNCH = 2, MBR_KEEP_HOLES = 4 };

struct mbr_part {
	enum mbr_op op;
	unsigned flags;
	member_off at;
	uint64_t len_bytes;
	void *data;
	int rc;			/* 0 or -errno; a short read or write at the end of the file is -EIO */
};

struct member;

struct member_ops {
	/* Carry out the parts in order; returns when all are done (the caller is a worker and may block;
	 * other members' batches run at the same time). After a part failed the rest is not tried and
	 * gets the same result. Data is stable only after a later MBR_FLUSH, unless MBR_DURABLE. */
	void (*run)(struct member *m, struct mbr_part *parts, uint32_t part_count);
	void (*close)(struct member *m);	/* drops locks; frees @m */
};

struct member {
	const struct member_ops *ops;
	char *path;		/* absolute, for people; hostile text is escaped where it is printed */
	uint64_t size_bytes;
	bool is_readonly, is_block_device;
	int fd;			/* files: the descriptor that does the I/O and holds the lock; else -1 */
};

/**
 * mbr_open - open, judge and lock a file or block device
 * @fd: -1, or a descriptor the caller was handed (taken over, also on failure)
 * Refuses: missing, a directory, neither file nor block device, in use: locked by another process
 * (holder named where it can be found), backing a loop device, held by the kernel, mounted.
 * MBR_LOCK_SHARED opens read-only and takes a read lock.
 * Returns 0, or a code with one sentence in @err; nothing has been written.
 */
int mbr_open(const char *path, int fd, enum mbr_lock lock, struct member **ret_member, struct err *err);

/* Look without any lock (examine): read-only, also while a server runs. */
int mbr_open_look(const char *path, struct member **ret_member, struct err *err);

struct member *mbr_close(struct member *m);

int mbr_read(struct member *m, member_off at, void *data, size_t len_bytes);
int mbr_write(struct member *m, member_off at, const void *data, size_t len_bytes, bool is_durable);
int mbr_flush(struct member *m);

/* Who holds the lock, "pid 4711 (nbdkit)" or "another process"; for sentences. */
void mbr_holder(const char *path, char *ret, size_t ret_bytes);

/* Does somebody write to @m now, as far as locks and the kernel tell? "it is in use by pid 4711 (nbdkit)" or
 * "/dev/md0 is built on it" is then in @ret. For those who only look; nothing is locked. */
bool mbr_is_in_use(const struct member *m, char *ret, size_t ret_bytes);

#endif
