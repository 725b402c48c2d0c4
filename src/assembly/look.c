/* Looking at one member: the hands read where this file points, and this file says what was found.
 *
 * A member may carry superblocks at three places, and old ones stay behind when a member is used again. They are
 * offered in the order 1.1, 1.2, 1.0; the first that is believed is kept. Where none is, the best of the wrong ones
 * stays with its reason, so that a person can be shown what is broken instead of "nothing there":
 *
 *   no magic < broken in some other way < checksum wrong < believed
 *
 * has_superblock means that fields are there to be looked at; only error.code == 0 means that they may be used. The
 * same holds for has_bitmap and bitmap_error (law I9: every state gets an answer). Comparing members with each other is
 * the judgement's business (judge.c). */
#include "assembly/assembly.h"

#include "base/le.h"

#include <inttypes.h>
#include <string.h>

enum {
	SB0_MAJOR_AT = 4, SB0_MINOR_AT = 8, SB0_MINOR = 90,	/* of the 0.90 superblock: words in its host's order */
	BITMAP_VERSION_CLUSTERED = 5, PATH_SHOWN_BYTES = 256,
};

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

void asm_take_superblock(struct asm_member *m, enum sb1_minor minor, member_off at, const uint8_t raw[FMT_SB1_BYTES])
{
	struct sb1 sb;
	struct err err = { 0 };

	fmt_sb1_decode(raw, minor, &sb);
	fmt_sb1_check(&sb, raw, at, m->size_bytes, &err);
	if (err.code == UMD_E_NO_SUPERBLOCK || (m->has_superblock && weight(err.code) <= weight(m->error.code)))
		return;

	m->has_superblock = true;
	m->super_at = at;
	m->sb = sb;
	memcpy(m->raw, raw, FMT_SB1_BYTES);
	m->error = m->bitmap_error = (struct err){ 0 };
	if (err.code)
		name_member(m, &err, &m->error);
	else
		check_bitmap_place(m);
}

static uint32_t word_at(const uint8_t *p, bool is_big)
{
	uint32_t v = le_get(p, 4);

	return is_big ? __builtin_bswap32(v) : v;
}

static bool is_090(const uint8_t *p, bool is_big)
{
	return word_at(p, is_big) == FMT_SB1_MAGIC && word_at(p + SB0_MAJOR_AT, is_big) == 0 &&
	       word_at(p + SB0_MINOR_AT, is_big) == SB0_MINOR;
}

void asm_take_superblock_090(struct asm_member *m, member_off at, const uint8_t raw[FMT_SB0_BYTES])
{
	struct err err;

	/* What was found at a 1.x place tells more than a leftover elsewhere. */
	if (m->has_superblock || (!is_090(raw, false) && !is_090(raw, true)))
		return;
	err_set(&err, UMD_E_NOT_SUPPORTED,
		"the superblock has version 0.90 (%s-endian), versions 1.0 to 1.2 can be used; "
		"the member is not used",
		is_090(raw, false) ? "little" : "big");
	name_member(m, &err, &m->error);
}

void asm_name_the_stranger(struct asm_member *m, const uint8_t *first_4k)
{
	struct err err;

	if (m->has_superblock || m->error.code)
		return;
	if (first_4k && le_get(first_4k, 4) == FMT_BITMAP_MAGIC)
		err_set(&err, UMD_E_NO_SUPERBLOCK,
			"this is a bitmap file of version %" PRIu32 ", not a member of an array",
			(uint32_t)le_get(first_4k + 4, 4));
	else
		err_set(&err, UMD_E_NO_SUPERBLOCK, "no md superblock was found at any of its places in %" PRIu64
			" bytes; the member is not used", m->size_bytes);
	name_member(m, &err, &m->error);
}

bool asm_wants_bitmap(const struct asm_member *m, member_off *ret_at)
{
	return m->has_superblock && !m->error.code && !m->bitmap_error.code && lay_bitmap(&m->sb, ret_at);
}

static int check_bitmap(struct asm_member *m, struct err *err)
{
	struct bitmap_sb *b = &m->bitmap;
	int rc = fmt_bitmap_sb_check(b, m->sb.set_uuid, err);

	if (rc < 0)
		return rc;
	if (fmt_bitmap_is_lockless(b))
		return err_set(err, UMD_E_NOT_SUPPORTED,
			       "the bitmap is not used: version 6 is lockless, versions 3 to 5 can be used; the array "
			       "does not start with it");
	/* The stored range is a hint. A smaller one would leave writes uncovered (I3), a larger one lead out of the
	 * bitmap's area (I7): what counts is the array's own, as it is for Linux. */
	if (lay_sync_sectors(&m->sb) != UINT64_MAX)
		b->sync_size_sectors = lay_sync_sectors(&m->sb);
	return lay_bitmap_fits(&m->sb, b, b->version == BITMAP_VERSION_CLUSTERED ? b->nodes : 1, m->size_bytes, err);
}

void asm_take_bitmap(struct asm_member *m, const uint8_t raw[FMT_BITMAP_SB_BYTES])
{
	struct err err;

	m->has_bitmap = lay_bitmap(&m->sb, &m->bitmap_at);
	fmt_bitmap_sb_decode(raw, &m->bitmap);
	m->bitmap_error = (struct err){ 0 };
	if (check_bitmap(m, &err) < 0)
		name_member(m, &err, &m->bitmap_error);
}
