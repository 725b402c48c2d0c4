/* Into a cluster and out of it, or other chunks in every slot, while the server stays: `umd grow NAME
 * --bitmap=clustered`, `internal`, `none`; `--bitmap-chunk=SIZE`.
 *
 *	nobody has it open, no other node is up, nothing is due -> the run ends -> members are closed
 *	-> changed as members that nobody uses are (recluster.c) -> opened anew -> it runs, alone or as a node
 *
 * Between the two opens somebody else may get the members: then the change is refused by their lock, and the array
 * begins to run again as it was, beside that other node. What a cut in the middle leaves is recluster.c's business. A
 * start that fails leaves a server without a run: its sentence says what to do.
 *
 * Left out: another number of nodes and another name, of members that nobody uses alone. */
#include "run/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/json.h"
#include "run/public.h"

struct regrow {
	const char *bitmap;			/* "clustered", "internal"; NULL: it stays a node, with other chunks */
	uint64_t chunk_bytes;			/* 0: as they are */
	uint32_t nodes;
	const char *cluster_name, *engine;	/* engine NULL: dlm */
	bool is_dry_run;
	char *paths[ARR_MEMBERS_MAX];
	uint32_t count;
	bool was_direct;
	char node[CLU_NODE_NAME_BYTES];
};

/* ---- what is asked ---- */

static const char *text_of(struct json_object *request, const char *key)
{
	struct json_object *o;

	if (!json_object_object_get_ex(request, key, &o) || !json_object_is_type(o, json_type_string))
		return NULL;
	return json_object_get_string(o);
}

static uint64_t chunk_of(struct json_object *request)
{
	struct json_object *o;

	if (!json_object_object_get_ex(request, "bitmap_chunk_bytes", &o) || !json_object_is_type(o, json_type_int))
		return 0;
	return json_object_get_int64(o) > 0 ? (uint64_t)json_object_get_int64(o) : 0;
}

bool run_is_regrow(const struct umd_array *u, struct json_object *request)
{
	const char *bitmap = text_of(request, "bitmap");

	if (!u->arr || !u->lineage)
		return false;
	if (!bitmap)
		return u->cluster && chunk_of(request);
	return u->cluster ? !strcmp(bitmap, "internal") || !strcmp(bitmap, "none") : !strcmp(bitmap, "clustered");
}

static void take_wish(struct regrow *r, const struct umd_array *u, struct json_object *request)
{
	struct json_object *o;
	const char *at = strchr(run_rundir_name(u->rundir), '@');

	if (text_of(request, "bitmap"))
		r->bitmap = u->cluster ? "internal" : "clustered";
	r->chunk_bytes = chunk_of(request);
	r->cluster_name = text_of(request, "cluster_name");
	r->engine = text_of(request, "cluster");
	if (json_object_object_get_ex(request, "nodes", &o))
		r->nodes = (uint32_t)json_object_get_int64(o);
	r->is_dry_run = json_object_object_get_ex(request, "dry_run", &o) && json_object_get_boolean(o);
	r->was_direct = u->is_direct;
	text_fit(r->node, sizeof r->node, "%s", u->cluster ? u->cluster->node_name : at ? at + 1 : "n1");
}

/* ---- may it be done ---- */

static int check_alone(struct umd_array *u, struct err *err)
{
	const struct clu_status *s;

	run_cluster_refresh(u);
	s = &u->cluster->status;
	if (s->state != CLU_UP)
		return err_set(err, -EBUSY, "this node is %s: its bitmap is changed when it is up",
			       clu_state_name(s->state));
	for (uint32_t i = 0; i < s->nodes; i++)
		if (s->peers[i].state != CLU_P_US && s->peers[i].state != CLU_P_NONE)
			return err_set(err, -EBUSY, "slot %u is node %s's, %s: the cluster's bitmap is changed when "
				       "one node alone is up", i, s->peers[i].name,
				       clu_peer_state_name(s->peers[i].state));
	return 0;
}

static int check_wish(const struct regrow *r, struct err *err)
{
	struct err why = { 0 };

	if (!r->bitmap || strcmp(r->bitmap, "clustered"))
		return 0;
	if (r->engine && strcmp(r->engine, "local") && strcmp(r->engine, "dlm"))
		return err_set(err, UMD_E_BAD_OPTION, "the engines of clusters are local and dlm, not \"%.40s\"",
			       r->engine);
	if (r->nodes && (r->nodes < ARR_NODES_MIN || r->nodes > ARR_NODES_MAX))
		return err_set(err, UMD_E_BAD_OPTION, "a cluster of %u nodes is not possible: a bitmap has slots for "
			       "%d to %d", r->nodes, ARR_NODES_MIN, ARR_NODES_MAX);
	if (r->engine && !strcmp(r->engine, "local"))
		return 0;
	if (engine_dlm_is_here(r->cluster_name ?: "", &why) == 0)
		return 0;
	return err_set(err, UMD_E_NOT_SUPPORTED, "the array would go on as a node of the cluster \"%.70s\", and that "
		       "is not possible now: %.300s; --cluster=local is for nodes of this host", r->cluster_name ?: "",
		       why.text);
}

/* What no slot could have is refused before the run ends; whether all slots fit is seen when the members are free. */
static int check_chunk(const struct umd_array *u, const struct regrow *r, struct err *err)
{
	uint32_t chunk;

	if (!r->chunk_bytes)
		return 0;
	return lay_choose_chunk(bm_superblock(arr_bitmap(u->arr))->sync_size_sectors,
				ASM_BITMAP_BYTES_MAX / SECTOR_BYTES, r->chunk_bytes, &chunk, err);
}

static int check(struct umd_array *u, const struct regrow *r, struct err *err)
{
	struct arr_status s;
	int rc = u->cluster ? check_alone(u, err) : check_wish(r, err);

	if (rc == 0)
		rc = check_chunk(u, r, err);
	if (rc < 0)
		return rc;
	arr_get_status(u->arr, &s);
	if (u->clients)
		return err_set(err, -EBUSY, "%u client%s the array open: it stops for a moment, which no client "
			       "survives", u->clients, u->clients == 1 ? " has" : "s have");
	if (s.degraded || s.action || bm_needed_chunks(arr_bitmap(u->arr)))
		return err_set(err, -EBUSY, "the array is %s: its bitmap is needed as it is until all members agree",
			       s.degraded ? "degraded" : "being synced");
	return 0;
}

/* ---- the run ends ---- */

static int note_paths(struct umd_array *u, struct regrow *r)
{
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++) {
		if (!u->hands[i])
			continue;
		r->paths[r->count] = mem_new(1, strlen(u->hands[i]->path) + 1);
		if (!r->paths[r->count])
			return -ENOMEM;
		strcpy(r->paths[r->count++], u->hands[i]->path);
	}
	return 0;
}

static void end_run(struct umd_array *u)
{
	struct run_cluster *c;
	struct arr_status last;

	run_end(u, &last);
	pthread_mutex_lock(&u->lock);
	run_close_devices(u);
	for (uint32_t i = 0; i < ARR_MEMBERS_MAX; i++)
		run_let_go(u, i);
	c = TAKE(u->cluster);
	pthread_mutex_unlock(&u->lock);
	run_cluster_free(c);
}

/* ---- and begins ---- */

static int begin(struct umd_array *u, struct err *err)
{
	int rc = run_begin(u, err);

	if (rc == 0 && u->cluster)
		rc = run_cluster_start(u, err);
	if (rc == 0) {
		run_thread_go(u);
		return 0;
	}
	run_thread_call_off(u);
	end_run(u);
	return rc;
}

static int begin_again(struct umd_array *u, const struct regrow *r, bool as_node, const char *engine, struct err *err)
{
	struct umd_open_options options = { .direct = r->was_direct };
	int rc;

	if (as_node) {
		options.cluster = engine ?: "dlm";
		options.node = r->node;
	}
	rc = run_open_members(u, (const char *const *)r->paths, r->count, &options, err);
	if (rc == 0)
		rc = begin(u, err);
	else
		end_run(u);
	return rc;
}

/* Without the lock. */
static int change(struct umd_array *u, const struct regrow *r, char **ret_json, struct err *err)
{
	struct umd_cluster_options options = { .bitmap = r->bitmap, .nodes = r->nodes,
					       .cluster_name = r->cluster_name,
					       .bitmap_chunk_bytes = r->chunk_bytes };
	bool was_node = u->cluster, was_dlm = was_node && u->cluster->is_dlm;
	bool is_as_it_was;
	struct umd_error error = { 0 };
	struct err again = { 0 };
	int rc;

	end_run(u);
	rc = umd_change_cluster(&options, (const char *const *)r->paths, r->count, ret_json, &error);
	if (rc < 0)
		err_set(err, rc, "%s", error.text);
	is_as_it_was = rc < 0 || !r->bitmap;
	if (begin_again(u, r, was_node == is_as_it_was, is_as_it_was ? was_dlm ? "dlm" : "local" : r->engine,
			&again) < 0)
		return err_set(err, again.code, "%.300s; the array does not run any more: %.300s",
			       rc < 0 ? err->text : "the bitmap was changed", again.text);
	return rc;
}

/* An errand: nothing else begins or ends a run meanwhile. */
static int regrow(struct umd_array *u, struct regrow *r, char **ret_json, struct err *err)
{
	int rc;

	pthread_mutex_lock(&u->lock);
	rc = check(u, r, err);
	if (rc == 0 && note_paths(u, r) < 0)
		rc = err_set(err, -ENOMEM, "no memory");
	pthread_mutex_unlock(&u->lock);
	return rc || r->is_dry_run ? rc : change(u, r, ret_json, err);
}

static const char *sentence_of(const struct regrow *r)
{
	if (!r->bitmap)
		return r->is_dry_run ? "every slot of the bitmap would get other chunks" :
				       "every slot of the bitmap has other chunks";
	if (strcmp(r->bitmap, "clustered"))
		return r->is_dry_run ? "the array would leave its cluster, with an internal bitmap" :
				       "the array has left its cluster, with an internal bitmap";
	return r->is_dry_run ? "the array would go on as one node of a cluster" :
			       "the array goes on as one node of a cluster";
}

int run_regrow(struct umd_array *u, struct json_object *request, struct text *reply, struct err *err)
{
	struct regrow r = { 0 };
	char *json = NULL;
	int rc;

	take_wish(&r, u, request);
	rc = regrow(u, &r, &json, err);
	if (rc == 0) {
		json_open(reply, NULL, '{');
		json_str(reply, "sentence", sentence_of(&r));
		json_bool(reply, "dry_run", r.is_dry_run);
		json_close(reply, '}');
	}
	for (uint32_t i = 0; i < r.count; i++)
		mem_free(r.paths[i]);
	free(json);
	return rc;
}
