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

bool cli_json_runs(struct json_object *detail)
{
	const char *state = cli_json_raw(detail, "array_state");

	return strcmp(state, "clear") && strcmp(state, "inactive");
}

size_t cli_members_in_sync(struct json_object *detail)
{
	struct json_object *members = cli_json_get(detail, "members");
	size_t count = 0;

	for (size_t i = 0; i < cli_json_len(members); i++)
		count += !strcmp(cli_json_raw(json_object_array_get_idx(members, i), "state"), "in_sync");
	return count;
}

const char *cli_sync_story(struct json_object *sync)
{
	const char *action = cli_json_shown(sync, "action");

	return cli_print("%s that copied %s of %s in %s%s: %s", strcmp(action, "recover") ? action : "recovery",
			 cli_bytes(cli_json_u64(sync, "bytes_copied", 0)),
			 cli_bytes(cli_json_u64(sync, "bytes_checked", 0)),
			 cli_seconds(cli_json_u64(sync, "milliseconds", 0) / 1000.0),
			 cli_json_bool(sync, "complete") ? "" : ", not complete",
			 cli_json_shown(sync, "reason"));
}

int cli_json_tell(const struct cli *cli, char *text, void (*print)(struct json_object *o, const struct cli *cli))
{
	struct json_object *o;

	if (cli_has(cli, "json")) {
		puts(text);
		free(text);
		return CLI_DONE;
	}
	o = cli_json_parse(text);
	free(text);
	if (!o)
		return CLI_FAILED;
	print(o, cli);
	json_object_put(o);
	return CLI_DONE;
}

/* json-c escapes ASCII control bytes alone. What else could harm a terminal stands in strings, where it may be escaped
 * as well; a byte that is no UTF-8 becomes the text "\xNN", as it does in the library's own JSON. */
void cli_json_print_object(struct json_object *o)
{
	const char *s =
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	uint32_t character;
	bool is_harmless;

	while (*s) {
		unsigned len = cli_character(s, &character, &is_harmless);

		if (is_harmless)
			fwrite(s, 1, len, stdout);
		else if (len)
			printf("\\u%04x", (unsigned)character);
		else
			printf("\\\\x%02x", (unsigned char)*s);
		s += len ?: 1;
	}
	putchar('\n');
}

void cli_say_member_error(struct json_object *m)
{
	const char *path = cli_json_shown(m, "path"), *message = cli_json_shown(m, "error.message");
	bool is_named = strstr(message, path);

	if (*message)
		cli_refuse("%s%s%s", is_named ? "" : path, is_named ? "" : ": ", message);
}

void cli_say_member_errors(struct json_object *members)
{
	for (size_t i = 0; i < cli_json_len(members); i++)
		cli_say_member_error(json_object_array_get_idx(members, i));
}

int cli_send(const char *name, struct json_object *request, int fd, struct json_object **ret_reply,
	     struct umd_error *error)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	char *reply;
	int rc;

	rc = umd_control(name, text, fd, &reply, error);
	json_object_put(request);
	if (rc)
		return rc;

	*ret_reply = json_tokener_parse(reply);
	free(reply);
	if (*ret_reply)
		return 0;
	error->code = -EPROTO;
	snprintf(error->text, sizeof error->text,
		 "the server of %s answered with something that is no JSON object", cli_shown(name));
	return -EPROTO;
}

struct json_object *cli_request(const char *command)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(command));
	return request;
}

int cli_ask(const char *name, const char *command, struct json_object **ret_reply, struct umd_error *error)
{
	return cli_send(name, cli_request(command), -1, ret_reply, error);
}

int cli_ask_member(const char *name, const struct cli_member_request *wish, struct json_object **ret_reply,
		   struct umd_error *error)
{
	struct json_object *request = cli_request(wish->command);

	json_object_object_add(request, "member", json_object_new_string(wish->path));
	json_object_object_add(request, "force", json_object_new_boolean(wish->force));
	json_object_object_add(request, "write_mostly", json_object_new_boolean(wish->write_mostly));
	return cli_send(name, request, wish->fd, ret_reply, error);
}
