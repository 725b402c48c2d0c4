/* Bad blocks of a device with external metadata: two lists that the tree keeps for the owner.
 *
 * Words: a range is *acknowledged* when the owner has recorded it. Ranges are kept sorted, disjoint and joined where
 * they touch and agree; a line shows at most LINE_SECTORS of one, as md does. Acknowledging covers what was not
 * acknowledged; a range that is recorded already stays so. A list that would need more lines than md has room for
 * (ROOM) is full: -ENOSPC, nothing changes.
 *
 * Left out: an engine. umd fails a member that cannot write a block; nothing here keeps reads from it. */
#include "attrs/inside.h"

#include "base/mem.h"

enum { ROOM = 512, LINE_SECTORS = 512, WORK = 2 * ROOM + 3 };

struct range {
	uint64_t first, end;
	bool is_acknowledged;
};

struct att_bad_blocks {
	size_t count;
	struct range ranges[ROOM];
};

struct att_bad_blocks *att_bad_blocks_free(struct att_bad_blocks *b)
{
	return mem_free(b);
}

bool att_has_unacknowledged(const struct att_dev *d)
{
	for (size_t i = 0; d->bad_blocks && i < d->bad_blocks->count; i++)
		if (!d->bad_blocks->ranges[i].is_acknowledged)
			return true;
	return false;
}

static void push(struct range *work, size_t *count, uint64_t first, uint64_t end, bool is_acknowledged)
{
	struct range *last = *count ? &work[*count - 1] : NULL;

	if (first >= end)
		return;
	if (last && last->end == first && last->is_acknowledged == is_acknowledged)
		last->end = end;
	else
		work[(*count)++] = (struct range){ first, end, is_acknowledged };
}

/* The sorted union of the list and @new: where they meet, the range is acknowledged if either is. */
static size_t merge(const struct att_bad_blocks *b, struct range new, struct range *work)
{
	uint64_t at = new.first;		/* @new is in @work up to here */
	size_t count = 0;

	for (size_t i = 0; b && i < b->count; i++) {
		const struct range *old = &b->ranges[i];
		uint64_t lo = max_u64(old->first, new.first), hi = min_u64(old->end, new.end);

		push(work, &count, old->first, min_u64(old->end, new.first), old->is_acknowledged);
		if (at < new.end && old->end > at) {
			push(work, &count, at, min_u64(lo, new.end), new.is_acknowledged);
			push(work, &count, lo, hi, old->is_acknowledged || new.is_acknowledged);
			at = max_u64(min_u64(lo, new.end), hi);
		}
		push(work, &count, max_u64(old->first, new.end), old->end, old->is_acknowledged);
	}
	push(work, &count, at, new.end, new.is_acknowledged);
	return count;
}

static uint64_t lines_of(const struct range *work, size_t count)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < count; i++)
		lines += div_up(work[i].end - work[i].first, LINE_SECTORS);
	return lines;
}

/* "SECTOR LENGTH" */
static int take_range(struct att_store *s, bool is_acknowledged, struct range *ret)
{
	char *blank = strchr(s->value, ' ');
	uint64_t sector, length;
	int rc;

	if (!blank)
		return att_refuse(s, -EINVAL, "a sector and a length go there");
	*blank = 0;
	rc = att_number(s->value, INT64_MAX / SECTOR_BYTES, &sector);
	if (!rc)
		rc = att_number(blank + 1, INT32_MAX, &length);
	*blank = ' ';
	if (rc < 0 || !length)
		return att_refuse(s, -EINVAL, "a sector and a length above 0 go there");
	*ret = (struct range){ sector, sector + length, is_acknowledged };
	return 0;
}

static int add(struct att_store *s, bool is_acknowledged)
{
	struct range new = { 0 }, work[WORK];
	size_t count;
	int rc;

	if (s->t->has_superblocks)
		return att_todo(s, "array with superblocks");
	rc = take_range(s, is_acknowledged, &new);
	if (rc < 0)
		return rc;
	count = merge(s->dev->bad_blocks, new, work);
	if (lines_of(work, count) > ROOM)
		return att_refuse(s, -ENOSPC, "the list would have %llu lines, and %d is the most",
				  (ull)lines_of(work, count), ROOM);
	if (!s->dev->bad_blocks)
		s->dev->bad_blocks = mem_new(1, sizeof *s->dev->bad_blocks);
	if (!s->dev->bad_blocks)
		return att_refuse(s, -ENOMEM, "no memory for the list");
	memcpy(s->dev->bad_blocks->ranges, work, count * sizeof *work);
	s->dev->bad_blocks->count = count;
	return 0;
}

int att_set_dev_bad_blocks(struct att_store *s)
{
	return add(s, true);
}

int att_set_dev_unacknowledged_bad_blocks(struct att_store *s)
{
	return add(s, false);
}

/* Lines until the page is full, as md cuts it. */
static int put(const struct att_dev *d, bool is_acknowledged, struct text *out)
{
	size_t before = out->len_bytes;

	for (size_t i = 0; d->bad_blocks && i < d->bad_blocks->count; i++) {
		const struct range *r = &d->bad_blocks->ranges[i];

		for (uint64_t at = r->first; r->is_acknowledged == is_acknowledged && at < r->end; at += LINE_SECTORS) {
			if (out->len_bytes - before > ATT_VALUE_MAX - 32)
				return 0;
			text_add(out, "%llu %llu\n", (ull)at,
				 (ull)min_u64(r->end - at, LINE_SECTORS));
		}
	}
	return 0;
}

int att_get_dev_bad_blocks(const struct att_look *l, struct text *out)
{
	return put(l->dev, true, out);
}

int att_get_dev_unacknowledged_bad_blocks(const struct att_look *l, struct text *out)
{
	return put(l->dev, false, out);
}
