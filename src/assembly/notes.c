/* What is odd about a member, but no reason to refuse it: one sentence each, for whoever has to rescue something.
 *
 * Looking collects them (look.c), examine shows them, nobody decides by them. A note says what was found, with both
 * values where there are two, and what Linux makes of it where that differs. Where more meet than there is room for,
 * the last ones are lost: the order of the calls is the order of importance. Left out: what needs the bits themselves
 * (they are streamed by the hands), and what compares members (judge.c). */
#include "assembly/inside.h"

#include <inttypes.h>

#include "base/text.h"

enum { LAST_WITHOUT_BLOCK_SIZE = 18, VERSION_HOST_ENDIAN = 3, VERSION_CLUSTERED = 5 };

#define NOTE(m, ...)                                                                               \
	do {                                                                                       \
		if ((m)->note_count < ASM_NOTES_MAX)                                               \
			text_fit((m)->notes[(m)->note_count++], ASM_NOTE_BYTES, __VA_ARGS__);      \
	} while (0)

void asm_note_other_superblock(struct asm_member *m, const struct sb1 *other, member_off at, bool is_believable)
{
	static const char *const versions[] = { [SB1_0] = "1.0", [SB1_1] = "1.1", [SB1_2] = "1.2", [SB_090] = "0.90" };
	char uuid[36];

	if (!is_believable) {
		NOTE(m, "a superblock of version %s at byte %" PRIu64 " cannot be believed and is not used",
		     versions[other->minor], at.bytes);
		return;
	}
	fmt_uuid_text(other->set_uuid, uuid);
	NOTE(m, "another superblock, version %s of array %s, lies at byte %" PRIu64 ": the one at byte %" PRIu64
	     " is used", versions[other->minor], uuid, at.bytes, m->super_at.bytes);
}

void asm_note_superblock(struct asm_member *m)
{
	const struct sb1 *sb = &m->sb;

	if (sb->dev_number >= sb->max_dev)
		NOTE(m, "its device number %" PRIu32 " is not in its table of %" PRIu32 ": it counts as a spare",
		     sb->dev_number, sb->max_dev);
	else if (asm_own_role(sb) == FMT_ROLE_FAULTY)
		NOTE(m, "its own superblock calls it faulty");
	if (sb->logical_block_bytes)
		NOTE(m, "a logical block of %" PRIu32 " bytes is recorded: Linux up to 6.%d refuses such a superblock",
		     sb->logical_block_bytes, LAST_WITHOUT_BLOCK_SIZE);
}

static void note_events(struct asm_member *m)
{
	const struct bitmap_sb *b = &m->bitmap;

	if (fmt_bitmap_is_uninitialised(b) || m->sb.feature_map & FMT_SB1_CLUSTERED)
		return;
	if (b->events < m->sb.events)
		NOTE(m, "the bitmap is at event %" PRIu64 ", its superblock at event %" PRIu64
		     ": it is out of date, every chunk counts as set", b->events, m->sb.events);
	else if (b->events > m->sb.events + 1)
		NOTE(m, "the bitmap is at event %" PRIu64 ", ahead of its superblock at event %" PRIu64, b->events,
		     m->sb.events);
}

static void note_flags(struct asm_member *m)
{
	const struct bitmap_sb *b = &m->bitmap;

	if (fmt_bitmap_is_uninitialised(b))
		NOTE(m, "the lockless bitmap was never initialised: its chunk size and its states mean nothing yet");
	else if (b->state & FMT_BITMAP_STALE)
		NOTE(m, "the bitmap says of itself that it is stale: every chunk counts as set");
	if (b->state & FMT_BITMAP_WRITE_ERROR)
		NOTE(m, "the bitmap carries the write-error flag: %s; umd does not go by it",
		     fmt_bitmap_is_lockless(b) ? "Linux starts, but copies nothing by it" :
						 "Linux does not start such an array");
	if (!b->daemon_sleep_s && !fmt_bitmap_is_uninitialised(b))
		NOTE(m, "the bitmap's daemon_sleep is 0: Linux does not start such an array, umd takes 5 seconds");
}

static void note_version(struct asm_member *m)
{
	const struct bitmap_sb *b = &m->bitmap;

	if (b->version == VERSION_CLUSTERED && !b->nodes)
		NOTE(m, "the bitmap has the version of a clustered one (5) and no nodes: it is taken for a plain one");
	if (m->sb.feature_map & FMT_SB1_CLUSTERED && !asm_bitmap_is_clustered(b))
		NOTE(m, "the superblock says clustered, the bitmap has version %" PRIu32 " and %" PRIu32 " nodes",
		     b->version, b->nodes);
	if (b->version == VERSION_HOST_ENDIAN && m->sb.minor == SB_090 && m->sb0.is_big_endian)
		NOTE(m, "the bitmap has version 3 and was written by a big-endian host: its bits lie in that host's "
		     "words (32 or 64 bits), the chunks shown as set are not the ones that are");
}

void asm_note_bitmap(struct asm_member *m, uint64_t stored_sectors)
{
	const struct bitmap_sb *b = &m->bitmap;
	struct span log;

	if (lay_log_is_inside_bitmap(&m->sb, b, &log))
		NOTE(m, "the bad-block log at byte %" PRIu64 " lies inside the %s bitmap at byte %" PRIu64
		     ": neither is written, and the log is not believed", log.at.bytes,
		     fmt_bitmap_is_lockless(b) ? "lockless" : "clustered", m->bitmap_at.bytes);
	note_events(m);
	note_flags(m);
	note_version(m);
	if (stored_sectors != b->sync_size_sectors)
		NOTE(m, "the bitmap claims to cover %" PRIu64 " sectors, the array has %" PRIu64
		     ": what counts is the array's", stored_sectors, b->sync_size_sectors);
}
