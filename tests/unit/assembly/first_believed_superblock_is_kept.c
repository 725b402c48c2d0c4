/* Goal: of several superblocks on a member the first that can be believed counts; where none can, the best reason is
 * told. Method: superblocks of a planned mirror are offered in different orders and states of repair. Law: I5, I9.
 * Source: design 2; leftovers of an earlier use of a member. */
#include "assembly/assembly.h"
#include "base/le.h"
#include "tap.h"

enum { MEMBER_BYTES = 64 << 20 };

static struct asm_created made[3][2];		/* by minor */
static struct asm_member m;

static void make_all(void)
{
	for (enum sb1_minor minor = SB1_0; minor <= SB1_2; minor++) {
		struct asm_create c = { .minor = minor, .has_bitmap = true, .count = 2 };

		memset(c.uuid, 0x10 + minor, sizeof c.uuid);
		for (int i = 0; i < 2; i++) {
			c.members[i].path = "m";
			c.members[i].size_bytes = MEMBER_BYTES;
		}
		ok(asm_create_plan(&c, made[minor], NULL) == 0, "1.%d planned", minor);
	}
}

static void fresh(void)
{
	memset(&m, 0, sizeof m);
	m.path = "m";
	m.size_bytes = MEMBER_BYTES;
}

static void offer(enum sb1_minor minor, unsigned damage_at)
{
	uint8_t raw[FMT_SB1_BYTES];

	memcpy(raw, made[minor][0].super_raw, sizeof raw);
	if (damage_at)
		raw[damage_at] ^= 1;
	asm_take_superblock(&m, minor, made[minor][0].super_at, raw);
}

static void places(void)
{
	member_off at[3];
	enum sb1_minor minors[3];

	is_u64(asm_super_places(MEMBER_BYTES, at, minors), 3, "three places");
	ok(minors[0] == SB1_1 && at[0].bytes == 0, "1.1 at the start");
	ok(minors[1] == SB1_2 && at[1].bytes == 4096, "1.2 at 4096");
	ok(minors[2] == SB1_0 && at[2].bytes == MEMBER_BYTES - 8192, "1.0 near the end");
	is_u64(asm_super_places(0, at, minors), 0, "none on an empty file");
	is_u64(asm_super_places(100, at, minors), 0, "none in 100 bytes");
	for (uint64_t bytes = 1; bytes < 70000; bytes += 511)
		for (uint32_t i = asm_super_places(bytes, at, minors); i-- > 0;)
			if (at[i].bytes + FMT_SB1_BYTES > bytes)
				ok(false, "a place at %llu of %llu bytes", (unsigned long long)at[i].bytes,
				   (unsigned long long)bytes);
}

static void order(void)
{
	fresh();
	offer(SB1_2, 0);
	offer(SB1_0, 0);
	ok(m.has_superblock && !m.error.code && m.sb.minor == SB1_2 && m.super_at.bytes == 4096,
	   "the first believed one is kept");
	ok(memcmp(m.raw, made[SB1_2][0].super_raw, sizeof m.raw) == 0, "with its bytes");

	fresh();
	offer(SB1_1, 20);
	is_u64(m.error.code, UMD_E_BAD_CHECKSUM, "a damaged one is refused");
	ok(m.has_superblock && m.sb.minor == SB1_1, "but can be looked at");
	offer(SB1_2, 0);
	ok(!m.error.code && m.sb.minor == SB1_2, "a good one behind it replaces it");

	fresh();
	offer(SB1_1, 20);
	offer(SB1_2, 144);
	ok(m.error.code == UMD_E_BAD_CHECKSUM && m.sb.minor == SB1_1, "a wrong checksum tells more than a wrong place");
	fresh();
	offer(SB1_1, 144);
	offer(SB1_2, 20);
	ok(m.error.code == UMD_E_BAD_CHECKSUM && m.sb.minor == SB1_2, "in any order");
	fresh();
	offer(SB1_1, 1);
	ok(!m.has_superblock, "without the magic there is nothing");
}

static void a_place_of_another_size_is_refused(void)
{
	fresh();
	asm_take_superblock(&m, SB1_0, (member_off){ MEMBER_BYTES - 4096 }, made[SB1_0][0].super_raw);
	ok(m.error.code == UMD_E_BAD_SUPERBLOCK && strstr(m.error.text, "was found at sector"),
	   "a member that has grown: %s", m.error.text);
}

static void bitmaps(void)
{
	uint8_t raw[FMT_BITMAP_SB_BYTES];
	member_off at;

	fresh();
	offer(SB1_0, 0);
	ok(asm_wants_bitmap(&m, &at) && at.bytes == made[SB1_0][0].bitmap_at.bytes,
	   "the bitmap superblock is asked for at its place");
	fmt_bitmap_sb_encode(&made[SB1_0][0].bitmap, raw);
	asm_take_bitmap(&m, raw);
	ok(m.has_bitmap && !m.bitmap_error.code && m.bitmap.chunk_bytes == 64 << 20, "and believed (%s)",
	   m.bitmap_error.text);
	is_u64(m.bitmap_at.bytes, at.bytes, "its place is kept");

	le_put(raw + 40, 8, 128);
	asm_take_bitmap(&m, raw);
	is_u64(m.bitmap.sync_size_sectors, made[SB1_0][0].sb.size_sectors,
	       "its range is the array's, a smaller one would not cover writes");
	le_put(raw + 40, 8, UINT64_MAX);
	asm_take_bitmap(&m, raw);
	ok(!m.bitmap_error.code && fmt_bitmap_bytes(&m.bitmap) == 257,
	   "a larger one would leave the bitmap's area (%s)", m.bitmap_error.text);

	raw[8] ^= 1;
	asm_take_bitmap(&m, raw);
	ok(m.has_bitmap && m.bitmap_error.code == UMD_E_BAD_BITMAP, "of another array: %s", m.bitmap_error.text);
	raw[8] ^= 1;
	le_put(raw + 52, 4, 1024);
	asm_take_bitmap(&m, raw);
	ok(m.has_bitmap && m.bitmap_error.code == UMD_E_BAD_BITMAP && strstr(m.bitmap_error.text, "touch"),
	   "a chunk so small that the bits run into something: %s", m.bitmap_error.text);

	fresh();
	offer(SB1_2, 20);
	ok(!asm_wants_bitmap(&m, &at), "a refused superblock's bitmap is not read");
}

static void bitmap_off_the_member(void)
{
	struct sb1 sb = made[SB1_2][0].sb;
	uint8_t raw[FMT_SB1_BYTES] = { 0 };
	member_off at;

	sb.bitmap_offset_sectors = INT32_MAX;
	fmt_sb1_encode(&sb, raw);
	fresh();
	asm_take_superblock(&m, SB1_2, (member_off){ 4096 }, raw);
	ok(!m.error.code && m.bitmap_error.code == UMD_E_BAD_BITMAP, "a place behind the member: %s",
	   m.bitmap_error.text);
	ok(!asm_wants_bitmap(&m, &at), "is not read");
	sb.bitmap_offset_sectors = -9;
	fmt_sb1_encode(&sb, raw);
	fresh();
	asm_take_superblock(&m, SB1_2, (member_off){ 4096 }, raw);
	ok(m.bitmap_error.code == UMD_E_BAD_BITMAP, "a place before the member: %s", m.bitmap_error.text);
}

int main(void)
{
	make_all();
	places();
	order();
	a_place_of_another_size_is_refused();
	bitmaps();
	bitmap_off_the_member();
	return tap_end();
}
