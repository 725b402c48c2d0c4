/* Goal: the bad-block log gives the sectors Linux shows, whatever else is in it.
 * Method: a recorded log, then ends, shifts, zero lengths, full and absurd logs.
 * Law: I9.
 * Source: recorded on Linux 6.1 after write errors on data sectors 4096..4159 with data offset 2048 (sysfs: 6144 64).
 */
#include "vectors.h"

static uint8_t log_bytes[FMT_BAD_BLOCK_LOG_BYTES];
static struct bad_block found[FMT_BAD_BLOCKS_MAX];

static void put(unsigned index, uint64_t sector, uint64_t len)
{
	le_put(log_bytes + 8 * index, 8, sector << 10 | len);
}

static uint32_t decode(uint8_t shift)
{
	memset(found, 0, sizeof found);
	return fmt_bad_blocks_decode(log_bytes, sizeof log_bytes, shift, found);
}

int main(void)
{
	memset(log_bytes, 0xff, sizeof log_bytes);
	is_u64(decode(0), 0, "a log of all ones is empty");

	bytes_of_hex("40 00 60 00 00 00 00 00", log_bytes);
	is_u64(decode(0), 1, "the recorded log has one entry");
	is_u64(found[0].sector, 6144, "its sector is absolute on the member");
	is_u64(found[0].len_sectors, 64, "its length is 64");

	is_u64(decode(3), 1, "with a shift the log has one entry");
	is_u64(found[0].sector, 6144 * 8, "sectors count in units of 2^shift");
	is_u64(found[0].len_sectors, 64 * 8, "lengths too");

	put(1, 5, 0);
	put(2, 7000, 512);
	put(4, 9000, 1);
	is_u64(decode(0), 2, "an entry of length 0 says nothing, and nothing is read behind the end");
	ok(found[1].sector == 7000 && found[1].len_sectors == 512, "the entry behind it is kept");

	put(0, (UINT64_C(1) << 54) - 2, 512);
	decode(63);
	ok(found[0].sector == UINT64_MAX && found[0].len_sectors == UINT32_MAX,
	   "numbers no member has are cut, not wrapped");

	for (unsigned i = 0; i < FMT_BAD_BLOCKS_MAX; i++)
		put(i, i, 1);
	is_u64(decode(0), FMT_BAD_BLOCKS_MAX, "a full log gives all its entries");
	is_u64(found[511].sector, 511, "up to the last one");
	is_u64(fmt_bad_blocks_decode(log_bytes, 23, 0, found), 2, "half an entry is none");
	return tap_end();
}
