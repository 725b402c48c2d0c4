/* What the control socket understands: one function per command, chosen by name.
 *
 * Commands run on the control thread, each under the array's lock where it looks or changes, and never across I/O;
 * those that wait for members are errands (errand.c).
 * A reply is one JSON object; a refusal is an error object with the sentence a person will read.
 *
 * Left out: lines, peers and their rights (control*.c), admitting a member (admit.c), the reports themselves
 * (status.c). */
#include "run/running.h"

#include <string.h>

#include "look/map.h"
#include "run/json.h"

static const char *string_of(struct json_object *request, const char *key)
{
	struct json_object *o;

	if (!json_object_object_get_ex(request, key, &o) || !json_object_is_type(o, json_type_string))
		return NULL;
	return json_object_get_string(o);
}

static bool is_true(struct json_object *request, const char *key)
{
	struct json_object *o;

	return json_object_object_get_ex(request, key, &o) && json_object_get_boolean(o);
}

static void refuse(struct text *reply, int code, const char *sentence)
{
	struct err err;

	err_set(&err, code, "%s", sentence);
	run_control_refuse(reply, &err);
}

/* An errand, since it looks in pieces: no bitmap is changed for another meanwhile, and no run ends. */
static void map(struct umd_array *u, struct json_object *request, int fd, struct text *reply)
{
	int64_t cells = LOOK_MAP_CELLS;
	struct json_object *o;
	struct err err;

	if (json_object_object_get_ex(request, "cells", &o))
		cells = json_object_is_type(o, json_type_int) ? json_object_get_int64(o) : -1;
	if (cells >= 1 && cells <= LOOK_MAP_CELLS_MAX) {
		run_map(u, (uint64_t)cells, reply);
		return;
	}
	err_set(&err, UMD_E_BAD_OPTION, "a map has 1 to %d cells, not %s", LOOK_MAP_CELLS_MAX,
		cells == -1 ? "what was asked for" : json_object_get_string(o));
	run_control_refuse(reply, &err);
}

/* What brings members in and takes them out waits for them: an errand. Where an owner keeps the metadata, only the
 * owner knows in which order that is recorded. */
static void members(struct umd_array *u, struct json_object *request, int fd, struct text *reply)
{
	const char *command = string_of(request, "command"), *member = string_of(request, "member");

	if (u->has_superblocks && !u->arr) {
		refuse(reply, UMD_E_NOT_RUNNING, "the array does not run (umd set NAME array_state active starts it): "
		       "no member comes or goes");
		return;
	}
	if (!u->has_superblocks) {
		refuse(reply, UMD_E_NOT_SUPPORTED,
		       "the members of an array without superblocks are its owner's: they come and go by attributes "
		       "(umd set NAME dev-MEMBER/state faulty, remove; new_dev)");
		return;
	}
	if (!strcmp(command, "fail"))
		run_command_fail(u, member, reply);
	else if (!strcmp(command, "remove"))
		run_command_remove(u, member, reply);
	else if (!strcmp(command, "add"))
		run_command_add(u, member, fd, ASM_ADMIT_ADD, is_true(request, "force"),
				is_true(request, "write_mostly"), reply);
	else
		run_command_add(u, member, fd, ASM_ADMIT_READD, false, is_true(request, "write_mostly"), reply);
}

static bool is_about_member(const char *command)
{
	return !strcmp(command, "fail") || !strcmp(command, "remove") || !strcmp(command, "add") ||
		!strcmp(command, "re-add");
}

static void stop(struct umd_array *u, struct text *reply)
{
	json_open(reply, NULL, '{');
	json_str(reply, "sentence", "stopping");
	json_close(reply, '}');
	umd_array_stop(u);
	if (u->on_stop)
		u->on_stop(u->on_stop_opaque);
}

struct run_later *run_command(void *opaque, const char *command, struct json_object *request, int fd,
			      struct text *reply)
{
	struct umd_array *u = opaque;

	if (!strcmp(command, "detail"))
		run_detail(u, reply);
	else if (!strcmp(command, "map"))
		return run_errand(u, map, request, fd, reply);
	else if (!strcmp(command, "why"))
		run_command_why(u, request, reply);
	else if (!strcmp(command, "get"))
		run_command_get(u, request, reply);
	else if (!strcmp(command, "attrs"))
		run_command_attrs(u, reply);
	else if (!strcmp(command, "watch"))
		return run_command_watch(u, request, reply);
	else if (!strcmp(command, "grow"))
		return run_errand(u, run_command_grow, request, fd, reply);
	else if (!strcmp(command, "set"))
		return run_errand(u, run_command_set, request, fd, reply);
	else if (!strcmp(command, "stop"))
		stop(u, reply);
	else if (is_about_member(command) && !string_of(request, "member"))
		refuse(reply, UMD_E_BAD_OPTION, "the request names no member");
	else if (is_about_member(command))
		return run_errand(u, members, request, fd, reply);
	else
		refuse(reply, UMD_E_NOT_SUPPORTED, "the command is not known to this server");
	return NULL;
}
