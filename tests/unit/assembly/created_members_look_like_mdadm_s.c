/* Goal: the superblocks and bitmaps of a new mirror have the sizes, places and values mdadm gives them.
 * Method: mirrors of every measured size planned for 1.0, 1.1 and 1.2, with and without bitmap; their bytes decoded
 * again. Law: I7, I10 (a new array claims nothing). Source: mdadm 4.2 on Linux 6.1, read by mdadm -E and -X. */
#include "assembly/assembly.h"
#include "tap.h"

static struct asm_create c;
static struct asm_created made[ARR_MEMBERS_MAX];

static void start(enum sb1_minor minor, uint32_t count, uint64_t member_bytes)
{
	memset(&c, 0, sizeof c);
	memset(made, 0, sizeof made);
	c.minor = minor;
	c.has_bitmap = true;
	c.count = count;
	c.ctime_s = 1795218905;
	strcpy(c.name, "lab:v");
	memset(c.uuid, 0x11, sizeof c.uuid);
	for (uint32_t i = 0; i < count; i++) {
		c.members[i].path = "m";
		c.members[i].size_bytes = member_bytes;
		memset(c.members[i].device_uuid, 0xd0 + i, 16);
	}
}

static int plan(struct err *err)
{
	*err = (struct err){ 0 };
	return asm_create_plan(&c, made, err);
}

static const struct {
	uint64_t sectors, size_1_0, super_1_0, data_offset;
	int32_t bitmap_1_0, log_with, log_without;
} table[] = {
	{ 8192, 8064, 8176, 2048, -16, 16, 16 },
	{ 32768, 32640, 32752, 2048, -16, 16, 16 },
	{ 131072, 130944, 131056, 2048, -16, 16, 16 },
	{ 2097152, 2097024, 2097136, 4096, -16, 16, 16 },
	{ 18874368, 18874112, 18874352, 18432, -16, 16, 136 },
	{ 314572800, 314572544, 314572784, 264192, -16, 16, 136 },
	{ 629145600, 629145216, 629145584, 264192, -16, 16, 264 },
	{ 4294967296, 4294966912, 4294967280, 264192, -24, 24, 264 },
};

static uint64_t wanted_super(size_t i, enum sb1_minor minor)
{
	if (minor == SB1_0)
		return table[i].super_1_0 * 512;
	return minor == SB1_2 ? 4096 : 0;
}

static int32_t wanted_log(size_t i, enum sb1_minor minor, bool has_bitmap)
{
	if (minor == SB1_0)
		return -8;
	return has_bitmap ? table[i].log_with : table[i].log_without;
}

static int32_t wanted_bitmap(size_t i, enum sb1_minor minor, bool has_bitmap)
{
	if (!has_bitmap)
		return 0;
	return minor == SB1_0 ? table[i].bitmap_1_0 : 8;
}

static void row(size_t i, enum sb1_minor minor, bool has_bitmap)
{
	uint64_t offset = minor == SB1_0 ? 0 : table[i].data_offset;
	const struct sb1 *sb = &made[1].sb;
	struct err err;
	char what[40];

	snprintf(what, sizeof what, "row %zu 1.%d%s", i, minor, has_bitmap ? " bitmap" : "");
	start(minor, 2, table[i].sectors * 512);
	c.has_bitmap = has_bitmap;
	if (!ok(plan(&err) == 0, "%s: planned (%s)", what, err.text))
		return;
	is_u64(sb->size_sectors, minor == SB1_0 ? table[i].size_1_0 : table[i].sectors - offset, "%s: size", what);
	is_u64(sb->data_offset_sectors, offset, "%s: data offset", what);
	is_u64(made[1].super_at.bytes, wanted_super(i, minor), "%s: superblock", what);
	ok(sb->bblog_offset_sectors == wanted_log(i, minor, has_bitmap), "%s: log at %d", what,
	   sb->bblog_offset_sectors);
	ok(sb->bitmap_offset_sectors == wanted_bitmap(i, minor, has_bitmap), "%s: bitmap at %d", what,
	   sb->bitmap_offset_sectors);
	is_u64(sb->feature_map, has_bitmap ? FMT_SB1_BITMAP : 0, "%s: feature map", what);
	is_u64(made[1].has_bitmap, has_bitmap, "%s: a bitmap is written", what);
}

static void bits(enum sb1_minor minor, uint64_t sectors, uint64_t chunk, int32_t at, uint64_t wanted_bits, int32_t log,
		 const char *what)
{
	struct err err;

	start(minor, 2, sectors * 512);
	c.bitmap_chunk_bytes = chunk;
	if (!ok(plan(&err) == 0, "%s: planned (%s)", what, err.text))
		return;
	is_u64(fmt_bitmap_chunks(&made[0].bitmap), wanted_bits, "%s: bits", what);
	ok(made[0].sb.bitmap_offset_sectors == at, "%s: bitmap at %d", what, made[0].sb.bitmap_offset_sectors);
	ok(made[0].sb.bblog_offset_sectors == log, "%s: log at %d", what, made[0].sb.bblog_offset_sectors);
}

static void bitmaps(void)
{
	bits(SB1_0, 262144, 0, -16, 2, -8, "128 MiB, 1.0");
	is_u64(made[0].super_at.bytes, 262128 * 512, "128 MiB, 1.0: superblock");
	is_u64(made[0].bitmap.sync_size_sectors, 262016, "128 MiB, 1.0: sync size");
	bits(SB1_1, 262144, 0, 8, 2, 16, "128 MiB, 1.1");
	bits(SB1_2, 262144, 0, 8, 2, 16, "128 MiB, 1.2");
	is_u64(made[0].bitmap.sync_size_sectors, 260096, "128 MiB, 1.2: sync size");
	is_u64(made[0].bitmap.chunk_bytes, 64 << 20, "128 MiB: 64 MiB chunks");
	is_u64(made[0].bitmap_at.bytes, 8192, "128 MiB, 1.2: bitmap at byte 8192");
	bits(SB1_0, 20971520, 65536, -56, 163838, -8, "10 GiB, 64 KiB chunks, 1.0");
	bits(SB1_2, 20971520, 65536, 8, 163696, 56, "10 GiB, 64 KiB chunks, 1.2");
	is_u64(made[0].sb.data_offset_sectors, 18432, "10 GiB, 1.2: data offset");
	bits(SB1_0, 629145600, 0, -16, 4800, -8, "300 GiB, 1.0");
	bits(SB1_1, 629145600, 0, 8, 4798, 16, "300 GiB, 1.1");
}

static void refused_chunks(void)
{
	static const struct {
		uint64_t sectors, chunk;
	} refused[] = { { 262144, 4096 }, { 20971520, 4096 }, { 629145600, 65536 } };
	struct err err;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		for (enum sb1_minor minor = SB1_0; minor <= SB1_2; minor++) {
			start(minor, 2, refused[i].sectors * 512);
			c.bitmap_chunk_bytes = refused[i].chunk;
			ok(plan(&err) == UMD_E_BAD_OPTION && made[0].sb.magic == 0, "%llu sectors 1.%d: %s",
			   (unsigned long long)refused[i].sectors, minor, err.text);
		}
}

static void a_new_array_claims_nothing(void)
{
	struct sb1 sb;
	struct err err;

	start(SB1_2, 3, 128 << 20);
	ok(plan(&err) == 0, "three members planned (%s)", err.text);
	fmt_sb1_decode(made[2].super_raw, SB1_2, &sb);
	is_u64(fmt_sb1_check(&sb, made[2].super_raw, made[2].super_at, 128 << 20, NULL), 0,
	       "the bytes are a superblock that is believed");
	is_u64(sb.resync_offset_sectors, 0, "nothing is in sync");
	is_u64(made[2].bitmap_fill, 0xff, "every bit is set");
	is_u64(made[2].bitmap_bytes, 4096, "one block of bitmap");
	is_u64(sb.events, 0, "events start at 0");
	is_u64(sb.logical_block_bytes, 0, "no logical block size, so that every kernel opens it");
	is_u64(sb.dev_number, 2, "the third member is device 2");
	is_u64(sb.raid_disks, 3, "of three");
	is_u64(sb.max_dev, 128, "the role table has 128 entries");
	ok(sb.dev_roles[0] == 0 && sb.dev_roles[1] == 1 && sb.dev_roles[2] == 2 && sb.dev_roles[3] == FMT_ROLE_SPARE,
	   "roles 0 1 2");
	ok(strcmp(sb.set_name, "lab:v") == 0 && sb.ctime == 1795218905 && sb.utime == sb.ctime, "name and times");
	ok(sb.device_uuid[0] == 0xd2 && sb.set_uuid[0] == 0x11 && made[2].bitmap.uuid[0] == 0x11, "uuids");
	is_u64(made[2].bitmap.daemon_sleep_s, 5, "swept every 5 seconds");

	c.is_assume_clean = true;
	ok(plan(&err) == 0, "the same with equal members");
	is_u64(made[0].sb.resync_offset_sectors, FMT_SB1_RESYNC_NONE, "who vouches for the members gets a clean array");
	is_u64(made[0].bitmap_fill, 0, "and an empty map");
}

static void missing_members(void)
{
	struct err err;

	start(SB1_2, 3, 128 << 20);
	c.members[0].is_missing = true;
	c.members[0].path = NULL;
	ok(plan(&err) == 0, "the first member may be missing (%s)", err.text);
	is_u64(made[0].sb.magic, 0, "nothing is planned for it");
	ok(made[1].sb.dev_roles[0] == FMT_ROLE_SPARE && made[1].sb.dev_roles[1] == 1 && made[1].sb.dev_roles[2] == 2,
	   "its role is not given out");
	is_u64(made[1].sb.raid_disks, 3, "its slot is");
	c.members[1].is_missing = c.members[2].is_missing = true;
	ok(plan(&err) == UMD_E_NO_MEMBER, "all missing: %s", err.text);
	start(SB1_2, 1, 128 << 20);
	ok(plan(&err) == UMD_E_BAD_OPTION, "one member: %s", err.text);
}

static void unequal_members(void)
{
	struct err err;

	start(SB1_2, 2, 32768 * 512);
	c.members[1].size_bytes = UINT64_C(18874368) * 512;
	ok(plan(&err) == 0, "a small and a large member (%s)", err.text);
	is_u64(made[1].sb.size_sectors, 30720, "the smaller one gives the size");
	is_u64(made[1].sb.data_offset_sectors, 2048, "the first one the data offset");
	is_u64(made[1].sb.data_size_sectors, 18874368 - 2048, "the rest stays for growing");

	c.size_bytes = 10 << 20;
	ok(plan(&err) == 0 && made[0].sb.size_sectors == 20480, "a smaller size can be wanted");
	c.size_bytes = (10 << 20) + 65535;
	ok(plan(&err) == 0 && made[0].sb.size_sectors == 20480, "it is rounded down to 64 KiB");
	c.size_bytes = 16 << 20;
	ok(plan(&err) == UMD_E_MEMBER_TOO_SMALL && strstr(err.text, "15728640"), "a larger one is refused: %s",
	   err.text);
	c.size_bytes = 4096;
	ok(plan(&err) == UMD_E_BAD_OPTION, "less than 64 KiB too: %s", err.text);

	start(SB1_2, 2, 1 << 30);
	c.members[1].size_bytes = 1 << 20;
	c.members[1].path = "small.img";
	ok(plan(&err) == UMD_E_MEMBER_TOO_SMALL && strstr(err.text, "small.img"),
	   "the member that is too small is named: %s", err.text);
}

static void a_name_of_32_bytes_fits(void)
{
	struct err err;

	start(SB1_0, 2, 16 << 20);
	strcpy(c.name, "12345678901234567890123456789012");
	ok(plan(&err) == 0 && memcmp(made[0].super_raw + 32, c.name, 32) == 0, "all 32 bytes of a name are stored (%s)",
	   err.text);
}

int main(void)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (enum sb1_minor minor = SB1_0; minor <= SB1_2; minor++)
			for (int has_bitmap = 0; has_bitmap < 2; has_bitmap++)
				row(i, minor, has_bitmap);
	bitmaps();
	refused_chunks();
	a_new_array_claims_nothing();
	missing_members();
	unequal_members();
	a_name_of_32_bytes_fits();
	return tap_end();
}
