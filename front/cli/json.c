/* Reading the library's JSON with json-c, and requests to running arrays.
 *
 * json-c turns escapes back into bytes: what is shown to people goes through cli_shown() again. */
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct json_object *cli_json_parse(const char *text)
{
	struct json_object *o = json_tokener_parse(text);

	if (!o)
		cli_refuse("an answer of %zu bytes could not be read as JSON", strlen(text));
	return o;
}

struct json_object *cli_json_get(struct json_object *o, const char *path)
{
	char key[64];

	while (o && *path) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof key || !json_object_is_type(o, json_type_object))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		o = json_object_object_get(o, key);
		path += len + (path[len] == '.');
	}
	return o;
}

const char *cli_json_raw(struct json_object *o, const char *path)
{
	struct json_object *value = cli_json_get(o, path);

	return value ? json_object_get_string(value) : "";
}

const char *cli_json_shown(struct json_object *o, const char *path)
{
	return cli_shown(cli_json_raw(o, path));
}

uint64_t cli_json_u64(struct json_object *o, const char *path, uint64_t otherwise)
{
	struct json_object *value = cli_json_get(o, path);

	return value ? json_object_get_uint64(value) : otherwise;
}

bool cli_json_bool(struct json_object *o, const char *path)
{
	struct json_object *value = cli_json_get(o, path);

	return value && json_object_get_boolean(value);
}

size_t cli_json_len(struct json_object *array)
{
	return array && json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

void cli_json_print(char *text)
{
	puts(text);
	free(text);
}

void cli_json_print_object(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void cli_say_member_errors(struct json_object *members)
{
	for (size_t i = 0; i < cli_json_len(members); i++) {
		struct json_object *m = json_object_array_get_idx(members, i);
		const char *path = cli_json_shown(m, "path"), *message = cli_json_shown(m, "error.message");

		if (*message)
			cli_refuse("%s%s%s", strstr(message, path) ? "" : path,
				   strstr(message, path) ? "" : ": ", message);
	}
}

int cli_control(const char *name, const char *command, const char *member, int fd,
		struct json_object **ret_reply, struct umd_error *error)
{
	struct json_object *request = json_object_new_object();
	char *reply;
	int rc;

	json_object_object_add(request, "command", json_object_new_string(command));
	if (member)
		json_object_object_add(request, "member", json_object_new_string(member));
	rc = umd_control(name, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN), fd, &reply,
			 error);
	json_object_put(request);
	if (rc)
		return rc;

	*ret_reply = json_tokener_parse(reply);
	free(reply);
	if (*ret_reply)
		return 0;
	error->code = -EPROTO;
	snprintf(error->text, sizeof error->text,
		 "the server of %s answered %s with something that is no JSON object", cli_shown(name),
		 command);
	return -EPROTO;
}
