/* Between the files of the member room; no other room includes this. */
#ifndef UMD_MEMBER_INSIDE_H
#define UMD_MEMBER_INSIDE_H

#include <sys/stat.h>

#include "member/member.h"

enum { MBR_SHOWN_BYTES = 300, MBR_HOLDER_BYTES = 128 };

/* A path as it may be shown in a sentence: escaped, cut with "..." where it is very long. Returns @ret. */
const char *mbr_shown(const char *path, char ret[MBR_SHOWN_BYTES]);

/* Wrap an open, judged and locked descriptor of a file or block device. @path is copied. With O_DIRECT on it, the
 * member works past the cache. */
int mbr_file_new(const char *path, int fd, uint64_t size_bytes, bool is_readonly, bool is_block_device,
		 struct member **ret_member);

/* What is to be locked for whom, and what a refusal says of it. */
struct mbr_locking {
	int fd;
	enum mbr_lock lock;
	const struct stat *st;
	const char *shown;
	struct err *err;
};

/* Take the lock on an open file. 0, or UMD_E_MEMBER_BUSY or -errno with a sentence that names who has it. */
int mbr_lock_take(const struct mbr_locking *l);

/* Clustered block devices, after their lock: -EBUSY where somebody holds it with O_EXCL. */
int mbr_lock_probe_device(int fd);

/* direct.c: members past every cache. Begin: O_DIRECT is set and tried; refused with a sentence where it fails. */
struct mbr_direct;
int mbr_direct_begin(int fd, const char *shown, struct err *err);
struct mbr_direct *mbr_direct_new(void);		/* NULL without memory */
struct mbr_direct *mbr_direct_free(struct mbr_direct *d);
/* Can the kernel take it as it is? If not: may it be changed at all (reads always go)? */
bool mbr_direct_fits(const void *data, uint64_t at, uint64_t len_bytes);
bool mbr_direct_may_change(uint64_t at, uint64_t len_bytes);
int mbr_direct_read(struct mbr_direct *d, int fd, uint8_t *data, uint64_t len_bytes, uint64_t at);
/* @put writes a piece that fits. */
typedef int (*mbr_direct_put)(void *opaque, const uint8_t *data, uint64_t len_bytes, uint64_t at);
int mbr_direct_write(struct mbr_direct *d, const uint8_t *data, uint64_t len_bytes, uint64_t at, mbr_direct_put put,
		     void *opaque);

/* Who locks the file that @st describes; @ret as mbr_holder(). Returns the process, or 0 where it cannot be told. */
int mbr_lock_holder(const struct stat *st, char *ret, size_t ret_bytes);

/* Does the kernel use it: a loop device on top, md or dm, a mount, swap? Writes e.g. "it backs /dev/loop0". */
bool mbr_kernel_holds(const struct stat *st, char *ret, size_t ret_bytes);

#endif
