/* Reading the library's JSON, and talking to running arrays. Paths walk objects: "bitmap.set_chunks". */
#ifndef FRONT_CLI_JSON_H
#define FRONT_CLI_JSON_H

#include <json-c/json.h>

#include "cli.h"

/* NULL, with the sentence said, when @text is no JSON (or there is no memory). */
struct json_object *cli_json_parse(const char *text);

struct json_object *cli_json_get(struct json_object *o, const char *path);	/* NULL: absent or null */
const char *cli_json_raw(struct json_object *o, const char *path);		/* "" when absent; as stored */
const char *cli_json_shown(struct json_object *o, const char *path);		/* "" when absent; fit for a terminal */
uint64_t cli_json_u64(struct json_object *o, const char *path, uint64_t otherwise);
bool cli_json_bool(struct json_object *o, const char *path);
size_t cli_json_len(struct json_object *array);					/* 0 for NULL */

/* Print and free a JSON text of the library. */
void cli_json_print(char *text);
/* Print an object made here. */
void cli_json_print_object(struct json_object *o);

/* One sentence on stderr for each member of umd_examine's `members` that has an error. */
void cli_say_member_errors(struct json_object *members);

/**
 * cli_control - one command to the array @name
 * @member: path or NULL; @fd: descriptor to hand over or -1
 * Returns the library's code, with its sentence in @error; *@ret_reply is to be released with json_object_put().
 */
int cli_control(const char *name, const char *command, const char *member, int fd, struct json_object **ret_reply,
		struct umd_error *error);

#endif
