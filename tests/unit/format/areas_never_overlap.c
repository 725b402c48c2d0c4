/* Goal: on a new member of any size no two areas share a byte and all lie on the member; a bitmap that does is refused.
 * Method: 20000 random geometries planned, their areas compared in pairs; then a bitmap moved over every other area.
 * Law: I7.
 * Source: design, laws. Failure prints the seed's round. */
#include "vectors.h"

#include "base/prng.h"

enum { ROUNDS = 20000 };

static struct sb1 superblock(enum sb1_minor minor, const struct lay_plan *p, uint64_t size_sectors)
{
	return (struct sb1){
		.minor = minor,
		.level = 1,
		.max_dev = 128,
		.feature_map = p->bitmap_offset_sectors ? FMT_SB1_BITMAP : 0,
		.size_sectors = size_sectors,
		.data_offset_sectors = p->data_offset_sectors,
		.data_size_sectors = p->data_size_sectors,
		.super_offset_sectors = p->super_offset_sectors,
		.bitmap_offset_sectors = p->bitmap_offset_sectors,
		.bblog_size_sectors = 8,
		.bblog_offset_sectors = p->bblog_offset_sectors,
	};
}

/* Superblock area, log, data and bitmap in whole blocks; false: two touch, or one leaves the member. */
static bool is_apart(const struct sb1 *sb, uint32_t chunk, uint64_t member_bytes)
{
	struct span areas[4] = { { { sb->super_offset_sectors * 512 }, FMT_SB1_BYTES }, lay_data(sb) };
	unsigned count = 3;
	member_off bitmap;

	if (!lay_bad_blocks(sb, &areas[2]))
		return false;
	if (lay_bitmap(sb, &bitmap))
		areas[count++] = (struct span){ bitmap, lay_slot_bytes(sb->size_sectors, chunk) };
	for (unsigned i = 0; i < count; i++) {
		if (areas[i].at.bytes + areas[i].len_bytes > member_bytes)
			return false;
		for (unsigned k = 0; k < i; k++)
			if (ranges_overlap(areas[i].at.bytes, areas[i].len_bytes, areas[k].at.bytes,
					   areas[k].len_bytes))
				return false;
	}
	return true;
}

/* One member with the largest array it can hold; false: the areas touch. */
static bool round_holds(struct prng *r, unsigned *ret_planned)
{
	enum sb1_minor minor = prng_below(r, 3);
	uint64_t member_bytes = prng_next(r) >> (8 + prng_below(r, 46));
	uint64_t wanted = prng_below(r, 2) ? 0 : UINT64_C(4096) << prng_below(r, 16);
	bool has_bitmap = prng_below(r, 4) != 0;
	uint32_t chunk = 0;
	struct lay_plan p;
	uint64_t size;
	struct sb1 sb;
	struct bitmap_sb bm = { 0 };

	if (lay_plan_create(minor, member_bytes, 0, 0, 0, &p, NULL) < 0)
		return true;
	size = round_down(p.usable_sectors, LAY_SIZE_UNIT_SECTORS);
	if (has_bitmap && lay_choose_chunk(size, p.bitmap_room_sectors, wanted, &chunk, NULL) < 0)
		return true;
	if (lay_plan_create(minor, member_bytes, p.data_offset_sectors, chunk, size, &p, NULL) < 0)
		return false;
	(*ret_planned)++;
	sb = superblock(minor, &p, size);
	bm.chunk_bytes = chunk;
	bm.sync_size_sectors = size;
	return is_apart(&sb, chunk, member_bytes) && (!chunk || lay_bitmap_fits(&sb, &bm, 1, member_bytes, NULL) == 0);
}

static void random_geometries(void)
{
	struct prng r = prng_seed(4711);
	unsigned planned = 0, bad = 0;

	for (unsigned round = 0; round < ROUNDS; round++)
		if (!round_holds(&r, &planned)) {
			bad++;
			printf("# round %u: areas touch\n", round);
		}
	is_u64(bad, 0, "of %d random members none has areas that touch", ROUNDS);
	ok(planned > ROUNDS / 3, "most of them could be planned: %u", planned);
}

static void moved_bitmap(void)
{
	struct lay_plan p = { 0 };
	struct bitmap_sb bm = { .chunk_bytes = 65536 };
	struct err err = { 0 };
	struct sb1 sb;
	static const struct { int32_t at; const char *touches;
	} moves[] = {
		{ 8, NULL },
		{ 0x7fffffff, "does not lie on the member" },
		{ -9, "does not lie on the member" },
		{ 16, "bad-block log" },
		{ 2039, NULL },
		{ 2040, "data area" },
		{ 3000, "data area" },
		{ 1, NULL },
		{ -8, NULL },
		{ 24, NULL },
	};

	lay_plan_create(SB1_2, 32768 * 512, 0, 65536, 30720, &p, NULL);
	sb = superblock(SB1_2, &p, 30720);
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
		int rc;

		sb.bitmap_offset_sectors = moves[i].at;
		err.text[0] = '\0';
		rc = lay_bitmap_fits(&sb, &bm, 1, 32768 * 512, &err);
		if (moves[i].touches)
			ok(rc == UMD_E_BAD_BITMAP && strstr(err.text, moves[i].touches), "%+d: %s", moves[i].at,
			   err.text);
		else
			ok(rc == 0, "%+d is free (%s)", moves[i].at, err.text);
	}
}

static void slots_count(void)
{
	struct lay_plan p = { 0 };
	struct bitmap_sb bm = { .chunk_bytes = 65536 };
	struct sb1 sb;

	lay_plan_create(SB1_2, 32768 * 512, 0, 0, 0, &p, NULL);
	p.bitmap_offset_sectors = 31;
	sb = superblock(SB1_2, &p, 30720);
	is_u64(lay_bitmap_fits(&sb, &bm, 252, 32768 * 512, NULL), 0,
	       "252 slots fit between log and data: the last one needs one sector");
	sb.bitmap_offset_sectors = 32;
	is_u64(lay_bitmap_fits(&sb, &bm, 252, 32768 * 512, NULL), UMD_E_BAD_BITMAP, "one sector further they do not");
	is_u64(lay_bitmap_fits(&sb, &bm, UINT32_MAX, 32768 * 512, NULL), UMD_E_BAD_BITMAP,
	       "4 billion slots do not wrap");
}

/* mdadm 4.2 gives a member that is added to a cluster a log of 8 sectors at +16: there lies slot 1. */
static void log_in_a_slot(void)
{
	struct bitmap_sb bm = { .magic = FMT_BITMAP_MAGIC, .version = 5, .nodes = 4, .chunk_bytes = 65536 };
	struct lay_plan p = { 0 };
	struct span log = { { 0 }, 0 };
	struct sb1 sb;

	lay_plan_create(SB1_2, 32768 * 512, 0, 0, 0, &p, NULL);
	p.bitmap_offset_sectors = 8;
	sb = superblock(SB1_2, &p, 30720);
	sb.bblog_offset_sectors = 16;
	sb.bblog_size_sectors = 8;
	is_u64(lay_bitmap_fits(&sb, &bm, 4, 32768 * 512, NULL), 0,
	       "a log in slot 1 of a cluster: the slots are believed");
	ok(lay_log_is_inside_bitmap(&sb, &bm, &log), "and the log is told to be inside");
	is_u64(log.at.bytes, 4096 + 16 * 512, "its place is told");
	sb.bblog_offset_sectors = 8 + 4 * 8;
	ok(!lay_log_is_inside_bitmap(&sb, &bm, &log), "behind the last slot it is outside");
	bm.nodes = 0;
	sb.bblog_offset_sectors = 8;
	is_u64(lay_bitmap_fits(&sb, &bm, 1, 32768 * 512, NULL), UMD_E_BAD_BITMAP, "a plain bitmap is refused for it");
	ok(!lay_log_is_inside_bitmap(&sb, &bm, &log), "which is not this case");
}

static void kernel_s_own_place(void)
{
	struct lay_plan p = { 0 };
	struct bitmap_sb bm = { .chunk_bytes = 1 << 20 };
	struct sb1 sb;

	lay_plan_create(SB1_2, 32768 * 512, 0, 0, 0, &p, NULL);
	p.bitmap_offset_sectors = 2;
	sb = superblock(SB1_2, &p, 30720);
	is_u64(lay_bitmap_fits(&sb, &bm, 1, 32768 * 512, NULL), 0,
	       "a bitmap 1 KiB behind the superblock (Linux's own choice) is used");
	sb.max_dev = 1920;
	is_u64(lay_bitmap_fits(&sb, &bm, 1, 32768 * 512, NULL), UMD_E_BAD_BITMAP,
	       "but not when the role table reaches there");
}

int main(void)
{
	random_geometries();
	moved_bitmap();
	slots_count();
	log_in_a_slot();
	kernel_s_own_place();
	return tap_end();
}
