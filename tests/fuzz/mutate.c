/* Mutations by table: libFuzzer changes bytes, this changes fields of md's structures and puts checksums right.
 *
 * Purpose: a random byte in a superblock is stopped by the checksum; to reach what lies behind, the mutation must be
 * of a believable superblock. The field tables of src/format say where the fields are, so a new field is mutated the
 * day it is written down.
 *
 * Four ways, by chance: libFuzzer's own mutation anywhere; a field gets an interesting value (none, all ones, powers of
 * two and their neighbours, numbers near the ones found elsewhere in the input); a field is copied from another record
 * of the kind; a whole record is copied over another. Afterwards, in 15 of 16 cases, every checksum is made right.
 *
 * Left out: inserting structures (a target's own business: the empty input reads as zeroes). */
#include "fuzz.h"

#include <string.h>

#include "base/le.h"
#include "base/prng.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static uint64_t interesting(struct prng *r, uint64_t old, unsigned bits)
{
	uint64_t power = UINT64_C(1) << prng_below(r, bits ? bits : 1);

	switch (prng_below(r, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return power;
	case 3:
		return power - 1;
	case 4:
		return -power;
	case 5:
		return old + power;
	case 6:
		return old ^ power;
	default:
		return old + prng_below(r, 33) - 16;
	}
}

/* A number that stands in some field: sizes and places are compared with each other. */
static uint64_t borrowed(struct prng *r, const uint8_t *data, const struct fuzz_record *from)
{
	const struct fuzz_field *f = &from->fields[prng_below(r, from->field_count)];

	if (f->bytes > 8 || f->at + f->bytes > from->len)
		return 0;
	return le_get(data + from->at + f->at, f->bytes) + prng_below(r, 5) - 2;
}

static void change_field(struct prng *r, uint8_t *data, const struct fuzz_record *records, size_t count)
{
	const struct fuzz_record *to = &records[prng_below(r, count)], *from = &records[prng_below(r, count)];
	const struct fuzz_field *f = &to->fields[prng_below(r, to->field_count)];
	uint8_t *p = data + to->at + f->at;

	if (f->at + f->bytes > to->len)
		return;
	if (from != to && from->fields == to->fields && f->at + f->bytes <= from->len && prng_below(r, 3) == 0)
		memcpy(p, data + from->at + f->at, f->bytes);
	else if (f->bytes > 8)
		p[prng_below(r, f->bytes)] = (uint8_t)prng_next(r);
	else if (prng_below(r, 4) == 0)
		le_put(p, f->bytes, borrowed(r, data, from));
	else
		le_put(p, f->bytes, interesting(r, le_get(p, f->bytes), 8 * f->bytes));
}

static void copy_record(struct prng *r, uint8_t *data, const struct fuzz_record *records, size_t count)
{
	const struct fuzz_record *to = &records[prng_below(r, count)], *from = &records[prng_below(r, count)];

	if (to->fields == from->fields)
		memmove(data + to->at, data + from->at, to->len < from->len ? to->len : from->len);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct fuzz_record records[FUZZ_RECORDS_MAX];
	struct prng r = prng_seed(seed);
	size_t count = fuzz_find_records(data, size, records);
	unsigned changes = 1 + prng_below(&r, 4);

	if (!count || prng_below(&r, 3) == 0)
		size = LLVMFuzzerMutate(data, size, max_size);
	else if (prng_below(&r, 16) == 0)
		copy_record(&r, data, records, count);
	else
		while (changes--)
			change_field(&r, data, records, count);
	if (prng_below(&r, 16) == 0)
		return size;
	count = fuzz_find_records(data, size, records);
	for (size_t i = 0; i < count; i++)
		if (records[i].mend)
			records[i].mend(data + records[i].at, records[i].len);
	return size;
}
