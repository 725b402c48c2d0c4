/* The control socket: one line in, one line out, whoever is on the other end.
 *
 * Input: the line. Where it names a command, the real dispatch answers it for a read-only array of one member; add and
 * re-add come without a descriptor, so no file that a request names is opened; nor does an attribute open one here, or
 * end the array (what attributes do is another target's).
 * Properties: the answer is one line, harmless, one JSON object, and an object "error" in it has a code that the other
 * side knows and a message; the array is what it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#include "base/mem.h"
#include "run/control_inside.h"
#include "run/json.h"
#include "run/running.h"

enum { MEMBER_BYTES = 4 << 20 };

static char folder[] = "/tmp/umd-fuzz-XXXXXX";

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	FUZZ_MUST(system(command) == 0);
}

/* A clean mirror of which one member is there. */
static struct umd_array *open_array(void)
{
	char path[64];
	const char *const members[] = { path, "missing" };
	struct umd_create_options create = { .assume_clean = true };
	struct umd_open_options options = { .readonly = true, .run = true, .name = "fuzz" };
	struct umd_array *array;
	struct umd_error error;

	FUZZ_MUST(mkdtemp(folder) && !setenv("UMD_RUNTIME_DIR", folder, 1) && !atexit(remove_folder));
	snprintf(path, sizeof path, "%s/member", folder);
	FUZZ_MUST(close(creat(path, 0600)) == 0 && truncate(path, MEMBER_BYTES) == 0);
	FUZZ_MUST(umd_create(&create, members, 2, NULL, &error) == 0);
	FUZZ_MUST(umd_array_open(members, 1, &options, &array, &error) == 0);
	return array;
}

static bool names(struct json_object *request, const char *path)
{
	struct json_object *o;

	return json_object_object_get_ex(request, "path", &o) && json_object_is_type(o, json_type_string) &&
	       !strcmp(json_object_get_string(o), path);
}

static struct run_later *answer(void *opaque, const char *command, struct json_object *request, int fd,
				struct text *reply)
{
	struct err err;

	if (strcmp(command, "set") || (!names(request, "new_dev") && !names(request, "array_state")))
		return run_command(opaque, command, request, fd, reply);
	err_set(&err, UMD_E_NOT_SUPPORTED, "not here");
	run_control_refuse(reply, &err);
	return NULL;
}

static bool is_known(const char *code)
{
	return run_control_code(code) != -EPROTO || !strcmp(code, err_name(-EPROTO));
}

static void check_reply(const char *reply)
{
	size_t len = strlen(reply);
	struct json_object *o, *error, *value;

	FUZZ_MUST(len > 1 && reply[len - 1] == '\n' && fuzz_is_harmless(reply, len - 1, false));
	o = json_tokener_parse(reply);
	FUZZ_MUST(o && json_object_is_type(o, json_type_object));
	if (json_object_object_get_ex(o, "error", &error)) {
		FUZZ_MUST(json_object_object_get_ex(error, "code", &value) && is_known(json_object_get_string(value)));
		FUZZ_MUST(json_object_object_get_ex(error, "message", &value) && json_object_get_string_len(value) > 0);
		FUZZ_MUST(json_object_object_get_ex(error, "errno", &value) && json_object_get_int(value) > 0);
	}
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct umd_array *array;
	struct run_later *later;
	char *line, *reply;

	if (!array)
		array = open_array();
	if (size > RUN_CONTROL_REQUEST_MAX)
		return 0;
	line = malloc(size ? size : 1);
	if (!line)
		return 0;
	memcpy(line, data, size);
	reply = run_control_answer(line, size, -1, answer, array, &later);
	FUZZ_MUST(!reply == !!later);
	if (later) {
		reply = run_control_answer_later(later, true);
		later->drop(later);
	}
	FUZZ_MUST(reply);
	check_reply(reply);
	mem_free(reply);
	free(line);
	return 0;
}
