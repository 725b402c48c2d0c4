/* The log of what members and clients were told, for the recording plugin of the tests; nothing installed has it.
 *
 * A file of records in one order, each followed by @extra_bytes of its own, padded to eight. Numbers are the machine's
 * own: a log is read where it was written, minutes later. */
#ifndef UMD_MEMBER_RECORD_H
#define UMD_MEMBER_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum mbr_record_kind {
	MBR_REC_MEMBER = 1,	/* seen for the first time: @len bytes; extra: its name, a zero, padding, its bytes */
	/* @number on @member begins: @op, @at, @len, @flags, @word: the client's request; extra: the data of a write */
	MBR_REC_BEGIN,
	MBR_REC_END,		/* and ended: @rc its result or -errno, @len bytes of it were carried out, @flags */
	MBR_REC_ASKED,		/* client request @number reaches the array: @op, @at, @len, @flags, @word */
	MBR_REC_ANSWERED,	/* and is answered: @rc; extra of a read: a word for each sector */
	MBR_REC_STATE,		/* @member is in state @op (enum arr_member_state) from now on, as entry @number */
	MBR_REC_CLOSED,		/* the array was closed: @rc */
	MBR_REC_FAULT,		/* the recorder made an operation of @member go wrong: @op, extra: how */
	MBR_REC_STOPPING,	/* the array was told to stop */
};

enum mbr_record_op { MBR_REC_READ, MBR_REC_WRITE, MBR_REC_ZERO, MBR_REC_FLUSH };	/* enum arr_op as well */

enum {
	MBR_REC_DURABLE = 1,	/* BEGIN of a write: stable when it ends well; ASKED: FUA */
	MBR_REC_GIVEN_UP = 2,	/* END: what was in the cache (a write: in its range) will never be on the medium */
};

struct mbr_record {
	uint32_t kind, op, member, flags;
	uint64_t number, at, len;
	int64_t rc;
	uint64_t word;		/* ASKED: that fills the write; UINT64_MAX: no single one does */
	uint64_t extra_bytes;
};

static inline uint64_t mbr_record_padded(uint64_t extra_bytes)
{
	return (extra_bytes + 7) & ~7ull;
}

/* One record, with everything before it in the file. @r->extra_bytes is set here. */
void mbr_record(struct mbr_record *r, const void *extra, size_t extra_bytes);

/* The member behind a descriptor, by the file it leads to; recorded when it is new. Negative: no regular file. */
int mbr_record_member(int fd);

/* From now on operations count for the faults that were ordered. */
void mbr_record_arm(void);

/* This thread's operations belong to a client's request from now on; 0: to none. */
void mbr_record_request(uint64_t number);

/* A little time, by lot: so that operations of several threads meet. */
void mbr_record_linger(void);

#endif
