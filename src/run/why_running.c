/* `umd why NAME CHUNK`: the story of one bit of a running array, as JSON with sentences in it.
 *
 * The array tells facts (array/why.h) under its lock, in one step, so that they belong together; the words are made by
 * why_words.c. A chunk is asked for by its number or by a byte that it covers. Left out: images (look/why.c). */
#include "run/why_inside.h"

#include <inttypes.h>

#include "run/json.h"

/* ---- the object ---- */

static void put_tale(const struct run_tale *tale, struct text *t)
{
	const struct arr_why *w = tale->w;
	struct text sentence = { 0 };

	json_open(t, NULL, '{');
	json_u64(t, "output_version", 1);
	json_str(t, "name", run_rundir_name(tale->u->rundir));
	json_u64(t, "chunk", w->chunk.index);
	json_open(t, "covers", '{');
	json_u64(t, "first_byte", w->at.bytes);
	json_u64(t, "length_bytes", w->len_bytes);
	json_str(t, "of", "array");
	json_close(t, '}');
	json_bool(t, "set", w->is_set);
	json_bool(t, "durable", w->is_durable);
	json_u64(t, "counter", w->counter);
	if (tale->s->is_clustered)
		json_u64(t, "slot", tale->s->node_slot);
	text_add(&sentence, "chunk %" PRIu64 " is %s", w->chunk.index,
		 w->is_durable ? "set, in memory and on disk" :
		 w->is_set ? "set in memory, and not yet on the disk of every member" :
		 w->is_clear_unwritten ? "clear in memory; on disk it may be set until its page is written" :
					 "clear, in memory and on disk: nothing would be copied there after a crash");
	if (tale->s->is_clustered)
		text_add(&sentence, "; so says slot %u, which is this node's alone: every node has a bitmap of its own",
			 tale->s->node_slot);
	run_why_put_text(t, "sentence", &sentence);
	run_why_put_setter(tale, t);
	run_why_put_reasons(tale, t);
	json_close(t, '}');
}

/* ---- the command ---- */

static bool number_of(struct json_object *request, const char *key, uint64_t *ret)
{
	struct json_object *o;

	if (!json_object_object_get_ex(request, key, &o) || !json_object_is_type(o, json_type_int) ||
	    json_object_get_int64(o) < 0)
		return false;
	*ret = json_object_get_uint64(o);
	return true;
}

static int find_chunk(const struct umd_array *u, const struct bm *b, struct json_object *request, chunk_no *ret,
		      struct err *err)
{
	uint64_t at = 0;
	bool is_by_byte = number_of(request, "at_bytes", &at);

	if (!is_by_byte && !number_of(request, "chunk", &ret->index))
		return err_set(err, UMD_E_BAD_OPTION,
			       "the request wants a number \"chunk\" or \"at_bytes\", 0 or above");
	if (is_by_byte)
		ret->index = at / bm_chunk_bytes(b);
	if (ret->index < bm_chunks(b))
		return 0;
	if (is_by_byte)
		return err_set(err, UMD_E_BAD_OPTION, "byte %" PRIu64 " is in chunk %" PRIu64 ", and the bitmap of "
			       "%s has %" PRIu64 " chunks of %" PRIu64 " bytes, 0 to %" PRIu64, at, ret->index,
			       run_rundir_name(u->rundir), bm_chunks(b), bm_chunk_bytes(b), bm_chunks(b) - 1);
	return err_set(err, UMD_E_BAD_OPTION, "there is no chunk %" PRIu64 ": the bitmap of %s has %" PRIu64
		       " chunks of %" PRIu64 " bytes, 0 to %" PRIu64, ret->index, run_rundir_name(u->rundir),
		       bm_chunks(b), bm_chunk_bytes(b), bm_chunks(b) - 1);
}

static int explain(const struct umd_array *u, struct json_object *request, struct text *reply, struct err *err)
{
	struct arr_status s;
	struct arr_why w;
	const struct run_tale tale = { .u = u, .w = &w, .s = &s, .now_ms = run_now_ms() };
	chunk_no chunk;
	int rc;

	if (!u->arr)
		return err_set(err, UMD_E_NOT_SUPPORTED, "array %s does not run: no bit of it is kept in memory",
			       run_rundir_name(u->rundir));
	if (!arr_bitmap(u->arr))
		return err_set(err, UMD_E_NOT_SUPPORTED, "array %s has no bitmap: there are no chunks",
			       run_rundir_name(u->rundir));
	rc = find_chunk(u, arr_bitmap(u->arr), request, &chunk, err);
	if (rc < 0)
		return rc;
	arr_get_status(u->arr, &s);
	arr_why(u->arr, chunk, &w);
	put_tale(&tale, reply);
	return 0;
}

void run_command_why(struct umd_array *u, struct json_object *request, struct text *reply)
{
	struct err err;
	int rc;

	pthread_mutex_lock(&u->lock);
	rc = explain(u, request, reply, &err);
	pthread_mutex_unlock(&u->lock);
	if (rc < 0)
		run_control_refuse(reply, &err);
}
