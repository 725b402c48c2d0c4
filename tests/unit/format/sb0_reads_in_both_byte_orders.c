/* Goal: a 0.90 superblock decodes to its facts whichever host wrote it, and its checksum is the one on disk.
 * Method: recorded superblocks as they are, and with every word as a big-endian host would have it; then one whose
 * every word has a number of its own.
 * Law: I9.
 * Source: Linux 6.1, mdadm 4.2: a crashed mirror, and one that lost a member. */
#include "sb0_vectors.h"

static uint8_t raw[FMT_SB0_BYTES];
static struct sb0 sb;
static bool big;
static const char *order;

static void crashed(void)
{
	sb0_load(sb0_crashed, big, raw);
	fmt_sb0_decode(raw, &sb);
	is_u64(sb.is_big_endian, big, "%s: the magic tells the byte order", order);
	is_u64(sb.csum, 0x8e131a63, "%s: stored checksum", order);
	is_u64(fmt_sb0_checksum(raw, big), 0x8e131a63, "%s: the sum of the words is the stored one", order);
	is_u64(sb.minor_version, 90, "%s: minor version", order);
	ok(sb.uuid[0] == 0x712be926 && sb.uuid[1] == 0xdcf17909 && sb.uuid[2] == 0xaf426dc0 && sb.uuid[3] == 0x1185f5b5,
	   "%s: the four words of the uuid", order);
	ok(sb.ctime == 1795219860 && sb.utime == 1795219865, "%s: times", order);
	ok(sb.level == 1 && sb.size_kib == 16320 && sb.nr_disks == 2 && sb.raid_disks == 2, "%s: geometry", order);
	ok(sb.state == FMT_SB0_BITMAP, "%s: a bitmap, and not clean", order);
	ok(sb.active_disks == 2 && sb.working_disks == 2 && !sb.failed_disks && !sb.spare_disks, "%s: counts", order);
	is_u64(sb.events, 20, "%s: events", order);
	ok(sb.this_disk.number == 1 && sb.this_disk.major == 98 && sb.this_disk.minor == 16 &&
	   sb.this_disk.raid_disk == 1 && sb.this_disk.state == (FMT_SB0_DISK_ACTIVE | FMT_SB0_DISK_SYNC),
	   "%s: this disk", order);
	ok(memcmp(&sb.this_disk, &sb.disks[1], sizeof sb.this_disk) == 0 && sb.disks[0].major == 98 &&
	   !sb.disks[0].number && !sb.disks[2].state, "%s: the descriptors", order);
	is_u64(fmt_sb0_check(&sb, raw, (member_off){ SB0_AT }, 16 << 20, NULL), 0, "%s: believed", order);
}

static void every_word(void)
{
	for (unsigned word = 0; word < SB0_WORDS; word++)
		word_put(raw, word, word ? 0x10000 + word : FMT_SB1_MAGIC, big);
	fmt_sb0_decode(raw, &sb);
	is_u64(sb.events, big ? 0x1002700010028 : 0x1002800010027, "%s: events have the host's order of words", order);
	is_u64(sb.checkpoint_events, big ? 0x100290001002a : 0x1002a00010029, "%s: checkpoint events", order);
	is_u64(sb.reshape_position_sectors, big ? 0x1002c0001002d : 0x1002d0001002c, "%s: reshape position", order);
	ok(sb.resync_checkpoint == 0x1002b && sb.new_level == 0x1002e && sb.delta_disks == 0x1002f &&
	   sb.new_layout == 0x10030 && sb.new_chunk_bytes == 0x10031, "%s: checkpoint and reshape", order);
	ok(sb.layout == 0x10040 && sb.chunk_bytes == 0x10041 && sb.md_minor == 0x1000b && sb.failed_disks == 0x10024 &&
	   sb.spare_disks == 0x10025 && sb.patch_version == 0x10003, "%s: layout, chunk and counts", order);
	ok(sb.disks[26].number == 0x10000 + 960 && sb.disks[26].state == 0x10000 + 964 &&
	   sb.this_disk.raid_disk == 0x10000 + 995, "%s: the last descriptor and this one", order);
}

static void neither(void)
{
	memset(raw, 0, sizeof raw);
	le_put(raw + 8, 4, 90);
	fmt_sb0_decode(raw, &sb);
	ok(!sb.is_big_endian && sb.minor_version == 90, "without a magic it is read as little-endian");
}

/* The 64-bit sum is folded once; a carry of that is lost, and its own word does not count. */
static void folding(void)
{
	memset(raw, 0, sizeof raw);
	for (unsigned word = 0; word < 4; word++)
		word_put(raw, word, UINT32_MAX, false);
	is_u64(fmt_sb0_checksum(raw, false), UINT32_MAX, "0x3fffffffc is 0x3 and 0xfffffffc");
	word_put(raw, 1000, 3, false);
	is_u64(fmt_sb0_checksum(raw, false), 2, "0x3ffffffff is 0x3 and 0xffffffff");
	word_put(raw, 38, 12345, false);
	is_u64(fmt_sb0_checksum(raw, false), 2, "the checksum's own word does not count");
}

int main(void)
{
	for (unsigned i = 0; i < 2; i++) {
		big = i;
		order = big ? "big-endian" : "little-endian";
		crashed();
		every_word();
	}
	neither();
	folding();
	return tap_end();
}
