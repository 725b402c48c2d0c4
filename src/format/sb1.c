/* The version-1 superblock: bytes to fields and back, its checksum.
 *
 *   0        256                256 + 2 * max_dev       4096
 *   | fixed   | dev_roles[]      | undefined             |
 *   '----- covered by csum -----'
 *
 * The fixed part is the table sb1.def; the struct of byte arrays made from it proves that the fields tile the 256 bytes
 * without gap or overlap. What may be believed is decided in sb1_check.c; nothing here fails, whatever the bytes are
 * (law I9: every on-disk state gets an answer).
 *
 * Left out: version 0.90 (recognised by assembly, never used) and the meaning of reshape, journal and PPL fields, which
 * are only kept and shown. */
#include "format/sb1.h"

#include "base/law.h"
#include "format/field.h"

struct sb1_on_disk {
#define F(kind, field, offset, bytes, meaning) uint8_t field[bytes];
#include "format/sb1.def"
#undef F
};
_Static_assert(sizeof(struct sb1_on_disk) == FMT_SB1_FIXED_BYTES, "the fields do not fill the fixed part");
#define F(kind, field, offset, bytes, meaning) \
	_Static_assert(offsetof(struct sb1_on_disk, field) == (offset), #field " is not where the table says"); \
	FIELD_ASSERT_##kind(struct sb1, field, bytes)
#include "format/sb1.def"
#undef F

enum { CSUM_AT = 216, ROLE_BYTES = 2 };
_Static_assert(offsetof(struct sb1_on_disk, csum) == CSUM_AT, "the checksum has moved");
_Static_assert(FMT_SB1_FIXED_BYTES + ROLE_BYTES * FMT_SB1_MAX_DEV == FMT_SB1_BYTES,
	       "the role table does not fill the area");

uint32_t fmt_sb1_valid_bytes(const struct sb1 *sb)
{
	return FMT_SB1_FIXED_BYTES + ROLE_BYTES * sb->max_dev;
}

uint32_t fmt_sb1_checksum(const uint8_t raw[FMT_SB1_BYTES])
{
	uint64_t max_dev = le_get(raw + offsetof(struct sb1_on_disk, max_dev), 4);
	uint64_t sum = 0;
	uint32_t len, at;

	MUST(max_dev <= FMT_SB1_MAX_DEV);
	len = FMT_SB1_FIXED_BYTES + ROLE_BYTES * max_dev;
	for (at = 0; at + 4 <= len; at += 4)
		if (at != CSUM_AT)
			sum += le_get(raw + at, 4);
	if (at < len)
		sum += le_get(raw + at, 2);
	/* One fold only, as md does it: the carry of this addition is lost. */
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

void fmt_sb1_decode(const uint8_t raw[FMT_SB1_BYTES], enum sb1_minor minor, struct sb1 *ret_sb)
{
	struct sb1 *sb = ret_sb;
	uint32_t roles;

	memset(sb, 0, sizeof *sb);
	sb->minor = minor;
#define F(kind, field, offset, bytes, meaning) FIELD_DECODE_##kind(sb, raw, field, offset, bytes)
#include "format/sb1.def"
#undef F

	roles = sb->max_dev <= FMT_SB1_MAX_DEV ? sb->max_dev : 0;
	for (uint32_t i = 0; i < FMT_SB1_MAX_DEV; i++)
		sb->dev_roles[i] = i < roles ? le_get(raw + FMT_SB1_FIXED_BYTES + ROLE_BYTES * i, ROLE_BYTES)
					     : FMT_ROLE_SPARE;
}

void fmt_sb1_encode(const struct sb1 *sb, uint8_t raw[FMT_SB1_BYTES])
{
	MUST(sb->max_dev <= FMT_SB1_MAX_DEV);

#define F(kind, field, offset, bytes, meaning) FIELD_ENCODE_##kind(sb, raw, field, offset, bytes)
#include "format/sb1.def"
#undef F
	for (uint32_t i = 0; i < sb->max_dev; i++)
		le_put(raw + FMT_SB1_FIXED_BYTES + ROLE_BYTES * i, ROLE_BYTES, sb->dev_roles[i]);
	le_put(raw + CSUM_AT, 4, fmt_sb1_checksum(raw));
}
