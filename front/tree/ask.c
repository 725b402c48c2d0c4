/* What umd-tree asks the server: lines of JSON over the array's control socket.
 *
 * Each question is a connection of its own (umd_control), so any number of threads may ask at a time and a server that
 * dies ends every question at once. A value that is plain ASCII goes as it is, any other as hexadecimal, since a JSON
 * string cannot hold every byte.
 *
 * Words: a server is *gone* when nobody listens under the array's name (ASK_GONE); a question that broke off for
 * another reason has that reason's errno, and can be asked again.
 *
 * Left out: what attributes mean. The server has the table; here are paths, modes and bytes. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

enum { PATIENCE_MS = 30000 };

/* ---- the exchange ---- */

/* The library's own codes lie beyond every errno. Of those "not found" means the array. */
static int errno_of(int rc, const struct umd_error *error)
{
	if (rc < -4095 && error->errno_class == ENOENT)
		return ASK_GONE;
	return error->errno_class ? -error->errno_class : -EIO;
}

static int ask(const char *name, struct json_object *request, int fd, struct json_object **ret_reply,
	       struct umd_error *error)
{
	char *text = NULL;
	int rc;

	if (!request)
		return -ENOMEM;
	rc = umd_control(name, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN), fd, &text, error);
	json_object_put(request);
	if (rc < 0)
		return errno_of(rc, error);
	*ret_reply = json_tokener_parse(text);
	free(text);
	return json_object_is_type(*ret_reply, json_type_object) ? 0 : -EPROTO;
}

static struct json_object *new_request(const char *command, const char *path)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(command));
	if (path)
		json_object_object_add(request, "path", json_object_new_string(path));
	return request;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : NULL;
}

static uint64_t number_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_uint64(value) : 0;
}

static bool truth_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_get_boolean(value);
}

/* NULL: there is no such array in it. */
static struct json_object *array_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_array))
		return NULL;
	return value;
}

/* ---- the list ---- */

static int take_attribute(struct json_object *o, struct ask_attribute *ret)
{
	const char *path = text_of(o, "path"), *mode = text_of(o, "mode"), *target = text_of(o, "link_to");

	if (!path || !mode)
		return -EPROTO;
	*ret = (struct ask_attribute){ .path = strdup(path), .target = target ? strdup(target) : NULL,
				       .mode = (mode_t)strtoul(mode, NULL, 8) & 0666,
				       .is_notifying = truth_of(o, "notifies") };
	return ret->path && (ret->target || !target) ? 0 : -ENOMEM;
}

static int take_list(struct json_object *reply, struct ask_list *list)
{
	struct json_object *array = array_of(reply, "attributes");
	size_t count = array ? json_object_array_length(array) : 0;
	int rc = 0;

	list->tree = number_of(reply, "tree");
	list->items = calloc(count + 1, sizeof *list->items);
	if (!list->items || !array)
		return list->items ? -EPROTO : -ENOMEM;
	while (list->count < count && rc == 0) {
		rc = take_attribute(json_object_array_get_idx(array, list->count), &list->items[list->count]);
		list->count++;
	}
	return rc;
}

int ask_list(const char *name, struct ask_list *ret_list, struct umd_error *error)
{
	struct json_object *reply = NULL;
	struct ask_list list = { 0 };
	int rc = ask(name, new_request("attrs", NULL), -1, &reply, error);

	if (rc == 0)
		rc = take_list(reply, &list);
	json_object_put(reply);
	if (rc < 0) {
		ask_list_drop(&list);
		return rc;
	}
	*ret_list = list;
	return 0;
}

void ask_list_drop(struct ask_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free((char *)list->items[i].path);
		free((char *)list->items[i].target);
	}
	free(list->items);
	*list = (struct ask_list){ 0 };
}

/* ---- values ---- */

static int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int take_hex(const char *hex, struct ask_value *v)
{
	size_t len = strlen(hex) / 2;

	v->bytes = malloc(len + 1);
	if (!v->bytes)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EPROTO;
		v->bytes[i] = (char)(high << 4 | low);
	}
	v->len = len;
	return 0;
}

static int take_value(struct json_object *reply, struct ask_value *v)
{
	struct json_object *plain;
	const char *hex = text_of(reply, "value_hex");

	v->generation = number_of(reply, "generation");
	if (hex)
		return take_hex(hex, v);
	if (!json_object_object_get_ex(reply, "value", &plain) || !json_object_is_type(plain, json_type_string))
		return -EPROTO;
	v->len = (size_t)json_object_get_string_len(plain);
	v->bytes = malloc(v->len + 1);
	if (!v->bytes)
		return -ENOMEM;
	memcpy(v->bytes, json_object_get_string(plain), v->len);
	return 0;
}

int ask_get(const char *name, const char *path, struct ask_value *ret_value)
{
	struct json_object *reply = NULL;
	struct ask_value v = { 0 };
	struct umd_error error;
	int rc = ask(name, new_request("get", path), -1, &reply, &error);

	if (rc == 0)
		rc = take_value(reply, &v);
	json_object_put(reply);
	if (rc < 0) {
		free(v.bytes);
		return rc;
	}
	*ret_value = v;
	return 0;
}

static bool is_plain(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((value[i] < ' ' && value[i] != '\n' && value[i] != '\t') || value[i] == 0x7f)
			return false;
	return true;
}

static struct json_object *to_hex(const char *value, size_t len)
{
	struct json_object *o;
	char *hex = malloc(2 * len + 1);

	if (!hex)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = "0123456789abcdef"[(unsigned char)value[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[value[i] & 15];
	}
	o = json_object_new_string_len(hex, (int)(2 * len));
	free(hex);
	return o;
}

int ask_set(const char *name, const char *path, const char *value, size_t len, int fd)
{
	struct json_object *request = new_request("set", path), *reply = NULL;
	struct umd_error error;
	int rc;

	if (is_plain(value, len))
		json_object_object_add(request, "value", json_object_new_string_len(value, (int)len));
	else
		json_object_object_add(request, "value_hex", to_hex(value, len));
	rc = ask(name, request, fd, &reply, &error);
	json_object_put(reply);
	return rc;
}

/* ---- waiting ---- */

static struct json_object *make_watch(uint64_t tree, const struct ask_watch *items, size_t count)
{
	struct json_object *request = new_request("watch", NULL), *paths = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "path", json_object_new_string(items[i].path));
		json_object_object_add(o, "generation", json_object_new_uint64(items[i].generation));
		json_object_array_add(paths, o);
	}
	json_object_object_add(request, "tree", json_object_new_uint64(tree));
	json_object_object_add(request, "timeout_ms", json_object_new_int(PATIENCE_MS));
	json_object_object_add(request, "paths", paths);
	return request;
}

static void take_change(struct json_object *o, struct ask_watch *items, size_t count)
{
	const char *path = text_of(o, "path");

	for (size_t i = 0; path && i < count; i++) {
		if (strcmp(items[i].path, path))
			continue;
		items[i].generation = number_of(o, "generation");
		items[i].is_changed = true;
		return;
	}
}

int ask_watch(const char *name, uint64_t *tree, struct ask_watch *items, size_t count)
{
	struct json_object *reply = NULL, *changed;
	struct umd_error error;
	int rc = ask(name, make_watch(*tree, items, count), -1, &reply, &error);

	if (rc == 0) {
		*tree = number_of(reply, "tree");
		changed = array_of(reply, "changed");
		for (size_t i = 0; changed && i < json_object_array_length(changed); i++)
			take_change(json_object_array_get_idx(changed, i), items, count);
	}
	json_object_put(reply);
	return rc;
}

/* ---- the array ---- */

int ask_detail(const char *name, struct ask_detail *ret_detail)
{
	struct json_object *reply = NULL;
	struct umd_error error;
	int rc = ask(name, new_request("detail", NULL), -1, &reply, &error);

	if (rc == 0) {
		ret_detail->size_bytes = number_of(reply, "size_bytes");
		ret_detail->is_readonly = truth_of(reply, "readonly");
		ret_detail->pid = number_of(reply, "pid");
	}
	json_object_put(reply);
	return rc;
}
