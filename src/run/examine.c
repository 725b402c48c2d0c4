/* umd examine: what members say about themselves, and what the next start would do with them.
 *
 * Nothing is written and no lock is taken (law I7): a running array may be looked at. Members are hostile: every string
 * goes through the JSON escape, every number was checked or is shown as it is, bits are streamed (bits.c). A member's
 * error keeps nobody else from being shown.
 *
 * The parts: examine_super.c and examine_bitmap.c make the JSON of one member, examine_array.c asks the judgement.
 * Left out: 0.90 superblocks beyond their name, reshape fields. */
#include "run/examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/look.h"
#include "run/public.h"

enum { OUTPUT_VERSION = 1, RUNS_MAX = 10000 };

static void look_at(struct run_examined *e, const char *path)
{
	e->path = path;
	e->shown = run_escaped(path);
	if (!e->shown) {
		err_set(&e->error, -ENOMEM, "no memory to look at a member");
		return;
	}
	e->look.path = e->shown;
	if (mbr_open_look(path, &e->m, &e->error) == 0)
		run_look(e->m, e->shown, &e->look);
}

static uint32_t read_bad_blocks(struct run_examined *e, struct bad_block ret[FMT_BAD_BLOCKS_MAX])
{
	uint8_t log[FMT_BAD_BLOCK_LOG_BYTES];
	struct span at;
	int rc;

	if (e->look.error.code || !(e->look.sb.feature_map & FMT_SB1_BAD_BLOCKS) || !lay_bad_blocks(&e->look.sb, &at))
		return 0;
	rc = mbr_read(e->m, at.at, log, min_u64(at.len_bytes, sizeof log));
	if (rc < 0) {
		err_set(&e->error, rc, "%s: the bad-block log at byte %llu cannot be read: %s", e->shown,
			(unsigned long long)at.at.bytes, err_sentence(rc));
		return 0;
	}
	return fmt_bad_blocks_decode(log, (uint32_t)min_u64(at.len_bytes, sizeof log), e->look.sb.bblog_shift, ret);
}

static const struct err *error_of(const struct run_examined *e)
{
	return e->error.code ? &e->error : e->look.error.code ? &e->look.error : &e->look.bitmap_error;
}

static void json_error(struct text *t, const struct err *err)
{
	if (!err->code) {
		json_null(t, "error");
		return;
	}
	json_open(t, "error", '{');
	json_str(t, "code", err_name(err->code));
	json_str(t, "message", err->text);
	json_close(t, '}');
}

static void json_member(struct text *t, struct run_examined *e, bool all_runs)
{
	struct bad_block bad_blocks[FMT_BAD_BLOCKS_MAX];

	json_open(t, NULL, '{');
	json_strn(t, "path", e->path, strlen(e->path));
	if (e->m)
		json_u64(t, "size_bytes", e->m->size_bytes);
	else
		json_null(t, "size_bytes");
	if (e->look.has_superblock) {
		run_json_superblock(t, e, bad_blocks, read_bad_blocks(e, bad_blocks));
	} else {
		json_null(t, "superblock");
	}
	run_json_bitmaps(t, e, all_runs ? UINT64_MAX : RUNS_MAX);
	json_error(t, error_of(e));
	json_close(t, '}');
}

static bool is_first_of_array(const struct run_examined *examined, size_t i)
{
	if (!examined[i].look.has_superblock || examined[i].look.error.code)
		return false;
	for (size_t k = 0; k < i; k++)
		if (examined[k].look.has_superblock && !examined[k].look.error.code &&
		    memcmp(examined[k].look.sb.set_uuid, examined[i].look.sb.set_uuid, 16) == 0)
			return false;
	return true;
}

static int json_all(struct text *t, struct run_examined *examined, size_t count, bool all_runs)
{
	int rc = 0;

	json_open(t, NULL, '{');
	json_u64(t, "output_version", OUTPUT_VERSION);
	json_open(t, "members", '[');
	for (size_t i = 0; i < count; i++)
		json_member(t, &examined[i], all_runs);
	json_close(t, ']');
	json_open(t, "arrays", '[');
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (is_first_of_array(examined, i))
			rc = run_json_array(t, examined, count, i);
	json_close(t, ']');
	json_close(t, '}');
	return rc;
}

static void drop(struct run_examined *examined, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mbr_close(examined[i].m);
		mem_free(examined[i].shown);
	}
	mem_free(examined);
}

int umd_examine(const char *const *members, size_t count, const struct umd_look_options *options, umd_sink *sink,
		void *opaque, size_t *ret_errors, struct umd_error *error)
{
	struct run_examined *examined = mem_new(count, sizeof *examined);
	struct text t = { 0 };
	size_t errors = 0;
	char *json = NULL;
	int rc = -ENOMEM;

	if (examined) {
		for (size_t i = 0; i < count; i++)
			look_at(&examined[i], members[i]);
		rc = json_all(&t, examined, count, options->runs_max == UINT64_MAX);
		for (size_t i = 0; i < count; i++)
			errors += error_of(&examined[i])->code != 0;
		drop(examined, count);
	}
	json = text_take(&t);
	if (rc == 0 && !json)
		rc = -ENOMEM;
	if (rc == 0)
		rc = sink(opaque, json, strlen(json));
	mem_free(json);
	if (rc < 0)
		return run_public_error(rc, NULL, error);
	if (ret_errors)
		*ret_errors = errors;
	return 0;
}
