/* Goal: superblocks written by Linux decode to the facts mdadm tells, and encode to the same bytes.
 * Method: four recorded superblocks, every field that is not zero compared, then encoded over garbage.
 * Law: I7 (bytes behind the valid part stay as they are).
 * Source: recorded on Linux 6.1 with mdadm 4.2; checksums read by mdadm -E. */
#include "vectors.h"

static uint8_t raw[FMT_SB1_BYTES];
static struct sb1 sb;

static void load(const struct vector_row *base, const struct vector_row *change, enum sb1_minor minor)
{
	vector_load(base, raw);
	for (; change && change->hex; change++)
		bytes_of_hex(change->hex, raw + change->at);
	fmt_sb1_decode(raw, minor, &sb);
}

static void goes_back(const char *name)
{
	uint8_t again[FMT_SB1_BYTES];

	memset(again, 0x5a, sizeof again);
	fmt_sb1_encode(&sb, again);
	ok(memcmp(raw, again, fmt_sb1_valid_bytes(&sb)) == 0, "%s: encodes to the same 512 bytes", name);
	is_u64(again[512], 0x5a, "%s: the byte behind the valid part is left alone", name);
}

static void is_believed(const char *name, uint64_t at)
{
	struct err err = { 0 };

	is_u64(fmt_sb1_check(&sb, raw, (member_off){ at }, VECTOR_MEMBER_BYTES, &err), 0, "%s: is believed (%s)", name,
	       err.text);
	is_u64(sb.csum, fmt_sb1_checksum(raw), "%s: the stored checksum is the computed one", name);
}

static void vector_a_is_1_0(void)
{
	char uuid[36];

	load(vector_a, NULL, SB1_0);
	fmt_uuid_text(sb.set_uuid, uuid);
	ok(strcmp(uuid, "00112233:44556677:8899aabb:ccddeeff") == 0, "A: array uuid %s", uuid);
	fmt_uuid_text(sb.device_uuid, uuid);
	ok(strcmp(uuid, "ec7ecae6:c7c12fea:c617b3ed:1ab81529") == 0, "A: device uuid %s", uuid);
	ok(strcmp(sb.set_name, "lab:v10") == 0, "A: name %s", sb.set_name);
	is_u64(sb.feature_map, FMT_SB1_BITMAP, "A: feature map");
	is_u64(sb.ctime, 1795218905, "A: ctime");
	is_u64(sb.utime, 1795218906, "A: utime");
	is_u64(sb.level, 1, "A: level");
	is_u64(sb.size_sectors, 32640, "A: size");
	is_u64(sb.raid_disks, 2, "A: raid_disks");
	ok(sb.bitmap_offset_sectors == -16, "A: bitmap offset is signed: %d", sb.bitmap_offset_sectors);
	is_u64(sb.data_offset_sectors, 0, "A: data offset");
	is_u64(sb.data_size_sectors, 32736, "A: data size");
	is_u64(sb.super_offset_sectors, 32752, "A: super offset");
	is_u64(sb.bblog_size_sectors, 8, "A: bad-block log size");
	ok(sb.bblog_offset_sectors == -8, "A: bad-block log offset is signed: %d", sb.bblog_offset_sectors);
	is_u64(sb.events, 17, "A: events");
	is_u64(sb.resync_offset_sectors, FMT_SB1_RESYNC_NONE, "A: clean");
	is_u64(sb.csum, 0x07af0b93, "A: checksum");
	is_u64(sb.max_dev, 128, "A: max_dev");
	ok(sb.dev_roles[0] == 0 && sb.dev_roles[1] == 1 && sb.dev_roles[2] == FMT_ROLE_SPARE &&
		   sb.dev_roles[1919] == FMT_ROLE_SPARE,
	   "A: roles 0 and 1, the rest spare");
	is_believed("A", 16769024);
	goes_back("A");
}

static void vector_b_is_1_1(void)
{
	load(vector_b, NULL, SB1_1);
	ok(strcmp(sb.set_name, "lab:v11") == 0, "B: name %s", sb.set_name);
	is_u64(sb.size_sectors, 30720, "B: size");
	is_u64(sb.bitmap_offset_sectors, 8, "B: bitmap offset");
	is_u64(sb.data_offset_sectors, 2048, "B: data offset");
	is_u64(sb.data_size_sectors, 30720, "B: data size");
	is_u64(sb.bblog_offset_sectors, 16, "B: bad-block log offset");
	is_u64(sb.events, 16, "B: events");
	is_u64(sb.csum, 0xf8bdbaac, "B: checksum");
	is_believed("B", 0);
	goes_back("B");
}

static void vectors_c_and_d_are_1_2(void)
{
	load(vector_c, NULL, SB1_2);
	is_u64(sb.feature_map, 0, "C: no features");
	is_u64(sb.super_offset_sectors, 8, "C: super offset");
	is_u64(sb.devflags, FMT_SB1_WRITE_MOSTLY, "C: write-mostly");
	is_u64(sb.csum, 0x928cc6ee, "C: checksum");
	is_believed("C", 4096);
	goes_back("C");

	load(vector_c, vector_d, SB1_2);
	is_u64(sb.dev_number, 1, "D: dev number");
	is_u64(sb.devflags, FMT_SB1_WRITE_MOSTLY | FMT_SB1_FAILFAST, "D: write-mostly and failfast");
	is_u64(sb.csum, 0x3bb21325, "D: checksum");
	is_believed("D", 4096);
	goes_back("D");
}

static void odd_max_dev_counts_its_last_half_word(void)
{
	uint32_t before;

	load(vector_c, NULL, SB1_2);
	sb.max_dev = 3;
	fmt_sb1_encode(&sb, raw);
	before = fmt_sb1_checksum(raw);
	raw[FMT_SB1_FIXED_BYTES + 4] ^= 1;		/* entry 2: the odd one */
	ok(fmt_sb1_checksum(raw) != before, "the last entry of an odd role table counts");
	raw[FMT_SB1_FIXED_BYTES + 4] ^= 1;
	raw[FMT_SB1_FIXED_BYTES + 6] ^= 1;		/* behind the table */
	is_u64(fmt_sb1_checksum(raw), before, "what follows the role table does not count");
}

static void logical_block_size_is_kept(void)
{
	struct err err = { 0 };

	load(vector_c, NULL, SB1_2);
	sb.logical_block_bytes = 512;
	fmt_sb1_encode(&sb, raw);
	is_u64(le_get(raw + 224, 4), 512, "a newer kernel's logical block size lies at byte 224");
	fmt_sb1_decode(raw, SB1_2, &sb);
	is_u64(sb.logical_block_bytes, 512, "and is kept");
	is_u64(fmt_sb1_check(&sb, raw, (member_off){ 4096 }, VECTOR_MEMBER_BYTES, &err), 0, "and is believed (%s)",
	       err.text);
}

int main(void)
{
	vector_a_is_1_0();
	vector_b_is_1_1();
	vectors_c_and_d_are_1_2();
	odd_max_dev_counts_its_last_half_word();
	logical_block_size_is_kept();
	return tap_end();
}
