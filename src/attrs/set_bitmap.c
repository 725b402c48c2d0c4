/* bitmap/ and bitmap_set_bits.
 *
 * Before the start everything is configuration. While the array runs, location makes and ends a bitmap, time_base,
 * backlog and can_clear go to the array at once, chunksize and metadata are EBUSY as long as there is a bitmap.
 *
 * Beside superblocks a place counts from them; with bitmap/metadata internal the bitmap gets a superblock of its own,
 * and is empty: what lay there before is not read, since it may be out of date. Whether a place is free the hands know.
 *
 * A location is refused that overlaps the data area of a device or lies outside of it (P24): md accepts it, and
 * disables the bitmap at the first write. A period is never stored as 0, which md cannot load again (P3). What
 * bitmap_set_bits cannot read is refused with everything else in the value, so that nothing is set by half. */
#include "attrs/inside.h"

enum { CHUNK_MIN = 512, BACKLOG_MAX = 16383 };

/* ---- location ---- */

static int remove_bitmap(struct att_store *s)
{
	const struct arr_status *status = s->view->status;

	if (!s->view->bitmap) {
		s->t->bitmap.location_sectors = 0;
		att_forget_saved(s->t, true);
		return 0;
	}
	if (status && (status->action != ARR_SYNC_IDLE || status->is_frozen))
		return att_refuse(s, -EBUSY, "sync_action is %s, and idle is needed",
				  status->is_frozen ? "frozen" : arr_sync_action_name(status->action));
	s->action->kind = ATT_BITMAP_NONE;
	return 0;
}

/* "+8", "-16", "8" */
static int take_location(struct att_store *s, int64_t *ret)
{
	bool is_negative = *s->value == '-';
	uint64_t n;

	if (att_number(s->value + (is_negative || *s->value == '+'), INT64_MAX / SECTOR_BYTES, &n) < 0 || !n)
		return att_refuse(s, -EINVAL, "none, or a number of sectors that is not 0, goes there");
	*ret = is_negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* With external metadata the bitmap's place counts from the start of each device. */
static int check_location(struct att_store *s, int64_t sectors)
{
	if (!s->t->bitmap.is_external)
		return att_refuse(s, -EINVAL, "bitmap/metadata is internal, and %s has no superblock to count from "
				  "(write external to bitmap/metadata)", s->t->metadata);
	if (sectors < 0)
		return att_refuse(s, -EINVAL, "with external metadata it counts from the start of each device");
	if (!att_bitmap_bytes(s->t))
		return 0;				/* the start asks again */
	ATT_EACH_DEV(d, s->t)
		if (d->slot != ATT_NO_SLOT && att_check_places(s->t, d, sectors, s->err) < 0)
			return -EINVAL;
	return 0;
}

/* Nothing on disk says what a bare bitmap is like. */
static int check_bare(struct att_store *s)
{
	if (!s->t->bitmap.chunk_bytes || !s->t->bitmap.time_base_ms)
		return att_refuse(s, -EINVAL, "bitmap/chunksize is %llu and bitmap/time_base %llu ms, and both must be "
				  "set", (ull)s->t->bitmap.chunk_bytes,
				  (ull)s->t->bitmap.time_base_ms);
	return att_check_bitmap_size(s->t, s->err);
}

static int set_running(struct att_store *s, int64_t sectors)
{
	const struct arr_status *status = s->view->status;
	bool is_bare = !s->t->has_superblocks || s->t->bitmap.is_external;
	int rc;

	if (status->action != ARR_SYNC_IDLE || status->is_frozen)
		return att_refuse(s, -EBUSY, "sync_action is %s, and idle is needed",
				  status->is_frozen ? "frozen" : arr_sync_action_name(status->action));
	rc = is_bare ? check_bare(s) : 0;
	if (rc < 0)
		return rc;
	s->action->is_bare = is_bare;
	s->action->kind = ATT_BITMAP_SET;
	s->action->bitmap_at = (member_off){ (uint64_t)sectors * SECTOR_BYTES };
	s->action->location_sectors = s->t->bitmap.coming_sectors = sectors;
	s->action->bitmap_chunk_bytes = s->t->bitmap.chunk_bytes;
	return 0;
}

int att_set_bitmap_location(struct att_store *s)
{
	bool has_one = s->view->bitmap || s->t->bitmap.location_sectors || s->t->bitmap.is_file;
	int64_t sectors = 0;
	int rc;

	if (att_begins(s->value, "none"))
		return remove_bitmap(s);
	if (has_one)
		return att_refuse(s, -EBUSY, "there is a bitmap already (write none first)");
	rc = take_location(s, &sectors);
	if (rc < 0)
		return rc;
	if (s->t->has_superblocks && !s->view->status)
		return att_refuse(s, -EINVAL, "the array does not run, and its superblocks say where its bitmap lies");
	rc = s->t->has_superblocks ? 0 : check_location(s, sectors);
	if (rc < 0)
		return rc;
	if (s->view->status)
		return set_running(s, sectors);
	s->t->bitmap.location_sectors = sectors;
	return 0;
}

/* ---- the others ---- */

int att_set_bitmap_space(struct att_store *s)
{
	uint64_t n, bytes = s->view->bitmap ? bm_image_bytes(s->view->bitmap) : 0;
	int rc = att_take_number(s, INT64_MAX / SECTOR_BYTES, &n);

	if (rc < 0)
		return rc;
	if (!n)
		return att_refuse(s, -EINVAL, "it is above 0");
	if (n < div_up(bytes, SECTOR_BYTES))
		return att_refuse(s, -EFBIG, "the bitmap has %llu sectors", (ull)div_up(bytes, SECTOR_BYTES));
	s->t->bitmap.space_sectors = n;
	return 0;
}

int att_set_bitmap_time_base(struct att_store *s)
{
	const uint64_t tick = ATT_TICK_MS * 10;		/* in units of 0.1 ms, as the value */
	uint64_t n, ms;

	if (att_decimal(s->value, 4, &n) < 0 || n >= INT64_MAX / 100)
		return att_refuse(s, -EINVAL, "seconds go there, with a point and decimals or without");
	ms = max_u64(n / tick, 1) * ATT_TICK_MS;
	s->action->number = ms;
	if (s->view->bitmap)
		return att_event(s, ARR_EV_SET_TIME_BASE, min_u64(ms, UINT32_MAX));
	s->t->bitmap.time_base_ms = ms;
	return 0;
}

int att_set_bitmap_backlog(struct att_store *s)
{
	uint64_t n;

	if (att_number(s->value, BACKLOG_MAX, &n) < 0)
		return att_refuse(s, -EINVAL, "a number up to %d goes there", BACKLOG_MAX);
	if (!att_any_write_mostly(s->t, s->view))
		return att_refuse(s, -EINVAL, "0 devices are writemostly, and 1 is needed to be written behind");
	s->action->number = n;
	if (s->view->status)
		return att_event(s, ARR_EV_BACKLOG, n);
	s->t->bitmap.backlog = (uint32_t)n;
	return 0;
}

int att_set_bitmap_chunksize(struct att_store *s)
{
	uint64_t n;
	int rc;

	if (s->view->bitmap)
		return att_refuse(s, -EBUSY, "a bitmap with chunks of %llu bytes is active",
				  (ull)bm_chunk_bytes(s->view->bitmap));
	rc = att_take_number(s, UINT64_MAX, &n);
	if (rc < 0)
		return rc;
	if (n < CHUNK_MIN || !is_power_of_two(n))
		return att_refuse(s, -EINVAL, "a power of two of at least %d bytes goes there", CHUNK_MIN);
	if (n > UINT32_MAX)
		return att_refuse(s, -EOVERFLOW, "2147483648 bytes is the greatest chunk");
	s->t->bitmap.chunk_bytes = n;
	att_forget_saved(s->t, true);
	return 0;
}

int att_set_bitmap_metadata(struct att_store *s)
{
	bool is_external = att_begins(s->value, "external");

	if (s->view->bitmap || s->t->bitmap.location_sectors || s->t->bitmap.is_file)
		return att_refuse(s, -EBUSY, "there is a bitmap, and it is %s",
				  s->t->bitmap.is_external ? "external" : "internal");
	if (!is_external && !att_begins(s->value, "internal") && !att_begins(s->value, "clustered"))
		return att_refuse(s, -EINVAL, "internal, external or clustered goes there");
	s->t->bitmap.is_external = is_external;
	return 0;
}

int att_set_bitmap_can_clear(struct att_store *s)
{
	const struct arr_status *status = s->view->status;
	bool may = att_begins(s->value, "true");

	if (!status || !s->view->bitmap)
		return att_refuse(s, -ENOENT, "there is no bitmap");
	if (!may && !att_begins(s->value, "false"))
		return att_refuse(s, -EINVAL, "true or false goes there");
	if (may && status->degraded)
		return att_refuse(s, -EBUSY, "degraded is %u: so many slots have no in-sync member, and 0 is needed",
				  status->degraded);
	return att_event(s, ARR_EV_CAN_CLEAR, may);
}

int att_set_bitmap_max_backlog_used(struct att_store *s)
{
	return s->view->status ? att_event(s, ARR_EV_BACKLOG_RESET, 0) : 0;
}

/* ---- bitmap_set_bits ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* 12, 0x1f, 017 */
static bool take_chunk(const char **at, uint64_t *ret)
{
	const char *p = *at;
	int base = 10, digits = 0;

	if (*p == '0') {
		base = p[1] == 'x' || p[1] == 'X' ? 16 : 8;
		p += base == 16 ? 2 : 0;
	}
	for (*ret = 0; digit_of(*p) < base; p++, digits++)
		if (!mul_fits(*ret, (uint64_t)base, ret) || !add_fits(*ret, (uint64_t)digit_of(*p), ret))
			return false;
	*at = p;
	return digits;
}

/* 1: a range; 0: no more; negative: neither */
static int next_range(const char **at, uint64_t *ret_first, uint64_t *ret_last)
{
	const char *p = *at;

	while (is_blank(*p))
		p++;
	*at = p;
	if (!*p)
		return 0;
	if (!take_chunk(&p, ret_first))
		return -EINVAL;
	*ret_last = *ret_first;
	if (*p == '-') {
		p++;
		if (!take_chunk(&p, ret_last))
			return -EINVAL;
	}
	if ((*p && !is_blank(*p)) || *ret_last < *ret_first)
		return -EINVAL;
	*at = p;
	return 1;
}

int att_set_bitmap_set_bits(struct att_store *s)
{
	const char *at = s->value;
	uint64_t first, last, count = 0;
	int rc;

	if (!s->view->bitmap)
		return att_refuse(s, -ENOENT, "there is no bitmap");
	while ((rc = next_range(&at, &first, &last)) > 0) {
		if (last >= bm_chunks(s->view->bitmap))
			return att_refuse(s, -ERANGE, "the bitmap has %llu chunks, and %llu is none of them; no bit "
					  "was set", (ull)bm_chunks(s->view->bitmap), (ull)last);
		count++;
	}
	if (rc < 0 || !count)
		return att_refuse(s, -EINVAL, "what comes %zu bytes into it is neither a number nor a range "
				  "FIRST-LAST; no bit was set", (size_t)(at - s->value));
	s->action->kind = ATT_SET_BITS;
	return 0;
}

bool att_next_range(const struct att_action *action, size_t *pos, chunk_no *ret_first, chunk_no *ret_last)
{
	const char *at = action->text + *pos;
	uint64_t first, last;

	if (next_range(&at, &first, &last) != 1)
		return false;
	*pos = (size_t)(at - action->text);
	*ret_first = (chunk_no){ first };
	*ret_last = (chunk_no){ last };
	return true;
}
