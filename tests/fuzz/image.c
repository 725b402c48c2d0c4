/* Images for fuzz_examine: a list of entries becomes sparse scratch members. What an entry claims beyond the input or
 * the member is cut; sizes are cut to what a file system can express, so that petabytes are tried as well.
 *
 * Checksums are made right in the finished image, where the mutator of entries could not: a superblock may come from
 * several of them. */
#include "image.h"

#include <string.h>
#include <unistd.h>

#include "assembly/assembly.h"
#include "base/le.h"
#include "scratch.h"

enum { MEMBER, BYTES, FILL, EXTERNAL, KINDS, FILL_MAX_BYTES = 1 << 18, FROM_END_BIT = 63, SB0_CSUM_AT = 152,
	CSUM_AT = 216,
	MAX_DEV_AT = 220 };
#define SIZE_MASK ((UINT64_C(1) << 58) - 1)

size_t fuzz_find_records(const uint8_t *data, size_t size, struct fuzz_record ret[FUZZ_RECORDS_MAX])
{
	static const size_t heads[KINDS] = { [MEMBER] = 9, [BYTES] = 13, [FILL] = 14, [EXTERNAL] = 25 };
	size_t n = 0;

	for (size_t at = 4; at < size && n < FUZZ_RECORDS_MAX;) {
		unsigned kind = data[at] % KINDS;
		const uint8_t *p = data + at + heads[kind];
		size_t len = 0;

		if (at + heads[kind] > size)
			break;
		if (kind == BYTES)
			len = le_get(data + at + 9, 4);
		if (len > size - at - heads[kind])
			break;
		at += heads[kind];
		if (len >= 8 && le_get(p, 4) == FMT_SB1_MAGIC && le_get(p + 4, 4) == 1)
			ret[n++] = (struct fuzz_record){ at, len, fuzz_sb1_fields, fuzz_sb1_field_count, NULL };
		else if (len >= 8 && le_get(p, 4) == FMT_SB1_MAGIC)
			ret[n++] = (struct fuzz_record){ at, len, fuzz_sb0_fields, fuzz_sb0_field_count, NULL };
		else if (len >= 8 && le_get(p, 4) == FMT_BITMAP_MAGIC)
			ret[n++] = (struct fuzz_record){ at, len, fuzz_bitmap_fields, fuzz_bitmap_field_count, NULL };
		at += len;
	}
	return n;
}

static void begin_member(struct image *i, uint64_t size)
{
	i->paths[i->count] = scratch_file(i->count, &i->fds[i->count]);
	i->sizes[i->count] = size & SIZE_MASK;
	scratch_empty(i->fds[i->count], i->sizes[i->count]);
	i->count++;
}

static void put(struct fuzz_input *in, const struct image *i, bool is_fill)
{
	uint64_t at = fuzz_take(in, 8), len = fuzz_take(in, 4);
	static uint8_t fill[FILL_MAX_BYTES];
	size_t last = i->count - 1;

	if (at >> FROM_END_BIT)
		at = i->sizes[last] - (at & SIZE_MASK);
	if (is_fill) {
		len = len < FILL_MAX_BYTES ? len : FILL_MAX_BYTES;
		memset(fill, (int)fuzz_take(in, 1), len);
		scratch_write(i->fds[last], at, fill, len);
		return;
	}
	if (len > (uint64_t)(in->end - in->at))
		len = (uint64_t)(in->end - in->at);
	scratch_write(i->fds[last], at, in->at, len);
	in->at += len;
}

static void mend_1(int fd, uint64_t at)
{
	uint8_t raw[FMT_SB1_BYTES] = { 0 };

	if (pread(fd, raw, sizeof raw, (off_t)at) != (ssize_t)sizeof raw || le_get(raw, 4) != FMT_SB1_MAGIC ||
	    le_get(raw + MAX_DEV_AT, 4) > FMT_SB1_MAX_DEV)
		return;
	le_put(raw + CSUM_AT, 4, fmt_sb1_checksum(raw));
	scratch_write(fd, at + CSUM_AT, raw + CSUM_AT, 4);
}

static void mend_0(int fd, uint64_t at)
{
	uint8_t raw[FMT_SB0_BYTES] = { 0 };
	struct sb0 sb;

	if (pread(fd, raw, sizeof raw, (off_t)at) != (ssize_t)sizeof raw)
		return;
	fmt_sb0_decode(raw, &sb);
	if (sb.magic != FMT_SB1_MAGIC || sb.major_version)
		return;
	sb.csum = fmt_sb0_checksum(raw, sb.is_big_endian);
	le_put(raw, 4, sb.is_big_endian ? __builtin_bswap32(sb.csum) : sb.csum);
	scratch_write(fd, at + SB0_CSUM_AT, raw, 4);
}

static void mend(const struct image *i)
{
	member_off places[3], at;
	enum sb1_minor minors[3];

	for (size_t m = 0; m < i->count; m++) {
		uint32_t count = asm_super_places(i->sizes[m], places, minors);

		for (uint32_t k = 0; k < count; k++)
			mend_1(i->fds[m], places[k].bytes);
		if (lay_super_090(i->sizes[m], &at))
			mend_0(i->fds[m], at.bytes);
	}
}

void image_make(struct fuzz_input *in, bool is_mended, struct image *ret)
{
	memset(ret, 0, sizeof *ret);
	while (in->at < in->end) {
		unsigned kind = fuzz_take(in, 1) % KINDS;

		if (kind == MEMBER && ret->count < IMAGE_MEMBERS_MAX) {
			begin_member(ret, fuzz_take(in, 8));
		} else if (kind == EXTERNAL) {
			ret->has_external = true;
			ret->external.location_bytes = fuzz_take(in, 8);
			ret->external.chunk_bytes = fuzz_take(in, 8);
			ret->external.size_bytes = fuzz_take(in, 8);
		} else if (ret->count && kind != MEMBER) {
			put(in, ret, kind == FILL);
		}
	}
	if (!ret->count)
		begin_member(ret, 0);
	if (is_mended)
		mend(ret);
}
