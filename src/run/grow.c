/* Changing the bitmap of a running array: `umd grow`, and the same asked by attributes.
 *
 *	planned (assembly) -> memory for it -> ARR_EV_BITMAP -> the array drains, writes, records -> over
 *
 * The caller waits until it is over; writes of clients wait inside of the array, and only for I/O. Errands come one by
 * one, so nobody joins between the plan and its end, and no map is drawn of a bitmap that goes.
 *
 * Left out: orders and laws (array/rebitmap.c), places (assembly/rebitmap.c), what is done with a file
 * (grow_file.c). */
#include "run/running.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "run/json.h"

/* Under the lock, which is left while it waits. */
static int wait_until_over(struct umd_array *u, struct err *err)
{
	struct arr_status s;

	for (arr_get_status(u->arr, &s); s.bitmap_change == ARR_CHANGE_RUNS; arr_get_status(u->arr, &s))
		pthread_cond_wait(&u->changed, &u->lock);
	if (s.bitmap_change < 0)
		return err_set(err, s.bitmap_change, "the bitmap was not changed: %s", err_sentence(s.bitmap_change));
	return 0;
}

int run_do_change(struct umd_array *u, struct arr_event *ev)
{
	run_step(u, ev);
	if (ev->rc) {
		bm_free(ev->bitmap);
		return ev->rc;
	}
	return wait_until_over(u, ev->err);
}

int run_change_bitmap(struct umd_array *u, struct bm *next, const member_off at[ARR_MEMBERS_MAX], struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_BITMAP, .bitmap = next, .bitmap_at = at, .err = err };

	return run_do_change(u, &ev);
}

int run_set_bits(struct umd_array *u, array_off at, uint64_t len_bytes, struct err *err)
{
	struct arr_event ev = { .kind = ARR_EV_SET_BITS, .at = at, .len_bytes = len_bytes, .err = err };

	run_step(u, &ev);
	return ev.rc ? ev.rc : wait_until_over(u, err);
}

/* ---- the command ---- */

static int wish_of(struct json_object *request, struct asm_bitmap_wish *ret, struct err *err)
{
	struct json_object *kind = NULL, *chunk = NULL;
	const char *word = NULL;

	json_object_object_get_ex(request, "bitmap", &kind);
	json_object_object_get_ex(request, "bitmap_chunk_bytes", &chunk);
	if (json_object_is_type(kind, json_type_string))
		word = json_object_get_string(kind);
	*ret = (struct asm_bitmap_wish){ .kind = ASM_BITMAP_CHUNKS };
	if ((!kind && !chunk) || (kind && !word) || (chunk && !json_object_is_type(chunk, json_type_int)) ||
	    (chunk && json_object_get_int64(chunk) <= 0))
		return err_set(err, UMD_E_BAD_OPTION, "the request wants a string \"bitmap\", a number "
			       "\"bitmap_chunk_bytes\" above 0, or both");
	if (chunk)
		ret->chunk_bytes = (uint64_t)json_object_get_int64(chunk);
	if (word && !strcmp(word, "none") && !chunk)
		ret->kind = ASM_BITMAP_NONE;
	else if (word && !strcmp(word, "internal"))
		ret->kind = ASM_BITMAP_INTERNAL;
	else if (word && !strcmp(word, "file"))
		ret->kind = ASM_BITMAP_IN_FILE;
	else if (word)
		return err_set(err, UMD_E_BAD_OPTION, "a bitmap is \"internal\" or in a \"file\", with chunks or "
			       "without, or \"none\"");
	return 0;
}

/* The tree shows where it lies now. */
static void tell_tree(struct umd_array *u, const struct asm_bitmap_plan *p)
{
	u->facts.bitmap_is_file = p->is_file;
	u->facts.bitmap_sectors = p->has_bitmap ? p->distance_sectors : 0;
	u->facts.bitmap_space_sectors = p->has_bitmap ? p->sb.sectors_reserved : 0;
	att_set_facts(u->tree, &u->facts);
	run_notice(u);
}

static void describe(const struct asm_bitmap_plan *p, bool would, struct text *reply)
{
	char sentence[ERR_TEXT_BYTES];
	uint64_t chunks = p->has_bitmap ? fmt_bitmap_chunks(&p->sb) : 0;

	if (p->is_file)
		text_fit(sentence, sizeof sentence,
			 "the array %s a bitmap of %" PRIu64 " chunk%s of %" PRIu32 " bytes in a file, which "
			 "every start must be given (--bitmap=FILE)",
			 would ? "would get" : "has", chunks, chunks == 1 ? "" : "s", p->sb.chunk_bytes);
	else if (p->has_bitmap)
		text_fit(sentence, sizeof sentence,
			 "the array %s a bitmap of %" PRIu64 " chunk%s of %" PRIu32 " bytes, at %+" PRId32
			 " sectors from the superblock", would ? "would get" : "has", chunks, chunks == 1 ? "" : "s",
			 p->sb.chunk_bytes, p->distance_sectors);
	else
		text_fit(sentence, sizeof sentence, "the array %s no bitmap: after a crash everything is copied",
			 would ? "would have" : "has");
	json_open(reply, NULL, '{');
	json_str(reply, "sentence", sentence);
	json_bool(reply, "dry_run", would);
	if (p->has_bitmap) {
		json_open(reply, "bitmap", '{');
		json_u64(reply, "chunk_bytes", p->sb.chunk_bytes);
		json_u64(reply, "chunks", fmt_bitmap_chunks(&p->sb));
		if (!p->is_file)
			json_i64(reply, "offset_sectors", p->distance_sectors);
		json_close(reply, '}');
	} else {
		json_null(reply, "bitmap");
	}
	json_close(reply, '}');
}

/* Under the lock. */
static int change(struct umd_array *u, const struct asm_bitmap_plan *p, const char *path, int fd, struct err *err)
{
	struct bm *next = p->has_bitmap ? bm_new(&p->sb, NULL, 0) : NULL;
	int rc;

	if (p->has_bitmap && !next)
		return err_set(err, -ENOMEM, "no memory for a bitmap of %" PRIu64 " bytes", fmt_bitmap_bytes(&p->sb));
	rc = p->is_file ? run_grow_into_file(u, p, next, path, fd, err) : run_change_bitmap(u, next, p->at, err);
	if (rc == 0 && !p->is_file)
		run_grow_left_file(u);
	if (rc == 0)
		tell_tree(u, p);
	return rc;
}

/* The path of the file, whose descriptor came along: the server opens nothing that a client names. */
static int path_of(struct json_object *request, bool would, int fd, const char **ret_path, struct err *err)
{
	struct json_object *path = NULL;

	json_object_object_get_ex(request, "path", &path);
	*ret_path = json_object_is_type(path, json_type_string) ? json_object_get_string(path) : NULL;
	if (*ret_path && **ret_path == '/' && (would || fd >= 0))
		return 0;
	return err_set(err, UMD_E_BAD_OPTION, "a bitmap in a file wants an absolute \"path\", and its descriptor "
		       "with the request");
}

static int grow(struct umd_array *u, struct json_object *request, bool would, int fd, struct asm_bitmap_plan *plan,
		struct err *err)
{
	struct asm_bitmap_wish wish;
	const char *path = NULL;
	int rc = wish_of(request, &wish, err);

	if (rc < 0)
		return rc;
	if (!u->arr || !u->lineage)
		return err_set(err, UMD_E_NOT_SUPPORTED, "the bitmap of an array without superblocks is its owner's, "
			       "who says by attributes where it lies (umd set NAME bitmap/location)");
	if (wish.kind == ASM_BITMAP_IN_FILE)
		rc = path_of(request, would, fd, &path, err);
	if (rc == 0)
		rc = asm_plan_bitmap(u->lineage, u->arr, &wish, plan, err);
	return rc || would ? rc : change(u, plan, path, fd, err);
}

int run_grow_as_wished(struct umd_array *u, const struct asm_bitmap_wish *wish, struct err *err)
{
	struct asm_bitmap_plan plan;
	int rc = asm_plan_bitmap(u->lineage, u->arr, wish, &plan, err);

	return rc ? rc : change(u, &plan, NULL, -1, err);
}

/* Between a cluster and none lies an internal bitmap. */
static int grow_plainly(struct umd_array *u, int kind, struct err *err)
{
	const struct asm_bitmap_wish wish = { .kind = kind };
	int rc;

	pthread_mutex_lock(&u->lock);
	rc = run_grow_as_wished(u, &wish, err);
	pthread_mutex_unlock(&u->lock);
	return rc;
}

/* A node's superblocks never say clean, so behind the last one there is a resync: of the set chunks, mostly none. It
 * ends, or what comes next refuses with the reason. */
static void wait_for_resync(struct umd_array *u)
{
	struct arr_status s;

	pthread_mutex_lock(&u->lock);
	for (arr_get_status(u->arr, &s); s.resync_offset != OFF_NONE && !s.is_stopping && !s.is_broken && !s.is_frozen;
	     arr_get_status(u->arr, &s))
		pthread_cond_wait(&u->changed, &u->lock);
	pthread_mutex_unlock(&u->lock);
}

static void regrow(struct umd_array *u, struct json_object *request, bool would, struct text *reply)
{
	struct json_object *kind = NULL;
	struct err err = { 0 };
	bool is_none, has_none;
	int rc = 0;

	json_object_object_get_ex(request, "bitmap", &kind);
	is_none = kind && !strcmp(json_object_get_string(kind), "none");
	pthread_mutex_lock(&u->lock);
	has_none = !arr_bitmap(u->arr);
	pthread_mutex_unlock(&u->lock);
	if (has_none)
		rc = would ? err_set(&err, -ENOENT, "the array has no bitmap: it gets an internal one first") :
			     grow_plainly(u, ASM_BITMAP_INTERNAL, &err);
	if (rc == 0)
		rc = run_regrow(u, request, reply, &err);
	if (rc == 0 && is_none && !would) {
		text_drop(reply);
		wait_for_resync(u);
		rc = grow_plainly(u, ASM_BITMAP_NONE, &err);
		if (rc == 0)
			describe(&(struct asm_bitmap_plan){ 0 }, false, reply);
	}
	if (rc)
		run_control_refuse(reply, &err);
}

void run_command_grow(struct umd_array *u, struct json_object *request, int fd, struct text *reply)
{
	struct asm_bitmap_plan plan;
	struct json_object *o;
	struct err err = { 0 };
	bool would = json_object_object_get_ex(request, "dry_run", &o) && json_object_get_boolean(o);
	int rc;

	if (run_is_regrow(u, request)) {
		regrow(u, request, would, reply);
		return;
	}
	pthread_mutex_lock(&u->lock);
	rc = grow(u, request, would, fd, &plan, &err);
	pthread_mutex_unlock(&u->lock);
	if (rc)
		run_control_refuse(reply, &err);
	else
		describe(&plan, would, reply);
}
