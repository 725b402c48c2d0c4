/* Goal: the bit of every chunk is found where Linux writes it.
 * Method: known places for bitmaps with and without a superblock and for a big-endian host; then a walk.
 * Law: I3 (a bit in the wrong place covers nothing).
 * Source: bits watched on disk under Linux 6.1; the big-endian places are computed. */
#include "vectors.h"

struct place {
	uint64_t chunk, byte;
	unsigned bit;
};

static void is_at(struct bitmap_bit got, struct place p, const char *kind)
{
	ok(got.byte == p.byte && got.bit == p.bit, "%s: chunk %llu is bit %u of byte %llu (got %u of %llu)", kind,
	   (unsigned long long)p.chunk, p.bit, (unsigned long long)p.byte, got.bit, (unsigned long long)got.byte);
}

static void known_places(void)
{
	static const struct place internal[] = {
		{ 0, 256, 0 },	    { 7, 256, 7 },	  { 8, 257, 0 },	{ 2047, 511, 7 },
		{ 5000, 881, 0 },   { 30719, 4095, 7 },	  { 30720, 4096, 0 },	{ 63487, 8191, 7 },
		{ 63488, 8192, 0 }, { 159000, 20131, 0 }, { 163695, 20717, 7 },
	};
	static const struct place external[] = {
		{ 0, 0, 0 },  { 3, 0, 3 },	  { 5, 0, 5 },	      { 8, 1, 0 },
		{ 17, 2, 1 }, { 30720, 3840, 0 }, { 32768, 4096, 0 },
	};

	for (size_t i = 0; i < sizeof internal / sizeof *internal; i++)
		is_at(fmt_bitmap_bit((chunk_no){ internal[i].chunk }, true), internal[i], "internal");
	for (size_t i = 0; i < sizeof external / sizeof *external; i++)
		is_at(fmt_bitmap_bit((chunk_no){ external[i].chunk }, false), external[i], "external");
}

static void big_endian_places(void)
{
	static const struct place words64[] = {
		{ 0, 263, 0 }, { 7, 263, 7 }, { 8, 262, 0 }, { 63, 256, 7 }, { 64, 271, 0 }
	};
	static const struct place words32[] = {
		{ 0, 259, 0 }, { 7, 259, 7 }, { 8, 258, 0 }, { 63, 260, 7 }, { 64, 267, 0 }
	};

	for (size_t i = 0; i < sizeof words64 / sizeof *words64; i++) {
		is_at(fmt_bitmap_bit_big_endian((chunk_no){ words64[i].chunk }, true, 64), words64[i],
		      "64-bit big-endian");
		is_at(fmt_bitmap_bit_big_endian((chunk_no){ words32[i].chunk }, true, 32), words32[i],
		      "32-bit big-endian");
	}
}

static void pages(void)
{
	is_u64(fmt_bitmap_page_of((chunk_no){ 30719 }, true), 0, "page 0 holds 30720 chunks behind a superblock");
	is_u64(fmt_bitmap_page_of((chunk_no){ 30720 }, true), 1, "the next chunk lies on page 1");
	is_u64(fmt_bitmap_page_of((chunk_no){ 63488 }, true), 2, "page 1 holds 32768 chunks");
	is_u64(fmt_bitmap_page_of((chunk_no){ 32767 }, false), 0, "page 0 holds 32768 chunks without one");
	is_u64(fmt_bitmap_page_of((chunk_no){ 32768 }, false), 1, "the next chunk lies on page 1");
	is_u64(fmt_bitmap_page_of((chunk_no){ UINT64_C(1) << 40 }, true), UINT64_C(1) << 25,
	       "pages of huge bitmaps do not wrap");
}

static void every_order_uses_every_bit_once(void)
{
	static uint8_t used[4096];
	bool is_once = true;

	for (uint64_t i = 0; i < 30720; i++) {
		struct bitmap_bit b = fmt_bitmap_bit_big_endian((chunk_no){ i }, true, 32);

		is_once = is_once && b.byte < sizeof used && b.byte >= 256 && !(used[b.byte] & 1 << b.bit);
		used[b.byte % sizeof used] |= 1 << b.bit;
	}
	ok(is_once, "30720 chunks have 30720 different bits behind the superblock");
}

int main(void)
{
	known_places();
	big_endian_places();
	pages();
	every_order_uses_every_bit_once();
	return tap_end();
}
