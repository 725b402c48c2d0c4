/* Where RAID10 keeps the copies of a chunk. */
#ifndef UMD_FORMAT_RAID10_H
#define UMD_FORMAT_RAID10_H

#include "format/sb1.h"

/* Chunks are RAID10's own (chunk_sectors), not the bitmap's. */
struct raid10 {
	uint32_t slots, near, far;		/* near * far copies of each chunk */
	bool is_offset;
	uint32_t set_slots;			/* slots among which far copies move on; the last set takes the rest */
	uint64_t chunk_sectors;
	uint64_t array_chunks, member_chunks;	/* of the array; used of each member */
	uint64_t stride_chunks;			/* from one far copy to the next on a member */
};

struct raid10_copy {
	uint32_t slot;
	uint64_t chunk;				/* of the slot's data area */
};

/* False where level, layout, chunk and size make no geometry. */
bool lay_raid10(const struct sb1 *sb, struct raid10 *ret_geometry);

static inline uint32_t lay_raid10_copies(const struct raid10 *g)
{
	return g->near * g->far;
}

/* Copy @number (below lay_raid10_copies()) of the array's chunk @chunk (below array_chunks). Copies of one chunk lie in
 * different slots. */
struct raid10_copy lay_raid10_copy(const struct raid10 *g, uint64_t chunk, uint32_t number);

#endif
