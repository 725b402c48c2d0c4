/* Goal: every cluster node finds its own bitmap and nobody else's.
 * Method: the worked examples, bits that Linux was seen to write, and the sizes around one block.
 * Law: I7; the old kernel patch had four errors in this formula.
 * Source: two md-cluster nodes on Linux 6.1 (10 GiB, 64 KiB chunks); the rest computed by mdadm's rule. */
#include "vectors.h"

static const struct {
	uint64_t sync_sectors;
	uint32_t chunk_bytes, blocks;
	uint64_t at[4];
} table[] = {
	{ 2147483648, 64 << 20, 1, { 8192, 12288, 16384, 20480 } },
	{ 2147483648, 4 << 20, 9, { 8192, 45056, 81920, 118784 } },
	{ 2147483648, 1 << 20, 33, { 8192, 143360, 278528, 413696 } },
	{ 20953088, 65536, 6, { 8192, 32768, 57344, 81920 } },
	{ 3932160, 65536, 1, { 8192, 12288, 16384, 20480 } },
	{ 3932161, 65536, 2, { 8192, 16384, 24576, 32768 } },
	{ 2147483656, 1 << 20, 33, { 8192, 143360, 278528, 413696 } },
};

int main(void)
{
	member_off first = { 8192 };
	member_off slot1;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		is_u64(lay_slot_bytes(table[i].sync_sectors, table[i].chunk_bytes), table[i].blocks * UINT64_C(4096),
		       "row %zu: blocks", i);
		for (uint32_t slot = 0; slot < 4; slot++)
			is_u64(lay_slot(first, table[i].sync_sectors, table[i].chunk_bytes, slot).bytes,
			       table[i].at[slot], "row %zu: slot %u", i, slot);
	}
	is_u64(first.bytes + fmt_bitmap_bit((chunk_no){ 5000 }, true).byte, 9073,
	       "node 1, chunk 5000: the byte Linux changed");
	slot1 = lay_slot(first, 20953088, 65536, 1);
	is_u64(slot1.bytes + fmt_bitmap_bit((chunk_no){ 159000 }, true).byte, 52899,
	       "node 2, chunk 159000: the byte Linux changed");
	is_u64(lay_slot(first, UINT64_MAX, 512, UINT32_MAX).bytes, OFF_NONE,
	       "the last slot of a hostile bitmap does not wrap");
	is_u64(lay_slot((member_off){ UINT64_MAX - 4096 }, 1, 512, 2).bytes, OFF_NONE,
	       "nor does one behind the last address");
	is_u64(lay_slot(first, UINT64_MAX, 0, 0).bytes, 8192, "slot 0 is the bitmap itself, whatever its chunk");
	return tap_end();
}
