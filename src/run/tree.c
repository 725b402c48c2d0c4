/* The attribute tree as clients of the control socket read it: get, attrs, watch; and who is told of changes.
 *
 * The tree itself decides nothing here: it is shown what is true now (run_view) and asked. A watch is a list of files
 * with the generation the client knows; it is answered as soon as one of them has another, or one came or went. So
 * nothing is lost between two watches, however late a client asks again, and a file that was read and has not been
 * notified since never wakes anybody.
 *
 *	client: get -> value, generation	server: step -> att_notice() -> generations move -> run_wake()
 *	        watch(generation) ----------------------------------------------> answered
 *
 * Left out: writes (hand.c), how an answer comes later (control.c). */
#include "run/cluster.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "run/json.h"

enum { WATCH_PATHS_MAX = 4096, WATCH_MS_MAX = 24 * 3600 * 1000 };

struct att_view run_view(struct umd_array *u, struct arr_status *status)
{
	struct att_view view = { .now_ms = run_now_ms(), .clients = u->clients };

	if (u->cluster && u->cluster->view.engine)
		view.cluster = &u->cluster->view;

	/* It runs when clients are let in, not before: whoever reads so connects next. */
	if (!u->arr || u->thread_state != RUN_THREAD_GOES)
		return view;
	arr_get_shown(u->arr, status);
	view.status = status;
	view.bitmap = arr_bitmap(u->arr);
	return view;
}

void run_notice(struct umd_array *u)
{
	struct arr_status status;
	struct att_view view;

	if (!u->tree)
		return;
	view = run_view(u, &status);
	att_notice(u->tree, &view);
	if (att_clock(u->tree) == u->told_clock)
		return;
	u->told_clock = att_clock(u->tree);
	run_wake(u);
}

static void refuse(struct text *reply, int code, const char *sentence)
{
	struct err err;

	err_set(&err, code, "%s", sentence);
	run_control_refuse(reply, &err);
}

/* ---- get ---- */

/* JSON has no bytes: what is no text goes as hexadecimal digits. */
static bool is_text(const char *data, size_t len_bytes)
{
	struct text t = { 0 };
	bool is;

	json_strn(&t, NULL, data, len_bytes);
	is = !t.is_broken && !strstr(t.data, "\\\\x");
	text_drop(&t);
	return is;
}

static void put_value(struct text *reply, const struct text *value)
{
	static const char digits[] = "0123456789abcdef";
	struct text hex = { 0 };

	if (!value->len_bytes || is_text(value->data, value->len_bytes)) {
		json_strn(reply, "value", value->data ?: "", value->len_bytes);
		return;
	}
	for (size_t i = 0; i < value->len_bytes; i++)
		text_add(&hex, "%c%c", digits[(uint8_t)value->data[i] >> 4], digits[value->data[i] & 15]);
	json_str(reply, "value_hex", hex.data);
	text_drop(&hex);
}

static const char *path_of(struct json_object *request)
{
	struct json_object *o;

	if (!json_object_object_get_ex(request, "path", &o) || !json_object_is_type(o, json_type_string))
		return NULL;
	/* A NUL inside would cut it to some other path. */
	return strlen(json_object_get_string(o)) == (size_t)json_object_get_string_len(o) ?
		       json_object_get_string(o) : NULL;
}

void run_command_get(struct umd_array *u, struct json_object *request, struct text *reply)
{
	const char *path = path_of(request);
	struct text value = { 0 };
	struct arr_status status;
	struct att_view view;
	uint64_t generation;
	struct err err;
	int rc;

	if (!path) {
		refuse(reply, -EINVAL, "the request names no path");
		return;
	}
	pthread_mutex_lock(&u->lock);
	view = run_view(u, &status);
	rc = att_read(u->tree, &view, path, &value);
	generation = att_generation(u->tree, &view, path);
	pthread_mutex_unlock(&u->lock);
	if (rc < 0) {
		err_set(&err, rc, "%.256s cannot be read: %s", path, rc == -EOPNOTSUPP ? "umd has no engine for it" :
			strerror(-rc));
		run_control_refuse(reply, &err);
	} else {
		json_open(reply, NULL, '{');
		put_value(reply, &value);
		json_u64(reply, "generation", generation);
		json_close(reply, '}');
	}
	text_drop(&value);
}

/* ---- attrs ---- */

static void put_entry(void *opaque, const struct att_entry *e)
{
	struct text *reply = opaque;
	char mode[8];

	text_fit(mode, sizeof mode, "0%o", e->mode);
	json_open(reply, NULL, '{');
	json_str(reply, "path", e->path);
	json_str(reply, "mode", mode);
	json_bool(reply, "notifies", e->notifies);
	json_bool(reply, "supported", e->has_engine);
	if (e->link_to)
		json_str(reply, "link_to", e->link_to);
	json_str(reply, "sentence", e->sentence);
	json_close(reply, '}');
}

void run_command_attrs(struct umd_array *u, struct text *reply)
{
	struct arr_status status;
	struct att_view view;

	pthread_mutex_lock(&u->lock);
	view = run_view(u, &status);
	json_open(reply, NULL, '{');
	json_open(reply, "attributes", '[');
	att_list(u->tree, &view, put_entry, reply);
	json_close(reply, ']');
	json_u64(reply, "tree", att_tree_generation(u->tree));
	json_close(reply, '}');
	pthread_mutex_unlock(&u->lock);
}

/* ---- watch ---- */

struct watch {
	struct run_later later;
	struct umd_array *u;
	bool watches_tree;
	uint64_t tree;
	size_t count;
	struct watched {
		char *path;
		uint64_t generation;
	} paths[];
};

static struct watch *of_later(struct run_later *later)
{
	return (struct watch *)(void *)((char *)later - offsetof(struct watch, later));
}

static void drop(struct run_later *later)
{
	struct watch *w = of_later(later);

	for (size_t i = 0; i < w->count; i++)
		mem_free(w->paths[i].path);
	mem_free(w);
}

/* Under the lock. True: something differs. */
static bool put_changes(const struct watch *w, const struct att_view *view, struct text *reply)
{
	uint64_t tree = att_tree_generation(w->u->tree), now;
	bool differs = w->watches_tree && tree != w->tree;

	json_open(reply, NULL, '{');
	json_u64(reply, "tree", tree);
	json_open(reply, "changed", '[');
	for (size_t i = 0; i < w->count; i++) {
		now = att_generation(w->u->tree, view, w->paths[i].path);
		if (now == w->paths[i].generation)
			continue;
		differs = true;
		json_open(reply, NULL, '{');
		json_str(reply, "path", w->paths[i].path);
		json_u64(reply, "generation", now);
		json_close(reply, '}');
	}
	json_close(reply, ']');
	json_close(reply, '}');
	return differs;
}

static bool ask(struct run_later *later, bool is_over, struct text *reply)
{
	struct watch *w = of_later(later);
	struct arr_status status;
	struct att_view view;
	bool differs;

	pthread_mutex_lock(&w->u->lock);
	view = run_view(w->u, &status);
	differs = put_changes(w, &view, reply);
	pthread_mutex_unlock(&w->u->lock);
	return differs || is_over;
}

/* A number from 0 to @max; false: it is there, and is none. */
static bool number_of(struct json_object *o, const char *key, uint64_t max, uint64_t *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, key, &value))
		return true;
	if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0 ||
	    json_object_get_uint64(value) > max)
		return false;
	*ret = json_object_get_uint64(value);
	return true;
}

static bool take_path(struct watch *w, struct json_object *o)
{
	struct watched *p = &w->paths[w->count];
	const char *path;

	if (!json_object_is_type(o, json_type_object) || !number_of(o, "generation", UINT64_MAX, &p->generation))
		return false;
	path = path_of(o);
	p->path = path ? mem_new(1, strlen(path) + 1) : NULL;
	if (!p->path)
		return false;
	strcpy(p->path, path);
	w->count++;
	return true;
}

/* NULL: refused. */
static struct watch *watch_from(struct umd_array *u, struct json_object *request, const char **ret_why)
{
	struct json_object *paths = NULL;
	uint64_t patience_ms = WATCH_MS_MAX;
	bool has_paths = json_object_object_get_ex(request, "paths", &paths);
	size_t count = has_paths && json_object_is_type(paths, json_type_array) ? json_object_array_length(paths) : 0;
	struct watch *w;

	*ret_why = "a watch has an array \"paths\" of at most 4096 objects with \"path\" and \"generation\"";
	if ((has_paths && !json_object_is_type(paths, json_type_array)) || count > WATCH_PATHS_MAX)
		return NULL;
	w = mem_new(1, sizeof *w + count * sizeof *w->paths);
	if (!w)
		return NULL;
	*w = (struct watch){ .later = { 0, ask, drop }, .u = u,
			     .watches_tree = json_object_object_get_ex(request, "tree", NULL) };
	for (size_t i = 0; i < count; i++)
		if (!take_path(w, json_object_array_get_idx(paths, i)))
			goto refused;
	*ret_why = "a watch has numbers \"tree\" and \"timeout_ms\", the latter at most a day";
	if (!number_of(request, "tree", UINT64_MAX, &w->tree) ||
	    !number_of(request, "timeout_ms", WATCH_MS_MAX, &patience_ms))
		goto refused;
	w->later.deadline_ms = run_control_now_ms() + patience_ms;
	return w;
refused:
	drop(&w->later);
	return NULL;
}

struct run_later *run_command_watch(struct umd_array *u, struct json_object *request, struct text *reply)
{
	const char *why;
	struct watch *w = watch_from(u, request, &why);

	if (!w) {
		refuse(reply, -EINVAL, why);
		return NULL;
	}
	if (!ask(&w->later, w->later.deadline_ms <= run_control_now_ms(), reply)) {
		text_drop(reply);
		return &w->later;
	}
	drop(&w->later);
	return NULL;
}
