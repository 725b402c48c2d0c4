/* Whole images described sparsely: what fuzz_examine reads. */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include "fuzz.h"

#include "umd/umd.h"

enum { IMAGE_MEMBERS_MAX = 3 };

/* What an input describes. */
struct image {
	const char *paths[IMAGE_MEMBERS_MAX];
	int fds[IMAGE_MEMBERS_MAX];
	uint64_t sizes[IMAGE_MEMBERS_MAX];
	size_t count;
	bool has_external;
	struct umd_external_bitmap external;
};

/* Entries of 1 byte kind: 0 a member of 8 bytes size begins; 1 at 8 bytes place, 4 bytes length: bytes; 2 the same,
 * and 1 byte that fills; 3 an external bitmap of 8 bytes each place, chunk, size. A place with its top bit set counts
 * from the end. @is_mended: checksums of superblocks where md looks for them are made right. */
void image_make(struct fuzz_input *in, bool is_mended, struct image *ret);

#endif
