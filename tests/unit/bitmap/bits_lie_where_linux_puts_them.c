/* Goal: a marked chunk sets exactly its own bit at Linux's place on disk.
 * Method: single marks, the one changed bit looked for in the committed pages; sizes of the published geometries.
 * Law: I3.
 * Source: md bitmap 2.1, test vectors V4 and V7; md array 10.3 for a bitmap without superblock. */
#include "bm_help.h"

static void bit_in(struct bm *b, uint64_t index, uint64_t byte, unsigned bit)
{
	const struct bm_page_write *writes;
	uint64_t found = 0, others = 0;
	int count;

	bm_mark(b, at(index * 4096), 1);
	count = bm_commit_begin(b, &writes);
	for (int w = 0; w < count; w++)
		for (uint32_t i = 0; i < BM_PAGE_BYTES; i++) {
			uint64_t where = writes[w].at_bytes + i;

			if ((!bm_is_bare(b) && where < 256) || !writes[w].data[i])
				continue;
			if (where == byte && writes[w].data[i] == 1 << bit)
				found++;
			else
				others++;
		}
	ok(found == 1 && !others, "chunk %llu is bit %u of byte %llu, alone%s", (unsigned long long)index, bit,
	   (unsigned long long)byte, bm_is_bare(b) ? ", without superblock" : "");
	bm_commit_end(b, true);
	bm_free(b);
}

static void bit_of(uint64_t index, uint64_t byte, unsigned bit)
{
	bit_in(a_bitmap(163696ull * 4096, 4096), index, byte, bit);
	bit_in(a_bare_bitmap(163696ull * 4096, 4096), index, byte - 256, bit);
}

static void size_of(uint64_t sectors, uint32_t chunk_bytes, uint64_t chunks, uint64_t bytes, uint64_t pages)
{
	struct bm *b = a_bitmap(sectors * 512, chunk_bytes);

	is_u64(bm_chunks(b), chunks, "chunks of %llu sectors at %u", (unsigned long long)sectors, chunk_bytes);
	is_u64(bm_image_bytes(b), bytes, "bytes");
	is_u64(bm_pages(b), pages, "pages");
	is_u64(bm_chunk_bytes(b), chunk_bytes, "chunk");
	is_u64(bm_daemon_sleep_ms(b), 5000, "daemon sleep");
	bm_free(b);

	b = a_bare_bitmap(sectors * 512, chunk_bytes);
	is_u64(bm_image_bytes(b), bytes - 256, "256 bytes less without superblock");
	is_u64(bm_chunks(b), chunks, "for as many chunks");
	bm_free(b);
}

int main(void)
{
	bit_of(0, 256, 0);
	bit_of(7, 256, 7);
	bit_of(8, 257, 0);
	bit_of(2047, 511, 7);
	bit_of(30719, 4095, 7);
	bit_of(30720, 4096, 0);
	bit_of(63487, 8191, 7);
	bit_of(63488, 8192, 0);
	bit_of(163695, 20717, 7);
	size_of(260096, 4 << 20, 32, 260, 1);
	size_of(260096, 4096, 32512, 4320, 2);
	return tap_end();
}
