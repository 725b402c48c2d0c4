/* One request of the control socket: from a line to a reply.
 *
 * A request is a JSON object with a string "command"; all else is the handler's business. What is no such thing is
 * answered with an error object, so that a person with a terminal on the socket sees what is wrong. Error codes travel
 * by name: numbers may differ between versions of the two sides.
 *
 * Left out: what the commands mean. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "run/control_inside.h"
#include "run/json.h"

enum { DEPTH_MAX = 8 };

void run_control_refuse(struct text *reply, const struct err *err)
{
	json_open(reply, NULL, '{');
	json_open(reply, "error", '{');
	json_str(reply, "code", err_name(err->code));
	json_i64(reply, "errno", err_errno(err->code));
	json_str(reply, "message", err->text[0] ? err->text : err_sentence(err->code));
	json_close(reply, '}');
	json_close(reply, '}');
}

int run_control_code(const char *name)
{
	for (int code = ERR_FIRST + 1; code < ERR_END; code++)
		if (!strcmp(err_name(code), name))
			return code;
	for (int number = 1; number < 256; number++)
		if (!strcmp(err_name(-number), name))
			return -number;
	return -EPROTO;
}

/* The whole line must be one value: trailing text means that the two sides count lines differently. */
static struct json_object *parse(const char *line, size_t len_bytes)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *object;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, line, (int)len_bytes);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != len_bytes) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static const char *command_of(struct json_object *request)
{
	struct json_object *command;

	if (!json_object_is_type(request, json_type_object) ||
	    !json_object_object_get_ex(request, "command", &command) ||
	    !json_object_is_type(command, json_type_string))
		return NULL;
	return json_object_get_string(command);
}

/* Whoever was asked has written an object, or had no memory for one. */
static char *finish(struct text *reply)
{
	struct err err;

	if (!reply->len_bytes && !reply->is_broken) {
		err_set(&err, -ENOMEM, "the server has no memory for an answer");
		run_control_refuse(reply, &err);
	}
	text_add(reply, "\n");
	return text_take(reply);
}

char *run_control_answer_later(struct run_later *later, bool is_over)
{
	struct text reply = { 0 };

	if (later->ask(later, is_over, &reply) || is_over)
		return finish(&reply);
	text_drop(&reply);
	return NULL;
}

char *run_control_answer(const char *line, size_t len_bytes, int fd, run_control_handler *handler, void *opaque,
			 struct run_later **ret_later)
{
	struct json_object *request = parse(line, len_bytes);
	const char *command = command_of(request);
	struct text reply = { 0 };
	struct err err;

	*ret_later = NULL;
	if (command) {
		*ret_later = handler(opaque, command, request, fd, &reply);
	} else {
		err_set(&err, -EINVAL, "a request is one line with a JSON object that has a string \"command\"");
		run_control_refuse(&reply, &err);
	}
	json_object_put(request);
	return *ret_later ? NULL : finish(&reply);
}
