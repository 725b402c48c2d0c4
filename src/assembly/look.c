/* Looking at one member: the hands read where this file points, and this file says what was found.
 *
 * A member may carry superblocks at four places, and old ones stay behind when a member is used again. They are
 * offered in the order 1.1, 1.2, 1.0, 0.90; the first that is believed is kept, another one beside it is a note. Where
 * none is, the best of the wrong ones stays with its reason, so that a person can be shown what is broken instead of
 * "nothing there":
 *
 *   no magic < broken in some other way < checksum wrong < believed
 *
 * A 0.90 superblock is kept as it is (sb0) and in version 1's terms (sb), so that nobody else needs to know it.
 *
 * has_superblock means that fields are there to be looked at; only error.code == 0 means that they may be used. The
 * same holds for has_bitmap and bitmap_error (law I9: every state gets an answer). A file with a bitmap is something of
 * its own (ASM_BITMAP_FILE): it has no error, and no superblock either. Left out: what is odd but harmless (notes.c),
 * what umd starts (supported.c), members compared with each other (judge.c). */
#include "assembly/inside.h"

#include "base/le.h"

#include <inttypes.h>
#include <string.h>

enum { PATH_SHOWN_BYTES = 256 };

uint32_t asm_super_places(uint64_t member_bytes, member_off ret_places[3], enum sb1_minor ret_minors[3])
{
	static const enum sb1_minor order[] = { SB1_1, SB1_2, SB1_0 };
	uint32_t count = 0;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		if (!lay_super(order[i], member_bytes, &ret_places[count]))
			continue;
		if (ret_places[count].bytes + FMT_SB1_BYTES > member_bytes)
			continue;
		ret_minors[count++] = order[i];
	}
	return count;
}

uint32_t asm_places_to_erase(uint64_t member_bytes, member_off ret_places[4])
{
	member_off places[3];
	enum sb1_minor minors[3];
	uint32_t believed = asm_super_places(member_bytes, places, minors), count = 0;

	if (lay_super_090(member_bytes, &ret_places[count]))
		count++;
	while (believed)
		ret_places[count++] = places[--believed];
	return count;
}

/* How much a refusal tells about what is there. */
static int weight(int code)
{
	switch (code) {
	case 0:
		return 3;
	case UMD_E_BAD_CHECKSUM:
		return 2;
	case UMD_E_BAD_SUPERBLOCK:
		return 1;
	default:
		return 0;
	}
}

/* A sentence gets the member's name in front; a very long one must not push the reason out. */
static int name_member(const struct asm_member *m, const struct err *from, struct err *to)
{
	return err_set(to, from->code, "%.*s: %s", PATH_SHOWN_BYTES, m->path, from->text);
}

/* A place that leads nowhere is known before anything is read there. */
static void check_bitmap_place(struct asm_member *m)
{
	struct err err;
	member_off at;

	if (!(m->sb.feature_map & FMT_SB1_BITMAP) || !m->sb.bitmap_offset_sectors)
		return;
	if (lay_bitmap(&m->sb, &at) && at.bytes + FMT_BITMAP_SB_BYTES <= m->size_bytes)
		return;
	err_set(&err, UMD_E_BAD_BITMAP,
		"the bitmap is refused: %+" PRId32 " sectors from the superblock at byte %" PRIu64
		" is not on the member of %" PRIu64 " bytes; the array does not start with it",
		m->sb.bitmap_offset_sectors, m->super_at.bytes, m->size_bytes);
	name_member(m, &err, &m->bitmap_error);
}

/* Is what was found now worth more than what is kept? What loses against a believed one is told. */
static bool is_better(struct asm_member *m, const struct sb1 *sb, member_off at, const struct err *err)
{
	bool is_first = !m->has_superblock;

	if (!is_first && weight(err->code) <= weight(m->error.code)) {
		if (!m->error.code)
			asm_note_other_superblock(m, sb, at, err->code == 0);
		return false;
	}
	m->note_count = 0;
	if (!is_first && !err->code)
		asm_note_other_superblock(m, &m->sb, m->super_at, false);
	return true;
}

/* @raw is as long for every version. */
static void keep(struct asm_member *m, const struct sb1 *sb, member_off at, const uint8_t *raw, const struct err *err)
{
	m->kind = ASM_MEMBER;
	m->has_superblock = true;
	m->super_at = at;
	m->sb = *sb;
	memcpy(m->raw, raw, sizeof m->raw);
	m->error = m->bitmap_error = (struct err){ 0 };
	if (err->code) {
		name_member(m, err, &m->error);
		return;
	}
	check_bitmap_place(m);
	asm_note_superblock(m);
}

void asm_take_superblock(struct asm_member *m, enum sb1_minor minor, member_off at, const uint8_t raw[FMT_SB1_BYTES])
{
	struct sb1 sb;
	struct err err = { 0 };

	fmt_sb1_decode(raw, minor, &sb);
	fmt_sb1_check(&sb, raw, at, m->size_bytes, &err);
	if (err.code != UMD_E_NO_SUPERBLOCK && is_better(m, &sb, at, &err))
		keep(m, &sb, at, raw, &err);
}

void asm_take_superblock_090(struct asm_member *m, member_off at, const uint8_t raw[FMT_SB0_BYTES])
{
	struct sb0 sb0;
	struct sb1 sb;
	struct err err = { 0 };

	fmt_sb0_decode(raw, &sb0);
	fmt_sb0_check(&sb0, raw, at, m->size_bytes, &err);
	if (err.code == UMD_E_NO_SUPERBLOCK)
		return;
	fmt_sb0_as_sb1(&sb0, at, &sb);
	/* What is broken at a 1.x place tells more than what is broken here. */
	if ((err.code && m->error.code) || !is_better(m, &sb, at, &err))
		return;
	m->sb0 = sb0;
	keep(m, &sb, at, raw, &err);
}

/* ---- what has no superblock ---- */

#define ARRAY_MAX_SECTORS (UINT64_C(1) << 54)	/* 8 EiB: whole chunks of any size still count in 64 bits */

static int check_bitmap_file(const struct asm_member *m, struct err *err)
{
	uint64_t needed;
	int rc = fmt_bitmap_sb_check(&m->bitmap, NULL, err);

	if (rc < 0)
		return rc;
	/* Nothing else limits what the bits of a file cover; bytes of it are counted later. */
	if (m->bitmap.sync_size_sectors > ARRAY_MAX_SECTORS)
		return err_set(err, UMD_E_BAD_BITMAP,
			       "the bitmap file covers %" PRIu64 " sectors, and no array has more than %" PRIu64
			       "; an array does not start with it",
			       m->bitmap.sync_size_sectors, ARRAY_MAX_SECTORS);
	needed = fmt_bitmap_bytes(&m->bitmap);
	if (needed <= m->size_bytes)
		return 0;
	return err_set(err, UMD_E_BAD_BITMAP,
		       "the bitmap file has %" PRIu64 " bytes, and its %" PRIu64 " chunks need %" PRIu64
		       "; an array does not start with it",
		       m->size_bytes, fmt_bitmap_chunks(&m->bitmap), needed);
}

void asm_name_the_stranger(struct asm_member *m, const uint8_t *first_4k)
{
	struct err err;

	if (m->has_superblock || m->error.code)
		return;
	if (first_4k && le_get(first_4k, 4) == FMT_BITMAP_MAGIC) {
		m->kind = ASM_BITMAP_FILE;
		m->has_bitmap = true;
		m->bitmap_at = (member_off){ 0 };
		fmt_bitmap_sb_decode(first_4k, &m->bitmap);
		if (check_bitmap_file(m, &err) < 0)
			name_member(m, &err, &m->bitmap_error);
		return;
	}
	err_set(&err, UMD_E_NO_SUPERBLOCK,
		"no md superblock was found at any of its places in %" PRIu64 " bytes; the member is not used",
		m->size_bytes);
	name_member(m, &err, &m->error);
}

int asm_why_no_member(const struct asm_member *m, struct err *err)
{
	if (m->error.code)
		return err_set(err, m->error.code, "%s", m->error.text);
	if (m->has_superblock)
		return 0;
	return err_set(err, UMD_E_NO_SUPERBLOCK,
		       "%.*s: this is a bitmap file of version %" PRIu32 ", not a member of an array", PATH_SHOWN_BYTES,
		       m->path, m->bitmap.version);
}

/* ---- the bitmap ---- */

bool asm_bitmap_is_clustered(const struct bitmap_sb *b)
{
	return fmt_bitmap_is_clustered(b);
}

uint32_t asm_slots_of(const struct bitmap_sb *b)
{
	return asm_bitmap_is_clustered(b) ? b->nodes : 1;
}

bool asm_wants_bitmap(const struct asm_member *m, member_off *ret_at)
{
	return m->has_superblock && !m->error.code && !m->bitmap_error.code && lay_bitmap(&m->sb, ret_at);
}

void asm_bitmap_uuid(const struct asm_member *m, uint8_t ret_uuid[16])
{
	if (m->kind == ASM_BITMAP_FILE)
		memcpy(ret_uuid, m->bitmap.uuid, 16);
	else if (m->sb.minor == SB_090)
		fmt_sb0_bitmap_uuid(&m->sb0, ret_uuid);
	else
		memcpy(ret_uuid, m->sb.set_uuid, 16);
}

static int check_bitmap(struct asm_member *m, struct err *err)
{
	struct bitmap_sb *b = &m->bitmap;
	uint64_t stored_sectors = b->sync_size_sectors;
	uint8_t uuid[16];
	int rc;

	/* The stored range is a hint. A smaller one would leave writes uncovered (I3), a larger one lead out of the
	 * bitmap's area (I7): what counts is the array's own, as it is for Linux. */
	if (lay_sync_sectors(&m->sb) != UINT64_MAX)
		b->sync_size_sectors = lay_sync_sectors(&m->sb);
	asm_bitmap_uuid(m, uuid);
	rc = fmt_bitmap_sb_check(b, uuid, err);
	if (rc < 0) {
		b->sync_size_sectors = stored_sectors;	/* shown as it is */
		return rc;
	}
	return lay_bitmap_fits(&m->sb, b, asm_slots_of(b), m->size_bytes, err);
}

void asm_take_bitmap(struct asm_member *m, const uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	uint64_t stored_sectors;
	struct err err;

	m->has_bitmap = lay_bitmap(&m->sb, &m->bitmap_at);
	fmt_bitmap_sb_decode(raw, &m->bitmap);
	m->bitmap_error = (struct err){ 0 };
	stored_sectors = m->bitmap.sync_size_sectors;
	if (check_bitmap(m, &err) < 0)
		name_member(m, &err, &m->bitmap_error);
	else
		asm_note_bitmap(m, stored_sectors);
}
