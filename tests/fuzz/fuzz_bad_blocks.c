/* The bad-block log: what is decoded is what a reader with 128-bit numbers finds.
 *
 * Input: 1 byte shift, 2 unused, then the log. Properties: order and number of entries; a length is never 0; what no
 * member can have is the largest there is. */
#include "fuzz.h"

#include "format/sb1.h"

static uint64_t cut(__uint128_t v, uint64_t most)
{
	return v > most ? most : (uint64_t)v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size }, again;
	static struct bad_block found[FMT_BAD_BLOCKS_MAX];
	uint8_t shift = fuzz_take(&in, 1);
	uint32_t count, wanted = 0, bytes;

	fuzz_take(&in, 2);
	bytes = (uint32_t)(in.end - in.at);
	count = fmt_bad_blocks_decode(in.at, bytes, shift, found);
	again = in;
	for (uint32_t i = 0; i < bytes / 8 && wanted < FMT_BAD_BLOCKS_MAX; i++) {
		uint64_t entry = fuzz_take(&again, 8);
		/* A shift of more than 63 leaves nothing of any number but 0 below the limit. */
		unsigned up = shift > 64 ? 64 : shift;

		if (entry == UINT64_MAX)
			break;
		if (!(entry & 1023))
			continue;
		FUZZ_MUST(wanted < count);
		FUZZ_MUST(found[wanted].sector == cut((__uint128_t)(entry >> 10) << up, UINT64_MAX));
		FUZZ_MUST(found[wanted].len_sectors == cut((__uint128_t)(entry & 1023) << up, UINT32_MAX));
		wanted++;
	}
	FUZZ_MUST(count == wanted);
	return 0;
}
