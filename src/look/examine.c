/* umd examine: what members say about themselves, and what the next start would do with them.
 *
 * Nothing is written and no lock is taken (law I7): a running array may be looked at. Members are hostile: every string
 * goes through the JSON escape, every number was checked or is shown as it is, chunks are streamed (scan.c). A member's
 * error keeps nobody else from being shown.
 *
 * Memory stays small whatever is given: JSON leaves through the sink while it is made, and of a member that was shown
 * only its array is remembered. The members of an array are looked at once more when the array is judged.
 *
 * The parts: examine_super.c, examine_090.c and examine_bitmap.c make the JSON of one member, examine_chunks.c that of
 * its chunks, examine_array.c asks the judgement. */
#include "look/examine.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { OUTPUT_VERSION = 1 };

static uint32_t read_bad_blocks(struct look_examined *e, struct bad_block ret[FMT_BAD_BLOCKS_MAX])
{
	uint8_t log[FMT_BAD_BLOCK_LOG_BYTES];
	struct span at;
	int rc;

	if (e->look.error.code || !(e->look.sb.feature_map & FMT_SB1_BAD_BLOCKS) || !lay_bad_blocks(&e->look.sb, &at))
		return 0;
	/* mdadm 4.6 puts the log inside a lockless bitmap: what lies there are states. A note says so. */
	if (e->look.has_bitmap && lay_log_is_inside_bitmap(&e->look.sb, &e->look.bitmap, &at))
		return 0;
	rc = mbr_read(e->m, at.at, log, min_u64(at.len_bytes, sizeof log));
	if (rc < 0) {
		err_set(&e->error, rc, "%s: the bad-block log at byte %llu cannot be read: %s", e->shown,
			(unsigned long long)at.at.bytes, err_sentence(rc));
		return 0;
	}
	return fmt_bad_blocks_decode(log, (uint32_t)min_u64(at.len_bytes, sizeof log), e->look.sb.bblog_shift, ret);
}

static const char *kind_of(const struct look_examined *e, bool is_external)
{
	if (is_external)
		return "external_bitmap";
	if (e->look.kind == ASM_BITMAP_FILE)
		return "bitmap_file";
	return e->look.has_superblock ? "member" : "unknown";
}

/* What stands on a member that is written to is a moment's picture. */
static void json_use(struct text *t, const struct look_examined *e)
{
	char use[256];

	if (e->m && mbr_is_in_use(e->m, use, sizeof use))
		json_str(t, "in_use", use);
	else
		json_null(t, "in_use");
}

static void json_member(struct text *t, struct look_examined *e, const struct look_options *options)
{
	struct bad_block bad_blocks[FMT_BAD_BLOCKS_MAX];

	json_open(t, NULL, '{');
	json_strn(t, "path", e->path, strlen(e->path));
	if (e->m)
		json_u64(t, "size_bytes", e->m->size_bytes);
	else
		json_null(t, "size_bytes");
	json_str(t, "kind", kind_of(e, options->external));
	if (e->look.has_superblock)
		look_json_superblock(t, e, bad_blocks, read_bad_blocks(e, bad_blocks));
	else
		json_null(t, "superblock");
	look_json_bitmaps(t, e, options->external, options->runs_max);
	look_json_notes(t, e);
	json_use(t, e);
	look_json_error(t, e);
	json_close(t, '}');
}

static void remember(struct look_seen *s, const struct look_examined *e)
{
	const struct asm_member *look = &e->look;

	s->path = e->path;
	s->is_member = look->has_superblock && !look->error.code;
	s->is_bitmap_file = look->kind == ASM_BITMAP_FILE && !look->error.code && !look->bitmap_error.code;
	memcpy(s->uuid, look->sb.set_uuid, sizeof s->uuid);
	asm_bitmap_uuid(look, s->bitmap_uuid);
}

/* Returns the number of members with an error. */
static size_t json_members(struct text *t, const char *const *members, struct look_seen *seen, size_t count,
			   const struct look_options *options)
{
	struct look_examined e;
	size_t errors = 0;

	json_open(t, "members", '[');
	for (size_t i = 0; i < count && !t->is_broken; i++) {
		if (options->external)
			look_examined_begin_external(&e, members[i]);
		else
			look_examined_begin(&e, members[i]);
		json_member(t, &e, options);
		remember(&seen[i], &e);
		errors += look_examined_error(&e)->code != 0;
		look_examined_end(&e);
	}
	json_close(t, ']');
	return errors;
}

static bool is_first_of_array(const struct look_seen *seen, size_t i)
{
	if (!seen[i].is_member)
		return false;
	for (size_t k = 0; k < i; k++)
		if (seen[k].is_member && memcmp(seen[k].uuid, seen[i].uuid, sizeof seen[i].uuid) == 0)
			return false;
	return true;
}

static int json_arrays(struct text *t, const struct look_seen *seen, size_t count)
{
	int rc = 0;

	json_open(t, "arrays", '[');
	for (size_t i = 0; rc == 0 && i < count && !t->is_broken; i++)
		if (is_first_of_array(seen, i))
			rc = look_json_array(t, seen, count, i);
	json_close(t, ']');
	return rc;
}

int look_examine(const char *const *members, size_t count, const struct look_options *options, look_sink *sink,
		 void *opaque, size_t *ret_errors)
{
	struct look_seen *seen = mem_new(count, sizeof *seen);
	struct text t = { .sink = sink, .sink_opaque = opaque };
	size_t errors;
	int rc, end_rc;

	if (!seen)
		return -ENOMEM;
	json_open(&t, NULL, '{');
	json_u64(&t, "output_version", OUTPUT_VERSION);
	errors = json_members(&t, members, seen, count, options);
	rc = json_arrays(&t, seen, count);
	json_close(&t, '}');
	end_rc = text_end(&t);
	mem_free(seen);
	if (rc == 0)
		rc = end_rc;
	if (rc == 0 && ret_errors)
		*ret_errors = errors;
	return rc;
}
