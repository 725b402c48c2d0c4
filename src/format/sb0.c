/* The 0.90 superblock: bytes to fields in either byte order, its checksum, and its facts in version 1's terms.
 *
 *   word 0            128                            992          1024
 *   | array, counters | 27 descriptors of 32 words   | this disk  |        all words in the host's byte order
 *
 * The words are the tables sb0.def and sb0_disk.def; the structs made from them prove that they tile the 4096 bytes.
 * Nothing says which host wrote it: the byte order in which the magic is right is the one.
 *
 * A member's part is kept in the array's descriptors, by number; the copy of its own one only tells the number. There
 * is no feature bit for a rebuild: who is being rebuilt is a spare until it is done.
 *
 *   descriptor's flags       role in version 1's terms
 *   faulty or removed        faulty (an empty slot looks like this, too)
 *   in sync, slot in range   the slot
 *   anything else            spare, or no device at all
 *
 * Left out: whether it may be believed (sb0_check.c), and writing: umd never changes such a superblock. */
#include "format/sb0.h"

#include "base/law.h"

#include <string.h>

enum { WORD_BYTES = 4, DISK_WORDS = 32, CSUM_WORD = 38, MINOR_RESHAPE = 91 };

struct sb0_on_disk {
#define F(kind, word, words, field, meaning) uint8_t word_##word[WORD_BYTES * (words)];
#include "format/sb0.def"
#undef F
};
_Static_assert(sizeof(struct sb0_on_disk) == FMT_SB0_BYTES, "the fields do not fill the superblock");
#define F(kind, word, words, field, meaning) \
	_Static_assert(offsetof(struct sb0_on_disk, word_##word) == WORD_BYTES * (word), #field " is elsewhere");
#include "format/sb0.def"
#undef F

struct sb0_disk_on_disk {
#define F(kind, word, words, field, meaning) uint8_t word_##word[WORD_BYTES * (words)];
#include "format/sb0_disk.def"
#undef F
};
_Static_assert(sizeof(struct sb0_disk_on_disk) == WORD_BYTES * DISK_WORDS, "the fields do not fill a descriptor");
_Static_assert(sizeof(((struct sb0_on_disk *)0)->word_128) == FMT_SB0_DISKS_MAX * sizeof(struct sb0_disk_on_disk),
	       "the descriptors do not fill their place");

static uint32_t word_at(const uint8_t *raw, unsigned word, bool is_big_endian)
{
	const uint8_t *p = raw + WORD_BYTES * word;

	if (is_big_endian)
		return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint64_t two_words_at(const uint8_t *raw, unsigned word, bool is_big_endian)
{
	uint64_t first = word_at(raw, word, is_big_endian), second = word_at(raw, word + 1, is_big_endian);

	return is_big_endian ? first << 32 | second : second << 32 | first;
}

#define READ_u(to, raw, word, big) (to) = word_at(raw, word, big);
#define READ_s(to, raw, word, big) (to) = (int32_t)word_at(raw, word, big);
#define READ_l(to, raw, word, big) (to) = two_words_at(raw, word, big);
#define READ_d(to, raw, word, big)
#define READ_p(to, raw, word, big)

static struct sb0_disk disk_at(const uint8_t *raw, bool is_big_endian)
{
	struct sb0_disk d;

#define F(kind, word, words, field, meaning) READ_##kind(d.field, raw, word, is_big_endian)
#include "format/sb0_disk.def"
#undef F
	return d;
}

void fmt_sb0_decode(const uint8_t raw[FMT_SB0_BYTES], struct sb0 *ret_sb)
{
	bool big = word_at(raw, 0, true) == FMT_SB1_MAGIC;
	struct sb0 *sb = ret_sb;

	memset(sb, 0, sizeof *sb);
	sb->is_big_endian = big;
#define F(kind, word, words, field, meaning) READ_##kind(sb->field, raw, word, big)
#include "format/sb0.def"
#undef F
	for (unsigned i = 0; i < FMT_SB0_DISKS_MAX; i++)
		sb->disks[i] = disk_at(raw + offsetof(struct sb0_on_disk, word_128) + i * WORD_BYTES * DISK_WORDS, big);
	sb->this_disk = disk_at(raw + offsetof(struct sb0_on_disk, word_992), big);
}

uint32_t fmt_sb0_checksum(const uint8_t raw[FMT_SB0_BYTES], bool is_big_endian)
{
	uint64_t sum = 0;

	for (unsigned word = 0; word < FMT_SB0_BYTES / WORD_BYTES; word++)
		if (word != CSUM_WORD)
			sum += word_at(raw, word, is_big_endian);
	/* One fold only: the carry of this addition is lost. */
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

/* ---- in version 1's terms ---- */

static uint16_t role_of(const struct sb0 *sb, const struct sb0_disk *d)
{
	if (d->state & (FMT_SB0_DISK_FAULTY | FMT_SB0_DISK_REMOVED))
		return FMT_ROLE_FAULTY;
	if ((d->state & FMT_SB0_DISK_SYNC) && d->raid_disk < sb->raid_disks && d->raid_disk < FMT_SB0_DISKS_MAX)
		return d->raid_disk;
	return FMT_ROLE_SPARE;
}

static void show_roles(const struct sb0 *sb, struct sb1 *out)
{
	out->max_dev = FMT_SB0_DISKS_MAX;
	out->dev_number = sb->this_disk.number;
	for (unsigned i = 0; i < FMT_SB1_MAX_DEV; i++)
		out->dev_roles[i] = i < FMT_SB0_DISKS_MAX ? role_of(sb, &sb->disks[i]) : FMT_ROLE_SPARE;
	if (out->dev_number < FMT_SB0_DISKS_MAX && (sb->disks[out->dev_number].state & FMT_SB0_DISK_WRITE_MOSTLY))
		out->devflags = FMT_SB1_WRITE_MOSTLY;
}

static void show_reshape(const struct sb0 *sb, struct sb1 *out)
{
	if (sb->minor_version < MINOR_RESHAPE)
		return;
	out->feature_map |= FMT_SB1_RESHAPE;
	out->reshape_position_sectors = sb->reshape_position_sectors;
	out->new_level = sb->new_level;
	out->delta_disks = sb->delta_disks;
	out->new_layout = sb->new_layout;
	out->new_chunk_sectors = sb->new_chunk_bytes / SECTOR_BYTES;
}

/* A checkpoint older than the superblock is from another stop and says nothing. */
static uint64_t resync_offset(const struct sb0 *sb)
{
	if (sb->state & FMT_SB0_CLEAN)
		return FMT_SB1_RESYNC_NONE;
	return sb->checkpoint_events == sb->events ? sb->resync_checkpoint : 0;
}

static void words_to_bytes(const uint32_t words[4], bool is_big_endian, uint8_t ret[16])
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned byte = i % WORD_BYTES;

		ret[i] = words[i / WORD_BYTES] >> 8 * (is_big_endian ? WORD_BYTES - 1 - byte : byte);
	}
}

void fmt_sb0_as_sb1(const struct sb0 *sb, member_off at, struct sb1 *ret_sb)
{
	struct sb1 *out = ret_sb;

	memset(out, 0, sizeof *out);
	out->minor = SB_090;
	out->magic = sb->magic;
	out->major_version = sb->major_version;
	words_to_bytes(sb->uuid, true, out->set_uuid);
	out->ctime = sb->ctime;
	out->utime = sb->utime;
	out->level = sb->level;
	out->layout = sb->layout;
	out->size_sectors = (uint64_t)sb->size_kib * 2;
	out->chunk_sectors = sb->chunk_bytes / SECTOR_BYTES;
	out->raid_disks = sb->raid_disks;
	out->super_offset_sectors = at.bytes / SECTOR_BYTES;
	out->data_size_sectors = out->super_offset_sectors;
	out->events = sb->events;
	out->resync_offset_sectors = resync_offset(sb);
	out->csum = sb->csum;
	if (sb->state & FMT_SB0_BITMAP) {
		out->feature_map |= FMT_SB1_BITMAP;
		out->bitmap_offset_sectors = FMT_SB0_BITMAP_SECTORS;
	}
	show_reshape(sb, out);
	show_roles(sb, out);
}

void fmt_sb0_bitmap_uuid(const struct sb0 *sb, uint8_t ret_uuid[16])
{
	words_to_bytes(sb->uuid, sb->is_big_endian, ret_uuid);
}
